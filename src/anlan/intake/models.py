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


class Device(models.Model):
    """A device that tells of danger by itself. What stands after `retired_date` is how it stands, a cache of its
    signals (`alarms.Standing`), and its counters.

    `address` is its place on its panel, or, of a transmission device, the source address it sends from. `networks` are
    where it may call from, in CIDR, separated by commas; empty: anywhere. `secret` is the salted hash of its password.
    """

    code = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=120, blank=True)
    model = models.CharField(max_length=60)
    site = models.ForeignKey(Site, null=True, blank=True, on_delete=models.PROTECT, related_name="devices")
    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="devices")
    area_path = models.CharField(max_length=120)
    panel = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="parts")
    address = models.CharField(max_length=60, blank=True)
    networks = models.CharField(max_length=200, blank=True)
    secret = models.CharField(max_length=200, blank=True)
    installed_date = models.DateField(null=True, blank=True)
    retired_date = models.DateField(null=True, blank=True)
    heard_at = models.DateTimeField(null=True)
    overdue_at = models.DateTimeField(null=True)
    alarm = models.CharField(max_length=10, blank=True)
    alarm_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)
    quiet_at = models.DateTimeField(null=True)
    fault_at = models.DateTimeField(null=True)
    battery_at = models.DateTimeField(null=True)
    silent_at = models.DateTimeField(null=True)
    chatter_at = models.DateTimeField(null=True)
    test_at = models.DateTimeField(null=True)
    look_at = models.DateTimeField(null=True)
    sets = models.CharField(max_length=700, blank=True)
    alarms = models.IntegerField(default=0)
    false_alarms = models.IntegerField(default=0)
    chatters = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["panel", "address"], name="device_on_panel_once",
                condition=models.Q(panel__isnull=False) & ~models.Q(address=""),
            ),
            models.UniqueConstraint(
                fields=["address"], name="device_source_once",
                condition=models.Q(panel__isnull=True) & ~models.Q(address=""),
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["area_path", "code"], name="device_area"),
            models.Index(fields=["overdue_at"], name="device_overdue", condition=models.Q(overdue_at__isnull=False)),
            models.Index(fields=["look_at"], name="device_look", condition=models.Q(look_at__isnull=False)),
        ]


class Signal(models.Model):
    """One thing a device told, as it told it. `print` is that of the whole message: the same number with the same
    content is the same message; with another content it is another one (a counter that began again).
    """

    device = models.ForeignKey(Device, db_index=False, on_delete=models.PROTECT, related_name="signals")
    sequence = models.BigIntegerField()
    print = models.BigIntegerField()
    kind = models.CharField(max_length=10)
    at = models.DateTimeField()
    received_at = models.DateTimeField()
    value = models.FloatField(null=True)
    raw = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["device", "sequence", "print"], name="signal_once")]


class Episode(models.Model):
    """Something that was the matter with a device, from one moment to another: an alarm, a fault, silence.

    `report` is what went through the door because of it. `verdict` is what a person found: "real" or "false".
    """

    id = models.UUIDField(primary_key=True)
    device = models.ForeignKey(Device, db_index=False, on_delete=models.PROTECT, related_name="episodes")
    trouble = models.CharField(max_length=10)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    verdict = models.CharField(max_length=10, blank=True)
    report = models.OneToOneField(Report, null=True, on_delete=models.PROTECT, related_name="episode")

    class Meta:
        indexes = [models.Index(fields=["device", "-began_at"], name="episode_device")]


class Stray(models.Model):
    """How often something came on a day that nobody can use: `source` is who sent it as far as that is known. The
    count is exact; of the messages themselves only the first few are kept.
    """

    pk = models.CompositePrimaryKey("day", "wire", "source", "reason")
    day = models.DateField()
    wire = models.CharField(max_length=12)
    source = models.CharField(max_length=80)
    reason = models.CharField(max_length=20)
    count = models.BigIntegerField(default=0)
    last_at = models.DateTimeField()


class Ear(models.Model):
    """Until when a listener has listened: nobody is called silent for what was said while nobody listened."""

    wire = models.CharField(max_length=12, primary_key=True)
    heard_until = models.DateTimeField()


class Roll(models.Model):
    """One row: its number goes up with every change of a device that a listener's memory must not miss."""

    stamp = models.BigIntegerField(default=0)
