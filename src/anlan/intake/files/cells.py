"""What one cell says: dates, numbers and coordinates as people write them. Pure; refuses with a sentence."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from anlan.kernel.text import Refusal

_DAY = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?")
_PACKED = re.compile(r"(\d{4})(\d{2})(\d{2})(?=$|T|\s)")
_HOUR = re.compile(
    r"[T\s]*(上午|下午|凌晨|中午|晚上)?\s*(\d{1,2})\s*[:时点]\s*(?:(\d{1,2})\s*(?:[:分]\s*(?:(\d{1,2})(?:\.(\d{1,6})\d*)?\s*秒?)?)?)?"
    r"\s*(Z|[+-]\d{2}:?\d{2})?$"
)
_SERIAL = re.compile(r"\d{5}(?:\.\d+)?$")
_NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:[eE][+-]?\d{1,3})?$")
_DEGREES = re.compile(r"(东经|西经|北纬|南纬)?\s*(-?\d+(?:\.\d+)?)\s*°?\s*([EWNS])?$")
_SEXAGESIMAL = re.compile(
    r"(东经|西经|北纬|南纬)?\s*(\d{1,3})\s*[°度]\s*(\d{1,2})\s*['′’分]\s*(\d{1,2}(?:\.\d+)?)\s*(?:\"|″|”|′′|''|秒)?\s*([EWNS])?$"
)
_PERIOD = re.compile(
    r"(?:(?P<packed>\d{6})|(?P<year>\d{4})年?(?:[-/.]?(?P<month>\d{1,2})(?:月份?|[-/.]0?1日?)?"
    r"|[-/.]?(?:Q|q|第)(?P<quarter>[1-4一二三四])(?:季度)?)?(?:度|全年)?)"
)
_QUARTERS = {"1": 1, "2": 2, "3": 3, "4": 4, "一": 1, "二": 2, "三": 3, "四": 4}
_NEGATIVE = frozenset({"西经", "南纬", "W", "S"})
# Excel counts days from here; the day before 1900-01-01 makes up for its leap year 1900 that never was.
_EXCEL_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - a wall clock's moment, its zone comes with the cell
_EXCEL_YEARS = range(20_000, 80_000)


class Unreadable(Refusal):
    """A cell that does not say what its column asks for; the words tell what to write instead."""


def plain(text: str) -> str:
    """`text` as it is compared and parsed: full-width digits and signs made narrow, no blanks around it."""
    if text.isascii():
        return text.strip()
    return unicodedata.normalize("NFKC", text).replace("\ufeff", "").strip()


def moment(text: str, *, zone: tzinfo, formats: Sequence[str] = ()) -> datetime:
    """The moment `text` names, in UTC. A day alone is its midnight in `zone`; a zone written in the text wins.

    `formats` are strptime patterns tried first. Understands 2026年11月2日 14时05分, 2026-11-02T14:05:09+08:00,
    2026/11/2, 2026.11.2 下午2:05, 20261102 and Excel's serial numbers (46328.5).
    """
    text = plain(text)
    for pattern in formats:
        try:
            return _fixed(datetime.strptime(text, pattern), zone)  # noqa: DTZ007 - its zone comes with the channel
        except ValueError:
            continue
    if _SERIAL.match(text) and int(float(text)) in _EXCEL_YEARS:
        seconds = round(float(text) * 86_400)
        return _fixed(_EXCEL_ZERO + timedelta(seconds=seconds), zone)
    found = _DAY.match(text) or _PACKED.match(text)
    if found is None:
        raise _not_a_date(formats)
    day = _day(*(int(part) for part in found.groups()))
    rest = text[found.end() :]
    return _fixed(datetime.combine(day, time()), zone) if not rest.strip() else _with_hour(day, rest, zone)


def day(text: str, *, zone: tzinfo, formats: Sequence[str] = ()) -> date:
    """The calendar day `text` names, seen in `zone`."""
    return moment(text, zone=zone, formats=formats).astimezone(zone).date()


def _fixed(local: datetime, zone: tzinfo) -> datetime:
    # A slip of the pen in the year would otherwise stand unseen for ever.
    if not 1970 <= local.year <= 2200:
        raise Unreadable(f"{local.year} 年太早或太晚，请核对年份", f"the year {local.year} is out of range; check it")
    return (local if local.tzinfo else local.replace(tzinfo=zone)).astimezone(UTC)


def _day(year: int, month: int, number: int) -> date:
    if not 1 <= month <= 12:
        raise Unreadable(
            f"第 {month} 月不存在，月份只有 1 到 12，请写成 2026-11-02 这样",
            f"there is no month {month}; write it like 2026-11-02",
        )
    try:
        return date(year, month, number)
    except ValueError:
        raise Unreadable(
            f"{year} 年 {month} 月没有第 {number} 日，请改成当月有的日子",
            f"{year}-{month:02d} has no day {number}; write a day of that month",
        ) from None


def _with_hour(day: date, rest: str, zone: tzinfo) -> datetime:
    found = _HOUR.match(rest)
    if found is None:
        raise Unreadable(
            f"日期后面的「{rest.strip()}」看不出是几点，请写成 14:05 这样",
            f"“{rest.strip()}” is not a time of day; write it like 14:05",
        )
    half, hour, minute, second, fraction, offset = found.groups()
    h, m, s = int(hour), int(minute or 0), int(second or 0)
    if half in ("下午", "晚上", "中午") and h < 12 and not (half == "中午" and h >= 11):
        h += 12
    if h > 23 or m > 59 or s > 59:
        raise Unreadable(
            f"一天里没有 {h}:{m:02d}:{s:02d} 这个时刻，请写成 14:05 这样",
            f"there is no {h}:{m:02d}:{s:02d} in a day; write it like 14:05",
        )
    local = datetime.combine(day, time(h, m, s, int((fraction or "0").ljust(6, "0"))))
    if offset:
        sign = "+00:00" if offset == "Z" else offset if ":" in offset else f"{offset[:3]}:{offset[3:]}"
        local = _offset(local, sign)
    return _fixed(local, zone)


def _offset(local: datetime, offset: str) -> datetime:
    try:
        return datetime.fromisoformat(f"{local.isoformat()}{offset}")
    except ValueError:
        raise Unreadable(
            f"时区「{offset}」不存在，请写成 +08:00 这样", f"there is no offset “{offset}”; write it like +08:00"
        ) from None


def _not_a_date(formats: Sequence[str]) -> Unreadable:
    if formats:
        shapes = "、".join(formats)
        return Unreadable(
            f"看不出是哪一天，请写成 2026-11-02 或 {shapes} 的样子",
            f"this is not a date; write it like 2026-11-02 or as {shapes}",
        )
    return Unreadable(
        "看不出是哪一天，请写成 2026-11-02 或 2026年11月2日",
        "this is not a date; write it like 2026-11-02 (year of four digits first)",
    )


def number(text: str) -> float:
    """The number `text` writes, thousands separators allowed."""
    text = plain(text)
    if not any(c.isdigit() for c in text) or _NUMBER.match(text) is None:
        raise Unreadable("不是数字，请写成 12 或 12.5", "this is not a number; write it like 12 or 12.5")
    value = float(text.replace(",", ""))
    if abs(value) > 1e300:
        raise Unreadable("数字太大", "this number is too large")
    return value


def phone(text: str) -> str:
    """A telephone number, its digits alone: a mobile's eleven, a landline's with its area code, or 400 and 95 ones."""
    digits = re.sub(r"[\s\-()]|^\+?86", "", plain(text))
    if not re.fullmatch(r"1[3-9]\d{9}|0\d{9,11}|[48]00\d{7}|9\d{4,7}|\d{7,8}", digits):
        raise Unreadable(
            "不是电话号码，手机应为 11 位数字", "this is not a telephone number; a mobile number has eleven digits"
        )
    return digits


def period(text: str) -> str:
    """The month ("2026-11"), quarter ("2026-Q3") or year ("2026") that `text` names."""
    found = _PERIOD.fullmatch(plain(text).replace(" ", ""))
    if found is None:
        raise Unreadable(
            "看不出是哪一期，请写成 2026年11月、2026年第三季度 或 2026年",
            "this is no period; write it like 2026-11, 2026-Q3 or 2026",
        )
    year, month = found["year"] or found["packed"][:4], found["month"] or (found["packed"] or "")[4:]
    if not 1970 <= int(year) <= 2200:
        raise Unreadable(f"{year} 年太早或太晚，请核对年份", f"the year {year} is out of range; check it")
    if month:
        _day(int(year), int(month), 1)
        return f"{year}-{int(month):02d}"
    quarter = found["quarter"]
    return f"{year}-Q{_QUARTERS[quarter]}" if quarter else year


def longitude(text: str) -> float:
    """Degrees east, -180 to 180."""
    return _degrees(text, 180.0, "经度", "a longitude", "120.123456")


def latitude(text: str) -> float:
    """Degrees north, -90 to 90."""
    return _degrees(text, 90.0, "纬度", "a latitude", "29.123456")


def _degrees(text: str, limit: float, zh: str, en: str, example: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = _written_degrees(plain(text), zh, en, example)
    # A NaN fails this comparison too.
    if not -limit <= value <= limit:
        raise Unreadable(
            f"{zh}只能在 -{limit:.0f} 与 {limit:.0f} 之间，请核对是否把经纬度写反",
            f"{en} lies between -{limit:.0f} and {limit:.0f}; are the two swapped?",
        )
    return value


def _written_degrees(text: str, zh: str, en: str, example: str) -> float:
    if found := _DEGREES.match(text):
        value = float(found[2])
        return -value if found[1] in _NEGATIVE or found[3] in _NEGATIVE else value
    if found := _SEXAGESIMAL.match(text):
        value = int(found[2]) + int(found[3]) / 60 + float(found[4]) / 3600
        return -value if found[1] in _NEGATIVE or found[5] in _NEGATIVE else value
    raise Unreadable(f"不是{zh}，请写成 {example}", f"this is not {en}; write it like {example}")
