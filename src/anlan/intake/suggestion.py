"""说的是什么事: which topics a text is likely about, how sure that is, and which words said so. Pure.

Two ways: by the words declared with each topic, which works from the first day and proves nothing; and by what was
learned from the town's own closed cases (`topic_learning`), whose confidence is a probability that was judged.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import exp, sqrt
from typing import Any, Final

import orjson
from pydantic import BaseModel, ConfigDict, Field

from anlan.intake.likeness import grams
from anlan.intake.topic import TOPICS, Topic, weights_in, words_in
from anlan.kernel import catalogue
from anlan.kernel.catalogue import Declaration, Kind
from anlan.kernel.refusals import unknown
from anlan.kernel.text import Text

IN_USE: Final = "topic"
"""The key of the file that is asked; a pack that declares it again overrides it."""
_NAMED: Final = "\0"
"""Before a topic's key: the feature that its declared words stand in the text."""
_MANY: Final = 10.0
"""Declared words of this weight together say as much as words can."""
_DOUBT: Final = 4.0
"""Words of this weight, a word of two characters, are believed half."""
_SHOWN_WORDS: Final = 3
# House numbers and dates say nothing of what is wrong.
_SAYS: Final = re.compile(r"[^\W\d_]")


class Example(BaseModel):
    """A text and the topic whose words must say it first, "" where none may; run as a test."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    gives: str


class Suggesting(Declaration):
    """How many topics are `shown`, from which confidence on (`least`); from `certain` on a channel may take the topic
    by itself. What only declared words say is never surer than `unproven`.

    Learned is from `fewest` closed cases on, from the latest `most`, again every `again_days`; the latest part `judged`
    of them is kept out to see how often the suggestion is right.
    """

    title: Text
    summary: Text | None = None
    shown: int = Field(ge=1, le=10)
    least: float = Field(ge=0, lt=1)
    certain: float = Field(gt=0, le=1)
    unproven: float = Field(gt=0, lt=1)
    fewest: int = Field(ge=20)
    most: int = Field(ge=20, le=100_000)
    judged: float = Field(gt=0, lt=1)
    again_days: int = Field(ge=1)
    examples: tuple[Example, ...] = ()


SUGGESTING: Final = Kind("suggesting", Suggesting)


def declared() -> Suggesting:
    """The declaration that is asked in this process."""
    return catalogue.current().get(SUGGESTING, IN_USE)


@dataclass(frozen=True, slots=True)
class Suggested:
    """A topic's key, how sure it is (0 to 1), and the words of the text that said so."""

    topic: str
    confidence: float
    because: tuple[str, ...] = ()


def by_words(topics: Mapping[str, Topic], text: str, how: Suggesting) -> list[Suggested]:
    """What the declared words alone say, likeliest first."""
    weighed = weights_in(topics, text)
    total = sum(weighed.values())
    found = [
        Suggested(key, how.unproven * weight / (total + _DOUBT), words_in(topics[key], text))
        for key, weight in weighed.items()
    ]
    return _best(found, how)


def _best(found: Sequence[Suggested], how: Suggesting) -> list[Suggested]:
    enough = [each for each in found if each.confidence >= how.least]
    return sorted(enough, key=lambda each: (-each.confidence, each.topic))[: how.shown]


def features(topics: Mapping[str, Topic], text: str, known: Container[str] | None = None) -> dict[str, float]:
    """What a text shows: the grams in it (of those `known`), of length 1 together so that few words say as much as
    many, and of which topics declared words stand there.
    """
    found = [gram for gram in grams(text) if _SAYS.search(gram) and (known is None or gram in known)]
    shown = dict.fromkeys(found, 1 / sqrt(len(found))) if found else {}
    for key, weight in weights_in(topics, text).items():
        shown[_NAMED + key] = min(1.0, weight / _MANY)
    return shown


@dataclass(frozen=True)
class Model:
    """What was learned: for each feature what it adds to each of `topics`, and what each starts with."""

    topics: tuple[str, ...]
    start: tuple[float, ...]
    weights: Mapping[str, tuple[float, ...]]

    def suggest(self, topics: Mapping[str, Topic], text: str, how: Suggesting) -> list[Suggested]:
        """The likeliest topics that are still declared; nothing for a text that shows nothing known."""
        told = features(topics, text, self.weights)
        shown = {name: value for name, value in told.items() if name in self.weights}
        if not shown:
            return []
        totals = list(self.start)
        for name, value in shown.items():
            for place, weight in enumerate(self.weights[name]):
                totals[place] += value * weight
        known = [place for place, key in enumerate(self.topics) if key in topics]
        high = max((totals[place] for place in known), default=0.0)
        chances = {place: exp(totals[place] - high) for place in known}
        whole = sum(chances.values())
        found = [Suggested(self.topics[place], chance / whole) for place, chance in chances.items()]
        return [self._explained(each, topics, text, shown) for each in _best(found, how)]

    def _explained(
        self, each: Suggested, topics: Mapping[str, Topic], text: str, shown: Mapping[str, float]
    ) -> Suggested:
        said = words_in(topics[each.topic], text)
        place = self.topics.index(each.topic)
        spoke = sorted(
            ((self.weights[name][place] * value, name) for name, value in shown.items() if not name.startswith(_NAMED)),
            key=lambda one: (-one[0], one[1]),
        )
        grams_ = tuple(name.strip() for weight, name in spoke if weight > 0)
        return Suggested(each.topic, each.confidence, (said or grams_)[:_SHOWN_WORDS])

    @cached_property
    def written(self) -> bytes:
        """The model as it is stored."""
        return orjson.dumps({"topics": self.topics, "start": self.start, "weights": dict(self.weights)})


def read(written: bytes) -> Model:
    """A model as `Model.written` wrote it."""
    told: dict[str, Any] = orjson.loads(written)
    weights = {name: tuple(row) for name, row in told["weights"].items()}
    return Model(tuple(told["topics"]), tuple(told["start"]), weights)


def suggest(topics: Mapping[str, Topic], text: str, how: Suggesting, model: Model | None = None) -> list[Suggested]:
    """The likeliest topics of a text, by what was learned where there is a model, else by the declared words."""
    learned = model.suggest(topics, text, how) if model is not None else []
    return learned or by_words(topics, text, how)


def strangers(how: Suggesting, known: catalogue.Catalogue) -> Iterator[tuple[str, Text]]:
    """A key that nobody asks for, and the examples for which the declared words say something else."""
    if how.key != IN_USE:
        yield "key", unknown("类别建议", "suggesting", how.key, [IN_USE])
    topics = known.all(TOPICS)
    for number, example in enumerate(how.examples):
        first = next((each.topic for each in by_words(topics, example.text, how)), "")
        if first != example.gives:
            yield (
                f"examples[{number}]",
                Text(
                    zh=f"按登记的说法，首先想到的是“{first or '无'}”，与示例不符。",
                    en=f"By the declared words “{first or 'none'}” comes first: not as the example says.",
                ),
            )
