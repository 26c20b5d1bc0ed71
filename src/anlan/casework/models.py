"""The tables of casework. A case's truth is its events; every column here but its identity can be rebuilt from them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from anlan.intake.models import Photo, Report
from anlan.places.models import Area, Department, Officer, Party, Site

OPEN = Q(closed_at__isnull=True)


def _where_given(name: str) -> models.Index:
    """The index of a foreign key that most rows leave empty."""
    return models.Index(fields=[name], name=f"case_{name}", condition=Q(**{f"{name}__isnull": False}))


class Series(models.Model):
    """The last number given out in a series; numbers are never reused."""

    key = models.CharField(max_length=40, primary_key=True)
    last = models.BigIntegerField(default=0)


class Case(models.Model):
    """One unsafe thing with one owner and one deadline."""

    id = models.UUIDField(primary_key=True)
    number = models.CharField(max_length=40, unique=True)
    procedure = models.CharField(max_length=60)
    edition = models.CharField(max_length=20)
    topic = models.CharField(max_length=60, blank=True)
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="cases")
    area_path = models.CharField(max_length=120)
    address = models.CharField(max_length=200, blank=True)
    site = models.ForeignKey(
        Site, db_index=False, null=True, blank=True, on_delete=models.PROTECT, related_name="cases"
    )
    party = models.ForeignKey(
        Party, db_index=False, null=True, blank=True, on_delete=models.PROTECT, related_name="cases"
    )
    lon = models.FloatField(null=True, blank=True)
    lat = models.FloatField(null=True, blank=True)
    channel = models.CharField(max_length=60, blank=True)
    opened_by = models.ForeignKey(Officer, null=True, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    merged_into = models.ForeignKey("self", db_index=False, null=True, on_delete=models.PROTECT, related_name="merged")
    split_from = models.ForeignKey("self", db_index=False, null=True, on_delete=models.PROTECT, related_name="parts")

    # Caches of `engine.stand`: rebuilt from history in a test and compared.
    rev = models.IntegerField(default=0)
    step = models.CharField(max_length=60)
    outcome = models.CharField(max_length=20, blank=True)
    closed_at = models.DateTimeField(null=True)
    lead = models.ForeignKey(Department, null=True, on_delete=models.PROTECT, related_name="cases")
    handler = models.ForeignKey(Officer, db_index=False, null=True, on_delete=models.PROTECT, related_name="+")
    clock = models.CharField(max_length=40, blank=True)
    warn_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    provisional = models.BooleanField(default=False)
    paused = models.BooleanField(default=False)
    hung = models.BooleanField(default=False)
    tick_at = models.DateTimeField(null=True)
    returns = models.IntegerField(default=0)
    extensions = models.IntegerField(default=0)
    reworks = models.IntegerField(default=0)
    reports_count = models.IntegerField(default=0)

    class Meta:
        indexes = [
            # Everything the counts of an area are made of stands in this index, so that they read no rows.
            models.Index(
                fields=["area_path", "due_at", "lead", "hung", "closed_at"], name="case_open_area_due", condition=OPEN
            ),
            models.Index(fields=["due_at"], name="case_open_due", condition=OPEN),
            models.Index(fields=["lead", "due_at"], name="case_open_lead_due", condition=OPEN),
            models.Index(fields=["tick_at"], name="case_tick", condition=Q(tick_at__isnull=False)),
            models.Index(fields=["area_path", "-opened_at"], name="case_area_opened"),
            models.Index(fields=["-opened_at"], name="case_opened"),
            # Most cases have none of these; an act writes into no index that its case is not in.
            *(_where_given(name) for name in ("site", "party", "handler", "merged_into", "split_from")),
            # What a new report may be about is found by its place, in one look at each of the two.
            models.Index(fields=["address"], name="case_address"),
            models.Index(fields=["lat", "lon"], name="case_point", condition=Q(lat__isnull=False)),
        ]


class CaseReport(models.Model):
    """A report that a case answers. A report joins one case at a time; when cases merge, both keep theirs."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="case_reports")
    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="case_reports")
    joined_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "report"], name="case_report_once")]


class CasePhoto(models.Model):
    """A photo shown with a case, and the event that brought it."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="case_photos")
    photo = models.ForeignKey(Photo, on_delete=models.PROTECT, related_name="case_photos")
    event = models.UUIDField()


class Unit(models.Model):
    """An assisting department on a case, with its own clock."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="units")
    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="units")
    task = models.TextField(blank=True)
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "department"], name="unit_once")]


