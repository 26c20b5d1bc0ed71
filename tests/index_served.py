"""Run by a test as a process of its own: the small town with a month behind it, for an index that is really published.

`publish` builds it in an installation, exports its facts and publishes the month, all by the commands.
"""

# ruff: noqa: T201 - the test reads what is printed
from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from settled import PASSWORD, Town

if TYPE_CHECKING:
    from anlan.casework.models import Case
    from installation import Installation
    from world import World

INDEX = "calm"
PACK = {
    "indices/calm.toml": """
key = "calm"
title = { zh = "安稳指数", en = "Calm Index" }
period = "month"
basis = { source = "示例", mark = "U", checked_on = 2026-01-05 }
heads = [
  { key = "D", title = { zh = "消防安全", en = "Fire safety" }, weight = 3, order = 1 },
  { key = "E", title = { zh = "办理", en = "Handling" }, weight = 1, order = 2 },
  { key = "F", title = { zh = "公开", en = "Openness" }, weight = 1, order = 3 },
]
bands = [
  { key = "red", title = { zh = "红", en = "Red" } },
  { key = "yellow", title = { zh = "黄", en = "Yellow" }, least = 60 },
  { key = "green", title = { zh = "绿", en = "Green" }, least = 80 },
]
[ranking]
places = 2
[[ranking.peers]]
key = "towns"
title = { zh = "乡镇", en = "Towns" }
by = ["level"]
among = { level = ["township"], parent = ["330101/"] }
""",
    "indicators/prompt.toml": """
key = "prompt"
parent = "D"
title = { zh = "消防隐患按期处置率", en = "Fire hazards dealt with in time" }
better = "up"
numerator = { table = "cases", where = "handled_in_time", date = "opened_date" }
denominator = { table = "cases", where = "valid", date = "opened_date" }
score = { method = "goalposts", low = 0.0, high = 100.0 }
""",
    "indicators/closed.toml": """
key = "closed"
parent = "E"
title = { zh = "办结率", en = "Closed" }
better = "up"
numerator = { table = "cases", where = "closed_date is not null", date = "opened_date" }
denominator = { table = "cases", where = "valid", date = "opened_date" }
score = { method = "goalposts", low = 0.0, high = 100.0 }
""",
    "indicators/again.toml": """
key = "again"
parent = "F"
title = { zh = "返工率", en = "Done again" }
better = "down"
numerator = { table = "cases", where = "reworks > 0", date = "opened_date" }
denominator = { table = "cases", where = "valid", date = "opened_date" }
score = { method = "goalposts", low = 50.0, high = 0.0 }
""",
}
COMMON = """index = "calm"
summary = { zh = "计数", en = "Counted" }
unit = { zh = "%", en = "%" }
per = 100
zero_denominator = "good"
basis = { source = "示例", mark = "U", checked_on = 2026-01-05 }
"""


@dataclass(frozen=True, slots=True)
class Published:
    """An installation with two published months; whoever needs one to change takes a copy."""

    installation: Installation
    town: Town
    months: list[str]
    pack: Path


def pack(folder: Path) -> Path:
    """The declarations of a small index as a pack."""
    for name, words in PACK.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        own = words.replace("\nparent", f"\n{COMMON}parent", 1) if name.startswith("indicators/") else words
        path.write_text(own, encoding="utf-8")
    return folder


def publish(installation: Installation) -> tuple[Town, list[str]]:
    """The town, and the two months of it that are published; `ANLAN_PACKS` names the pack already."""
    said = json.loads(installation.python(str(Path(__file__))).stdout)
    town, months = Town(**said["town"]), said["months"]
    installation.anlan("facts", "export")
    for month in months:
        asked = (INDEX, "--period", month, "--as")
        installation.anlan("index", "draft", *asked, town.usernames["analyst"])
        installation.anlan("index", "sign", *asked, town.usernames["supervisor"])
        installation.anlan("index", "publish", *asked, town.usernames["area_lead"])
    return town, months


def month_before(day: datetime) -> datetime:
    """The first working morning of the month before."""
    last = day.replace(day=1) - timedelta(days=1)
    return last.replace(day=3, hour=10, minute=0, second=0, microsecond=0)


def live(town: World, month: datetime, *, late: int) -> None:
    """A month: in the east so many hazards put right weeks too late, and one in time; in the west all at once."""
    for number in range(late):
        put_right(town, month + timedelta(hours=number), after=timedelta(days=20), area=town.grid)
    for number in range(2):
        put_right(town, month + timedelta(hours=number, minutes=5), after=timedelta(minutes=50), area=town.west_grid)
    put_right(town, month + timedelta(hours=2), after=timedelta(minutes=50), area=town.next_grid)


def put_right(town: World, at: datetime, *, after: timedelta, area: Any) -> Case:
    """A hazard from being seen, with a photo, to being closed, with another."""
    from anlan.casework import cases
    from anlan.casework.cases import Doing
    from anlan.intake import photos
    from calling import picture
    from desk import dispatched

    case = dispatched(town, at=at, area=area)
    course: tuple[tuple[str, str, timedelta, dict[str, Any]], ...] = (
        ("handler", "accept", timedelta(minutes=30), {}),
        ("handler", "fix", after, {"result": "通道已清空"}),
        ("triage", "verify", after + timedelta(minutes=20), {}),
        ("dispatcher", "close", after + timedelta(minutes=30), {}),
    )
    for who, act, then, data in course:
        by, when = getattr(town, who), at + then
        shots = [photos.keep(picture("green"), "after.jpg", stage="after", by=by, at=when)] if act == "fix" else []
        cases.act(case.pk, Doing(act, data, photos=tuple(shots)), by=by, reach=town.reach(by, at=when), at=when)
    return case


def main() -> None:
    """What the process does."""
    import django

    django.setup()
    from django.db import transaction
    from django.utils import timezone

    from anlan.places import officers
    from anlan.places.models import Area, Department, Officer
    from anlan.presentation import followers
    from desk import dispatched
    from world import world

    last = month_before(timezone.localtime())
    first = month_before(last)
    with transaction.atomic():
        town = world(month_before(first))
        # What is published counts the whole county, so somebody must answer for all of it.
        officers.post(town.area_lead, "area_lead", town.county, by=None, at=town.at)
        live(town, first, late=1)
        live(town, last, late=4)
        dispatched(town, at=last + timedelta(hours=5), area=town.grid)
        password = officers.set_password(town.administrator, PASSWORD, by=None, at=timezone.now()).password
        Officer.objects.update(password=password)
        everybody = {name: value for name in town.__slots__ if isinstance(value := getattr(town, name), Officer)}
    followers.drain(at=timezone.now())
    said = Town(
        usernames={name: one.username for name, one in everybody.items()},
        names={name: one.name for name, one in everybody.items()}, secrets={}, ids={},
        departments=dict(Department.objects.values_list("key", "pk")),
        areas=dict(Area.objects.values_list("name_zh", "code")),
    )  # fmt: skip
    months = [f"{each:%Y-%m}" for each in (first, last)]
    print(json.dumps({"town": {name: getattr(said, name) for name in Town.__slots__}, "months": months}))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "anlan.presentation.settings")
    main()
