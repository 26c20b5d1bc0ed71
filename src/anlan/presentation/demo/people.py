"""The sixty people of the demo town and the posts they hold. Every name is made by chance from common syllables."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from random import Random
from typing import Any

from django.contrib.auth.hashers import make_password

from anlan.places import officers, parties
from anlan.places.models import Area, Department, Officer, Party
from anlan.places.scope import Reach, reach_of

PASSWORD = "anlan-demo-2026"  # noqa: S105  public on purpose: the sign-in of an invented town
FOUNDED = date(2026, 1, 1)
SURNAMES = "沈陆叶柳秦苏顾江程方石田汪范贺龚尹史段"
GIVEN = ("晓舟", "一鸣", "云帆", "清和", "思远", "若水", "望山", "知夏", "安然", "立秋", "听雨", "怀谷", "青禾", "向阳",
         "明朗", "子衿", "木兰", "长风", "微雨", "星河", "南枝", "北辰", "秋实", "春晓", "小满", "谷雨", "白露", "朝歌",
         "时雨", "远舟")  # fmt: skip


@dataclass(slots=True)
class People:
    """Who there is, by role, and what each may reach (read once: nobody changes post in the ninety days)."""

    by_role: dict[str, list[Officer]] = field(default_factory=dict)
    reaches: dict[int, Reach] = field(default_factory=dict)
    handlers: dict[int, Officer] = field(default_factory=dict)
    leads: dict[int, Officer] = field(default_factory=dict)
    signs: list[tuple[str, str, str]] = field(default_factory=list)
    party: Party | None = None

    def one(self, role: str, dice: Random) -> Officer:
        return dice.choice(self.by_role[role])

    def reach(self, officer: Officer) -> Reach:
        return self.reaches[officer.pk]

    def near(self, role: str, area_path: str, dice: Random) -> Officer:
        """Somebody of this role whose post covers the area, if there is one."""
        fits = [o for o in self.by_role[role] if role in self.reaches[o.pk].roles_at(area_path)]
        return dice.choice(fits or self.by_role[role])


class Recruiter:
    """Makes the officers and their posts."""

    def __init__(self, at: datetime, dice: Random) -> None:
        self.at, self.dice = at, dice
        self.people = People()
        # One slow hash for all: these are the public sign-ins of an invented town on one machine.
        self.password = make_password(PASSWORD)
        self.taken: set[str] = set()
        self.posts: list[tuple[str, dict[str, Any]]] = []

    def name(self) -> str:
        while True:
            name = self.dice.choice(SURNAMES) + self.dice.choice(GIVEN)
            if name not in self.taken:
                self.taken.add(name)
                return name

    def hire(self, username: str, role: str, area: Area, shown: str = "", **post: Any) -> Officer:
        """One officer in one post; with `shown`, their sign-in is printed."""
        officer = officers.create(username, name=self.name(), by=None, at=self.at)
        Officer.objects.filter(pk=officer.pk).update(password=self.password)
        officers.post(officer, role, area, valid_from=FOUNDED, by=None, at=self.at, **post)
        self.people.by_role.setdefault(role, []).append(officer)
        if shown:
            self.people.signs.append((username, officer.name, shown))
        return officer


def recruit(at: datetime, dice: Random) -> People:
    """The sixty: from the administrator to the grid workers."""
    make = Recruiter(at, dice)
    county = Area.objects.get(level="county")
    towns = list(Area.objects.filter(level="township").order_by("code"))
    _desk(make, county)
    _departments(make, county)
    _area_leads(make, county, towns)
    _field(make, towns)
    make.people.party = parties.create(
        kind="enterprise", name="听潮五金有限公司（虚构）", area=towns[0], by=None, at=at
    )
    make.hire("qiye1", "party", county, "企业安全员 / enterprise safety officer", party=make.people.party)
    for found in make.people.by_role.values():
        for officer in found:
            make.people.reaches[officer.pk] = reach_of(officer, at=at)
    return make.people


def _desk(make: Recruiter, county: Area) -> None:
    for number in (1, 2, 3):
        make.hire(f"shouli{number}", "triage", county, "受理员 / triage" if number == 1 else "")
        make.hire(f"paiqian{number}", "dispatcher", county, "派遣员 / dispatcher" if number == 1 else "")
    make.hire("duban1", "supervisor", county, "督查 / supervisor")
    make.hire("duban2", "supervisor", county)
    make.hire("fenxi1", "analyst", county, "分析 / analyst")
    make.hire("admin", "administrator", county, "管理员 / administrator")


def _departments(make: Recruiter, county: Area) -> None:
    for number, department in enumerate(Department.objects.order_by("pk"), 1):
        shown = number == 4
        handler = make.hire(
            f"banli{number}",
            "handler",
            department.area,
            "经办人（消防）/ handler" if shown else "",
            department=department,
        )
        make.people.handlers[department.pk] = handler
        if number <= 6:
            make.people.leads[department.pk] = make.hire(
                f"fuze{number}", "department_lead", department.area,
                "部门负责人（消防）/ department lead" if shown else "", department=department,
            )  # fmt: skip


def _area_leads(make: Recruiter, county: Area, towns: list[Area]) -> None:
    for number, area in enumerate([county, *towns], 1):
        make.hire(f"lingdao{number}", "area_lead", area, "县领导 / county lead" if number == 1 else "")


def _field(make: Recruiter, towns: list[Area]) -> None:
    villages = list(Area.objects.filter(level="village").order_by("code"))
    for number, village in enumerate(villages, 1):
        make.hire(f"wangge{number}", "grid_worker", village, "网格员 / grid worker" if number == 1 else "")
    for number, grid in enumerate(Area.objects.filter(level="grid").order_by("code")[:5], len(villages) + 1):
        make.hire(f"wangge{number}", "grid_worker", grid)
    make.hire("zhiyuan1", "volunteer", villages[0], "志愿者 / volunteer")
    certified = {"certificate_until": date(2028, 12, 31)}
    bodies = Department.objects.filter(key__endswith=("fire")) | Department.objects.filter(key__endswith="emergency")
    for number, body in enumerate([*bodies, *bodies][:4], 1):
        shown = "执法检查员 / inspector" if number == 1 else ""
        more = {"department": body, "certificate_no": f"演示-{number:04d}", **certified}
        make.hire(f"jiancha{number}", "inspector", body.area, shown, **more)
