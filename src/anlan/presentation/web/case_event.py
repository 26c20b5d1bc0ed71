"""One event of a case down to its seal: what was written, when, and the proof that it has not been changed since."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from anlan.casework.timeline import Line, timeline
from anlan.kernel.text import Refusal, Text
from anlan.ledger.models import Event
from anlan.ledger.proof import Proof, prove
from anlan.presentation.permissions import needs
from anlan.presentation.web.case_page import TITLE, happened
from anlan.presentation.web.case_view import CaseView
from anlan.presentation.web.frame import Asked


class NoEvent(Refusal):
    """Nothing that is told of this case has this number."""

    status = 404

    def __init__(self) -> None:
        super().__init__("这个事项没有这条记录。", "There is no such record of this case.")


@needs("cases.see")
def case_event(request: Asked, number: str, event_id: UUID) -> HttpResponse:
    """What the timeline says of one event, and how it is sealed."""
    view = CaseView.find(request, number)
    line = next((each for each in timeline(view.case, view.events) if each.id == event_id), None)
    if line is None:
        raise NoEvent
    event = next(each for each in view.events if each.id == event_id)
    proof = prove(event)
    said = {
        "title": Text(zh="账本记录", en="Ledger record"), "view": view, "case": view.case, "proof": proof,
        "single": True, "happened": [happened(line, view.photos())], "facts": _facts(event, line, proof),
        "crumbs": [(TITLE, reverse("cases")), (Text(zh=number, en=number), reverse("case", args=[number])),
                   (Text(zh="账本记录", en="Ledger record"), "")],
    }  # fmt: skip
    return render(request, "cases/event.html", said)


def _facts(event: Event, line: Line, proof: Proof | None) -> list[tuple[Text, Any]]:
    found: list[tuple[Text, Any]] = [
        (Text(zh="发生时间", en="Happened"), line.at),
        (Text(zh="记入账本", en="Written down"), event.recorded_at),
        (Text(zh="账本序号", en="Place in the ledger"), event.seq),
    ]
    if proof is None:
        return found
    return [
        *found,
        (Text(zh="封存批次", en="Sealed in batch"), _place(proof)),
        (Text(zh="封存时间", en="Sealed"), proof.sealed_at),
        (Text(zh="本条摘要（SHA-256）", en="Digest of this record (SHA-256)"), proof.leaf),
        (Text(zh="本批根值", en="Root of the batch"), proof.root),
        (Text(zh="链值", en="Chain value"), proof.chain),
    ]


def _place(proof: Proof) -> Text:
    return Text(
        zh=f"第 {proof.seal} 批，共 {proof.count} 条，本条是第 {proof.place} 条",
        en=f"Batch {proof.seal} of {proof.count} records; this is number {proof.place}",
    )
