"""The tables of those who asked to be told how their report goes on; where they are told is behind `personal`."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from anlan.intake.models.reports import Report
from anlan.ledger.models import Personal


class Watch(models.Model):
    """Somebody who told a report and wants its progress sent: by e-mail or to a web address of theirs.

    The address (and a web address's secret) is in `address`, erased with the reporter's other data. Nothing but the
    question whether they want it is sent before `confirmed_at`. `origin` is the site as they know it, for links.
    """

    id = models.UUIDField(primary_key=True)
    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="watches")
    kind = models.CharField(max_length=10)
    address = models.ForeignKey(Personal, on_delete=models.PROTECT, related_name="+")
    origin = models.CharField(max_length=200)
    asked_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    stopped_at = models.DateTimeField(null=True)
    told_event = models.UUIDField(null=True)
    told_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(kind__in=["email", "webhook"]), name="watch_kind")]


class Telling(models.Model):
    """One thing to be told to a watch, until it arrived or was given up (dead). `event` of the very first is the watch.

    `number` is the case's; the words are those of the status page.
    """

    watch = models.ForeignKey(Watch, on_delete=models.PROTECT, related_name="tellings")
    event = models.UUIDField()
    kind = models.CharField(max_length=10)
    number = models.CharField(max_length=40, blank=True)
    text_zh = models.TextField(blank=True)
    text_en = models.TextField(blank=True)
    happened_at = models.DateTimeField()
    state = models.CharField(max_length=10, default="waiting")
    attempts = models.IntegerField(default=0)
    queued_at = models.DateTimeField()
    next_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    error_zh = models.CharField(max_length=200, blank=True)
    error_en = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["watch", "event"], name="telling_once"),
            models.CheckConstraint(condition=Q(kind__in=["confirm", "opened", "moved", "closed"]), name="telling_kind"),
            models.CheckConstraint(condition=Q(state__in=["waiting", "sent", "dead"]), name="telling_state"),
        ]
        indexes = [models.Index(fields=["next_at"], name="telling_waiting", condition=Q(state="waiting"))]
