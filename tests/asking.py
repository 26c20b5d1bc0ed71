"""One request for every operation of the API and every address of the desk, about things in the town's own grid."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

import index_town
from anlan.casework import feeds
from anlan.casework.models import Call as PoliceCall
from anlan.casework.models import Case, CaseReport, Forward, Notice, Push, PushTo, Subscriber, Unit
from anlan.intake import clients, imports, photos, reports
from anlan.intake.channel import CHANNELS
from anlan.intake.models import Batch, Client, Device, Photo, Quarantined, Report, Statistic, Upload
from anlan.intake.sensors import devices
from anlan.intake.uploading import uploads
from anlan.intake.uploading import work as upload_work
from anlan.kernel import catalogue
from anlan.kernel.ids import new_id
from anlan.ledger.models import Event
from anlan.places import duties, tokens
from anlan.places.models import Duty, Officer, Party, Post, Token
from calling import message, opened, picture
from world import FOUNDED, World, world

NO_CODE = "ABCDEFGHJKLM"
"""A code like those of residents, which nobody has."""
NO_NUMBER = "100000000000"
"""A number like those of reports, which none has."""
LISTS = (
    "cases reports quarantine imports areas sites parties departments officers posts duties tokens procedures topics"
    " channels roles notices calendars pushes devices"
).split()


@dataclass(frozen=True, slots=True)
class Things:
    """The town with one of everything in its grid."""

    town: World
    case: Case
    report: Report
    held: Quarantined
    batch: Batch
    photo: Photo
    post: Post
    duty: Duty
    token: Token
    notice: Notice
    client: Client
    push: Push
    subscriber: Subscriber
    forward: Forward
    upload: Upload
    device: Device
    figure: Statistic

    def marks(self) -> list[str]:
        """What nobody from elsewhere may find in any answer."""
        ids = [self.case.pk, self.report.pk, self.held.pk, self.batch.pk, self.photo.pk]
        names = [self.client.name, self.subscriber.name, self.case.number, self.case.title, self.device.code]
        return [*map(str, ids), *names, "阿宁", "house1", "三楼楼道堆物"]


def things() -> Things:
    """Build the town and everything in it, by the verbs."""
    town, by = world(), None
    at, now = town.at, timezone.now()
    channels = catalogue.current().all(CHANNELS)
    told = reports.receive(channels["api"], message(reporter_phone="138"), by=town.volunteer, at=at)
    kept = reports.receive(channels["api"], message(id="h", topic="none"), by=town.triage, at=at)
    sheet = "编号,时间,描述,网格编码\nB-1,2026-03-02,占道,330101001001001\n".encode()
    batch = imports.take(channels["sheet_general"], sheet, name="x.csv", by=town.triage, at=at).batch
    case = own_case(town)
    assert told.report is not None
    assert kept.held is not None
    CaseReport.objects.create(case=case, report=told.report, joined_at=at)
    photo = photos.keep(picture(), "a.jpg", by=town.grid_worker, at=at, report=told.report)
    case.case_photos.create(photo=photo, event=new_id())
    duty = duties.assign(
        topic="fire_exit", area=town.grid, department=town.fire, valid_from=FOUNDED + timedelta(days=1), by=by, at=at
    )
    token, _ = tokens.issue(town.grid_worker, "系统", ["cases.see"], at=now)
    notice = Notice.objects.create(
        id=new_id(), officer=town.triage, case=case, kind="due", event=new_id(), text_zh="到期", text_en="due", at=at
    )
    post = town.grid_worker.posts.get()
    client, _ = clients.register("hotline-1", title="热线", channel="hotline_orders", area=town.county, by=by, at=at)
    push, feed = pushed(town, case, told.report), subscribed(town)
    upload = checked(sheet.replace(b"2026-03-02", b"2026-13-02"), by=town.triage, at=at)
    device = devices.register(code="smoke-1", model="smoke_nb", site=town.site, name="三楼", by=None, at=at)
    more = (client, push, feed, forwarded(case), upload, device, figured(town))
    return Things(town, case, told.report, kept.held, batch, photo, post, duty, token, notice, *more)


def forwarded(case: Case) -> Forward:
    """The case on its way to another server, where nobody knows what became of it."""
    return Forward.objects.create(
        id=new_id(), case=case, target="elsewhere", reference="ABCDEFGH", state="unclear", made_at=case.opened_at,
        changed_at=case.opened_at,
    )  # fmt: skip


def pushed(town: World, case: Case, report: Report) -> Push:
    """A push to the dispatcher, as if the report were a police call."""
    call = PoliceCall.objects.create(
        report=report, case=case, area_path=report.area_path, told_at=town.at, day=town.at.date(), is_dispute=True
    )
    push = Push.objects.create(
        id=new_id(), pushes="police_three", key="platform", call=call, area_path=report.area_path, pushed_at=town.at,
        due_at=town.at,
    )  # fmt: skip
    PushTo.objects.create(push=push, officer=town.dispatcher)
    return push


def figured(town: World) -> Statistic:
    """A number from outside of the grid, told once."""
    return Statistic.objects.create(
        figure="常住人口", area=town.grid, area_path=town.grid.path, period="2026", value=1204, unit="人",
        source="年报", at=town.at,
    )  # fmt: skip


def subscribed(town: World) -> Subscriber:
    """A system that is told of the county's cases."""
    feed, where = "provincial_progress", "https://example.invalid/"
    made, _ = feeds.register("platform-1", title="平台", feed=feed, area=town.county, url=where, by=None, at=town.at)
    return made


