"""Towns: a declared town checked against itself and loaded, as often as you like, by the verbs of this layer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from difflib import get_close_matches
from typing import Final

from django.db import transaction
from shapely.geometry import shape
from shapely.strtree import STRtree

from anlan.kernel import catalogue
from anlan.kernel.text import Refusal, Text
from anlan.kernel.workdays import calendar_for
from anlan.places import areas, departments, duties, officers, sites
from anlan.places.areas import LEVELS, check_boundary
from anlan.places.models import Area, Department, Officer, Post, Site
from anlan.places.record import day_of
from anlan.places.role import all_roles
from anlan.places.scope import on
from anlan.places.site_kind import all_kinds
from anlan.places.town import TOWNS, Town, TownArea, TownDuty, TownOfficer, TownSite, point

__all__ = ["TOWNS", "Loaded", "Town", "TownRefused", "load", "problems", "town"]

OVERLAP: Final = 0.01
"""How much of an area a sibling may cover before it is a mistake of drawing."""


class TownRefused(Refusal):
    """The town's file does not hold together."""


@dataclass(slots=True)
class Loaded:
    """What loading did."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0


def town(key: str) -> Town:
    """The declared town `key`; raises `Undeclared`."""
    return catalogue.current().get(TOWNS, key)


def problems(said: Town, *, topics: Collection[str] | None = None) -> list[Text]:
    """Everything in the file that names what is not there, stands twice or cannot be. Empty when it holds together.

    `topics` are the declared ones, which this layer does not know; without them topics are not checked.
    """
    return [
        *_calendar_problems(said),
        *_doubles(said),
        *_area_problems(said),
        *_boundary_problems(said),
        *_department_problems(said),
        *_duty_problems(said, topics),
        *_site_problems(said),
        *_officer_problems(said),
    ]


@transaction.atomic
def load(said: Town, *, by: Officer | None, at: datetime) -> Loaded:
    """Bring areas, departments, officers, duties and sites in line with the file; the same file again adds nothing.

    What the file does not name is left alone. Raises `TownRefused` with every problem before anything is touched.
    """
    wrong = problems(said)
    if wrong:
        raise TownRefused("\n".join(text.zh for text in wrong), "\n".join(text.en for text in wrong))
    loading = _Loading(said, by, at, day_of(at))
    loading.areas()
    loading.departments()
    loading.officers()
    loading.duties()
    loading.sites()
    return loading.done


@dataclass
class _Loading:
    said: Town
    by: Officer | None
    at: datetime
    day: date
    done: Loaded = field(default_factory=Loaded)
    area: dict[str, Area] = field(default_factory=dict)
    department: dict[str, Department] = field(default_factory=dict)
    officer: dict[str, Officer] = field(default_factory=dict)

    def areas(self) -> None:
        codes = [said.code for said in self.said.areas]
        self.area = {held.code: held for held in Area.objects.filter(code__in=codes, valid_to=None)}
        for said in _parents_first(self.said.areas):
            held = self.area.get(said.code)
            self.area[said.code] = self._new_area(said) if held is None else self._known_area(said, held)

    def _new_area(self, said: TownArea) -> Area:
        self.done.created += 1
        return areas.create(
            said.code,
            level=said.level,
            name=said.name,
            parent=self.area.get(said.parent),
            valid_from=said.valid_from or self.said.valid_from,
            boundary=said.polygon(self.said.coordinates),
            calendar=self._calendar(said),
            by=self.by,
            at=self.at,
        )

    def _known_area(self, said: TownArea, held: Area) -> Area:
        parent = self.area.get(said.parent)
        boundary = said.polygon(self.said.coordinates)
        moved = parent is not None and held.path != f"{parent.path}{held.code}/"
        differs = (held.name_zh, held.name_en) != (said.name.zh, said.name.en)
        redrawn = boundary is not None and boundary != held.boundary
        self._count(changed=moved or differs or redrawn or held.calendar != self._calendar(said))
        if moved and parent is not None:
            held = areas.move(held, parent, day=self.day, by=self.by, at=self.at)
            below = Area.objects.filter(code__in=list(self.area), valid_to=None, path__startswith=held.path)
            self.area.update({area.code: area for area in below})
        calendar = self._calendar(said)
        return areas.change(held, name=said.name, boundary=boundary, calendar=calendar, by=self.by, at=self.at)

    def _calendar(self, said: TownArea) -> str:
        return said.calendar or ("" if said.parent else self.said.calendar)

    def departments(self) -> None:
        keys = [said.key for said in self.said.departments]
        self.department = {held.key: held for held in Department.objects.filter(key__in=keys).select_related("area")}
        # Parents may stand after their children in the file, so they are joined in a second round.
        for said in self.said.departments:
            held, area = self.department.get(said.key), self.area[said.area]
            if held is None:
                self.done.created += 1
                made = departments.create(said.key, name=said.name, area=area, by=self.by, at=self.at)
                self.department[said.key] = made
            else:
                same = (held.name_zh, held.name_en, held.area.code) == (said.name.zh, said.name.en, said.area)
                self._count(changed=not same)
                departments.change(held, name=said.name, area=area, by=self.by, at=self.at)
        for said in self.said.departments:
            if said.parent:
                child, parent = self.department[said.key], self.department[said.parent]
                departments.change(child, parent=parent, by=self.by, at=self.at)

    def officers(self) -> None:
        names = [said.username for said in self.said.officers]
        self.officer = {held.username: held for held in Officer.objects.filter(username__in=names)}
        for said in self.said.officers:
            held = self.officer.get(said.username)
            if held is None:
                self.done.created += 1
                held = officers.create(
                    said.username,
                    name=said.name,
                    language=said.language,
                    is_machine=said.is_machine,
                    by=self.by,
                    at=self.at,
                )
                self.officer[said.username] = held
            else:
                self._count()
            self._posts(said, held)

    def _posts(self, said: TownOfficer, officer: Officer) -> None:
        held = {
            (post.role, post.area.code, post.department.key if post.department else "")
            for post in Post.objects.filter(on(self.day), officer=officer).select_related("area", "department")
        }
        for post in said.posts:
            new = (post.role, post.area, post.department) not in held
            self._count(created=new)
            if new:
                officers.post(
                    officer,
                    post.role,
                    self.area[post.area],
                    department=self.department.get(post.department),
                    certificate_no=post.certificate_no,
                    certificate_until=post.certificate_until,
                    valid_from=self.said.valid_from,
                    by=self.by,
                    at=self.at,
                )

    def duties(self) -> None:
        held = {
            (duty.topic, duty.area.code): (duty.department_id, duty.officer_id, duty.deputy_id)
            for duty in duties.on_day(self.day).filter(area__in=self.area.values()).select_related("area")
        }
        for said in self.said.duties:
            for topic in said.topics or ("",):
                self._duty(said, topic, held.get((topic, said.area)))

    def _duty(self, said: TownDuty, topic: str, held: tuple[int, int | None, int | None] | None) -> None:
        department = self.department[said.department]
        officer, deputy = self.officer.get(said.officer), self.officer.get(said.deputy)
        wanted = (department.pk, officer.pk if officer else None, deputy.pk if deputy else None)
        self._count(created=held is None, changed=held is not None and held != wanted)
        if held != wanted:
            duties.assign(
                topic=topic,
                area=self.area[said.area],
                department=department,
                officer=officer,
                deputy=deputy,
                valid_from=self.said.valid_from if held is None else self.day,
                by=self.by,
                at=self.at,
            )

    def sites(self) -> None:
        codes = [said.code for said in self.said.sites]
        held = {site.code: site for site in Site.objects.filter(code__in=codes).select_related("area")}
        for said in self.said.sites:
            self._site(said, held.get(said.code))

    def _site(self, said: TownSite, held: Site | None) -> None:
        area = self.area[said.area]
        lon, lat = point(said.at, self.said.coordinates) if said.at else (None, None)
        wanted = {"name": said.name, "kind": said.kind, "address": said.address, "area": area, "lon": lon, "lat": lat}
        if held is None:
            self.done.created += 1
            sites.create(
                code=said.code,
                name=said.name,
                kind=said.kind,
                address=said.address,
                area=area,
                lon=lon,
                lat=lat,
                by=self.by,
                at=self.at,
            )
        else:
            self._count(changed=any(getattr(held, name) != value for name, value in wanted.items()))
            sites.change(held, by=self.by, at=self.at, **wanted)

    def _count(self, *, created: bool = False, changed: bool = False) -> None:
        if created:
            self.done.created += 1
        elif changed:
            self.done.changed += 1
        else:
            self.done.unchanged += 1


def _parents_first(said: Iterable[TownArea]) -> list[TownArea]:
    return sorted(said, key=lambda area: list(LEVELS).index(area.level))


def _calendar_problems(said: Town) -> Iterator[Text]:
    named = {f"areas.{area.code}.calendar": area.calendar for area in said.areas if area.calendar}
    for place, key in {"calendar": said.calendar, **named}.items():
        try:
            calendar_for(key)
        except Refusal as refusal:
            yield _told(place, refusal.text)


def _doubles(said: Town) -> Iterator[Text]:
    named = {
        "areas": [area.code for area in said.areas],
        "departments": [department.key for department in said.departments],
        "sites": [site.code for site in said.sites],
        "officers": [officer.username for officer in said.officers],
        "duties": [f"{topic or '*'}@{duty.area}" for duty in said.duties for topic in duty.topics or ("",)],
    }
    for part, keys in named.items():
        for key, times in Counter(keys).items():
            if times > 1:
                yield Text(
                    zh=f"{part}：“{key}”写了 {times} 次；请只留一个。",
                    en=f"{part}: '{key}' stands {times} times; keep one.",
                )


def _area_problems(said: Town) -> Iterator[Text]:
    order = list(LEVELS)
    known = {area.code: area for area in said.areas}
    for area in said.areas:
        parent = known.get(area.parent)
        if not areas.CODE.fullmatch(area.code):
            yield Text(
                zh=f"areas.{area.code}：编码只能由数字和小写字母组成，最多 30 位；请改正。",
                en=f"areas.{area.code}: a code holds only digits and lower-case letters, at most 30; correct it.",
            )
        if area.parent and parent is None:
            yield _missing(f"areas.{area.code}.parent", "辖区", "area", area.parent, known)
        if parent is not None and order.index(parent.level) >= order.index(area.level):
            yield Text(
                zh=f"areas.{area.code}：{LEVELS[area.level].zh}不能放在{LEVELS[parent.level].zh}之下；请改正上级。",
                en=f"areas.{area.code}: a {area.level} cannot lie in a {parent.level}; correct its parent.",
            )


def _boundary_problems(said: Town) -> Iterator[Text]:
    drawn: dict[str, list[TownArea]] = {}
    for area in said.areas:
        try:
            check_boundary(area.polygon(said.coordinates))
        except Refusal as refusal:
            yield _told(f"areas.{area.code}.boundary", refusal.text)
        else:
            if area.boundary or area.bbox:
                drawn.setdefault(f"{area.level} {area.parent}", []).append(area)
    for siblings in drawn.values():
        yield from _overlaps(siblings, said)


def _overlaps(siblings: list[TownArea], said: Town) -> Iterator[Text]:
    polygons = [shape(area.polygon(said.coordinates)) for area in siblings]
    for one, other in STRtree(polygons).query(polygons, predicate="intersects").T:
        shared = polygons[one].intersection(polygons[other]).area if one < other else 0.0
        if shared > OVERLAP * min(polygons[one].area, polygons[other].area):
            a, b = siblings[one].code, siblings[other].code
            yield Text(
                zh=f"areas.{a}：边界和 {b} 重叠；请改正边界。",
                en=f"areas.{a}: its boundary overlaps that of {b}; correct the boundaries.",
            )


def _department_problems(said: Town) -> Iterator[Text]:
    codes, keys = {area.code for area in said.areas}, {department.key for department in said.departments}
    for department in said.departments:
        if department.area not in codes:
            yield _missing(f"departments.{department.key}.area", "辖区", "area", department.area, codes)
        if department.parent and department.parent not in keys:
            yield _missing(f"departments.{department.key}.parent", "部门", "department", department.parent, keys)


def _duty_problems(said: Town, topics: Collection[str] | None) -> Iterator[Text]:
    codes, keys = {area.code for area in said.areas}, {department.key for department in said.departments}
    names = {officer.username for officer in said.officers}
    for number, duty in enumerate(said.duties, start=1):
        place = f"duties.{number}"
        if duty.area not in codes:
            yield _missing(f"{place}.area", "辖区", "area", duty.area, codes)
        if duty.department not in keys:
            yield _missing(f"{place}.department", "部门", "department", duty.department, keys)
        for who in (duty.officer, duty.deputy):
            if who and who not in names:
                yield _missing(f"{place}.officer", "人员", "officer", who, names)
        for topic in duty.topics if topics is not None else ():
            if topic not in (topics or ()):
                yield _missing(f"{place}.topics", "类别", "topic", topic, topics or ())


def _site_problems(said: Town) -> Iterator[Text]:
    codes = {area.code for area in said.areas}
    kinds = all_kinds()
    for site in said.sites:
        if site.area not in codes:
            yield _missing(f"sites.{site.code}.area", "辖区", "area", site.area, codes)
        if site.kind not in kinds:
            yield _missing(f"sites.{site.code}.kind", "场所类型", "kind of site", site.kind, kinds)


def _officer_problems(said: Town) -> Iterator[Text]:
    codes, keys = {area.code for area in said.areas}, {department.key for department in said.departments}
    roles = all_roles()
    for officer in said.officers:
        place = f"officers.{officer.username}"
        for post in officer.posts:
            if post.role not in roles:
                yield _missing(f"{place}.role", "角色", "role", post.role, roles)
            if post.area not in codes:
                yield _missing(f"{place}.area", "辖区", "area", post.area, codes)
            if post.department and post.department not in keys:
                yield _missing(f"{place}.department", "部门", "department", post.department, keys)


def _missing(place: str, zh: str, en: str, key: str, known: Iterable[str]) -> Text:
    near = get_close_matches(key, list(known), n=1)
    meant = Text(zh=f"，是否想写“{near[0]}”", en=f" (did you mean '{near[0]}'?)") if near else Text(zh="", en="")
    return Text(
        zh=f"{place}：没有{zh}“{key}”{meant.zh}；请先在文件中写上，或改正。",
        en=f"{place}: there is no {en} '{key}'{meant.en}; add it to the file, or correct it.",
    )


def _told(place: str, reason: Text) -> Text:
    return Text(zh=f"{place}：{reason.zh}", en=f"{place}: {reason.en}")
