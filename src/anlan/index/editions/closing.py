"""What each open case of an area would count, were it closed on a day: measure by measure, against what it counts now.

A case closed has its outcome, its days and whether they were in time; its clocks have stopped. Nothing else changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
from sqlglot import exp

from anlan.facts.table import FactTable
from anlan.index.counting import behind
from anlan.index.counting.indicator import Indicator, Measure
from anlan.index.counting.period import Period
from anlan.index.counting.run import Engine
from anlan.index.counting.values import Line
from anlan.index.scoring.panel import Floats

CASES: Final = "cases"
CLOCKS: Final = "clocks"
TOUCHED: Final = (CASES, CLOCKS)
TOLD: Final = (
    "case", "number", "area_path", "site", "topic", "department", "opened_date", "due_date", "close_due_date",
)  # fmt: skip
CURED: Final = "cured"


@dataclass(frozen=True, slots=True)
class Asked:
    """A measure along its indicator's window."""

    measure: Measure
    window: str


@dataclass(frozen=True, slots=True)
class Part:
    """A measure of an area: what all its rows come to, and what those of each open case come to now and once closed.

    `rows` and `total` are counts and sums; `bag` has the values where they are collected, and `now` and `then` those of
    each case.
    """

    total: float
    rows: float
    case_total: Floats
    case_rows: Floats
    bag: Floats | None = None
    now: tuple[Floats, ...] = ()
    then: tuple[Floats, ...] = ()


@dataclass(frozen=True, slots=True)
class Open:
    """The open cases of an area, and every measure that closing them could change."""

    cases: tuple[Mapping[str, Any], ...]
    parts: Mapping[Asked, Part]


def asked(indicators: Iterable[Indicator]) -> list[Asked]:
    """Every measure of the tables that a closed case changes, each once."""
    found = [Asked(measure, each.window) for each in indicators for _, measure in each.measures]
    return [one for one in dict.fromkeys(found) if one.measure.table in TOUCHED and not one.measure.told]


def look(
    engine: Engine, tables: Mapping[str, FactTable], wanted: Sequence[Asked], area: str, period: Period, day: date
) -> Open:
    """The open cases that lie in `area`, and what each would count were it closed on `day`."""
    listed = exp.select(*map(_column, TOLD)).from_(CASES).where(_inside(area), _open(day), _column("valid"))
    cases = engine.rows(listed.order_by("1")).to_pylist()
    place = {row["case"]: number for number, row in enumerate(cases)}
    parts: dict[Asked, Part] = {}
    for table in TOUCHED:
        own = [one for one in wanted if one.measure.table == table]
        if own:
            parts |= _parts(engine, tables[table], own, area, period, (day, place))
    return Open(tuple(cases), parts)


@dataclass(frozen=True, slots=True)
class Worlds:
    """What if: in world 0 nothing is closed; in those after it each case of `order` alone, or with all before it."""

    order: tuple[int, ...] = ()
    together: bool = False

    def __len__(self) -> int:
        return len(self.order) + 1


def line(part: Part, asked_: Asked, worlds: Worlds) -> Line:
    """The measure in each world."""
    if part.bag is not None:
        return _collected(asked_.measure, list(_bags(part, worlds)))
    total, rows = (
        whole + np.concatenate([[0.0], np.cumsum(each) if worlds.together else each])
        for whole, each in (
            (part.total, part.case_total[list(worlds.order)]),
            (part.rows, part.case_rows[list(worlds.order)]),
        )
    )
    return Line(total, rows, rows if asked_.measure.measure == "average" else None)


def _parts(
    engine: Engine, table: FactTable, own: Sequence[Asked], area: str, period: Period,
    closed: tuple[date, Mapping[str, int]],
) -> dict[Asked, Part]:  # fmt: skip
    day, place = closed
    held = [_held(one, table, period) for one in own]
    value = [_value(one.measure) for one in own]
    whole = [
        each for one, of in zip(held, value, strict=True) for each in (_sum(one, exp.Literal.number(1)), _sum(one, of))
    ]
    summed = engine.rows(exp.select(*whole).from_(table.key).where(_inside(area)))
    totals = [column[0].as_py() for column in summed.itercolumns()]  # by place: several may have one name
    now = _by_case(engine, exp.to_table(table.key), day, held, value, area)
    then = _by_case(engine, _closed(table, day).subquery("closed"), day, held, value, area)
    found = {}
    for number, one in enumerate(own):
        rows, total = (float(each or 0) for each in totals[2 * number : 2 * number + 2])
        if one.measure.measure in ("distinct", "median", "quantile"):
            bag = engine.rows(exp.select(value[number].as_("v")).from_(table.key).where(_inside(area), held[number]))
            own_now, own_then = (_lists(each, number, place) for each in (now, then))
            zeros = np.zeros(len(place))
            found[one] = Part(total, rows, zeros, zeros, _plain(bag["v"].to_pylist()), own_now, own_then)
            continue
        changes = [_arrays(then, 2 * number + at, place) - _arrays(now, 2 * number + at, place) for at in (0, 1)]
        found[one] = Part(total, rows, changes[1], changes[0])
    return found