def checked(content: bytes, *, by: Officer, at: datetime) -> Upload:
    """A file on its way in, with its rows looked at."""
    upload = uploads.begin(content, name="x.csv", layout="sheet_general", by=by, at=at)
    uploads.check(upload, columns=upload.columns, area=None, by=by, at=at)
    upload_work.go_on(upload.pk, at=at)
    upload.refresh_from_db()
    return upload


def own_case(town: World) -> Case:
    """The case of the scope `own`: everybody in the county has something to do with it."""
    case = opened(town, site=town.site, party=town.party)
    Case.objects.filter(pk=case.pk).update(opened_by=town.volunteer, lead=town.housing)
    Unit.objects.create(case=case, department=town.fire, asked_at=town.at)
    case.refresh_from_db()
    return case


def elsewhere(town: World) -> dict[str, Case]:
    """A case in each of the other scopes."""
    other = Party.objects.create(kind="landlord", name="别的房东", area=town.village)
    cases = {
        "other_township": opened(town, area=town.west_grid),
        "other_department": opened(town),
        "other_party": opened(town, party=other),
        "neighbour": opened(town, area=town.neighbour_grid),
    }
    Case.objects.filter(pk__in=[case.pk for case in cases.values()]).update(opened_by=town.triage)
    Case.objects.filter(pk=cases["other_department"].pk).update(lead=town.market)
    return cases


@dataclass(frozen=True, slots=True)
class Call:
    """A request: `body` is what somebody would send who may."""

    method: str
    path: str
    body: dict[str, Any] = field(default_factory=dict)


