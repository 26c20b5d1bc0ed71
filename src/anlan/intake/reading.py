"""What a message says, read by its channel's declaration. Pure: no database, no clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from anlan.intake import message as messages
from anlan.intake import topic
from anlan.intake.channel import Channel, Column, message_id_fields
from anlan.intake.files import cells
from anlan.intake.files.cells import Unreadable
from anlan.intake.files.sheets import SURPLUS
from anlan.intake.files.unit import UNITS, quantity
from anlan.intake.topic import TOPICS
from anlan.kernel import catalogue
from anlan.kernel.coordinates import to_wgs84
from anlan.kernel.text import Text
from anlan.places.site_kind import all_kinds

_SHOWN = 40
_LONGEST_CELL = 20_000
_LONGEST_ADDRESS = 200
_LONGEST_ID = 120
# Clocks of other systems run a little ahead of ours.
_AHEAD = timedelta(minutes=15)
_REMEMBERED = 4096
_NOTHING: Mapping[str, Any] = MappingProxyType({})

_ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!"})

Parse = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a cell cannot be taken: the report's field, the column as the sender calls it, and a sentence."""

    field: str
    column: str
    text: Text

    def as_data(self) -> dict[str, str]:
        """The reason as it is stored."""
        return {"field": self.field, "column": self.column, "zh": self.text.zh, "en": self.text.en}


@dataclass(frozen=True, slots=True)
class Unclear:
    """A message that cannot be taken as it is, with every reason at once."""

    reasons: tuple[Reason, ...]


class Understood(NamedTuple):
    """What a message says. `lon`, `lat` in WGS-84 degrees or None together; `message_id` "" = it has no number;
    `area_told` is the area as the cell has it.

    `values` has every declared field, typed by its kind (moments in UTC), the report's own among them; `notes` say what
    was set aside to take it.
    """

    message_id: str
    told_at: datetime
    topic: str = ""
    description: str = ""
    address: str = ""
    area_code: str = ""
    area_told: str = ""
    site_code: str = ""
    lon: float | None = None
    lat: float | None = None
    notes: tuple[Text, ...] = ()
    values: Mapping[str, Any] = _NOTHING


def understand(
    channel: Channel, message: Mapping[str, str], *, at: datetime, row_no: int | None = None
) -> Understood | Unclear:
    """What `message`, received at `at`, says to `channel`. The bulk path keeps the `Reader` instead."""
    return Reader(channel, tuple(message)).read(message, at=at, row_no=row_no)


