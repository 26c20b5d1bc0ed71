"""A small invented town with a fixed cast, built by the verbs. Every test of the database starts here.

    甲县 330101 ── 东镇 330101001 ── 东一村 …001 ── 东一村一网格 …001, 二网格 …002
                │                 └─ 东二村 …002 ── 东二村一网格 …001
                └─ 西镇 330101002 ── 西一村 …001 ── 西一村一网格 …001
    邻县 330199 ── 邻镇 ── 邻村 ── 邻村一网格: where the outsider holds every role and sees nothing of 甲县

The county is a rectangle from 122.0, 27.0 to 122.2, 27.1: 东镇 is its western half, 西镇 its eastern half.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from anlan.kernel.text import Text
from anlan.places import areas, departments, duties, officers, parties, sites
from anlan.places.models import Area, Department, Officer, Party, Site
from anlan.places.role import all_roles
from anlan.places.scope import Reach, reach_of
from remembered import remembered

SHANGHAI = ZoneInfo("Asia/Shanghai")
AT = datetime(2026, 3, 6, 10, 0, tzinfo=SHANGHAI)
"""A Friday morning: a working day with a working day after the weekend."""
FOUNDED = date(2024, 1, 1)


@dataclass(frozen=True, slots=True)
class World:
    """The town and its people, as they are at `at`."""

    at: datetime
    county: Area
    east: Area
    west: Area
    village: Area
    other_village: Area
    grid: Area
    next_grid: Area
    west_grid: Area
    neighbour: Area
    neighbour_grid: Area
    housing: Department
    market: Department
    enforcement: Department
    fire: Department
    neighbour_department: Department
    grid_worker: Officer
    police_officer: Officer
    scene_officer: Officer
    volunteer: Officer
    inspector: Officer
    triage: Officer
    dispatcher: Officer
    handler: Officer
    other_handler: Officer
    department_lead: Officer
    area_lead: Officer
    supervisor: Officer
    analyst: Officer
    administrator: Officer
    landlord: Officer
    outsider: Officer
    party: Party
    neighbour_party: Party
    site: Site
    shop: Site
    neighbour_site: Site

    def reach(self, officer: Officer, *, at: datetime | None = None) -> Reach:
        """What `officer` may do at `at`, or when the world began."""
        return reach_of(officer, at=at or self.at)

    def cast(self) -> dict[str, Officer]:
        """One officer of 甲县 for every role, by the role's key."""
        found = {role: getattr(self, role) for role in all_roles() if role != "party"}
        return {**found, "party": self.landlord}


def world(at: datetime = AT) -> World:
    """The town; everything in it begins on the first day of 2024, posts and duties included."""
    return remembered(("world", at), lambda: _built(at))


def _built(at: datetime) -> World:
    build = _Builder(at)
    tree = build.areas()
    offices = build.departments(tree)
    owners = build.parties(tree)
    people = build.people(tree, offices, owners)
    build.duties(tree, offices, people)
    named: dict[str, Any] = {**tree, **offices, **owners, **people, **build.sites(tree, owners)}
    return World(at=at, **named)


