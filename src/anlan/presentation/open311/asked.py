"""What a client asked: its words from the address and the body, dates and lists in every way clients write them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from math import isfinite
from typing import Final
from zoneinfo import ZoneInfo

from django.http import HttpRequest

from anlan.kernel.text import Refusal

LONGEST_SPAN: Final = timedelta(days=90)
MOST: Final = 1000
EARLIEST: Final = 1900
LATEST: Final = 2200
_MOMENT = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})(?:[T ](?P<time>\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?)"
    r"\s*(?P<zone>[Zz]|[+\- ]?\d{2}:?\d{2})?)?"
)


class Wrong(Refusal):
    """What was asked cannot be read."""

    status = 400


class NotThere(Refusal):
    """What was asked for does not exist."""

    status = 404


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one request, from its address and its body; an empty one is as good as none."""

    given: Mapping[str, Sequence[str]]

    def __getitem__(self, name: str) -> str:
        """The word under this name; "" where there is none."""
        return next((each for each in self.given.get(name, ()) if each), "")

    def all(self, name: str) -> list[str]:
        """Every word under this name."""
        return [each for each in self.given.get(name, ()) if each]

    def listed(self, name: str) -> list[str]:
        """The parts of comma-separated lists under this name."""
        parts = (part.strip() for each in self.all(name) for part in each.split(","))
        return list(dict.fromkeys(part for part in parts if part))

    def says_yes(self, name: str) -> bool:
        """Whether it is switched on."""
        return self[name].lower() in ("true", "1", "yes", "on")

    def number(self, name: str, *, otherwise: int, most: int) -> int:
        """A whole number from 1 to `most`."""
        told = self[name]
        if not told:
            return otherwise
        if not re.fullmatch("[0-9]{1,9}", told) or not 1 <= int(told) <= most:
            raise Wrong(
                f"{name} 应是 1 到 {most} 之间的整数。", f"{name} must be a whole number from 1 to {most}.", field=name
            )
        return int(told)


def words(request: HttpRequest) -> Words:
    """The words of a request; what stands in the body comes before what stands in the address."""
    given: dict[str, list[str]] = {}
    for source in (request.POST, request.GET) if request.method == "POST" else (request.GET,):
        for name in source:
            told = [_storable(str(each)) for each in source.getlist(name)]
            given.setdefault(_storable(name).strip(), []).extend(told)
    return Words(given)


def _storable(text: str) -> str:
    return text.replace("\x00", "\u2400").encode("utf-8", "replace").decode().strip()


def moment(words_: Words, name: str, zone: ZoneInfo, *, ends: bool = False) -> datetime | None:
    """A moment as the W3C writes it, more loosely: a zone without colon, or none (then `zone`); a day alone is its
    beginning or, where it `ends` something, its end."""
    told = words_[name]
    if not told:
        return None
    read = _read(told, zone, ends=ends)
    if read is None:
        raise Wrong(
            f"{name} 应是带时区的时间，例如 2026-11-22T09:30:00Z，收到的是“{told[:40]}”。",
            f"{name} must be a moment with its zone, such as 2026-11-22T09:30:00Z; “{told[:40]}” is none.",
            field=name,
        )
    return read


def _read(told: str, zone: ZoneInfo, *, ends: bool) -> datetime | None:
    found = _MOMENT.fullmatch(told)
    if found is None or not EARLIEST <= int(found["day"][:4]) <= LATEST:
        return None
    try:
        if found["time"]:
            return _whole(found, zone)
        return datetime.combine(date.fromisoformat(found["day"]), time.max if ends else time.min, zone)
    except ValueError:
        return None


def _whole(found: re.Match[str], zone: ZoneInfo) -> datetime:
    clock = found["time"].replace(",", ".")
    told = found["zone"] or ""
    if not told:
        return datetime.fromisoformat(f"{found['day']}T{clock}").replace(tzinfo=zone)
    if told in "Zz":
        return datetime.fromisoformat(f"{found['day']}T{clock}+00:00")
    # A plus sign in an address that nobody escaped arrives as a space.
    sign, digits = ("-" if told[0] == "-" else "+"), told.lstrip("+- ").replace(":", "")
    return datetime.fromisoformat(f"{found['day']}T{clock}{sign}{digits[:2]}:{digits[2:]}")


def span(words_: Words, zone: ZoneInfo, *, at: datetime) -> tuple[datetime, datetime]:
    """The first and last moment asked for: at most ninety days, the last ninety where nothing is said."""
    start, end = moment(words_, "start_date", zone), moment(words_, "end_date", zone, ends=True)
    if start is None:
        end = end or at
        return end - LONGEST_SPAN, end
    if end is None:
        return start, start + LONGEST_SPAN
    if end < start:
        raise Wrong("end_date 早于 start_date。", "end_date is before start_date.", field="end_date")
    # Two days that are ninety apart, told without a time of day, take in the whole of both.
    spare = timedelta(days=1) if "T" not in words_["end_date"] and " " not in words_["end_date"] else timedelta(0)
    if end - start > LONGEST_SPAN + spare:
        raise Wrong(
            "start_date 到 end_date 最多 90 天，请分段查询；全部数据可从 /GeoReport/bulk 下载。",
            "From start_date to end_date there may be at most 90 days; ask in parts, or take everything from "
            "/GeoReport/bulk.",
            field="end_date",
        )
    return start, end


def point(words_: Words) -> tuple[float, float] | None:
    """(longitude, latitude) in WGS-84 degrees, None where neither is told."""
    told = words_["long"] or words_["lon"] or words_["lng"], words_["lat"]
    if not any(told):
        return None
    where = _degrees(*told)
    if where is None:
        raise Wrong(
            "lat 和 long 要一起给出，是 WGS-84 的十进制度（纬度 -90 到 90，经度 -180 到 180）。",
            "lat and long come together, in decimal degrees of WGS-84 (latitude -90 to 90, longitude -180 to 180).",
            field="lat",
        )
    if where == (0, 0):
        raise Wrong(
            "坐标是 (0, 0)，多半是设备没有定位：请重新定位，或用 address_string 写地址。",
            "The point is (0, 0), as devices say that do not know where they are: locate again, or give an "
            "address_string.",
            field="lat",
        )
    return where


def _degrees(east: str, north: str) -> tuple[float, float] | None:
    try:
        lon, lat = float(east), float(north)
    except ValueError:
        return None
    return (lon, lat) if isfinite(lon) and isfinite(lat) and -180 <= lon <= 180 and -90 <= lat <= 90 else None
