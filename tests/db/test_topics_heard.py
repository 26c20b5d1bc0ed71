"""Which topic a report is about, suggested from its words: at the desk, over the API, and at the residents' door."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from typer.testing import CliRunner

from anlan.casework import experience
from anlan.casework.models import Case, CaseReport
from anlan.intake import reports, topic_model
from anlan.intake.channel import CHANNELS
from anlan.intake.models import Report, TopicModel
from anlan.kernel import catalogue
from anlan.presentation.commands import work
from anlan.presentation.commands.main import app
from calling import Caller, message, opened
from desk import at_desk, text
from resident import reported
from world import World, world

# How people of this village speak: no declared word stands in it.
DIALECT = ("涵头塌咧", "涵头冒水咧", "涵头板不见咧", "涵头边上走不得")


@pytest.fixture
def town(media: Path) -> World:
    return world(timezone.now() - timedelta(days=2))


def told(town: World, text_: str, number: int, **more: str) -> Report:
    said = message(id=f"n-{number}", description=text_, **more)
    report = reports.receive(
        catalogue.current().get(CHANNELS, "api"), said, by=town.volunteer, at=town.at + timedelta(seconds=number)
    ).report
    assert report is not None
    return report


def closed(town: World, topic: str, texts: list[str], *, outcome: str = "cured", first: int = 0) -> Case:
    """A case that was closed, with a report for each of the texts."""
    case = opened(town, topic=topic)
    channel = catalogue.current().get(CHANNELS, "api")
    rows = [(None, {k: str(v) for k, v in message(id=f"{topic}-{first}-{n}", description=each).items()})
            for n, each in enumerate(texts)]  # fmt: skip
    done = reports.receive_many(channel, rows, by=town.volunteer, at=town.at)
    CaseReport.objects.bulk_create(
        CaseReport(case=case, report_id=row.report, joined_at=town.at) for row in done if row.report
    )
    Case.objects.filter(pk=case.pk).update(closed_at=town.at, outcome=outcome)
    return case


@pytest.fixture
def taught(town: World) -> World:
    """A town that has closed a few hundred cases and learned from them."""
    for first, many in ((0, 110), (110, 40)):
        closed(town, "manhole", [f"{DIALECT[n % 4]}，{n} 号" for n in range(many)], first=first)
        closed(town, "streetlight", [f"路灯不亮，{n} 号" for n in range(many)], first=first)
    answer = CliRunner().invoke(app, ["topics", "learn"])
    assert answer.exit_code == 0, answer.output
    return town


def test_only_what_somebody_found_out_is_learned_from(town: World) -> None:
    closed(town, "manhole", ["涵头塌咧", "涵头冒水"])
    closed(town, "waste", ["没有的事"], outcome="refused")
    opened(town, topic="dispute")
    assert experience.topics_told(until=timezone.now(), most=10) == [("涵头塌咧", "manhole"), ("涵头冒水", "manhole")]
    assert experience.topics_told(until=timezone.now(), most=1) == [("涵头冒水", "manhole")]
    assert experience.topics_told(until=town.at - timedelta(days=1), most=10) == []


def test_learning_too_early_is_refused_in_both_languages(town: World) -> None:
    answer = CliRunner().invoke(app, ["topics", "learn"])
    assert answer.exit_code == 2
    assert "至少需要" in answer.output
    assert "Learning takes at least" in answer.output


def test_what_was_learned_is_in_force_at_once_and_the_last_few_are_kept(taught: World) -> None:
    first = topic_model.hearing().suggest("涵头又塌咧")[0]
    assert first.topic == "manhole"
    model = topic_model.in_use()
    assert model is not None
    for _ in range(7):
        topic_model.keep(model, {}, at=taught.at)
    assert TopicModel.objects.count() == 5


def test_the_loop_learns_when_there_is_enough_and_it_is_time(taught: World) -> None:
    now = timezone.now()
    assert not work.topics_are_due(at=now)
    assert work.topics_are_due(at=now + timedelta(days=8))
    CaseReport.objects.all().delete()
    assert not work.topics_are_due(at=now + timedelta(days=8))


def test_triage_shows_the_likeliest_topics_with_how_sure_they_are(taught: World) -> None:
    report = told(taught, "涵头又塌咧", 1, topic="")
    page = text(at_desk(taught.triage).get(reverse("triage_one", args=[report.pk])))
    assert 'data-value="manhole"' in page
    assert "因为写了：" in page
    assert "%" in page.partition('data-value="manhole"')[2][:400]
    assert "窨井" in text(at_desk(taught.triage).get(reverse("triage")))


def test_what_is_being_typed_is_answered_with_topics(taught: World) -> None:
    desk = at_desk(taught.grid_worker)
    page = text(desk.get(reverse("topics_heard"), {"description": "涵头又塌咧"}))
    assert 'data-choose="topic" data-value="manhole"' in page
    assert text(desk.get(reverse("topics_heard"), {"description": "<script>alert(1)</script>"})).strip() == ""
    assert desk.get(reverse("topics_heard"), {"description": "涵头" * 20_000}).status_code == 200


def test_the_api_suggests_topics_and_says_why(taught: World) -> None:
    [first, *_] = Caller(taught.grid_worker).get("/topics/suggest", text="涵头又塌咧").json
    assert first["topic"] == "manhole"
    assert 0.5 < first["confidence"] <= 1
    assert "涵头" in first["because"]


def test_a_resident_who_chose_no_topic_is_understood_where_the_words_are_certain(taught: World) -> None:
    _, report = reported(topic="", description="涵头塌咧，3 号")
    assert report.topic == "manhole"
    assert "把握" in str(report.notes)


def test_below_the_declared_confidence_no_topic_is_taken(taught: World) -> None:
    _, report = reported(topic="", description="好像有点不对劲，燃气什么的")
    assert report.topic == "other"


def test_words_alone_never_choose_for_a_resident(town: World) -> None:
    _, report = reported(topic="", description="煤气罐漏气，燃气味很重，天然气软管老化")
    assert report.topic == "other"


def test_the_administrator_sees_how_good_the_suggestions_are(taught: World) -> None:
    page = text(at_desk(taught.administrator).get(reverse("topics_learned")))
    assert "学自 300 件" in page
    assert "窨井" in page
    shown = at_desk(taught.administrator, "en").get(reverse("topics_learned"))
    assert "By declared words alone" in text(shown)


def test_before_anything_was_learned_the_page_says_what_to_do(town: World) -> None:
    assert "anlan topics learn" in text(at_desk(town.administrator).get(reverse("topics_learned")))
    assert Client().get(reverse("topics_learned")).status_code == 302
