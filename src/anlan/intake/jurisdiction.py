"""The vocabulary of a jurisdiction of Open311: what it takes in and shows. One file each, in a folder `open311`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from anlan.intake.channel import CHANNELS
from anlan.intake.topic import TOPICS, Topic
from anlan.kernel import catalogue
from anlan.kernel.catalogue import Catalogue, Declaration, Kind
from anlan.kernel.refusals import unknown
from anlan.kernel.text import Text


class Jurisdiction(Declaration):
    """One jurisdiction of the Open311 interface.

    `jurisdiction_id` is its name on the wire; "" answers to any, and stands alone. `channel` is the one by which
    reports come in, and whose reports are shown whole. Those of `also_shows` are shown, too, but without a word of what
    was told and with a place no finer than a village: their reporters did not write for everybody. `area` (a code)
    narrows what is shown ("" = all). `topics` are offered ("" = all but the sensitive ones). `answers`: a report is
    answered with its number at once, or with a token by which it is asked for.
    """

    title: Text
    jurisdiction_id: str = Field(default="", pattern=r"^[A-Za-z0-9._-]{0,80}$")
    channel: str
    also_shows: tuple[str, ...] = ()
    area: str = ""
    topics: tuple[str, ...] = ()
    answers: Literal["number", "token"] = "number"
    type: Literal["production", "test"] = "production"
    language: Literal["zh", "en"] = "zh"
    contact: Text
    key_service: Text
    notice: Text | None = None
    photos: int = Field(default=6, ge=0, le=12)
    body_mb: int = Field(default=40, ge=1, le=100)

    def offers(self, topics: dict[str, Topic]) -> dict[str, Topic]:
        """The topics that can be reported here, by key, in their order."""
        wanted = self.topics or tuple(sorted(topics))
        return {key: topics[key] for key in wanted if key in topics and not topics[key].sensitive}

    @property
    def shows(self) -> tuple[str, ...]:
        """The channels whose reports are shown."""
        return (self.channel, *self.also_shows)


JURISDICTIONS = Kind("open311", Jurisdiction)


def every() -> dict[str, Jurisdiction]:
    """Every declared jurisdiction by key."""
    return catalogue.current().all(JURISDICTIONS)


def strangers(declared: Jurisdiction, known: Catalogue) -> Iterator[tuple[str, Text]]:
    """What this jurisdiction names that nobody declares, or that cannot be told from another one."""
    channels, topics = known.all(CHANNELS), known.all(TOPICS)
    for where, keys, there in (
        ("channel", [declared.channel], channels),
        ("also_shows", list(declared.also_shows), channels),
        ("topics", list(declared.topics), topics),
    ):
        words = ("渠道", "channel") if there is channels else ("类别", "topic")
        for key in keys:
            if key not in there:
                yield where, unknown(*words, key, there)
    for key in declared.topics:
        if key in topics and topics[key].sensitive:
            yield "topics", SENSITIVE.format(key=key)
    others = [each for each in known.all(JURISDICTIONS).values() if each.key != declared.key]
    if any(each.jurisdiction_id == declared.jurisdiction_id for each in others) or (
        others and not declared.jurisdiction_id
    ):
        yield "jurisdiction_id", NOT_TOLD_APART


SENSITIVE = Text(
    zh="“{key}”是敏感类别，不能对外公开。", en="“{key}” is a sensitive topic and is not shown to everybody."
)
NOT_TOLD_APART = Text(
    zh="有几个辖区时，每个都要有自己的 jurisdiction_id。",
    en="Where there are several, each has a jurisdiction_id of its own.",
)
