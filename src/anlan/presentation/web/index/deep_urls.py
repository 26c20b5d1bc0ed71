"""The addresses of an index's pages behind the first: indicators and their cases, scorecards, trust, editions."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from anlan.presentation.web.index import audit, card, cases, editions, indicator, integrity, recheck, sure

EDITION = "<slug:index>/<str:period>"
INDICATOR = f"{EDITION}/indicators/<str:key>"

urlpatterns: list[URLPattern | URLResolver] = [
    path(f"{INDICATOR}/", indicator.indicator, name="index_indicator"),
    path(f"{INDICATOR}/cases/", cases.index_cases, name="index_cases"),
    path(f"{EDITION}/cards/<slug:code>/", card.index_card, name="index_card"),
    path(f"{EDITION}/audit/", audit.index_audit, name="index_audit"),
    path(f"{EDITION}/sure/", sure.index_sure, name="index_sure"),
    path(f"{EDITION}/integrity/", integrity.index_integrity, name="index_integrity"),
    path(f"{EDITION}/integrity/draw.<slug:kind>", recheck.index_recheck_list, name="index_recheck_list"),
    path(f"{EDITION}/integrity/<uuid:case_id>/", recheck.index_recheck, name="index_recheck"),
    path("<slug:index>/editions/", editions.index_editions, name="index_editions"),
    path("<slug:index>/editions/act/", editions.index_edition_act, name="index_edition_act"),
]
