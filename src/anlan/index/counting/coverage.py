"""Whether the facts of a period are all there: a month that is half imported looks like a quiet one, and is not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from sqlglot import exp

from anlan.facts.table import FactTable
from anlan.index.counting.indicator import Indicator, Measure
from anlan.index.counting.period import Period
from anlan.index.counting.run import Counted, Engine
from anlan.index.counting.tree import Flags, Tree
from anlan.index.scoring.panel import Panel, Status
from anlan.index.scoring.spec import IndexSpec
from anlan.kernel.refusals import unknown
from anlan.kernel.text import Refusal, Text

SHOWN = 3
"""So many figures or areas are named in a sentence; the rest are told by their number."""


class HalfImported(Refusal):
    """Of a period, facts are there in part: rows on too few days, or figures for too few areas, or too few figures."""

    def __init__(self, index: str, field: str, reason: Text) -> None:
        super().__init__(f"{index}: {field}：{reason.zh}", f"{index}: {field}: {reason.en}", field=field)


class OverNothing(Refusal):
    """Something is counted over a given figure of 0."""

    def __init__(self, index: str, indicator: Indicator, area: Text, above: float, period: Period, more: int) -> None:
        under = indicator.denominator.where if indicator.denominator else ""
        place = f"{indicator.key}.denominator（{under}）"
        also = Text(zh=f"；另有 {more} 处" if more else "", en=f"; {more} more" if more else "")
        super().__init__(
            f"{index}: coverage.over_nothing：{place}：{area.zh} {period.name} 的分母是 0，分子却是 {above:g}，"
            f"除不出来{also.zh}。请更正统计数后再算。",
            f"{index}: coverage.over_nothing: {place}: for {area.en} in {period.name} it is 0, and the numerator "
            f"{above:g}: they cannot be divided{also.en}. Correct the figures first.",
            field="coverage.over_nothing",
        )


@dataclass(frozen=True)
class _Short:
    """What is not all there: the key of the rule, what to tell, and the indicators that cannot be worked out."""

    field: str
    reason: Text
    of: tuple[str, ...]


def strangers(index: IndexSpec, tables: Mapping[str, FactTable]) -> Iterator[tuple[str, Text]]:
    """(field, reason) of tables whose days are asked for and that have none."""
    for key in index.coverage.tables:
        if key not in tables:
            yield "coverage.tables", unknown("事实表", "fact table", key, tables)
        elif tables[key].snapshot:
            yield f"coverage.tables.{key}", Text(zh="这是现状表，没有日期。", en="This table says how things are now.")


def hold(
    index: IndexSpec, indicators: Sequence[Indicator], counted: Counted, engine: Engine,
    tables: Mapping[str, FactTable], periods: Sequence[Period],
) -> Panel:  # fmt: skip
    """The panel, with those indicators missing whose facts are not all there, if the index says so.

    Raises HalfImported if it says that the period cannot be worked out, and OverNothing.
    """
    panel, rule = counted.panel, index.coverage
    value, status = panel.value.copy(), panel.status.copy()
    for period in periods:
        if rule.over_nothing == "refuse":
            _divisible(index.key, indicators, counted, period)
        told = _Told(indicators, counted, period)
        for short in (
            *_quiet(index, indicators, engine, tables, period),
            *told.few(rule.figures),
            *told.lost(rule.again),
        ):
            if rule.short == "refuse":
                raise HalfImported(index.key, short.field, short.reason)
            of = [panel.columns.index(key) for key in short.of]
            at = (slice(None), panel.periods.index(period.name), of)
            value[at], status[at] = np.nan, Status.MISSING
    return replace(panel, value=value, status=status)


def _divisible(index: str, indicators: Sequence[Indicator], counted: Counted, period: Period) -> None:
    """Refuses what is counted over a given figure of 0."""
    panel, at = counted.panel, counted.panel.periods.index(period.name)
    if panel.numerator is None or panel.denominator is None:
        return
    given_below = [bool(each.denominator and each.denominator.told and not each.compare) for each in indicators]
    above, below = panel.numerator[:, at], panel.denominator[:, at]
    wrong = np.argwhere((below == 0) & (above != 0) & ~np.isnan(above) & given_below)
    if len(wrong):
        unit, column = wrong[0]
        area = _named(counted.tree, panel.units[unit], period)
        raise OverNothing(index, indicators[column], area, float(above[unit, column]), period, len(wrong) - 1)


def _named(tree: Tree, path: str, period: Period) -> Text:
    version = tree.version(path, period.last)
    if version is None or not version.name_zh:
        return Text(zh=path, en=path)
    return Text(zh=f"{version.name_zh} {path}", en=f"{version.name_en} {path}")


# ---------------------------------------------------------------- rows by day


def _quiet(
    index: IndexSpec, indicators: Sequence[Indicator], engine: Engine, tables: Mapping[str, FactTable], period: Period
) -> Iterator[_Short]:
    whole = length(period)
    for table, least in index.coverage.tables.items():
        found = days(engine, tables[table], period)
        if found < least * whole:
            reason = Text(
                zh=f"{period.name} 的 {whole} 天中只有 {found} 天有“{table}”的记录（{found / whole:.0%}），少于声明的 "
                f"{least:.0%}。该期数据可能只导入了一部分，请补全后再算。",
                en=f"on {found} of the {whole} days of {period.name} there are rows of “{table}” "
                f"({found / whole:.0%}), fewer than the {least:.0%} declared. It may be half imported; "
                "bring in the rest first.",
            )
            of = [each.key for each in indicators if table in {measure.table for _, measure in each.measures}]
            yield _Short(f"coverage.tables.{table}", reason, tuple(of))


def days(engine: Engine, table: FactTable, period: Period) -> int:
    """On how many days of a period a table has rows."""
    day = exp.column(table.month, quoted=True)
    first, last = (exp.cast(exp.Literal.string(one.isoformat()), "date") for one in (period.first, period.last))
    counted = exp.Count(this=exp.Distinct(expressions=[day])).as_("n")
    asked = exp.select(counted).from_(exp.to_table(table.key)).where(day.copy().between(first, last))
    return int(engine.rows(asked)["n"][0].as_py())


def length(period: Period) -> int:
    """The days of a period."""
    return (period.last - period.first).days + 1


# ---------------------------------------------------------------- given figures


@dataclass(frozen=True)
class _Figure:
    """A figure that indicators take as it was given: where it is first named, how, and by which indicators."""

    where: str
    measure: Measure
    of: tuple[str, ...]


class _Told:
    """The given figures of a period: for which areas each holds."""

    def __init__(self, indicators: Sequence[Indicator], counted: Counted, period: Period) -> None:
        self.indicators, self.found, self.period = indicators, counted.found, period

    @cached_property
    def figures(self) -> list[_Figure]:
        """Each figure once, by the first indicator that takes it."""
        made: dict[Measure, _Figure] = {}
        for each in self.indicators:
            for key, measure in each.measures:
                if measure.told:
                    before = made.get(measure) or _Figure(f"{each.key}.{key}", measure, ())
                    made[measure] = replace(before, of=(*before.of, each.key))
        return list(made.values())

    def few(self, least: Mapping[str, float]) -> Iterator[_Short]:
        """Levels some of whose areas have a figure, and too few."""
        if not least:
            return
        tree, day = self.found.tree, self.period.last
        levels, standing = np.array(tree.levels(day)), tree.standing(day)
        holds = [(each, self._holds(each, self.period)) for each in self.figures]
        for level, share in least.items():
            there = standing & (levels == level)
            wanted = share * there.sum()
            short = [(each, have) for each, have in holds if 0 < (have & there).sum() < wanted]
            if short:
                yield self._of_few(level, share, there, short)

    def _of_few(self, level: str, least: float, there: Flags, short: Sequence[tuple[_Figure, Flags]]) -> _Short:
        (first, have), several, more = short[0], int(there.sum()), len(short) - 1
        lack = [self.found.tree.paths[place] for place in np.flatnonzero(there & ~have)]
        number, dots = several - len(lack), len(lack) > SHOWN
        named = [_named(self.found.tree, path, self.period) for path in lack[:SHOWN]]
        reason = self._partly(
            f"{_said(first)}：{level} 一级 {several} 个辖区中只有 {number} 个有数（{number / several:.0%}），"
            f"少于声明的 {least:.0%}，缺 {'、'.join(name.zh for name in named)}{' 等' if dots else ''}"
            f"{f'；另有 {more} 项也不全' if more else ''}",
            f"{_said(first)}: {number} of {several} areas of the level {level} have one ({number / several:.0%}), "
            f"fewer than the {least:.0%} declared; lacking: {', '.join(name.en for name in named)}"
            f"{' …' if dots else ''}{f'; {more} more figures are not whole' if more else ''}",
        )
        return _Short(f"coverage.figures.{level}", reason, _indicators(each for each, _ in short))

    def lost(self, least: float | None) -> Iterator[_Short]:
        """Too few of the figures of the period before, though some."""
        if least is None:
            return
        monthly = [each for each in self.figures if not each.measure.carry]
        before = [each for each in monthly if self._holds(each, self.period.before).any()]
        gone = [each for each in before if not self._holds(each, self.period).any()]
        kept = len(before) - len(gone)
        if 0 < kept < least * len(before):
            yield self._of_lost(least, len(before), gone)

    def _of_lost(self, least: float, several: int, gone: Sequence[_Figure]) -> _Short:
        then, kept, dots = self.period.before.name, several - len(gone), len(gone) > SHOWN
        named = [_said(each) for each in gone[:SHOWN]]
        reason = self._partly(
            f"{then} 报过的 {several} 项中，本期只报了 {kept} 项（{kept / several:.0%}），少于声明的 {least:.0%}，"
            f"缺 {len(gone)} 项：{'、'.join(named)}{' 等' if dots else ''}",
            f"of the {several} given for {then}, {kept} were given again ({kept / several:.0%}), fewer than the "
            f"{least:.0%} declared; {len(gone)} are lacking: {', '.join(named)}{' …' if dots else ''}",
        )
        return _Short("coverage.again", reason, _indicators(gone))

    def _partly(self, zh: str, en: str) -> Text:
        return Text(
            zh=f"{self.period.name} 的统计数只到了一部分：{zh}。请补报（没有发生的报 0）后再算。",
            en=f"the figures of {self.period.name} are there in part: {en}. Bring in the rest first (0 where there was "
            "none).",
        )

    def _holds(self, figure: _Figure, period: Period) -> Flags:
        """Which areas have the figure in a period, by themselves or from all their parts."""
        holds: Flags = ~np.isnan(self.found.told(figure.measure, period, figure.of[0]))
        return holds


def _said(figure: _Figure) -> str:
    return f"{figure.where}（{figure.measure.where}）"


def _indicators(figures: Iterable[_Figure]) -> tuple[str, ...]:
    return tuple({key: None for each in figures for key in each.of})
