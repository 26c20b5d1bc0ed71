"""Django's name for this layer."""

from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings

from anlan.kernel import catalogue


class PresentationConfig(AppConfig):
    name = "anlan.presentation"
    label = "presentation"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        catalogue.use(settings.PACKS)
