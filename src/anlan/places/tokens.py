"""Tokens: keys by which systems sign in. Only a digest is kept; the secret is shown once."""

from __future__ import annotations

import copy
import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from anlan.kernel.text import Refusal
from anlan.places import register
from anlan.places.models import Officer, Token
from anlan.places.record import record
from anlan.places.role import ACTIONS
from anlan.places.scope import check_speaks_for


class TokenRefused(Refusal):
    """The token cannot be issued so."""


@transaction.atomic
def issue(
    officer: Officer,
    name: str,
    actions: Sequence[str],
    *,
    at: datetime,
    expires_at: datetime | None = None,
    by: Officer | None = None,
) -> tuple[Token, str]:
    """A new token for `officer` and its secret, which is never to be had again.

    `actions` narrows what the officer's posts allow; it never widens it. `by` is the officer unless another issues it:
    then `officer` is a machine, for a token is a way to act as whoever it names.
    """
    check_speaks_for(officer, by=by)
    _check(name, actions, at, expires_at)
    secret = f"anlan_{secrets.token_urlsafe(32)}"
    token = Token.objects.create(
        officer=officer,
        name=name.strip(),
        digest=_digest(secret),
        actions=list(actions),
        created_at=at,
        expires_at=expires_at,
    )
    record("token.issued", token, by=by or officer, at=at, data={"officer": officer.pk, "actions": list(actions)})
    return token, secret


def read(secret: str, *, at: datetime) -> Token | None:
    """The token of `secret` with its officer, or None when it is unknown, revoked, expired or its officer has left."""
    digest = _digest(secret)
    found = Token.objects.select_related("officer").filter
    token: Token | None = register.current().kept(("token", digest), lambda: found(digest=digest).first())
    if token is None or token.revoked_at is not None or not token.officer.is_active:
        return None
    if token.expires_at is not None and token.expires_at <= at:
        return None
    own = copy.copy(token)
    own.officer = copy.copy(token.officer)
    return own


@transaction.atomic
def revoke(token: Token, *, by: Officer | None, at: datetime) -> Token:
    """From now on the token opens nothing; revoking it again changes nothing."""
    if token.revoked_at is None:
        token.revoked_at = at
        token.save(update_fields=["revoked_at"])
        record("token.revoked", token, by=by, at=at, data={"officer": token.officer_id})
    return token


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _check(name: str, actions: Sequence[str], at: datetime, expires_at: datetime | None) -> None:
    if not name.strip():
        raise TokenRefused("请写明令牌给哪个系统用。", "Say which system the token is for.", field="name")
    wrong = [action for action in actions if action not in ACTIONS]
    if wrong or not actions:
        raise TokenRefused(
            f"没有这样的权限：{'、'.join(wrong)}。" if wrong else "请至少选择一项权限。",
            f"There is no such action: {', '.join(wrong)}." if wrong else "Choose at least one action.",
            field="actions",
        )
    if expires_at is not None and expires_at <= at:
        raise TokenRefused(
            "有效期已过；请选择以后的时间。", "That expiry has passed; choose a later one.", field="expires_at"
        )