class Notice(models.Model):
    """Something an officer must know about a case; written by a follower."""

    id = models.UUIDField(primary_key=True)
    officer = models.ForeignKey(Officer, on_delete=models.PROTECT, related_name="notices")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="notices")
    kind = models.CharField(max_length=30)
    event = models.UUIDField()
    text_zh = models.CharField(max_length=300)
    text_en = models.CharField(max_length=300)
    at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["officer", "event"], name="notice_once")]
        indexes = [models.Index(fields=["officer", "-at"], name="notice_unread", condition=Q(read_at__isnull=True))]


class Tally(models.Model):
    """Counts of one day for an area and all below it; department 0 and topic "*" stand for all of them.

    Cohort counts stand on the day the case was opened, flows (`opened`, `finished`) on the day they happened.
    `took_n` counts the cases that took n local calendar days to close; what took longer has rows of its own, in Spell.
    """

    pk = models.CompositePrimaryKey("area_path", "department", "topic", "day")
    area_path = models.CharField(max_length=120)
    department = models.BigIntegerField(default=0)
    topic = models.CharField(max_length=60, default="*")
    day = models.DateField()
    reported = models.IntegerField(default=0)
    valid = models.IntegerField(default=0)
    registered = models.IntegerField(default=0)
    refused = models.IntegerField(default=0)
    dispatched = models.IntegerField(default=0)
    to_handle = models.IntegerField(default=0)
    handled = models.IntegerField(default=0)
    handled_in_time = models.IntegerField(default=0)
    overdue_open = models.IntegerField(default=0)
    to_close = models.IntegerField(default=0)
    closed = models.IntegerField(default=0)
    closed_in_time = models.IntegerField(default=0)
    voided = models.IntegerField(default=0)
    merged = models.IntegerField(default=0)
    reworked = models.IntegerField(default=0)
    reworks = models.IntegerField(default=0)
    returned = models.IntegerField(default=0)
    shuffled = models.IntegerField(default=0)
    extended = models.IntegerField(default=0)
    hung = models.IntegerField(default=0)
    hung_ever = models.IntegerField(default=0)
    opened = models.IntegerField(default=0)
    finished = models.IntegerField(default=0)
    took_0 = models.IntegerField(default=0)
    took_1 = models.IntegerField(default=0)
    took_2 = models.IntegerField(default=0)
    took_3 = models.IntegerField(default=0)
    took_4 = models.IntegerField(default=0)
    took_5 = models.IntegerField(default=0)
    took_6 = models.IntegerField(default=0)
    took_7 = models.IntegerField(default=0)
    took_8 = models.IntegerField(default=0)
    took_9 = models.IntegerField(default=0)
    took_10 = models.IntegerField(default=0)
    took_11 = models.IntegerField(default=0)
    took_12 = models.IntegerField(default=0)
    took_13 = models.IntegerField(default=0)


class Spell(models.Model):
    """How many cases opened on a day took so many local calendar days to close, of those that took a fortnight or more.

    With `Tally.took_n` this gives exact percentiles without reading a case.
    """

    pk = models.CompositePrimaryKey("area_path", "department", "topic", "day", "days")
    area_path = models.CharField(max_length=120)
    department = models.BigIntegerField(default=0)
    topic = models.CharField(max_length=60, default="*")
    day = models.DateField()
    days = models.IntegerField()
    cases = models.IntegerField(default=0)


class Counted(models.Model):
    """What a case has already put into the tallies, so that counting it again changes nothing.

    `rows` is written and read by `counters` alone; nothing is counted or sorted by it, and nothing found but the very
    cases behind a figure (`behind`).
    """

    case = models.OneToOneField(Case, on_delete=models.PROTECT, primary_key=True, related_name="counted")
    rows = models.TextField()


class DeviceCase(models.Model):
    """A case that devices opened, and what joins it: `key` names the group (what for, site and panel)."""

    case = models.OneToOneField(Case, primary_key=True, on_delete=models.PROTECT, related_name="by_devices")
    key = models.CharField(max_length=120)
    last_at = models.DateTimeField()
    devices = models.IntegerField(default=0)
    sorts = models.CharField(max_length=120, blank=True)
    flood_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["key", "-last_at"], name="device_case_key")]


class Call(models.Model):
    """A report that came by a channel of pushes (a police call), as it is counted and linked.

    `caller` is a keyed digest of who called, kept no longer than calls are linked; it names nobody. `repeats` is the
    call before it from the same place, `first` the one with which the row of them began.
    """

    report = models.OneToOneField(Report, primary_key=True, on_delete=models.PROTECT, related_name="call")
    case = models.ForeignKey(Case, null=True, on_delete=models.PROTECT, related_name="calls")
    area_path = models.CharField(max_length=120)
    told_at = models.DateTimeField()
    day = models.DateField()
    is_dispute = models.BooleanField()
    pushed = models.BooleanField(default=False)
    resolved_at = models.DateTimeField(null=True)
    repeats = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="repeated_by")
    first = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="row")
    site = models.ForeignKey(Site, null=True, on_delete=models.PROTECT, related_name="+")
    address = models.CharField(max_length=200, blank=True)
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)
    caller = models.CharField(max_length=64, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["area_path", "day"], name="call_area_day"),
            models.Index(fields=["address"], name="call_address", condition=~Q(address="")),
            models.Index(fields=["lat", "lon"], name="call_point", condition=Q(lat__isnull=False)),
            models.Index(fields=["caller"], name="call_caller", condition=~Q(caller="")),
        ]