def api_calls(of: Things) -> dict[str, Call]:
    """A request for every operation, by its name."""
    town = of.town
    case, report, held = f"/cases/{of.case.pk}", f"/reports/{of.report.pk}", f"/quarantine/{of.held.pk}"
    grid = f"/areas/{town.grid.code}"
    found = {
        "cases_open": Call("POST", "/cases", {"procedure": "incident", "topic": "fire_exit", "area": town.grid.code,
                                              "title": "x"}),
        "cases_act_many": Call("POST", "/cases/acts", {"cases": [str(of.case.pk)], "act": "register"}),
        "cases_one": Call("GET", case),
        "cases_timeline": Call("GET", f"{case}/timeline"),
        "cases_offers": Call("GET", f"{case}/acts"),
        "cases_act": Call("POST", f"{case}/acts", {"act": "register"}),
        "reports_waiting": Call("GET", "/reports/waiting"),
        "reports_receive": Call("POST", "/reports", {"message": message(id="new")}),
        "reports_one": Call("GET", report),
        "reports_reporter": Call("POST", f"{report}/reporter", {"reason": "tell"}),
        "reports_proposal": Call("GET", f"{report}/proposal"),
        "reports_accept": Call("POST", f"{report}/accept", {"procedure": "incident", "topic": "fire_exit"}),
        "reports_attach": Call("POST", f"{report}/attach", {"case": str(of.case.pk)}),
        "reports_withdraw": Call("POST", f"{report}/withdraw", {"reason": "x"}),
        "quarantine_one": Call("GET", held),
        "quarantine_mend": Call("POST", f"{held}/mend", {"changes": {"topic": "fire_exit"}}),
        "quarantine_discard": Call("POST", f"{held}/discard", {"reason": "x"}),
        "imports_run": Call("POST", "/imports"),
        "imports_one": Call("GET", f"/imports/{of.batch.pk}"),
        "photos_keep": Call("POST", "/photos"),
        "photos_one": Call("GET", f"/photos/{of.photo.pk}"),
        "areas_create": Call("POST", "/areas", {"code": "9", "level": "grid", "parent": town.village.code,
                                                "name": {"zh": "网", "en": "G"}}),
        "areas_one": Call("GET", grid),
        "areas_change": Call("PATCH", grid, {"name": {"zh": "网", "en": "G"}}),
        "areas_rename": Call("POST", f"{grid}/rename", {"name": {"zh": "网", "en": "G"}}),
        "areas_move": Call("POST", f"{grid}/move", {"parent": town.other_village.code}),
        "areas_close": Call("POST", f"{grid}/close", {"into": town.village.code}),
        "areas_seams": Call("GET", f"{grid}/seams"),
    }  # fmt: skip
    found |= _reference_calls(of) | _pushed_calls(of) | _device_calls(of)
    return found | {f"{noun}_list": Call("GET", f"/{noun}") for noun in LISTS}


def _pushed_calls(of: Things) -> dict[str, Call]:
    push = f"/pushes/{of.push.pk}"
    return {
        "pushes_one": Call("GET", push),
        "pushes_receive": Call("POST", f"{push}/receive"),
        "pushes_answer": Call("POST", f"{push}/answer", {"text": "已调解", "resolved": True}),
    }


def _device_calls(of: Things) -> dict[str, Call]:
    area = of.town.grid.code
    return {
        "devices_cover": Call("GET", f"/devices/coverage?area={area}"),
        "devices_create": Call("POST", "/devices", {"code": "new", "model": "smoke_nb", "area": area}),
        "devices_one": Call("GET", "/devices/smoke-1"),
        "devices_change": Call("PATCH", "/devices/smoke-1", {"name": "x"}),
        "devices_retire": Call("POST", "/devices/smoke-1/retire"),
        "devices_secret": Call("POST", "/devices/smoke-1/secret"),
    }


