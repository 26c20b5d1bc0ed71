"""Django's name for this layer."""

from __future__ import annotations

from django.apps import AppConfig


class PlacesConfig(AppConfig):
    name = "anlan.places"
    label = "places"
    default_auto_field = "django.db.models.BigAutoField"
