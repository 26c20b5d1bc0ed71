"""The addresses of the residents' pages, which are open to everybody."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from anlan.presentation.web.resident import around, form, place, status, watch

urlpatterns: list[URLPattern | URLResolver] = [
    path("", form.form, name="resident"),
    path("sent/", form.sent, name="resident_sent"),
    path("near/", place.near, name="resident_near"),
    path("map/", place.area_map, name="resident_map"),
    path("around/", around.around, name="resident_around"),
    path("find/", status.find, name="resident_find"),
    path("watch/confirm/<str:token>/", watch.confirm, name="resident_watch_confirm"),
    path("watch/stop/<str:token>/", watch.end, name="resident_watch_end"),
    path("<str:code>/", status.status, name="resident_status"),
    path("<str:code>/answer/", status.answer, name="resident_answer"),
    path("<str:code>/photos/<uuid:photo_id>/<str:size>/", status.photo, name="resident_photo"),
    path("<str:code>/watch/", watch.ask, name="resident_watch"),
    path("<str:code>/watch/<uuid:watch_id>/stop/", watch.stop, name="resident_watch_stop"),
]
