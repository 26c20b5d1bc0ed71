"""One thing of every kind in a town that is served, made through the API, so that every page has something to show."""

from __future__ import annotations

import io
import json
import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from PIL import Image

from anlan.intake import signing
from anlan.intake.wire import Signature
from serving import eventually
from settled import PASSWORD, Town
from wiring import call

SHEET = """编号,时间,类别,描述,地址,网格编码,上报人,联系电话
T-1,2026-03-02 09:30,井盖,井盖松动,幸福路口,330101001001001,王某,13800000000
T-2,2026年13月1日,井盖,日期写错的一行,幸福路口,330101001001001,李某,13900000000
"""
FIGURES = "指标,辖区,期间,数值,单位,来源\n常住人口,东镇,2026年,1204,人,年报\n"
FOLDERS = (
    "procedures routing topics channels roles site_kinds calendars feeds pushes device_models alarm_rules"
).split()


DECLARED = {
    "procedures": "incident@2026.1",
    "topics": "fire_exit",
    "routing": "default",
    "channels": "sheet_general",
    "roles": "grid_worker",
    "site_kinds": "factory",
    "calendars": "china",
    "feeds": "hotline_results",
    "pushes": "police_three",
}


# Of an index nothing is published in this town: its pages are looked at in one where it is (test_index).
EDITION = {"index": "peace_sample", "period": "2026-02"}
INDICATOR = EDITION | {"key": "D1-01"}
INDEX: dict[str, list[dict[str, Any]]] = {
    **{key: [EDITION] for key in "index_edition index_scenario index_audit index_sure index_integrity".split()},
    "index_recheck_list": [EDITION | {"kind": "csv"}],
    "index_recheck": [EDITION | {"case_id": "01890000-0000-7000-8000-00000000feed"}],
    "index_area": [EDITION | {"code": "330101001"}],
    "index_card": [EDITION | {"code": "330101001"}],
    "index_compare": [{"index": "peace_sample"}],
    "index_editions": [{"index": "peace_sample"}],
    **{key: [INDICATOR] for key in ("index_indicator", "index_cases")},
}

PLAIN: dict[str, list[dict[str, Any]]] = {
    "case_export": [{"kind": "csv"}],
    "suggest": [{"kind": "officer"}],
    "fact_table": [{"key": "cases"}, {"key": "sites"}],
    "declared_kind": [{"folder": folder} for folder in FOLDERS],
    "declaration": [{"folder": folder, "identity": key} for folder, key in DECLARED.items()],
}
"""What opens whatever stands in the town."""


