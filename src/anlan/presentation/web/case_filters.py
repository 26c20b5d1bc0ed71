"""The filters of the list of cases: each narrows by columns that an index answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from anlan.casework.behind import counted
from anlan.casework.contribution import COLUMNS
from anlan.casework.models import Case
from anlan.casework.procedure import PROCEDURES
from anlan.index.counting.rates import SHARES, in_order
from anlan.intake.topic import TOPICS
from anlan.kernel import catalogue
from anlan.kernel.text import Text
from anlan.places import register, tree
from anlan.places.models import Area, Department
from anlan.places.record import day_of
from anlan.places.scope import within
from anlan.presentation.saying import name
from anlan.presentation.web.act_forms import topic_choices
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.inbox import end_of_day
from anlan.presentation.web.lists import Filter, Filters
from anlan.presentation.web.mine import mine, to_act
from anlan.presentation.web.wide import within_area

MANY = 300
TEXT_DAYS = 90
"""Free text among closed cases too is looked for this far back, unless the filters say from when."""

Rows = QuerySet[Case]
STATES = (
    ("open", Text(zh="在办", en="Open")),
    ("closed", Text(zh="已结", en="Closed")),
    ("all", Text(zh="全部", en="All")),
)
LIGHTS = (
    ("late", Text(zh="超期（红）", en="Late (red)")),
    ("today", Text(zh="今天到期", en="Due today")),
    ("soon", Text(zh="即将到期（黄）", en="Due soon (amber)")),
    ("ok", Text(zh="期限内（绿）", en="In time (green)")),
    ("still", Text(zh="挂账或暂停（灰）", en="Hung or paused (grey)")),
    ("hung", Text(zh="挂账", en="Hung")),
    ("returned", Text(zh="退回过（紫）", en="Returned (violet)")),
    ("reworked", Text(zh="返工过", en="Reworked")),
)
MINE = (
    ("act", Text(zh="要我办的", en="My turn")),
    ("opened", Text(zh="我上报的", en="Opened by me")),
    ("handled", Text(zh="我经办的", en="Handled by me")),
    ("involved", Text(zh="与我有关的", en="I am involved")),
)


def filters(request: Asked) -> Filters:
    """The filter bar as the address sets it."""
    at, hint = request.at, Text(zh="编号、标题或地址", en="Number, title or address")
    fields = [
        Filter("q", Text(zh="查找", en="Find"), "search", apply=_text, hint=hint),
        Filter("area", Text(zh="辖区", en="Area"), choices=partial(_areas, request), apply=lambda rows, v: rows),
        Filter("light", Text(zh="状态", en="Light"), choices=LIGHTS, apply=lambda rows, v: rows.filter(_lit(v, at))),
        Filter("department", Text(zh="主办部门", en="Led by"), choices=partial(_departments, request), apply=_led),
        Filter("topic", Text(zh="类别", en="Topic"), choices=topic_choices, apply=_about),
        Filter("procedure", Text(zh="程序", en="Procedure"), choices=_procedures, apply=_under),
        Filter("step", Text(zh="环节", en="Step"), choices=partial(_steps, request), apply=_at_step),
        Filter("mine", Text(zh="与我", en="Mine"), choices=MINE, apply=lambda rows, v: rows.filter(_own(v, request))),
        Filter("since", Text(zh="立案自", en="Opened from"), "date", apply=_since),
        Filter("until", Text(zh="立案至", en="Opened to"), "date", apply=_until),
    ]  # fmt: skip
    bar = Filters.of(request, fields, keep=("state", "sort"))
    return _behind(request, bar) if "counted" in request.GET else bar


def _behind(request: Asked, bar: Filters) -> Filters:
    """The bar with what the cases count in: the days and the department are then those of the count, not the case's."""
    values, named = bar.values(), figures_named()
    if request.GET["counted"] not in named or not {"since", "until"} <= values.keys():
        return bar
    first, last = date.fromisoformat(values["since"]), date.fromisoformat(values["until"])
    key = values.get("department", "")
    department = Department.objects.filter(key=key).values_list("pk", flat=True).first() if key else 0

    def counting(rows: Rows, figure: str) -> Rows:
        return counted(rows, named[figure][1], first=first, last=last, department=department or 0)

    for each in bar.fields:
        if each.key in ("since", "until", "department"):
            each.apply = None
    choices = [(figure, title) for figure, (title, _) in named.items()]
    count = Filter("counted", Text(zh="计入", en="Counted in"), choices=choices, apply=counting)
    return Filters.of(request, [*bar.fields, count], keep=("state", "sort"))


def figures_named() -> dict[str, tuple[Text, tuple[str, ...]]]:
    """What a case can be counted in, by the word for it in an address: its title, and the columns it adds up."""
    found: dict[str, tuple[Text, tuple[str, ...]]] = {
        column: (COLUMNS[column], (column,)) for column in ("opened", "finished")
    }
    for each in in_order(catalogue.current().all(SHARES)):
        due = Text(zh=f"{each.title.zh}·分母", en=f"{each.title.en}, denominator")
        found |= {each.key: (each.title, each.numerator), f"{each.key}.of": (due, each.denominator)}
    return found


WIDE = {"area", "light", "since", "until", "procedure"}
"""The filters that most cases of a wide area may pass."""