class Reader:
    """A channel made ready for messages that have the columns `names`."""

    def __init__(self, channel: Channel, names: Sequence[str]) -> None:
        self.channel = channel
        found = {cells.plain(name).casefold(): name for name in reversed(names)}
        self.sources = {
            field: next((found[n] for name in column.names if (n := cells.plain(name).casefold()) in found), None)
            for field, column in channel.columns.items()
        }
        self.personal = {
            source: field
            for field, column in channel.columns.items()
            if column.personal and (source := self.sources[field])
        }
        self._cells = [
            (field, self.sources[field] or "", column, _cell(channel, field, column))
            for field, column in channel.columns.items()
            if not column.personal
        ]
        self._only_name = channel.message_id in {f"{{{name}}}" for name in message_id_fields(channel)}
        self._id_names = {name: self._source_of(name) for name in message_id_fields(channel)}
        self._id_fields = {
            name: field for name in self._id_names for field, column in channel.columns.items() if name in column.names
        }
        self._zone = ZoneInfo(channel.time_zone)

    def _source_of(self, name: str) -> str:
        return next((self.sources[f] or "" for f, column in self.channel.columns.items() if name in column.names), "")

    def read(self, message: Mapping[str, str], *, at: datetime, row_no: int | None = None) -> Understood | Unclear:
        """What one message says, or every reason why it cannot be taken."""
        values: dict[str, Any] = {}
        trouble: list[tuple[str, str, Column, Parse, Unreadable]] = []
        for name, source, column, parse in self._cells:
            try:
                values[name] = parse(message.get(source, ""))
            except Unreadable as bad:
                trouble.append((name, source, column, parse, bad))
        reasons: list[Reason] = []
        notes: list[Text] = []
        for name, source, column, parse, refusal in trouble:
            told = message.get(source, "")
            text = sentence(row_no, source or "/".join(column.names), told, refusal.text)
            if column.on_bad == "quarantine" or (column.required and not told.strip()):
                reasons.append(Reason(name, source, text))
            else:
                notes.append(text)
                values[name] = parse(column.default if column.on_bad == "default" else "")
        if message.get(SURPLUS):
            reasons.append(_surplus(row_no, message[SURPLUS]))
        return self._whole(message, values, reasons, notes, at, row_no)

    def _whole(
        self,
        message: Mapping[str, str],
        values: dict[str, Any],
        reasons: list[Reason],
        notes: list[Text],
        at: datetime,
        row_no: int | None,
    ) -> Understood | Unclear:
        lon, lat = self._point(values, notes, row_no) if "lon" in values else (None, None)
        told_at = values.get("told_at") or at
        number = self._number(message, values)
        address = values.get("address", "")
        if told_at > at + _AHEAD:
            reasons.append(self._ahead("told_at", message, row_no))
        if len(number) > _LONGEST_ID:
            reasons.append(Reason("message_id", "", _too_long_number(row_no)))
        if len(address) > _LONGEST_ADDRESS:
            address = address[:_LONGEST_ADDRESS]
            notes.append(_cut(row_no, self.sources["address"] or ""))
        if reasons:
            return Unclear(tuple(reasons))
        return Understood(
            message_id=number,
            told_at=told_at,
            topic=values.get("topic") or self.channel.topic_default,
            description=values.get("description", ""),
            address=address,
            area_code=values.get("area") or "",
            area_told=message.get(self.sources.get("area") or "", ""),
            site_code=values.get("site", ""),
            lon=lon,
            lat=lat,
            notes=tuple(notes),
            values=values,
        )

    def _number(self, message: Mapping[str, str], values: Mapping[str, Any]) -> str:
        if self.channel.same_by == "values":
            parts = {name: self._worth(name, message, values) for name in self._id_names}
        else:
            parts = {name: message.get(source, "").strip() for name, source in self._id_names.items()}
        if self._only_name:
            return next(iter(parts.values()))
        return self.channel.message_id.format(**parts) if any(parts.values()) else ""

    def digest(self, read: Understood) -> str:
        """The digest of what a message says, however it was written."""
        said = {field: as_written(value, self._zone) for field, value in read.values.items() if value not in (None, "")}
        return messages.digest(self.channel.key, messages.canonical(said))

    def _worth(self, name: str, message: Mapping[str, str], values: Mapping[str, Any]) -> str:
        """What a column of the number says, in one way of writing it where the channel goes by values."""
        field = self._id_fields.get(name, "")
        if self.channel.same_by == "values" and values.get(field) not in (None, ""):
            return as_written(values[field], self._zone)
        return cells.plain(message.get(self._id_names[name], ""))

    def _point(
        self, values: dict[str, Any], notes: list[Text], row_no: int | None
    ) -> tuple[float | None, float | None]:
        lon, lat = values["lon"], values.get("lat")
        if lon is None and lat is None:
            return None, None
        # (0, 0) is what a device writes when it does not know where it is.
        if lon is None or lat is None or (lon == 0 and lat == 0):
            notes.append(_half_a_point(row_no))
            return None, None
        if self.channel.coordinate_system == "wgs84":
            return lon, lat
        return to_wgs84(lon, lat, self.channel.coordinate_system)

    def _ahead(self, name: str, message: Mapping[str, str], row_no: int | None) -> Reason:
        source = self.sources[name] or ""
        why = Text(
            zh="这个时间还没有到，请改成实际上报的时间", en="this moment has not come yet; write when it was told"
        )
        return Reason(name, source, sentence(row_no, source, message.get(source, ""), why))


@lru_cache(maxsize=65_536)
def as_written(value: Any, zone: ZoneInfo) -> str:
    """A value in the one way of writing it: a moment in the town's time, a day without its midnight."""
    if isinstance(value, datetime):
        local = value.astimezone(zone)
        return (
            local.date().isoformat()
            if (local.hour, local.minute, local.second) == (0, 0, 0)
            else f"{local:%Y-%m-%d %H:%M:%S}"
        )
    if isinstance(value, float):
        return f"{value:.6f}".rstrip("0").rstrip(".")
    return cells.plain(str(value))


def _cell(channel: Channel, name: str, column: Column) -> Parse:
    """The function that reads one cell of `column`; remembers the cells that recur."""
    meant = {cells.plain(told).casefold(): value for told, value in column.map.items()}
    parse = _parser(channel, column)
    blank: Any = "" if column.kind == "text" else None
    sheet = channel.kind == "sheet"

    def read(told: str) -> Any:
        text = told.strip()
        if meant:
            text = meant.get(cells.plain(text).casefold(), text)
        if not text:
            if column.required and not column.default:
                raise Unreadable("必须填写", "this must be filled in")
            text = column.default
            if not text:
                return blank
        if sheet and text.startswith("="):
            raise Unreadable(
                "这是公式，不会被计算，文件里存的旧结果也不采信，请粘贴为数值",
                "this is a formula, which is never computed, nor is its stored result believed; paste its value",
            )
        if sheet and text in _ERRORS:
            raise Unreadable(
                "这是表格软件算不出来时留下的，请填写真实内容",
                "a spreadsheet leaves this where it cannot compute; write the value",
            )
        return parse(text)

    recurs = column.kind not in ("text", "lon", "lat", "number", "phone")
    return lru_cache(_REMEMBERED)(read) if recurs else read


