"""The vocabulary of a channel: how messages of one source are read. One file a channel, in a folder `channels`."""

from __future__ import annotations

import codecs
import string
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from anlan.intake import wire
from anlan.intake.topic import TOPICS
from anlan.intake.wire import REST, Webhook
from anlan.kernel.catalogue import Basis, Catalogue, Declaration, Kind
from anlan.kernel.refusals import Misdeclared, unknown
from anlan.kernel.text import Text

CellKind = Literal[
    "text", "date", "datetime", "number", "lon", "lat", "area_code", "topic", "choice", "phone", "period", "site_kind"
]
OnBad = Literal["quarantine", "blank", "default"]

# The fields of a report that a column can fill, with the kinds that fit. Any other field is kept as a typed value.
FIELDS: dict[str, tuple[CellKind, ...]] = {
    "told_at": ("date", "datetime"),
    "topic": ("topic",),
    "description": ("text",),
    "address": ("text",),
    "area": ("area_code",),
    "site": ("text",),
    "lon": ("lon",),
    "lat": ("lat",),
}


def _one_or_many(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_one_or_many, json_schema_input_type=str | tuple[str, ...])]


class Part(BaseModel):
    """A piece of a channel's file."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Column(Part):
    """How one field is read: from which column (the first of the names that the message has), and what a cell may say.

    `map` turns what is written into what is meant before anything else; `default` stands in for a blank cell, and for a
    bad one when `on_bad` is "default"; `code` shapes an area code ("1714000{value:0>2}"); `personal` moves the cell out
    of the report into the erasable store. `unit` is the key of the unit a number is kept in, whatever unit its cell
    names. A row of which the cell says one of `leave_out` is not taken at all: it is over and done with.
    """

    names: Names = Field(alias="from", min_length=1)
    kind: CellKind = "text"
    required: bool = False
    personal: bool = False
    map: dict[str, str] = {}
    choices: tuple[str, ...] = ()
    default: str = ""
    on_bad: OnBad = "quarantine"
    formats: tuple[str, ...] = ()
    code: str = "{value}"
    unit: str = ""
    leave_out: tuple[str, ...] = ()

    @field_validator("code")
    @classmethod
    def _shapes_a_value(cls, code: str) -> str:
        try:
            code.format(value="1")
        except (KeyError, IndexError, ValueError) as error:
            raise Misdeclared(f"只能用 {{value}}：{error}", f"only {{value}} may stand in it: {error}") from None
        if not any(name == "value" for _, name, _, _ in string.Formatter().parse(code)):
            raise Misdeclared("要含有 {value}", "must contain {value}")
        return code

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if self.kind == "choice" and not self.choices:
            raise Misdeclared("choice 需要列出 choices", "a choice lists its choices")
        if self.choices and self.kind != "choice":
            raise Misdeclared("choices 只用于 choice", "choices belong to the kind choice")
        if self.required and self.on_bad != "quarantine" and not self.default:
            raise Misdeclared(
                "必填的列要么隔离，要么给出 default", "a required column quarantines what is bad or has a default"
            )
        if self.unit and self.kind != "number":
            raise Misdeclared("unit 只用于 number", "unit belongs to the kind number")
        strays = sorted(set(self.map.values()) - set(self.choices)) if self.choices else []
        if strays:
            raise Misdeclared("map 的结果不在 choices 里", f"map leads out of the choices: {', '.join(strays)}")
        return self


class Rule(Part):
    """What the replay does with a message whose values are `when`: `act`, at the moment in `at` ("" = at opening).

    With `merge` the earlier open case at the same place is looked for and `act` used with it; `otherwise` is the act
    when there is none.
    """

    when: dict[str, str] = Field(min_length=1)
    act: str
    at: str = ""
    merge: bool = False
    otherwise: str = ""


class Replay(Part):
    """How the history in an old ledger is played again: opened at the moment in `opened`, then the first fitting rule.

    `same` is the field by which two messages are about one place.
    """

    opened: str = "told_at"
    same: str = "address"
    rules: tuple[Rule, ...] = ()


class Limit(Part):
    """At most `most` times `what` by one device, or from one network address, within so many minutes.

    By "recipient": to one address that is to be written to.
    """

    what: Literal["report", "near", "guess", "answer", "watch"]
    by: Literal["device", "address", "recipient"]
    most: int = Field(ge=1)
    minutes: int = Field(ge=1, le=1440)


class Public(Part):
    """What anybody may send without an account, and how often.

    `body_mb` is the largest message with its photos; `topics` are offered first, in this order; open cases within
    `near_metres` are shown before sending; `urgent` says where to turn when it cannot wait.
    """

    photos: int = Field(default=3, ge=0, le=12)
    body_mb: int = Field(default=24, ge=1, le=100)
    near_metres: int = Field(default=150, ge=1, le=2000)
    topics: tuple[str, ...] = ()
    urgent: Text | None = None
    limits: tuple[Limit, ...] = Field(min_length=1)


class Example(Part):
    """A message and what must be understood of it; run as a test. `body` is the JSON that a webhook's message comes in,
    the first one of a list."""

    message: dict[str, str] = {}
    body: str = ""
    gives: dict[str, str] = {}
    refused: bool = False


class Channel(Declaration):
    """One source of reports.

    `encodings` are tried in order, strictly. `message_id` is a template over the message's own columns; where it gives
    nothing, the message's digest is its id. `town` names the town whose areas the codes
    belong to ("" = the only one). `action` is what an officer must be allowed in order to use the channel; one of kind
    "public" is open to everybody, on its own page alone, within what `public` says; to one of kind "webhook" other
    systems post signed JSON, and its columns are paths (see `wire`).

    A point that no area holds goes to the nearest within `nearest_m` metres (0 = never): as far as points of this
    source may be wrong. When nothing came for `quiet_hours` (0 = that is nothing unusual) its door is shown as
    silent. With `topic_from_words` a message that names no topic takes the one its words suggest, where
    that is certain (`suggesting`). A site that an address seems to mean is named in a note from `site_confidence` on.

    With `same_by` "values" two messages are the same when what they say is, however it is written (2026年11月2日 or
    2026-11-02); else when every cell is. `residents` says that residents tell through it, as they do through a public
    one, whatever system passes it on. `basis` says where the columns of an official table are from.
    """

    title: Text
    summary: Text | None = None
    kind: Literal["form", "api", "sheet", "public", "device", "webhook"]
    town: str = ""
    action: str = "reports.receive"
    time_zone: str
    coordinate_system: Literal["wgs84", "gcj02", "bd09"] = "wgs84"
    quiet_hours: int = Field(default=0, ge=0)
    nearest_m: float = Field(default=50, ge=0, le=1000)
    site_confidence: float = Field(default=0.6, gt=0, le=1)
    encodings: tuple[str, ...] = ("utf-8-sig", "gb18030")
    message_id: str = ""
    topic_default: str = ""
    topic_from_words: bool = False
    area_default: str = ""
    personal_days: int = Field(default=1095, ge=1)
    same_by: Literal["cells", "values"] = "cells"
    residents: bool = False
    basis: Basis | None = None
    columns: dict[str, Column] = Field(min_length=1)
    replay: Replay | None = None
    public: Public | None = None
    webhook: Webhook | None = None
    examples: tuple[Example, ...] = ()

    @property
    def of_residents(self) -> bool:
        """Whether what comes through it is told by residents."""
        return self.residents or self.kind == "public"

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise Misdeclared(f"没有时区「{name}」", f"there is no time zone “{name}”") from None
        return name

    @field_validator("encodings")
    @classmethod
    def _are_encodings(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            try:
                codecs.lookup(name)
            except LookupError:
                raise Misdeclared(f"没有编码「{name}」", f"there is no encoding “{name}”") from None
        return names

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        wrong = [*_misfits(self.columns), *_unknown_places(self)]
        if (self.kind == "public") != (self.public is not None):
            wrong.append(
                Text(zh='[public] 与 kind = "public" 要一起写', en='[public] and kind = "public" come together')
            )
        wrong += _unwired(self)
        if wrong:
            raise Misdeclared("；".join(text.zh for text in wrong), "; ".join(text.en for text in wrong))
        return self


def _unwired(channel: Channel) -> Iterator[Text]:
    """What is wrong with a webhook's paths: besides, nothing of a message may be lost, nor shown unread."""
    if (channel.kind == "webhook") != (channel.webhook is not None):
        yield Text(zh='[webhook] 与 kind = "webhook" 要一起写', en='[webhook] and kind = "webhook" come together')
    if channel.webhook is None:
        return
    yield from wire.wrong_paths((field, name) for field, column in channel.columns.items() for name in column.names)
    rest = [column for column in channel.columns.values() if REST in column.names]
    if not rest or not all(column.personal for column in rest):
        yield Text(
            zh='columns：要有一列 from = "*"、personal = true，没有声明的内容才不会丢，也不会被人看到',
            en='columns: one must be from = "*" with personal = true, so that what is not declared is neither lost nor '
            "shown",
        )


