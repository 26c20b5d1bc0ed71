"""The addresses of an index's pages behind the first: indicators and their cases, scorecards, trust, editions."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from anlan.presentation.web import (
    index_audit,
    index_card,
    index_cases,
    index_editions,
    index_indicator,
    index_integrity,
    index_recheck,
    index_sure,
)

EDITION = "<slug:index>/<str:period>"
INDICATOR = f"{EDITION}/indicators/<str:key>"

urlpatterns: list[URLPattern | URLResolver] = [
    path(f"{INDICATOR}/", index_indicator.indicator, name="index_indicator"),
    path(f"{INDICATOR}/cases/", index_cases.index_cases, name="index_cases"),
    path(f"{EDITION}/cards/<slug:code>/", index_card.index_card, name="index_card"),
    path(f"{EDITION}/audit/", index_audit.index_audit, name="index_audit"),
    path(f"{EDITION}/sure/", index_sure.index_sure, name="index_sure"),
    path(f"{EDITION}/integrity/", index_integrity.index_integrity, name="index_integrity"),
    path(f"{EDITION}/integrity/draw.<slug:kind>", index_recheck.index_recheck_list, name="index_recheck_list"),
    path(f"{EDITION}/integrity/<uuid:case_id>/", index_recheck.index_recheck, name="index_recheck"),
    path("<slug:index>/editions/", index_editions.index_editions, name="index_editions"),
    path("<slug:index>/editions/act/", index_editions.index_edition_act, name="index_edition_act"),
]
