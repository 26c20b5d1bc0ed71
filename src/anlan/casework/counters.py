"""The follower that keeps the tallies: what each case adds is worked out anew, and only the difference is written.

A case remembers what it was last counted as, so the same event twice changes nothing, and an event that is late or
missed is made good by the next one. `recount` builds everything from the histories alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction

from anlan.casework import procedure
from anlan.casework.contribution import COLUMNS, TOOK, Contribution, contribution
from anlan.casework.draft import READ
from anlan.casework.engine import Past, stand
from anlan.casework.models import Case, Counted, Spell, Tally
from anlan.casework.moves import CARRIED
from anlan.casework.plan import ready
from anlan.ledger.models import Event
from anlan.places import areas, holidays

BATCH = 2000
COUNTED = (*READ, CARRIED)
ALL = "*"
_SUMS = (*COLUMNS, *TOOK)
_PLACES = {column: place for place, column in enumerate(_SUMS)}
_NOTHING = "[]"
_write_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_HISTORIES = 'SELECT subject, kind, at, "by", data FROM ledger_event WHERE subject'

Key = tuple[str, int, str, str]
"""Area path, department, topic and day of a row."""
SpellKey = tuple[str, int, str, str, int]
"""The same, and the days a case took."""


def count(events: Sequence[Event]) -> None:
    """Count the cases these events are about."""
    count_cases({event.subject for event in events if event.kind in COUNTED})


def count_cases(ids: Iterable[UUID]) -> int:
    """Bring the tallies in line with the histories of these cases; how many cases count differently now."""
    waiting = sorted(set(ids))
    return sum(_count(waiting[start : start + BATCH]) for start in range(0, len(waiting), BATCH))


@transaction.atomic
def recount() -> int:
    """Clear the tallies and count every case from its history; how many cases there are."""
    _one_at_a_time()
    for model in (Counted, Spell, Tally):
        model.objects.all().delete()
    return count_cases(Case.objects.values_list("pk", flat=True))


class _Counting(NamedTuple):
    """A case as it is counted: in text, to be compared with what it was counted as before."""

    case: UUID
    before: str
    after: str


@transaction.atomic
def _count(ids: Sequence[UUID]) -> int:
    _one_at_a_time()
    changed = [counting for counting in _countings(ids) if counting.after != counting.before]
    tallies: dict[Key, list[int]] = {}
    spells: dict[SpellKey, int] = {}
    for _, before, after in changed:
        for text, sign in ((before, -1), (after, 1)):
            if text != _NOTHING:
                _add(json.loads(text), sign, tallies, spells)
    _write(Tally, ("area_path", "department", "topic", "day"), _SUMS, _tally_rows(tallies))
    _write(Spell, ("area_path", "department", "topic", "day", "days"), ("cases",), _spell_rows(spells))
    _remember(changed)
    return len(changed)


def _one_at_a_time() -> None:
    """Two who count the same case at once would add it twice. SQLite has one writer; PostgreSQL is asked for a lock."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('casework_tally'))")


# ---------------------------------------------------------------- what a case counts as


def _countings(ids: Sequence[UUID]) -> Iterator[_Counting]:
    cases = Case.objects.filter(pk__in=ids).values_list("pk", "area_path", "procedure", "edition")
    before = dict(Counted.objects.filter(pk__in=ids).values_list("pk", "rows"))
    histories = _histories(ids)
    calendar_at = holidays.calendars()
    for case, area_path, key, edition in cases:
        plan, calendar = ready(procedure.of(key, edition)), calendar_at(area_path)
        now = stand(plan, histories.get(case, ()), calendar)
        added = contribution(plan, now, local_date=calendar.local_date)
        yield _Counting(case, before.get(case, _NOTHING), _text(area_path, now.topic, added))


