"""The tables of places: the area tree, sites, parties, departments, people and what they answer for.

Everywhere here `valid_from` is the first day something holds and `valid_to` the first day it no longer does.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models


class Area(models.Model):
    """A node of the administrative tree, valid from one day to another; `code` names it through all its versions.

    `path` is the codes from the top joined and closed by "/" ("33/3307/330781/"): a subtree is one range scan.
    `boundary` is GeoJSON (Polygon or MultiPolygon, WGS-84) or null. `calendar` is the working calendar's key; empty: as
    the area above.
    """

    code = models.CharField(max_length=30)
    path = models.CharField(max_length=120)
    level = models.CharField(max_length=20)
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children")
    boundary = models.JSONField(null=True, blank=True)
    calendar = models.CharField(max_length=40, blank=True, default="")
    changed_at = models.DateTimeField(null=True, blank=True)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["path", "valid_from"], name="area_path_once")]
        indexes = [
            models.Index(fields=["code"], name="area_code"),
            models.Index(fields=["path"], name="area_calendar", condition=~models.Q(calendar="")),
        ]


class Department(models.Model):
    """A body that can be given a case: a department, an office, a company under contract."""

    key = models.CharField(max_length=60, unique=True)
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80)
    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="departments")
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children")
    is_active = models.BooleanField(default=True)


class Party(models.Model):
    """责任主体: the enterprise, landlord or person who answers for a site."""

    kind = models.CharField(max_length=30)
    name = models.CharField(max_length=120)
    official_code = models.CharField(max_length=30, blank=True)
    contact = models.UUIDField(null=True, blank=True)
    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="parties")


class Site(models.Model):
    """场所: a place that is visited. `code` is what its QR code carries."""

    code = models.CharField(max_length=30, unique=True)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=40)
    address = models.CharField(max_length=200, blank=True)
    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="sites")
    area_path = models.CharField(max_length=120)
    operator = models.ForeignKey(Party, null=True, blank=True, on_delete=models.PROTECT, related_name="sites")
    lon = models.FloatField(null=True, blank=True)
    lat = models.FloatField(null=True, blank=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        indexes = [models.Index(fields=["area_path", "kind"], name="site_area_kind")]


class Officers(BaseUserManager["Officer"]):
    def create_user(self, username: str, password: str | None = None, **fields: Any) -> Officer:
        officer = self.model(username=username, **fields)
        officer.set_password(password)
        officer.save(using=self._db)
        return officer


class Officer(AbstractBaseUser):
    """Somebody (or some system) that signs in. What they may do comes from their posts alone."""

    username = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=60)
    phone = models.CharField(max_length=30, blank=True)
    language = models.CharField(max_length=5, default="zh")
    is_active = models.BooleanField(default=True)
    is_machine = models.BooleanField(default=False)
    must_change_password = models.BooleanField(default=False)

    objects = Officers()

    USERNAME_FIELD = "username"


class Knock(models.Model):
    """How often somebody has tried to sign in under a name, known or unknown, since it last succeeded."""

    digest = models.CharField(max_length=64, primary_key=True)
    failed = models.IntegerField(default=0)
    locked_until = models.DateTimeField(null=True, blank=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["at"], name="knock_at")]


class Post(models.Model):
    """A role held over an area (and, for some roles, in a department or for a party) from one day to another."""

    officer = models.ForeignKey(Officer, on_delete=models.PROTECT, related_name="posts")
    role = models.CharField(max_length=30)
    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="posts")
    department = models.ForeignKey(Department, null=True, blank=True, on_delete=models.PROTECT, related_name="posts")
    party = models.ForeignKey(Party, null=True, blank=True, on_delete=models.PROTECT, related_name="posts")
    certificate_no = models.CharField(max_length=40, blank=True)
    certificate_until = models.DateField(null=True, blank=True)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)


class Duty(models.Model):
    """1+X: who is responsible for this topic, here: department, officer, deputy. Empty topic = every topic."""

    topic = models.CharField(max_length=60, blank=True)
    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="duties")
    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="duties")
    officer = models.ForeignKey(Officer, null=True, blank=True, on_delete=models.PROTECT, related_name="duties")
    deputy = models.ForeignKey(Officer, null=True, blank=True, on_delete=models.PROTECT, related_name="deputy_duties")
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)


class Token(models.Model):
    """A key by which a system signs in as an officer; `actions` narrows what that officer's posts allow."""

    officer = models.ForeignKey(Officer, on_delete=models.PROTECT, related_name="tokens")
    name = models.CharField(max_length=80)
    digest = models.CharField(max_length=64, unique=True)
    actions = models.JSONField(default=list)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)


class Holiday(models.Model):
    """One day of a calendar as an announced notice sets it; loaded later than the package's own table."""

    calendar = models.CharField(max_length=40)
    date = models.DateField()
    is_working = models.BooleanField()
    source = models.CharField(max_length=200)
    loaded_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["calendar", "date"], name="holiday_once")]
