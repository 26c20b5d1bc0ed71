"""A resident as the tests use them: they send, keep the code, and look; the officers do their work in between."""

from __future__ import annotations

import io
import re
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from anlan.casework.models import Case
from anlan.intake import tracking
from anlan.intake.models import Report
from anlan.kernel.ids import new_id
from desk import at_desk, hidden, text
from world import World


def picture(colour: str = "red", name: str = "a.jpg", size: tuple[int, int] = (64, 48)) -> SimpleUploadedFile:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "JPEG")
    return SimpleUploadedFile(name, out.getvalue(), "image/jpeg")


def told(**more: Any) -> dict[str, Any]:
    """What a resident sends: a blocked exit, at their position."""
    place = {"lon": "122.020000", "lat": "27.020000"}
    given = {"client_id": str(new_id()), "topic": "fire_exit", "description": "三楼楼道堆物", **place, **more}
    return {key: value for key, value in given.items() if value is not None}


def send(client: Client | None = None, *, script: bool = False, **more: Any) -> Any:
    headers = {"X-Asked-By": "page"} if script else {}
    return (client or Client()).post(reverse("resident"), told(**more), headers=headers)


def code_of(client: Client) -> str:
    """The code that the page of what was sent shows."""
    found = re.search(r'id="code">([^<]+)<', text(client.get(reverse("resident_sent"))))
    assert found is not None
    return tracking.plain(found[1])


def reported(**more: Any) -> tuple[str, Report]:
    """A report sent by somebody new: its code and what was received."""
    client = Client()
    answer = send(client, **more)
    assert answer.status_code == 302, text(answer)
    code = code_of(client)
    report = tracking.find(code)
    assert report is not None
    return code, report


def page(code: str, client: Client | None = None) -> str:
    return text((client or Client()).get(reverse("resident_status", args=[code])))


def do(town: World, case: Case, who: str, act: str, **data: Any) -> None:
    """Somebody acts on the case at their desk."""
    client = at_desk(getattr(town, who))
    shown = text(client.get(reverse("case_act", args=[case.number, act])))
    sent = {"key": hidden(shown, "key"), "rev": hidden(shown, "rev"), **data}
    answer = client.post(reverse("case_act", args=[case.number, act]), sent)
    assert answer.status_code == 302, text(answer)


def to_the_end(town: World, case: Case) -> None:
    case.refresh_from_db()
    if case.step == "collected":
        do(town, case, "triage", "register")
    do(town, case, "dispatcher", "dispatch", department=town.housing.pk)
    do(town, case, "handler", "fix", result="通道已清空", photos=[picture("green", "after.jpg")])
    do(town, case, "grid_worker", "verify")
    do(town, case, "dispatcher", "close")
