"""What an index's declarations and figures say in words: how a value is counted, scored, and how sure it is. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Final

from anlan.facts.table import FactTable
from anlan.index.counting.indicator import Indicator, Measure
from anlan.index.scoring.framework import Framework
from anlan.index.scoring.normalise import Normalising
from anlan.kernel.catalogue import Basis
from anlan.kernel.text import Text

Line = tuple[Text, Text]
NONE: Final = "–"
DAY: Final = 24 * 60
ZH: Final = {"is not null": "不为空", "is null": "为空", "and": "且", "or": "或", "not": "非", "in": "属于"}
"""The words of conditions in Chinese, the longer before what is part of them."""

COUNTED: Final[dict[str, Text]] = {
    "count": Text(zh="数行数", en="rows are counted"),
    "sum": Text(zh="“{c}”求和", en="“{c}” is summed"),
    "distinct": Text(zh="“{c}”不同的个数", en="different values of “{c}” are counted"),
    "average": Text(zh="“{c}”的平均数", en="the average of “{c}”"),
    "median": Text(zh="“{c}”的中位数", en="the median of “{c}”"),
    "quantile": Text(zh="“{c}”的 {q} 分位数", en="the {q} quantile of “{c}”"),
    "stock": Text(zh="期末还在的行数（{d} 进入，{u} 离开）", en="rows still there at the end (in on {d}, out on {u})"),
    "given": Text(zh="报送的统计数", en="a figure as given"),
}
WINDOWS: Final[dict[str, Text]] = {
    "period": Text(zh="本期内", en="the period itself"),
    "year": Text(zh="截至期末的十二个月", en="the twelve months up to its end"),
    "year_to_date": Text(zh="今年以来", en="the year up to its end"),
}
COMPARED: Final[dict[str, Text]] = {
    "last_period": Text(zh="与上期相比的百分比变化", en="the change against the period before, in percent"),
    "last_year": Text(
        zh="与去年同期相比的百分比变化", en="the change against the same period of last year, in percent"
    ),
}
FOR_NONE: Final[dict[str, Text]] = {
    "missing": Text(zh="算作缺数", en="it is missing"),
    "good": Text(zh="得满分", en="full points"),
    "bad": Text(zh="得零分", en="no points"),
    "zero": Text(zh="算作 0", en="it is 0"),
}
BETTER: Final[dict[str, Text]] = {
    "up": Text(zh="越高越好", en="higher is better"),
    "down": Text(zh="越低越好", en="lower is better"),
}
STANDING: Final[dict[str, Text]] = {
    "recorded": Text(zh="由安澜自己的台账算出", en="counted from Anlan's own ledger"),
    "statistics": Text(zh="外部报送，台账里还没有对应的记录", en="told from outside: nothing is recorded of it yet"),
}
METHODS: Final[dict[str, Text]] = {
    "identity": Text(zh="数值就是得分", en="the value is the score"),
    "minmax": Text(zh="最差的得 {a}，最好的得 {b}", en="the worst has {a}, the best {b}"),
    "quantiles": Text(zh="按两端 {s} 分位数折算", en="between the {s} quantiles at both ends"),
    "target": Text(zh="达到 {t} 得满分，未达到按比例", en="full at {t}, in proportion below"),
    "zscore": Text(zh="按标准分折算", en="by standard scores"),
    "rank": Text(zh="按名次", en="by rank"),
    "borda": Text(zh="按名次", en="by rank"),
    "percentile": Text(zh="按百分位（名次−1）/（个数−1）", en="by percentile, (rank−1)/(n−1)"),
    "percentile_max": Text(zh="按百分位，名次/个数", en="by percentile, rank/n"),
    "exp_rank": Text(zh="按名次的指数变换", en="by an exponential transform of the rank"),
    "normal_rank": Text(zh="按名次的正态分位数", en="by the normal quantile of the rank"),
    "fraction_of_max": Text(zh="按占最大值的份额", en="by the share of the largest"),
    "distance_to_max": Text(zh="按到最大值的距离", en="by the distance to the largest"),
    "distance_to_reference": Text(zh="按到参照单位“{r}”的距离", en="by the distance to “{r}”"),
    "distance_to_target": Text(zh="按到目标 {t} 的距离", en="by the distance to {t}"),
}


def figure(value: float | None) -> str:
    """A figure as people write it: no more digits than say something; a dash where there is none."""
    if value is None or math.isnan(value):
        return NONE
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}"
    said = f"{value:.{1 if size >= 100 else 2}f}"
    said = said.rstrip("0").rstrip(".")
    return "0" if said in {"-0", ""} else said


def between(low: float | None, high: float | None) -> str:
    """An interval; a dash where there is none."""
    return NONE if low is None or high is None else f"{figure(low)}~{figure(high)}"


def with_unit(value: float | None, unit: Text) -> Text:
    """A figure with its unit; the sign of percent stands close, and many minutes are days besides."""
    said = figure(value)
    if said == NONE:
        return Text(zh=NONE, en=NONE)
    zh, en = f"{said}{_gap(unit.zh)}{unit.zh}", f"{said}{_gap(unit.en)}{unit.en}"
    if unit.en == "minutes" and value is not None and value >= 2 * DAY:
        return Text(zh=f"{zh}（{value / DAY:.1f} 天）", en=f"{en} ({value / DAY:.1f} days)")
    return Text(zh=zh, en=en)


def _gap(unit: str) -> str:
    return "" if not unit or unit.startswith("%") else " "


def measured(measure: Measure, tables: Mapping[str, FactTable]) -> Text:
    """What is counted of which table, in a phrase."""
    table = tables.get(measure.table)
    titles = {column.key: column.title for column in table.columns} if table else {}
    known = {key: titles.get(key, Text(zh=key, en=key)) for key in (measure.column, measure.date, measure.until)}
    how = Text(
        zh=COUNTED[measure.measure].zh.format(
            c=known[measure.column].zh, q=measure.quantile, d=known[measure.date].zh, u=known[measure.until].zh
        ),
        en=COUNTED[measure.measure].en.format(
            c=known[measure.column].en, q=measure.quantile, d=known[measure.date].en, u=known[measure.until].en
        ),
    )
    if measure.carry:
        how = Text(
            zh=f"{how.zh}，最多沿用 {measure.carry} 个月", en=f"{how.en}, carried on for at most {measure.carry} months"
        )
    name = table.title if table else Text(zh=measure.table, en=measure.table)
    where = worded(measure.where, titles)
    if not measure.where:
        return Text(zh=f"{name.zh}：{how.zh}", en=f"{name.en}: {how.en}")
    return Text(zh=f"{name.zh}：{how.zh}，条件是 {where.zh}", en=f"{name.en}: {how.en}, where {where.en}")


def worded(where: str, titles: Mapping[str, Text]) -> Text:
    """A condition with its columns by their titles; what stands in quotes stays as it is."""
    parts = re.split(r"('(?:[^']|'')*')", where)
    said = {"zh": "", "en": ""}
    for at, part in enumerate(parts):
        for lang, joined in (("zh", ZH), ("en", {})):
            words = part
            if at % 2 == 0:
                words = re.sub(r"[a-z_]+", lambda found, lang=lang: _column(found[0], titles, lang), words)
                for sign, instead in joined.items():
                    words = re.sub(rf"\b{sign}\b", instead, words)
            said[lang] += words
    return Text(zh=" ".join(said["zh"].split()), en=" ".join(said["en"].split()))


def _column(key: str, titles: Mapping[str, Text], lang: str) -> str:
    return f"“{titles[key].in_(lang)}”" if key in titles else key


def window(key: str) -> Text:
    """What of time belongs to a period."""
    if key.startswith("days:"):
        days = key.removeprefix("days:")
        return Text(zh=f"截至期末的 {days} 天", en=f"the {days} days up to its end")
    return WINDOWS[key]


def scored(rule: Normalising | None) -> Text:
    """How a value becomes points."""
    if rule is None:
        return Text(zh="由上一级合计", en="from what stands under it")
    low, high = rule.scale
    if rule.method == "goalposts":
        said = Text(
            zh=f"{figure(rule.low)} 得 {figure(low)} 分，{figure(rule.high)} 得 {figure(high)} 分，其间按比例",
            en=f"{figure(low)} points at {figure(rule.low)}, {figure(high)} at {figure(rule.high)}, the rest between",
        )
    elif rule.method in {"piecewise", "steps"}:
        stairs = "；".join(f"{figure(value)} → {figure(score)}" for value, score in rule.points)
        said = Text(zh=f"按档：{stairs}", en=f"by steps: {stairs.replace('；', '; ')}")
    else:
        said = METHODS[rule.method].format(
            s=rule.share, t=figure(rule.target), r=rule.reference, a=figure(low), b=figure(high)
        )
    return Text(zh=f"{said.zh}{_before(rule)[0]}", en=f"{said.en}{_before(rule)[1]}")


def _before(rule: Normalising) -> tuple[str, str]:
    zh, en = [], []
    if rule.log:
        zh.append("先取对数")
        en.append("of its logarithm")
    if rule.floor is not None or rule.cap is not None:
        zh.append(f"先限在 {between_open(rule.floor, rule.cap)}")
        en.append(f"held within {between_open(rule.floor, rule.cap)}")
    return (f"（{'，'.join(zh)}）" if zh else "", f" ({', '.join(en)})" if en else "")


def between_open(low: float | None, high: float | None) -> str:
    """A range with one end or both."""
    return f"{figure(low) if low is not None else '−∞'}~{figure(high) if high is not None else '∞'}"


def definition(indicator: Indicator, tree: Framework, tables: Mapping[str, FactTable]) -> Iterator[Line]:
    """Everything that a reader must know to count it by hand, line by line."""
    node = tree.nodes[tree.place(indicator.key)]
    above = tree.nodes[node.parent]
    share = float(tree.nominal[tree.place(indicator.key)]) * 100
    office = next((each.title for each in tree.spec.departments if each.key == indicator.department), None)
    yield Text(zh="分子", en="Numerator"), measured(indicator.numerator, tables)
    if indicator.denominator:
        yield Text(zh="分母", en="Denominator"), measured(indicator.denominator, tables)
    if indicator.per != 1:
        yield Text(zh="乘以", en="Times"), Text(zh=figure(indicator.per), en=figure(indicator.per))
    yield Text(zh="时间", en="Of what time"), window(indicator.window)
    if indicator.compare:
        yield Text(zh="比较", en="Compared"), COMPARED[indicator.compare]
    yield Text(zh="方向", en="Direction"), BETTER[indicator.better]
    yield Text(zh="计分", en="Score"), scored(node.score)
    weight = Text(
        zh=f"“{above.title.zh}”之内 {figure(node.weight)}，占整个指数的 {share:.2f}%",
        en=f"{figure(node.weight)} within “{above.title.en}”, {share:.2f}% of the whole index",
    )
    yield Text(zh="权重", en="Weight"), weight
    yield from _exceptions(indicator)
    yield Text(zh="来源", en="Comes from"), STANDING[indicator.standing]
    if office or indicator.department:
        yield (
            Text(zh="责任部门", en="Department"), office or Text(zh=indicator.department, en=indicator.department)
        )  # fmt: skip


def _exceptions(indicator: Indicator) -> Iterator[Line]:
    yield Text(zh="一行也没有时", en="Where nothing is told"), FOR_NONE[indicator.absent]
    if indicator.denominator:
        yield Text(zh="分母为 0 时", en="Where there is nothing to divide by"), FOR_NONE[indicator.zero_denominator]
    if indicator.min_denominator:
        least = figure(indicator.min_denominator)
        drawn = Text(zh="向上级的比率收缩", en="drawn to the rate of the area above")
        left = Text(zh="不单独计分", en="not scored by itself")
        what = drawn if indicator.shrink_to else left
        yield Text(zh=f"分母不足 {least} 时", en=f"With a denominator below {least}"), what


def mark(basis: Basis) -> Text | None:
    """What stands beside a basis that was not read in the original; None beside one that was."""
    if basis.verified:
        return None
    if basis.mark == "U":
        return Text(zh="未核验", en="unverified")
    return Text(zh=f"未核验 · {basis.standing.zh}", en=f"unverified · {basis.standing.en}")
