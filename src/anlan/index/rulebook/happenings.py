"""What rule tables look at, read from facts: rows that happened, and figures as they were told.

Facts are read through an engine (`run.Engine`) that has every fact table under its own name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any, Final

from sqlglot import exp

from anlan.facts.table import FactTable
from anlan.index.counting.expression import Columns, Sort, condition
from anlan.index.counting.indicator import Measure
from anlan.index.counting.period import Period
from anlan.index.counting.plan import columns_of
from anlan.index.counting.run import Engine
from anlan.index.rulebook.deductions import Asked, Happening, since
from anlan.index.rulebook.rule import Happened, Multiplier, Rule, RuleTable
from anlan.index.rulebook.signal import Signal
from anlan.kernel.refusals import nearest
from anlan.kernel.text import Refusal, Text

_NAMED: Final = " · "


class NoFact(Refusal):
    """A rule looks at a table or a column that there is not."""


def strangers(table: RuleTable, known: Mapping[str, FactTable]) -> Iterator[tuple[str, Text]]:
    """(field, reason) for every table, column and condition of the rules that the fact tables do not bear out."""
    for number, rule in enumerate(table.rules):
        if rule.event:
            yield from _wrong(f"rules.{number}.event", partial(_columns, rule, known))
    for number, multiplier in enumerate(table.multipliers):
        for key in multiplier.rules if multiplier.where else ():
            yield from _wrong(f"multipliers.{number}.where", partial(_more, multiplier, table.rule(key), known))


def unmeasured(signal: Signal, known: Mapping[str, FactTable]) -> Iterator[tuple[str, Text]]:
    """(field, reason) for every table, column and condition of a signal that the fact tables do not bear out."""
    for name, part in signal.parts:
        for side, measure in (("numerator", part.numerator), ("denominator", part.denominator)):
            yield from _wrong(f"{name}.{side}", partial(_measured, f"{name}.{side}", measure, known))


def happened(
    tables: Iterable[RuleTable], known: Mapping[str, FactTable], facts: Engine, period: Period
) -> list[Happening]:
    """Every row that a rule looks at, up to the period's end, and back as far as "again" asks.

    Raises NoFact or what `expression.condition` raises.
    """
    found: list[Happening] = []
    for table in tables:
        first = since([table], period)
        for rule in table.rules:
            if rule.event:
                found += _rows(table, rule, rule.event, known, facts, (first, period.last))
    return found


def figures(facts: Engine, asked: Iterable[Asked], period: Period) -> dict[Asked, dict[str, float]]:
    """Figures as told, by area: of the period meant, else the latest before it that is not older than asked."""
    return {one: _figure(facts, one, meant(one, period)) for one in sorted(asked) if one.sort == "figure"}


def meant(asked: Asked, period: Period) -> Period:
    """The period that a value is asked of."""
    return {"period": period, "last_period": period.before, "last_year": period.last_year}[asked.when]


def _figure(facts: Engine, asked: Asked, period: Period) -> dict[str, float]:
    months = period.first.year * 12 + period.first.month - 1 - asked.carry
    earliest = min(period.first, date(months // 12, months % 12 + 1, 1)) if asked.carry else period.first
    named = _column("figure").eq(exp.Literal.string(asked.key))
    query = exp.select(*map(_column, ("area_path", "period_date", "period", "version", "value"))).from_("statistics")
    query = query.where(_column("current"), named, _within(_column("period_date"), (earliest, period.last)))
    found = {}
    for row in sorted(
        facts.rows(query).to_pylist(), key=lambda row: (row["period_date"], row["period"], row["version"])
    ):
        if row["value"] is not None:
            found[row["area_path"]] = float(row["value"])
    return found


def _within(day: exp.Expr, days: tuple[date, date]) -> exp.Expr:
    first, last = (exp.cast(exp.Literal.string(one.isoformat()), "date") for one in days)
    return exp.Between(this=day, low=first, high=last)


def _rows(
    table: RuleTable,
    rule: Rule,
    event: Happened,
    known: Mapping[str, FactTable],
    facts: Engine,
    days: tuple[date, date],
) -> list[Happening]:
    columns = _columns(rule, known)
    multipliers = [each for each in table.multipliers if each.where and rule.key in each.rules]
    flags = [_more(each, rule, known) for each in multipliers]
    query = _query(known[event.table], event, columns, flags, days)
    found = []
    for path, day, name, amount, count, *rest in _each(facts.rows(query)):
        alike, flagged = rest[: len(event.same)], rest[len(event.same) :]
        more = frozenset(each.key for each, flag in zip(multipliers, flagged, strict=True) if flag)
        kind = tuple(str(value) for value in alike)
        found.append(Happening(rule.key, path, day, name, float(amount or 0), float(count or 0), kind, more))
    return found


def _each(rows: Any) -> Iterator[tuple[Any, ...]]:
    """The rows of an Arrow table, whose columns may have one name."""
    return zip(*(column.to_pylist() for column in rows.itercolumns()), strict=True)


def _query(
    declared: FactTable, event: Happened, columns: Columns, flags: Sequence[exp.Expr], days: tuple[date, date]
) -> exp.Select:
    """area_path, day, name, amount, count, what must agree, flags; in one order, whatever threads read the files."""
    day = exp.cast(_column(event.date), "date")
    where = [condition(event.where, columns), _within(day.copy(), days)]
    if "current" in columns:
        where.append(_column("current"))
    one = exp.Literal.number(1)
    amount = _column(event.amount) if event.amount else one
    count = _column(event.times) if event.times else one
    same = [_column(each) for each in event.same]
    named = event.by or tuple(key for key in declared.row if key != "version")
    name = exp.func("concat_ws", exp.Literal.string(_NAMED), *(exp.cast(_column(each), "varchar") for each in named))
    if not event.by:
        picked = [_column("area_path"), day, name, amount, count, *same, *flags]
        return exp.select(*picked).from_(exp.table_(event.table, quoted=True)).where(*where).order_by("2", "3", "1")
    more = [exp.Max(this=each) for each in same] + [exp.func("bool_or", each) for each in flags]
    grouped = [_column("area_path"), exp.Max(this=day), name, exp.Sum(this=amount), one, *more]
    query = exp.select(*grouped).from_(exp.table_(event.table, quoted=True)).where(*where)
    return query.group_by("area_path", *(_column(each) for each in event.by)).order_by("2", "3", "1")


def _columns(rule: Rule, known: Mapping[str, FactTable]) -> Columns:
    """The columns of the rule's table. Raises NoFact for one it names that is not there, or is of the wrong sort."""
    event = rule.event
    if event is None:
        return {}
    columns = _known_table(rule.key, event.table, known)
    wanted: list[tuple[str, Sort]] = [(event.date, "date"), (event.amount, "number"), (event.times, "number")]
    for key, sort in [*wanted, *((key, "null") for key in (*event.by, *event.same, "area_path"))]:
        if key and columns.get(key) != sort and (sort != "null" or key not in columns):
            raise _no_column(rule.key, event.table, key, columns)
    condition(event.where, columns, table=event.table)
    return columns


