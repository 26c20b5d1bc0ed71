"""The tables of intake: reports, their photos, the batches they came in and what could not be understood."""

from __future__ import annotations

from django.db import models

from anlan.ledger.models import Personal
from anlan.places.models import Area, Officer, Site


class Batch(models.Model):
    """One file that was imported."""

    id = models.UUIDField(primary_key=True)
    channel = models.CharField(max_length=60)
    file_name = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)
    by = models.ForeignKey(Officer, null=True, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    rows = models.IntegerField(default=0)
    received = models.IntegerField(default=0)
    repeated = models.IntegerField(default=0)
    quarantined = models.IntegerField(default=0)


class Report(models.Model):
    """What somebody told, exactly as told (`raw`), and what was understood of it.

    `message_id` is the sender's own number: the same one twice in a channel is one report. Columns that the channel
    declares personal are not in `raw` but behind `reporter`. `notes` are sentences, [{"zh", "en"}], on what was set
    aside in order to take the report.
    """

    id = models.UUIDField(primary_key=True)
    channel = models.CharField(max_length=60)
    message_id = models.CharField(max_length=120)
    digest = models.CharField(max_length=64)
    raw = models.JSONField()
    told_at = models.DateTimeField()
    received_at = models.DateTimeField()
    topic = models.CharField(max_length=60, blank=True)
    description = models.TextField(blank=True)
    address = models.CharField(max_length=200, blank=True)
    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="reports")
    area_path = models.CharField(max_length=120)
    site = models.ForeignKey(Site, null=True, blank=True, on_delete=models.PROTECT, related_name="reports")
    lon = models.FloatField(null=True, blank=True)
    lat = models.FloatField(null=True, blank=True)
    reporter = models.ForeignKey(Personal, null=True, blank=True, on_delete=models.PROTECT, related_name="reports")
    by = models.ForeignKey(Officer, null=True, blank=True, on_delete=models.PROTECT, related_name="reports")
    batch = models.ForeignKey(Batch, null=True, blank=True, on_delete=models.PROTECT, related_name="reports")
    notes = models.JSONField(default=list)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["channel", "message_id"], name="report_message_once")]
        indexes = [models.Index(fields=["area_path", "told_at"], name="report_area_told")]


class Photo(models.Model):
    """One picture as it was taken; `stage` is before or after the fix. `look` is its print, see `photo_print`."""

    id = models.UUIDField(primary_key=True)
    digest = models.CharField(max_length=64)
    mime = models.CharField(max_length=30)
    size = models.IntegerField()
    width = models.IntegerField()
    height = models.IntegerField()
    look = models.BigIntegerField(null=True)
    stage = models.CharField(max_length=10, default="before")
    taken_at = models.DateTimeField(null=True)
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)
    by = models.ForeignKey(Officer, null=True, on_delete=models.PROTECT, related_name="+")
    report = models.ForeignKey(Report, null=True, on_delete=models.PROTECT, related_name="photos")
    added_at = models.DateTimeField()


class Quarantined(models.Model):
    """A message that could not be understood: kept whole with the reasons, to be mended and sent again."""

    id = models.UUIDField(primary_key=True)
    channel = models.CharField(max_length=60)
    batch = models.ForeignKey(Batch, null=True, on_delete=models.PROTECT, related_name="held")
    row_no = models.IntegerField(null=True)
    digest = models.CharField(max_length=64)
    raw = models.JSONField()
    reasons = models.JSONField()
    reporter = models.ForeignKey(Personal, null=True, blank=True, on_delete=models.PROTECT, related_name="held")
    state = models.CharField(max_length=12, default="held")
    report = models.ForeignKey(Report, null=True, on_delete=models.PROTECT, related_name="+")
    area_path = models.CharField(max_length=120, default="")
    held_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["channel", "digest"], name="quarantined_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=["held", "mended", "discarded"]), name="quarantined_state"
            ),
        ]


class Tracking(models.Model):
    """The code by which whoever told a report follows it, without an account; only its digest is kept."""

    report = models.OneToOneField(Report, primary_key=True, on_delete=models.PROTECT, related_name="tracking")
    digest = models.CharField(max_length=64, unique=True)


class Attempt(models.Model):
    """How often one device or address did one thing in a window of time that ends at `until`.

    `who` is a keyed digest that the window goes into: it names nobody, and two windows cannot be told to be of one
    person.
    """

    who = models.CharField(max_length=64, primary_key=True)
    count = models.IntegerField(default=0)
    until = models.DateTimeField(db_index=True)


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
