"""One pass over a fact table for everything that is counted of it, as an expression tree for any engine.

The answer has a row for each deepest area, step of time and, where windows roll, for the step in which a window of n
days lets go of the day. A day belongs to step p of the rolling window when `t` <= p < `q<n>`.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Final

from sqlglot import exp, parse_one

from anlan.index.counting.plan import Grain, Lane, Pass, Tally

AREA: Final = "area_path"
SIGN: Final = "sign"
"""A column of a change set: 1 for a row that came, -1 for one that is no longer true."""


def tallies(lane: Lane, wanted: Pass, grain: Grain, *, signed: bool = False) -> exp.Select:
    """Counts and sums along a lane: columns leaf, t, q<n>…, c0, c1, … in the order of `wanted.tallies`."""
    counted = [_tally(tally, f"c{number}", signed=signed) for number, tally in enumerate(wanted.tallies)]
    made = _grouped(lane, wanted, grain, counted, signed=signed)
    return _only(made, [tally.where for tally in wanted.tallies])


def bag(lane: Lane, wanted: Pass, grain: Grain, column: str, *, signed: bool = False) -> exp.Select:
    """How often each value of a column occurs: leaf, t, q<n>…, value, c0, c1, … by condition of `wanted.bags`."""
    where = wanted.bags[column]
    counted = [_tally(Tally(text), f"c{number}", signed=signed) for number, text in enumerate(where)]
    made = _grouped(lane, wanted, grain, counted, signed=signed, by=column)
    return _only(made.where(_column(column).is_(exp.null()).not_(), copy=False), where)


def lists(lane: Lane, wanted: Pass, grain: Grain, column: str) -> exp.Select:
    """The values of a column themselves: leaf, t, q<n>…, and in v0, v1, … a list of them for each condition.

    Where most values differ this is as much to carry as `bag`, and far less to count.
    """
    where = wanted.bags[column]
    told: list[exp.Expr] = []
    for number, text in enumerate(where):
        some = exp.Where(this=_read(text))
        several = exp.ArrayAgg(this=_column(column), nulls_excluded=True)
        told.append(exp.Filter(this=several, expression=some).as_(f"v{number}"))
    made = _grouped(lane, wanted, grain, told, signed=False)
    return _only(made.where(_column(column).is_(exp.null()).not_(), copy=False), where)


def given(
    table: str, column: str, where: list[str], known: tuple[str, ...], since: list[date] | None = None
) -> exp.Select:
    """Given figures: area_path, period, period_date, version, value; w0, w1, … say which of the conditions hold.

    With `since` a condition holds of no figure for what ended before its day.
    """
    trees = [_read(text) for text in where]
    for number, day in enumerate(since or ()):
        begin = exp.cast(exp.Literal.string(day.isoformat()), "date")
        trees[number] = exp.and_(trees[number], exp.GTE(this=_column("period_date"), expression=begin))
    told = [exp.func("coalesce", tree.copy(), exp.false()).as_(f"w{number}") for number, tree in enumerate(trees)]
    names = [_column(name) for name in (AREA, "period", "period_date")]
    version = _column("version") if "version" in known else exp.Literal.number(1)
    made = exp.select(*names, version.as_("version"), exp.cast(_column(column), "double").as_("value"), *told)
    made = made.from_(exp.to_table(table)).where(exp.or_(*trees), _column(column).is_(exp.null()).not_())
    return made.where(_column("current")) if "current" in known else made


def _grouped(
    lane: Lane, wanted: Pass, grain: Grain, counted: list[exp.Expr], *, signed: bool, by: str = ""
) -> exp.Select:
    keys: list[exp.Expr] = [_column(AREA).as_("leaf")]
    if lane.date:
        keys.append(step(_day(lane), grain).as_("t"))
        keys += [_let_go(lane, days, grain).as_(f"q{days}") for days in wanted.horizons]
    if by:
        keys.append(_column(by).as_("value"))
    made = exp.select(*keys, *counted, copy=False).from_(exp.to_table(source(lane.table, signed=signed)), copy=False)
    for name in filter(None, (lane.date, lane.until)):
        made.where(_column(name).is_(exp.null()).not_(), copy=False)
    return made.group_by(*(exp.Literal.number(place + 1) for place in range(len(keys))), copy=False)


def _only(made: exp.Select, where: list[str]) -> exp.Select:
    """No rows but those that some condition holds of; a condition that says more than another adds none."""
    parts = {_conjuncts(text) for text in where}
    fewest = [one for one in parts if not any(other < one for other in parts)]
    if frozenset({"TRUE"}) in fewest:
        return made
    trees = [exp.and_(*(_read(text) for text in sorted(one)), copy=False) for one in sorted(fewest, key=sorted)]
    return made.where(exp.or_(*trees, copy=False), copy=False)


@cache
def _conjuncts(text: str) -> frozenset[str]:
    """What a condition asks for all at once."""
    tree = _read(text).unnest()
    several = list(tree.flatten()) if isinstance(tree, exp.And) else [tree]
    return frozenset(part.sql("duckdb") for part in several)


def _read(text: str) -> exp.Expr:
    """A condition as a tree of its own."""
    return _parsed(text).copy()


@cache
def _parsed(text: str) -> exp.Expr:
    return parse_one(text, dialect="duckdb")


def source(table: str, *, signed: bool) -> str:
    """The name under which an engine has a table's rows, or a change set of them."""
    return f"{table}__changes" if signed else table


def step(day: exp.Expr, grain: Grain) -> exp.Expr:
    """The number of the step of time that a day lies in."""
    if grain == "day":
        return exp.DateDiff(
            this=day, expression=exp.cast(exp.Literal.string("1970-01-01"), "date"), unit=exp.var("DAY")
        )
    year, month = exp.Year(this=day.copy()), exp.Month(this=day.copy())
    months = exp.Add(this=exp.Mul(this=year, expression=exp.Literal.number(12)), expression=month)
    if grain == "month":
        return months
    number = exp.Day(this=day.copy())
    tens = exp.case().when(number > 20, "2").when(number > 10, "1").else_("0")
    return exp.Add(this=exp.Mul(this=exp.paren(months), expression=exp.Literal.number(3)), expression=tens)


def _day(lane: Lane) -> exp.Expr:
    day = _column(lane.date)
    return exp.func("greatest", day, _column(lane.until)) if lane.until else day


def _let_go(lane: Lane, days: int, grain: Grain) -> exp.Expr:
    """The step of the day that is `days` later: windows that end before it hold the day no more."""
    later = exp.DateAdd(this=_day(lane), expression=exp.Literal.number(days), unit=exp.var("DAY"))
    return step(exp.cast(later, "date"), grain)


def _tally(tally: Tally, name: str, *, signed: bool) -> exp.Expr:
    where = _read(tally.where)
    if not tally.column and not signed:
        return exp.Count(this=exp.case().when(where, exp.Literal.number(1), copy=False)).as_(name, copy=False)
    each: exp.Expr = exp.cast(_column(tally.column), "double") if tally.column else exp.Literal.number(1)
    if signed:
        each = exp.Mul(this=each, expression=_column(SIGN))
    total = exp.Sum(this=exp.case().when(where, each, copy=False))
    return exp.func("coalesce", total, exp.Literal.number(0), copy=False).as_(name, copy=False)


def _column(name: str) -> exp.Column:
    return exp.column(name, quoted=True)