def _reference_calls(of: Things) -> dict[str, Call]:
    town, area, officer = of.town, of.town.grid.code, of.town.grid_worker.pk
    edition = of.case.edition
    return {
        "topics_suggest": Call("GET", "/topics/suggest?text=x"),
        "sites_create": Call("POST", "/sites", {"name": "x", "kind": "shopfront", "area": area}),
        "sites_one": Call("GET", "/sites/house1"),
        "sites_change": Call("PATCH", "/sites/house1", {"name": "x"}),
        "parties_create": Call("POST", "/parties", {"kind": "person", "name": "x", "area": area}),
        "parties_one": Call("GET", f"/parties/{town.party.pk}"),
        "parties_change": Call("PATCH", f"/parties/{town.party.pk}", {"name": "x"}),
        "departments_create": Call("POST", "/departments", {"key": "x", "name": {"zh": "局", "en": "O"}, "area": area}),
        "departments_one": Call("GET", "/departments/housing"),
        "departments_change": Call("PATCH", "/departments/housing", {"is_active": False}),
        "calendars_announce": Call("POST", "/calendars/china/days", {"days": {"2030-01-01": False}, "source": "x"}),
        "officers_create": Call("POST", "/officers", {"username": "xx", "name": "x"}),
        "officers_one": Call("GET", f"/officers/{officer}"),
        "officers_change": Call("PATCH", f"/officers/{officer}", {"name": "x"}),
        "officers_password": Call("POST", f"/officers/{officer}/password", {"password": "Anlan-2026-x"}),
        "posts_create": Call("POST", "/posts", {"officer": officer, "role": "triage", "area": area}),
        "posts_end": Call("POST", f"/posts/{of.post.pk}/end"),
        "posts_certify": Call("POST", f"/posts/{of.post.pk}/certificate", {"number": "x", "until": "2030-01-01"}),
        "duties_responsible": Call("GET", f"/duties/responsible?area={area}"),
        "duties_assign": Call("POST", "/duties", {"area": area, "department": "fire"}),
        "duties_end": Call("POST", f"/duties/{of.duty.pk}/end"),
        "tokens_issue": Call("POST", "/tokens", {"officer": officer, "name": "x", "actions": ["cases.see"]}),
        "tokens_revoke": Call("POST", f"/tokens/{of.token.pk}/revoke"),
        "procedures_one": Call("GET", f"/procedures/incident/{edition}"),
        "procedures_svg": Call("GET", f"/procedures/incident/{edition}/svg"),
        "statistics_figures": Call("GET", f"/statistics?area={area}"),
        "statistics_calls": Call("GET", f"/statistics/calls?area={area}"),
        **_index_calls(of),
        "notices_read": Call("POST", "/notices/read", {"notices": [str(of.notice.pk)]}),
        "ledger_verify": Call("GET", "/ledger/verify"),
        "ledger_head": Call("GET", "/ledger/head"),
        "export_cases": Call("GET", "/export/cases"),
        "export_reports": Call("GET", "/export/reports"),
        "export_events": Call("GET", "/export/events"),
        "me_one": Call("GET", "/me"),
    }


def _index_calls(of: Things) -> dict[str, Call]:
    """The API of an index, of an edition that `index_town.two_months` publishes."""
    index, draw = f"/index/{index_town.INDEX}", f"/rechecks/{index_town.INDEX}/{index_town.PERIOD}"
    return {
        "index_list": Call("GET", "/index"),
        "index_editions": Call("GET", f"{index}/editions"),
        "index_indicator": Call("GET", f"{index}/indicators/D1-01"),
        "index_ranks": Call("GET", f"{index}/{index_town.PERIOD}/ranks"),
        "index_area": Call("GET", f"{index}/{index_town.PERIOD}/areas/{of.town.east.code}"),
        "rechecks_draw": Call("GET", draw),
        "rechecks_record": Call("POST", f"{draw}/{of.case.pk}", {"fixed": True}),
    }


def web_names(of: Things) -> dict[str, dict[str, Any]]:
    """What stands in each address of the desk that has something in it; every other address has nothing."""
    town, number = of.town, of.case.number
    grid: dict[str, Any] = {"code": town.grid.code}
    site: dict[str, Any] = {"code": "house1"}
    officer: dict[str, Any] = {"pk": town.grid_worker.pk}
    report: dict[str, Any] = {"report_id": of.report.pk}
    found: dict[str, dict[str, Any]] = {
        "suggest": {"kind": "area"},
        **{key: {"number": number} for key in ("case", "case_reports")},
        "fact_table": {"key": "cases"},
        "case_act": {"number": number, "act": "register"},
        "case_event": {"number": number, "event_id": Event.objects.filter(subject=of.case.pk).earliest("seq").id},
        "case_reporter": {"number": number, **report},
        "case_export": {"kind": "csv"},
        "report_sent": report,
        "triage_one": report,
        "held": {"held_id": of.held.pk},
        "batch": {"batch_id": of.batch.pk},
        "notice_open": {"notice_id": of.notice.pk},
        "forward": {"forward_id": of.forward.pk},
        "photo": {"photo_id": of.photo.pk, "size": "small"},
        "declared_kind": {"folder": "procedures"},
        "declaration": {"folder": "procedures", "identity": f"incident@{of.case.edition}"},
        "token": {"pk": of.token.pk},
        "token_revoke": {"pk": of.token.pk},
        "post_end": {"pk": of.post.pk},
    }
    department = {"pk": town.housing.pk}
    for names, kwargs in (
        ("department department_change department_retire", department),
        ("officer officer_change officer_password post_add", officer),
        ("duty duty_end", {"pk": of.duty.pk}),
        ("site site_qr site_change site_close", site),
        ("party party_change", {"pk": town.party.pk}),
        ("device device_change device_retire device_secret", {"code": of.device.code}),
        ("area area_add area_rename area_boundary area_move area_close", grid),
    ):
        found |= dict.fromkeys(names.split(), kwargs)
    return found | _residents(found["photo"]) | _open311() | _machines(of) | _uploads(of) | _index(of)


