"""The ledger: the verdict on it, and the head of its seals."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from ninja import Query, Schema
from pydantic import Field

from anlan.ledger import seal
from anlan.ledger.models import Seal
from anlan.presentation.api.frame import Noun
from anlan.presentation.api.shapes import Words, words
from anlan.presentation.web.frame import Asked

router = Noun("ledger")


class Asking(Schema):
    """`head` (hex), noted earlier, proves besides that nothing was cut off since."""

    head: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""


class Finding(Schema):
    batch: int
    seq: int | None
    what: Words


class Verdict(Schema):
    ok: bool
    seals: int
    events: int
    unsealed: int
    head: str
    findings: list[Finding]


class Head(Schema):
    """The last seal: note it elsewhere, and give it to `verify` later."""

    number: int
    events_to: int
    sha256: str
    sm3: str
    sealed_at: datetime | None


@router.get("/verify", response=Verdict)
def verify(request: Asked, given: Query[Asking]) -> Any:
    """Compute every seal again and name what was changed, removed or inserted."""
    verdict = seal.verify(head=given.head)
    return {
        "ok": verdict.ok,
        "seals": verdict.seals,
        "events": verdict.events,
        "unsealed": verdict.unsealed,
        "head": verdict.head,
        "findings": [{"batch": f.batch, "seq": f.seq, "what": words(f.what)} for f in verdict.findings],
    }


@router.get("/head", response=Head)
def head(request: Asked) -> Any:
    """The head of the chain of seals."""
    last = Seal.objects.order_by("-number").defer("leaves").first()
    if last is None:
        return {"number": 0, "events_to": 0, "sha256": "", "sm3": "", "sealed_at": None}
    return {
        "number": last.number,
        "events_to": last.last_seq,
        "sha256": bytes(last.chain_sha256).hex(),
        "sm3": bytes(last.chain_sm3).hex(),
        "sealed_at": last.sealed_at,
    }
