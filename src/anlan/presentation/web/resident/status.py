"""What happened to my report: what has been done, what comes next and by when, is it good? By the code alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import FileResponse, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from anlan.casework import course, reporter
from anlan.casework.course import Passed, Until
from anlan.casework.draft import Draft, from_events
from anlan.casework.models import Case, CasePhoto
from anlan.intake import photos, tracking
from anlan.intake.models import Photo, Report
from anlan.kernel.text import Refusal, Text
from anlan.ledger.events import history
from anlan.ledger.models import Event
from anlan.presentation.web import deadlines
from anlan.presentation.web.case_rows import topic_title
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.photos_view import A_DAY, SIZES
from anlan.presentation.web.resident import gate, watches

WAITING = Text(
    zh="已收到，等待受理：受理员会核对是什么问题、该谁管。",
    en="Received. Somebody will look at what it is and who is responsible.",
)
WITHDRAWN = Text(zh="这条上报已经撤回，不再办理。", en="This report was withdrawn and is not dealt with any more.")
WORDS = {
    "satisfied": Text(zh="满意", en="Satisfied"),
    "fairly": Text(zh="基本满意", en="Fairly satisfied"),
    "dissatisfied": Text(zh="不满意", en="Not satisfied"),
}
CHOOSE = Text(zh="请选择满意、基本满意或不满意。", en="Choose one of the three answers.")
KINDS = {
    "statutory": Text(zh="法定期限", en="By law"),
    "promised": Text(zh="承诺期限", en="As promised"),
}


class NoReport(Refusal):
    """No report has this code."""

    status = 404

    def __init__(self) -> None:
        super().__init__(
            "没有这个查询编号。请对照截图或字条再核对一遍：编号是 12 位字母和数字，没有 0、O、1、I。",
            "There is no such code. Compare it once more: it has 12 letters and digits, and no 0, O, 1 or I.",
            field="code",
        )


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the course, with the addresses of its photos."""

    passed: Passed
    photos: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Day:
    """One date the reporter may count on, in words; `late` when it is past."""

    until: Until
    kind: Text
    left: Text | None
    late: bool


def find_report(request: Asked, code: str) -> Report:
    """The report with this code. Guesses are counted, and end."""
    gate.check(request, "guess")
    report = tracking.find(code)
    if report is None:
        gate.count(request, "guess")
        raise NoReport
    return report


@gate.open_to_all
def find(request: Asked) -> HttpResponse:
    """Where a code is typed in."""
    told, wrong = request.POST.get("code", "")[:60], None
    if request.method == "POST":
        try:
            find_report(request, told)
            return redirect("resident_status", code=tracking.plain(told))
        except NoReport as refusal:
            wrong = refusal.text
    said = {"title": Text(zh="查进展", en="Follow a report"), "told": told, "wrong": wrong}
    return gate.draw(request, "find", said, status=422 if wrong else 200)


@gate.open_to_all
def status(request: Asked, code: str) -> HttpResponse:
    """The page that answers “what happened to my report?”."""
    return page(request, find_report(request, code), code)


@require_POST
@gate.open_to_all
def answer(request: Asked, code: str) -> HttpResponse:
    """满意、基本满意、不满意: what the reporter thinks of the result."""
    report = find_report(request, code)
    gate.count(request, "answer")
    said, case = request.POST.get("satisfaction", ""), reporter.answering(report)
    reason = request.POST.get("reason", "").replace("\x00", "")
    if case is None or not reporter.is_satisfaction(said):
        return page(request, report, code, wrong=CHOOSE, told=("", reason), status=422)
    try:
        reporter.answer(report, case, said, reason=reason, at=request.at)
    except Refusal as refusal:
        return page(request, report, code, wrong=refusal.text, told=(said, reason), status=422)
    return redirect("resident_status", code=tracking.plain(code))


