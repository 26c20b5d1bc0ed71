"""Tokens: keys by which systems call. The secret is shown once."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.db.models import QuerySet
from ninja import Query, Schema, Status
from pydantic import Field

from anlan.kernel.text import Refusal
from anlan.places import tokens
from anlan.places.models import Token
from anlan.presentation.api import found
from anlan.presentation.api.frame import Id, Moment, Noun, Short
from anlan.presentation.api.shapes import Given, Listing, OfficerName, Paging, listed, officer_name
from anlan.presentation.web.frame import Asked

router = Noun("tokens")


class TokenRow(Schema):
    id: int
    name: str
    officer: OfficerName
    actions: list[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class TokenIssued(TokenRow):
    """`secret` goes into the Authorization header and is never shown again."""

    secret: str


class NewToken(Given):
    """`actions` narrows what the officer's posts allow."""

    officer: Id
    name: Annotated[str, Field(min_length=1, max_length=80)]
    actions: Annotated[list[Short], Field(min_length=1, max_length=100)]
    expires_at: Moment | None = None


def row(token: Token) -> dict[str, Any]:
    names = (name for name in TokenRow.model_fields if name not in ("id", "officer"))
    return {name: getattr(token, name) for name in names} | {"id": token.pk, "officer": officer_name(token.officer)}


def _within(request: Asked) -> QuerySet[Token]:
    mine = found.officers_within(request.reach, "tokens.edit")
    return Token.objects.filter(officer__in=mine.values("pk")).select_related("officer")


@router.get("", response=Listing[TokenRow])
def list_(request: Asked, given: Query[Paging]) -> Any:
    """The tokens of the officers within reach."""
    return listed(request, _within(request), given, order=("pk",), show=row)


@router.post("", response={201: TokenIssued})
def issue(request: Asked, given: NewToken) -> Any:
    """A new token and its secret."""
    officer = found.own_officer(request, given.officer, "tokens.edit")
    _check_no_wider(request, given.actions)
    for held in officer.posts.select_related("area"):
        request.reach.check_hands_on(given.actions, held.area.path)
    token, secret = tokens.issue(
        officer, given.name, given.actions, expires_at=given.expires_at, by=request.user, at=request.at
    )
    return Status(201, row(token) | {"secret": secret})


def _check_no_wider(request: Asked, actions: list[str]) -> None:
    """A token begets no token that may do more than itself."""
    own: Token | None = getattr(request, "token", None)
    if own is not None and not set(actions) <= set(own.actions):
        raise Refusal(
            "用令牌发放的令牌，权限不能超过它自己；请登录网页办理。",
            "A token cannot issue one that may do more than itself; sign in on the pages to issue it.",
            field="actions",
        )


@router.post("/{token_id}/revoke", response=TokenRow)
def revoke(request: Asked, token_id: Id) -> Any:
    """From now on the token opens nothing."""
    token = _within(request).filter(pk=token_id).first()
    if token is None:
        raise found.Unknown(token_id, "token")
    return row(tokens.revoke(token, by=request.user, at=request.at))
