"""Tokens by which systems sign in."""

from __future__ import annotations

from datetime import timedelta

import pytest

from anlan.ledger.models import Event
from anlan.places import officers, tokens
from anlan.places.models import Token
from anlan.places.scope import reach_of
from world import AT, World, world


@pytest.fixture
def town() -> World:
    return world()


def test_a_secret_opens_its_own_officers_door(town: World) -> None:
    token, secret = tokens.issue(town.triage, "热线系统", ["reports.receive"], at=AT)
    read = tokens.read(secret, at=AT)
    assert read == token
    reach = reach_of(read.officer, at=AT, actions=read.actions)
    assert reach.covers("reports.receive", area_path=town.grid.path)
    assert not reach.may("cases.see")


def test_the_secret_itself_is_kept_nowhere(town: World) -> None:
    token, secret = tokens.issue(town.triage, "热线系统", ["reports.receive"], at=AT)
    assert secret.startswith("anlan_")
    assert secret not in str(Token.objects.filter(pk=token.pk).values().get())
    assert not [event for event in Event.objects.all() if secret in str(event.data) or token.digest in str(event.data)]


def test_two_tokens_are_never_alike(town: World) -> None:
    secrets = {tokens.issue(town.triage, "热线系统", ["reports.receive"], at=AT)[1] for _ in range(5)}
    assert len(secrets) == 5


def test_an_unknown_revoked_expired_or_orphaned_token_opens_nothing(town: World) -> None:
    soon = AT + timedelta(days=1)
    revoked, one = tokens.issue(town.triage, "一", ["reports.see"], at=AT)
    _, two = tokens.issue(town.triage, "二", ["reports.see"], at=AT, expires_at=soon)
    _, three = tokens.issue(town.analyst, "三", ["reports.see"], at=AT)
    tokens.revoke(revoked, by=town.administrator, at=AT)
    officers.change(town.analyst, is_active=False, by=None, at=AT)
    assert tokens.read(two, at=AT) is not None
    for secret, at in (("anlan_x", AT), ("", AT), (one, AT), (two, soon), (three, AT)):
        assert tokens.read(secret, at=at) is None


def test_revoking_twice_is_revoking_once(town: World) -> None:
    token, _ = tokens.issue(town.triage, "一", ["reports.see"], at=AT)
    tokens.revoke(token, by=town.administrator, at=AT)
    tokens.revoke(token, by=town.administrator, at=AT + timedelta(hours=1))
    assert Event.objects.filter(kind="token.revoked").count() == 1
    assert token.revoked_at == AT


def test_a_token_for_nothing_nobody_or_the_past_is_refused(town: World) -> None:
    for name, actions, expires_at, field in (
        ("", ["cases.see"], None, "name"),
        ("一", [], None, "actions"),
        ("一", ["cases.sea"], None, "actions"),
        ("一", ["cases.see"], AT, "expires_at"),
    ):
        with pytest.raises(tokens.TokenRefused) as refused:
            tokens.issue(town.triage, name, actions, at=AT, expires_at=expires_at)
        assert refused.value.field == field