class Furniture:
    """What stands in the town: for each name of an address, the arguments with which it can be opened."""

    def __init__(self, url: str, town: Town) -> None:
        self.url, self.town = url, town
        self.http = httpx.Client(base_url=f"{url}/api/v1", timeout=60)
        with self.http:
            self.arguments = self._furnish()

    def post(self, who: str, path: str, **given: Any) -> Any:
        """What the API answers to somebody of the cast."""
        answer = self.http.post(path, headers=self.town.bearer(who), **given)
        assert answer.is_success, answer.text
        return answer.json()

    def first(self, who: str, path: str) -> Any:
        """The first of a list."""
        answer = self.http.get(path, headers=self.town.bearer(who))
        assert answer.is_success, answer.text
        return answer.json()["items"][0]

    def _furnish(self) -> dict[str, list[dict[str, Any]]]:
        photo = self._photo("before", "olive")
        told = {"description": "楼道堆物，说不清归谁管", "address": "东一村 3 号", "client_id": "w-1"}
        message = {"channel": "officer_form", "message": told, "photos": [photo]}
        report = self.post("grid_worker", "/reports", json=message)
        sheet = {"file": ("台账.csv", SHEET.encode())}
        batch = self.post("administrator", "/imports", data={"channel": "sheet_general"}, files=sheet)
        case = self._case()
        held = self.first("administrator", "/quarantine")
        assert eventually(lambda: bool(self._notices("dispatcher"))), "nobody was told anything"
        number, area = case["number"], self.town.areas["东一村一网格"]
        told_of = [{"report_id": report["report"]}]
        code, site, pk = [{"code": area}], [{"code": "house1"}], self._keys()
        one = {name: [{"pk": key}] for name, key in pk.items()}
        return {
            **{key: [{"number": number}] for key in ("case", "case_reports")},
            "case_act": [{"number": number, "act": act} for act in ("fix", "return", "dispatch", "merge", "nothing")],
            "case_event": [{"number": number, "event_id": self._happened(case["id"])}],
            **dict.fromkeys(("report_sent", "triage_one"), told_of),
            "held": [{"held_id": held["id"]}],
            "batch": [{"batch_id": batch["id"]}],
            "notice_open": [{"notice_id": self._notices(who)[0]["id"]} for who in ("dispatcher",)],
            "photo": [{"photo_id": photo, "size": "small"}],
            **PLAIN,
            **self._resident(),
            **self._uploads(),
            **self._machines(),
            **INDEX,
            **self._device(),
            **dict.fromkeys(("site", "site_qr", "site_change"), site),
            **dict.fromkeys(("area_add", "area_rename", "area_boundary", "area_move", "area_close"), code),
            "area": [*code, {"code": self.town.areas["甲县"]}],
            **dict.fromkeys(("department", "department_change"), one["department"]),
            "duty": one["duty"],
            **dict.fromkeys(("officer", "officer_change", "post_add"), one["officer"]),
            **dict.fromkeys(("party", "party_change"), one["party"]),
            "token": one["token"],
        }

    def _happened(self, case: str) -> str:
        """The first thing that the case's timeline tells."""
        answer = self.http.get(f"/cases/{case}/timeline", headers=self.town.bearer("dispatcher"))
        assert answer.is_success, answer.text
        return str(answer.json()[0]["id"])

    def _photo(self, stage: str, colour: str) -> str:
        made = io.BytesIO()
        Image.new("RGB", (320, 240), colour).save(made, "JPEG")
        who = "grid_worker" if stage == "before" else "handler"
        files = {"file": (f"{colour}.jpg", made.getvalue())}
        return str(self.post(who, "/photos", data={"stage": stage}, files=files)["id"])

    def _case(self) -> Any:
        """A case with a long history, a handler, an assisting department and a photo."""
        new = {"procedure": "incident", "topic": "construction_site", "title": "东一村工地 · 临边没有护栏"}
        place = {"area": self.town.areas["东一村一网格"], "lon": 122.02, "lat": 27.02, "address": "东一村工地"}
        case = self.post("triage", "/cases", json=new | place | {"description": "二层临边没有护栏。\n天黑看不见。"})
        offices = self.town.departments
        lead = {"department": offices["housing"], "officer": self.town.ids["handler"], "assisting": [offices["fire"]]}
        course: list[tuple[str, str, dict[str, Any], list[str]]] = [
            ("triage", "register", {"note": "属实"}, []),
            ("dispatcher", "dispatch", {"department": offices["market"]}, []),
            ("other_handler", "return", {"reason": "不归市场局管"}, []),
            ("dispatcher", "dispatch", {**lead, "task": "一并检查消防"}, []),
            ("handler", "accept", {}, []),
            ("handler", "fix", {"result": "已装护栏"}, [self._photo("after", "navy")]),
            ("grid_worker", "rework", {"reason": "东侧还缺一段"}, []),
            ("handler", "ask_extension", {"length": 2, "reason": "等材料"}, []),
        ]
        for who, act, data, photos in course:
            case = self.post(who, f"/cases/{case['id']}/acts", json={"act": act, "data": data, "photos": photos})
        return case

    def _resident(self) -> dict[str, list[dict[str, Any]]]:
        """What a resident sent, as its page shows it when it is done: with a photo of the fix, to be rated."""
        with httpx.Client(base_url=self.url, timeout=60, follow_redirects=False) as http:
            form = http.get("/r/").text
            token = form.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
            told = {
                "csrfmiddlewaretoken": token, "topic": "fire_exit", "description": "楼道堆满纸箱", "lon": "122.0312",
                "lat": "27.0412", "seen": "1", "client_id": "01890000-0000-7000-8000-00000000feed",
            }  # fmt: skip
            answer = http.post("/r/", data=told, headers={"X-Asked-By": "page", "Referer": f"{self.url}/r/"})
            assert answer.status_code == 201, answer.text
            code = answer.json()["code"].replace("-", "")
        [report] = self._items("triage", "/reports?q=楼道堆满纸箱")
        answer_ = self.http.get(f"/reports/{report['id']}", headers=self.town.bearer("triage")).json()
        [case] = answer_["cases"]
        photo = self._photo("after", "teal")
        lead = {"department": self.town.departments["housing"]}
        for who, act, data, photos in (
            ("triage", "register", {}, []),
            ("dispatcher", "dispatch", lead, []),
            ("handler", "fix", {"result": "已清走"}, [photo]),
            ("triage", "verify", {}, []),
            ("dispatcher", "close", {}, []),
        ):
            self.post(who, f"/cases/{case}/acts", json={"act": act, "data": data, "photos": photos})
        return {
            "resident_status": [{"code": code}, {"code": "ABCDEFGHJKLM"}],
            "resident_photo": [{"code": code, "photo_id": photo, "size": "small"}],
            **{f"resident_watch_{what}": [{"token": "nobody"}] for what in ("confirm", "end")},
        }

    def _uploads(self) -> dict[str, list[dict[str, Any]]]:
        """A file whose columns are to be confirmed, and one whose broken cells are to be mended."""
        with httpx.Client(base_url=self.url, timeout=60, follow_redirects=True) as http:

            def sent(path: str, **given: Any) -> httpx.Response:
                page = http.get(path).text
                token = page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
                data = {"csrfmiddlewaretoken": token, **given.pop("data", {})}
                return http.post(path, data=data, headers={"Referer": f"{self.url}{path}"}, **given)

            sent("/sign-in/", data={"username": self.town.usernames["administrator"], "password": PASSWORD})
            file = {"file": ("台账.csv", SHEET.replace("T-2", "T-9").encode())}
            first = sent("/imports/", files=file).url.path
            second = sent("/imports/", files=file, data={"channel": "sheet_general"}).url.path
            heads = ["number", "told_at", "topic", "description", "address", "area", "reporter_name", "reporter_phone"]
            columns = {f"c{place}": field for place, field in enumerate(heads)}
            given = {"do": "check", "layout": "sheet_general", "sheet": "台账.csv", **columns}
            assert "第 13 月不存在" in sent(second, data=given).text
            figures = {"file": ("统计.csv", FIGURES.encode())}
            third = sent("/imports/", files=figures).url.path
            heads = ["figure", "area", "period", "value", "unit", "source"]
            columns = {f"c{place}": field for place, field in enumerate(heads)}
            sent(third, data={"do": "check", "layout": "figures", "sheet": "统计.csv", **columns})
            sent(third, data={"do": "receive"})
            told = http.get("/figures/given/").text
        pages = [{"upload_id": path.split("/")[3]} for path in (first, second)]
        layouts = [{"key": "hazard_ledger"}]
        one = [{"pk": int(pk)} for pk in re.findall(r'href="/figures/given/(\d+)/"', told)[:1]]
        return {
            "given_one": one,
            "upload": pages,
            "upload_bad": pages[1:],
            "layout_template": layouts,
            "layout_export": layouts,
        }

    def _machines(self) -> dict[str, list[dict[str, Any]]]:
        """A police call that came over the wire and was pushed to the dispatcher."""
        now = datetime.now(ZoneInfo("Asia/Shanghai"))
        body, nonce = json.dumps(call("furnished", callTime=now.isoformat())).encode(), "furnished"
        stamp, scheme = str(int(now.timestamp())), Signature()
        signed = signing.sign(self.town.secrets["police"], scheme, timestamp=stamp, nonce=nonce, body=body)
        headers = {scheme.timestamp: stamp, scheme.nonce: nonce, scheme.header: signed}
        answer = httpx.post(f"{self.url}/hooks/police", content=body, headers=headers, timeout=60)
        assert answer.is_success, answer.text
        assert eventually(lambda: bool(self._items("dispatcher", "/pushes"))), "nothing was pushed"
        [push] = self._items("dispatcher", "/pushes")
        return {
            "push": [{"push_id": push["id"]}], "client": [{"name": "police"}], "subscriber": [{"name": "platform"}],
        }  # fmt: skip

    def _device(self) -> dict[str, list[dict[str, Any]]]:
        new = {"code": "smoke-1", "model": "smoke_nb", "site": "house1", "name": "二层东走廊"}
        code = [{"code": self.post("administrator", "/devices", json=new)["code"]}]
        return {"device": code, "device_change": code}

    def _items(self, who: str, path: str) -> list[Any]:
        answer = self.http.get(path, headers=self.town.bearer(who))
        assert answer.is_success, answer.text
        return list(answer.json()["items"])

    def _notices(self, who: str) -> list[Any]:
        with httpx.Client(base_url=f"{self.url}/api/v1", timeout=60) as http:
            answer = http.get("/notices", headers=self.town.bearer(who))
            return list(answer.json()["items"]) if answer.is_success else []

    def _keys(self) -> dict[str, int]:
        return {
            "department": self.town.departments["housing"],
            "duty": self.first("administrator", "/duties")["id"],
            "officer": self.town.ids["handler"],
            "party": self.first("administrator", "/parties")["id"],
            "token": self.first("administrator", "/tokens")["id"],
        }
