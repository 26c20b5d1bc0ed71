"""The list behind a figure of an index: the very cases that were counted in it, or the figures as they were told.

Everybody learns how many there are; each case opens to those within whose reach it lies.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.http.response import HttpResponseBase
from django.shortcuts import render

from anlan.casework import cases
from anlan.casework.models import Case
from anlan.facts.table import TABLES, FactTable
from anlan.index.counting import behind
from anlan.index.counting.behind import NoRows, Part, Rows
from anlan.index.counting.indicator import Indicator
from anlan.index.editions import loaded
from anlan.index.editions.loaded import Value
from anlan.index.scoring.panel import Status
from anlan.kernel import catalogue
from anlan.kernel.text import Text
from anlan.places.scope import Reach
from anlan.presentation.permissions import NotFound, needs
from anlan.presentation.saying import name
from anlan.presentation.web import case_export
from anlan.presentation.web.case_rows import lean, named, rows_of, with_names
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.index import words as index_words
from anlan.presentation.web.index.asked import ACTION, Named, Sight, find
from anlan.presentation.web.lists import Column, Empty, Page, Table, table

SIZE: Final = 50
MOST: Final = 20_000
AT_ONCE: Final = 2_000
PARTS: Final[dict[Part, Text]] = {
    "numerator": Text(zh="算进分子的", en="In the numerator"),
    "rest": Text(zh="没做到的（在分母、不在分子）", en="What fell short (below the line, not above)"),
    "denominator": Text(zh="算进分母的", en="In the denominator"),
}
COUNTED: Final = Text(zh="算进这个数的", en="Counted in this figure")
NO_CASES: Final = Empty(
    Text(zh="这个数里没有您能打开的事项", en="There is no case here that you may open"),
    Text(
        zh="数是公开的，事项只向辖区和职责之内的人打开。需要看时，请与事项所在辖区联系。",
        en="The figure is everybody's; a case opens only to those within whose area or duties it lies. "
        "Ask the area in which it lies.",
    ),
)
NO_ROWS: Final = Empty(
    Text(zh="一件也没有", en="Nothing at all"),
    Text(zh="这一期没有一行算进这个数。可以换到分母，或换一期再看。",
         en="Not one row of this period counts in it. Look at the denominator, or at another period."),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Made:
    """What the page is about: the rows behind one part of a figure of an area."""

    sight: Sight
    declared: Indicator
    here: Named
    value: Value
    part: Part
    rows: Rows

    def url(self, **query: str) -> str:
        return self.sight.url("index_cases", self.declared.key, area=self.here.code, **query)


@needs(ACTION)
def index_cases(request: Asked, index: str, period: str, key: str) -> HttpResponseBase:
    """The cases in a figure, or what else it was counted from; with `?file=xlsx` those one may take out."""
    try:
        made = _made(request, index, period, key)
    except NoRows as refusal:
        return _nothing(request, index, period, key, refusal.text)
    ids = made.rows.cases[:MOST]
    if request.GET.get("file") == "xlsx" and ids:
        return _excel(request, made, ids)
    said = {
        "title": made.declared.title, "words": made.sight.period.words, "summary": made.declared.summary,
        "here": name(made.here), "made": made, "tabs": list(_tabs(made)),
        "agrees": agrees(made), "crumbs": made.sight.crumbs(
            (made.declared.title, made.sight.url("index_indicator", key, area=made.here.code)),
            (Text(zh="背后的事项", en="Behind it"), ""),
        ),
    }  # fmt: skip
    if made.declared.numerator.told:
        return render(request, "index/cases.html", said | {"table": _figures(made)})
    if behind.CASE in made.rows.found.column_names:
        return render(request, "index/cases.html", said | _cases(request, made, ids))
    return render(request, "index/cases.html", said | _other(request, made))


def _nothing(request: Asked, index: str, period: str, key: str, why: Text) -> HttpResponseBase:
    """The page of an edition that keeps no facts of the table."""
    sight = find(request, index, period)
    declared, here = sight.indicators[key], sight.scope(request)
    back = sight.url("index_indicator", key, **({"area": here.code} if here else {}))
    words = Text(zh="看不到背后的行", en="The rows behind it are not kept")
    act = Text(zh="回到指标", en="Back to the indicator")
    shown = table([], (), caption=COUNTED, empty=Empty(words, why, back, act))
    said = {
        "title": declared.title, "here": name(here), "words": sight.period.words, "summary": declared.summary,
        "table": shown, "crumbs": sight.crumbs((declared.title, back), (Text(zh="背后的事项", en="Behind it"), "")),
    }  # fmt: skip
    return render(request, "index/cases.html", said)


def _made(request: Asked, index: str, period: str, key: str) -> Made:
    sight = find(request, index, period)
    declared, here = sight.indicators.get(key), sight.scope(request)
    if declared is None or here is None:
        raise NotFound
    nothing = Value(None, None, None, Status.MISSING, None, None)
    value = loaded.values(sight.edition).of_area(here.path).get(key, nothing)
    part = _part(request, declared, value)
    tables = catalogue.current().all(TABLES)
    rows = behind.rows(sight.edition.facts, tables, declared, here.path, sight.period, part)
    return Made(sight, declared, here, value, part, rows)


def _part(request: Asked, declared: Indicator, value: Value) -> Part:
    """What the address asks for; else what a person comes for: that which pulls the figure down."""
    given = request.GET.get("of", "")
    offered = dict(_offered(declared, value))
    if given in PARTS and given in offered:
        return given
    return "rest" if declared.better == "up" and offered.get("rest") else "numerator"


def _offered(declared: Indicator, value: Value) -> Iterator[tuple[Part, float | None]]:
    """The parts that can be shown, with how many rows each has where that is known."""
    counted = declared.numerator.measure in {"count", "stock"} and not declared.compare
    yield "numerator", value.numerator if counted else None
    if behind.can_tell_rest(declared):
        known = value.denominator is not None and value.numerator is not None
        yield "rest", (value.denominator or 0) - (value.numerator or 0) if known else None
    if declared.denominator:
        countable = declared.denominator.measure in {"count", "stock"} and not declared.compare
        yield "denominator", value.denominator if countable else None


def _tabs(made: Made) -> Iterator[tuple[Text, str, bool]]:
    offered = list(_offered(made.declared, made.value))
    for part, count in offered if len(offered) > 1 else ():
        words = PARTS[part]
        many = f" {index_words.figure(count)}" if count is not None else ""
        yield Text(zh=words.zh + many, en=words.en + many), made.url(of=part), part == made.part


def agrees(made: Made) -> Text | None:
    """Whether the rows that are kept give the figure that was published; None where rows are not simply counted."""
    known = dict(_offered(made.declared, made.value)).get(made.part)
    if known is None:
        return None
    said, found = index_words.figure(known), f"{made.rows.count:,}"
    if known == made.rows.count:
        return Text(
            zh=f"公布的是 {said}，按封存的事实重数也是 {found}。",
            en=f"{said} was published, and counting the kept facts again gives {found}.",
        )
    return Text(
        zh=f"公布的是 {said}，按封存的事实重数是 {found}：对不上，请到“版本”页重放核对。",
        en=f"{said} was published, but counting the kept facts again gives {found}: replay it on the page of editions.",
    )


# ---------------------------------------------------------------- cases


def seen(reach: Reach, ids: Sequence[str], action: str = "cases.see") -> list[UUID]:
    """Those of the cases on which somebody may do `action`, in the order given."""
    asked = [UUID(each) for each in ids]
    held: set[UUID] = set()
    for part in _chunks(asked):
        held |= set(cases.visible(reach, action).filter(pk__in=part).values_list("pk", flat=True))
    return [each for each in asked if each in held]


def _chunks(ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    yield from (ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE))


def _cases(request: Asked, made: Made, ids: Sequence[str]) -> dict[str, Any]:
    mine = seen(request.reach, ids)
    page, shown = paged(request, mine)
    held = {case.pk: case for case in named(list(lean(Case.objects.filter(pk__in=shown))))}
    found = rows_of(
        [held[pk] for pk in shown if pk in held], caption=_said(made, len(ids), len(mine)), now=request.at,
        empty=NO_CASES if ids else NO_ROWS, page=page,
    )  # fmt: skip
    file = made.url(of=made.part, file="xlsx") if mine and request.reach.may("cases.export") else ""
    return {"table": found, "finding": _said(made, len(ids), len(mine)), "export_url": file}


def paged(request: Asked, found: Sequence[Any]) -> tuple[Page, list[Any]]:
    """One page of what is in hand, by place."""
    given = request.GET.get("after") or request.GET.get("before") or "0"
    start = int(given) if given.isdecimal() and len(given) < 9 and int(given) < len(found) else 0
    shown = list(found[start : start + SIZE])
    after = str(start + SIZE) if start + SIZE < len(found) else ""
    return Page(shown, str(max(0, start - SIZE)) if start else "", after), shown


def _said(made: Made, many: int, mine: int) -> Text:
    """How many cases there are, and how many of them open."""
    rows = made.rows.count
    cut = (
        Text(zh="（只列最近的）", en=" (the latest are listed)") if len(made.rows.cases) > many else Text(zh="", en="")
    )
    whole = Text(zh=f"{many:,} 件事项{cut.zh}", en=f"{many:,} {'case' if many == 1 else 'cases'}{cut.en}")
    if rows != many:
        whole = Text(zh=f"{rows:,} 行，来自 {whole.zh}", en=f"{rows:,} rows, of {whole.en}")
    if mine == many:
        return whole
    return Text(zh=f"{whole.zh}，您能看到其中 {mine:,} 件", en=f"{whole.en}, of which you may see {mine:,}")


def _excel(request: Asked, made: Made, ids: Sequence[str]) -> HttpResponseBase:
    if not request.reach.may("cases.export"):
        raise NotFound
    mine = seen(request.reach, ids, "cases.export")
    order = {pk: place for place, pk in enumerate(mine)}
    found: list[Case] = []
    for part in _chunks(mine):
        found += with_names(Case.objects.filter(pk__in=part))
    found.sort(key=lambda case: order[case.pk])
    file = f"{made.declared.key}-{made.sight.period.name}-{made.here.code}-{made.part}.xlsx"
    return case_export.excel(file, case_export.columns(request.at), found)


# ---------------------------------------------------------------- figures told, and rows that are no cases


def _figures(made: Made) -> Table:
    """Figures as they were told, each with its source and what it was before it was corrected; the newest first."""
    rows = sorted(made.rows.found.to_pylist(), key=lambda row: (row["area_path"], row["version"]), reverse=True)
    rows.sort(key=lambda row: row["period_date"], reverse=True)
    columns = (
        Column(Text(zh="辖区", en="Area"), lambda row: name(made.sight.named(row["area_path"]))),
        Column(Text(zh="数", en="Figure"), lambda row: row["figure"]),
        Column(Text(zh="时期", en="Period"), lambda row: row["period"]),
        Column(Text(zh="数值", en="Value"), _amount, css="num"),
        Column(Text(zh="来源", en="Source"), lambda row: row["source"], sub=partial(_held, "told_at")),
        Column(Text(zh="版本", en="Version"), _version),
    )
    empty = Empty(
        Text(zh="没有报送过这个数", en="This figure was never told"),
        Text(
            zh="在“导入”里上传统计数表，报送之后会列在这里，更正过的旧数也在。",
            en="Upload a sheet of statistics under Imports; what is told stands here, with what it was corrected from.",
        ),
    )
    shown = [row for row in rows if made.sight.sees(row["area_path"])]
    return table(shown, columns, caption=COUNTED, empty=empty)


def _amount(row: Mapping[str, Any]) -> Text:
    unit = str(row["unit"] or "")
    return index_words.with_unit(row["value"], Text(zh=unit, en=unit))


def _version(row: Mapping[str, Any]) -> Text:
    number = row["version"]
    if row["current"]:
        return Text(zh=f"第 {number} 版 · 现行", en=f"{number} · in force")
    return Text(zh=f"第 {number} 版 · 已更正", en=f"{number} · since corrected")


def _other(request: Asked, made: Made) -> dict[str, Any]:
    """Rows that are about no case, those within one's own areas, with all that may be shown of them."""
    rows = made.rows.found.to_pylist()
    mine = [row for row in rows if made.sight.holds(row["area_path"])]
    page, shown = paged(request, mine)
    title = made.rows.table.title
    finding = Text(zh=f"{title.zh} {len(rows):,} 行", en=f"{title.en}: {len(rows):,} rows")
    if len(mine) < len(rows):
        finding = Text(
            zh=f"{finding.zh}，您能看到其中 {len(mine):,} 行", en=f"{finding.en}, of which you may see {len(mine):,}"
        )
    found = table(
        shown, list(_columns(made.sight, made.rows.table, rows)), caption=finding, page=page,
        empty=NO_CASES if rows else NO_ROWS, wide=True,
    )  # fmt: skip
    return {"table": found, "finding": finding}


def _columns(sight: Sight, declared: FactTable, rows: Sequence[Mapping[str, Any]]) -> Iterator[Column]:
    """The columns of which any row says something; an area by its name."""
    for column in declared.columns:
        if not any(row.get(column.key) not in (None, "") for row in rows):
            continue
        if column.key == behind.AREA:
            yield Column(column.title, lambda row: name(sight.named(row[behind.AREA])))
        else:
            yield Column(column.title, partial(_held, column.key))


def _held(key: str, row: Mapping[str, Any]) -> Any:
    """What a cell holds; a moment of the facts, which is UTC without saying so, as one that says so."""
    value = row.get(key)
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value
