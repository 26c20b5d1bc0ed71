"""Who is calling, and what this call may do."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from ninja import Schema

from anlan.places.role import ACTIONS
from anlan.places.scope import posts_of
from anlan.presentation.api.frame import Noun
from anlan.presentation.api.shapes import AreaName, OfficerName, area_name, officer_name
from anlan.presentation.web.frame import Asked

router = Noun("me")


class PostHeld(Schema):
    role: str
    area: AreaName
    valid_to: date | None


class Caller(Schema):
    """Who is calling, the posts they hold today, and what the call's reach allows somewhere."""

    officer: OfficerName
    at: datetime
    posts: list[PostHeld]
    actions: list[str]


@router.get("", response=Caller)
def one(request: Asked) -> Any:
    """Who is calling."""
    posts = posts_of(request.user, at=request.at)
    return {
        "officer": officer_name(request.user),
        "at": request.at,
        "posts": [{"role": post.role, "area": area_name(post.area), "valid_to": post.valid_to} for post in posts],
        "actions": [action for action in ACTIONS if request.reach.may(action)],
    }
