"""What the page of a report shows of its watches: where (only so much that one knows one's own), and how it goes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from anlan.intake import watches
from anlan.intake.models import Report, Telling, Watch
from anlan.kernel.text import Text

WAITS = {
    "email": Text(
        zh="确认信已发往该邮箱，请在两天内打开信里的链接确认。",
        en="A letter is on its way: open its link within two days to confirm.",
    ),
    "webhook": Text(
        zh="正在向该网址发送验证内容，等它原样返回。", en="The address is being asked to echo a challenge."
    ),
}
TOLD = Text(zh="有新进展就发送。", en="News is sent as it comes.")
AGAIN = Text(zh="还没送到（{why}），稍后再试。", en="Not arrived yet ({why}); it will be tried again.")
GIVEN_UP = Text(zh="最近一条没有送到，已放弃：{why}。", en="The last one did not arrive and was given up: {why}.")


@dataclass(frozen=True, slots=True)
class Line:
    """One watch on the page."""

    pk: UUID
    kind: str
    where: str
    words: Text
    trouble: Text | None
    stop_url: str


def lines(report: Report, code: str, *, at: datetime) -> list[Line]:
    """The report's watches, each with what last went wrong."""
    found = []
    for watch in watches.standing(report, at=at):
        where = watches.where_of(watch)
        if where is not None:
            words = TOLD if watch.confirmed_at else WAITS[watch.kind]
            stop_url = reverse("resident_watch_stop", args=[code, watch.pk])
            found.append(Line(watch.pk, watch.kind, where.shown, words, _trouble(watch), stop_url))
    return found


def _trouble(watch: Watch) -> Text | None:
    first = Telling.objects.filter(watch=watch, state="waiting").order_by("pk").first()
    if first is None:
        first = Telling.objects.filter(watch=watch).order_by("-pk").first()
    if first is None or not first.error_zh:
        return None
    said = GIVEN_UP if first.state == "dead" else AGAIN
    return Text(zh=said.zh.format(why=first.error_zh), en=said.en.format(why=first.error_en))


def section(report: Report, code: str, *, at: datetime) -> dict[str, Any]:
    """What the status page needs for its part on being told."""
    standing = lines(report, code, at=at)
    return {
        "watches": standing, "may_watch": len(standing) < watches.MOST and report.withdrawn_at is None,
        "letters": settings.MAIL_SERVER is not None, "watch_url": reverse("resident_watch", args=[code]),
    }  # fmt: skip


def origin_of(request: HttpRequest) -> str:
    """The site as whoever asks knows it: of the declared origins theirs, else the first, else what they typed."""
    declared = [origin for origin in settings.CSRF_TRUSTED_ORIGINS if "*" not in origin]
    theirs = [origin for origin in declared if origin.partition("://")[2] == request.get_host()]
    return (theirs or declared or [request.build_absolute_uri("/").rstrip("/")])[0]
