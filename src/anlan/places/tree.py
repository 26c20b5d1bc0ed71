"""The area tree as the register has it: what pages and lists ask of areas, without a query while none changes."""

from __future__ import annotations

import copy
from collections.abc import Callable, Hashable, Iterable
from datetime import date

from django.db.models import QuerySet

from anlan.places import register
from anlan.places.areas import at_day
from anlan.places.models import Area


def named(ids: Iterable[int | None]) -> dict[int, Area]:
    """The areas with these ids, from the register: to be read, not to be changed."""
    return register.current().rows(Area.objects.defer("boundary"), ids)


def of_day(code: str, day: date) -> Area | None:
    """The area with `code` on `day`, from the register, as an instance of one's own; None when there is none."""
    return _one(("area", code, day), lambda: at_day(day).filter(code=code))


def lasting(code: str) -> Area | None:
    """The same of the area that nobody has set an end to."""
    query = Area.objects.filter
    return _one(("lasting area", code), lambda: query(code=code, valid_to=None).order_by("-valid_from"))


def _one(key: Hashable, query: Callable[[], QuerySet[Area]]) -> Area | None:
    pk = register.current().kept(key, lambda: query().values_list("pk", flat=True).first())
    return None if pk is None else copy.copy(named([pk])[pk])


def together(day: date, *, paths: Iterable[str] = (), below: Iterable[str] = (), most: int) -> list[Area]:
    """The areas of `day` with these paths and those directly below the others, by path, from the register."""
    known = register.current()

    def pks(column: str, path: str) -> list[int]:
        def read() -> list[int]:
            return list(at_day(day).filter(**{column: path}).values_list("pk", flat=True)[:most])

        return known.kept((column, path, day, most), read)

    ids = {pk for path in paths for pk in pks("path", path)} | {
        pk for path in below for pk in pks("parent__path", path)
    }
    return sorted(named(ids).values(), key=lambda area: area.path)[:most]