def _measured(where: str, measure: Measure, known: Mapping[str, FactTable]) -> None:
    columns = _known_table(where, measure.table, known)
    for key in (measure.date, measure.until):
        if key and columns.get(key) != "date":
            raise _no_column(where, measure.table, key, columns)
    condition(measure.where, columns, table=measure.table)


def _known_table(where: str, table: str, known: Mapping[str, FactTable]) -> Columns:
    if table not in known:
        near = nearest(table, known)
        raise NoFact(f"{where}：没有事实表“{table}”{near.zh}", f"{where}: there is no fact table “{table}”{near.en}")
    return columns_of(known[table])


def _no_column(where: str, table: str, key: str, columns: Columns) -> NoFact:
    near = nearest(key, columns)
    return NoFact(
        f"{where}：表“{table}”没有合用的列“{key}”{near.zh}",
        f"{where}: the table “{table}” has no column “{key}” fit for this{near.en}",
    )


def _more(multiplier: Multiplier, rule: Rule, known: Mapping[str, FactTable]) -> exp.Expr:
    return condition(multiplier.where, _columns(rule, known), table=rule.event.table if rule.event else "")


def _wrong(where: str, asked: Callable[[], object]) -> Iterator[tuple[str, Text]]:
    try:
        asked()
    except Refusal as refusal:
        yield where, refusal.text


def _column(key: str) -> exp.Column:
    return exp.column(key, quoted=True)
