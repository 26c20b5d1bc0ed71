"""Access keys for other systems, and the working calendar with the notices laid over it."""

from __future__ import annotations

import calendar as months
import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from anlan.kernel import catalogue
from anlan.kernel.calendar_spec import CALENDARS
from anlan.kernel.text import Refusal, Text
from anlan.kernel.workdays import Calendar
from anlan.places import holidays, tokens
from anlan.places.models import Holiday, Post, Token
from anlan.places.record import day_of
from anlan.places.role import ACTIONS
from anlan.places.scope import on, within
from anlan.presentation.permissions import NotFound, needs
from anlan.presentation.saying import listed, say
from anlan.presentation.web.asking import ask_for
from anlan.presentation.web.forms import Ask, Form
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.lists import Column, Empty, page_of, table
from anlan.presentation.web.people import may_change
from anlan.presentation.web.reference import SETTINGS
from anlan.presentation.web.words import WEEKDAYS

KEYS = Text(zh="接入密钥", en="Access keys")
ISSUE = Text(zh="发放密钥", en="Issue a key")
CALENDAR = Text(zh="工作日历", en="Working calendar")
LOAD = Text(zh="录入放假通知", en="Load a holiday notice")
LINE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:\s*(?:\.\.|至|到|~)\s*(\d{4}-\d{2}-\d{2}))?\s*[:：,，\s]\s*(\S+)")
FREE, WORK = {"休", "放假", "free", "off", "rest"}, {"班", "上班", "work", "working"}
LONGEST = 60


def state_of(token: Token, now: datetime) -> Text:
    """Whether a key still opens anything."""
    if token.revoked_at is not None:
        return Text(zh="已收回", en="Revoked")
    if token.expires_at is not None and token.expires_at <= now:
        return Text(zh="已过期", en="Expired")
    return Text(zh="有效", en="Valid")


def _tokens(request: Asked) -> QuerySet[Token]:
    held = Post.objects.filter(on(day_of(request.at)), within(request.reach.areas("tokens.edit"), "area__path"))
    return Token.objects.filter(officer_id__in=held.values("officer_id")).select_related("officer")


def _allowed(token: Token) -> str:
    return listed(ACTIONS[action] for action in token.actions if action in ACTIONS)


@needs("tokens.edit")
def token_list(request: Asked) -> HttpResponse:
    """The keys of the officers and systems within reach."""
    page = page_of(_tokens(request), request, order=("-pk",))
    columns = (
        Column(Text(zh="用途", en="For"), lambda token: token.name),
        Column(Text(zh="以谁的名义", en="On behalf of"), lambda token: token.officer.name),
        Column(Text(zh="可以做什么", en="May"), _allowed),
        Column(Text(zh="有效期到", en="Valid until"), lambda token: token.expires_at),
        Column(Text(zh="状态", en="State"), lambda token: state_of(token, request.at)),
    )
    lead = Text(
        zh="其他系统凭密钥上报和读取；只能做列明的事，而且不超过所代表人员的岗位。",
        en="Other systems report and read with a key: only what is listed, never more than the officer's posts allow.",
    )
    empty = Empty(Text(zh="还没有发过密钥", en="No key issued yet"), lead, reverse("token_issue"), ISSUE)
    shown = table(
        page.items,
        columns,
        caption=KEYS,
        url=lambda token: reverse("token", args=[token.pk]),
        page=page,
        empty=empty,
        quiet_caption=True,
    )
    crumbs = [(SETTINGS, reverse("settings")), (KEYS, "")]
    said = {"title": KEYS, "lead": lead, "table": shown, "crumbs": crumbs}
    return render(request, "settings/list.html", said | {"add_url": reverse("token_issue"), "add_verb": ISSUE})


def _token_asks(request: Asked) -> list[Ask]:
    who, what = Text(zh="以谁的名义", en="On behalf of"), Text(zh="可以做什么", en="May")
    until = Text(zh="不填就一直有效，直到收回。", en="Leave empty to keep it valid until revoked.")
    whose = Text(
        zh="登记为系统的账号，或您自己；不能以别人的名义。",
        en="An account that is a system, or yourself; never on behalf of another person.",
    )
    return [
        Ask("name", Text(zh="给哪个系统用", en="For which system"), longest=80),
        ask_for(request, "speaker", "officer", who, action="tokens.edit", hint=whose),
        Ask("actions", what, "choices", choices=[(key, words) for key, words in ACTIONS.items()]),
        Ask("until", Text(zh="有效期到", en="Valid until"), "date", False, hint=until),
    ]


