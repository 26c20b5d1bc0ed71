"""What comes over a wire and cannot be used: counted exactly, and the first of it held for a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.db import connection

from anlan.intake import message
from anlan.intake.channel import CHANNELS
from anlan.intake.location import Locator, NoTown
from anlan.intake.models import Quarantined, Stray
from anlan.intake.sensors.episodes import CHANNEL
from anlan.intake.sensors.readings import print_of
from anlan.kernel import catalogue
from anlan.kernel.ids import new_id
from anlan.kernel.text import Text
from anlan.ledger import events
from anlan.ledger.bulk import Encoded, insert_rows, rows_among
from anlan.ledger.events import NewEvent
from anlan.places.record import day_of

OF_ONE: Final = 20
"""So many messages of one sender for one reason are held a day."""
OF_ALL: Final = 1000
"""So many are held a day of one wire, and as many again of those that tell of an alarm."""
SENDERS: Final = 1000
"""So many senders are counted apart a day; the others together, under the name below."""
OTHERS: Final = "*"
_KEPT: Final = "kept"
_LONGEST: Final = 2000
_HELD: Final = (
    "id", "channel", "batch_id", "row_no", "digest", "raw", "reasons", "reporter_id", "state", "report_id", "area_path",
    "held_at", "settled_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lost:
    """A message that cannot be used: who sent it as far as that is known, why, and what it said."""

    source: str
    reason: str
    text: Text
    raw: str
    area_path: str = ""
    urgent: bool = False


def hold(wire: str, lost: Sequence[Lost], *, at: datetime, counted: Counter[tuple[str, str]] | None = None) -> int:
    """Count everything in `lost` (and in `counted`, by sender and reason), and hold the first of it; how many are held.

    The same message again is counted again and held once.
    """
    day = day_of(at)
    counts = Counter((each.source[:80], each.reason) for each in lost) + (counted or Counter())
    before = dict.fromkeys(counts, 0) | _before(day, wire)
    held = _held(_chosen(lost, before), before, wire, at) if lost else {"": 0, "urgent": 0}
    senders = {source for source, _ in before}
    total: Counter[tuple[str, str]] = Counter()
    for (source, reason), count in counts.items():
        known = source in senders and before.get((source, reason), 0) > 0
        total[source if known or len(senders) <= SENDERS else OTHERS, reason] += count
    for name, count in held.items():
        if count:
            total[name, _KEPT] += count
    _add(day, wire, total, at)
    return sum(held.values())


def _before(day: date, wire: str) -> dict[tuple[str, str], int]:
    rows = Stray.objects.filter(day=day, wire=wire).values_list("source", "reason", "count")
    return {(source, reason): count for source, reason, count in rows}


def _chosen(lost: Sequence[Lost], before: dict[tuple[str, str], int]) -> list[Lost]:
    found, seen = [], Counter[tuple[str, str]]()
    for each in lost:
        key = each.source[:80], each.reason
        seen[key] += 1
        if each.urgent or before.get(key, 0) + seen[key] <= OF_ONE:
            found.append(each)
    return found


def _held(chosen: Sequence[Lost], before: dict[tuple[str, str], int], wire: str, at: datetime) -> dict[str, int]:
    """Hold what there is room for; how many, the urgent apart."""
    room = {name: OF_ALL - before.get((name, _KEPT), 0) for name in ("", "urgent")}
    raws: dict[str, tuple[Lost, str]] = {}
    for each in chosen:
        told = message.as_told({
            "number": f"{wire}-{each.source[:60]}-{print_of(each.raw.encode('utf-8', 'replace')):x}",
            "device": each.source, "description": each.raw[:_LONGEST],
        })  # fmt: skip
        raw = message.canonical(told)
        raws.setdefault(message.digest(CHANNEL, raw), (each, raw))
    known = {digest for (digest,) in rows_among(
        Quarantined, ("digest",), within=("channel", CHANNEL), name="digest", among=raws)}  # fmt: skip
    base, held = "", {"": 0, "urgent": 0}
    rows: list[tuple[Any, ...]] = []
    told_of: list[NewEvent] = []
    for digest, (each, raw) in raws.items():
        name = "urgent" if each.urgent else ""
        if digest in known or held[name] >= room[name]:
            continue
        held[name] += 1
        pk, path = new_id(), each.area_path or (base := base or _base(at))
        reasons = [{"field": each.reason, "column": "", "zh": each.text.zh, "en": each.text.en}]
        rows.append((pk, CHANNEL, None, None, digest, Encoded(raw), reasons, None, "held", None, path, at, None))
        data = {"channel": CHANNEL, "wire": wire, "fields": [each.reason]}
        told_of.append(NewEvent("report.held", pk, by=None, at=at, recorded_at=at, area_path=path, data=data))
    insert_rows(Quarantined, _HELD, rows)
    events.append_many(told_of)
    return held


def _base(at: datetime) -> str:
    """Where a message belongs of which nobody knows the place."""
    try:
        return Locator(catalogue.current().get(CHANNELS, CHANNEL), by=None, at=at).base
    except NoTown:
        return ""


def _add(day: date, wire: str, counts: Counter[tuple[str, str]], at: datetime) -> None:
    moment = at.replace(tzinfo=None) if connection.vendor == "sqlite" else at
    statement = (
        "INSERT INTO intake_stray (day, wire, source, reason, count, last_at) VALUES (%s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (day, wire, source, reason)"
        " DO UPDATE SET count = intake_stray.count + excluded.count, last_at = excluded.last_at"
    )
    rows = [(str(day), wire, source, reason, count, moment) for (source, reason), count in sorted(counts.items())]
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(statement, rows)
