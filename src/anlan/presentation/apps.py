"""Django's name for this layer."""

from __future__ import annotations

from django.apps import AppConfig


class PresentationConfig(AppConfig):
    name = "anlan.presentation"
    label = "presentation"
    default_auto_field = "django.db.models.BigAutoField"
