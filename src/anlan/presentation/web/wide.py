"""Which way the database reads a list: along its order where the area holds many cases, within the area where few.

PostgreSQL weighs that itself. SQLite always takes the area's index and then sorts all of it, so for a wide area the
path is hidden from it, and the list's own index is what is left.
"""

from __future__ import annotations

from django.db import connection
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Concat

from anlan.casework.cases import within_reach
from anlan.casework.models import Case
from anlan.places.scope import under, within
from anlan.presentation.web.frame import Asked

MANY = 2_000
VERY_MANY = 20_000
"""With more filters than the area, reading along the order may pass many cases that do not fit."""


def within_area(
    request: Asked, *, action: str = "cases.see", only_open: bool = True, filtered: bool = False
) -> QuerySet[Case]:
    """The cases within reach and within the area of the address, read the way that costs least."""
    rows, area = Case.objects.all(), "area_path"
    if connection.vendor == "sqlite" and _is_wide(request, action, only_open, VERY_MANY if filtered else MANY):
        rows, area = rows.alias(_path=Concat("area_path", Value(""))), "_path"
        # Without a bound SQLite would begin with the areas; no case is opened after now.
        rows = rows if only_open else rows.filter(opened_at__lte=request.at)
    rows = rows.filter(within_reach(request.reach, action, area=area))
    return rows.filter(under(request.area.path, area)) if request.area else rows


def _is_wide(request: Asked, action: str, only_open: bool, many: int) -> bool:
    """Whether the area holds more cases than `many`; no more than that are looked at."""
    here = under(request.area.path) if request.area else within(request.reach.areas(action))
    rows = Case.objects.filter(here & Q(closed_at=None) if only_open else here)
    return rows.order_by()[: many + 1].count() > many
