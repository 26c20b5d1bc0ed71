"""是不是同一件事: how likely two things told are one thing, and why; from place, time, topic, words and photos. Pure.

The likelihood is logistic: what the features weigh is added up and brought between 0 and 1. The weights are declared,
one file in a folder `likeness`, which a pack overrides by key; a town may learn its own from what it merged, see
`learning`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from math import cos, exp, hypot, radians
from types import MappingProxyType
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from anlan.intake.topic import Topic, lineage
from anlan.kernel import catalogue
from anlan.kernel.catalogue import Declaration, Kind
from anlan.kernel.refusals import unknown
from anlan.kernel.text import Text

IN_USE: Final = "same_thing"
"""The key of the file that is asked; a pack that declares it again overrides it."""

_DAY: Final = 86_400.0
_METRES_A_DEGREE: Final = 111_195.0
# The same words farther apart than this are two places: every second village has a “村口” or a Main Street.
_ONE_ADDRESS: Final = 1000.0
# Photos that differ in more of their 64 bits than this have nothing to do with each other.
_PHOTO_BITS: Final = 16
_HAN: Final = "\u3400-\u9fff"
_BESIDE_HAN: Final = re.compile(rf"(?<=[{_HAN}])\s+|\s+(?=[{_HAN}])")
_NO_TOPICS: Final[Mapping[str, Topic]] = MappingProxyType({})
_RUNS: Final = re.compile(rf"[{_HAN}]+|[^\W_{_HAN}]+")

Place = Literal["site", "address", "other", ""]
Kinship = Literal["same", "kin", "other"]


class Weights(BaseModel):
    """What each feature adds. What brings things together cannot weigh less than nothing, nor what parts them more."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: float
    same_place: float = Field(ge=0)
    other_place: float = Field(le=0)
    near: float = Field(ge=0)
    day: float = Field(le=0)
    late: float = Field(le=0)
    closed: float = Field(le=0)
    closed_day: float = Field(le=0)
    same_topic: float = Field(ge=0)
    kin_topic: float = Field(ge=0)
    words: float = Field(ge=0)
    photo: float = Field(ge=0)


CLOSED_SINCE: Final = Text(zh="上报时仍在办理，现已办结", en="still open when told and closed since")
SAME: Final = ("site", "address")
NAMES: Final = tuple(Weights.model_fields)
"""The features, in the order of `numbers`."""


class Compared(BaseModel):
    """What two things told have in common. `place`: the same site or address, two that differ, or "" where not both are
    known. `metres` None: not both have a point. `closed_days` None: the earlier one is still open. `photo`: in how many
    of 64 bits their likest photos differ, None when not both have one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    place: Place = ""
    metres: float | None = Field(default=None, ge=0)
    days: float = Field(default=0.0, ge=0)
    closed_days: float | None = Field(default=None, ge=0)
    topic: Kinship = "other"
    words: float = Field(default=0.0, ge=0, le=1)
    photo: int | None = Field(default=None, ge=0, le=64)


class Example(Compared):
    """Two things and whether they must be found likely; run as a test."""

    likely: bool


class Learned(BaseModel):
    """From how many pairs the weights were learned, and how many of those were one thing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pairs: int = Field(ge=0)
    same: int = Field(ge=0)
    until: date


class Likeness(Declaration):
    """When two things told are likely one. Looked at are those of the same place or within `metres`, told within
    `within_days`, that are open or were closed within `closed_days`; a day after `fresh_days` it is late.
    """

    title: Text
    summary: Text | None = None
    threshold: float = Field(gt=0, lt=1)
    metres: float = Field(gt=0, le=1000)
    fresh_days: float = Field(ge=0)
    within_days: float = Field(gt=0, le=400)
    closed_days: float = Field(ge=0, le=60)
    weights: Weights
    learned: Learned | None = None
    examples: tuple[Example, ...] = ()


LIKENESS = Kind("likeness", Likeness)


@dataclass(frozen=True, slots=True)
class Told:
    """A report, or the earlier thing it may be about; `photos` are prints (`photo_print.of`)."""

    at: datetime
    site: int | None = None
    address: str = ""
    lon: float | None = None
    lat: float | None = None
    topic: str = ""
    text: str = ""
    photos: tuple[int, ...] = ()
    closed_at: datetime | None = None


