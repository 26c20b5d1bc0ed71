"""The code by which whoever told a report follows it: twelve letters and digits that nobody can guess or misread."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils.crypto import salted_hmac

from anlan.intake.models import Report, Tracking

LETTERS: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Thirty-two of them, five bits each; without 0, O, 1 and I."""
LENGTH: Final = 12
_GROUP = 4
_AGAIN = 8


def issue(report: Report) -> str:
    """The report's code; the same one whenever it is asked for, so that an answer lost on the way can be told again."""
    with transaction.atomic():
        Report.objects.select_for_update().get(pk=report.pk)
        known = Tracking.objects.filter(report=report).values_list("digest", flat=True).first()
        if known is not None:
            return next(code for code in _codes(report) if digest(code) == known)
        code = next(code for code in _codes(report) if not Tracking.objects.filter(digest=digest(code)).exists())
        Tracking.objects.create(report=report, digest=digest(code))
        return code


def _codes(report: Report) -> Iterator[str]:
    """The codes this report may have: made of its id and a secret, the installation's own or one it had before."""
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        for again in range(_AGAIN):
            made = salted_hmac("anlan.intake.tracking", f"{report.pk}:{again}", secret=secret, algorithm="sha256")
            number = int.from_bytes(made.digest()[:8])
            yield "".join(LETTERS[number >> 5 * place & 31] for place in range(LENGTH))


def digest(code: str) -> str:
    """What is kept of a code."""
    return hashlib.sha256(f"anlan.intake.tracking\n{code}".encode()).hexdigest()


def plain(told: str) -> str:
    """A code as it is kept, of what somebody typed; "" when it cannot be one."""
    code = "".join(letter for letter in told.upper() if letter not in " -\u3000－")
    return code if len(code) == LENGTH and set(code) <= set(LETTERS) else ""


def shown(code: str) -> str:
    """A code as people read and write it: in groups of four."""
    return "-".join(code[start : start + _GROUP] for start in range(0, LENGTH, _GROUP))


def find(told: str) -> Report | None:
    """The report with this code."""
    code = plain(told)
    if not code:
        return None
    related = ("area", "site")
    return Report.objects.select_related(*related).filter(tracking__digest=digest(code)).first()
