"""Procedures: what is declared, as JSON and as a drawing."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import HttpResponse
from ninja import Schema

from anlan.casework import draw, procedure
from anlan.casework.procedure import PROCEDURES, Procedure
from anlan.kernel import catalogue
from anlan.presentation.api.frame import Noun
from anlan.presentation.api.shapes import Words, words
from anlan.presentation.web.frame import Asked

router = Noun("procedures")


class ProcedureRow(Schema):
    key: str
    edition: str
    title: Words
    summary: Words
    effective_from: date
    effective_to: date | None


def row(declared: Procedure) -> dict[str, Any]:
    return {
        "key": declared.key,
        "edition": declared.edition,
        "title": words(declared.title),
        "summary": words(declared.summary),
        "effective_from": declared.effective_from,
        "effective_to": declared.effective_to,
    }


@router.get("", response=list[ProcedureRow])
def list_(request: Asked) -> Any:
    """Every procedure in every edition."""
    return [row(declared) for _, declared in sorted(catalogue.current().all(PROCEDURES).items())]


@router.get("/{key}/{edition}", response=dict[str, Any])
def one(request: Asked, key: str, edition: str) -> Any:
    """One procedure, whole, as its file declares it."""
    return procedure.of(key, edition).model_dump(mode="json")


@router.get("/{key}/{edition}/svg", response={200: None})
def svg(request: Asked, key: str, edition: str) -> Any:
    """One procedure drawn, as SVG."""
    return HttpResponse(draw.svg(procedure.of(key, edition)), content_type="image/svg+xml; charset=utf-8")
