"""The machines' door over HTTP: signed, replayed, stale, tampered, twice, out of order, and everything bad besides."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from anlan.intake import additions, clients, hooks, quarantine, signing
from anlan.intake.channel import CHANNELS
from anlan.intake.models import Addition, Client, Delivery, Quarantined, Report
from anlan.kernel import catalogue
from anlan.ledger import personal
from anlan.ledger.models import Event
from anlan.places import areas
from anlan.presentation import followers
from wiring import SCHEME, System, order
from world import World, world


@pytest.fixture
def town() -> World:
    return world()


@pytest.fixture
def hotline(town: World) -> System:
    return System("hotline_orders", town.county, at=town.at)


def counted(system: System) -> dict[str, int]:
    return hooks.counts([system.client.name])[system.client.name]


# ---------------------------------------------------------------- what is taken


def test_a_signed_order_becomes_a_report_and_its_caller_is_kept_apart(hotline: System) -> None:
    said = hotline.send(order())
    assert said.status == 200, said
    assert said.outcomes == ["received"]
    report = Report.objects.get()
    assert (report.channel, report.message_id, report.topic) == ("hotline_orders", "RX-1", "streetlight")
    assert report.address == "幸福路 3 号"
    assert "13800000000" not in json.dumps(report.raw) + json.dumps(said.json)
    assert report.reporter_id is not None
    kept = personal.read(report.reporter_id)
    assert kept is not None
    assert kept["reporter_phone"] == "13800000000"
    assert json.loads(kept["rest"]) == {"seat": "A17"}
    assert counted(hotline) == {"delivered": 1, "received": 1}


def test_a_batch_of_findings_is_taken_one_by_one(town: World) -> None:
    system = System("supervision", town.county, at=town.at)
    findings = [
        {"findingNo": f"D-{n}", "kind": "消防", "problem": f"问题{n}", "areaCode": "330101001001001"} for n in range(8)
    ]
    findings[5].pop("problem")
    said = system.send({"batch": {"no": "DC-1", "date": "2026-03-02", "body": "省平安办"}, "findings": findings})
    assert said.outcomes == ["received"] * 5 + ["held"] + ["received"] * 2
    assert "problem" in said.json["messages"][5]["reasons"][0]["zh"]
    assert Report.objects.filter(topic="fire").count() == 7
    held = Quarantined.objects.get()
    assert held.raw["findingNo"] == "D-5"
    assert counted(system) == {"delivered": 1, "received": 7, "held": 1}


def test_the_same_order_sent_anew_is_one_report(hotline: System) -> None:
    assert hotline.send(order()).outcomes == ["received"]
    said = hotline.send(order())
    assert said.json["messages"][0]["repeated"]
    assert Report.objects.count() == 1
    assert counted(hotline) == {"delivered": 2, "received": 1, "repeated": 1}


# ---------------------------------------------------------------- who sent it


def test_the_same_delivery_twice_is_answered_the_same_and_counted_as_repeated(hotline: System) -> None:
    body = json.dumps(order()).encode()
    headers = hotline.headers(body)
    first, second = hotline.post(body, headers), hotline.post(body, headers)
    assert (first.status, first.repeated) == (200, False)
    assert (second.status, second.repeated) == (200, True)
    assert first.json == second.json
    assert Report.objects.count() == 1
    assert counted(hotline) == {"delivered": 1, "received": 1, "repeated_delivery": 1}


def test_a_nonce_used_again_for_another_body_is_refused(hotline: System) -> None:
    assert hotline.send(order(), nonce="n-1").status == 200
    said = hotline.send(order("RX-2"), nonce="n-1")
    assert (said.status, said.json["kind"]) == (409, "replayed")
    assert said.error
    assert Report.objects.count() == 1
    assert counted(hotline)["replayed"] == 1


def test_a_body_changed_on_the_way_is_refused_as_tampered_once_its_signature_was_seen(hotline: System) -> None:
    body = json.dumps(order()).encode()
    headers = hotline.headers(body)
    changed = body.replace(b"RX-1", b"RX-9")
    assert hotline.post(changed, headers).json["kind"] == "badly_signed"
    assert hotline.post(body, headers).status == 200
    said = hotline.post(changed, headers)
    assert (said.status, said.json["kind"]) == (401, "tampered")
    later = headers | {"X-Anlan-Timestamp": str(int(headers["X-Anlan-Timestamp"]) + 60)}
    assert hotline.post(body, later).json["kind"] == "tampered"
    assert Report.objects.count() == 1
    assert {kind: number for kind, number in counted(hotline).items() if kind in hooks.REFUSED} == {
        "badly_signed": 1, "tampered": 2,
    }  # fmt: skip


@pytest.mark.parametrize("minutes", [-6, 6, -60, 60 * 24])
def test_what_was_signed_too_long_ago_or_in_the_future_is_stale(hotline: System, minutes: int) -> None:
    said = hotline.send(order(), sent=timezone.now() + timedelta(minutes=minutes))
    assert (said.status, said.json["kind"]) == (401, "stale")
    assert not Report.objects.exists()
    assert counted(hotline) == {"stale": 1}


def test_what_is_signed_with_another_secret_is_refused(hotline: System, town: World) -> None:
    other = System("hotline_orders", town.county, at=town.at, name="other")
    said = hotline.send(order(), secret=other.secret)
    assert (said.status, said.json["kind"]) == (401, "badly_signed")
    assert not Report.objects.exists()


@pytest.mark.parametrize("missing", ["X-Anlan-Signature", "X-Anlan-Timestamp", "X-Anlan-Nonce"])
def test_a_delivery_without_one_of_its_headers_is_not_signed(hotline: System, missing: str) -> None:
    body = json.dumps(order()).encode()
    headers = hotline.headers(body)
    del headers[missing]
    said = hotline.post(body, headers)
    assert (said.status, said.json["kind"]) == (401, "unsigned")


@pytest.mark.parametrize("timestamp", ["x", "-1", "٣٣", "9" * 14, "1e9", "2026-03-02"])
def test_a_timestamp_that_is_none_is_refused_in_words(hotline: System, timestamp: str) -> None:
    body = json.dumps(order()).encode()
    nonce = "n"
    signed = signing.sign(hotline.secret, SCHEME, timestamp=timestamp, nonce=nonce, body=body)
    headers = {SCHEME.timestamp: timestamp, SCHEME.nonce: nonce, SCHEME.header: signed}
    assert hotline.post(body, headers).status == 401


def test_an_unknown_client_is_counted_and_told_no_more_than_one_who_signs_badly(hotline: System) -> None:
    body = json.dumps(order()).encode()
    unknown = hotline.post(body, hotline.headers(body), name="nobody")
    badly = hotline.post(body, hotline.headers(body, secret="x"))
    assert unknown.status == badly.status == 401
    assert unknown.error == badly.error
    assert hooks.counts([""])[""] == {"unknown": 1}


def test_a_stopped_client_is_refused_until_it_is_resumed(hotline: System, town: World) -> None:
    clients.set_active(hotline.client, False, by=town.administrator, at=town.at)
    assert hotline.send(order()).json["kind"] == "inactive"
    clients.set_active(hotline.client, True, by=town.administrator, at=town.at)
    assert hotline.send(order()).status == 200
    told = Event.objects.filter(kind__startswith="client.").order_by("seq")
    kinds = list(told.values_list("kind", flat=True))
    assert kinds == ["client.registered", "client.stopped", "client.resumed"]


def test_after_a_rotation_both_secrets_hold_until_the_old_one_ends(hotline: System, town: World) -> None:
    now = timezone.now()
    fresh = clients.rotate(hotline.client, by=town.administrator, at=now)
    assert hotline.send(order("A")).status == 200
    assert hotline.send(order("B"), secret=fresh).status == 200
    assert len(clients.secrets_of(hotline.fresh(), at=now + clients.BOTH)) == 1
    clients.end_before(hotline.client, by=town.administrator, at=now)
    assert hotline.send(order("C")).json["kind"] == "badly_signed"
    assert hotline.send(order("C"), secret=fresh).status == 200


def test_no_secret_stands_readable_in_the_database(hotline: System) -> None:
    row = Client.objects.get()
    assert hotline.secret.encode() not in bytes(row.sealed)
    assert clients.secrets_of(row, at=timezone.now()) == [hotline.secret]


def test_a_client_reports_in_its_own_area_alone(town: World) -> None:
    system = System("hotline_orders", town.west, at=town.at)
    said = system.send(order())
    assert said.outcomes == ["held"]
    assert "范围" in said.json["messages"][0]["reasons"][0]["zh"]
    assert not Report.objects.exists()
    elsewhere = {"text": "西一村", "areaCode": town.west_grid.code}
    assert system.send(order("RX-2", address=elsewhere)).outcomes == ["received"]
    nowhere = system.send(order("RX-3", address={"text": "不知何处"}))
    assert nowhere.outcomes == ["received"]
    assert Report.objects.get(message_id="RX-3").area_path == town.west.path


# ---------------------------------------------------------------- out of order


def test_what_presses_for_an_order_before_it_came_waits_and_is_applied_when_it_comes(
    hotline: System, town: World
) -> None:
    early = hotline.send({"orderNo": "RX-1-c1", "refOrderNo": "RX-1", "type": "催办", "content": "三天了还没人来"})
    assert early.outcomes == ["waiting"]
    assert hooks.waiting("hotline_orders", town.county.path) == 1
    assert hotline.send(order()).outcomes == ["received"]
    followers.drain(at=timezone.now())
    addition = Addition.objects.get()
    assert addition.report == Report.objects.get()
    assert addition.applied_at is not None
    assert addition.text == "三天了还没人来"
    assert Event.objects.filter(kind="report.pressed", subject=addition.report.pk).count() == 1
    assert hooks.waiting("hotline_orders", town.county.path) == 0
    assert counted(hotline)["waiting"] == 1


def test_a_withdrawal_before_its_order_withdraws_it_when_it_comes_and_opens_no_case_twice(hotline: System) -> None:
    assert hotline.send({"orderNo": "w", "refOrderNo": "RX-1", "type": "撤单"}).outcomes == ["waiting"]
    assert hotline.send(order()).outcomes == ["received"]
    followers.drain(at=timezone.now())
    assert Report.objects.get().withdrawn_at is not None
    followers.drain(at=timezone.now())
    assert Event.objects.filter(kind="report.withdrawn").count() == 1


def test_what_comes_after_its_order_is_applied_at_once_and_only_once(hotline: System) -> None:
    hotline.send(order())
    pressing = {"orderNo": "c1", "refOrderNo": "RX-1", "type": "催办"}
    assert hotline.send(pressing).outcomes == ["applied"]
    again = hotline.send(pressing)
    assert again.outcomes == ["applied"]
    assert again.json["messages"][0]["repeated"]
    assert Event.objects.filter(kind="report.pressed").count() == 1
    assert counted(hotline)["repeated"] == 1


def test_an_addition_that_names_no_order_is_held_and_can_be_mended(hotline: System, town: World) -> None:
    hotline.send(order())
    said = hotline.send({"orderNo": "c2", "type": "催办", "content": "怎么还没人来"})
    assert said.outcomes == ["held"]
    held = Quarantined.objects.get()
    done = quarantine.mend(held, {"refOrderNo": "RX-1"}, by=town.triage, at=timezone.now())
    assert done.report is None
    held.refresh_from_db()
    assert (held.state, held.report) == ("mended", Report.objects.get())
    assert Addition.objects.get().applied_at is not None


def test_the_follower_of_additions_may_read_everything_again(hotline: System) -> None:
    hotline.send({"orderNo": "c1", "refOrderNo": "RX-1", "type": "补充", "content": "在三单元"})
    hotline.send(order())
    events = list(Event.objects.order_by("seq"))
    additions.follow(events)
    additions.follow(events)
    assert Event.objects.filter(kind="report.added").count() == 1


def test_a_look_is_told_to_post(hotline: System) -> None:
    response = hotline.browser.get(f"/hooks/{hotline.client.name}")
    assert (response.status_code, response.headers["Allow"]) == (405, "POST")


def test_too_many_findings_at_once_are_kept_and_told_to_come_in_parts(town: World) -> None:
    system = System("supervision", town.county, at=town.at)
    said = system.send({"batch": {"no": "x"}, "findings": [{"findingNo": str(n), "problem": "p"} for n in range(1001)]})
    assert said.outcomes == ["held"]
    assert "1000" in said.json["messages"][0]["reasons"][0]["zh"]
    assert counted(system) == {"delivered": 1, "malformed": 1}


def test_old_deliveries_are_forgotten_once_they_would_be_stale_anyway(hotline: System) -> None:
    hotline.send(order())
    assert hooks.forget(at=timezone.now()) == 0
    assert hooks.forget(at=timezone.now() + hooks.KNOWN_FOR + timedelta(minutes=1)) == 1
    for channel in clients.webhooks().values():
        assert channel.webhook is not None
        assert timedelta(minutes=2 * channel.webhook.signature.tolerance_minutes) < hooks.KNOWN_FOR


def test_every_webhook_channel_has_a_body_as_its_example() -> None:
    known = [each for each in catalogue.current().all(CHANNELS).values() if each.kind == "webhook"]
    assert {each.key for each in known} >= {"hotline_orders", "supervision", "unannounced", "police_calls"}
    assert all(example.body for each in known for example in each.examples)


def test_a_client_goes_along_when_its_area_moves(town: World) -> None:
    system = System("hotline_orders", town.grid, at=town.at)
    areas.move(town.grid, town.other_village, day=town.at.date(), by=None, at=town.at)
    followers.drain(at=town.at)
    moved = system.fresh()
    assert moved.area_path.startswith(town.other_village.path)
    address = {"text": "幸福路", "areaCode": town.grid.code}
    assert system.send(order(address=address)).outcomes == ["received"]


def test_a_client_whose_area_has_just_been_closed_is_told_to_try_again_until_it_was_carried_along(town: World) -> None:
    system = System("hotline_orders", town.grid, at=town.at)
    areas.close(town.grid, into=town.next_grid, day=town.at.date(), by=None, at=town.at)
    nowhere = {"text": "不知何处"}
    said = system.send(order(address=nowhere))
    assert said.status == 503, said
    assert said.error
    assert not Delivery.objects.exists()
    followers.drain(at=town.at)
    assert system.send(order(address=nowhere)).outcomes == ["received"]
    assert Report.objects.get().area_path == town.next_grid.path
