"""Facts of an invented county, and a way to count them that shares nothing with the engines: row by row, in Python."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import fmean
from typing import Any, Final

import pyarrow as pa

from anlan.index.counting.examples import rows_of
from anlan.index.counting.indicator import Indicator
from anlan.index.counting.period import Period
from anlan.index.counting.plan import tables_of
from anlan.kernel import catalogue

TABLES: Final = tables_of(catalogue.current())
FOUNDED: Final = date(2020, 1, 1)
TREE: Final = (
    ("1/", "county"),
    *((f"1/{t}/", "township") for t in "abc"),
    *((f"1/{t}/{v}/", "village") for t in "abc" for v in range(1, 5)),
)
LEAVES: Final = [path for path, level in TREE if level == "village"]
BASIS: Final = {"source": "x", "mark": "U", "checked_on": date(2026, 11, 22)}
Row = Mapping[str, Any]


def areas() -> Any:
    """The table `areas`: one county of three towns and twelve villages."""
    return rows_of(
        TABLES["areas"],
        [
            {"path": path, "code": path, "level": level, "parent_path": "", "name_zh": path, "name_en": path,
             "valid_from": FOUNDED}
            for path, level in TREE
        ],
    )  # fmt: skip


def cases(count: int, seed: int) -> list[dict[str, Any]]:
    """Cases from the end of 2024 to the autumn of 2026, some of them in a town and not in a village."""
    dice = random.Random(seed)  # noqa: S311 - invented rows
    made = []
    for number in range(count):
        opened = date(2024, 12, 1) + timedelta(days=dice.randrange(702))
        closed = opened + timedelta(days=dice.randrange(-1, 90)) if dice.random() < 0.8 else None
        row: dict[str, Any] = dict.fromkeys(column.key for column in TABLES["cases"].columns)
        row |= {
            "case": f"{number}",
            "area_path": dice.choice(LEAVES) if dice.random() < 0.9 else dice.choice(["1/a/", "1/", ""]),
            "topic_root": dice.choice(["fire", "gas", "road"]),
            "site": f"s{dice.randrange(30)}",
            "opened_date": opened,
            "closed_date": closed,
            "outcome": "cured" if closed else "",
            "valid": dice.random() < 0.9,
            "returns": dice.choice([0, 0, 0, 1, 2]),
            "closed_in_time": None if closed is None else dice.random() < 0.7,
            "minutes_to_handle": None if closed is None else dice.randrange(5000),
            "days_to_close": None if closed is None else (closed - opened).days,
        }
        made.append(row)
    return made


def statistics(seed: int) -> list[dict[str, Any]]:
    """Residents of most areas, by year and sometimes by month, some of them corrected since."""
    dice = random.Random(seed)  # noqa: S311 - invented rows
    made = []
    for path, level in TREE:
        for name, day in (("2024", date(2024, 12, 31)), ("2025", date(2025, 12, 31)), ("2026-08", date(2026, 8, 31))):
            if level != "village" or dice.random() < 0.7:
                versions = dice.choice([1, 1, 2])
                made += [
                    {"area_path": path, "figure": "residents", "period": name, "period_date": day, "version": version,
                     "value": float(dice.randrange(200, 9000)), "current": version == versions, "unit": "人"}
                    for version in range(1, versions + 1)
                ]  # fmt: skip
    return made


def tables(rows: Iterable[Row], told: Iterable[Row]) -> dict[str, Any]:
    """Arrow tables by name."""
    return {
        "cases": rows_of(TABLES["cases"], list(rows)),
        "statistics": rows_of(TABLES["statistics"], list(told)),
        "areas": areas(),
    }


def indicator(key: str, numerator: Row, denominator: Row | None = None, **more: Any) -> Indicator:
    """An indicator with what every one has to say filled in."""
    text = {"zh": "某数", "en": "Something"}
    said = {"key": key, "title": text, "summary": text, "unit": text, "better": "down", "basis": BASIS}
    return Indicator.model_validate(said | {"numerator": numerator, "denominator": denominator} | more)


@dataclass(frozen=True, slots=True)
class Plain:
    """An indicator with its conditions written once more, as Python."""

    indicator: Indicator
    above: Callable[[Row], bool]
    below: Callable[[Row], bool] | None = None


def by_hand(plain: Plain, rows: Sequence[Row], told: Sequence[Row], path: str, period: Period) -> float:
    """The value of an area, row by row."""
    now = _plain(plain, rows, told, path, period)
    compare = plain.indicator.compare
    if not compare:
        return now
    then = _plain(plain, rows, told, path, period.before if compare == "last_period" else period.last_year)
    return math.nan if math.isnan(now) or math.isnan(then) or not then else (now - then) / abs(then) * 100


def _plain(plain: Plain, rows: Sequence[Row], told: Sequence[Row], path: str, period: Period) -> float:
    one = plain.indicator
    top = _measure(one, one.numerator, plain.above, rows, told, path, period)
    if one.denominator is None:
        return top * one.per
    assert plain.below is not None
    bottom = _measure(one, one.denominator, plain.below, rows, told, path, period)
    return math.nan if math.isnan(bottom) or not bottom else top / bottom * one.per


def _measure(
    one: Indicator, measure: Any, holds: Callable[[Row], bool], rows: Sequence[Row], told: Sequence[Row], path: str,
    period: Period,
) -> float:  # fmt: skip
    if measure.measure == "given":
        return _given(measure, [row for row in told if row["current"] and holds(row)], path, period)
    here = [row for row in rows if row["area_path"].startswith(path) and holds(row)]
    if measure.measure == "stock":
        there = [row for row in here if row[measure.date] <= period.last]
        return float(sum(row[measure.until] is None or row[measure.until] > period.last for row in there))
    first = _first(one.window, period)
    here = [row for row in here if row[measure.date] is not None and first <= row[measure.date] <= period.last]
    if measure.measure == "count":
        return float(len(here))
    values = [row[measure.column] for row in here if row[measure.column] is not None]
    if measure.measure == "sum":
        return float(sum(values))
    if measure.measure == "distinct":
        return float(len(set(values)))
    if not values:
        return math.nan
    if measure.measure == "average":
        return fmean(values)
    return _quantile(sorted(values), measure.quantile or 0.5)


def _quantile(values: list[float], share: float) -> float:
    at = share * (len(values) - 1)
    low = math.floor(at)
    return values[low] + (values[math.ceil(at)] - values[low]) * (at - low)


def _first(window: str, period: Period) -> date:
    if window.startswith("days:"):
        return period.last - timedelta(days=int(window[5:]) - 1)
    if window == "year_to_date":
        return period.last.replace(month=1, day=1)
    if window == "year":
        after = period.last + timedelta(days=1)
        return after.replace(year=after.year - 1)
    return period.first


def _given(measure: Any, told: Sequence[Row], path: str, period: Period) -> float:
    def months(day: date) -> int:
        return (period.last.year - day.year) * 12 + period.last.month - day.month

    own = [row for row in told if row["area_path"] == path and row["period_date"] <= period.last]
    own = [row for row in own if months(row["period_date"]) <= measure.carry]
    if own:
        return float(max(own, key=lambda row: (row["period_date"], row["version"]))["value"])
    below = [one for one, _ in TREE if one.startswith(path) and one.count("/") == path.count("/") + 1]
    return sum(_given(measure, told, one, period) for one in below) if below else math.nan


def table(name: str, rows: Iterable[Row]) -> Any:
    """Rows as the Arrow table of a fact table."""
    made: pa.Table = rows_of(TABLES[name], list(rows))
    return made
