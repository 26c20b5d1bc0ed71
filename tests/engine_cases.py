"""Indicators of every measure and window, each said twice: as a declaration, and as Python for counting by hand."""

from __future__ import annotations

from typing import Any, Final

from invented_facts import Plain, Row, indicator


def _valid(row: Row) -> bool:
    return bool(row["valid"])


def _fire(row: Row) -> bool:
    return bool(row["topic_root"] == "fire" and row["valid"])


def _every(_: Row) -> bool:
    return True


def _late(row: Row) -> bool:
    return row["closed_in_time"] is False


def _slow(row: Row) -> bool:
    return row["closed_date"] is not None and (row["closed_date"] - row["opened_date"]).days > 20


FIRE: Final[dict[str, Any]] = {"table": "cases", "where": "topic_root = 'fire' and valid", "date": "opened_date"}
OPENED: Final[dict[str, Any]] = {"table": "cases", "where": "valid", "date": "opened_date"}
CLOSED: Final[dict[str, Any]] = {"table": "cases", "where": "valid", "date": "closed_date"}
RESIDENTS: Final[dict[str, Any]] = {
    "table": "statistics", "measure": "given", "where": "figure = 'residents'", "carry": 24,
}  # fmt: skip
LATE: Final[dict[str, Any]] = {"table": "cases", "where": "not closed_in_time", "date": "closed_date"}
SLOW: Final[dict[str, Any]] = {
    "table": "cases", "date": "closed_date", "where": "date_diff('day', opened_date, closed_date) > 20",
}  # fmt: skip
MINUTES: Final[dict[str, Any]] = CLOSED | {"column": "minutes_to_handle"}
PLAIN: Final = (
    Plain(indicator("counted", FIRE), _fire),
    Plain(indicator("by_residents", FIRE, RESIDENTS, per=10000), _fire, _every),
    Plain(indicator("share_late", LATE, CLOSED, per=100), _late, _valid),
    Plain(indicator("slow", SLOW, CLOSED), _slow, _valid),
    Plain(indicator("summed", OPENED | {"measure": "sum", "column": "returns"}), _valid),
    Plain(indicator("averaged", MINUTES | {"measure": "average"}), _valid),
    Plain(indicator("median", MINUTES | {"measure": "median"}), _valid),
    Plain(indicator("ninetieth", MINUTES | {"measure": "quantile", "quantile": 0.9}), _valid),
    Plain(indicator("sites", OPENED | {"measure": "distinct", "column": "site"}), _valid),
    Plain(indicator("per_site", FIRE, OPENED | {"measure": "distinct", "column": "site"}), _fire, _valid),
    Plain(indicator("stock", OPENED | {"measure": "stock", "until": "closed_date"}), _valid),
    Plain(indicator("thirty_days", FIRE, window="days:30"), _fire),
    Plain(indicator("hundred_days", FIRE, window="days:100"), _fire),
    Plain(indicator("this_year", FIRE, window="year_to_date"), _fire),
    Plain(indicator("twelve_months", FIRE, CLOSED, window="year"), _fire, _valid),
    Plain(indicator("median_thirty", MINUTES | {"measure": "median"}, window="days:30"), _valid),
    Plain(indicator("given", RESIDENTS), _every),
    Plain(indicator("against_before", FIRE, compare="last_period"), _fire),
    Plain(indicator("against_last_year", FIRE, CLOSED, compare="last_year"), _fire, _valid),
)
