"""An old ledger played again: what its rows say happened, as the verbs would have written it at the time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.db import transaction

from anlan.casework import acts, cases
from anlan.casework.acts import Actor
from anlan.casework.draft import CHANGED, Draft, load
from anlan.casework.engine import MOVED, dues_of
from anlan.casework.models import Case, CaseReport
from anlan.casework.routing import Route, Routes
from anlan.casework.triage import headline
from anlan.intake.channel import Channel, Replay, Rule
from anlan.intake.door import ReceivedRow
from anlan.kernel.ids import id_at
from anlan.kernel.memory import uncollected
from anlan.kernel.text import Refusal
from anlan.kernel.workdays import Calendar
from anlan.ledger import events
from anlan.ledger.bulk import add_to_rows, insert_rows, update_rows
from anlan.ledger.events import NewEvent
from anlan.places import holidays
from anlan.places.models import Area, Officer, Site

ROUND = 20_000
COLUMNS = tuple(f.attname for f in Case._meta.concrete_fields)
_WHOLE = itemgetter(*COLUMNS)
_AGAIN = itemgetter(*CHANGED, "id")
Progress = Callable[[int, int], None]


class NothingToReplay(Refusal):
    """The channel does not say how a history is played again."""


@dataclass(slots=True)
class Replayed:
    """What became of the rows: how many cases were opened, what was done to them by act, and what was left."""

    opened: int = 0
    acts: Counter[str] = field(default_factory=Counter)
    rungs: int = 0
    merged: int = 0
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    already: int = 0
    unrouted: int = 0
    open_still: int = 0
    events: int = 0


@dataclass(slots=True)
class _Story:
    """One row and its case. `target` is the earlier case it turned out to repeat."""

    row: ReceivedRow
    rule: Rule | None
    where: str
    draft: Draft | None = None
    target: _Story | None = None
    saved: bool = False
    changed: bool = False


@uncollected()
def replay(
    channel: Channel, rows: Iterable[ReceivedRow], *, by: Officer, recorded_at: datetime,
    progress: Progress = lambda done, of: None,
) -> Replayed:  # fmt: skip
    """Open a case for each received row and act on it, each at the moment the row names; in the order of those moments.

    Safe to repeat: a row whose case is finished is left alone, one that was cut short goes on from where it stands.
    """
    if channel.replay is None:
        raise NothingToReplay(
            f"渠道“{channel.key}”没有 [replay] 一节，不能按历史重放。请去掉 --replay，或在渠道文件里写明。",
            f"Channel '{channel.key}' has no [replay] part. Leave out --replay, or declare it in the channel's file.",
        )
    return _Player(channel.replay, channel.key, by, recorded_at).play(rows, progress)


class _Player:
    """Holds the cases that are open at the moment the play has come to."""

    def __init__(self, how: Replay, channel: str, by: Officer, recorded_at: datetime) -> None:
        self.how, self.channel, self.by, self.recorded_at = how, channel, by, recorded_at
        self.result = Replayed()
        self.open_at: dict[str, list[_Story]] = {}
        self.touched: list[_Story] = []
        self.joined: list[tuple[_Story, datetime]] = []
        self.waiting = 0
        self._route_of = Routes()
        self._routes: dict[tuple[str, str, int | None, int], Route | None] = {}
        self._calendars: dict[str, Calendar] = {}
        self._areas: dict[int, Area] = {}

    def play(self, rows: Iterable[ReceivedRow], progress: Progress) -> Replayed:
        stories = [
            _Story(row, _rule(self.how, row), self._same(row))
            for row in rows
            if row.report is not None and row.told is not None
        ]
        known = _known_cases([story.row.report for story in stories if story.row.repeated])
        moments = sorted(self._moments(stories, known), key=lambda m: m[:3])
        for done, (at, _, _, story, step) in enumerate(moments):
            step(story, at)
            if self.waiting >= ROUND:
                self._flush()
                progress(done + 1, len(moments))
        self._flush()
        progress(len(moments), len(moments))
        self.result.open_still = sum(1 for s in stories if s.draft is not None and not s.draft.now.outcome)
        return self.result

    def _moments(
        self, stories: Sequence[_Story], known: dict[UUID, Case]
    ) -> Iterator[tuple[datetime, int, int, _Story, Callable[[_Story, datetime], None]]]:
        """When each row opens and when it is acted on. At one moment openings come first: days have no hours here."""
        for place, story in enumerate(stories):
            assert story.row.told is not None
            assert story.row.report is not None
            values = story.row.told.values
            opened = values[self.how.opened]
            case = known.get(story.row.report)
            if case is not None and case.outcome:
                self.result.already += 1
                continue
            if case is not None:
                story.draft, story.saved = load(case), True
                self.open_at.setdefault(story.where, []).append(story)
            else:
                yield opened, 0, place, story, self._open
            when = values.get(story.rule.at) if story.rule and story.rule.at else opened
            if story.rule is not None and when is not None:
                yield max(when, opened), 1, place, story, self._act

    def _same(self, row: ReceivedRow) -> str:
        """What rows about the same thing have in common; "" is about nothing else."""
        assert row.told is not None
        return " ".join(str(row.told.values.get(self.how.same) or "").upper().split())

    def _open(self, story: _Story, at: datetime) -> None:
        found = self._route(story.row, at)
        if found is None:
            self.result.unrouted += 1
            return
        told, place = story.row.told, story.row.place
        assert told is not None
        assert place is not None
        area = self._areas.get(place.area)
        if area is None:
            area = self._areas[place.area] = Area(pk=place.area, path=place.path)
        opening = cases.Opening(
            procedure=found.procedure, area=area, title=headline(told.address, told.topic), topic=told.topic,
            description=told.description, address=told.address, lon=place.lon, lat=place.lat, channel=self.channel,
            site=Site(pk=place.site) if place.site else None, lead=found.lead, lengths=found.lengths,
        )  # fmt: skip
        story.draft = cases.prepare(
            opening, self._calendar(place.path), by=self.by, at=at, recorded_at=self.recorded_at,
            key=f"open:{story.row.report}",
        )  # fmt: skip
        story.draft.case.reports_count = 1
        here = self.open_at.setdefault(story.where, [])
        if story.rule is not None and story.rule.merge:
            earlier = next((s for s in here if s.draft is not None), None)
            story.target = earlier.target or earlier if earlier else None
        if story.where:
            here.append(story)
        self.result.opened += 1
        self._touch(story, 1)

    def _act(self, story: _Story, at: datetime) -> None:
        if story.draft is None or story.rule is None:
            return
        key, data = story.rule.act, {}
        if story.rule.merge:
            if story.target is None:
                key = story.rule.otherwise
            else:
                assert story.target.draft is not None
                data = {"case": str(story.target.draft.case.pk)}
        draft = story.draft
        rungs = draft.ring(until=at, recorded_at=self.recorded_at)
        allowed = draft.plan.acts[key].who.roles if key in draft.plan.acts else ()
        departments = frozenset({draft.now.lead}) if draft.now.lead else frozenset[int]()
        who = Actor(self.by.pk, frozenset(allowed), departments)
        try:
            acts.examine(draft.plan, draft.now, key, who, data, 0, True)
        except Refusal as refusal:
            self.result.refused[refusal.text.zh, refusal.text.en] += 1
            return
        whole: dict[str, Any] = {"act": key, "to": draft.plan.acts[key].to, "fields": data, "dues": dues_of(draft.now)}
        draft.add(
            MOVED, by=self.by.pk, at=max(at, draft.now.last_at or at), recorded_at=self.recorded_at, data=whole,
            key=f"replay:{story.row.report}",
        )  # fmt: skip
        if story.target is not None:
            self.joined.append((story, at))
            self.result.merged += 1
        self.result.acts[key] += 1
        self.result.rungs += rungs
        self._touch(story, 1 + rungs)
        if draft.now.outcome and (here := self.open_at.get(story.where)) and story in here:
            here.remove(story)

    def _touch(self, story: _Story, events: int) -> None:
        self.waiting += events
        if not story.changed:
            story.changed = True
            self.touched.append(story)

    def _route(self, row: ReceivedRow, at: datetime) -> Route | None:
        assert row.told is not None
        assert row.place is not None
        day = self._calendar(row.place.path).local_date(at)
        key = (row.told.topic, row.place.path, row.place.site, self._route_of.span(day))
        if key not in self._routes:
            self._routes[key] = self._route_of(*key[:2], day=day)
        return self._routes[key]

    def _calendar(self, path: str) -> Calendar:
        if path not in self._calendars:
            self._calendars[path] = holidays.calendar_at(path)
        return self._calendars[path]

    @transaction.atomic
    def _flush(self) -> None:
        """Write what was played since the last time: one transaction, so a cut leaves whole rounds behind."""
        drafts = [story.draft for story in self.touched if story.draft is not None]
        fresh = [s.draft for s in self.touched if s.draft is not None and not s.saved]
        _number(fresh)
        told: list[NewEvent] = []
        for draft in drafts:
            draft.carry()
            told += draft.new
            draft.new = []
        insert_rows(Case, COLUMNS, [_WHOLE(draft.case.__dict__) for draft in fresh])
        new = [s for s in self.touched if s.draft is not None and not s.saved]
        links = [(s.draft.case.id, s.row.report, s.draft.case.opened_at) for s in new if s.draft]
        insert_rows(CaseReport, ("case_id", "report_id", "joined_at"), links)
        old = [s.draft.case for s in self.touched if s.draft is not None and s.saved]
        update_rows(Case, CHANGED, [_AGAIN(case.__dict__) for case in old])
        told += self._join()
        events.append_many(sorted(told, key=lambda event: event.at))
        self.result.events += len(told)
        for story in self.touched:
            story.saved, story.changed = True, False
        self.touched, self.joined, self.waiting = [], [], 0

    def _join(self) -> list[NewEvent]:
        """The targets answer the merged rows' reports too."""
        found, links = [], []
        for story, at in self.joined:
            assert story.draft is not None
            assert story.target is not None
            assert story.target.draft is not None
            case, target = story.draft.case, story.target.draft.case
            links.append((target.id, story.row.report, at))
            joined = NewEvent(
                kind="case.joined", subject=target.id, by=self.by.pk, at=at, recorded_at=self.recorded_at,
                area_path=case.area_path, data={"case": str(case.id)}, id=id_at(self.recorded_at),
            )  # fmt: skip
            found.append(joined)
        insert_rows(CaseReport, ("case_id", "report_id", "joined_at"), links)
        add_to_rows(Case, "reports_count", Counter(link[0] for link in links))
        return found


