"""Run by a test as a process of its own: the small town, in an installation, with a key and a password for everybody.

Prints as JSON what a test needs to speak to its server. `settle` starts it.
"""

# ruff: noqa: T201 - the test reads what is printed
from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from installation import Installation
    from world import World

PASSWORD = "安澜 calm waters 7"


@dataclass(frozen=True, slots=True)
class Town:
    """Names by which the cast of `world` is known to a server: user names, secrets of keys, ids of departments."""

    usernames: dict[str, str]
    names: dict[str, str]
    secrets: dict[str, str]
    ids: dict[str, int]
    departments: dict[str, int]
    areas: dict[str, str]

    def bearer(self, who: str) -> dict[str, str]:
        """The header with which somebody of the cast calls."""
        return {"Authorization": f"Bearer {self.secrets[who]}"}


def settle(installation: Installation, *, cases: int = 0) -> Town:
    """Build the town of `world`, as of now, in the installation; with so many cases of the last three weeks."""
    return Town(**json.loads(installation.python(str(Path(__file__)), str(cases)).stdout))


def machines(town: World, at: datetime) -> dict[str, str]:
    """A police system that may post, and a platform that is told and does not answer; the first one's secret."""
    from anlan.casework import feeds
    from anlan.intake import clients

    feed, nowhere = "provincial_progress", "http://127.0.0.1:9/in"
    feeds.register(
        "platform", title="平台", feed=feed, area=town.county, url=nowhere, by=None, at=at, allow_private=True
    )
    _, secret = clients.register("police", title="接处警系统", channel="police_calls", area=town.county, by=None, at=at)
    return {"police": secret}


def main() -> None:
    """What the process does."""
    import django

    django.setup()
    from django.db import transaction
    from django.utils import timezone

    from anlan.places import officers, tokens
    from anlan.places.models import Area, Department, Officer
    from anlan.places.role import ACTIONS
    from busy_town import happen
    from world import world

    at = timezone.now()
    with transaction.atomic():
        town = world(at - timedelta(days=30))
        happen(town, int(sys.argv[1]), now=at)
        everybody = {name: value for name in town.__slots__ if isinstance(value := getattr(town, name), Officer)}
        secrets = {name: tokens.issue(one, "test", list(ACTIONS), at=at)[1] for name, one in everybody.items()}
        secrets |= machines(town, at)
        # One hash for all: a good one takes a third of a second.
        first = officers.set_password(town.administrator, PASSWORD, by=None, at=at)
        Officer.objects.update(password=first.password)
    said = Town(
        usernames={name: one.username for name, one in everybody.items()},
        names={name: one.name for name, one in everybody.items()},
        secrets=secrets,
        ids={name: one.pk for name, one in everybody.items()},
        departments=dict(Department.objects.values_list("key", "pk")),
        areas=dict(Area.objects.values_list("name_zh", "code")),
    )
    print(json.dumps({name: getattr(said, name) for name in Town.__slots__}))


if __name__ == "__main__":
    main()
