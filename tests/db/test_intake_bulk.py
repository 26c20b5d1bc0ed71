"""Many messages at once: the same rows as one by one, and the real file."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from anlan.intake import imports, quarantine, reports
from anlan.intake.channel import CHANNELS, Channel
from anlan.intake.files.sheets import Unusable
from anlan.intake.models import Batch, Quarantined, Report
from anlan.kernel import catalogue
from anlan.ledger.models import Event
from anlan.places import towns
from world import World, world

PACK = Path(__file__).parents[2] / "packs/chicago"
REAL = "reference/reports/chicago_sanitation_2011_2012.csv.gz"
AT = datetime(2026, 11, 20, 4, tzinfo=UTC)
HEAD = "编号,时间,类别,描述,地址,网格编码,经度,纬度,场所编号,电话\n"
ROWS = (
    "1,2026-03-01,消防通道与疏散,楼道堆物,幸福路,,122.02,27.02,,\n"
    "2,2026年3月1日 9时,违停,占道,,330101001001002,,,,13800000000\n"
    "3,2026年13月1日,违停,占道,,330101001001002,,,,\n"
    "2,2026年3月1日 9时,违停,不同的话,,330101001001002,,,,\n"
    "4,2026-03-02,,没有类别,,,100,20,shop1,\n"
    "5,2026-03-02,违停,占道,,999,,,,\n"
    "2,2026年3月1日 9时,违停,占道,,330101001001002,,,,13800000000\n"
)


@pytest.fixture
def town() -> World:
    return world()


@pytest.fixture
def general() -> Channel:
    return catalogue.current().get(CHANNELS, "sheet_general")


@pytest.fixture
def chicago() -> Iterator[Channel]:
    with catalogue.using([PACK]) as known:
        towns.load(towns.town("chicago"), by=None, at=AT)
        yield known.get(CHANNELS, "chicago_sanitation")


def messages() -> list[tuple[int, dict[str, str]]]:
    return list(enumerate(csv.DictReader(io.StringIO(HEAD + ROWS)), 2))


def stored() -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    """Everything that was written, but for ids made by chance."""
    chance = {"id", "batch_id", "row_no", "reporter_id", "report_id", "subject", "seq", "tx", "reasons", "notes"}

    def plain(rows: Any) -> list[dict[str, Any]]:
        return [{name: value for name, value in row.items() if name not in chance} for row in rows]

    received = Event.objects.filter(kind__startswith="report.").order_by("seq").values()
    events = [{**row, "data": {**row["data"], "digest": ""}} for row in received]
    return (
        plain(Report.objects.order_by("message_id").values()),
        plain(Quarantined.objects.order_by("digest").values()),
        plain(events),
    )


def test_a_file_and_single_messages_write_equal_rows(town: World, general: Channel) -> None:
    one_by_one = [reports.receive(general, m, by=town.triage, at=town.at) for _, m in messages()]
    singly = stored()
    Report.objects.update(reporter=None)
    Quarantined.objects.all().delete()
    Report.objects.all().delete()
    first = Event.objects.filter(kind__startswith="report.").count()
    at_once = reports.receive_many(general, messages(), by=town.triage, at=town.at)
    together = stored()
    assert together[:2] == singly[:2]
    assert together[2][first:] == singly[2]
    fates = [(row.report is not None, row.repeated) for row in at_once]
    assert fates == [(r.report is not None, r.repeated) for r in one_by_one]
    assert fates == [
        (True, False),
        (True, False),
        (False, False),
        (False, False),
        (True, False),
        (False, False),
        (True, True),
    ]


def test_a_row_knows_what_it_said_and_where_it_belongs(town: World, general: Channel) -> None:
    rows = reports.receive_many(general, messages(), by=town.triage, at=town.at)
    assert rows[0].told is not None
    assert rows[0].place is not None
    assert rows[0].told.values["topic"] == "fire_exit"
    assert (rows[0].place.path, rows[0].row_no) == (town.grid.path, 2)
    assert "第 4 行「时间」写的是“2026年13月1日”" in rows[2].reasons[0].text.zh
    assert "同号不同文" in rows[3].reasons[0].text.zh


def test_an_import_counts_what_became_of_its_rows_and_again_adds_nothing(town: World, general: Channel) -> None:
    content = (HEAD + ROWS).encode("gbk")
    first = imports.take(general, content, name="台账.csv", by=town.triage, at=town.at).batch
    assert (first.rows, first.received, first.repeated, first.quarantined) == (7, 3, 1, 3)
    before = (Report.objects.count(), Quarantined.objects.count())
    again = imports.take(general, content, name="台账.csv", by=town.triage, at=town.at).batch
    assert (again.rows, again.received, again.repeated, again.quarantined) == (7, 0, 7, 0)
    assert (Report.objects.count(), Quarantined.objects.count()) == before
    assert Event.objects.filter(kind="batch.imported").count() == 2


def test_a_row_that_was_mended_is_not_received_again(town: World, general: Channel) -> None:
    content = (HEAD + ROWS).encode()
    imports.take(general, content, name="a.csv", by=town.triage, at=town.at)
    held = Quarantined.objects.get(row_no=4)
    quarantine.mend(held, {"时间": "2026-03-01"}, by=town.triage, at=town.at)
    again = imports.take(general, content, name="a.csv", by=town.triage, at=town.at)
    assert again.batch.repeated == 7
    assert Report.objects.count() == 4


def test_what_can_be_understood_after_the_declaration_was_mended_leaves_the_quarantine(
    town: World, general: Channel
) -> None:
    column = general.columns["topic"]
    reports.receive_many(general, [(2, {**messages()[0][1], "类别": "火"})], by=town.triage, at=town.at)
    assert Quarantined.objects.get().state == "held"
    better = general.model_copy(
        update={"columns": {**general.columns, "topic": column.model_copy(update={"map": {"火": "fire"}})}}
    )
    [row] = reports.receive_many(better, [(2, {**messages()[0][1], "类别": "火"})], by=town.triage, at=town.at)
    assert row.report is not None
    assert (Quarantined.objects.get().state, Quarantined.objects.get().report_id) == ("mended", row.report)


def test_a_file_refused_leaves_nothing_behind(town: World, general: Channel) -> None:
    packed = gzip.compress((HEAD + ROWS * 50).encode())
    with pytest.raises(Unusable):
        imports.take(general, packed[:-20], name="a.csv.gz", by=town.triage, at=town.at)
    assert not Batch.objects.exists()
    assert not Report.objects.exists()


def test_a_round_asks_the_same_questions_however_many_rows_it_has(town: World, general: Channel) -> None:
    def rows(count: int, start: int) -> list[tuple[int, dict[str, str]]]:
        return [
            (n, {"编号": f"n{n}", "时间": "2026-03-01", "类别": "违停", "描述": "占道", "网格编码": "330101001001002"})
            for n in range(start, start + count)
        ]

    reports.receive_many(general, rows(1, 1), by=town.triage, at=town.at)  # the tree is read once and kept
    counts = []
    for count, start in ((1, 10), (11, 100)):
        with CaptureQueriesContext(connection) as asked:
            reports.receive_many(general, rows(count, start), by=town.triage, at=town.at)
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_every_row_of_the_real_file_becomes_a_report_or_is_quarantined(shared: Path, chicago: Channel) -> None:
    content = (shared / REAL).read_bytes()
    done = imports.take(chicago, content, name="real.csv.gz", by=None, at=AT)
    batch = done.batch
    assert (batch.rows, batch.received, batch.repeated, batch.quarantined) == (37_230, 37_228, 0, 2)
    held = Quarantined.objects.order_by("row_no")
    assert [row.raw["service_request_number"] for row in held] == ["12-01209013", "12-01209172"]
    assert all("同号不同文" in row.reasons[0]["zh"] for row in held)
    assert sorted(Report.objects.filter(lon=None).values_list("message_id", "area__code")) == [
        ("11-02920667", "171400015"),
        ("11-03561290", "1714000"),
        ("12-00020507", "171400015"),
        ("12-00174358", "171400015"),
    ]
    whole = Report.objects.filter(area__code="1714000").exclude(notes=[])
    assert sorted(whole.values_list("message_id", flat=True)) == [
        "11-00239034", "11-00254652", "11-03561290", "11-04067254",
    ]  # fmt: skip
    assert Report.objects.filter(topic="sanitation").count() == 2_532 - _blank_among_held(held)
    again = imports.take(chicago, content, name="real.csv.gz", by=None, at=AT).batch
    assert (again.received, again.repeated, again.quarantined) == (0, 37_230, 0)
    assert (Report.objects.count(), Quarantined.objects.count()) == (37_228, 2)


def _blank_among_held(held: Any) -> int:
    return sum(not row.raw["nature"] for row in held)


def test_the_real_file_keeps_the_citys_own_marks(shared: Path, chicago: Channel) -> None:
    with gzip.open(shared / REAL, "rt", encoding="utf-8", newline="") as lines:
        rows = list(enumerate(csv.DictReader(lines), 2))
    done = reports.receive_many(chicago, rows, by=None, at=AT)
    marks: dict[str, int] = {}
    for row in done:
        if row.told is not None:
            marks[row.told.values["status"]] = marks.get(row.told.values["status"], 0) + 1
    assert marks == {"Completed": 35_439, "Completed - Dup": 1_760, "Open - Dup": 31}
    assert sum(row.told is not None and row.told.values["completed_at"] is None for row in done) == 31


def test_a_second_file_of_the_same_shape_is_imported_with_nothing_new_written(chicago: Channel) -> None:
    content = (
        b"creation_date,status,completion_date,service_request_number,type_of_service_request,nature,street_address,"
        b"zip_code,ward,police_district,community_area,latitude,longitude\r\n"
        b"2013-02-01,Open,,13-1,Sanitation Code Violation,Snow,1 N STATE ST,,42,,,41.88,-87.62\r\n"
        b"02/03/2013,Completed,02/05/2013,13-2,Sanitation Code Violation,Garbage in yard,2 N STATE ST,,7.5,,,,\r\n"
        b"2013-02-30,Open,,13-3,Sanitation Code Violation,Other,3 N STATE ST,,42,,,,\r\n"
    )
    batch = imports.take(chicago, content, name="2013.csv", by=None, at=AT).batch
    assert (batch.rows, batch.received, batch.quarantined) == (3, 2, 1)
    snow, yard = Report.objects.order_by("message_id")
    assert (snow.topic, snow.area.code) == ("sanitation", "171400042")
    assert "Snow" in snow.notes[0]["en"]
    assert (yard.topic, yard.area.code) == ("garbage_in_yard", "1714000")
    assert "没有第 30 日" in Quarantined.objects.get().reasons[0]["zh"]