@dataclass(frozen=True, slots=True)
class _Builder:
    at: datetime

    def areas(self) -> dict[str, Area]:
        county = self._area("330101", "county", "甲县", "Jia County", None, (122.0, 27.0, 122.2, 27.1), "china")
        east = self._area("330101001", "township", "东镇", "East Town", county, (122.0, 27.0, 122.1, 27.1))
        west = self._area("330101002", "township", "西镇", "West Town", county, (122.1, 27.0, 122.2, 27.1))
        one = self._area("330101001001", "village", "东一村", "East One", east, (122.0, 27.0, 122.1, 27.05))
        two = self._area("330101001002", "village", "东二村", "East Two", east, (122.0, 27.05, 122.1, 27.1))
        three = self._area("330101002001", "village", "西一村", "West One", west, (122.1, 27.0, 122.2, 27.1))
        grid = self._area("330101001001001", "grid", "东一村一网格", "E1 Grid 1", one, (122.0, 27.0, 122.05, 27.05))
        following = self._area(
            "330101001001002", "grid", "东一村二网格", "E1 Grid 2", one, (122.05, 27.0, 122.1, 27.05)
        )
        self._area("330101001002001", "grid", "东二村一网格", "E2 Grid 1", two, (122.0, 27.05, 122.1, 27.1))
        west_grid = self._area(
            "330101002001001", "grid", "西一村一网格", "W1 Grid 1", three, (122.1, 27.0, 122.2, 27.1)
        )
        neighbour = self._area("330199", "county", "邻县", "Lin County", None, (123.0, 27.0, 123.1, 27.1), "china")
        town = self._area("330199001", "township", "邻镇", "Lin Town", neighbour)
        village = self._area("330199001001", "village", "邻村", "Lin Village", town)
        there = self._area("330199001001001", "grid", "邻村一网格", "Lin Grid 1", village, (123.0, 27.0, 123.1, 27.1))
        return {
            "county": county,
            "east": east,
            "west": west,
            "village": one,
            "other_village": two,
            "grid": grid,
            "next_grid": following,
            "west_grid": west_grid,
            "neighbour": neighbour,
            "neighbour_grid": there,
        }

    def departments(self, tree: dict[str, Area]) -> dict[str, Department]:
        county = tree["county"]
        return {
            "housing": self._department("housing", "住建局", "Housing", county),
            "market": self._department("market", "市场局", "Market", county),
            "enforcement": self._department("enforcement", "执法局", "Enforcement", county),
            "fire": self._department("fire", "消防队", "Fire Brigade", county),
            "neighbour_department": self._department("lin.housing", "邻县住建局", "Lin Housing", tree["neighbour"]),
        }

    def parties(self, tree: dict[str, Area]) -> dict[str, Party]:
        mine = parties.create(kind="landlord", name="房东", area=tree["village"], by=None, at=self.at)
        theirs = parties.create(kind="landlord", name="邻房东", area=tree["neighbour"], by=None, at=self.at)
        return {"party": mine, "neighbour_party": theirs}

    def sites(self, tree: dict[str, Area], owners: dict[str, Party]) -> dict[str, Site]:
        house = self._site("house1", "东一村出租房", "rental_house", tree["grid"], owners["party"], (122.02, 27.02))
        shop = self._site("shop1", "东一村小店", "shopfront", tree["next_grid"], None, (122.07, 27.02))
        there = self._site(
            "house9", "邻村出租房", "rental_house", tree["neighbour_grid"], owners["neighbour_party"], (123.05, 27.05)
        )
        return {"site": house, "shop": shop, "neighbour_site": there}

    def people(
        self, tree: dict[str, Area], offices: dict[str, Department], owners: dict[str, Party]
    ) -> dict[str, Officer]:
        county, housing = tree["county"], offices["housing"]
        return {
            "grid_worker": self._officer("aning", "阿宁", "grid_worker", tree["grid"]),
            "police_officer": self._officer("zeren", "任警", "police_officer", tree["village"]),
            "scene_officer": self._officer("chujing", "楚警", "police_officer", tree["east"]),
            "volunteer": self._officer("yuzhi", "余志", "volunteer", tree["village"]),
            "inspector": self._officer("yinjian", "尹检", "inspector", county, department=offices["fire"], **CERTIFIED),
            "triage": self._officer("baijie", "白洁", "triage", county),
            "dispatcher": self._officer("chendiao", "陈调", "dispatcher", county),
            "handler": self._officer("dingban", "丁办", "handler", county, department=housing),
            "other_handler": self._officer("fangxiu", "方修", "handler", county, department=offices["market"]),
            "department_lead": self._officer("gaoling", "高领", "department_lead", county, department=housing),
            "area_lead": self._officer("hezhen", "何镇", "area_lead", tree["east"]),
            "supervisor": self._officer("jiangdu", "江督", "supervisor", county),
            "analyst": self._officer("linxi", "林析", "analyst", county),
            "administrator": self._officer("guanli", "管理", "administrator", county),
            "landlord": self._officer("fangdong", "房东", "party", tree["village"], party=owners["party"]),
            "outsider": self._outsider(tree["neighbour"], offices["neighbour_department"], owners["neighbour_party"]),
        }

    def duties(self, tree: dict[str, Area], offices: dict[str, Department], people: dict[str, Officer]) -> None:
        given = {"construction_site": "housing", "food_safety": "market", "fire_exit": "fire", "": "enforcement"}
        for topic, office in given.items():
            named = office == "housing"
            duties.assign(
                topic=topic,
                area=tree["county"],
                department=offices[office],
                officer=people["handler"] if named else None,
                deputy=people["department_lead"] if named else None,
                valid_from=FOUNDED,
                by=None,
                at=self.at,
            )

    def _outsider(self, area: Area, department: Department, party: Party) -> Officer:
        officer = officers.create("wairen", name="外人", by=None, at=self.at)
        for key, role in all_roles().items():
            officers.post(
                officer,
                key,
                area,
                department=department if role.reach == "department" else None,
                party=party if role.reach == "party" else None,
                valid_from=FOUNDED,
                by=None,
                at=self.at,
                **(CERTIFIED if role.certified else {}),
            )
        return officer

    def _officer(self, username: str, name: str, role: str, area: Area, **post: Any) -> Officer:
        officer = officers.create(username, name=name, by=None, at=self.at)
        officers.post(officer, role, area, valid_from=FOUNDED, by=None, at=self.at, **post)
        return officer

    def _area(
        self,
        code: str,
        level: str,
        zh: str,
        en: str,
        parent: Area | None,
        box: tuple[float, float, float, float] | None = None,
        calendar: str = "",
    ) -> Area:
        return areas.create(
            code,
            level=level,
            name=Text(zh=zh, en=en),
            parent=parent,
            boundary=_square(*box) if box else None,
            calendar=calendar,
            valid_from=FOUNDED,
            by=None,
            at=self.at,
        )

    def _department(self, key: str, zh: str, en: str, area: Area) -> Department:
        return departments.create(key, name=Text(zh=zh, en=en), area=area, by=None, at=self.at)

    def _site(
        self, code: str, name: str, kind: str, area: Area, operator: Party | None, at: tuple[float, float]
    ) -> Site:
        return sites.create(
            code=code,
            name=name,
            kind=kind,
            area=area,
            operator=operator,
            lon=at[0],
            lat=at[1],
            by=None,
            at=self.at,
        )


CERTIFIED: dict[str, Any] = {"certificate_no": "ZF-0001", "certificate_until": date(2030, 12, 31)}


def _square(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}
