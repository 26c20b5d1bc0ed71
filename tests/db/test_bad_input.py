"""Bad input through the doors people use: a clear sentence in both languages, and nothing lost. No traceback ever."""

from __future__ import annotations

import gzip
import os
import re
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from typer.testing import CliRunner

from anlan.casework import cases
from anlan.casework.cases import Doing
from anlan.casework.models import Case
from anlan.intake.models import Batch, Photo, Quarantined, Report
from anlan.kernel import catalogue
from anlan.ledger.models import Event
from anlan.places.models import Officer
from anlan.places.role import ACTIONS
from anlan.presentation.commands.main import app
from calling import Answer, Caller, opened, picture, token_of
from world import World, world

HEAD = "编号,时间,类别,描述,地址,网格编码,上报人,联系电话"
GOOD = "T-1,2026-03-02 09:30,井盖,井盖松动，有响声,幸福路口,330101001001001,王某,13800000000"
OTHER = "T-3,2026年3月3日,违停,占道停车,幸福路口,330101001001001,,"
BAD_DATE = "T-2,2026年13月1日,井盖,日期写错的一行,幸福路口,330101001001001,李某,13900000000"
CYCLE = """
key = "round"
edition = "1"
effective_from = 2026-01-01
prefix = "R"
first = "here"
title = { zh = "兜圈", en = "Round and round" }
summary = { zh = "两步来回，没有出口", en = "Two steps to and fro, and no way out" }

[steps.here]
title = { zh = "此处", en = "Here" }
public = { zh = "此处", en = "Here" }
stage = "intake"
owner = { roles = ["triage"] }

[steps.there]
title = { zh = "彼处", en = "There" }
public = { zh = "彼处", en = "There" }
stage = "handling"
owner = { roles = ["triage"] }

[acts.go]
title = { zh = "去", en = "Go" }
steps = ["here"]
to = "there"
who = { roles = ["triage"] }

[acts.back]
title = { zh = "回", en = "Back" }
steps = ["there"]
to = "here"
who = { roles = ["triage"] }

[clocks.handle]
title = { zh = "时限", en = "Limit" }
runs = ["here", "there"]
length = { n = 1, unit = "working_days" }
basis = { source = "–", mark = "U", checked_on = 2026-11-22 }
"""
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(document.cookie)</script></svg>'


@pytest.fixture
def town() -> World:
    return world()


@pytest.fixture
def clerk(town: World) -> Caller:
    """Somebody who may import files, at the API."""
    return Caller(town.administrator)


def sheet(*rows: str, head: str = HEAD) -> str:
    return "\n".join([head, *rows]) + "\n"


def sent(clerk: Caller, content: bytes, name: str = "台账.csv") -> Answer:
    return clerk.upload("/imports", content, name, channel="sheet_general")


def at_desk(officer: Officer, lang: str = "zh") -> Client:
    client = Client()
    client.force_login(officer)
    client.cookies["lang"] = lang
    return client


def page(answer: object) -> str:
    """The words of a page, without its tags; it is a page, not a traceback."""
    words = re.sub(r"<[^>]+>", " ", answer.content.decode())  # type: ignore[attr-defined]
    assert "Traceback" not in words
    return " ".join(words.split())


def nothing_came_in() -> None:
    assert not Report.objects.exists()
    assert not Quarantined.objects.exists()
    assert not Batch.objects.exists()
    assert not Event.objects.filter(kind__in=["report.received", "batch.imported"]).exists()


# ---------------------------------------------------------------- files


@pytest.mark.parametrize("encoding", ["gbk", "gb18030", "utf-8-sig", "utf-8"])
def test_a_csv_in_gbk_is_read_as_it_was_written(clerk: Caller, encoding: str) -> None:
    answer = sent(clerk, sheet(GOOD, OTHER).encode(encoding))
    assert answer.status == 201, answer
    assert (answer.json["rows"], answer.json["received"]) == (2, 2)
    assert sorted(Report.objects.values_list("description", flat=True)) == ["井盖松动，有响声", "占道停车"]
    assert Report.objects.get(message_id="T-1").raw["描述"] == "井盖松动，有响声"


def test_a_file_in_no_encoding_we_know_is_refused_whole(clerk: Caller) -> None:
    answer = sent(clerk, sheet(GOOD).encode("utf-16-le"))
    assert answer.status in (400, 422), answer
    assert answer.error
    nothing_came_in()


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.99])
def test_a_truncated_gzip_is_refused_whole_by_the_api(clerk: Caller, kept: float) -> None:
    whole = gzip.compress(sheet(*(GOOD.replace("T-1", f"T-{n}") for n in range(500))).encode())
    answer = sent(clerk, whole[: int(len(whole) * kept)], "台账.csv.gz")
    assert answer.status in (400, 422), answer
    assert "压缩" in answer.error["zh"]
    assert "gzip" in answer.error["en"] or "compressed" in answer.error["en"]
    nothing_came_in()