def page(
    request: Asked, report: Report, code: str, *, wrong: Text | None = None, told: tuple[str, str] = ("", ""),
    watch_wrong: Text | None = None, watch_told: str = "", status: int = 200,
) -> HttpResponse:  # fmt: skip
    """The page of a report, with what was wrong in what was sent from it."""
    code = tracking.plain(code)
    case = reporter.answering(report)
    said: dict[str, Any] = {
        "title": Text(zh="上报进展", en="Your report"), "report": report, "case": case, "code": tracking.shown(code),
        "what": topic_title(case.topic if case else report.topic), "wrong": wrong, "told": told,
        "words": list(WORDS.items()), "answer_url": reverse("resident_answer", args=[code]),
        "line": WITHDRAWN if report.withdrawn_at else WAITING, "steps": [], "days": [],
        "here": reverse("resident_status", args=[code]), "watch_wrong": watch_wrong, "watch_told": watch_told,
        **watches.section(report, code, at=request.at),
    }  # fmt: skip
    if case is not None:
        said |= _course(request, report, case, code)
    return gate.draw(request, "status", said, status=status)


def _course(request: Asked, report: Report, case: Case, code: str) -> dict[str, Any]:
    events = history(case.pk)
    draft = from_events(case, events)
    lines, step = course.passed(draft, events), draft.plan.procedure.steps[draft.now.step]
    offered = reporter.offer(draft, report)
    shown = _photos(case, lines)
    return {
        "line": step.public, "step": step, "closed": bool(draft.now.outcome), "next": course.following(draft),
        "office": course.office(draft), "days": [_day(request, draft, each) for each in course.dates(draft)],
        "steps": [Step(line, _addresses(line, code, shown)) for line in reversed(lines)],
        "may_rate": bool(offered.rates), "may_object": bool(offered.objects), "answered": _answered(report, events),
        "others": max(0, case.reports_count - 1),
    }  # fmt: skip


def _day(request: Asked, draft: Draft, until: Until) -> Day:
    left, late = None, False
    if until.due_at is not None and not until.paused:
        left = deadlines.time_left(until.due_at, until.length.unit, draft.calendar, now=request.at)
        late = until.due_at < request.at
    return Day(until, KINDS.get(until.kind, until.title), left, late)


def _photos(case: Case, lines: list[Passed]) -> set[UUID]:
    """Of the photos these lines bring, those that show the fix."""
    brought = {photo for line in lines for photo in line.photos}
    if not brought:
        return set()
    shown = CasePhoto.objects.filter(case=case, photo__in=brought, photo__stage="after")
    return set(shown.values_list("photo_id", flat=True))


def _addresses(line: Passed, code: str, shown: set[UUID]) -> tuple[tuple[str, str], ...]:
    def at(photo: UUID, size: str) -> str:
        return reverse("resident_photo", args=[code, photo, size])

    return tuple((at(photo, "full"), at(photo, "small")) for photo in line.photos if photo in shown)


def _answered(report: Report, events: list[Event]) -> Text | None:
    """What this reporter said last."""
    mine = [event for event in events if (event.key or "").startswith(f"reporter:{report.pk}:")]
    if not mine:
        return None
    return WORDS.get((mine[-1].data.get("fields") or {}).get("satisfaction", "dissatisfied"))


@gate.open_to_all
def photo(request: Asked, code: str, photo_id: UUID, size: str) -> HttpResponse:
    """One photo of the fix, for whoever told of what was fixed."""
    report = find_report(request, code)
    case = reporter.answering(report)
    events = history(case.pk) if case is not None else []
    lines = course.passed(from_events(case, events), events) if case is not None else []
    if case is None or size not in SIZES or photo_id not in _photos(case, lines):
        raise NoPhoto
    found = Photo.objects.get(pk=photo_id)
    response = FileResponse(photos.path(found, SIZES[size]).open("rb"), content_type=found.mime)
    response.headers["Cache-Control"] = f"private, max-age={A_DAY}"
    return response  # type: ignore[return-value]  # streamed, with the same headers


class NoPhoto(Refusal):
    """No such photo belongs to what was fixed."""

    status = 404

    def __init__(self) -> None:
        super().__init__("没有这张照片。", "There is no such photo.")
