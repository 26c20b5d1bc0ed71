"""The addresses of the desk. The case screens keep theirs in `case_urls`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from anlan.presentation.web import (
    areas,
    asking,
    devices_coverage,
    devices_page,
    doors_page,
    facts_page,
    people,
    signin,
    sites,
    switch,
)
from anlan.presentation.web.settings import clients as settings_clients
from anlan.presentation.web.settings import declared as settings_declared
from anlan.presentation.web.settings import hub as settings_hub
from anlan.presentation.web.settings import places as settings_places
from anlan.presentation.web.settings import subscribers as settings_subscribers
from anlan.presentation.web.settings import system as settings_system
from anlan.presentation.web.settings import topics as settings_topics

FRAME: list[URLPattern | URLResolver] = [
    path("", switch.home, name="home"),
    path("search/", switch.search, name="search"),
    path("suggest/<slug:kind>/", asking.suggest, name="suggest"),
    path("sign-in/", signin.sign_in, name="sign_in"),
    path("sign-out/", signin.sign_out, name="sign_out"),
    path("language/", signin.language, name="language"),
    path("me/", signin.me, name="me"),
    path("me/password/", signin.password, name="password"),
]
PLACES: list[URLPattern | URLResolver] = [
    path("sites/", sites.index, name="sites"),
    path("sites/add/", sites.add, name="site_add"),
    path("sites/<slug:code>/", sites.one, name="site"),
    path("sites/<slug:code>/sign/", sites.sign, name="site_qr"),
    path("sites/<slug:code>/change/", sites.change, name="site_change"),
    path("sites/<slug:code>/close/", sites.close, name="site_close"),
    path("areas/", areas.index, name="areas"),
    path("areas/switch/", switch.area_switch, name="area_switch"),
    path("areas/<slug:code>/", areas.one, name="area"),
    path("areas/<slug:code>/add/", areas.add, name="area_add"),
    path("areas/<slug:code>/rename/", areas.rename, name="area_rename"),
    path("areas/<slug:code>/boundary/", areas.boundary, name="area_boundary"),
    path("areas/<slug:code>/move/", areas.move, name="area_move"),
    path("areas/<slug:code>/close/", areas.close, name="area_close"),
]
DEVICES: list[URLPattern | URLResolver] = [
    path("devices/", devices_page.index, name="devices"),
    path("devices/add/", devices_page.add, name="device_add"),
    path("devices/coverage/", devices_coverage.cover, name="coverage"),
    path("devices/of/<str:code>/", devices_page.one, name="device"),
    path("devices/of/<str:code>/change/", devices_page.change, name="device_change"),
    path("devices/of/<str:code>/retire/", devices_page.retire, name="device_retire"),
    path("devices/of/<str:code>/secret/", devices_page.secret, name="device_secret"),
]
FACTS: list[URLPattern | URLResolver] = [
    path("facts/", facts_page.index, name="facts"),
    path("facts/<slug:key>/", facts_page.one, name="fact_table"),
]
SETTINGS: list[URLPattern | URLResolver] = [
    path("settings/", settings_hub.index, name="settings"),
    *settings_places.PARTIES.urls(),
    *settings_places.DEPARTMENTS.urls(),
    path("settings/departments/<int:pk>/retire/", settings_places.department_retire, name="department_retire"),
    *settings_places.DUTIES.urls(),
    path("settings/duties/<int:pk>/end/", settings_places.duty_end, name="duty_end"),
    path("settings/responsible/", settings_places.responsible, name="responsible"),
    *people.OFFICERS.urls(),
    path("settings/officers/<int:pk>/post/", people.post_add, name="post_add"),
    path("settings/officers/<int:pk>/password/", people.officer_password, name="officer_password"),
    path("settings/posts/<int:pk>/end/", people.post_end, name="post_end"),
    path("settings/roles/", people.roles, name="roles"),
    path("settings/keys/", settings_system.token_list, name="tokens"),
    path("settings/keys/issue/", settings_system.token_issue, name="token_issue"),
    path("settings/keys/<int:pk>/", settings_system.token_one, name="token"),
    path("settings/keys/<int:pk>/revoke/", settings_system.token_revoke, name="token_revoke"),
    path("settings/clients/", settings_clients.client_list, name="clients"),
    path("settings/clients/add/", settings_clients.client_add, name="client_add"),
    path("settings/clients/<slug:name>/", settings_clients.client_one, name="client"),
    path("settings/clients/<slug:name>/change/", settings_clients.client_change, name="client_change"),
    path("settings/subscribers/", settings_subscribers.subscriber_list, name="subscribers"),
    path("settings/subscribers/add/", settings_subscribers.subscriber_add, name="subscriber_add"),
    path("settings/subscribers/<slug:name>/", settings_subscribers.subscriber_one, name="subscriber"),
    path("settings/subscribers/<slug:name>/change/", settings_subscribers.subscriber_change, name="subscriber_change"),
    path("settings/calendar/", settings_system.calendar, name="calendar"),
    path("settings/calendar/load/", settings_system.notice_load, name="notice_load"),
    path("settings/doors/", doors_page.index, name="doors"),
    path("settings/topics/", settings_topics.learned, name="topics_learned"),
    path("settings/declared/", settings_declared.index, name="declared"),
    path("settings/declared/<slug:folder>/", settings_declared.kind, name="declared_kind"),
    path("settings/declared/<slug:folder>/<path:identity>/", settings_declared.one, name="declaration"),
]
urlpatterns: list[URLPattern | URLResolver] = [
    *FRAME,
    *PLACES,
    *SETTINGS,
    *DEVICES,
    *FACTS,
    path("r/", include("anlan.presentation.web.resident.urls")),
    path("index/", include("anlan.presentation.web.index.urls")),
    path("", include("anlan.presentation.web.case_urls")),
]
