"""What people of this town call things, learned from what its closed cases turned out to be. Needs scikit-learn.

Logistic regression over character grams and declared words; the declared words and examples of every topic are learned
from too, so that a topic the town never had is still known. Judged on the latest cases, which it has not seen.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from pydantic import BaseModel, ConfigDict
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression

from anlan.intake.suggestion import Model, Suggesting, features, suggest
from anlan.intake.topic import Topic
from anlan.kernel.text import Refusal, Text

Told = tuple[str, str]
"""What was told, and the topic it turned out to be."""

_LOOSE: Final = 16.0
"""How little the weights are drawn to nothing: by trial on reports of one line."""
_SMALL: Final = 1e-3
_STEPS: Final = 10


class TooFew(Refusal):
    """There is not enough to learn from."""


class Right(BaseModel):
    """Of so many reports, how often the first suggestion was right, and one of those shown."""

    model_config = ConfigDict(frozen=True)

    reports: int
    first: int
    shown: int


class Step(BaseModel):
    """Of the reports whose first suggestion was as sure as `low` to `low` + 0.1: how many, and how many were right."""

    model_config = ConfigDict(frozen=True)

    low: float
    reports: int
    right: int


class Judged(BaseModel):
    """How good the suggestions are, on the latest cases: learned without them, and by declared words alone.

    `certain` counts those sure enough to be taken without asking, and how many of them were right.
    """

    model_config = ConfigDict(frozen=True)

    learned_from: int
    until: date
    learned: Right
    words: Right
    certain: tuple[int, int]
    steps: tuple[Step, ...]
    topics: dict[str, Right]


def learn(told: Sequence[Told], topics: Mapping[str, Topic], how: Suggesting, *, until: date) -> tuple[Model, Judged]:
    """A model of `told`, oldest first, and how well one of the earlier part does on the later. Raises `TooFew`."""
    known = [(text, topic) for text, topic in told if text.strip() and topic in topics][-how.most :]
    if len(known) < how.fewest or len({topic for _, topic in known}) < 2:
        raise TooFew(
            f"要学习，至少需要 {how.fewest} 件写了情况、分属两类以上的办结事项；现有 {len(known)} 件。",
            f"Learning takes at least {how.fewest} closed cases with words, of two topics or more; there are"
            f" {len(known)}.",
        )
    cut = max(1, round(len(known) * (1 - how.judged)))
    earlier = fitted([*_declared(topics), *known[:cut]], topics)
    return fitted([*_declared(topics), *known], topics), _judged(earlier, known[cut:], len(known), topics, how, until)


def _declared(topics: Mapping[str, Topic]) -> list[Told]:
    """What the files themselves say of each topic."""
    return [
        (text, key)
        for key, topic in topics.items()
        for text in (topic.title.zh, topic.title.en, *topic.words.zh, *topic.words.en, *topic.examples)
    ]


def fitted(told: Sequence[Told], topics: Mapping[str, Topic]) -> Model:
    """The weights that fit these best."""
    table = DictVectorizer()
    rows = table.fit_transform([features(topics, text) for text, _ in told])
    fit = LogisticRegression(C=_LOOSE, max_iter=300)
    with warnings.catch_warnings():
        # It stops after so many rounds where it is near enough.
        warnings.simplefilter("ignore", ConvergenceWarning)
        fit.fit(rows, [topic for _, topic in told])
    weights, start = fit.coef_, fit.intercept_
    if len(fit.classes_) == 2:
        # Of two only the second's are kept.
        weights, start = [-weights[0], weights[0]], [-start[0], start[0]]
    names = table.get_feature_names_out()
    columns = zip(*([round(float(x), 4) for x in row] for row in weights), strict=True)
    kept = {str(name): column for name, column in zip(names, columns, strict=True) if max(map(abs, column)) > _SMALL}
    return Model(tuple(map(str, fit.classes_)), tuple(round(float(x), 4) for x in start), kept)


# ---------------------------------------------------------------- how good it is


def _judged(
    model: Model, later: Sequence[Told], among: int, topics: Mapping[str, Topic], how: Suggesting, until: date
) -> Judged:
    everything = how.model_copy(update={"least": 0.0})
    said = [([(each.topic, each.confidence) for each in suggest(topics, text, everything, model)], topic)
            for text, topic in later]  # fmt: skip
    words = [([(each.topic, each.confidence) for each in suggest(topics, text, everything)], topic)
             for text, topic in later]  # fmt: skip
    firsts = [(found[0][1], found[0][0] == topic) for found, topic in said if found]
    sure = [right for confidence, right in firsts if confidence >= how.certain]
    return Judged(
        learned_from=among, until=until, learned=_right(said), words=_right(words), certain=(len(sure), sum(sure)),
        steps=_steps(firsts), topics={
            key: _right([each for each in said if each[1] == key]) for key in sorted({topic for _, topic in later})
        },
    )  # fmt: skip


_Said = tuple[list[tuple[str, float]], str]


def _right(said: Sequence[_Said]) -> Right:
    return Right(
        reports=len(said),
        first=sum(bool(found) and found[0][0] == topic for found, topic in said),
        shown=sum(topic in {key for key, _ in found} for found, topic in said),
    )


def _steps(firsts: Sequence[tuple[float, bool]]) -> tuple[Step, ...]:
    many: Counter[int] = Counter()
    right: Counter[int] = Counter()
    for confidence, is_right in firsts:
        step = min(_STEPS - 1, int(confidence * _STEPS))
        many[step] += 1
        right[step] += is_right
    return tuple(Step(low=step / _STEPS, reports=many[step], right=right[step]) for step in sorted(many))


def say(judged: Judged) -> Text:
    """One line on how good it is."""
    whole = max(1, judged.learned.reports)
    first, shown, words = judged.learned.first / whole, judged.learned.shown / whole, judged.words.first / whole
    return Text(
        zh=f"学自 {judged.learned_from} 件；用最近 {whole} 件检验：首选对 {first:.0%}，前几名里有对的 {shown:.0%}"
        f"（只按登记的说法，首选对 {words:.0%}）",
        en=f"learned from {judged.learned_from} cases; on the latest {whole}: first right {first:.0%}, among those"
        f" shown {shown:.0%} (declared words alone: first right {words:.0%})",
    )
