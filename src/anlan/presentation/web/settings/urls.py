"""The addresses of what an administrator keeps."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from anlan.presentation.web import doors_page, people
from anlan.presentation.web.settings import clients, declared, hub, places, subscribers, system, topics

urlpatterns: list[URLPattern | URLResolver] = [
    path("settings/", hub.index, name="settings"),
    *places.PARTIES.urls(),
    *places.DEPARTMENTS.urls(),
    path("settings/departments/<int:pk>/retire/", places.department_retire, name="department_retire"),
    *places.DUTIES.urls(),
    path("settings/duties/<int:pk>/end/", places.duty_end, name="duty_end"),
    path("settings/responsible/", places.responsible, name="responsible"),
    *people.OFFICERS.urls(),
    path("settings/officers/<int:pk>/post/", people.post_add, name="post_add"),
    path("settings/officers/<int:pk>/password/", people.officer_password, name="officer_password"),
    path("settings/posts/<int:pk>/end/", people.post_end, name="post_end"),
    path("settings/roles/", people.roles, name="roles"),
    path("settings/keys/", system.token_list, name="tokens"),
    path("settings/keys/issue/", system.token_issue, name="token_issue"),
    path("settings/keys/<int:pk>/", system.token_one, name="token"),
    path("settings/keys/<int:pk>/revoke/", system.token_revoke, name="token_revoke"),
    path("settings/clients/", clients.client_list, name="clients"),
    path("settings/clients/add/", clients.client_add, name="client_add"),
    path("settings/clients/<slug:name>/", clients.client_one, name="client"),
    path("settings/clients/<slug:name>/change/", clients.client_change, name="client_change"),
    path("settings/subscribers/", subscribers.subscriber_list, name="subscribers"),
    path("settings/subscribers/add/", subscribers.subscriber_add, name="subscriber_add"),
    path("settings/subscribers/<slug:name>/", subscribers.subscriber_one, name="subscriber"),
    path("settings/subscribers/<slug:name>/change/", subscribers.subscriber_change, name="subscriber_change"),
    path("settings/calendar/", system.calendar, name="calendar"),
    path("settings/calendar/load/", system.notice_load, name="notice_load"),
    path("settings/doors/", doors_page.index, name="doors"),
    path("settings/topics/", topics.learned, name="topics_learned"),
    path("settings/declared/", declared.index, name="declared"),
    path("settings/declared/<slug:folder>/", declared.kind, name="declared_kind"),
    path("settings/declared/<slug:folder>/<path:identity>/", declared.one, name="declaration"),
]
