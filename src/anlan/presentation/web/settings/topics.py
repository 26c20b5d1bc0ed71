"""类别建议: how topics are guessed from words, and how often that is right in this town."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from anlan.intake import suggestion, topic_model
from anlan.kernel.text import Text
from anlan.presentation.permissions import needs
from anlan.presentation.web.case_rows import topic_title
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.lists import Column, Empty, table
from anlan.presentation.web.reference import SETTINGS

TITLE = Text(zh="类别建议", en="Topic suggestions")
NOTHING = Empty(
    Text(zh="还没有学习过", en="Nothing learned yet"),
    Text(
        zh="现在只按类别里登记的说法猜。办结的事项够多以后，后台会自己学，也可以执行 anlan topics learn。",
        en="Topics are guessed from the words declared with them. Once enough cases are closed the loops learn by "
        "themselves; or run anlan topics learn.",
    ),
)


@dataclass(frozen=True, slots=True)
class Line:
    """How often the suggestions were right for one group of reports."""

    name: Text
    reports: int
    first: str
    shown: str


@needs("procedures.see")
def learned(request: Asked) -> HttpResponse:
    """What the latest cases say of the suggestions: in all, by topic, and by how sure they were."""
    latest, how = topic_model.latest(), suggestion.declared()
    judged = latest.judged if latest else None
    said = {
        "title": TITLE, "crumbs": [(SETTINGS, reverse("settings")), (TITLE, "")], "how": how, "judged": judged,
        "certain": f"{how.certain:.0%}", "learned_at": latest.made_at if latest else None,
        "sure": _sure(judged), "tables": _tables(judged),
    }  # fmt: skip
    return render(request, "settings/topics_learned.html", said)


def _sure(judged: dict[str, Any] | None) -> str:
    many, right = judged["certain"] if judged else (0, 0)
    return f"{right} / {many}"


def _tables(judged: dict[str, Any] | None) -> list[Any]:
    whole = Text(zh="总体", en="In all")
    if judged is None:
        return [table([], _COLUMNS, caption=whole, empty=NOTHING)]
    lines = [
        Line(Text(zh="学习之后", en="After learning"), **_shares(judged["learned"])),
        Line(Text(zh="只按登记的说法", en="By declared words alone"), **_shares(judged["words"])),
    ]
    each = [Line(topic_title(key), **_shares(right)) for key, right in judged["topics"].items()]
    each.sort(key=lambda line: -line.reports)
    steps = [
        (f"{step['low']:.0%}+", step["reports"], _share(step["right"], step["reports"])) for step in judged["steps"]
    ]
    return [
        table(lines, _COLUMNS, caption=whole),
        table(steps, _STEPS, caption=Text(zh="说有多大把握，实际对多少", en="How sure, and how often right")),
        table(each, _COLUMNS, caption=Text(zh="按类别", en="By topic")),
    ]


_COLUMNS = (
    Column(Text(zh="检验对象", en="Judged on"), lambda line: line.name),
    Column(Text(zh="件数", en="Reports"), lambda line: line.reports),
    Column(Text(zh="首选对", en="First right"), lambda line: line.first),
    Column(Text(zh="前几名里有", en="Among those shown"), lambda line: line.shown),
)
_STEPS = (
    Column(Text(zh="把握", en="How sure"), lambda row: row[0]),
    Column(Text(zh="件数", en="Reports"), lambda row: row[1]),
    Column(Text(zh="确实对", en="Was right"), lambda row: row[2]),
)


def _shares(right: dict[str, int]) -> dict[str, Any]:
    whole = right["reports"]
    return {"reports": whole, "first": _share(right["first"], whole), "shown": _share(right["shown"], whole)}


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "–"