def _by_case(
    engine: Engine, source: exp.Expr, day: date, held: Sequence[exp.Expr], value: Sequence[exp.Expr], area: str
) -> list[tuple[Any, ...]]:
    """For every case in the area: its key, and of every measure its rows, its sum, and the list of its values."""
    one = exp.Literal.number(1)
    picked: list[exp.Expr] = [_column("case")]
    picked += [each for h, v in zip(held, value, strict=True) for each in (_sum(h, one), _sum(h, v))]
    lists = [exp.func("list", exp.case().when(h.copy(), v.copy())) for h, v in zip(held, value, strict=True)]
    open_ = exp.select(_column("case")).from_(CASES).where(_inside(area), _open(day), _column("valid"))
    query = exp.select(*picked, *lists).from_(source).where(_inside(area), _column("case").isin(query=open_))
    rows = engine.rows(query.group_by("1").order_by("1"))
    return list(zip(*(column.to_pylist() for column in rows.itercolumns()), strict=True))


def _closed(table: FactTable, day: date) -> exp.Select:
    """The table with every open case in it closed on a day."""
    on = exp.cast(exp.Literal.string(day.isoformat()), "date")
    changed = _case_closed(on) if table.key == CASES else _clock_stopped(on)
    return exp.select(
        *(changed[name].as_(name, quoted=True) if name in changed else _column(name) for name in table.names)
    ).from_(table.key)


def _case_closed(on: exp.Expr) -> dict[str, exp.Expr]:
    first = exp.cast(_column("opened_at"), "date")
    minutes = exp.Mul(
        this=exp.DateDiff(this=on, expression=first, unit=exp.var("DAY")), expression=exp.Literal.number(1440)
    )
    return {
        "outcome": exp.Literal.string(CURED),
        "handled_date": _or("handled_date", on),
        "closed_date": on,
        "handled_in_time": _or("handled_in_time", _by(on, "due_date")),
        "closed_in_time": _by(on, "close_due_date"),
        "hung": exp.false(),
        "minutes_to_handle": _or("minutes_to_handle", minutes),
        "days_to_close": exp.DateDiff(this=on, expression=_column("opened_date"), unit=exp.var("DAY")),
    }


def _clock_stopped(on: exp.Expr) -> dict[str, exp.Expr]:
    return {"stopped_date": _or("stopped_date", on), "in_time": _or("in_time", _by(on, "due_date"))}


def _by(on: exp.Expr, due: str) -> exp.Expr:
    """Whether the day is not after one that is due, or none is."""
    return exp.paren(exp.or_(_column(due).is_(exp.null()), exp.LTE(this=on.copy(), expression=_column(due))))


def _or(name: str, otherwise: exp.Expr) -> exp.Expr:
    return exp.func("coalesce", _column(name), otherwise.copy())


def _held(one: Asked, table: FactTable, period: Period) -> exp.Expr:
    """Whether a row belongs to a measure: its condition, its window, and that it has a value."""
    return exp.and_(*behind.held(one.measure, table, one.window, period))


def _value(measure: Measure) -> exp.Expr:
    if not measure.column:
        return exp.Literal.number(1)
    column = _column(measure.column)
    return column if measure.measure == "distinct" else exp.cast(column, "double")


def _sum(held: exp.Expr, of: exp.Expr) -> exp.Expr:
    if isinstance(of, exp.Column):
        of = exp.Literal.number(1)  # what is not a number is not added up
    return exp.Sum(this=exp.case().when(held.copy(), of.copy()).else_(exp.Literal.number(0)))


def _inside(area: str) -> exp.Expr:
    return exp.func("starts_with", _column("area_path"), exp.Literal.string(area))


def _open(day: date) -> exp.Expr:
    """Whether a case is open that was there on the day; nobody closes one before it is opened."""
    there = exp.LTE(this=_column("opened_date"), expression=exp.cast(exp.Literal.string(day.isoformat()), "date"))
    return exp.and_(_column("outcome").eq(exp.Literal.string("")), there)


def _arrays(rows: Sequence[tuple[Any, ...]], column: int, place: Mapping[str, int]) -> Floats:
    found = np.zeros(len(place))
    for row in rows:
        found[place[row[0]]] = float(row[1 + column] or 0)
    return found


def _lists(rows: Sequence[tuple[Any, ...]], number: int, place: Mapping[str, int]) -> tuple[Floats, ...]:
    found: list[Floats] = [np.zeros(0)] * len(place)
    for row in rows:
        measures = (len(row) - 1) // 3
        found[place[row[0]]] = _plain([each for each in row[1 + 2 * measures + number] if each is not None])
    return tuple(found)


def _plain(values: Sequence[Any]) -> Any:
    return np.sort(np.asarray([each for each in values if each is not None]))


def _bags(part: Part, worlds: Worlds) -> Iterator[Any]:
    """The values of each world: those of closed cases taken out as they are, and put in as they would be."""
    assert part.bag is not None
    yield part.bag
    values = list(part.bag)
    for case in worlds.order:
        changed = values if worlds.together else values.copy()
        for each in part.now[case]:
            changed.remove(each)
        changed += list(part.then[case])
        yield np.sort(np.asarray(changed))


def _collected(measure: Measure, bags: Sequence[Any]) -> Line:
    several = np.array([float(len(np.unique(bag))) for bag in bags])
    if measure.measure == "distinct":
        return Line(several, several)
    share = 0.5 if measure.quantile is None else measure.quantile
    return Line(np.array([np.quantile(bag, share) if len(bag) else np.nan for bag in bags]), several)


def _column(name: str) -> exp.Column:
    return exp.column(name, quoted=True)
