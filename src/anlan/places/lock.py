"""The lock against guessing: five wrong passwords lock a user name for a while, whether anybody has it or not.

A name that nobody has is counted like any other, so that the lock tells nobody which names exist.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils.crypto import salted_hmac

from anlan.kernel.text import Refusal
from anlan.places.models import Knock

TRIES: Final = 5
LOCKED_FOR: Final = timedelta(minutes=15)
REMEMBERED_FOR: Final = timedelta(days=1)


class Locked(Refusal):
    """Too many wrong passwords: nobody signs in under this name for a while."""

    def __init__(self, until: datetime, *, at: datetime) -> None:
        minutes = max(1, round((until - at).total_seconds() / 60))
        super().__init__(
            f"密码连续输错 {TRIES} 次，已锁定；请 {minutes} 分钟后再试，或请管理员重设密码。",
            f"Locked after {TRIES} wrong passwords; try again in {minutes} minutes, or ask the administrator for a "
            "new password.",
        )


def count(username: str, *, at: datetime) -> datetime | None:
    """Count one try under `username`; raises `Locked` while the name is locked.

    Call it before the password is looked at: of any number of tries at one moment only five get so far. The fifth
    locks the name, and this gives until when; `lift` undoes it where the password was right after all.
    """
    # Names are made up without end by those who guess; what is old is forgotten, or the table would only grow.
    Knock.objects.filter(at__lt=at - REMEMBERED_FOR).delete()
    digest = _digest(username)
    with transaction.atomic():
        Knock.objects.bulk_create(
            [Knock(digest=digest, at=at)], update_conflicts=True, unique_fields=["digest"], update_fields=["at"]
        )
        held = Knock.objects.select_for_update().get(digest=digest)
        if held.locked_until is not None and held.locked_until > at:
            raise Locked(held.locked_until, at=at)
        held.failed += 1
        held.locked_until = None
        if held.failed >= TRIES:
            held.failed, held.locked_until = 0, at + LOCKED_FOR
        held.save(update_fields=["failed", "locked_until"])
        return held.locked_until


def lift(username: str) -> None:
    """Nothing is held against `username` any longer."""
    Knock.objects.filter(digest=_digest(username)).delete()


def _digest(username: str) -> str:
    """People type passwords into the field for the name: what was typed there is not kept as it is."""
    return salted_hmac("anlan.places.lock", username, algorithm="sha256").hexdigest()
