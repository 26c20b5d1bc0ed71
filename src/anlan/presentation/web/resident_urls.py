"""The addresses of the residents' pages, which are open to everybody."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from anlan.presentation.web import resident_around, resident_form, resident_place, resident_status, resident_watch

urlpatterns: list[URLPattern | URLResolver] = [
    path("", resident_form.form, name="resident"),
    path("sent/", resident_form.sent, name="resident_sent"),
    path("near/", resident_place.near, name="resident_near"),
    path("map/", resident_place.area_map, name="resident_map"),
    path("around/", resident_around.around, name="resident_around"),
    path("find/", resident_status.find, name="resident_find"),
    path("watch/confirm/<str:token>/", resident_watch.confirm, name="resident_watch_confirm"),
    path("watch/stop/<str:token>/", resident_watch.end, name="resident_watch_end"),
    path("<str:code>/", resident_status.status, name="resident_status"),
    path("<str:code>/answer/", resident_status.answer, name="resident_answer"),
    path("<str:code>/photos/<uuid:photo_id>/<str:size>/", resident_status.photo, name="resident_photo"),
    path("<str:code>/watch/", resident_watch.ask, name="resident_watch"),
    path("<str:code>/watch/<uuid:watch_id>/stop/", resident_watch.stop, name="resident_watch_stop"),
]
