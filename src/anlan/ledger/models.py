"""The tables of the ledger: events, their seals, the followers' cursors and the personal data kept apart."""

from __future__ import annotations

from django.db import models

# Before every event: a ledger carried here from another database numbers its transactions below zero.
START = -(2**63)


class Event(models.Model):
    """One thing that happened. Appended in the transaction of the change it records; never changed, never deleted.

    `kind` is noun.past_tense (`case.moved`); `subject` is the id of what it happened to; `key` is recorded only once.
    `at` is when it happened, `device_at` what the reporting device's clock said, `recorded_at` when it was written.
    `tx` is the writing transaction (PostgreSQL) or 0 (SQLite): (tx, seq) is the order in which followers read. It is no
    part of what is sealed: carried to another database it is lowered, in the same order (see ledger.carry).
    """

    seq = models.BigAutoField(primary_key=True)
    tx = models.BigIntegerField(default=0, editable=False)
    id = models.UUIDField(unique=True)
    kind = models.CharField(max_length=60)
    subject = models.UUIDField()
    by = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    device_at = models.DateTimeField(null=True)
    recorded_at = models.DateTimeField()
    area_path = models.CharField(max_length=120, default="")
    key = models.CharField(max_length=120, null=True)
    data = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["subject", "seq"], name="event_subject"),
            models.Index(fields=["tx", "seq"], name="event_order"),
        ]
        constraints = [models.UniqueConstraint(fields=["key"], name="event_key_once")]


class Seal(models.Model):
    """One closed batch of events: Merkle roots in two digests, chained to the seal before it.

    `leaves` holds, for each event in order, its seq (8 bytes) and its sha256 (32 bytes), so that a change can be named.
    """

    number = models.BigIntegerField(primary_key=True)
    first_tx = models.BigIntegerField()
    first_seq = models.BigIntegerField()
    last_tx = models.BigIntegerField()
    last_seq = models.BigIntegerField()
    count = models.IntegerField()
    leaves = models.BinaryField()
    root_sha256 = models.BinaryField(max_length=32)
    root_sm3 = models.BinaryField(max_length=32)
    chain_sha256 = models.BinaryField(max_length=32)
    chain_sm3 = models.BinaryField(max_length=32)
    sealed_at = models.DateTimeField()


class Cursor(models.Model):
    """How far a follower has read."""

    name = models.CharField(max_length=60, primary_key=True)
    tx = models.BigIntegerField(default=START)
    seq = models.BigIntegerField(default=0)
    moved_at = models.DateTimeField(null=True)


class Personal(models.Model):
    """Personal data kept outside events, encrypted, with the last day on which it may be kept."""

    id = models.UUIDField(primary_key=True)
    kind = models.CharField(max_length=40)
    sealed = models.BinaryField(null=True)
    keep_until = models.DateField()
    erased_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["keep_until"], name="personal_due", condition=models.Q(erased_at__isnull=True))]