def told_in(channel: Channel, example: Example) -> dict[str, str]:
    """The cells of an example's message. Raises `wire.Unparsed`."""
    if channel.webhook is None or not example.body:
        return example.message
    return wire.messages(channel.webhook, paths(channel), wire.parse(example.body.encode()))[0]


def paths(channel: Channel) -> tuple[str, ...]:
    """Every name from which a column is read."""
    return tuple(name for column in channel.columns.values() for name in column.names)


def _misfits(columns: dict[str, Column]) -> Iterator[Text]:
    for field, column in columns.items():
        fitting = FIELDS.get(field)
        if fitting and column.kind not in fitting:
            yield Text(
                zh=f"columns.{field}：kind 应为 {' 或 '.join(fitting)}",
                en=f"columns.{field}: must be of kind {' or '.join(fitting)}",
            )
    if ("lon" in columns) != ("lat" in columns):
        yield Text(zh="columns：lon 与 lat 要一起写", en="columns: lon and lat come together")


def message_id_fields(channel: Channel) -> tuple[str, ...]:
    """The message's own column names that its id is made of."""
    return tuple(name for _, name, _, _ in string.Formatter().parse(channel.message_id) if name)


def _unknown_places(channel: Channel) -> Iterator[Text]:
    named = {name for column in channel.columns.values() for name in column.names}
    for name in message_id_fields(channel):
        if name not in named:
            yield Text(zh=f"message_id：没有列「{name}」", en=f"message_id: no column is read from “{name}”")
    if channel.replay is None:
        return
    for where, field in _replay_fields(channel.replay):
        if field not in channel.columns:
            yield Text(
                zh=f"replay.{where}：columns 里没有「{field}」",
                en=f"replay.{where}: there is no field “{field}” in columns",
            )


def _replay_fields(replay: Replay) -> Iterator[tuple[str, str]]:
    yield "opened", replay.opened
    yield "same", replay.same
    for number, rule in enumerate(replay.rules):
        if rule.at:
            yield f"rules[{number}].at", rule.at
        for field in rule.when:
            yield f"rules[{number}].when", field


CHANNELS = Kind("channels", Channel)


def strangers(channel: Channel, catalogue: Catalogue) -> Iterator[tuple[str, Text]]:
    """The topics this channel speaks of that nobody declares, each with the field that names it."""
    topics = catalogue.all(TOPICS)
    named = {"topic_default": [channel.topic_default]}
    if channel.public is not None:
        named["public.topics"] = list(channel.public.topics)
    for field, column in channel.columns.items():
        if column.kind == "topic":
            named[f"columns.{field}.map"] = list(column.map.values())
            named[f"columns.{field}.default"] = [column.default]
    for where, keys in named.items():
        for key in keys:
            if key and key not in topics:
                yield where, unknown("类别", "topic", key, topics)