def _histories(ids: Sequence[UUID]) -> dict[UUID, list[Past]]:
    """The histories in one query, read without a model for each event: this is where the time would go."""
    postgres = connection.vendor == "postgresql"
    names = {case if postgres else case.hex: case for case in ids}
    found: dict[UUID, list[Past]] = {case: [] for case in ids}
    with connection.cursor() as cursor:
        if postgres:
            cursor.execute(f"{_HISTORIES} = ANY(%s) ORDER BY subject, seq", [list(names)])
        else:
            cursor.execute(f"{_HISTORIES} IN ({', '.join(['%s'] * len(names))}) ORDER BY subject, seq", list(names))
        for subject, kind, at, by, data in cursor:
            if kind in READ:
                moment = at if postgres else at.replace(tzinfo=UTC)
                found[names[subject]].append(Past(kind, moment, by, json.loads(data)))
    return found


def _text(area_path: str, topic: str, added: Contribution) -> str:
    """The contribution in a line: a column is written as its place in the sums, as often as it counts."""
    rows: list[Any] = []
    spells: list[Any] = []
    for row in added.rows:
        places = [_PLACES[name] for name, count in row.counts.items() for _ in range(count)]
        rows.append([row.department, row.day.isoformat(), places])
    for department, _, day, days in added.spells:
        if days < len(TOOK):
            rows.append([department, day.isoformat(), [len(COLUMNS) + days]])
        else:
            spells.append([department, day.isoformat(), days])
    return _write_json([area_path, topic, rows, spells]) if rows else _NOTHING


# ---------------------------------------------------------------- adding up


def _add(counted: list[Any], sign: int, tallies: dict[Key, list[int]], spells: dict[SpellKey, int]) -> None:
    """Add one case to its area and all above it, to its topic and to all topics."""
    area_path, topic, rows, lasted = counted
    above = areas.ancestors(area_path)
    for department, day, places in rows:
        for path in above:
            for each in (topic, ALL):
                key = (path, department, each, day)
                sums = tallies.get(key)
                if sums is None:
                    sums = tallies[key] = [0] * len(_SUMS)
                for place in places:
                    sums[place] += sign
    for department, day, days in lasted:
        for path in above:
            for each in (topic, ALL):
                spell = (path, department, each, day, days)
                spells[spell] = spells.get(spell, 0) + sign


def _tally_rows(tallies: dict[Key, list[int]]) -> list[tuple[Any, ...]]:
    return [(*key, *tallies[key]) for key in sorted(tallies) if any(tallies[key])]


def _spell_rows(spells: dict[SpellKey, int]) -> list[tuple[Any, ...]]:
    return [(*key, spells[key]) for key in sorted(spells) if spells[key]]


# ---------------------------------------------------------------- writing


def _write(model: type[Tally | Spell], keys: Sequence[str], sums: Sequence[str], rows: list[tuple[Any, ...]]) -> None:
    """Add `rows` to the sums that stand; rows come in the order of their keys, so that writers never wait in a ring."""
    table = model._meta.db_table
    added = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in sums)
    _upsert(table, (*keys, *sums), f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {added}", rows)


def _remember(changed: Sequence[_Counting]) -> None:
    postgres = connection.vendor == "postgresql"
    rows = [(str(case) if postgres else case.hex, after) for case, _, after in changed]
    _upsert(
        "casework_counted", ("case_id", "rows"), 'ON CONFLICT (case_id) DO UPDATE SET "rows" = excluded."rows"', rows
    )


def _upsert(table: str, names: Sequence[str], conflict: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """The same statement on both databases, fed row by row to SQLite and as whole columns to PostgreSQL."""
    if not rows:
        return
    head = f"INSERT INTO {table} ({', '.join(map(_quoted, names))})"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            columns = [_array(column) for column in zip(*rows, strict=True)]
            source = ", ".join(f"%s::{_TYPES.get(name, 'bigint')}[]" for name in names)
            cursor.execute(f"{head} SELECT * FROM unnest({source}) {conflict}", columns)  # noqa: S608 - our own names
        else:
            cursor.executemany(f"{head} VALUES ({', '.join(['%s'] * len(names))}) {conflict}", rows)


_TYPES = {"area_path": "text", "topic": "text", "day": "date", "case_id": "uuid", "rows": "text"}


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def _array(column: Sequence[Any]) -> str:
    """A column as PostgreSQL reads an array: bound at once, not value by value."""
    if isinstance(column[0], str):
        return "{" + ",".join(json.dumps(value, ensure_ascii=False) for value in column) + "}"
    return "{" + ",".join(map(str, column)) + "}"