def narrowed(request: Asked, bar: Filters, state: str, *, action: str = "cases.see") -> tuple[Rows, Text | None]:
    """The cases within reach under the filters, and a sentence when a search was bounded."""
    filtered = not WIDE.issuperset(bar.values())
    rows = within_area(request, action=action, only_open=state == "open", filtered=filtered)
    if state == "open":
        rows = rows.filter(closed_at=None)
    elif state == "closed":
        rows = rows.filter(closed_at__isnull=False)
    rows = bar.narrow(rows)
    values = bar.values()
    if "q" not in values or state == "open" or is_number(values["q"]) or "since" in values:
        return rows, None
    return rows.filter(opened_at__gte=request.at - timedelta(days=TEXT_DAYS)), Text(
        zh=f"按文字查找时，只看最近 {TEXT_DAYS} 天立案的事项；要看更早的，请填“立案自”。",
        en=f"A search by text looks at cases opened in the last {TEXT_DAYS} days; for older ones set “Opened from”.",
    )


def is_number(text: str) -> bool:
    """Whether the words look like the beginning of a case's number: letters, a hyphen, digits."""
    head, hyphen, rest = text.partition("-")
    return bool(hyphen) and head.isascii() and head.isalnum() and rest.replace("-", "").isdigit() | (rest == "")


def numbered(text: str) -> Q:
    """The cases whose number begins so, answered by the number's own index on either database."""
    start = text.upper()
    if connection.vendor == "sqlite":
        return Q(number__gte=start, number__lt=start + "~")
    return Q(number__startswith=start)


def _text(rows: Rows, text: str) -> Rows:
    if is_number(text):
        return rows.filter(numbered(text))
    return rows.filter(Q(title__icontains=text) | Q(address__icontains=text) | Q(number=text))


def _lit(light: str, at: datetime) -> Q:
    runs = Q(hung=False, paused=False)
    conditions: dict[str, Callable[[], Q]] = {
        "late": lambda: Q(closed_at=None, due_at__lt=at),
        "today": lambda: Q(closed_at=None, due_at__gte=at, due_at__lt=end_of_day(at)),
        "soon": lambda: runs & Q(closed_at=None, due_at__gte=at, warn_at__lte=at),
        "ok": lambda: runs & Q(closed_at=None, due_at__gte=at, warn_at__gt=at),
        "still": lambda: Q(closed_at=None) & (Q(hung=True) | Q(paused=True)),
        "hung": lambda: Q(closed_at=None, hung=True),
        "returned": lambda: Q(returns__gt=0),
        "reworked": lambda: Q(reworks__gt=0),
    }
    return conditions[light]()


def _own(which: str, request: Asked) -> Q:
    me = request.user.pk
    return {
        "act": lambda: to_act(request.reach),
        "opened": lambda: Q(opened_by=me),
        "handled": lambda: Q(handler=me),
        "involved": lambda: mine(request.reach),
    }[which]()


def _led(rows: Rows, key: str) -> Rows:
    if key == "-":
        return rows.filter(lead=None)
    return rows.filter(lead__in=Department.objects.filter(key=key).values("pk"))


def _at_step(rows: Rows, step: str) -> Rows:
    return rows.filter(step=step)


def _about(rows: Rows, key: str) -> Rows:
    """A topic, with the narrower ones under it."""
    topics = catalogue.current().all(TOPICS)
    keys, grown = {key}, True
    while grown:
        more = {each for each, topic in topics.items() if topic.parent in keys} - keys
        keys, grown = keys | more, bool(more)
    return rows.filter(topic__in=keys)


def _under(rows: Rows, procedure: str) -> Rows:
    return rows.filter(procedure=procedure)


def _since(rows: Rows, day: str) -> Rows:
    return rows.filter(opened_at__gte=_begin(day))


def _until(rows: Rows, day: str) -> Rows:
    return rows.filter(opened_at__lt=_begin(day) + timedelta(days=1))


def _begin(day: str) -> datetime:
    return timezone.make_aware(datetime.combine(date.fromisoformat(day), time()))


def _areas(request: Asked) -> list[tuple[str, Any]]:
    """The area chosen, what lies directly below it, and the top of one's own reach."""
    paths = request.reach.areas("cases.see")
    here = [request.area.path] if request.area else []
    rows = tree.together(day_of(request.at), paths=[*paths, *here], below=here or paths, most=MANY)
    top = min((each.path.count("/") for each in rows), default=0)
    return [(each.code, _set_in(each, each.path.count("/") - top)) for each in rows]


def _set_in(area: Area, depth: int) -> str:
    return "\u3000" * depth + name(area)


def _departments(request: Asked) -> list[tuple[str, Any]]:
    paths = request.reach.areas("cases.see")
    above = {path[: end + 1] for path in paths for end, letter in enumerate(path) if letter == "/"}

    def read() -> list[tuple[str, Any]]:
        rows = Department.objects.filter(within(paths, "area__path") | Q(area__path__in=above), is_active=True)
        named = rows.order_by("name_zh", "pk").values_list("key", "name_zh", "name_en")[:MANY]
        return [(key, Text(zh=zh, en=en)) for key, zh, en in named]

    found = register.current().kept(("departments to choose", tuple(paths)), read)
    return [("-", Text(zh="（未派）", en="(not sent yet)")), *found]


def _procedures() -> list[tuple[str, Any]]:
    newest = sorted(catalogue.current().all(PROCEDURES).values(), key=lambda each: each.effective_from)
    return list({each.key: each.title for each in newest}.items())


def _steps(request: Asked) -> list[tuple[str, Any]]:
    chosen = request.GET.get("procedure", "")
    found: dict[str, Text] = {}
    for declared in catalogue.current().all(PROCEDURES).values():
        if not chosen or declared.key == chosen:
            for key, step in declared.steps.items():
                found.setdefault(key, step.title)
    return list(found.items())