class Push(models.Model):
    """One push of a call: to whom (`PushTo`), when it was sent, received and answered, and by when it had to be.

    `pushes` and `key` name its declaration. The answer stands here and in no event.
    """

    id = models.UUIDField(primary_key=True)
    pushes = models.CharField(max_length=60)
    key = models.CharField(max_length=30)
    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="pushed_to")
    area_path = models.CharField(max_length=120)
    pushed_at = models.DateTimeField()
    due_at = models.DateTimeField()
    received_at = models.DateTimeField(null=True)
    received_by = models.ForeignKey(Officer, null=True, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(Officer, null=True, on_delete=models.PROTECT, related_name="+")
    answer = models.TextField(blank=True)
    resolved = models.BooleanField(null=True)
    late_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["call", "key"], name="push_once")]
        indexes = [
            models.Index(
                fields=["due_at"], name="push_due", condition=Q(answered_at__isnull=True, late_at__isnull=True)
            )
        ]


class PushTo(models.Model):
    """Somebody to whom a push was sent."""

    push = models.ForeignKey(Push, on_delete=models.PROTECT, related_name="to")
    officer = models.ForeignKey(Officer, on_delete=models.PROTECT, related_name="pushes")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["push", "officer"], name="push_to_once")]


class Subscriber(models.Model):
    """A system that is told of cases by one feed, within one area. `sealed` is the secret it checks signatures by.

    After a failure nothing is tried before `quiet_until`; `failures` counts those in a row.
    """

    name = models.CharField(max_length=50, unique=True)
    title = models.CharField(max_length=80)
    feed = models.CharField(max_length=60)
    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="+")
    area_path = models.CharField(max_length=120)
    url = models.CharField(max_length=500)
    allow_private = models.BooleanField(default=False)
    sealed = models.BinaryField()
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    failures = models.IntegerField(default=0)
    quiet_until = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)


class Sending(models.Model):
    """One thing that a subscriber is told, exactly as it is sent, until it has arrived or was given up (dead)."""

    delivery = models.UUIDField(unique=True)
    subscriber = models.ForeignKey(Subscriber, on_delete=models.PROTECT, related_name="sendings")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    event = models.UUIDField()
    happening = models.CharField(max_length=20)
    body = models.TextField()
    state = models.CharField(max_length=10, default="waiting")
    attempts = models.IntegerField(default=0)
    queued_at = models.DateTimeField()
    next_at = models.DateTimeField()
    claimed_until = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    error_zh = models.CharField(max_length=200, blank=True)
    error_en = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subscriber", "event"], name="sending_once"),
            models.CheckConstraint(condition=Q(state__in=["waiting", "sent", "dead"]), name="sending_state"),
        ]
        indexes = [
            models.Index(fields=["subscriber", "case", "id"], name="sending_waiting", condition=Q(state="waiting")),
            models.Index(fields=["subscriber", "-id"], name="sending_dead", condition=Q(state="dead")),
        ]


class Forward(models.Model):
    """A case that is passed on to another Open311 server: how far that is, and what the other side says of it.

    `target` is the key of the declared forwarding; `reference` stands in what is sent, so that it is found again there.
    """

    id = models.UUIDField(primary_key=True)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="forwards")
    target = models.CharField(max_length=60)
    reference = models.CharField(max_length=12, unique=True)
    state = models.CharField(max_length=10, default="waiting")
    tries = models.IntegerField(default=0)
    next_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    token = models.CharField(max_length=200, blank=True)
    number = models.CharField(max_length=200, blank=True)
    told = models.TextField(blank=True)
    trouble_zh = models.CharField(max_length=400, blank=True)
    trouble_en = models.CharField(max_length=400, blank=True)
    made_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "target"], name="forward_once"),
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "waiting",
                        "sending",
                        "token",
                        "open",
                        "closing",
                        "closed",
                        "unclear",
                        "refused",
                        "given_up",
                    ]
                ),
                name="forward_state",
            ),
        ]
        indexes = [models.Index(fields=["next_at"], name="forward_next", condition=Q(next_at__isnull=False))]
