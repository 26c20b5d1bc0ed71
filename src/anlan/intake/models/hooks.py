"""The tables of other systems that post signed messages: who they are, what they sent, and what came later on."""

from __future__ import annotations

from django.db import models

from anlan.intake.models.reports import Report
from anlan.ledger.models import Personal
from anlan.places.models import Area


class Client(models.Model):
    """A system that posts signed messages to one channel, within one area.

    `sealed` is its secret, encrypted; after a rotation the one before (`before`) opens the door too, until
    `before_until`.
    """

    name = models.CharField(max_length=60, unique=True)
    title = models.CharField(max_length=80)
    channel = models.CharField(max_length=60)
    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="+")
    area_path = models.CharField(max_length=120)
    sealed = models.BinaryField()
    before = models.BinaryField(null=True)
    before_until = models.DateTimeField(null=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    rotated_at = models.DateTimeField(null=True)


class Delivery(models.Model):
    """One signed body that came, known again by its nonce (or its signature): what it was answered, for a day."""

    id = models.UUIDField(primary_key=True)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="deliveries")
    key = models.CharField(max_length=64)
    signature = models.CharField(max_length=64)
    body = models.CharField(max_length=64)
    answer = models.JSONField(default=dict)
    at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["client", "key"], name="delivery_once")]
        indexes = [models.Index(fields=["client", "signature"], name="delivery_signature")]


class HookCount(models.Model):
    """How often something happened at the machines' door on a day; `client` "" = somebody unknown."""

    client = models.CharField(max_length=60)
    kind = models.CharField(max_length=30)
    day = models.DateField()
    count = models.BigIntegerField(default=0)
    last_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["client", "kind", "day"], name="hook_count_once")]


class Addition(models.Model):
    """What came later about an order: it was pressed for, added to or withdrawn. It waits until its order has come."""

    id = models.UUIDField(primary_key=True)
    channel = models.CharField(max_length=60)
    message_id = models.CharField(max_length=120)
    about = models.CharField(max_length=120)
    kind = models.CharField(max_length=12)
    raw = models.JSONField()
    text = models.TextField(blank=True)
    told_at = models.DateTimeField()
    received_at = models.DateTimeField()
    area_path = models.CharField(max_length=120)
    reporter = models.ForeignKey(Personal, null=True, on_delete=models.PROTECT, related_name="+")
    report = models.ForeignKey(Report, null=True, on_delete=models.PROTECT, related_name="additions")
    applied_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["channel", "message_id"], name="addition_once"),
            models.CheckConstraint(
                condition=models.Q(kind__in=["pressed", "added", "withdrawn"]), name="addition_kind"
            ),
        ]
        indexes = [
            models.Index(
                fields=["channel", "about"], name="addition_waiting", condition=models.Q(applied_at__isnull=True)
            )
        ]
