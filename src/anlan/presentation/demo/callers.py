"""Police calls and unannounced checks in the demo town: posted and signed as by the systems they come from."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from anlan.casework import pushes, triage
from anlan.casework.draft import load
from anlan.casework.models import Case, Push
from anlan.intake import clients, hooks, signing
from anlan.intake.models import Report
from anlan.intake.wire import Signature
from anlan.kernel.text import Refusal
from anlan.ledger.models import Event
from anlan.places.models import Area, Site
from anlan.presentation.demo.living import Living

CALLS: Final = (
    ("邻里纠纷", 20, ("楼上漏水，双方争吵", "停车挡门，互相推搡", "晾衣滴水，言语冲突")),
    ("劳资纠纷", 8, ("工人讨要两个月工资", "离职工资结算有争议")),
    ("家庭纠纷", 12, ("夫妻争吵，邻居报警", "兄弟为赡养老人起争执")),
    ("噪音扰民", 32, ("夜里广场音响声音过大", "楼上装修到深夜")),
    ("违法停车", 28, ("货车堵住巷口", "消防通道被车占住")),
)
"""What people call the police about: the type, its weight, and what is written down."""
FINDINGS: Final = (
    ("消防", 6, ("疏散楼梯间堆放杂物", "消火栓没有水", "安全出口上锁")),
    ("群租", 1, ("一套房隔成五间，无第二出口",)),
    ("道路", 1, ("临水路段没有护栏",)),
)
"""What superiors find who come unannounced: of eight problems, six are of fire."""
ANSWERS: Final = ("双方已当场和解", "已上门回访，情绪平稳", "已告知依法处理途径", "已通知责任单位整改")


class Wire:
    """A system that posts to the town, with its secret."""

    def __init__(self, name: str, title: str, channel: str, area: Area, *, at: datetime) -> None:
        self.client, self.secret = clients.register(name, title=title, channel=channel, area=area, by=None, at=at)
        self.sent = 0

    def post(self, message: dict[str, Any], *, at: datetime) -> list[Report]:
        """The reports its message became."""
        body, scheme = json.dumps(message, ensure_ascii=False).encode(), Signature()
        self.sent += 1
        stamp, nonce = str(int(at.timestamp())), f"demo-{self.sent}"
        signed = signing.sign(self.secret, scheme, timestamp=stamp, nonce=nonce, body=body)
        headers = {scheme.timestamp: stamp, scheme.nonce: nonce, scheme.header: signed}
        answer = hooks.take(self.client.name, headers, body, at=at)
        outcomes = answer.data.get("messages") or []
        if not outcomes or any(each["outcome"] != "received" for each in outcomes):
            raise Refusal(f"演示来件未被收下：{answer.data}", f"A message of the demo was not received: {answer.data}")
        found = [each["id"] for each in outcomes]
        return list(Report.objects.filter(pk__in=found).select_related("area", "site").order_by("pk"))


class Callers:
    """The two systems, and what each posts when."""

    def __init__(self, life: Living, sites: list[Site], dice: Random, *, at: datetime) -> None:
        self.life, self.sites, self.dice = life, sites, dice
        county = Area.objects.get(level="county")
        self.police = Wire("police-110", "接处警系统（演示）", "police_calls", county, at=at)
        self.visits = Wire("county-visits", "暗访系统（演示）", "unannounced", county, at=at)

    def plan(self, *, began: datetime, until: datetime, cases: int) -> None:
        """Calls all the time, about three for a hundred cases; an unannounced round every four weeks."""
        span = (until - began).total_seconds()
        for _ in range(max(1, round(cases * 0.03))):
            self.life.plan(began + timedelta(seconds=self.dice.uniform(0, span)), self._call)
        round_at = began + timedelta(days=6)
        while round_at < until:
            self.life.plan(round_at, self._visit)
            round_at += timedelta(days=28)

    # ------------------------------------------------------------ calls

    def _call(self, at: datetime) -> None:
        # A few places call again and again.
        site = self.dice.choice(self.sites[:12] if self.dice.random() < 0.35 else self.sites)
        kind, _, briefs = self.dice.choices(CALLS, [weight for _, weight, _ in CALLS])[0]
        told = {
            "callNo": f"J-{self.police.sent + 1:06d}", "callTime": at.isoformat(), "type": {"name": kind},
            "brief": self.dice.choice(briefs), "place": {"address": site.address, "areaCode": site.area.code},
        }  # fmt: skip
        for report in self.police.post(told, at=at):
            # As its follower does a moment later; that one finds it done.
            pushes.follow(list(Event.objects.filter(kind=triage.RECEIVED, subject=report.pk)))
            case = Case.objects.filter(case_reports__report=report).first()
            if case is not None:
                self.life.follow(load(case), at)
            for push in Push.objects.filter(call=report.pk).exclude(key="platform"):
                self._plan_answer(push, at)

    def _plan_answer(self, push: Push, at: datetime) -> None:
        share = (push.due_at - at) * self.dice.choices((0.4, 0.8, 1.6), (55, 30, 15))[0]
        self.life.plan(at + share, lambda now: self._answer(push, now))

    def _answer(self, push: Push, at: datetime) -> None:
        to = push.to.select_related("officer").order_by("pk").first()
        if to is not None and Push.objects.filter(pk=push.pk, answered_at=None).exists():
            resolved = self.dice.random() < 0.7
            pushes.answer(push.pk, self.dice.choice(ANSWERS), resolved=resolved, by=to.officer, at=at)

    # ------------------------------------------------------------ unannounced checks

    def _visit(self, at: datetime) -> None:
        problems = []
        for number in range(4):
            site = self.dice.choice(self.sites)
            kind, _, found = self.dice.choices(FINDINGS, [weight for _, weight, _ in FINDINGS])[0]
            place = {"name": site.name, "address": site.address, "area": site.area.code}
            code = f"AF-{self.visits.sent + 1}-{number + 1}"
            problems.append({"id": code, "category": kind, "finding": self.dice.choice(found), "site": place})
        told = {"round": str(self.visits.sent + 1), "visitedOn": at.isoformat(), "problems": problems}
        for report in self.visits.post(told, at=at):
            by = self.life.people.one("triage", self.dice)
            # What is only called "fire" has no way of its own: somebody at the desk decides.
            case = triage.take(report, by=by, at=at) or triage.accept(
                report, procedure="incident", topic="fire_exit", by=by, at=at
            )
            self.life.follow(load(case), at)
