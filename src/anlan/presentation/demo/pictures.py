"""Drawn photos for the demo town: a corridor with things in the way, and the same corridor put right after."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO
from random import Random
from typing import Final

from PIL import Image, ImageDraw

from anlan.intake import photos
from anlan.intake.models import Photo
from anlan.kernel.ids import id_at
from anlan.places.models import Officer

WALLS: Final = ("#d9cfc0", "#cfd8d3", "#d6d2dd", "#dcd6c4", "#c9d4dc", "#d8cbc6", "#a9b4b8", "#b8aa97", "#8f9a92")
FLOORS: Final = ("#9aa39d", "#7d7468", "#b7b0a2", "#5f6a6e", "#a58f78")
DOORS: Final = ("#4d6b57", "#7a4b35", "#31465c", "#c7c2b5", "#8c2f2a")
BOXES: Final = ("#a8794a", "#b98a58", "#8f6a45", "#3f4a52", "#d8d2c4", "#6b2f2f")
_WIDE, _HIGH = 320, 240
AGAIN: Final = 0.05
"""How often somebody who hands in old pictures does."""


class Album:
    """Draws each photo anew, as no two photos of a town are the same; but for one handler, who now and then hands in
    the picture of an earlier fix.
    """

    def __init__(self, lazy: Officer | None = None) -> None:
        self.dice = Random(20260103)  # noqa: S311  the same pictures every time
        self.lazy, self.fixes = lazy, list[Photo]()

    def take(
        self, stage: str, scene: int, *, by: Officer | None, at: datetime, near: tuple[float, float] | None = None
    ) -> Photo:
        """A photo of the scene, taken by this person at this moment, there."""
        lazy = stage == "after" and by is not None and by == self.lazy
        if lazy and self.fixes and self.dice.random() < AGAIN:
            return self._again(self.dice.choice(self.fixes), by, at)
        photo = photos.keep(_draw(scene, self.dice, stage == "after"), f"demo-{stage}.jpg", stage=stage, by=by, at=at)
        photo.lon, photo.lat = near or (None, None)
        photo.taken_at = at
        photo.save(update_fields=["lon", "lat", "taken_at"])
        if lazy:
            self.fixes.append(photo)
        return photo

    def _again(self, first: Photo, by: Officer | None, at: datetime) -> Photo:
        """The same file once more, with what it knows of its maker."""
        return Photo.objects.create(
            id=id_at(at), digest=first.digest, mime=first.mime, size=first.size, width=first.width, height=first.height,
            look=first.look, stage=first.stage, taken_at=first.taken_at, by=by, added_at=at, lon=first.lon,
            lat=first.lat,
        )  # fmt: skip


def _draw(scene: int, dice: Random, after: bool) -> bytes:
    """A corridor with its door at the end, seen from where somebody happened to stand."""
    place = Random(scene)  # noqa: S311  the same corridor before and after
    picture = Image.new("RGB", (_WIDE, _HIGH), place.choice(WALLS))
    pen = ImageDraw.Draw(picture)
    x, y = place.randint(40, 200) + dice.randint(-17, 17), place.randint(40, 100) + dice.randint(-14, 14)
    wide, high = place.randint(60, 112), place.randint(48, 86)
    pen.polygon([(0, _HIGH), (x, y + high), (x + wide, y + high), (_WIDE, _HIGH)], fill=place.choice(FLOORS))
    pen.polygon([(0, 0), (x, y), (x + wide, y), (_WIDE, 0)], fill=place.choice(("#eef0ec", "#c4c8c2", "#7c8487")))
    pen.rectangle([x, y, x + wide, y + high], fill=place.choice(WALLS))
    pen.rectangle([x + wide // 4, y + high // 5, x + wide * 3 // 4, y + high], fill=place.choice(DOORS))
    for _ in range(place.randint(3, 6)):  # windows, boards and pipes on the walls
        left, top = place.randint(0, _WIDE - 50), place.randint(0, _HIGH // 2)
        left, top = left + dice.randint(-12, 12), top + dice.randint(-12, 12)
        pen.rectangle([left, top, left + place.randint(14, 60), top + place.randint(10, 60)],
                      fill=place.choice((*DOORS, *FLOORS, "#f4f1e8", "#e0b93c")))  # fmt: skip
    for _ in range(0 if after else dice.randint(5, 9)):
        left, base, tall = dice.randint(0, _WIDE - 60), dice.randint(140, _HIGH), dice.randint(28, 72)
        across = left + dice.randint(28, 86)
        pen.rectangle([left, base - tall, across, base], fill=dice.choice(BOXES), outline="#5d452d", width=2)
        pen.line([(left, base - tall // 2), (across, base - tall // 2)], fill="#e8d9b8", width=3)
    for _ in range(dice.randint(1, 3)):  # light that falls in, or somebody's shadow
        left, top = dice.randint(-40, _WIDE - 40), dice.randint(-40, _HIGH - 40)
        shade = dice.choice(("#ffffff", "#fff4c8", "#2f3436", "#474b40"))
        pen.ellipse([left, top, left + dice.randint(32, 120), top + dice.randint(32, 120)], fill=shade)
    out = BytesIO()
    picture.save(out, "JPEG", quality=70)
    return out.getvalue()
