"""The proof that one event stands in a sealed batch as it was sealed: for whoever follows a figure down to its end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from anlan.ledger import merkle
from anlan.ledger.canonical import encode
from anlan.ledger.merkle import Step, sha256
from anlan.ledger.models import Event, Seal
from anlan.ledger.seal import listed


@dataclass(frozen=True, slots=True)
class Proof:
    """Where an event is sealed, and the way from its digest up to the seal's root; digests are SHA-256 in hex.

    `place` counts from 1 within the batch of `count`. `holds`: the event as it stands now still has the digest that was
    sealed, and the way leads to the root.
    """

    seal: int
    sealed_at: datetime
    place: int
    count: int
    leaf: str
    way: tuple[Step, ...]
    root: str
    chain: str
    holds: bool


def prove(event: Event) -> Proof | None:
    """The proof of this event; None while it is too new to be sealed. An event that was put in later does not hold."""
    seal = _seal_over(event)
    if seal is None:
        return None
    sealed = listed(seal)
    leaves = [leaf for _, leaf in sealed]
    place = next((number for number, (seq, _) in enumerate(sealed) if seq == event.seq), None)
    now, root = merkle.leaf(sha256, encode(event)), bytes(seal.root_sha256)
    way = merkle.way(sha256, leaves, place) if place is not None else ()
    holds = place is not None and leaves[place] == now and merkle.follow(sha256, now, way) == root
    return Proof(
        seal=seal.number,
        sealed_at=seal.sealed_at,
        place=0 if place is None else place + 1,
        count=seal.count,
        leaf=now.hex(),
        way=way,
        root=root.hex(),
        chain=bytes(seal.chain_sha256).hex(),
        holds=holds,
    )


def _seal_over(event: Event) -> Seal | None:
    """The first seal whose end is not before the event: batches follow each other without a gap."""
    ends_after = Q(last_tx__gt=event.tx) | Q(last_tx=event.tx, last_seq__gte=event.seq)
    return Seal.objects.filter(ends_after).order_by("number").first()
