"""What others count of the demo town, told month by month through the door that every table of figures goes through.

The pack's tables name no date: a column "-3" is the third month (or year) before the one in which the town is built.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Final

from anlan.intake.uploading.layout import plans
from anlan.intake.uploading.outside import Statistics
from anlan.intake.uploading.targets import Taking
from anlan.kernel import catalogue
from anlan.kernel.text import Refusal
from anlan.places.town import TOWNS
from anlan.presentation.demo.living import Living
from anlan.presentation.demo.people import People

LAYOUT: Final = "figures"
HOUR: Final = time(8, 30)
"""When a month's figures come in, on the first day of the next."""
Message = Mapping[str, str]


class NotTaken(Refusal):
    """A figure of the pack is not understood."""


def plan(life: Living, town: str, *, began: datetime, until: datetime) -> None:
    """Let every figure be told in its time; what is older than the town's ninety days, as they begin."""
    folder = catalogue.current().origin(TOWNS, town).parents[1] / "statistics"
    at_once: list[Message] = []
    for moment, messages in sorted(_months(folder, until=until, life=life).items()):
        if moment <= began:
            at_once += messages
        else:
            life.plan(min(moment, until), lambda at, told=messages: _tell(told, life.people, at))  # type: ignore[misc]
    if at_once:
        life.plan(began, lambda at: _tell(at_once, life.people, at))


def _months(folder: Path, *, until: datetime, life: Living) -> dict[datetime, list[Message]]:
    """The messages by the moment at which they are told."""
    zone, told = life.calendar.zone, defaultdict[datetime, list[Message]](list)
    today = until.astimezone(zone).date()
    for name, ends in (("yearly", _years(today)), ("monthly", _month_ends(today))):
        for row in _rows(folder / f"{name}.csv"):
            for back, (period, next_day) in ends.items():
                if row.get(f"-{back}", "") != "":
                    moment = datetime.combine(next_day, HOUR, zone)
                    told[moment].append({**_fixed(row), "期间": period, "数值": row[f"-{back}"]})
    return told


def _rows(path: Path) -> Iterator[dict[str, str]]:
    if path.exists():
        with path.open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)


def _fixed(row: Mapping[str, str]) -> Message:
    return {name: row[name] for name in ("指标", "辖区", "单位", "来源")}


def _month_ends(today: date) -> dict[int, tuple[str, date]]:
    """By how many months back: the month's name, and the day after it."""
    found, after = {}, today.replace(day=1)
    for back in range(1, 37):
        first = (after - timedelta(days=1)).replace(day=1)
        found[back] = (f"{first:%Y-%m}", after)
        after = first
    return found


def _years(today: date) -> dict[int, tuple[str, date]]:
    return {back: (str(today.year - back), date(today.year - back + 1, 1, 1)) for back in range(1, 6)}


def _tell(messages: list[Message], people: People, at: datetime) -> None:
    by = people.by_role["administrator"][0]
    target = Statistics(plans()[LAYOUT], Taking(by, at, people.reach(by)))
    for verdict in target.take(list(enumerate(messages, 1))):
        if verdict.kind == "bad":
            zh, en = ("；".join(getattr(each.text, one) for each in verdict.reasons) for one in ("zh", "en"))
            raise NotTaken(f"{messages[verdict.row_no - 1]}：{zh}", f"{messages[verdict.row_no - 1]}: {en}")
