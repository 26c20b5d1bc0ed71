"""Parties 责任主体: the enterprise, landlord or person who answers for a site."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from anlan.kernel.text import Refusal, Text
from anlan.ledger import personal
from anlan.places.models import Area, Officer, Party
from anlan.places.record import record

KINDS: Final[dict[str, Text]] = {
    "enterprise": Text(zh="企业", en="Enterprise"),
    "landlord": Text(zh="房东", en="Landlord"),
    "trader": Text(zh="个体工商户", en="Sole trader"),
    "institution": Text(zh="机关事业单位", en="Public institution"),
    "person": Text(zh="个人", en="Person"),
}
"""What a party can be, with the words for it."""


class PartyRefused(Refusal):
    """The party cannot be entered so."""


@transaction.atomic
def create(
    *,
    kind: str,
    name: str,
    area: Area,
    by: Officer | None,
    at: datetime,
    official_code: str = "",
    contact: Mapping[str, str] | None = None,
    keep_until: date | None = None,
) -> Party:
    """A new party. `contact` (name, phone …) is personal data: kept encrypted, erased after `keep_until`."""
    _check(kind, name)
    party = Party.objects.create(
        kind=kind, name=name.strip(), official_code=official_code, area=area, contact=_kept(contact, keep_until, at)
    )
    record("party.created", party, by=by, at=at, area_path=area.path, data={"kind": kind})
    return party


@transaction.atomic
def change(
    party: Party,
    *,
    by: Officer | None,
    at: datetime,
    name: str | None = None,
    official_code: str | None = None,
    contact: Mapping[str, str] | None = None,
    keep_until: date | None = None,
) -> Party:
    """Correct what is known of a party; what is None stays. A new contact replaces the old one."""
    changed = []
    if name is not None and name.strip() != party.name:
        _check(party.kind, name)
        party.name = name.strip()
        changed.append("name")
    if official_code is not None and official_code != party.official_code:
        party.official_code = official_code
        changed.append("official_code")
    if contact is not None:
        party.contact = _kept(contact, keep_until, at)
        changed.append("contact")
    if changed:
        party.save(update_fields=changed)
        record("party.changed", party, by=by, at=at, area_path=party.area.path, data={"fields": changed})
    return party


def _kept(contact: Mapping[str, str] | None, keep_until: date | None, at: datetime) -> UUID | None:
    if not contact:
        return None
    if keep_until is None:
        raise PartyRefused(
            "联系人信息是个人信息；请写明保存到哪一天。",
            "A contact is personal data; say until which day it is kept.",
            field="keep_until",
        )
    return personal.keep("party.contact", dict(contact), keep_until=keep_until, at=at).id


def _check(kind: str, name: str) -> None:
    if kind not in KINDS:
        raise PartyRefused(
            f"没有“{kind}”这类责任主体；可用：{'、'.join(KINDS)}。",
            f"There is no kind of party '{kind}'; use one of {', '.join(KINDS)}.",
            field="kind",
        )
    if not name.strip():
        raise PartyRefused("请填写责任主体的名称。", "Give the party's name.", field="name")
