"""Questions whose answer is an area, an officer, a department, a party or a site: the choices within one's reach.

Few choices are a list; many are a box that suggests as one types (`parts/field.html`, type "lookup").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from anlan.kernel.text import Refusal, Text
from anlan.places.areas import at_day
from anlan.places.models import Area, Department, Officer, Party, Post
from anlan.places.record import day_of
from anlan.places.role import ACTIONS
from anlan.places.scope import on, within
from anlan.presentation.permissions import SIGNED_IN, needs
from anlan.presentation.saying import name
from anlan.presentation.web.forms import Ask
from anlan.presentation.web.frame import Asked

FEW = 120
SUGGESTED = 12


class NotInReach(Refusal):
    """What was named does not exist, or not for this person."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the choices for one kind of answer come from, and how one of them is written.

    `asked_for` are the actions of the forms that ask for one: under another action nothing is suggested, for a post
    that lets somebody receive notices in a county does not let them look through its officers.
    """

    rows: Callable[[Asked, str], QuerySet[Any]]
    key: str
    words: Callable[[Any], str]
    matches: Callable[[str], Q]
    noun: Text
    asked_for: frozenset[str]

    def written(self, thing: Any) -> str:
        return f"{getattr(thing, self.key)} {self.words(thing)}"


def _areas(request: Asked, action: str) -> QuerySet[Area]:
    return at_day(day_of(request.at)).filter(within(request.reach.areas(action), "path"))


def _departments(request: Asked, action: str) -> QuerySet[Department]:
    """Departments within reach, and those above it, which answer for it too."""
    paths = request.reach.areas(action)
    above = {path[:end] for path in paths for end in range(1, len(path) + 1) if path[end - 1] == "/"}
    return Department.objects.filter(within(paths, "area__path") | Q(area__path__in=above), is_active=True).order_by(
        "name_zh", "pk"
    )


def officers_within(request: Asked, action: str) -> QuerySet[Officer]:
    """Officers who hold a post within reach today."""
    held = Post.objects.filter(on(day_of(request.at)), within(request.reach.areas(action), "area__path"))
    return Officer.objects.filter(pk__in=held.values("officer_id"), is_active=True).order_by("name", "pk")


def _speakers(request: Asked, action: str) -> QuerySet[Officer]:
    """In whose name the one who asks may hand out a key: a system within reach, or themselves."""
    return officers_within(request, action).filter(Q(is_machine=True) | Q(pk=request.user.pk))


def _parties(request: Asked, action: str) -> QuerySet[Party]:
    return Party.objects.filter(within(request.reach.areas(action), "area__path")).order_by("name", "pk")


def _named(*fields: str) -> Callable[[str], Q]:
    def matches(text: str) -> Q:
        wanted = Q()
        for field in fields:
            wanted |= Q(**{f"{field}__icontains": text})
        return wanted

    return matches


def plain_name(thing: Any) -> str:
    return str(thing.name)


EDITING = frozenset(action for action in ACTIONS if action.endswith(".edit"))
STAFFING = frozenset({"officers.edit", "departments.edit", "duties.edit", "tokens.edit"})
SOURCES: dict[str, Source] = {
    "area": Source(
        _areas,
        "code",
        name,
        _named("code", "name_zh", "name_en"),
        Text(zh="辖区", en="area"),
        EDITING | {"areas.see", "reports.receive"},
    ),
    "department": Source(
        _departments, "key", name, _named("key", "name_zh", "name_en"), Text(zh="部门", en="department"), STAFFING
    ),
    "officer": Source(
        officers_within, "username", plain_name, _named("username", "name"), Text(zh="人员", en="officer"), STAFFING
    ),
    "speaker": Source(
        _speakers,
        "username",
        plain_name,
        _named("username", "name"),
        Text(zh="系统账号", en="system"),
        frozenset({"tokens.edit"}),
    ),
    "party": Source(
        _parties,
        "pk",
        plain_name,
        _named("name", "official_code"),
        Text(zh="责任主体", en="party"),
        frozenset({"sites.edit", "officers.edit"}),
    ),
}


def ask_for(
    request: Asked,
    kind: str,
    key: str,
    label: Text,
    *,
    action: str,
    required: bool = True,
    hint: Text | None = None,
    value: Model | None = None,
) -> Ask:
    """A question whose answer is one `kind` within the reach of `action`; the answer reads as the thing itself."""
    source = SOURCES[kind]
    rows = source.rows(request, action)
    few = list(rows[: FEW + 1])
    held = None if value is None else str(getattr(value, source.key))

    def found(raw: str) -> Any:
        written = raw.split(" ", 1)[0]
        thing = rows.filter(**{source.key: written}).first() if source.key != "pk" or written.isdigit() else None
        if thing is None:
            raise NotInReach(
                f"没有找到这个{source.noun.zh}，或它不在您的辖区内；请从列表中选择。",
                f"There is no such {source.noun.en}, or it lies outside your area; choose one from the list.",
                field=key,
            )
        return thing

    if len(few) <= FEW:
        choices = [(str(getattr(each, source.key)), _indented(kind, each, few)) for each in few]
        return Ask(key, label, "choice", required, choices, hint, held, reader=found)
    more = hint or Text(zh="输入名称或编码的几个字，再从提示中选择。", en="Type part of a name or code, then choose.")
    address = f"{reverse('suggest', args=[kind])}?action={action}"
    shown = None if value is None else source.written(value)
    return Ask(key, label, "lookup", required, hint=more, value=shown, source=address, reader=found)


def _indented(kind: str, thing: Any, among: Sequence[Any]) -> str:
    if kind != "area":
        return str(SOURCES[kind].words(thing))
    top = min(each.path.count("/") for each in among)
    indent = "\u3000" * (thing.path.count("/") - top)
    return f"{indent}{name(thing)}"


@needs(SIGNED_IN)
def suggest(request: Asked, kind: str) -> HttpResponse:
    """The first few choices that match what has been typed."""
    source, action = SOURCES.get(kind), request.GET.get("action", "")
    typed = next((str(given) for key, given in request.GET.items() if key != "action"), "")
    text = typed.replace("\x00", "").strip()[:60]
    options: list[str] = []
    if source is not None and text and action in source.asked_for and request.reach.may(action):
        first = text.split(" ", 1)[0]
        options = [
            source.written(each) for each in source.rows(request, action).filter(source.matches(first))[:SUGGESTED]
        ]
    return render(request, "parts/options.html", {"options": options})
