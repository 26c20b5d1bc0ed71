"""Can a score be trusted: signals beside it and never in it, the cases they point at, and a sample to look at again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from anlan.casework.models import Case
from anlan.facts.table import TABLES
from anlan.index.counting import behind
from anlan.index.counting.behind import Rows
from anlan.index.counting.tree import parent
from anlan.index.rulebook.integrity import WORDS, Raised
from anlan.index.rulebook.signal import SIGNALS, Signal
from anlan.kernel import catalogue
from anlan.kernel.text import Text
from anlan.presentation.permissions import NotFound, needs
from anlan.presentation.saying import name, say
from anlan.presentation.web.case_rows import lean, named, rows_of
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.index import recheck, words
from anlan.presentation.web.index.asked import ACTION, Named, Sight, find
from anlan.presentation.web.index.cases import NO_CASES, NO_ROWS, paged, seen
from anlan.presentation.web.index.trust import PAGES, tabs
from anlan.presentation.web.lists import Cell, Column, Empty, Table, table

TITLE: Final = PAGES["index_integrity"]
LIGHTS: Final[dict[Raised, str]] = {"few": "none", "quiet": "ok", "watch": "soon", "raised": "late"}
ORDER: Final[tuple[Raised, ...]] = ("raised", "watch", "quiet", "few")
FIRST_CASE: Final = "first_case"
FIRST: Final = Text(zh="这张照片最早用在", en="The photo was given first with")
BEYOND: Final = Text(zh="不在您职责内的事项", en="a case beyond your reach")
NO_SIGNALS: Final = Empty(
    Text(zh="这一版没有信号", en="This edition has no signals"),
    Text(
        zh="信号写在 signals 文件夹里，一个文件一条；再出一版时，会和得分一起算出来放在这里。",
        en="Signals are declared in the folder `signals`, one file each; with the next edition they are worked out "
        "beside the scores and stand here.",
    ),
)


@dataclass(frozen=True, slots=True)
class Read:
    """A signal of the area: what it says, its share with interval, and where its cases are."""

    signal: Signal
    raised: Raised
    word: Text
    light: str
    share: str
    interval: str
    counts: str
    threshold: str
    url: str


@needs(ACTION)
def index_integrity(request: Asked, index: str, period: str) -> HttpResponseBase:
    """The signals of an area and the areas below it; with `?signal=` the cases that one points at."""
    sight = find(request, index, period)
    here = sight.scope(request)
    if here is None:
        raise NotFound
    signals = declared(sight)
    if request.GET.get("signal"):
        return _behind(request, sight, here, signals)
    rows = {row["signal"]: row for row in sight.edition.signals(area_path=here.path).to_pylist()}
    reads = [_read(sight, here, each, rows[key]) for key, each in signals.items() if key in rows]
    reads.sort(key=lambda each: ORDER.index(each.raised))
    said = {
        "title": TITLE, "sight": sight, "here": name(here), "reads": reads, "finding": finding(reads),
        "empty": NO_SIGNALS, "below": _below(sight, here, signals), "trust": tabs(sight, "index_integrity"),
        "crumbs": sight.crumbs((name(here), sight.area_url(here.path)), (TITLE, "")),
    }  # fmt: skip
    return render(request, "index/integrity.html", said | recheck.panel(request, sight, here))


def declared(sight: Sight) -> dict[str, Signal]:
    """The signals of the edition, in their order."""
    found = sight.edition.spec().all(SIGNALS)
    return dict(sorted(found.items(), key=lambda each: (each[1].order, each[0])))


def _read(sight: Sight, here: Named, signal: Signal, row: Mapping[str, Any]) -> Read:
    raised: Raised = row["raised"]
    interval = "–" if row["low"] is None else f"{_percent(row['low'])}~{_percent(row['high'])}"
    counts = f"{words.figure(row['above'])}/{words.figure(row['below'])}"
    url = sight.url("index_integrity", area=here.code, signal=signal.key) if row["above"] else ""
    return Read(
        signal, raised, WORDS[raised], LIGHTS[raised], _percent(row["share"]), interval, counts,
        _percent(signal.threshold), url,
    )  # fmt: skip


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share * 100:.1f}%".replace("-", "−")


def finding(reads: Sequence[Read]) -> Text:
    """What the signals say together."""
    counts = Counter(each.raised for each in reads)
    if not reads:
        return NO_SIGNALS.title
    if counts["raised"]:
        first = next(each.signal.title for each in reads if each.raised == "raised")
        return Text(
            zh=f"{len(reads)} 个信号中 {counts['raised']} 个异常：{first.zh}",
            en=f"{counts['raised']} of {len(reads)} signals are unusual: {first.en}",
        )
    if counts["watch"]:
        return Text(
            zh=f"{len(reads)} 个信号中 {counts['watch']} 个偏高，数量还不足以断定",
            en=f"{counts['watch']} of {len(reads)} signals are high, but too few to be sure",
        )
    if counts["few"]:
        return Text(
            zh=f"{len(reads)} 个信号中 {counts['quiet']} 个未见异常，{counts['few']} 个数量太少，看不出",
            en=f"Of {len(reads)} signals {counts['quiet']} show nothing unusual; {counts['few']} have too little",
        )
    return Text(zh=f"{len(reads)} 个信号都未见异常", en=f"Nothing unusual in {len(reads)} signals")


def _below(sight: Sight, here: Named, signals: Mapping[str, Signal]) -> Table | None:
    """What each signal says of the areas right below, those with most that is unusual first."""
    told: dict[str, dict[str, dict[str, Any]]] = {}
    for row in sight.edition.signals().to_pylist():
        if parent(row["area_path"]) == here.path:
            told.setdefault(row["area_path"], {})[row["signal"]] = row
    if not told:
        return None
    paths = sorted(told, key=lambda path: (-_unusual(told[path]), path))
    columns = [Column(Text(zh="辖区", en="Area"), lambda path: name(sight.named(path)))]
    columns += [Column(each.title, _cell(told, key)) for key, each in signals.items()]
    return table(
        paths, columns, caption=Text(zh="各信号在下级辖区怎么说", en="What each signal says below"), wide=True,
        url=lambda path: sight.url("index_integrity", area=sight.named(path).code),
    )  # fmt: skip


def _unusual(rows: Mapping[str, Mapping[str, Any]]) -> float:
    return sum({"raised": 1.0, "watch": 0.1}.get(row["raised"], 0.0) for row in rows.values())


def _cell(told: Mapping[str, Mapping[str, Mapping[str, Any]]], key: str) -> Any:
    def said(path: str) -> SafeString | str:
        row = told[path].get(key)
        if row is None:
            return "–"
        return format_html(
            '<span><span class="light light-{}">{}</span> {}</span>', LIGHTS[row["raised"]], say(WORDS[row["raised"]]),
            _percent(row["share"]),
        )  # fmt: skip

    return said


# ---------------------------------------------------------------- the cases


def _behind(request: Asked, sight: Sight, here: Named, signals: Mapping[str, Signal]) -> HttpResponseBase:
    signal = signals.get(request.GET["signal"])
    if signal is None:
        raise NotFound
    tables = catalogue.current().all(TABLES)
    rows = behind.counted(sight.edition.facts, tables, signal.part.numerator, here.path, sight.period)
    ids = rows.cases
    mine = seen(request.reach, ids)
    shown = _cases(request, ids, [str(each) for each in mine])
    _beside(request, shown, rows)
    back = sight.url("index_integrity", area=here.code)
    said = {
        "title": signal.title, "summary": signal.summary, "ask": signal.ask, "here": name(here), "sight": sight,
        "table": shown, "crumbs": sight.crumbs((TITLE, back), (signal.title, "")),
    }  # fmt: skip
    return render(request, "index/signal.html", said)


def _beside(request: Asked, shown: Table, rows: Rows) -> None:
    """Where rows name the case that had the same picture first: that case beside each, for those who may see it."""
    if FIRST_CASE not in rows.found.column_names:
        return
    pairs = zip(*(rows.found[key].to_pylist() for key in (behind.CASE, FIRST_CASE)), strict=True)
    firsts = dict(pairs)
    mine = seen(request.reach, [firsts[row.key] for row in shown.rows if firsts.get(row.key)])
    numbers = {str(pk): number for pk, number in Case.objects.filter(pk__in=mine).values_list("pk", "number")}
    column = Column(FIRST, lambda row: row)
    shown.columns = [*shown.columns, column]
    for row in shown.rows:
        number = numbers.get(firsts.get(row.key, ""), "")
        address = reverse("case", args=[number]) if number else ""
        link = format_html('<a href="{}">{}</a>', address, number) if number else say(BEYOND)
        row.cells.append(Cell(column, link, None))


def _cases(request: Asked, ids: Sequence[str], mine: Sequence[str]) -> Table:
    page, shown = paged(request, mine)
    held = {str(case.pk): case for case in named(list(lean(Case.objects.filter(pk__in=shown))))}
    many = len(ids)
    caption = Text(zh=f"{many:,} 件事项", en=f"{many:,} {'case' if many == 1 else 'cases'}")
    if len(mine) < many:
        caption = Text(
            zh=f"{caption.zh}，您能看到其中 {len(mine):,} 件", en=f"{caption.en}, of which you may see {len(mine):,}"
        )
    found = [held[each] for each in shown if each in held]
    return rows_of(found, caption=caption, now=request.at, empty=NO_CASES if ids else NO_ROWS, page=page)
