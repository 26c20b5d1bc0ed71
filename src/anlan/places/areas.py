"""Areas: the administrative tree from province to grid, as it is today and as it was on any past day."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

import shapely
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from shapely.geometry import shape
from shapely.validation import explain_validity

from anlan.kernel.text import Refusal, Text
from anlan.ledger.models import Event
from anlan.places.models import Area, Department, Duty, Officer, Party, Post, Site
from anlan.places.record import day_of, record, subject_of
from anlan.places.scope import on, under

LEVELS: Final[dict[str, Text]] = {
    "province": Text(zh="省", en="Province"),
    "prefecture": Text(zh="市", en="Prefecture"),
    "county": Text(zh="县（市、区）", en="County"),
    "township": Text(zh="乡镇（街道）", en="Township"),
    "village": Text(zh="村（社区）", en="Village"),
    "grid": Text(zh="网格", en="Grid"),
}
"""The levels from the top, with the words for them."""

CODE = re.compile(r"[0-9a-z]{1,30}")
LONGEST_PATH = 120


class NoArea(Refusal):
    """There is no such area on that day."""


class AreaRefused(Refusal):
    """The tree cannot take this change."""


def ancestors(path: str) -> list[str]:
    """The paths from the top down to `path` itself: "33/07/" gives ["33/", "33/07/"]."""
    codes = path.rstrip("/").split("/") if path else []
    return ["/".join(codes[: depth + 1]) + "/" for depth in range(len(codes))]


def at_day(day: date) -> QuerySet[Area]:
    """The tree as it stood on `day`, parents before children."""
    return Area.objects.filter(on(day)).order_by("path")


def find(code: str, day: date) -> Area:
    """The area with `code` on `day`; raises `NoArea`."""
    area = at_day(day).filter(code=code).first()
    if area is None:
        raise NoArea(
            f"{day} 没有编码为 {code} 的辖区；请核对编码，或先建立该辖区。",
            f"There is no area with the code {code} on {day}; check the code, or create the area first.",
            field="area",
        )
    return area


def standing(area: Area) -> Area:
    """`area` if it stands today, else its later version or the area that took it over; raises `NoArea` if none did.

    What is given stands until the transaction ends: whoever would close or move it waits. So what is put into it now
    is there for the follower that carries the area's things along.
    """
    found, passed = area, set[int]()
    while found.pk not in passed:
        ended = _ended(found)
        if ended is None:
            return found
        passed.add(found.pk)
        found = _next(found, ended) or area
    raise NoArea(
        f"{area.name_zh}已撤销，没有并入别的辖区；请另选辖区。",
        f"{area.name_en} was closed and no area took it over; choose another.",
        field="area",
    )


def _ended(area: Area) -> date | None:
    """The day on which `area` ended; while it has not, nobody ends it before this transaction does."""
    lock = " FOR SHARE" if connection.vendor == "postgresql" else ""  # SQLite has one writer
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT valid_to FROM places_area WHERE id = %s{lock}", [area.pk])  # noqa: S608 - one of two
        (day,) = cursor.fetchone()
    return date.fromisoformat(day) if isinstance(day, str) else day


def _next(area: Area, ended: date) -> Area | None:
    """What followed on an area that has ended: who took it over, as the ledger knows it, else its next version."""
    told = Event.objects.filter(subject=subject_of(area), kind="area.closed", area_path=area.path)
    closed = told.filter(data__day=ended.isoformat()).order_by("-seq").first()
    if closed is None:
        return Area.objects.filter(code=area.code, valid_from=ended).order_by("-pk").first()
    return Area.objects.filter(path=closed.data["into"]).order_by("-valid_from").first()


def children(area: Area, day: date) -> QuerySet[Area]:
    """What lay directly below `area` on `day`, by code. Asked by path, for `parent` may be a later version."""
    return at_day(day).filter(parent__path=area.path)


def shapes(day: date) -> list[tuple[str, dict[str, Any]]]:
    """(path, boundary) of every area on `day` that has a boundary."""
    rows = at_day(day).exclude(boundary=None).values_list("path", "boundary")
    return [(path, boundary) for path, boundary in rows if boundary is not None]


@transaction.atomic
def create(
    code: str,
    *,
    level: str,
    name: Text,
    parent: Area | None,
    valid_from: date,
    by: Officer | None,
    at: datetime,
    boundary: Mapping[str, Any] | None = None,
    calendar: str = "",
) -> Area:
    """A new area under `parent` from the day `valid_from`. Refuses a code in use and a parent not above its level.

    `calendar` is the key of the area's own working calendar; without one, that of the area above holds.
    """
    _check_code(code)
    _check_level(level, parent)
    check_boundary(boundary)
    if Area.objects.filter(code=code).filter(Q(valid_to=None) | Q(valid_to__gt=valid_from)).exists():
        raise AreaRefused(
            f"编码 {code} 已经有辖区在用；请换一个编码，或先撤销原来的辖区。",
            f"The code {code} is in use by another area; choose another code, or close that area first.",
            field="code",
        )
    area = Area.objects.create(
        code=code,
        path=_path(parent, code),
        level=level,
        name_zh=name.zh,
        name_en=name.en,
        parent=parent,
        boundary=boundary,
        calendar=calendar,
        valid_from=valid_from,
        changed_at=at,
    )
    data = {"code": code, "level": level, "zh": name.zh, "en": name.en, "from": valid_from.isoformat()}
    record("area.created", area, by=by, at=at, area_path=area.path, data=data)
    return area


@transaction.atomic
def change(
    area: Area,
    *,
    by: Officer | None,
    at: datetime,
    name: Text | None = None,
    boundary: Mapping[str, Any] | None = None,
    calendar: str | None = None,
) -> Area:
    """Correct the name, boundary or calendar of `area` as it stands: what was wrong was always wrong."""
    changed = []
    if name is not None and (name.zh, name.en) != (area.name_zh, area.name_en):
        area.name_zh, area.name_en = name.zh, name.en
        changed += ["name_zh", "name_en"]
    if boundary is not None and boundary != area.boundary:
        check_boundary(boundary)
        area.boundary = dict(boundary)
        changed.append("boundary")
    if calendar is not None and calendar != area.calendar:
        area.calendar = calendar
        changed.append("calendar")
    if changed:
        area.changed_at = at
        area.save(update_fields=[*changed, "changed_at"])
        data = {"fields": changed, "zh": area.name_zh, "en": area.name_en}
        record("area.changed", area, by=by, at=at, area_path=area.path, data=data)
    return area


@transaction.atomic
def rename(area: Area, name: Text, *, day: date, by: Officer | None, at: datetime) -> Area:
    """Give `area` a new name from `day` on; on earlier days it keeps the old one."""
    _check_day(area, day, at)
    renamed = _succeed(area, day, path=area.path, parent=area.parent, name=name)
    Area.objects.filter(_lasting(day), parent=area).update(parent=renamed)
    data = {"from": area.name_zh, "to": name.zh, "to_en": name.en, "day": day.isoformat()}
    record("area.renamed", renamed, by=by, at=at, area_path=renamed.path, data=data)
    return renamed


@transaction.atomic
def move(area: Area, parent: Area, *, day: date, by: Officer | None, at: datetime) -> Area:
    """Put `area`, with all below it, under `parent` from `day` on; earlier days keep the old tree.

    Posts, duties, departments, sites and parties follow to the new place.
    """
    _check_day(area, day, at)
    _check_level(area.level, parent)
    if parent.path.startswith(area.path):
        raise AreaRefused(
            f"{area.name_zh}不能移到自己的下级{parent.name_zh}之下；请选择别的上级。",
            f"{area.name_en} cannot move below {parent.name_en}, which lies inside it; choose another parent.",
            field="parent",
        )
    old_path, new_path = area.path, _path(parent, area.code)
    below = list(at_day(day).filter(under(old_path, "path")).exclude(pk=area.pk))
    moved = _succeed(area, day, path=new_path, parent=parent)
    # Parents come before children, so each child finds the new version of its own parent by path.
    placed = {new_path: moved}
    for child in below:
        path = new_path + child.path.removeprefix(old_path)
        above = placed[path.removesuffix(f"{child.code}/")]
        placed[path] = _succeed(child, day, path=path, parent=above)
    data = {"from": old_path, "to": new_path, "day": day.isoformat()}
    record("area.moved", moved, by=by, at=at, area_path=new_path, data=data)
    return moved


@transaction.atomic
def close(area: Area, *, day: date, by: Officer | None, at: datetime, into: Area | None = None) -> Area:
    """End `area` on `day`. What stands in it goes to `into`; refused while something would be left nowhere."""
    _check_day(area, day, at)
    if at_day(day).filter(under(area.path, "path")).exclude(pk=area.pk).exists():
        raise AreaRefused(
            f"{area.name_zh}还有下级辖区；请先撤销或移走下级辖区。",
            f"{area.name_en} still has areas below it; close or move those first.",
        )
    if into is not None:
        _carry(area, into, day)
    elif _holds_something(area, day):
        raise AreaRefused(
            f"{area.name_zh}还有岗位、责任、部门、场所或责任主体；请指定并入哪个辖区。",
            f"{area.name_en} still holds posts, duties, departments, sites or parties; say which area takes them over.",
            field="into",
        )
    area.valid_to = day
    area.save(update_fields=["valid_to"])
    data = {"day": day.isoformat(), "into": into.path if into else ""}
    record("area.closed", area, by=by, at=at, area_path=area.path, data=data)
    return area


def check_boundary(boundary: Mapping[str, Any] | None) -> None:
    """Raise `AreaRefused` unless `boundary` is nothing or a valid GeoJSON Polygon or MultiPolygon in degrees."""
    if boundary is None:
        return
    why = _wrong_with(boundary)
    if why:
        raise AreaRefused(
            f"边界不是有效的多边形（{why}）；请给出首尾相接、不自交的经纬度多边形。",
            f"The boundary is not a valid polygon ({why}); give closed rings of longitude and latitude.",
            field="boundary",
        )


def _wrong_with(boundary: Mapping[str, Any]) -> str:
    if boundary.get("type") not in {"Polygon", "MultiPolygon"}:
        return f"type {boundary.get('type')}"
    try:
        drawn = shape(boundary)
    except (ValueError, TypeError, LookupError, shapely.errors.ShapelyError) as reason:
        return str(reason)
    if drawn.is_empty:
        return "empty"
    west, south, east, north = drawn.bounds
    if west < -180 or south < -90 or east > 180 or north > 90:
        return "outside longitude ±180, latitude ±90"
    return "" if drawn.is_valid else explain_validity(drawn)


def _check_code(code: str) -> None:
    if not CODE.fullmatch(code):
        raise AreaRefused(
            f"辖区编码“{code}”只能由数字和小写字母组成，最多 30 位；请改正。",
            f"The area code '{code}' may hold only digits and lower-case letters, at most 30; correct it.",
            field="code",
        )


def _check_level(level: str, parent: Area | None) -> None:
    order = list(LEVELS)
    if level not in LEVELS:
        raise AreaRefused(
            f"没有“{level}”这一级；可用：{'、'.join(order)}。",
            f"There is no level '{level}'; use one of {', '.join(order)}.",
            field="level",
        )
    if parent is not None and order.index(parent.level) >= order.index(level):
        raise AreaRefused(
            f"{LEVELS[level].zh}不能放在{LEVELS[parent.level].zh}“{parent.name_zh}”之下；请选择更高一级的上级。",
            f"A {LEVELS[level].en.lower()} cannot lie in the {LEVELS[parent.level].en.lower()} {parent.name_en}; "
            "choose a parent of a higher level.",
            field="parent",
        )


def _check_day(area: Area, day: date, at: datetime) -> None:
    if day > day_of(at):
        raise AreaRefused(
            f"{day} 还没有到；辖区的变动请在生效当天办理。",
            f"{day} has not come yet; change the tree on the day the change takes effect.",
            field="day",
        )
    if day < area.valid_from or (area.valid_to is not None and day >= area.valid_to):
        raise AreaRefused(
            f"{area.name_zh}在 {day} 并不存在；请选择它有效期内的日期。",
            f"{area.name_en} did not exist on {day}; choose a day on which it did.",
            field="day",
        )


def _path(parent: Area | None, code: str) -> str:
    path = f"{parent.path if parent else ''}{code}/"
    if len(path) > LONGEST_PATH:
        raise AreaRefused(
            f"辖区路径“{path}”超过 {LONGEST_PATH} 个字符；请用更短的编码。",
            f"The path '{path}' is longer than {LONGEST_PATH} characters; use shorter codes.",
            field="code",
        )
    return path


def _succeed(area: Area, day: date, *, path: str, parent: Area | None, name: Text | None = None) -> Area:
    """The version of `area` that begins on `day`; the old one ends there and all that is current follows."""
    if path == area.path and day == area.valid_from:
        area.name_zh, area.name_en = (name.zh, name.en) if name else (area.name_zh, area.name_en)
        area.save(update_fields=["name_zh", "name_en"])
        return area
    new = Area.objects.create(
        code=area.code,
        path=path,
        level=area.level,
        name_zh=name.zh if name else area.name_zh,
        name_en=name.en if name else area.name_en,
        parent=parent,
        boundary=area.boundary,
        calendar=area.calendar,
        valid_from=day,
        valid_to=area.valid_to,
    )
    area.valid_to = day
    area.save(update_fields=["valid_to"])
    _carry(area, new, day)
    return new


def _lasting(day: date) -> Q:
    return Q(valid_to=None) | Q(valid_to__gt=day)


def _carry(old: Area, new: Area, day: date) -> None:
    Post.objects.filter(_lasting(day), area=old).update(area=new)
    Duty.objects.filter(_lasting(day), area=old).update(area=new)
    Department.objects.filter(area=old).update(area=new)
    Party.objects.filter(area=old).update(area=new)
    Site.objects.filter(area=old).update(area=new, area_path=new.path)


def _holds_something(area: Area, day: date) -> bool:
    return (
        Post.objects.filter(_lasting(day), area=area).exists()
        or Duty.objects.filter(_lasting(day), area=area).exists()
        or Department.objects.filter(area=area, is_active=True).exists()
        or Party.objects.filter(area=area).exists()
        or Site.objects.filter(area=area, is_active=True).exists()
    )
