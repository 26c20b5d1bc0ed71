"""What happened to my report? The page that answers, by the code alone; and whether it is good."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from anlan.casework.models import Case
from anlan.intake import tracking
from anlan.intake.models import Report
from anlan.ledger.models import Event
from desk import file_of
from resident import do, page, picture, reported, to_the_end
from world import World, world

PHONE = "13800007777"


@pytest.fixture
def town(media: Path) -> World:
    return world(timezone.now() - timedelta(days=2))


def test_the_page_follows_the_case_to_its_end_with_photos_of_the_fix_only(town: World) -> None:
    code, report = reported(photos=[picture()])
    case = Case.objects.get()
    shown = page(code)
    assert "已收到，正在核对是否属实、该谁管。" in shown
    assert "承诺期限" in shown
    assert "立案" in shown
    to_the_end(town, case)
    shown = page(code)
    assert "已整改并经他人核查属实，事项办结。谢谢您。" in shown
    assert "通道已清空" in shown
    photos = re.findall(r'src="(/r/[^"]+/small/)"', shown)
    assert len(photos) == 1
    assert file_of(Client().get(photos[0])).startswith(b"\xff\xd8")
    before = report.photos.get()
    assert Client().get(reverse("resident_photo", args=[code, before.pk, "small"])).status_code == 404
    assert Client().get(reverse("resident_photo", args=[code, before.pk, "huge"])).status_code == 404


def test_the_page_names_the_office_and_no_person(town: World) -> None:
    code, _ = reported()
    case = Case.objects.get()
    do(town, case, "triage", "register")
    do(town, case, "dispatcher", "dispatch", department=town.housing.pk, officer=town.handler.pk)
    shown = page(code)
    assert "住建局" in shown
    assert not [each.name for each in town.cast().values() if each.name in shown]


def test_a_report_that_waits_says_so(town: World) -> None:
    code, report = reported(topic=None)
    assert "等待受理" in page(code)
    assert not Case.objects.exists()
    Report.objects.filter(pk=report.pk).update(withdrawn_at=timezone.now())
    assert "已经撤回" in page(code)


def test_the_page_is_kept_by_no_cache_and_no_search_engine_and_opens_by_the_code_alone(town: World) -> None:
    code, _ = reported()
    answer = Client().get(reverse("resident_status", args=[code]))
    assert "no-store" in answer.headers["Cache-Control"]
    assert "noindex" in answer.headers["X-Robots-Tag"]
    assert Client().get(reverse("resident_sent")).status_code == 302
    typed = Client().post(reverse("resident_find"), {"code": tracking.shown(code).lower()})
    assert typed.headers["Location"] == reverse("resident_status", args=[code])
    assert Client().post(reverse("resident_find"), {"code": "ABCD"}).status_code == 422


# ---------------------------------------------------------------- is it good?


def answered(code: str, **given: str) -> Any:
    return Client().post(reverse("resident_answer", args=[code]), given)


def test_satisfied_closes_the_matter_and_is_asked_once(town: World) -> None:
    code, _ = reported()
    assert "办得怎么样" not in page(code)
    assert answered(code, satisfaction="satisfied").status_code == 422
    to_the_end(town, Case.objects.get())
    assert "办得怎么样" in page(code)
    assert answered(code, satisfaction="delighted").status_code == 422
    assert answered(code, satisfaction="satisfied").status_code == 302
    assert "您的评价：满意" in page(code)
    assert "办得怎么样" not in page(code)
    assert answered(code, satisfaction="dissatisfied", reason="再来").status_code == 422


def test_not_satisfied_reopens_it_once_and_the_second_time_is_only_counted(town: World) -> None:
    code, _ = reported()
    case = Case.objects.get()
    to_the_end(town, case)
    assert answered(code, satisfaction="dissatisfied").status_code == 422
    assert answered(code, satisfaction="dissatisfied", reason=f"又堵了，请打 {PHONE}").status_code == 302
    case.refresh_from_db()
    assert (case.step, case.outcome) == ("registered", "")
    assert "上报人不满意，已重新办理" in page(code)
    to_the_end(town, case)
    assert "会重新办理一次" not in page(code)
    assert answered(code, satisfaction="dissatisfied", reason="还是不行").status_code == 302
    case.refresh_from_db()
    assert case.outcome == "cured"
    assert PHONE not in str(list(Event.objects.values_list("data", flat=True)))
