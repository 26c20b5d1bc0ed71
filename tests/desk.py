"""The desk as the tests use it: signed in at once, with cases opened by the verbs."""

from __future__ import annotations

import io
import re
from datetime import datetime, timedelta
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from anlan.casework import cases
from anlan.casework.cases import Doing, Opening
from anlan.casework.models import Case
from anlan.intake.models import Photo
from anlan.kernel.ids import new_id
from anlan.places.models import Officer
from world import World


def at_desk(officer: Officer, language: str = "zh") -> Client:
    """Somebody signed in."""
    client = Client()
    client.force_login(officer)
    client.cookies["lang"] = language
    return client


def opened(town: World, *, at: datetime | None = None, **more: Any) -> Case:
    """A case about a blocked fire exit, opened by the grid worker."""
    values: dict[str, Any] = {
        "procedure": "incident",
        "area": town.grid,
        "title": "东一村 12 号 · 消防通道与疏散",
        "topic": "fire_exit",
        "address": "东一村 12 号",
    }
    by = more.pop("by", town.grid_worker)
    return cases.open_case(Opening(**(values | more)), by=by, at=at or town.at)


def done(town: World, case: Case, by: Officer, act: str, *, after: timedelta = timedelta(hours=1), **data: Any) -> Case:
    """The case once `by` has done `act`, `after` it was opened; a photo comes with a fix."""
    at = case.opened_at + after
    brought = (kept(town, "after", by=by, at=at),) if act == "fix" else ()
    reach = town.reach(by, at=at)
    return cases.act(case.pk, Doing(act, data, photos=brought), by=by, reach=reach, at=at)


def dispatched(town: World, **more: Any) -> Case:
    """A case that the housing department leads."""
    case = opened(town, **more)
    done(town, case, town.triage, "register", after=timedelta(minutes=10))
    return done(town, case, town.dispatcher, "dispatch", after=timedelta(minutes=20), department=town.housing.pk)


def fed_back(town: World, **more: Any) -> Case:
    """A case that the handler says is fixed."""
    case = dispatched(town, **more)
    return done(town, case, town.handler, "fix", after=timedelta(minutes=50), result="通道已清空")


def kept(town: World, stage: str, *, by: Officer, at: datetime) -> Photo:
    """A photo's row, without a file."""
    return Photo.objects.create(
        id=new_id(), digest="0" * 64, mime="image/jpeg", size=1, width=1, height=1, stage=stage, by=by, added_at=at
    )


def jpeg(name: str = "fixed.jpg") -> SimpleUploadedFile:
    """A small photo to upload."""
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(out, "JPEG")
    return SimpleUploadedFile(name, out.getvalue(), "image/jpeg")


def hidden(page: str, name: str) -> str:
    """The value of a hidden field on a page."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, f"no hidden field {name}"
    return found[1]


def text(answer: Any) -> str:
    """What a page says."""
    return str(answer.content.decode())


def file_of(answer: Any) -> bytes:
    """What a streamed answer sends; at its end the test client closes it."""
    return b"".join(answer.streaming_content)
