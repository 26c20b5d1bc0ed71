"""The tables of what came in: reports, their photos, the batches they came in and what could not be understood."""

from __future__ import annotations

from django.db import models
from django.db.models import F

from anlan.intake.photo_print import PARTS
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

    class Meta:
        # By digest, and by each part of the print: so the same picture is found again among very many.
        indexes = [
            models.Index(fields=["digest"], name="photo_digest"),
            *(models.Index(F("look").bitand(mask), name=f"photo_look_{nth}") for nth, mask in enumerate(PARTS)),
        ]


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


class Receipt(models.Model):
    """What whoever sent a message is given for it: a token, and the number by which everybody may speak of the report.

    A message that waits in quarantine has a token alone. See `receipts`.
    """

    token = models.CharField(max_length=32, primary_key=True)
    number = models.CharField(max_length=12, unique=True, null=True)  # noqa: DJ001 - unique only where there is one
    report = models.OneToOneField(Report, null=True, on_delete=models.PROTECT, related_name="receipt")
    held = models.OneToOneField(Quarantined, null=True, on_delete=models.PROTECT, related_name="receipt")
    requested_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["-requested_at"], name="receipt_requested")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(report__isnull=False, number__isnull=False) | models.Q(held__isnull=False),
                name="receipt_of_something",
            )
        ]


class Remark(models.Model):
    """What was told about a report later on, by whoever sent it; the same `message_id` twice is one.

    `told` has no personal cell; those are behind `reporter`. `noted_at` is empty until a case has it.
    """

    id = models.UUIDField(primary_key=True)
    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="remarks")
    message_id = models.CharField(max_length=120)
    told = models.JSONField()
    reporter = models.ForeignKey(Personal, null=True, on_delete=models.PROTECT, related_name="remarks")
    by = models.ForeignKey(Officer, null=True, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField()
    noted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["report", "message_id"], name="remark_once")]
