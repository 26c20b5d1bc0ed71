"""Departments: the bodies that can be given a case."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from anlan.kernel.text import Refusal, Text
from anlan.places.models import Area, Department, Officer
from anlan.places.record import record


class NoDepartment(Refusal):
    """There is no department with that key."""


class DepartmentRefused(Refusal):
    """The department cannot be made or changed so."""


def find(key: str) -> Department:
    """The department `key`; raises `NoDepartment`."""
    department = Department.objects.select_related("area").filter(key=key).first()
    if department is None:
        raise NoDepartment(
            f"没有代号为“{key}”的部门；请核对代号，或先建立该部门。",
            f"There is no department '{key}'; check the key, or create the department first.",
            field="department",
        )
    return department


@transaction.atomic
def create(
    key: str, *, name: Text, area: Area, by: Officer | None, at: datetime, parent: Department | None = None
) -> Department:
    """A new department competent in `area`. Refuses a key in use."""
    if Department.objects.filter(key=key).exists():
        raise DepartmentRefused(
            f"部门代号“{key}”已在使用；请换一个代号。",
            f"The department key '{key}' is in use; choose another.",
            field="key",
        )
    department = Department.objects.create(key=key, name_zh=name.zh, name_en=name.en, area=area, parent=parent)
    data = {"key": key, "zh": name.zh, "en": name.en}
    record("department.created", department, by=by, at=at, area_path=area.path, data=data)
    return department


@transaction.atomic
def change(
    department: Department,
    *,
    by: Officer | None,
    at: datetime,
    name: Text | None = None,
    area: Area | None = None,
    parent: Department | None = None,
) -> Department:
    """Give the department another name, area or parent; what is None stays."""
    wanted = {
        "name_zh": name.zh if name else department.name_zh,
        "name_en": name.en if name else department.name_en,
        "area_id": area.pk if area else department.area_id,
        "parent_id": parent.pk if parent else department.parent_id,
    }
    changed = [field for field, value in wanted.items() if getattr(department, field) != value]
    if parent is not None and parent.pk == department.pk:
        raise DepartmentRefused(
            f"{department.name_zh}不能是自己的上级；请选择别的部门。",
            f"{department.name_en} cannot be its own parent; choose another department.",
            field="parent",
        )
    if changed:
        for field in changed:
            setattr(department, field, wanted[field])
        department.save(update_fields=changed)
        data = {"fields": changed, "zh": department.name_zh, "en": department.name_en}
        record("department.changed", department, by=by, at=at, area_path=department.area.path, data=data)
    return department


@transaction.atomic
def retire(department: Department, *, by: Officer | None, at: datetime) -> Department:
    """No new case goes to the department; its old ones stay its own."""
    return _set_active(department, active=False, by=by, at=at)


@transaction.atomic
def restore(department: Department, *, by: Officer | None, at: datetime) -> Department:
    """Let a retired department be given cases again."""
    return _set_active(department, active=True, by=by, at=at)


def _set_active(department: Department, *, active: bool, by: Officer | None, at: datetime) -> Department:
    if department.is_active != active:
        department.is_active = active
        department.save(update_fields=["is_active"])
        kind = "department.restored" if active else "department.retired"
        record(kind, department, by=by, at=at, area_path=department.area.path, data={"key": department.key})
    return department
