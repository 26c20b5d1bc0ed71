"""What pages of counts share: which area they are about, what lies below it, and for which days."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from anlan.kernel.text import Text
from anlan.places import register
from anlan.places.areas import at_day
from anlan.places.models import Area, Department
from anlan.places.record import day_of
from anlan.presentation.permissions import NotFound
from anlan.presentation.web.frame import Asked

ACTION = "statistics.see"
MONTH = 30
LONGEST = 400
PERIODS = (
    ("week", Text(zh="近 7 天", en="7 days"), 7),
    ("month", Text(zh="近 30 天", en="30 days"), 30),
    ("quarter", Text(zh="近 90 天", en="90 days"), 90),
    ("year", Text(zh="近一年", en="A year"), 365),
)


@dataclass(frozen=True, slots=True)
class Ground:
    """The area a page of counts is about, and the areas directly below it."""

    area: Area
    below: list[Area]
    way: list[Area]


@dataclass(frozen=True, slots=True)
class Period:
    """From one local day to another, both included."""

    key: str
    first: date
    last: date

    @property
    def title(self) -> Text:
        return Text(zh=f"{self.first} 至 {self.last}", en=f"{self.first} to {self.last}")


def ground(request: Asked) -> Ground:
    """The area of the address, or the highest of one's own; raises `NotFound` outside one's reach."""
    paths = request.reach.areas(ACTION)
    today = at_day(day_of(request.at))
    if request.GET.get("area"):
        here = request.area
        area: Area | None = here if here and any(here.path.startswith(path) for path in paths) else None
    else:
        area = today.filter(path__in=paths).order_by("path").first()
    if area is None:
        raise NotFound
    below = list(today.filter(parent=area).order_by("path").only("id", "code", "path", "name_zh", "name_en"))
    return Ground(area, below, [])


def period(request: Asked) -> Period:
    """The days of the address: named, or from one date to another; thirty days when it says nothing sensible.

    Two dates the wrong way round mean the days between them: other days than those asked for must not be shown.
    """
    today = day_of(request.at)
    first, last = _day(request.GET.get("from", "")), _day(request.GET.get("to", ""))
    if first is not None:
        first, last = sorted((min(first, today), min(last or today, today)))
        return Period("own", max(first, last - timedelta(days=LONGEST)), last)
    named = {key: days for key, _, days in PERIODS}
    key = request.GET.get("period", "month")
    days = named.get(key, MONTH)
    return Period(key if key in named else "month", today - timedelta(days=days - 1), today)


def _day(given: str) -> date | None:
    try:
        return date.fromisoformat(given)
    except ValueError:
        return None


def cases_url(**query: str) -> str:
    """The list of cases with these filters."""
    return f"{_list()}?{urlencode({key: value for key, value in query.items() if value})}"


@cache
def _list() -> str:
    """Two hundred numbers of a board lead there."""
    return reverse("cases")


def named_departments(ids: Iterable[int | None]) -> dict[int, Department]:
    """The departments with these ids."""
    return register.current().rows(Department.objects.all(), [pk for pk in ids if pk])


def tabs(request: Asked, here: str) -> list[tuple[Text, str, bool]]:
    """The pages of counts, keeping the area."""
    keep = f"?{urlencode({'area': request.area.code})}" if request.area else ""
    named: tuple[tuple[str, Text], ...] = (
        ("board", Text(zh="现在", en="Now")),
        ("statistics", Text(zh="办理指标", en="Rates")),
        ("call_figures", Text(zh="警情", en="Police calls")),
        ("given", Text(zh="外部数据", en="From outside")),
        ("facts", Text(zh="事实表", en="Facts")),
    )
    return [(title, reverse(key) + keep, key == here) for key, title in named]


def upward(area: Area) -> str:
    """The code of the area above, or nothing."""
    codes = area.path.strip("/").split("/")
    return codes[-2] if len(codes) > 1 else ""


def figure(value: Any, url: str) -> dict[str, Any]:
    """A count that leads to the cases behind it."""
    return {"value": value, "url": url if value else ""}