@pytest.mark.parametrize(("lang", "words"), [("zh", "压缩"), ("en", "compressed|gzip")])
def test_a_truncated_gzip_is_refused_on_the_page_beside_the_file(
    town: World, media: Path, lang: str, words: str
) -> None:
    cut = gzip.compress(sheet(GOOD).encode())[:-20]
    given = {"channel": "sheet_general", "file": SimpleUploadedFile("台账.csv.gz", cut)}
    answer = at_desk(town.administrator, lang).post("/imports/", given)
    assert answer.status_code == 422
    assert re.search(words, page(answer))
    nothing_came_in()


def test_a_date_that_does_not_exist_holds_its_row_with_the_reason_and_nothing_else(clerk: Caller) -> None:
    answer = sent(clerk, sheet(GOOD, BAD_DATE, OTHER).encode("gbk"))
    assert answer.status == 201
    assert {name: answer.json[name] for name in ("rows", "received", "quarantined")} == {
        "rows": 3, "received": 2, "quarantined": 1,
    }  # fmt: skip
    (held,) = clerk.get("/quarantine").json["items"]
    (reason,) = held["reasons"]
    assert reason["column"] == "时间"
    assert "2026年13月1日" in reason["zh"]
    assert "2026年13月1日" in reason["en"]
    assert held["raw"]["描述"] == "日期写错的一行"
    assert held["row_no"] == 3
    mended = clerk.post(f"/quarantine/{held['id']}/mend", {"changes": {reason["column"]: "2026年3月1日"}})
    assert mended.status == 200, mended
    assert Report.objects.get(pk=mended.json["report"]).description == "日期写错的一行"


def test_a_missing_column_refuses_the_file_and_names_the_column(clerk: Caller, town: World, media: Path) -> None:
    rows = sheet("T-1,井盖,井盖松动", head="编号,类别,描述")
    answer = sent(clerk, rows.encode())
    assert answer.status in (400, 422), answer
    assert "时间" in answer.error["zh"]
    assert "时间" in answer.error["en"]
    given = {"channel": "sheet_general", "file": SimpleUploadedFile("台账.csv", rows.encode())}
    desk = at_desk(town.administrator)
    on_page = desk.post("/imports/", given, follow=True)
    assert "还缺必填的列" in page(on_page)
    unchanged = {"do": "check", "layout": "sheet_general", "sheet": "台账.csv", "c0": "number", "c2": "description"}
    still = desk.post(on_page.request["PATH_INFO"], unchanged)
    assert still.status_code == 422
    assert "还没有指定这些必填的列：时间" in page(still)
    nothing_came_in()


# ---------------------------------------------------------------- declarations


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    (tmp_path / "pack/procedures").mkdir(parents=True)
    return tmp_path / "pack"


def checked(pack: Path, text: str) -> str:
    """What `anlan check` says of a pack whose procedure is `text`."""
    (pack / "procedures/round.toml").write_text(text, encoding="utf-8")
    with catalogue.using([]):
        said = CliRunner().invoke(app, ["check", "--pack", str(pack)])
    assert said.exit_code == 2
    assert "round.toml" in said.output
    assert "Traceback" not in said.output
    return said.output


def test_a_procedure_that_goes_in_a_circle_without_exit_is_refused(pack: Path) -> None:
    said = checked(pack, CYCLE)
    for step in ("here", "there"):
        assert f"round.steps.{step}：从这一步出发只会兜圈子，永远走不到办结。" in said
        assert f"round.steps.{step}: from here the case runs in a circle for ever." in said


def test_a_misspelt_key_is_refused_with_the_one_that_was_meant(pack: Path) -> None:
    said = checked(pack, CYCLE.replace("summary =", "sumary ="))
    assert "sumary" in said
    assert "是否想写“summary”" in said
    assert "did you mean “summary”" in said.lower()


# ---------------------------------------------------------------- photos


