"""Roles: what a post lets its holder do, as declared."""

from __future__ import annotations

from typing import Any

from ninja import Schema

from anlan.places.role import all_roles
from anlan.presentation.api.frame import Noun
from anlan.presentation.api.shapes import Words, words
from anlan.presentation.web.frame import Asked

router = Noun("roles")


class RoleRow(Schema):
    """`actions` hold at the role's `reach`, `area_actions` in the whole area of the post."""

    key: str
    title: Words
    summary: Words
    reach: str
    actions: list[str]
    area_actions: list[str]


@router.get("", response=list[RoleRow])
def list_(request: Asked) -> Any:
    """Every declared role."""
    return [
        {
            "key": key,
            "title": words(role.title),
            "summary": words(role.summary),
            "reach": role.reach,
            "actions": role.actions,
            "area_actions": role.area_actions,
        }
        for key, role in sorted(all_roles().items())
    ]