def _rule(how: Replay, row: ReceivedRow) -> Rule | None:
    assert row.told is not None
    values = row.told.values
    return next((r for r in how.rules if all(values.get(k) == v for k, v in r.when.items())), None)


def _known_cases(reports: Sequence[UUID | None]) -> dict[UUID, Case]:
    """The case each of these reports opened, by report."""
    found: dict[UUID, Case] = {}
    for start in range(0, len(reports), 500):
        part = CaseReport.objects.filter(report__in=reports[start : start + 500]).select_related("case")
        for link in part.order_by("-joined_at", "-pk"):
            found[link.report_id] = link.case
    return found


def _number(drafts: Sequence[Draft]) -> None:
    """Numbers for new cases, a block for each prefix and day."""
    days: dict[tuple[tzinfo, datetime], str] = {}
    blocks: dict[tuple[str, str], list[Draft]] = {}
    for draft in drafts:
        opened = draft.calendar.zone, draft.case.opened_at
        day = days.get(opened) or days.setdefault(opened, cases.series_day(draft))
        blocks.setdefault((draft.plan.procedure.prefix, day), []).append(draft)
    for (prefix, day), block in blocks.items():
        last = cases.number(prefix, day, len(block))
        for place, draft in enumerate(block):
            cases.name(draft, last - len(block) + 1 + place, day)
