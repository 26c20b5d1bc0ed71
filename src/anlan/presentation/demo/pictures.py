"""Drawn photos for the demo town: a plain scene before, and the same scene put right after."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO
from random import Random

from PIL import Image, ImageDraw

from anlan.intake import photos
from anlan.intake.models import Photo
from anlan.kernel.ids import id_at
from anlan.places.models import Officer

SCENES = 6
WALLS = ("#d9cfc0", "#cfd8d3", "#d6d2dd", "#dcd6c4", "#c9d4dc", "#d8cbc6")


class Album:
    """Keeps each drawn picture once; every use of it is a photo of its own."""

    def __init__(self, at: datetime) -> None:
        self.kept = {
            (stage, scene): photos.keep(
                _draw(scene, stage == "after"), f"demo-{stage}-{scene}.jpg", stage=stage, by=None, at=at
            )
            for stage in ("before", "after")
            for scene in range(SCENES)
        }

    def take(
        self, stage: str, scene: int, *, by: Officer | None, at: datetime, near: tuple[float, float] | None = None
    ) -> Photo:
        """A photo of the scene, taken by this person at this moment, there."""
        lon, lat = near or (None, None)
        model = self.kept[stage, scene % SCENES]
        return Photo.objects.create(
            id=id_at(at), digest=model.digest, mime=model.mime, size=model.size, width=model.width, height=model.height,
            stage=stage, taken_at=at, by=by, added_at=at, lon=lon, lat=lat,
        )  # fmt: skip


def _draw(scene: int, after: bool) -> bytes:
    """A corridor with its door at the end; before, things stand in the way."""
    dice = Random(scene)  # noqa: S311  the same picture every time
    picture = Image.new("RGB", (960, 720), WALLS[scene])
    pen = ImageDraw.Draw(picture)
    pen.polygon([(0, 720), (330, 430), (630, 430), (960, 720)], fill="#9aa39d")
    pen.polygon([(0, 0), (330, 200), (630, 200), (960, 0)], fill="#eef0ec")
    pen.rectangle([330, 200, 630, 430], fill="#b9c2be")
    pen.rectangle([410, 240, 550, 430], fill="#4d6b57")
    pen.rectangle([440, 205, 520, 232], fill="#1e6b3a")
    pen.line([(0, 0), (330, 200), (330, 430), (0, 720)], fill="#8b8f88", width=3)
    pen.line([(960, 0), (630, 200), (630, 430), (960, 720)], fill="#8b8f88", width=3)
    for _ in range(0 if after else 7):
        wide, x = dice.randint(70, 170), dice.randint(120, 700)
        base = dice.randint(470, 690)
        high = dice.randint(60, 150)
        pen.rectangle(
            [x, base - high, x + wide, base],
            fill=dice.choice(["#a8794a", "#b98a58", "#8f6a45"]),
            outline="#5d452d",
            width=3,
        )
        pen.line([(x, base - high // 2), (x + wide, base - high // 2)], fill="#e8d9b8", width=6)
    if after:
        pen.polygon([(430, 700), (470, 470), (490, 470), (530, 700)], fill="#e0b93c")
    out = BytesIO()
    picture.save(out, "JPEG", quality=80)
    return out.getvalue()
