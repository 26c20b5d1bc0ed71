"""Builds the demo town: its people, sites and ninety days of casework, through the same verbs everybody uses."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import F

from anlan.casework import alarms, cases, clocks, pushes, reporter, triage
from anlan.casework.cases import Doing
from anlan.casework.draft import Draft, load
from anlan.casework.models import Case, Notice
from anlan.intake import reports
from anlan.intake.channel import CHANNELS
from anlan.intake.models import Report
from anlan.kernel import catalogue
from anlan.kernel.ids import new_id
from anlan.kernel.text import Refusal
from anlan.ledger import events, seal
from anlan.ledger.events import NewEvent
from anlan.ledger.models import Event
from anlan.places import duties, holidays, towns
from anlan.places.models import Officer, Site
from anlan.presentation import followers
from anlan.presentation.demo import callers, figures, machines, pictures, places, published, story
from anlan.presentation.demo.people import PASSWORD, People, recruit

DAYS, SITES, CASES, TOWN = 90, 600, 3000, "qinglan"
BUILT = "demo.built"
RESIDENTS: Final = 0.15
"""The share of matters that residents report."""
Say = Callable[[str], None]


class NotBuilt(Refusal):
    """There is something in the database, but not a whole demo town."""


def build(*, at: datetime, say: Say, days: int = DAYS, sites: int = SITES, count_of_cases: int = CASES) -> None:
    """Build the town as it stands at `at`, unless it is there; tell how to sign in."""
    if Officer.objects.exists() and not Event.objects.filter(kind=BUILT).exists():
        raise NotBuilt(
            "这个数据目录里有别的数据，或演示县上次没有建完。请换一个 ANLAN_DATA，或删去该目录后重新运行。",
            "This data folder holds other data, or a demo town that was cut short while it was built. "
            "Choose another ANLAN_DATA, or remove the folder and run again.",
        )
    if not Officer.objects.exists():
        dice = Random(20260101)  # noqa: S311  the same town every time
        began = at - timedelta(days=days)
        with transaction.atomic():
            towns.load(towns.town(TOWN), by=None, at=began)
            people = recruit(began, dice)
            made = places.build(began, dice, count=sites, operator=people.party)
        say(f"已建好 40 个网格、{len(made)} 个场所、60 名人员。 / Areas, sites and officers are there.")
        life = Life(people, made, pictures.Album(lazy=people.handlers[min(people.handlers)]), dice, say)
        with transaction.atomic():
            life.furnish(began, at, count_of_cases)
        life.live(began, at, count_of_cases)
        done = Case.objects.count()
        say(f"已办理 {done} 个事项，正在统计和封存账本…… / {done} cases; counting and sealing the ledger…")
        with transaction.atomic():
            mark = NewEvent(kind=BUILT, subject=new_id(), by=None, at=at, recorded_at=at, data={"cases": done})
            events.append(mark)
        followers.drain(at=at)
        while pushes.sweep(at=at):
            followers.drain(at=at)
        # Ninety days of reminders were read in their time; only the last ones still wait.
        Notice.objects.filter(at__lt=at - timedelta(days=2)).update(read_at=F("at"))
        seal.seal(at=at)
    published.publish(at=at, say=say)
    _tell(say)


def _tell(say: Say) -> None:
    say("")
    say("演示登录名（密码都是 " + PASSWORD + "） / Sign-ins (one password for all):")
    for username, meaning in SIGNS:
        say(f"  {username:<10}{meaning}")
    say("")


SIGNS = (
    ("wangge1", "网格员 / grid worker"), ("shouli1", "受理员 / triage"), ("paiqian1", "派遣员 / dispatcher"),
    ("banli4", "经办人（消防）/ handler"), ("fuze4", "部门负责人（消防）/ department lead"),
    ("jiancha1", "执法检查员 / inspector"), ("lingdao1", "县领导 / county lead"), ("duban1", "督查 / supervisor"),
    ("fenxi1", "分析 / analyst"), ("qiye1", "企业安全员 / enterprise"), ("zhiyuan1", "志愿者 / volunteer"),
    ("admin", "管理员 / administrator"),
)  # fmt: skip


class Life:
    """Ninety days, event after event in the order of time."""

    def __init__(self, people: People, sites: list[Site], album: pictures.Album, dice: Random, say: Say) -> None:
        self.people, self.sites, self.album, self.dice, self.say = people, sites, album, dice, say
        self.calendar = holidays.calendar_at(sites[0].area_path)
        self.channel, self.public = (catalogue.current().get(CHANNELS, key) for key in ("officer_form", "resident"))
        self.residents: dict[UUID, Report] = {}
        self.scenes: dict[UUID, int] = {}
        self.agenda: list[tuple[datetime, int, Callable[[datetime], object]]] = []
        self.turn = count()

    def plan(self, at: datetime, do: Callable[[datetime], object]) -> None:
        heapq.heappush(self.agenda, (at, next(self.turn), do))

    def furnish(self, began: datetime, until: datetime, number: int) -> None:
        """What others tell of the town: figures, detectors, police calls, checks by superiors."""
        dice = Random(20260102)  # noqa: S311  the same every time
        figures.plan(self, TOWN, began=began, until=until)
        machines.Machines(self, self.sites, dice).plan(began=began, until=until, cases=number)
        callers.Callers(self, self.sites, dice, at=began).plan(began=began, until=until, cases=number)

    def live(self, began: datetime, until: datetime, number: int) -> None:
        for moment in self._moments(began, until, number):
            self.plan(moment, self._report)
        done, said = 0, 0
        while self.agenda and self.agenda[0][0] <= until:
            with transaction.atomic():
                for _ in range(400):
                    if not self.agenda or self.agenda[0][0] > until:
                        break
                    at, _, do = heapq.heappop(self.agenda)
                    do(at)
                    done += 1
            share = int(100 * (at - began) / (until - began))
            if share >= said + 10:
                said = share // 10 * 10
                self.say(f"  {said}% （已办 {done} 步） / {done} acts so far")
        clocks.sweep(at=until)
        alarms.sweep(at=until)

    def _moments(self, began: datetime, until: datetime, number: int) -> list[datetime]:
        """When people report: by day more than by night, on working days more than on others."""
        hours = [1, 1, 1, 1, 1, 1, 3, 8, 14, 15, 14, 9, 6, 9, 13, 13, 11, 8, 7, 7, 6, 4, 2, 1]
        found: list[datetime] = []
        zone, span = self.calendar.zone, (until - began).total_seconds()
        while len(found) < number:
            moment = began + timedelta(seconds=self.dice.uniform(0, span))
            local = moment.astimezone(zone)
            worth = hours[local.hour] / 15 * (1 if self.calendar.is_working(local.date()) else 0.45)
            if self.dice.random() < worth:
                found.append(moment)
        return sorted(found)

    def _report(self, at: datetime) -> None:
        site = self.dice.choice(self.sites)
        topic = story.topic(self.dice)
        resident = self.dice.random() < RESIDENTS
        by = None if resident else self.people.near("grid_worker", site.area_path, self.dice)
        message = {
            "client_id": f"demo-{next(self.turn)}", "topic": topic, "description": self.dice.choice(story.TELLS[topic]),
            "site": site.code, "address": site.address, "lon": str(site.lon), "lat": str(site.lat),
            "told_at": at.isoformat(),
        }  # fmt: skip
        if resident and self.dice.random() < 0.1:  # who only says which grid it is in
            message = {**message, "site": "", "lon": "", "lat": "", "area": site.area.code}
        scene = next(self.turn)
        shots = [self.album.take("before", scene, by=by, at=at)] if self.dice.random() < 0.6 else []
        channel = self.public if resident else self.channel
        report = reports.receive(channel, message, by=by, at=at, photos=shots).report
        assert report is not None
        case = triage.take(report, by=by, at=at)
        if case is not None:
            self.scenes[case.pk] = scene
            if resident:
                self.residents[case.pk] = report
            self.follow(load(case), at)

    def follow(self, draft: Draft, at: datetime) -> None:
        """What people do next about a case."""
        if draft.now.outcome and draft.case.pk in self.residents:
            self.plan(at + timedelta(hours=self.dice.uniform(2, 40)), lambda moment: self._rate(draft.case.pk, moment))
        self._next(draft, at)

    def _rate(self, case_id: UUID, at: datetime) -> None:
        """Whoever reported says what they think, once; some never do, and some have it done again."""
        report = self.residents.pop(case_id)
        said = self.dice.choices(("satisfied", "fairly", "dissatisfied", ""), (52, 22, 8, 18))[0]
        if not reporter.is_satisfaction(said):
            return
        with suppress(Refusal):
            case = Case.objects.get(pk=case_id)
            reason = self.dice.choice(story.REWORKS) if said == "dissatisfied" else ""
            self.follow(load(reporter.answer(report, case, said, reason=reason, at=at)), at)

    def _next(self, draft: Draft, at: datetime) -> None:
        case, now = draft.case, draft.now
        if now.asked is not None:
            decide = "grant_extension" if self.dice.random() < 0.85 else "refuse_extension"
            self._soon(draft, at, story.Habit(decide, 1, (10, 400)))
            return
        choice = story.habit(case.procedure, now.step, self.dice, done=now.done)
        if choice is not None:
            self._soon(draft, at, choice)

    def _soon(self, draft: Draft, at: datetime, choice: story.Habit) -> None:
        low, high = choice.after
        minutes = low + (high - low) * self.dice.random() ** 1.8
        if self.dice.random() < 0.06:
            minutes *= self.dice.uniform(2, 5)
        when = self.calendar.add(at, minutes, choice.unit).at
        self.plan(when, lambda moment: self._act(draft, choice.act, moment))

    def _act(self, draft: Draft, act: str, at: datetime) -> None:
        draft.ring(until=at, recorded_at=at)
        by = self._who(draft, act)
        data = self._data(draft, act, at)
        shots: tuple[Any, ...] = ()
        if draft.plan.acts[act].photos is not None:
            scene = self.scenes.get(draft.case.pk, draft.case.pk.int)
            shots = (self.album.take("after", scene, by=by, at=at, near=self._here(draft)),)
        reach = self.people.reach(by)
        doing = Doing(act, data, photos=shots)
        try:
            cases.perform(
                draft, doing, by=by, who=cases.actor(draft.case, by, reach), reach=reach, at=at, recorded_at=at
            )
        except Refusal:
            # The step was left or a limit used up meanwhile: as in life, they look again the next day.
            self.plan(at + timedelta(days=1), lambda moment: self._next(draft, moment))
        else:
            self.follow(draft, at)
        finally:
            cases.save(draft)

    def _here(self, draft: Draft) -> tuple[float, float] | None:
        """Where a photo of the fix is taken: mostly where the matter is; now and then its place is not known."""
        lon, lat = draft.case.lon, draft.case.lat
        if lon is None or lat is None or self.dice.random() < 0.12:
            return None
        away = 0.02 if self.dice.random() < 0.03 else 0.0001
        return lon + self.dice.uniform(-away, away), lat + self.dice.uniform(-away, away)

    def _who(self, draft: Draft, act: str) -> Officer:
        who, lead, dice = draft.plan.acts[act].who, draft.now.lead, self.dice
        if lead is not None and who.office == "lead" and lead in self.people.handlers:
            return self.people.handlers[lead]
        if act == "hang":
            return self.people.leads.get(lead or 0) or self.people.near("area_lead", draft.case.area_path, dice)
        role = next((r for r in who.roles if r in self.people.by_role and r not in ("party", "handler")), who.roles[0])
        if "handler" in who.roles and lead in self.people.handlers and act in ("rectify", "ask_extension"):
            return self.people.handlers[lead]
        return self.people.near(role, draft.case.area_path, dice)

    def _data(self, draft: Draft, act: str, at: datetime) -> dict[str, Any]:
        dice = self.dice
        words: dict[str, dict[str, Any]] = {
            "return": {"reason": dice.choice(story.RETURNS)},
            "refuse": {"reason": "重复反映，已有事项在办"},
            "decline": {"reason": "现场核实，未见所述情况"},
            "ask_extension": {"length": dice.choice([1, 2, 3]), "reason": "需要采购配件，到货后一天内完成"},
            "refuse_extension": {"reason": "属紧急隐患，请按原期限办理"},
            "hang": {"reason": "等待管线迁改后才能施工", "review_on": (at + timedelta(days=20)).date().isoformat()},
            "fix": {"result": dice.choice(story.RESULTS)},
            "rectify": {"result": dice.choice(story.RESULTS)},
            "solved_on_spot": {"result": "当场清理完毕"},
            "rework": {"reason": dice.choice(story.REWORKS)},
            "again": {"reason": "没有说明具体哪一天修好"},
            "strike_off": {"note": "现场复查合格"},
            "answer": {"answer": dice.choice(story.ANSWERS)},
            "rate": {"satisfaction": dice.choices(story.RATINGS, (60, 25, 8, 7))[0]},
            "escalate": {"measure": "penalty", "reason": "逾期未整改，依法处罚"},
            "false_alarm": {"reason": dice.choice(story.FALSE)},
        }  # fmt: skip
        if act in ("dispatch", "assign", "order", "confirm"):
            return self._assignment(draft, act, at)
        return words.get(act, {})

    def _assignment(self, draft: Draft, act: str, at: datetime) -> dict[str, Any]:
        found = duties.responsible(draft.now.topic, draft.case.area_path, day=self.calendar.local_date(at))
        right = found.department.pk if found else next(iter(self.people.handlers))
        wrong = act == "dispatch" and not draft.now.returns and self.dice.random() < 0.05
        given: dict[str, Any] = {"department": self.dice.choice(list(self.people.handlers)) if wrong else right}
        if act == "confirm":
            given["task"] = "电话核实确有烟雾，请立即到场"
        elif act == "order":
            given["deadline"] = (at + timedelta(days=self.dice.choice([3, 7, 10, 15]))).date().isoformat()
            given["demand"] = "立即消除隐患，整改后申请复查"
        elif self.dice.random() < 0.08:
            given["assisting"] = [pk for pk in self.people.handlers if pk != given["department"]][:1]
            given["task"] = "配合现场处置"
        return given