def large_photo(size: int = 30 * 1024 * 1024) -> bytes:
    """A JPEG that opens, padded to 30 MB."""
    return picture() + os.urandom(1024) * (size // 1024)


def files_below(media: Path) -> list[Path]:
    return [path for path in media.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("content", "name", "zh", "en"),
    [
        (large_photo(), "大照片.jpg", "30 MB", "30 MB"),
        (SVG, "harmless.svg", "SVG", "SVG"),
        (SVG, "harmless.jpg", "SVG", "SVG"),
        (b"<script>alert(1)</script>", "x.png", "不是能打开的照片", "cannot be opened"),
    ],
    ids=["30 MB", "svg", "svg named jpg", "html named png"],
)
def test_what_is_no_photo_is_refused_by_the_api(
    town: World, media: Path, content: bytes, name: str, zh: str, en: str
) -> None:
    answer = Caller(town.grid_worker).upload("/photos", content, name, stage="before")
    assert answer.status in (400, 413, 422), answer
    assert zh in answer.error["zh"]
    assert en in answer.error["en"]
    assert files_below(media) == []
    assert not Photo.objects.exists()


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("content", [large_photo(), SVG], ids=["30 MB", "svg"])
def test_a_report_with_a_bad_photo_comes_back_with_every_word_of_it(
    town: World, media: Path, content: bytes, lang: str
) -> None:
    told = {"description": "二楼通道堆满纸箱", "address": "幸福里 12 号", "client_id": "c-1"}
    client = at_desk(town.grid_worker, lang)
    answer = client.post("/report/", {**told, "photos": SimpleUploadedFile("x.jpg", content, "image/jpeg")})
    assert answer.status_code == 422
    words = page(answer)
    assert ("30 MB" if len(content) > 1000 else "SVG") in words
    assert told["description"] in words
    assert told["address"] in answer.content.decode()
    nothing_came_in()
    again = client.post("/report/", {**told, "photos": SimpleUploadedFile("x.jpg", picture(), "image/jpeg")})
    assert again.status_code == 302
    assert Report.objects.get().photos.count() == 1


@pytest.mark.parametrize("name", ["../../../../tmp/evil.jpg", "..\\..\\evil.jpg", "/etc/cron.d/evil", "a/../../b.jpg"])
def test_a_file_name_that_climbs_out_of_its_folder_climbs_nowhere(
    town: World, media: Path, tmp_path: Path, name: str
) -> None:
    border = "xxx"
    body = (
        f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    ).encode() + picture() + f"\r\n--{border}--\r\n".encode()  # fmt: skip
    before = set(tmp_path.rglob("*"))
    answer = Answer(
        at_desk(town.grid_worker).generic(
            "POST", "/api/v1/photos", body, content_type=f"multipart/form-data; boundary={border}"
        )
    )
    assert answer.status in (201, 422), answer
    if answer.status == 422:
        assert "路径" in answer.error["zh"]
        assert "path" in answer.error["en"]
    for path in set(tmp_path.rglob("*")) - before:
        assert path == media or media in path.parents
    for path in files_below(media):
        assert re.fullmatch(r"[0-9a-f]{64}(\.small)?\.jpg", path.name)
    assert not list(Path("/tmp").glob("evil*"))  # noqa: S108 - that is where it would be


# ---------------------------------------------------------------- acts and tokens


def closed(town: World) -> Case:
    case = opened(town)
    doing = Doing("refuse", {"reason": "不属受理范围"})
    return cases.act(case.pk, doing, by=town.triage, reach=town.reach(town.triage), at=town.at)


def test_an_act_on_a_closed_case_is_refused_and_changes_nothing(town: World) -> None:
    case = closed(town)
    events = Event.objects.count()
    answer = Caller(town.triage).post(f"/cases/{case.pk}/acts", {"act": "register", "data": {}})
    assert answer.status == 409
    assert "已经办结" in answer.error["zh"]
    assert "closed" in answer.error["en"]
    for lang, words in (("zh", "已经办结"), ("en", "closed")):
        on_page = at_desk(town.triage, lang).post(f"/cases/{case.number}/acts/register/", {"rev": str(case.rev)})
        assert on_page.status_code == 409
        assert words in page(on_page)
    assert Event.objects.count() == events
    case.refresh_from_db()
    assert case.step == "not_accepted"


def test_a_token_of_another_town_opens_nothing_here(town: World) -> None:
    case = opened(town)
    caller = Caller(token=token_of(town.outsider, list(ACTIONS)))
    for answer in (
        caller.get(f"/cases/{case.pk}"),
        caller.get(f"/cases/{case.pk}/timeline"),
        caller.post(f"/cases/{case.pk}/acts", {"act": "register", "data": {}}),
        caller.post("/cases", {"procedure": "incident", "topic": "fire_exit", "area": "330101001", "title": "越界"}),
    ):
        assert answer.status == 404, answer
        assert answer.error
    assert caller.get("/cases").json["items"] == []
    case.refresh_from_db()
    assert (case.step, Case.objects.count()) == ("collected", 1)


def test_a_token_of_another_installation_is_refused_in_a_sentence(town: World) -> None:
    answer = Caller(token="anlan_somebody-elses-secret-that-this-town-never-gave-out").get("/cases")
    assert answer.status == 401
    assert "令牌" in answer.error["zh"]
    assert "token" in answer.error["en"]
