"""Personal data, kept outside events and encrypted: events hold its id, so erasing it breaks no seal."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from uuid import UUID

from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from anlan.kernel.ids import new_id
from anlan.ledger.events import NewEvent, append_many
from anlan.ledger.models import Personal

_ERASED_AT_ONCE = 500


def make(kind: str, fields: Mapping[str, str], *, keep_until: date, at: datetime) -> Personal:
    """Personal data, encrypted but not saved yet: for saving many at once with bulk_create."""
    text = json.dumps(dict(fields), ensure_ascii=False, sort_keys=True)
    sealed = _cipher().encrypt_at_time(text.encode(), int(at.timestamp()))
    return Personal(id=new_id(), kind=kind, sealed=sealed, keep_until=keep_until)


def keep(kind: str, fields: Mapping[str, str], *, keep_until: date, at: datetime) -> Personal:
    """Keep personal data up to and including the day `keep_until`; events may hold its id and nothing else of it."""
    kept = make(kind, fields, keep_until=keep_until, at=at)
    kept.save(force_insert=True)
    return kept


def read(identifier: UUID) -> dict[str, str] | None:
    """The fields that were kept, or None when they were erased or never there.

    Raises cryptography's InvalidToken when the installation's secret key is not the one they were kept under.
    """
    kept = Personal.objects.filter(id=identifier, erased_at=None).first()
    if kept is None or kept.sealed is None:
        return None
    fields: dict[str, str] = json.loads(_cipher().decrypt(bytes(kept.sealed)))
    return fields


def keep_only_until(identifier: UUID, day: date) -> None:
    """Keep what is still kept until another day; one that is over has it erased in the next round."""
    Personal.objects.filter(id=identifier, erased_at=None).update(keep_until=day)


def conceal(text: str) -> bytes:
    """A secret of the installation (not of a person) as the database may hold it; `reveal` gives it back."""
    return _cipher().encrypt(text.encode())


def reveal(kept: bytes) -> str:
    """What was concealed. Raises cryptography's InvalidToken where the installation's own secret is another."""
    return _cipher().decrypt(kept).decode()


def erase_due(*, at: datetime) -> int:
    """Erase whatever was to be kept until a day that is over at `at`, local time; returns how many were erased."""
    total = 0
    while erased := _erase_some(at):
        total += erased
    return total


def _erase_some(at: datetime) -> int:
    due = Personal.objects.filter(erased_at=None, keep_until__lt=timezone.localtime(at).date()).order_by("keep_until")
    if not due.exists():
        return 0
    with transaction.atomic():
        some = list(due.select_for_update(skip_locked=True).values_list("id", "kind")[:_ERASED_AT_ONCE])
        Personal.objects.filter(id__in=[identifier for identifier, _ in some]).update(sealed=None, erased_at=at)
        append_many(
            [
                NewEvent("personal.erased", identifier, by=None, at=at, recorded_at=at, data={"kind": kind})
                for identifier, kind in some
            ]
        )
    return len(some)


def _cipher() -> MultiFernet:
    return _cipher_of(settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


@lru_cache(maxsize=4)
def _cipher_of(*secrets: str) -> MultiFernet:
    """Encrypts under the first secret, decrypts under any: a secret can be replaced without losing what was kept."""
    return MultiFernet([Fernet(_key(secret)) for secret in secrets])


def _key(secret: str) -> bytes:
    derived = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"anlan.ledger.personal").derive(
        secret.encode()
    )
    return urlsafe_b64encode(derived)
