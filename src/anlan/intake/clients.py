"""Clients of the machine channels: registered for one channel and one area, each with a secret of its own."""

from __future__ import annotations

import re
import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from anlan.intake.channel import CHANNELS, Channel
from anlan.intake.models import Client
from anlan.kernel import catalogue
from anlan.kernel.text import Refusal
from anlan.ledger import personal
from anlan.places import areas
from anlan.places.models import Area, Officer
from anlan.places.record import record
from anlan.places.scope import Hold, Reach, within

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{1,58}")
BOTH = timedelta(days=7)
"""How long the secret before a rotation still opens the door, unless it is ended earlier."""


class ClientRefused(Refusal):
    """The client cannot be registered so."""


class NoClient(Refusal):
    """There is no such client, or not within reach."""

    status = 404

    def __init__(self, name: str = "") -> None:
        super().__init__(
            f"没有接入方“{name}”，或不在您的辖区内；请核对名称。",
            f"There is no client “{name}”, or it is outside your area; check the name.",
            field="name",
        )


def webhooks() -> dict[str, Channel]:
    """The channels that machines post to, by key."""
    return {key: each for key, each in catalogue.current().all(CHANNELS).items() if each.webhook is not None}


@transaction.atomic
def register(
    name: str, *, title: str, channel: str, area: Area, by: Officer | None, at: datetime
) -> tuple[Client, str]:
    """A new client and its secret, which is shown this once."""
    name = name.strip()
    if not _NAME.fullmatch(name):
        raise ClientRefused(
            "名称用 2 至 59 个小写字母、数字、- 或 _，会写在网址里。",
            "A name has 2 to 59 small letters, digits, - or _; it stands in the address.",
            field="name",
        )
    if channel not in webhooks():
        known = "、".join(sorted(webhooks()))
        raise ClientRefused(
            f"没有可推送的渠道“{channel}”；可选：{known}。",
            f"There is no channel “{channel}” to post to; there are: {known}.",
            field="channel",
        )
    if Client.objects.filter(name=name).exists():
        raise ClientRefused(
            f"名称“{name}”已经有人用了；请换一个。", f"The name “{name}” is taken; choose another.", field="name"
        )
    secret = secrets.token_urlsafe(32)
    area = areas.standing(area)
    client = Client.objects.create(
        name=name, title=title.strip()[:80] or name, channel=channel, area=area, area_path=area.path,
        sealed=personal.conceal(secret), created_at=at,
    )  # fmt: skip
    record("client.registered", client, by=by, at=at, area_path=area.path, data={"name": name, "channel": channel})
    return client, secret


@transaction.atomic
def rotate(client: Client, *, by: Officer | None, at: datetime, both: timedelta = BOTH) -> str:
    """A new secret; the one until now goes on opening the door for `both`, so that the other side can change over."""
    current = Client.objects.select_for_update().get(pk=client.pk)
    secret = secrets.token_urlsafe(32)
    current.before, current.before_until = current.sealed, at + both
    current.sealed, current.rotated_at = personal.conceal(secret), at
    current.save(update_fields=["before", "before_until", "sealed", "rotated_at"])
    until = current.before_until.isoformat()
    record("client.rotated", current, by=by, at=at, area_path=current.area_path, data={"until": until})
    return secret


@transaction.atomic
def end_before(client: Client, *, by: Officer | None, at: datetime) -> None:
    """The secret before the last rotation opens nothing any more."""
    current = Client.objects.select_for_update().get(pk=client.pk)
    if current.before is None:
        return
    current.before = current.before_until = None
    current.save(update_fields=["before", "before_until"])
    record("client.changed_over", current, by=by, at=at, area_path=current.area_path)


@transaction.atomic
def set_active(client: Client, active: bool, *, by: Officer | None, at: datetime) -> None:
    """Open or shut the door for this client; saying it again changes nothing."""
    current = Client.objects.select_for_update().get(pk=client.pk)
    if current.is_active == active:
        return
    current.is_active = active
    current.save(update_fields=["is_active"])
    kind = "client.resumed" if active else "client.stopped"
    record(kind, current, by=by, at=at, area_path=current.area_path)


def visible(reach: Reach) -> QuerySet[Client]:
    """The clients whose area is within this person's reach."""
    return Client.objects.filter(within(reach.areas("tokens.edit"))).select_related("area")


def find(name: str) -> Client:
    """The client with this name. Raises `NoClient`."""
    client = Client.objects.filter(name=name.strip()).first()
    if client is None:
        raise NoClient(name)
    return client


def secrets_of(client: Client, *, at: datetime) -> list[str]:
    """The secrets that open the door now, one or two."""
    kept = [client.sealed]
    if client.before is not None and client.before_until is not None and at < client.before_until:
        kept.append(client.before)
    return [personal.reveal(bytes(each)) for each in kept]


def reach_of(client: Client, channel: Channel) -> Reach:
    """Where the client may report: its channel's action within its area, and nothing else."""
    allowed = frozenset({channel.action})
    hold = Hold("", "area", client.area_path, allowed, frozenset(), None, None, False, None, "")
    return Reach(0, [hold])
