"""The tables kept beside what came in: what was learned from it, and how much came when."""

from __future__ import annotations

from django.db import models


class TopicModel(models.Model):
    """What was learned of how people here call things, and how good it was found; the latest is in use."""

    made_at = models.DateTimeField()
    weights = models.BinaryField()
    judged = models.JSONField()


class DoorHour(models.Model):
    """What came through one channel in one hour: kept by a follower, so that looking costs nothing.

    `delay_s` is how many seconds lay between telling and receiving, all messages together.
    """

    channel = models.CharField(max_length=60)
    hour = models.DateTimeField()
    received = models.IntegerField(default=0)
    held = models.IntegerField(default=0)
    delay_s = models.BigIntegerField(default=0)
    last_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["channel", "hour"], name="door_hour_once")]