def _index(of: Things) -> dict[str, dict[str, Any]]:
    """The pages of an index, of an edition that `index_town.two_months` publishes."""
    found = dict.fromkeys(("index_edition", "index_scenario"), index_town.EDITION)
    area = {"index_area": index_town.EDITION | {"code": of.town.east.code}}
    indicator = dict.fromkeys(("index_indicator", "index_cases"), index_town.EDITION | {"key": "D1-01"})
    index = {"index": index_town.INDEX}
    whole = dict.fromkeys(("index_compare", "index_editions", "index_edition_act"), index)
    trust = dict.fromkeys(("index_audit", "index_sure", "index_integrity"), index_town.EDITION)
    trust |= {"index_recheck_list": index_town.EDITION | {"kind": "csv"}}
    trust |= {"index_recheck": index_town.EDITION | {"case_id": str(of.case.pk)}}
    return found | area | indicator | whole | trust | {"index_card": area["index_area"]}


def _machines(of: Things) -> dict[str, dict[str, Any]]:
    client: dict[str, Any] = {"name": of.client.name}
    subscriber: dict[str, Any] = {"name": of.subscriber.name}
    return {
        "subscriber": subscriber,
        "subscriber_change": subscriber,
        "hook": {"client": "nobody"}, "client": client, "client_change": client, "push": {"push_id": of.push.pk},
    }  # fmt: skip


def _uploads(of: Things) -> dict[str, dict[str, Any]]:
    upload: dict[str, Any] = {"upload_id": of.upload.pk}
    layouts = dict.fromkeys(("layout_template", "layout_export"), SHEET)
    layouts["given_one"] = {"pk": of.figure.pk}
    return {"upload": upload, "upload_row": upload | {"row_no": 2}, "upload_bad": upload, **layouts}


SHEET: dict[str, Any] = {"key": "sheet_general"}


def _residents(photo: dict[str, Any]) -> dict[str, dict[str, Any]]:
    code: dict[str, Any] = {"code": NO_CODE}
    watch: dict[str, Any] = {"watch_id": photo["photo_id"]}
    token = {"token": NO_CODE}
    found = {"resident_status": code, "resident_answer": code, "resident_photo": code | photo, "resident_watch": code}
    return found | {
        "resident_watch_stop": code | watch, "resident_watch_confirm": token, "resident_watch_end": token
    }  # fmt: skip


def _open311() -> dict[str, dict[str, Any]]:
    names = "discovery services requests location updates"
    found: dict[str, dict[str, Any]] = {f"open311_{name}": {"form": "xml"} for name in names.split()}
    return found | {
        "open311_service": {"form": "xml", "code": "manhole"},
        "open311_request": {"form": "json", "number": NO_NUMBER},
        "open311_token": {"form": "xml", "token": NO_NUMBER},
        "open311_photo": {"number": NO_NUMBER, "place": "1"},
        "open311_nothing": {"rest": "v2/elsewhere"},
    }


@contextmanager
def undone() -> Iterator[None]:
    """What is asked inside is answered and then undone."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