def _parser(channel: Channel, column: Column) -> Parse:
    zone = ZoneInfo(channel.time_zone)
    if column.kind in ("date", "datetime"):
        return lambda text: cells.moment(text, zone=zone, formats=column.formats)
    if column.kind == "topic":
        return _topic_parser()
    if column.kind == "choice":
        return lambda text: _choice(text, column.choices)
    if column.kind == "area_code":
        return lambda text: column.code.format(value=cells.plain(text))
    if column.kind == "site_kind":
        return _site_kind_parser()
    if column.unit:
        unit = catalogue.current().get(UNITS, column.unit)
        return lambda text: quantity(text, unit)
    plain: dict[str, Parse] = {
        "number": cells.number, "lon": cells.longitude, "lat": cells.latitude, "text": _text,
        "phone": cells.phone, "period": cells.period,
    }  # fmt: skip
    return plain[column.kind]


def _topic_parser() -> Parse:
    named = topic.names(catalogue.current().all(TOPICS))

    def parse(text: str) -> str:
        key = named.get(cells.plain(text).casefold()) or named.get(text.casefold())
        if key is None:
            raise Unreadable(
                "没有这个类别，请写成已有的类别名称；这种叫法常用的话，请管理员在渠道文件里登记它是哪一类",
                "no topic is called this; write a known topic, or, if the name is common here, have the administrator "
                "enter it in the channel's file",
            )
        return key

    return parse


def _site_kind_parser() -> Parse:
    kinds = all_kinds()
    named = {name.casefold(): key for key, kind in kinds.items() for name in (key, kind.title.zh, kind.title.en)}

    def parse(text: str) -> str:
        key = named.get(cells.plain(text).casefold())
        if key is None:
            listed = "、".join(kind.title.zh for kind in kinds.values())
            raise Unreadable(
                f"没有这类场所，可以写：{listed}",
                f"there is no such kind of site; write one of: {', '.join(kind.title.en for kind in kinds.values())}",
            )
        return key

    return parse


def _choice(text: str, choices: Sequence[str]) -> str:
    if text not in choices:
        listed = "、".join(choices)
        raise Unreadable(f"只能是：{listed}", f"must be one of: {', '.join(choices)}")
    return text


def _text(text: str) -> str:
    if len(text) > _LONGEST_CELL:
        raise Unreadable(f"超过 {_LONGEST_CELL} 字，请缩短", f"longer than {_LONGEST_CELL} characters; shorten it")
    return text


def sentence(row_no: int | None, column: str, told: str, why: Text) -> Text:
    """Where (row and column), what stands there, and why it will not do."""
    told = told.strip()
    shown = told if len(told) <= _SHOWN else told[:_SHOWN] + "…"
    row_zh, row_en = (f"第 {row_no} 行", f"Row {row_no}, ") if row_no else ("", "")
    said_zh, said_en = (f"写的是“{shown}”", f" says “{shown}”") if told else ("是空的", " is blank")
    return Text(zh=f"{row_zh}「{column}」{said_zh}：{why.zh}。", en=f"{row_en}“{column}”{said_en}: {why.en}.")


def _where(row_no: int | None) -> tuple[str, str]:
    return (f"第 {row_no} 行", f"Row {row_no}: ") if row_no else ("", "")


def _surplus(row_no: int | None, told: str) -> Reason:
    zh, en = _where(row_no)
    text = Text(
        zh=f"{zh}比表头多出单元格“{told[:_SHOWN]}”：请检查是否有未加引号的逗号。",
        en=f"{en}there are more cells than headings, beginning “{told[:_SHOWN]}”; look for a comma without quotes.",
    )
    return Reason("", SURPLUS, text)


def _half_a_point(row_no: int | None) -> Text:
    zh, en = _where(row_no)
    return Text(
        zh=f"{zh}坐标不完整或是 (0, 0)：按没有坐标登记。",
        en=f"{en}the coordinates are half missing or (0, 0); taken without a point.",
    )


def _too_long_number(row_no: int | None) -> Text:
    zh, en = _where(row_no)
    return Text(
        zh=f"{zh}编号超过 {_LONGEST_ID} 个字符：请缩短。",
        en=f"{en}the number is longer than {_LONGEST_ID} characters; shorten it.",
    )


def _cut(row_no: int | None, column: str) -> Text:
    zh, en = _where(row_no)
    return Text(
        zh=f"{zh}「{column}」超过 {_LONGEST_ADDRESS} 字：显示时截短，原文保留。",
        en=f"{en}“{column}” is longer than {_LONGEST_ADDRESS} characters; shown cut short, kept whole.",
    )
