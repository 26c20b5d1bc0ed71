"""The tables of spreadsheets: files on their way through the wizard, and what lists and statistics they brought."""

from __future__ import annotations

from django.db import models

from anlan.intake.models.reports import Batch, Quarantined
from anlan.ledger.models import Personal
from anlan.places.models import Area, Officer, Site


class Upload(models.Model):
    """A file on its way through the wizard: what it is taken for, how far it is, and what was found in it.

    `columns` says from which column, from 0, each field of the layout is read; `notes` are sentences on what was left
    out, [{"zh", "en", "rows"}]. The counts are those of the check until it is received.
    """

    id = models.UUIDField(primary_key=True)
    file_name = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)
    by = models.ForeignKey(Officer, on_delete=models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField()
    state = models.CharField(max_length=12, default="mapping")
    layout = models.CharField(max_length=60, blank=True)
    sheet = models.CharField(max_length=200, blank=True)
    below = models.IntegerField(default=0)
    headings = models.JSONField(default=list)
    columns = models.JSONField(default=dict)
    area = models.ForeignKey(Area, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    total = models.IntegerField(default=0)
    done = models.IntegerField(default=0)
    good = models.IntegerField(default=0)
    repeated = models.IntegerField(default=0)
    changed = models.IntegerField(default=0)
    bad = models.IntegerField(default=0)
    left_out = models.IntegerField(default=0)
    notes = models.JSONField(default=list)
    batch = models.ForeignKey(Batch, null=True, blank=True, on_delete=models.PROTECT, related_name="uploads")
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["state", "uploaded_at"], name="upload_state")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    state__in=["mapping", "checking", "checked", "receiving", "done", "failed", "dropped"]
                ),
                name="upload_state_known",
            )
        ]


class UploadRow(models.Model):
    """A row of an upload that somebody must look at: its cells by heading, and what is wrong with them.

    `kind` is bad or changed (it was received before, with other content: `before`); personal cells are kept apart.
    """

    upload = models.ForeignKey(Upload, on_delete=models.PROTECT, related_name="rows")
    row_no = models.IntegerField()
    kind = models.CharField(max_length=10)
    state = models.CharField(max_length=10, default="waiting")
    cells = models.JSONField()
    personal = models.ForeignKey(Personal, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    reasons = models.JSONField(default=list)
    before = models.JSONField(null=True, blank=True)
    held = models.ForeignKey(Quarantined, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["upload", "row_no"], name="upload_row_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=["waiting", "mended", "taken"]), name="upload_row_state"
            ),
        ]


class Mapping(models.Model):
    """What columns under these headings were said to be last time, in this layout."""

    headings = models.CharField(max_length=64)
    layout = models.CharField(max_length=60)
    columns = models.JSONField()
    by = models.ForeignKey(Officer, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["headings"], name="mapping_once")]


class Listed(models.Model):
    """What a list of sites last said of one of them: the fields it had, and typed values of those no site holds."""

    layout = models.CharField(max_length=60)
    number = models.CharField(max_length=300)
    digest = models.CharField(max_length=64)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="listed")
    fields = models.JSONField(default=list)
    values = models.JSONField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["layout", "number"], name="listed_once")]


class Statistic(models.Model):
    """A figure from outside: of one area and period ("2026-11", "2026-Q3", "2026"), in one unit, from one source.

    A correction is a further version; the earlier ones stay as they were.
    """

    figure = models.CharField(max_length=120)
    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="statistics")
    area_path = models.CharField(max_length=120)
    period = models.CharField(max_length=7)
    version = models.IntegerField(default=1)
    is_current = models.BooleanField(default=True)
    value = models.FloatField()
    unit = models.CharField(max_length=20, blank=True)
    source = models.CharField(max_length=200, blank=True)
    layout = models.CharField(max_length=60, blank=True)
    batch = models.ForeignKey(Batch, null=True, blank=True, on_delete=models.PROTECT, related_name="statistics")
    by = models.ForeignKey(Officer, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["figure", "area", "period", "version"], name="statistic_version_once"),
            models.UniqueConstraint(
                fields=["figure", "area", "period"], condition=models.Q(is_current=True), name="statistic_current_once"
            ),
        ]
        indexes = [models.Index(fields=["area_path", "period"], name="statistic_area_period")]
