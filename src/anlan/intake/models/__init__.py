"""The tables of intake."""

from __future__ import annotations

from anlan.intake.models.doors import DoorHour, TopicModel
from anlan.intake.models.hooks import Addition, Client, Delivery, HookCount
from anlan.intake.models.reports import Attempt, Batch, Photo, Quarantined, Receipt, Remark, Report, Tracking
from anlan.intake.models.sensors import Device, Ear, Episode, Roll, Signal, Stray
from anlan.intake.models.uploads import Listed, Mapping, Statistic, Upload, UploadRow
from anlan.intake.models.watches import Telling, Watch

__all__ = [
    "Addition",
    "Attempt",
    "Batch",
    "Client",
    "Delivery",
    "Device",
    "DoorHour",
    "Ear",
    "Episode",
    "HookCount",
    "Listed",
    "Mapping",
    "Photo",
    "Quarantined",
    "Receipt",
    "Remark",
    "Report",
    "Roll",
    "Signal",
    "Statistic",
    "Stray",
    "Telling",
    "TopicModel",
    "Tracking",
    "Upload",
    "UploadRow",
    "Watch",
]
