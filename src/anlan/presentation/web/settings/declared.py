"""What is declared in files: every kind, each declaration with its file and how its ground was checked. Read only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from pydantic import BaseModel

from anlan.casework import draw
from anlan.casework.procedure import Procedure
from anlan.kernel import catalogue
from anlan.kernel.catalogue import Basis, Declaration, Kind
from anlan.kernel.text import Text
from anlan.presentation.permissions import NotFound, needs
from anlan.presentation.saying import speaking
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.lists import Column, table
from anlan.presentation.web.reference import SETTINGS

DECLARED = Text(zh="已声明的规则", en="Declared rules")
TITLES = {
    "procedures": Text(zh="流程", en="Procedures"),
    "routing": Text(zh="分派表", en="Routing tables"),
    "topics": Text(zh="事项类别", en="Topics"),
    "channels": Text(zh="来件渠道", en="Channels"),
    "forwarding": Text(zh="转送", en="Forwarding"),
    "open311": Text(zh="Open311 接口", en="Open311 endpoints"),
    "roles": Text(zh="角色", en="Roles"),
    "suggesting": Text(zh="类别建议", en="Topic suggestions"),
    "site_kinds": Text(zh="场所类型", en="Kinds of site"),
    "calendars": Text(zh="工作日历", en="Calendars"),
    "layouts": Text(zh="表格格式", en="Layouts of tables"),
    "units": Text(zh="计量单位", en="Units"),
    "tables": Text(zh="事实表", en="Fact tables"),
    "towns": Text(zh="城镇", en="Towns"),
}
STYLE = re.compile(r"<style>.*?</style>", re.DOTALL)


def title_of(declared: Declaration) -> Any:
    """What a declaration calls itself; its key when it has no title."""
    return getattr(declared, "title", None) or getattr(declared, "name", None) or declared.key


def grounds(value: Any) -> Iterator[Basis]:
    """Every ground named anywhere in a declaration."""
    if isinstance(value, Basis):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from grounds(getattr(value, name))
    elif isinstance(value, dict):
        for each in value.values():
            yield from grounds(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from grounds(each)


def standing(declared: Declaration) -> Any:
    """How a declaration's grounds were checked: 未核验 as soon as one of them was not read in the original."""
    found = list(grounds(declared))
    if not found:
        return None
    weakest = max(found, key=lambda ground: ("V", "S", "V2", "U").index(ground.mark))
    if weakest.verified:
        return weakest.standing
    if weakest.mark == "U":
        return Text(zh="未核验", en="Unchecked")
    return Text(zh=f"未核验（{weakest.standing.zh}）", en=f"Unchecked ({weakest.standing.en})")


def shown_path(path: Path) -> str:
    """Where a file lies, from its own package or pack on."""
    for root in catalogue.current().roots:
        if path.is_relative_to(root):
            return f"{root.name}/{path.relative_to(root)}"
    return path.name


def _kind(folder: str) -> Kind[Declaration]:
    kind = next((kind for kind in catalogue.kinds() if kind.folder == folder), None)
    if kind is None:
        raise NotFound
    return kind


@needs("procedures.see")
def index(request: Asked) -> HttpResponse:
    """The kinds of declaration there are."""
    kinds = [(kind, len(catalogue.current().all(kind))) for kind in catalogue.kinds()]
    columns = (
        Column(Text(zh="种类", en="Kind"), lambda row: TITLES.get(row[0].folder, row[0].folder)),
        Column(Text(zh="份数", en="Files"), lambda row: row[1], css="num"),
    )
    lead = Text(
        zh="流程、渠道、事项和分派都写在文件里：一个文件一条规则，放进文件夹就生效。这里列出正在使用的每一份。",
        en="Procedures, channels, topics and routing are files: one rule a file, in force once it lies in its folder. "
        "Each one in use is listed here.",
    )
    shown = table(
        [row for row in kinds if row[1]],
        columns,
        caption=DECLARED,
        url=lambda row: reverse("declared_kind", args=[row[0].folder]),
        quiet_caption=True,
    )
    crumbs = [(SETTINGS, reverse("settings")), (DECLARED, "")]
    return render(request, "settings/list.html", {"title": DECLARED, "lead": lead, "table": shown, "crumbs": crumbs})


@needs("procedures.see")
def kind(request: Asked, folder: str) -> HttpResponse:
    """Every declaration of a kind, with its file and its standing."""
    found = _kind(folder)
    title = TITLES.get(folder, folder)
    held = catalogue.current()
    columns = (
        Column(Text(zh="名称", en="Name"), title_of, sub=lambda each: getattr(each, "summary", None)),
        Column(Text(zh="代号", en="Key"), lambda each: each.identity),
        Column(Text(zh="依据", en="Ground"), standing),
        Column(Text(zh="文件", en="File"), lambda each: shown_path(held.origin(found, each.identity))),
    )
    shown = table(
        held.all(found).values(),
        columns,
        caption=Text(zh="正在使用的", en="In use"),
        url=lambda each: reverse("declaration", args=[folder, each.identity]),
    )
    crumbs = [(SETTINGS, reverse("settings")), (DECLARED, reverse("declared")), (title, "")]
    return render(request, "settings/list.html", {"title": title, "table": shown, "crumbs": crumbs})


def river(procedure: Procedure) -> SafeString:
    """The drawing of a procedure; its colours come from the page's own sheet."""
    return mark_safe(STYLE.sub("", draw.svg(procedure, speaking())))  # noqa: S308 - drawn here, every word escaped


@needs("procedures.see")
def one(request: Asked, folder: str, identity: str) -> HttpResponse:
    """One declaration: a procedure as a river with its acts and clocks, anything else as its file says it."""
    found = _kind(folder)
    declared = catalogue.current().all(found).get(identity)
    if declared is None:
        raise NotFound
    path = catalogue.current().origin(found, identity)
    title = title_of(declared)
    said = {
        "title": title,
        "declared": declared,
        "summary": getattr(declared, "summary", None),
        "file": shown_path(path),
        "text": path.read_text(encoding="utf-8"),
        "grounds": list(dict.fromkeys(grounds(declared))),
        "procedure": declared if isinstance(declared, Procedure) else None,
        "river": river(declared) if isinstance(declared, Procedure) else "",
        "crumbs": [
            (SETTINGS, reverse("settings")),
            (DECLARED, reverse("declared")),
            (TITLES.get(folder, folder), reverse("declared_kind", args=[folder])),
            (title, ""),
        ],
    }
    return render(request, "settings/declaration.html", said)