def end_of(day: date | None) -> datetime | None:
    """The moment at which a day is over."""
    if day is None:
        return None
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))


@needs("tokens.edit")
def token_issue(request: Asked) -> HttpResponse:
    """A new key; its words are shown on this page alone."""
    form = Form(_token_asks(request), ISSUE, cancel=reverse("tokens"))

    def do(a: dict[str, Any]) -> tuple[Token, str]:
        if not may_change(request, a["officer"], "tokens.edit"):
            raise Refusal(
                "此人的岗位超出您的辖区；请换一个人。",
                "That officer's posts reach beyond yours; choose another.",
                field="officer",
            )
        for held in a["officer"].posts.select_related("area"):
            request.reach.check_hands_on(a["actions"], held.area.path)
        expires_at = end_of(a["until"])
        return tokens.issue(
            a["officer"], a["name"], a["actions"], at=request.at, expires_at=expires_at, by=request.user
        )

    crumbs = [(SETTINGS, reverse("settings")), (KEYS, reverse("tokens")), (ISSUE, "")]
    said: dict[str, Any] = {"title": ISSUE, "form": form, "crumbs": crumbs}
    if request.method != "POST":
        return render(request, "settings/form.html", said)
    issued = form.carry_out(request, do)
    if issued is None:
        return render(request, "settings/form.html", said, status=422)
    text = Text(
        zh="密钥只显示这一次，请马上保存到那个系统里。",
        en="The key is shown only this once; store it in that system now.",
    )
    said |= {"title": issued[0].name, "text": text, "secret": issued[1], "back": reverse("tokens")}
    return render(request, "settings/secret.html", said)


@needs("tokens.edit")
def token_one(request: Asked, pk: int) -> HttpResponse:
    """One key: what it may do, and taking it back."""
    token = _tokens(request).filter(pk=pk).first()
    if token is None:
        raise NotFound
    facts = [
        (Text(zh="以谁的名义", en="On behalf of"), token.officer.name),
        (Text(zh="可以做什么", en="May"), _allowed(token)),
        (Text(zh="发放", en="Issued"), token.created_at),
        (Text(zh="有效期到", en="Valid until"), token.expires_at),
        (Text(zh="状态", en="State"), state_of(token, request.at)),
    ]
    crumbs = [(SETTINGS, reverse("settings")), (KEYS, reverse("tokens")), (token.name, "")]
    return render(
        request, "settings/token.html", {"title": token.name, "thing": token, "facts": facts, "crumbs": crumbs}
    )


@require_POST
@needs("tokens.edit")
def token_revoke(request: Asked, pk: int) -> HttpResponse:
    """From now on the key opens nothing."""
    token = _tokens(request).filter(pk=pk).first()
    if token is None:
        raise NotFound
    tokens.revoke(token, by=request.user, at=request.at)
    messages.success(request, say(Text(zh="密钥已收回。", en="The key is revoked.")))
    return redirect("tokens")


# The calendar


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the year's sheet: css class and the word under the number."""

    date: date
    css: str
    word: Text | None


@dataclass(frozen=True, slots=True)
class Month:
    number: int
    name: Text
    weeks: list[list[Day | None]]


REST = Text(zh="休", en="off")
MAKE_UP = Text(zh="班", en="work")


def sheet(calendar: Calendar, year: int) -> list[Month]:
    """The twelve months of a year with holidays and make-up days marked."""
    found = []
    for month in range(1, 13):
        weeks = months.Calendar(firstweekday=0).monthdatescalendar(year, month)
        rows = [[_day(calendar, day) if day.month == month else None for day in week] for week in weeks]
        found.append(Month(month, Text(zh=f"{month}月", en=months.month_abbr[month]), rows))
    return found


def _day(calendar: Calendar, day: date) -> Day:
    works, weekend = calendar.is_working(day), day.weekday() >= 5
    if works:
        return Day(day, "makeup" if weekend else "", MAKE_UP if weekend else None)
    return Day(day, "rest" if weekend else "holiday", None if weekend else REST)


