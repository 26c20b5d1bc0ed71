"""One indicator of an index: what it means, how it is counted, its values by area and period, and how sure they are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.http.response import HttpResponseBase
from django.shortcuts import render

from anlan.facts.table import TABLES
from anlan.index.counting.indicator import INDICATORS, Indicator
from anlan.index.counting.tree import parent
from anlan.index.editions import loaded
from anlan.index.editions.edition import Edition
from anlan.index.editions.loaded import Value
from anlan.index.scoring.panel import WORDS, Status
from anlan.kernel import catalogue
from anlan.kernel.text import Text
from anlan.presentation.permissions import NotFound, needs
from anlan.presentation.saying import name
from anlan.presentation.web import case_export
from anlan.presentation.web.case_export import Out
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.index import charts
from anlan.presentation.web.index import words as index_words
from anlan.presentation.web.index.asked import ACTION, Named, Sight, find, published, sight_on
from anlan.presentation.web.index.words import between, figure, with_unit
from anlan.presentation.web.lists import Column, Empty, Table, table
from anlan.presentation.web.statistics import Chart

MOST_BARS = 30
MOST_PERIODS = 13
AREA = Text(zh="辖区", en="Area")
PERIOD = Text(zh="期间", en="Period")
VALUE = Text(zh="数值", en="Value")
INTERVAL = Text(zh="90% 区间", en="90% interval")
SCORE = Text(zh="得分", en="Score")
STATE = Text(zh="情况", en="Standing")
NOTHING = Empty(
    Text(zh="这一级以下没有数", en="There is no value below this area"),
    Text(
        zh="下级辖区有了数，会按从差到好排在这里。可以换到上一级再看。",
        en="Once areas below have values they stand here, the worst first. Look one level up.",
    ),
)


@dataclass(frozen=True, slots=True)
class Told:
    """A value with what it is of: an area, or a period; `score` is what it was worth."""

    label: Any
    path: str
    value: Value
    score: float
    url: str
    cases: str
    edition: Edition


@dataclass(frozen=True, slots=True)
class Page:
    """What the page is about."""

    sight: Sight
    declared: Indicator
    here: Named
    below: list[Told]
    trend: list[Told]

    @property
    def own(self) -> Told:
        return self.trend[-1]


@needs(ACTION)
def indicator(request: Asked, index: str, period: str, key: str) -> HttpResponseBase:
    """The indicator for an area: definition, the areas below, the periods before, and the way to its cases."""
    made = page(request, index, period, key)
    if request.GET.get("file") == "xlsx":
        return _excel(made)
    own, unit = made.own, made.declared.unit
    said = {
        "title": made.declared.title, "made": made, "own": own, "here": name(made.here),
        "value": with_unit(own.value.value, unit), "interval": between(own.value.low, own.value.high),
        "score": charts.figure(own.score), "status": _standing(own.value), "node": _node(made),
        "definition": _definition(made), "department_url": _department(made),
        "mark": index_words.mark(made.declared.basis), "sources": sources(made.sight, key),
        "chart": _areas_chart(made), "trend": _trend_chart(made), "empty": NOTHING,
        "crumbs": made.sight.crumbs((name(made.here), made.sight.area_url(made.here.path)), (made.declared.title, "")),
    }  # fmt: skip
    return render(request, "index/indicator.html", said)


def page(request: Asked, index: str, period: str, key: str) -> Page:
    """The indicator of the address. Raises NotFound."""
    sight = find(request, index, period)
    declared, here = sight.indicators.get(key), sight.scope(request)
    if declared is None or here is None:
        raise NotFound
    values = loaded.values(sight.edition).of_indicator(key)
    paths = [path for path in values if parent(path) == here.path and sight.sees(path)]
    below = [_told(sight, key, path, values[path], name(sight.named(path))) for path in paths]
    below.sort(key=lambda each: _badness(declared, each.value), reverse=True)
    return Page(sight, declared, here, below, _trend(request, sight, key, here))


def _badness(declared: Indicator, value: Value) -> float:
    if value.value is None:
        return -math.inf
    return value.value if declared.better == "down" else -value.value


def _told(sight: Sight, key: str, path: str, value: Value, label: Any) -> Told:
    code = sight.named(path).code
    urls = sight.url("index_indicator", key, area=code), sight.url("index_cases", key, area=code)
    return Told(label, path, value, _score(sight, key, path), *urls, sight.edition)


def _score(sight: Sight, key: str, path: str) -> float:
    row = sight.scores.place.get(path)
    return math.nan if row is None else float(sight.scores.score[row, sight.framework.place(key)])


def _trend(request: Asked, sight: Sight, key: str, here: Named) -> list[Told]:
    """The value of the area in each published period up to this one, the oldest first; this edition is the last."""
    earlier = [each for each in published(sight.index) if each.period < sight.period]
    found = []
    for edition in [*earlier[-(MOST_PERIODS - 1) :], sight.edition]:
        other = sight_on(sight, edition)
        rows = edition.values(area_path=here.path, indicator=key).to_pylist()
        value = _value(rows[0]) if rows else Value(None, None, None, Status.MISSING, None, None)
        [score] = [row["score"] for row in edition.scores(area_path=here.path, node=key).to_pylist()] or [None]
        urls = other.url("index_indicator", key, area=here.code), other.url("index_cases", key, area=here.code)
        label = edition.period.words
        found.append(Told(label, here.path, value, math.nan if score is None else score, *urls, edition))
    return found


def _value(row: dict[str, Any]) -> Value:
    status = Status(row["status"])
    return Value(row["numerator"], row["denominator"], row["value"], status, row["low"], row["high"])


def _definition(made: Page) -> list[index_words.Line]:
    tables = catalogue.current().all(TABLES)
    return list(index_words.definition(made.declared, made.sight.framework, tables))


def _department(made: Page) -> str:
    """Where the scorecard of the department that answers for it is; "" where none does."""
    key = made.declared.department
    named = key in {each.key for each in made.sight.spec.departments}
    return made.sight.url("index_card", f"department-{key}", area=made.here.code) if named else ""


def _standing(value: Value) -> Text | None:
    return None if value.status is Status.PRESENT else WORDS[value.status]


@dataclass(frozen=True, slots=True)
class Weighed:
    """What the indicator counted for in the area: its share of the whole, and the points it cost."""

    weight: str
    lost: str


def _node(made: Page) -> Weighed | None:
    scores, row = made.sight.scores, made.sight.scores.place.get(made.here.path)
    if row is None:
        return None
    at = made.sight.framework.place(made.declared.key)
    weight, lost = float(scores.weight[row, at]), float(scores.lost[row, at])
    return Weighed(figure(weight * 100), charts.figure(lost)) if lost == lost else None  # noqa: PLR0124  NaN


# ---------------------------------------------------------------- how it was declared


@dataclass(frozen=True, slots=True)
class Source:
    """A file as it stands: its name, what it is, and its text."""

    title: Text
    file: str
    text: str


def sources(sight: Sight, key: str) -> list[Source]:
    """The declaration that counted in this edition, and the plain SQL written beside it, where there is one."""
    declared = sight.edition.spec().origin(INDICATORS, key)
    found = [Source(Text(zh="声明", en="The declaration"), declared.name, declared.read_text(encoding="utf-8"))]
    now = catalogue.current()
    beside = [declared.with_suffix(".sql")]
    if key in now.all(INDICATORS):
        beside.append(now.origin(INDICATORS, key).with_suffix(".sql"))
    written = next((path for path in beside if path.is_file()), None)
    return [*found, _sql(written)] if written else found


def _sql(path: Path) -> Source:
    title = Text(zh="同一个数的 SQL（另行写成，用来核对）", en="The same figure as SQL, written apart to check it")
    return Source(title, path.name, path.read_text(encoding="utf-8"))


# ---------------------------------------------------------------- charts, each with its table


def _columns(declared: Indicator, first: Text) -> Sequence[Column]:
    return (
        Column(first, lambda each: each.label),
        Column(
            Text(zh=f"{VALUE.zh}（{declared.unit.zh}）", en=f"{VALUE.en} ({declared.unit.en})"),
            lambda each: figure(each.value.value), sub=_over, css="num",
        ),
        Column(INTERVAL, lambda each: between(each.value.low, each.value.high), css="num"),
        Column(SCORE, lambda each: charts.figure(each.score), css="num"),
        Column(STATE, lambda each: WORDS[each.value.status]),
    )  # fmt: skip


def _over(each: Told) -> str | None:
    if each.value.numerator is None:
        return None
    under = f" / {figure(each.value.denominator)}" if each.value.denominator is not None else ""
    return figure(each.value.numerator) + under


def _chart(made: Page, key: str, title: Text, rows: list[Told], twin: Table, kind: str, labels: list[Any]) -> Chart:
    series: dict[str, Any] = {
        "name": name(made.declared.title), "values": [_rounded(each.value.value) for each in rows],
    }  # fmt: skip
    words = Text(zh=f"单位：{made.declared.unit.zh}。", en=f"Unit: {made.declared.unit.en}.")
    if any(each.value.low is not None for each in rows):
        series |= {end: [_rounded(getattr(each.value, end)) for each in rows] for end in ("low", "high")}
        words = Text(
            zh=f"{words.zh}细线是 90% 区间：数小的地方本来就会上下跳。",
            en=f"{words.en} The thin line is the 90% interval: small numbers jump by themselves.",
        )
    elif any(each.value.value is not None for each in rows):
        words = Text(
            zh=f"{words.zh}这个数没有区间：数小的地方，差别可能只是偶然。",
            en=f"{words.en} No interval is known for it: where numbers are small a difference may be chance.",
        )
    percent = "%" if made.declared.unit.zh.startswith("%") else ""
    said = {"kind": kind, "unit": percent, "labels": labels, "series": [series]}
    export = made.sight.url("index_indicator", made.declared.key, area=made.here.code, file="xlsx")
    return Chart(key, title, said, twin, words, export)


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")


def _areas_chart(made: Page) -> Chart | None:
    shown = [each for each in made.below if each.value.value is not None][:MOST_BARS]
    if not shown:
        return None
    twin = table(
        made.below, _columns(made.declared, AREA), caption=made.declared.title, url=lambda each: each.url,
        quiet_caption=True,
    )  # fmt: skip
    return _chart(made, "by-area", worst(made, shown), shown, twin, "ranked", [each.label for each in shown])


def worst(made: Page, shown: Sequence[Told]) -> Text:
    """What the areas show: who is worst, unless the intervals say that this cannot be told."""
    first, unit = shown[0], made.declared.unit
    said, whole = with_unit(first.value.value, unit), with_unit(made.own.value.value, unit)
    here = name(made.here)
    if len(shown) == 1:
        return Text(zh=f"只有{first.label}有数：{said.zh}", en=f"Only {first.label} has a value: {said.en}")
    if not _apart(first.value, shown[1].value):
        return Text(
            zh=f"{here}整体 {whole.zh}；最差的几个地方差距在误差之内，分不出先后",
            en=f"{here} {whole.en} overall; the worst areas lie within each other's intervals and cannot be told apart",
        )
    return Text(
        zh=f"{first.label}最差：{said.zh}；{here}整体 {whole.zh}",
        en=f"{first.label} does worst: {said.en}; {here} {whole.en} overall",
    )


def _apart(one: Value, other: Value) -> bool:
    """Whether two values differ by more than their intervals; without intervals, whether they differ at all."""
    if None in (one.low, one.high, other.low, other.high):
        return one.value != other.value
    assert one.low is not None  # for the type checker; asked above
    assert one.high is not None
    assert other.low is not None
    assert other.high is not None
    return one.low > other.high or other.low > one.high


def _trend_chart(made: Page) -> Chart:
    twin = table(
        reversed(made.trend), _columns(made.declared, PERIOD), caption=made.declared.title,
        url=lambda each: each.url, quiet_caption=True,
    )  # fmt: skip
    labels = [each.edition.period.name for each in made.trend]
    return _chart(made, "by-period", _moved(made), made.trend, twin, "line", labels)


def _moved(made: Page) -> Text:
    """What the periods show: better or worse than before, and whether that is more than chance."""
    here, unit, now = name(made.here), made.declared.unit, made.own
    said = with_unit(now.value.value, unit)
    before = made.trend[-2] if len(made.trend) > 1 else None
    if now.value.value is None:
        return Text(zh=f"{here}本期没有数", en=f"{here} has no value in this period")
    if before is None or before.value.value is None:
        return Text(zh=f"{here}本期 {said.zh}，前面没有可比的", en=f"{here} {said.en}; nothing before to compare with")
    change = now.value.value - before.value.value
    if change == 0:
        return Text(zh=f"{here} {said.zh}，与上期相同", en=f"{here} {said.en}, as in the period before")
    better = (change > 0) == (made.declared.better == "up")
    way = Text(zh="变好", en="better") if better else Text(zh="变差", en="worse")
    sure = _apart(now.value, before.value)
    doubt = Text(zh="", en="") if sure else Text(zh="，但在误差之内", en=", though within the interval")
    was = with_unit(before.value.value, unit)
    return Text(
        zh=f"{here}比上期{way.zh}：{was.zh} → {said.zh}{doubt.zh}",
        en=f"{here} did {way.en} than before: {was.en} → {said.en}{doubt.en}",
    )


def _excel(made: Page) -> HttpResponseBase:
    outs = [
        Out(AREA, lambda each: name(made.sight.named(each.path)), 24),
        Out(PERIOD, lambda each: each.edition.period.name),
        Out(Text(zh="分子", en="Numerator"), lambda each: each.value.numerator),
        Out(Text(zh="分母", en="Denominator"), lambda each: each.value.denominator),
        Out(VALUE, lambda each: each.value.value),
        Out(Text(zh="区间下限", en="Interval from"), lambda each: each.value.low),
        Out(Text(zh="区间上限", en="Interval to"), lambda each: each.value.high),
        Out(SCORE, lambda each: None if math.isnan(each.score) else each.score),
        Out(STATE, lambda each: WORDS[each.value.status]),
    ]
    file = f"{made.declared.key}-{made.sight.period.name}-{made.here.code}.xlsx"
    return case_export.excel(file, outs, [*made.below, *reversed(made.trend)])
