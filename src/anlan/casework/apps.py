"""Django's name for this layer."""

from __future__ import annotations

from django.apps import AppConfig


class CaseworkConfig(AppConfig):
    name = "anlan.casework"
    label = "casework"
    default_auto_field = "django.db.models.BigAutoField"