def may_load(request: Asked) -> bool:
    """A calendar holds for everybody: only who administers all posts here may load a notice."""
    if not request.reach.may("areas.edit"):
        return False
    mine = within(request.reach.areas("areas.edit"), "area__path")
    return not Post.objects.filter(on(day_of(request.at))).exclude(mine).exists()


def _key(request: Asked) -> str:
    known = catalogue.current().all(CALENDARS)
    asked = request.GET.get("calendar", "")
    return asked if asked in known else "china" if "china" in known else next(iter(known))


@needs("areas.see")
def calendar(request: Asked) -> HttpResponse:
    """A year of a calendar: what is worked, what is free, and whether the year's notice is known."""
    key, today = _key(request), day_of(request.at)
    asked = request.GET.get("year", "")
    year = int(asked) if asked.isdecimal() and len(asked) == 4 and 2004 <= int(asked) <= today.year + 5 else today.year
    held = holidays.calendar(key)
    known = catalogue.current().all(CALENDARS)
    said = {
        "title": CALENDAR,
        "key": key,
        "calendars": [(each, known[each].title) for each in known],
        "year": year,
        "months": sheet(held, year),
        "weekdays": WEEKDAYS,
        "provisional": not held.is_known(date(year, 7, 1)),
        "notices": sorted(set(Holiday.objects.filter(calendar=key, date__year=year).values_list("source", flat=True))),
        "may_load": may_load(request),
        "crumbs": [(SETTINGS, reverse("settings")), (CALENDAR, "")],
    }
    return render(request, "settings/calendar.html", said)


def days_from(raw: str) -> dict[date, bool]:
    """The days of a notice as typed, one a line: "2027-01-01..2027-01-03 休" or "2027-02-20 班"."""
    found: dict[date, bool] = {}
    for number, line in enumerate(filter(None, map(str.strip, raw.splitlines())), start=1):
        try:
            found |= _days(line)
        except ValueError:
            raise Refusal(
                f"第 {number} 行“{line[:40]}”看不懂；请写成“2027-01-01..2027-01-03 休”或“2027-02-20 班”。",
                f"Line {number}, “{line[:40]}”, is not clear: write “2027-01-01..2027-01-03 off” or “2027-02-20 work”.",
                field="days",
            ) from None
    return found


def _days(line: str) -> dict[date, bool]:
    match = LINE.fullmatch(line)
    if match is None or match[3].lower() not in FREE | WORK:
        raise ValueError(line)
    first = date.fromisoformat(match[1])
    last = date.fromisoformat(match[2]) if match[2] else first
    if not 0 <= (last - first).days <= LONGEST:
        raise ValueError(line)
    return {first + timedelta(days=n): match[3].lower() in WORK for n in range((last - first).days + 1)}


@needs("areas.edit")
def notice_load(request: Asked) -> HttpResponse:
    """Lay a year's holiday notice over a calendar; deadlines that were provisional are reckoned again."""
    if not may_load(request):
        raise NotFound
    known = catalogue.current().all(CALENDARS)
    hint = Text(
        zh="每行一段：2027-01-01..2027-01-03 休；2027-02-20 班。",
        en="One span a line: 2027-01-01..2027-01-03 free; 2027-02-20 work.",
    )
    source = Text(zh="国办发明电〔2026〕×号", en="The number of the official notice")
    asks = [
        Ask("key", CALENDAR, "choice", choices=[(key, spec.title) for key, spec in known.items()], value=_key(request)),
        Ask("source", Text(zh="通知文号或来源", en="The notice"), hint=source),
        Ask("days", Text(zh="放假和调休", en="Days off and make-up days"), "longtext", hint=hint, reader=days_from),
    ]
    form = Form(asks, LOAD, cancel=reverse("calendar"))

    def do(a: dict[str, Any]) -> int:
        return holidays.load(a["key"], a["days"], a["source"], by=request.user, at=request.at)

    if request.method == "POST":
        changed = form.carry_out(request, do)
        if changed is not None:
            messages.success(
                request, say(Text(zh=f"已录入，改变了 {changed} 天。", en=f"Loaded; {changed} days changed."))
            )
            return redirect("calendar")
    crumbs = [(SETTINGS, reverse("settings")), (CALENDAR, reverse("calendar")), (LOAD, "")]
    said = {"title": LOAD, "form": form, "crumbs": crumbs}
    return render(request, "settings/form.html", said, status=422 if request.method == "POST" else 200)