def in_use() -> Likeness:
    """The declaration that is asked in this process."""
    return catalogue.current().get(LIKENESS, IN_USE)


def compare(report: Told, earlier: Told, topics: Mapping[str, Topic]) -> Compared:
    """What a report has in common with something earlier, as it stands at the moment of the report."""
    apart = metres(report, earlier)
    shut = earlier.closed_at is not None and earlier.closed_at <= report.at
    return Compared(
        place=_place(report, earlier, apart),
        metres=apart,
        days=abs((report.at - earlier.at).total_seconds()) / _DAY,
        closed_days=(report.at - earlier.closed_at).total_seconds() / _DAY if shut and earlier.closed_at else None,
        topic=_topic(report.topic, earlier.topic, topics),
        words=words(report.text, earlier.text),
        photo=min(((a ^ b).bit_count() for a in report.photos for b in earlier.photos), default=None),
    )


def numbers(found: Compared, likeness: Likeness) -> tuple[float, ...]:
    """The features of `NAMES`; the first is always 1."""
    same = found.place in SAME
    near = max(0.0, 1 - found.metres / likeness.metres) if found.metres is not None else 0.0
    return (
        1.0,
        float(same),
        float(found.place == "other"),
        1.0 if same else near,
        min(found.days, likeness.fresh_days),
        min(1.0, max(0.0, found.days - likeness.fresh_days)),
        float(found.closed_days is not None),
        min(found.closed_days or 0.0, likeness.closed_days),
        float(found.topic == "same"),
        float(found.topic == "kin"),
        found.words,
        max(0.0, 1 - found.photo / _PHOTO_BITS) if found.photo is not None else 0.0,
    )


def score(found: Compared, likeness: Likeness) -> float:
    """How likely the two are one thing: from 0 to 1."""
    return chance(numbers(found, likeness), weighed(likeness.weights))


def weighed(weights: Weights) -> tuple[float, ...]:
    """The weights in the order of `NAMES`."""
    return tuple(getattr(weights, name) for name in NAMES)


def chance(features: Sequence[float], weights: Sequence[float]) -> float:
    """The logistic function of what the features weigh together."""
    total = sum(feature * weight for feature, weight in zip(features, weights, strict=True))
    return 1 / (1 + exp(-total)) if total >= 0 else exp(total) / (1 + exp(total))


@dataclass(frozen=True, slots=True)
class Likely:
    """One of several earlier things: its place among them, how likely it is the same, and what they have in common."""

    place: int
    score: float
    found: Compared


def rank(
    report: Told, earlier: Sequence[Told], likeness: Likeness, topics: Mapping[str, Topic] = _NO_TOPICS
) -> list[Likely]:
    """Those that are near enough in place and time to be looked at, the likeliest first, of equals the latest told."""
    compared = ((place, compare(report, told, topics)) for place, told in enumerate(earlier))
    likely = [Likely(place, score(found, likeness), found) for place, found in compared if within(found, likeness)]
    return sorted(likely, key=lambda each: (-each.score, each.found.days, -each.place))


def within(found: Compared, likeness: Likeness) -> bool:
    """Whether the declaration looks at such a pair at all."""
    here = found.place in SAME or (found.metres is not None and found.metres <= likeness.metres)
    lately = found.closed_days is None or found.closed_days <= likeness.closed_days
    return here and lately and found.days <= likeness.within_days


def say(found: Compared, *, closed_since: bool = False) -> Text:
    """Why: “同一地址，1 天前，仍在办理 / same address, 1 day apart, still open”.

    `closed_since`: what was open when the report was told is closed by now.
    """
    parts = list(_reasons(found, closed_since))
    return Text(zh="，".join(part.zh for part in parts), en=", ".join(part.en for part in parts))


