"""The bell: what one must know about cases, newest first."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from anlan.casework.models import Notice
from anlan.kernel.text import Text
from anlan.presentation.permissions import NotFound, needs
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.lists import Empty, page_of

TITLE = Text(zh="消息", en="Notices")
KINDS = {
    "overdue": ("late", Text(zh="已到期", en="Overdue")),
    "due_soon": ("soon", Text(zh="将到期", en="Due soon")),
    "returned": ("returned", Text(zh="退回", en="Returned")),
    "rework": ("returned", Text(zh="返工", en="Rework")),
    "dispatched": ("ok", Text(zh="派来", en="Sent to you")),
    "assist": ("ok", Text(zh="协办", en="Assist")),
    "extension_asked": ("soon", Text(zh="申请延期", en="Extension asked")),
    "extension_decided": ("ok", Text(zh="延期答复", en="Extension decided")),
    "pushed": ("ok", Text(zh="推送", en="Pushed to you")),
    "push_late": ("late", Text(zh="推送超时", en="Push late")),
    "told": ("soon", Text(zh="催办补充", en="Pressed for")),
    "closed": ("closed", Text(zh="办结", en="Closed")),
}
OTHER = ("none", Text(zh="提醒", en="Notice"))
EMPTY = Empty(
    Text(zh="还没有消息", en="No notice yet"),
    Text(
        zh="派给您、将到期、超期、退回、延期答复和办结，都会在这里告诉您。",
        en="You are told here when a case is sent to you, is nearly due, late, returned, extended or closed.",
    ),
)


@needs("notices.see")
def notices(request: Asked) -> HttpResponse:
    """One's own notices; the unread ones are marked."""
    mine = Notice.objects.filter(officer=request.user).select_related("case")
    page = page_of(mine, request, order=("-at", "-pk"))
    entries = [
        (notice, *KINDS.get(notice.kind, OTHER), Text(zh=notice.text_zh, en=notice.text_en)) for notice in page.items
    ]
    unread = any(notice.read_at is None for notice in page.items)
    said = {"title": TITLE, "entries": entries, "page": page, "empty": EMPTY, "any_unread": unread}
    return render(request, "cases/notices.html", said)


@needs("notices.see")
def notice_open(request: Asked, notice_id: UUID) -> HttpResponse:
    """To the case of a notice, which is read from then on."""
    notice = Notice.objects.filter(officer=request.user, pk=notice_id).select_related("case").first()
    if notice is None:
        raise NotFound
    Notice.objects.filter(pk=notice.pk, read_at=None).update(read_at=request.at)
    return redirect("case", number=notice.case.number)


@require_POST
@needs("notices.see")
def notices_read(request: Asked) -> HttpResponse:
    """All of one's notices are read."""
    Notice.objects.filter(officer=request.user, read_at=None).update(read_at=request.at)
    return redirect("notices")
