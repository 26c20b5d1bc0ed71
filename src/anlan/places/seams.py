"""How the areas below an area fit together: the holes and overlaps of the boundaries somebody drew."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from anlan.kernel import seams as drawing
from anlan.kernel.seams import Hole, Overlap
from anlan.places import areas, register
from anlan.places.models import Area


class Fit(NamedTuple):
    """The children of an area that share ground, the ground that none of them holds, and those without a boundary.

    An area of which no child is drawn has nothing to fit.
    """

    overlaps: tuple[Overlap, ...]
    holes: tuple[Hole, ...]
    undrawn: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether every point of the area lies in exactly one of its children."""
        return not (self.overlaps or self.holes or self.undrawn)


def fit(area: Area, day: date) -> Fit:
    """How the children of `area` fit on `day`, kept in memory while no area changes. Raises `BadBoundary`."""
    return register.current().kept(("fit", area.pk, day), lambda: _fit(area, day))


def _fit(area: Area, day: date) -> Fit:
    children = list(areas.children(area, day).values_list("code", "boundary"))
    drawn = [(code, boundary) for code, boundary in children if boundary is not None]
    if not drawn:
        return Fit((), (), ())
    around = (area.code, area.boundary) if area.boundary is not None else None
    found = drawing.seams(drawn, inside=around)
    return Fit(found.overlaps, found.holes, tuple(sorted(code for code, boundary in children if boundary is None)))