def strangers(declared: Likeness) -> Iterator[tuple[str, Text]]:
    """A key that nobody asks for, and the examples that come out otherwise than they say."""
    if declared.key != IN_USE:
        yield "key", unknown("相似判断", "likeness", declared.key, [IN_USE])
    for number, example in enumerate(declared.examples):
        given = score(example, declared)
        if (given >= declared.threshold) != example.likely:
            yield (
                f"examples[{number}]",
                Text(
                    zh=f"算得 {given:.2f}，界限是 {declared.threshold:.2f}，与示例的 likely 不符。",
                    en=f"It scores {given:.2f} against a threshold of {declared.threshold:.2f}: not as `likely` says.",
                ),
            )


# ---------------------------------------------------------------- place, time, topic, words


def metres(a: Told, b: Told) -> float | None:
    """How far apart the two points are; None when not both have one."""
    if a.lon is None or a.lat is None or b.lon is None or b.lat is None:
        return None
    east = ((a.lon - b.lon + 180) % 360 - 180) * cos(radians((a.lat + b.lat) / 2))
    return hypot(east, a.lat - b.lat) * _METRES_A_DEGREE


@lru_cache(maxsize=8192)
def plain_address(address: str) -> str:
    """An address without what people write differently: width, case, spaces, a full stop at the end."""
    folded = unicodedata.normalize("NFKC", address).casefold()
    return _BESIDE_HAN.sub("", " ".join(folded.split())).strip(" ,.;。、")


@lru_cache(maxsize=8192)
def grams(text: str) -> frozenset[str]:
    """The pairs of Chinese characters and the threes of letters (a blank at either end of a word) in a text."""
    found: set[str] = set()
    for run in _RUNS.findall(unicodedata.normalize("NFKC", text).casefold()):
        han = "\u3400" <= run[0] <= "\u9fff"
        whole, size = (run, 2) if han else (f" {run} ", 3)
        found.update(whole[at : at + size] for at in range(max(1, len(whole) - size + 1)))
    return frozenset(found)


def words(a: str, b: str) -> float:
    """How much of two texts is the same: twice the shared grams over all of them; 0 when one says nothing."""
    one, two = grams(a), grams(b)
    return 2 * len(one & two) / (len(one) + len(two)) if one and two else 0.0


def _place(a: Told, b: Told, apart: float | None) -> Place:
    if a.site is not None and b.site is not None:
        return "site" if a.site == b.site else "other"
    one, two = plain_address(a.address), plain_address(b.address)
    if not one or not two:
        return ""
    return "address" if one == two and (apart or 0.0) <= _ONE_ADDRESS else "other"


def _topic(a: str, b: str, topics: Mapping[str, Topic]) -> Kinship:
    if not a or not b:
        return "other"
    if a == b:
        return "same"
    return "kin" if a in lineage(topics, b) or b in lineage(topics, a) else "other"


# ---------------------------------------------------------------- why


def _reasons(found: Compared, closed_since: bool) -> Iterator[Text]:
    if found.place == "site":
        yield Text(zh="同一场所", en="same site")
    elif found.place == "address":
        yield Text(zh="同一地址", en="same address")
    elif found.metres is not None:
        yield Text(zh=f"相距 {found.metres:.0f} 米", en=f"{found.metres:.0f} m away")
    yield _days(found.days)
    yield CLOSED_SINCE if closed_since and found.closed_days is None else _standing(found.closed_days)
    if found.topic != "other":
        same = found.topic == "same"
        yield Text(zh="类别相同" if same else "类别相近", en="same topic" if same else "related topic")
    if found.words >= 0.5:
        yield Text(zh="说法相近", en="similar words")
    if found.photo is not None and found.photo <= _PHOTO_BITS // 2:
        yield Text(zh="照片相似", en="similar photo")


def _days(days: float) -> Text:
    if days < 1:
        return Text(zh="相隔不到 1 天", en="less than a day apart")
    whole = int(days)
    return Text(zh=f"{whole} 天前", en=f"{whole} day{'s' if whole > 1 else ''} apart")


def _standing(closed_days: float | None) -> Text:
    if closed_days is None:
        return Text(zh="仍在办理", en="still open")
    if closed_days < 1:
        return Text(zh="刚刚办结", en="just closed")
    whole = int(closed_days)
    return Text(zh=f"已办结 {whole} 天", en=f"closed {whole} day{'s' if whole > 1 else ''} ago")
