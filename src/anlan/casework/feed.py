"""The vocabulary of a feed: what happens to cases that another system is told, in that system's own words.

One file a feed, in a folder `feeds`. A template names fields from a short list and nothing else: what a reporter said,
who they are and where they live cannot be sent, whatever a file says.
"""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from anlan.intake.channel import CHANNELS
from anlan.intake.topic import TOPICS
from anlan.kernel.catalogue import Catalogue, Declaration, Kind
from anlan.kernel.refusals import Misdeclared, unknown
from anlan.kernel.text import Text

HAPPENINGS: Final[dict[str, Text]] = {
    "opened": Text(zh="立案", en="Opened"),
    "dispatched": Text(zh="派遣", en="Dispatched"),
    "returned": Text(zh="退回", en="Returned"),
    "hung": Text(zh="挂账", en="Hung"),
    "handled": Text(zh="处置完成或已答复", en="Handled or answered"),
    "reworked": Text(zh="返工", en="Sent back to be done again"),
    "overdue": Text(zh="超期", en="Overdue"),
    "closed": Text(zh="办结", en="Closed"),
}
"""What a feed may tell of."""

FIELDS: Final[dict[str, Text]] = {
    "event": Text(zh="发生了什么", en="What happened"),
    "event_id": Text(zh="这件事的编号", en="The number of what happened"),
    "at": Text(zh="何时发生", en="When it happened"),
    "number": Text(zh="事项编号", en="The case's number"),
    "order": Text(zh="来件方的单号", en="The number under which its channel sent it"),
    "channel": Text(zh="渠道", en="Channel"),
    "procedure": Text(zh="流程", en="Procedure"),
    "step": Text(zh="步骤", en="Step"),
    "step_zh": Text(zh="步骤名称", en="The step in Chinese"),
    "step_en": Text(zh="步骤英文名", en="The step in English"),
    "outcome": Text(zh="结果", en="Outcome"),
    "topic": Text(zh="类别", en="Topic"),
    "topic_zh": Text(zh="类别名称", en="The topic in Chinese"),
    "topic_en": Text(zh="类别英文名", en="The topic in English"),
    "area": Text(zh="辖区编码", en="The area's code"),
    "area_zh": Text(zh="辖区名称", en="The area in Chinese"),
    "area_en": Text(zh="辖区英文名", en="The area in English"),
    "department": Text(zh="主办部门", en="The lead department's key"),
    "department_zh": Text(zh="主办部门名称", en="The lead department in Chinese"),
    "department_en": Text(zh="主办部门英文名", en="The lead department in English"),
    "said": Text(zh="对外答复的话", en="What is answered in public"),
    "opened_at": Text(zh="立案时间", en="Opened at"),
    "due_at": Text(zh="到期时间", en="Due at"),
    "closed_at": Text(zh="办结时间", en="Closed at"),
    "reports": Text(zh="上报数", en="Number of reports"),
}
"""Every field that may be sent."""

MOMENTS: Final = ("at", "opened_at", "due_at", "closed_at")


class Retry(BaseModel):
    """How long to wait after each failure in turn (the last for ever after), and when to give up."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    minutes: tuple[float, ...] = Field(default=(1, 2, 5, 15, 30, 60), min_length=1)
    give_up_hours: float = Field(default=72, gt=0, le=24 * 90)

    @model_validator(mode="after")
    def _waits(self) -> Self:
        if any(not 0 < each <= 1440 for each in self.minutes):
            raise Misdeclared("minutes 要在 0 与 1440 之间", "minutes lie between 0 and 1440")
        return self


class Feed(Declaration):
    """What is told: `happenings` of cases of these `topics` (with narrower ones), `channels` and `areas` (codes); an
    empty list is all of them.

    `body` is the JSON to send; "{field}" in it is filled in. "{field}" alone keeps its type.
    """

    title: Text
    summary: Text | None = None
    happenings: tuple[str, ...] = Field(min_length=1)
    topics: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    body: dict[str, Any]
    retry: Retry = Retry()

    @model_validator(mode="after")
    def _says_what_may_be_said(self) -> Self:
        for each in self.happenings:
            if each not in HAPPENINGS:
                raise Misdeclared(
                    f"happenings：没有“{each}”，只有 {'、'.join(HAPPENINGS)}",
                    f"happenings: there is no “{each}”; there are {', '.join(HAPPENINGS)}",
                )
        for name in _names(self.body):
            if name not in FIELDS:
                raise Misdeclared(
                    f"body：不能发送“{name}”，只能用 {'、'.join(FIELDS)}",
                    f"body: “{name}” cannot be sent; there are {', '.join(FIELDS)}",
                )
        return self


FEEDS = Kind("feeds", Feed)


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        try:
            parsed = list(string.Formatter().parse(value))
        except ValueError:
            raise Misdeclared(f"body：看不懂“{value}”", f"body: “{value}” is not a template") from None
        for _, name, spec, conversion in parsed:
            if name is not None:
                yield name if not spec and not conversion else f"{name}{conversion or ''}:{spec}"
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _names(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _names(inner)


def filled(value: Any, fields: Mapping[str, Any]) -> Any:
    """The template with its fields filled in."""
    if isinstance(value, str):
        if value[:1] == "{" and value[-1:] == "}" and value[1:-1] in fields:
            return fields[value[1:-1]]
        return value.format(**{name: "" if each is None else each for name, each in fields.items()})
    if isinstance(value, Mapping):
        return {key: filled(inner, fields) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [filled(inner, fields) for inner in value]
    return value


def strangers(feed: Feed, catalogue: Catalogue) -> Iterator[tuple[str, Text]]:
    """What it names that nobody declares: channels and topics."""
    channels, topics = catalogue.all(CHANNELS), catalogue.all(TOPICS)
    for channel in feed.channels:
        if channel not in channels:
            yield "channels", unknown("渠道", "channel", channel, channels)
    for topic in feed.topics:
        if topic not in topics:
            yield "topics", unknown("类别", "topic", topic, topics)
