"""The page of a case: what it says, what may be done, and what happens when somebody else was quicker."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from anlan.casework.models import Case
from anlan.kernel.ids import new_id
from anlan.ledger import seal
from anlan.ledger.models import Event
from anlan.ledger.proof import prove
from anlan.places.models import Officer
from desk import at_desk, dispatched, done, fed_back, file_of, hidden, jpeg, opened, text
from world import World, world


@pytest.fixture
def town() -> World:
    return world()


def page(case: Case, officer: Officer, language: str = "zh") -> str:
    answer = at_desk(officer, language).get(reverse("case", args=[case.number]))
    assert answer.status_code == 200
    return text(answer)


def send(client: Client, case: Case, act: str, **data: object) -> object:
    return client.post(reverse("case_act", args=[case.number, act]), data)


def test_one_line_says_where_what_who_and_how_late(town: World) -> None:
    shown = page(dispatched(town), town.handler)
    line = shown.split('id="case-line">')[1].split("<")[0]
    assert line.startswith("东一村 12 号 · 消防通道与疏散 · 派遣（住建局） · 超期")


def test_the_same_line_in_english_says_no_less(town: World) -> None:
    shown = page(dispatched(town), town.handler, "en")
    line = shown.split('id="case-line">')[1].split("<")[0]
    assert line.startswith("东一村 12 号 · Fire exits")
    assert "(Housing)" in line
    assert "late" in line


def test_one_button_is_filled_and_it_carries_the_case_on(town: World) -> None:
    shown = page(dispatched(town), town.handler)
    buttons = shown.split('id="acts"')[1].split('id="act-here"')[0]
    assert buttons.count("btn-primary") == 1
    assert "签收" in buttons.split("btn-primary")[1].split("</a>")[0]


def test_who_has_no_act_is_told_whose_turn_it_is(town: World) -> None:
    shown = page(dispatched(town), town.analyst)
    assert "btn-primary" not in shown.split('id="acts"')[1].split('id="act-here"')[0]
    assert "现在轮到别人办理" in shown


def test_the_outsider_finds_nothing_at_any_address_of_the_case(town: World) -> None:
    case = dispatched(town)
    stranger = at_desk(town.outsider)
    addresses = [
        reverse("case", args=[case.number]),
        reverse("case_act", args=[case.number, "accept"]),
        reverse("case_reports", args=[case.number]),
        reverse("case_event", args=[case.number, Event.objects.filter(subject=case.pk).earliest("seq").id]),
    ]
    assert {stranger.get(address).status_code for address in addresses} == {404}
    assert stranger.post(addresses[1], {"key": str(new_id())}).status_code == 404


def test_an_act_is_done_once_however_often_its_form_is_sent(town: World) -> None:
    case = dispatched(town)
    client = at_desk(town.handler)
    form = text(client.get(reverse("case_act", args=[case.number, "accept"])))
    sent = {"key": hidden(form, "key"), "rev": hidden(form, "rev")}
    for _ in range(2):
        assert send(client, case, "accept", **sent).status_code == 302  # type: ignore[attr-defined]
    assert Event.objects.filter(subject=case.pk, data__act="accept").count() == 1


def test_a_fix_needs_its_words_and_its_photo_and_says_so_beside_the_field(town: World, media: Path) -> None:
    case = dispatched(town)
    client = at_desk(town.handler)
    answer = send(client, case, "fix", key=str(new_id()), rev=case.rev)
    shown = text(answer)
    assert answer.status_code == 422  # type: ignore[attr-defined]
    assert 'id="id-result-wrong"' in shown
    assert 'id="id-photos-wrong"' in shown


def test_a_fix_with_its_photo_moves_the_case_and_shows_the_photo(town: World, media: Path) -> None:
    case = dispatched(town)
    client = at_desk(town.handler)
    answer = send(client, case, "fix", key=str(new_id()), rev=case.rev, result="通道已清空", photos=jpeg())
    assert answer.status_code == 302  # type: ignore[attr-defined]
    case.refresh_from_db()
    assert case.step == "fed_back"
    shown = page(case, town.triage)
    assert shown.count("整改后照片") == 1
    photo = case.case_photos.get().photo_id
    assert file_of(client.get(reverse("photo", args=[photo, "small"]))).startswith(b"\xff\xd8")
    assert at_desk(town.outsider).get(reverse("photo", args=[photo, "small"])).status_code == 404


def test_an_svg_is_no_photo_and_the_form_says_so(town: World, media: Path) -> None:
    case = dispatched(town)
    bad = SimpleUploadedFile("plan.svg", b"<svg onload=alert(1)>", "image/svg+xml")
    answer = send(at_desk(town.handler), case, "fix", key=str(new_id()), rev=case.rev, result="好了", photos=bad)
    assert answer.status_code == 422  # type: ignore[attr-defined]
    assert "SVG" in text(answer)


def test_two_at_once_the_second_is_told_what_happened_and_shown_the_case(town: World) -> None:
    case = dispatched(town)
    done(town, case, town.handler, "accept", after=timedelta(minutes=30))
    answer = send(at_desk(town.department_lead), case, "accept", key=str(new_id()), rev=case.rev)
    shown = text(answer)
    assert answer.status_code == 409  # type: ignore[attr-defined]
    assert "丁办" in shown
    assert "整改完成" in shown


def test_an_act_on_a_closed_case_is_refused_in_a_sentence(town: World) -> None:
    case = opened(town)
    done(town, case, town.triage, "refuse", reason="不属受理范围")
    answer = at_desk(town.triage).get(reverse("case_act", args=[case.number, "register"]))
    assert answer.status_code == 409
    assert "已经办结" in text(answer)


def test_the_fixer_may_not_verify(town: World) -> None:
    case = fed_back(town)
    answer = send(at_desk(town.handler), case, "verify", key=str(new_id()), rev=case.rev)
    assert answer.status_code == 403  # type: ignore[attr-defined]
    assert "btn-primary" in page(case, town.grid_worker)


def test_the_timeline_tells_every_act_with_its_person_and_office(town: World) -> None:
    shown = page(fed_back(town), town.triage)
    past = shown.split('class="timeline"')[1]
    for words in ("丁办", "住建局", "整改完成", "通道已清空", "陈调", "派遣员", "阿宁"):
        assert words in past


def test_an_unverified_time_limit_is_marked(town: World) -> None:
    assert "未核验" in page(dispatched(town), town.handler)


def test_the_picture_marks_the_step_where_the_case_stands(town: World) -> None:
    shown = page(dispatched(town), town.handler)
    assert shown.count(' here"') == 1
    assert "<style>" not in shown


def test_a_case_page_asks_the_database_little_however_long_its_history(
    town: World, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    case = fed_back(town)
    done(town, case, town.grid_worker, "rework", reason="二楼还有杂物", after=timedelta(hours=2))
    done(town, case, town.handler, "fix", result="清走了", after=timedelta(hours=3))
    client = at_desk(town.dispatcher)
    client.get(reverse("case", args=[case.number]))
    with django_assert_max_num_queries(12):
        assert client.get(reverse("case", args=[case.number])).status_code == 200


def test_the_form_of_an_act_comes_alone_into_the_page_and_whole_without_scripts(town: World) -> None:
    case = dispatched(town)
    address = reverse("case_act", args=[case.number, "return"])
    client = at_desk(town.handler)
    assert "<html" in text(client.get(address))
    inline = text(client.get(address, headers={"HX-Request": "true", "HX-Target": "act-here"}))
    assert "<html" not in inline
    assert 'name="reason"' in inline


def test_the_department_the_table_of_duties_names_is_chosen_beforehand(town: World) -> None:
    case = opened(town)
    done(town, case, town.triage, "register")
    form = text(at_desk(town.dispatcher).get(reverse("case_act", args=[case.number, "dispatch"])))
    assert f'<option value="{town.fire.pk}" selected>' in form


def test_an_inspector_orders_what_no_department_leads_yet(town: World) -> None:
    assert "责令" in page(opened(town, procedure="hazard"), town.inspector)


def test_whoever_reports_without_a_post_of_duty_is_named_to_nobody(town: World) -> None:
    case = opened(town, by=town.volunteer, site=town.site, party=town.party)
    for officer in (town.landlord, town.triage):
        shown = page(case, officer)
        assert town.volunteer.name not in shown
        assert "上报人" in shown
    assert town.grid_worker.name in page(opened(town), town.triage)


def test_a_line_of_the_timeline_opens_onto_its_sealed_record(town: World) -> None:
    case = dispatched(town)
    event = Event.objects.filter(subject=case.pk).earliest("seq")
    address = reverse("case_event", args=[case.number, event.id])
    assert address in page(case, town.handler)
    client = at_desk(town.handler)
    assert "还没有封存" in text(client.get(address))
    seal.seal(at=case.opened_at + timedelta(hours=1))
    shown = text(client.get(address))
    assert "核对无误" in shown
    proof = prove(event)
    assert proof is not None
    assert proof.root in shown
    assert proof.leaf in shown


def test_a_record_of_another_case_is_not_shown_under_this_one(town: World) -> None:
    one, other = dispatched(town), opened(town)
    event = Event.objects.filter(subject=other.pk).earliest("seq")
    answer = at_desk(town.handler).get(reverse("case_event", args=[one.number, event.id]))
    assert answer.status_code == 404
    assert "没有这条记录" in text(answer)
