"""The vocabulary of a topic: what a report can be about. One file a topic, in a folder `topics`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from anlan.kernel.catalogue import Catalogue, Declaration, Kind
from anlan.kernel.refusals import Misdeclared, unknown
from anlan.kernel.text import Text

# A Chinese character says about as much as two letters.
_HAN = 2


class Words(BaseModel):
    """What people call it, in both languages: for choosing a topic from text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zh: tuple[str, ...] = ()
    en: tuple[str, ...] = ()


class Value(BaseModel):
    """One of the values a question lists."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = Field(pattern=r"^[A-Za-z0-9_-]{1,60}$")
    title: Text


class Question(BaseModel):
    """What else is asked of whoever reports such a thing through another system; the words of Open311 for its type.

    One that is not `asked` only says something (`title`) to whoever reports.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str = Field(pattern=r"^[A-Za-z0-9_-]{1,60}$")
    title: Text
    hint: Text | None = None
    type: Literal["string", "number", "datetime", "text", "singlevaluelist", "multivaluelist"] = "string"
    required: bool = False
    asked: bool = True
    values: tuple[Value, ...] = ()

    @model_validator(mode="after")
    def _lists_its_values(self) -> Self:
        if self.type.endswith("list") != bool(self.values):
            raise Misdeclared(
                "singlevaluelist、multivaluelist 要列出 values，其他类型不能有 values。",
                "A singlevaluelist or multivaluelist lists its values; no other type has any.",
            )
        if len({value.key for value in self.values}) < len(self.values):
            raise Misdeclared("values 里有重复的 key。", "A key stands twice among the values.")
        if self.required and not self.asked:
            raise Misdeclared("不提问（asked = false）就不能必填。", "What is not asked cannot be required.")
        return self


class Topic(Declaration):
    """Something that can be wrong. `parent` is a broader topic's key.

    `procedure` is the key of the one by which such reports are dealt with where no routing table speaks of this very
    topic; the narrower topics inherit it. `examples` are sentences for which this topic must be proposed first; they
    are run as tests. `questions` are what a client of another system is asked to tell besides. Of a `sensitive` topic
    nobody outside is told that such a case is open near them.
    """

    title: Text
    summary: Text | None = None
    parent: str = ""
    procedure: str = ""
    words: Words = Words()
    examples: tuple[str, ...] = ()
    sensitive: bool = False
    questions: tuple[Question, ...] = ()

    @model_validator(mode="after")
    def _asks_everything_once(self) -> Self:
        if len({question.code for question in self.questions}) < len(self.questions):
            raise Misdeclared("questions 里有重复的 code。", "A code stands twice among the questions.")
        return self


TOPICS = Kind("topics", Topic)


def lineage(topics: Mapping[str, Topic], key: str) -> tuple[str, ...]:
    """`key` and its broader topics, nearest first; a loop of parents ends where it closes."""
    line: list[str] = []
    while key in topics and key not in line:
        line.append(key)
        key = topics[key].parent
    return tuple(line)


def names(topics: Mapping[str, Topic]) -> dict[str, str]:
    """Every way of naming a topic (its key, both titles, then its words), without case, and the key it means."""
    named: dict[str, str] = {}
    for key, topic in topics.items():
        for name in (key, topic.title.zh, topic.title.en):
            named[name.casefold()] = key
    for key, topic in topics.items():
        for word in (*topic.words.zh, *topic.words.en):
            named.setdefault(word.casefold(), key)
    return named


def words_in(topic: Topic, text: str) -> tuple[str, ...]:
    """The names and words of a topic that stand in `text`, longest first."""
    folded = text.casefold()
    called = {topic.title.zh, topic.title.en, *topic.words.zh, *topic.words.en}
    return tuple(
        sorted((word for word in called if word.casefold() in folded), key=lambda word: (-_weight(word), word))
    )


def weights_in(topics: Mapping[str, Topic], text: str) -> dict[str, int]:
    """How much the words of each topic that stand in `text` weigh together; longer words weigh more."""
    weighed = {key: sum(map(_weight, words_in(topic, text))) for key, topic in topics.items()}
    return {key: weight for key, weight in weighed.items() if weight}


def _weight(word: str) -> int:
    return len(word) * (1 if word.isascii() else _HAN)


def propose(topics: Mapping[str, Topic], text: str, *, most: int = 3) -> list[str]:
    """Keys of the topics whose words stand in `text`, best first; longer words weigh more."""
    weighed = weights_in(topics, text)
    return sorted(weighed, key=lambda key: (-weighed[key], key))[:most]


def strangers(topic: Topic, catalogue: Catalogue) -> Iterator[tuple[str, Text]]:
    """What is wrong with the parent this topic names: nobody declares it, or it lies below this topic itself."""
    topics = catalogue.all(TOPICS)
    if topic.parent and topic.parent not in topics:
        yield "parent", unknown("类别", "topic", topic.parent, topics)
    elif topic.parent and topic.key in lineage(topics, topic.parent):
        yield (
            "parent",
            Text(
                zh=f"“{topic.parent}”在“{topic.key}”之下，不能又是它的上级。",
                en=f"“{topic.parent}” lies below “{topic.key}” and cannot be above it too.",
            ),
        )
