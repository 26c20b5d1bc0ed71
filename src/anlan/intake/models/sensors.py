"""The tables of sensors: devices, what they signalled, and what it came to."""

from __future__ import annotations

from django.db import models

from anlan.intake.models.reports import Report
from anlan.places.models import Area, Site


class Device(models.Model):
    """A device that tells of danger by itself. What stands after `retired_date` is how it stands, a cache of its
    signals (`alarms.Standing`), and its counters.

    `address` is its place on its panel, or, of a transmission device, the source address it sends from. `networks` are
    where it may call from, in CIDR, separated by commas; empty: anywhere. `secret` is the salted hash of its password
    as Mosquitto reads it, `broker_hash` as RabbitMQ does.
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
    broker_hash = models.CharField(max_length=200, blank=True)
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
