"""Files through the wizard: guessed, checked, mended, received once, and nothing lost."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from anlan.intake.models import Listed, Quarantined, Report, Statistic, Upload, UploadRow
from anlan.intake.uploading import table as upload_table
from anlan.intake.uploading import uploads
from anlan.intake.uploading import work as upload_work
from anlan.intake.uploading.layout import plans
from anlan.intake.uploading.work import NotNow
from anlan.ledger import personal
from anlan.ledger.models import Event
from anlan.places.models import Officer, Party, Site
from ledgers import AREA, BREAKS, FLAT, as_people_keep_it, broken, good, mixed, workbook
from world import World, world

FOUNDED_BEFORE = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def town() -> World:
    return world()


def text(rows: Sequence[Sequence[Any]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode("gb18030")


def checked(
    town: World,
    content: bytes,
    *,
    by: Officer | None = None,
    layout: str = "",
    columns: Mapping[str, int] | None = None,
) -> Upload:
    by = by or town.administrator
    upload = uploads.begin(content, name="台账.xlsx", layout=layout, by=by, at=town.at)
    upload = uploads.check(
        upload, columns=upload.columns if columns is None else columns, area=town.village, by=by, at=town.at
    )
    return through(town, upload)


def through(town: World, upload: Upload) -> Upload:
    while upload_work.go_on(upload.pk, at=town.at):
        pass
    upload.refresh_from_db()
    return upload


def received(town: World, content: bytes, **given: Any) -> Upload:
    return through(town, uploads.receive(checked(town, content, **given), at=town.at))


def counts(upload: Upload) -> tuple[int, int, int, int]:
    return upload.good, upload.repeated, upload.changed, upload.bad


def test_five_hundred_broken_cells_of_twelve_kinds_end_with_exactly_the_good_rows_in(town: World) -> None:
    rows, known = mixed(1500, 500)
    upload = received(town, workbook(rows))
    assert (upload.state, upload.layout, counts(upload)) == ("done", "hazard_ledger", (1000, 0, 0, 500))
    assert Report.objects.count() == 1000
    bad = {row.row_no: row for row in UploadRow.objects.filter(upload=upload)}
    assert bad.keys() == known.keys()
    for number, how in known.items():
        [reason] = bad[number].reasons
        assert (reason["column"], how.says in reason["zh"]) == (how.column, True), reason
        assert reason["en"]
    assert len({how.says for how in known.values()}) == len(BREAKS) == 12
    assert Quarantined.objects.filter(state="held").count() == 500


def test_the_same_file_again_adds_nothing(town: World) -> None:
    rows, _ = mixed(60, 12)
    received(town, workbook(rows))
    before = Event.objects.exclude(kind="batch.imported").count()
    again = received(town, workbook(rows))
    assert counts(again) == (0, 60, 0, 0)
    assert (Report.objects.count(), Quarantined.objects.count()) == (48, 12)
    assert Event.objects.exclude(kind="batch.imported").count() == before


def test_the_same_rows_in_another_file_order_and_way_of_writing_add_nothing(town: World) -> None:
    received(town, workbook([good(n) for n in range(1, 31)]))
    rows = [good(n) for n in range(30, 0, -1)]
    for row in rows:
        row[1] = row[1] if isinstance(row[1], str) else f"{row[1].year}／{row[1].month}／{row[1].day}"
    order = list(reversed(range(len(FLAT))))
    shuffled = text([[FLAT[n] for n in order], *[[row[n] for n in order] for row in rows]])
    assert counts(received(town, shuffled)) == (0, 30, 0, 0)


def test_a_row_that_says_something_else_under_its_number_is_shown_as_a_change(town: World) -> None:
    received(town, workbook([good(1), good(2)]))
    row = good(2)
    row[6] = "改过的描述"
    upload = checked(town, workbook([good(1), row]))
    assert counts(upload) == (0, 1, 1, 0)
    [changed] = uploads.to_mend(upload)
    assert changed.before is not None
    assert changed.before["隐患描述"] == good(2)[6]
    through(town, uploads.receive(upload, at=town.at))
    assert Report.objects.get(message_id__startswith="2/").description == good(2)[6]
    assert Quarantined.objects.count() == 1


def test_a_ledger_as_people_keep_it_is_understood(town: World) -> None:
    rows = [good(1), good(2), broken(3, BREAKS[7])]
    content = as_people_keep_it([*rows, [None] * 21], last=["合计", None, None, None, None, 3])
    upload = received(town, content)
    assert (upload.layout, counts(upload), upload.left_out) == ("hazard_ledger", (2, 0, 0, 1), 1)
    assert upload.notes == [{"zh": "合计行", "en": "rows of totals", "rows": 1, "at": [8]}]
    raw = Report.objects.first().raw  # type: ignore[union-attr]
    assert (raw["责任单位/建设"], raw["责任单位/监理"], raw["整改要求"]) == ("建设公司", "监理公司", "上锁")


def test_a_row_that_is_struck_off_is_left_out_and_said_so(town: World) -> None:
    over = good(2)
    over[FLAT.index("销号情况")] = "已整改"
    upload = received(town, workbook([good(1), over]))
    assert (counts(upload), upload.left_out) == ((1, 0, 0, 0), 1)
    assert "已销号" in upload.notes[0]["zh"]


def test_a_cell_mended_in_the_page_makes_its_row_good(town: World) -> None:
    upload = checked(town, workbook([good(1), broken(2, BREAKS[0]), broken(3, BREAKS[6])]))
    reach = town.reach(town.administrator)
    still = uploads.mend(upload, 3, {"检查时间": "2026年14月1日"}, by=town.administrator, reach=reach, at=town.at)
    assert "第 14 月不存在" in still.reasons[0]["zh"]
    done = uploads.mend(upload, 3, {"检查时间": "2025年12月1日"}, by=town.administrator, reach=reach, at=town.at)
    assert (done.state, done.reasons) == ("mended", [])
    upload.refresh_from_db()
    assert counts(upload) == (2, 0, 0, 1)
    assert counts(through(town, uploads.receive(upload, at=town.at))) == (2, 0, 0, 1)
    assert Report.objects.get(message_id__startswith="2/").raw["检查时间"] == "2025年12月1日"


def test_a_row_mended_after_the_rest_was_received_is_received_at_once(town: World) -> None:
    upload = received(town, workbook([good(1), broken(2, BREAKS[7])]))
    reach = town.reach(town.administrator)
    row = uploads.mend(upload, 3, {"等级": "重大"}, by=town.administrator, reach=reach, at=town.at)
    assert (row.state, Report.objects.count()) == ("taken", 2)
    assert Quarantined.objects.get().state == "mended"
    assert not uploads.to_mend(upload).exists()
    with pytest.raises(NotNow, match="已经收下"):
        uploads.mend(upload, 3, {"等级": "一般"}, by=town.administrator, reach=reach, at=town.at)


def test_the_columns_somebody_chose_are_chosen_again_next_time(town: World) -> None:
    heads = ["号", "哪天", "哪里", "怎么了"]
    rows = [heads, ["1", "2026-03-01", "一号工点", "堆物"]]
    first = uploads.begin(text(rows), name="a.csv", layout="hazard_ledger", by=town.administrator, at=town.at)
    with pytest.raises(NotNow, match="检查时间、工点、隐患描述"):
        uploads.check(first, columns={}, area=None, by=town.administrator, at=town.at)
    chosen = {"number": 0, "told_at": 1, "address": 2, "description": 3}
    done = through(town, uploads.check(first, columns=chosen, area=None, by=town.administrator, at=town.at))
    assert counts(done) == (1, 0, 0, 0)
    next_time = uploads.begin(text(rows), name="b.csv", layout="", by=town.administrator, at=town.at)
    assert (next_time.layout, next_time.columns) == ("hazard_ledger", chosen)


def test_somebody_may_report_only_where_they_work(town: World) -> None:
    rows = good(1)
    rows[FLAT.index("辖区")], rows[FLAT.index("经度")], rows[FLAT.index("纬度")] = "330199001001001", None, None
    upload = checked(town, workbook([rows]), by=town.triage)
    assert counts(upload) == (0, 0, 0, 1)
    assert "范围内" in UploadRow.objects.get().reasons[0]["zh"]


HOUSES = ["房屋编码", "房屋地址", "所属网格", "房主", "房东电话", "建筑面积", "出租间数", "居住人数"]


def house(number: int, **other: str) -> list[str]:
    row = dict(
        zip(
            HOUSES,
            [f"F{number}", f"幸福路 {number} 号", AREA, f"房东{number}", "138 0000 0000", "120㎡", "约5间", "8 人"],
            strict=True,
        )
    )
    return list({**row, **other}.values())


def test_a_list_of_rented_houses_becomes_sites_with_their_landlords(town: World) -> None:
    before = Site.objects.count()
    content = text([["某村出租房清单"], HOUSES, house(1), house(2, 建筑面积="3 斤"), house(3, 房东电话="12")])
    upload = received(town, content)
    assert (upload.layout, counts(upload)) == ("rental_houses", (1, 0, 0, 2))
    site = Site.objects.get(code="F1")
    assert (Site.objects.count(), site.kind, site.area.code, site.name) == (
        before + 1, "rental_house", "330101001001001", "幸福路 1 号",
    )  # fmt: skip
    assert site.operator is not None
    assert site.operator.contact is not None
    assert personal.read(site.operator.contact) == {"phone": "13800000000"}
    assert Listed.objects.get().values == {"floor_area": 120.0, "rooms": 5.0, "people": 8.0}
    assert "12" not in str(UploadRow.objects.get(row_no=5).reasons)
    assert "13800000000" not in str(list(UploadRow.objects.values_list("cells", flat=True)))


def test_a_list_of_sites_again_adds_nothing_and_a_change_is_made(town: World) -> None:
    received(town, text([HOUSES, house(1), house(2)]))
    events, owners = Event.objects.count(), Party.objects.count()
    again = received(town, text([HOUSES, house(2), house(1)]))
    assert (counts(again), Party.objects.count()) == ((0, 2, 0, 0), owners)
    assert Event.objects.exclude(kind="batch.imported").count() == events - 1
    upload = checked(town, text([HOUSES, house(1, 居住人数="9人"), house(2)]))
    assert counts(upload) == (0, 1, 1, 0)
    through(town, uploads.receive(upload, at=town.at))
    assert Listed.objects.get(number="F1").values["people"] == 9.0
    assert not uploads.to_mend(upload).exists()


def test_a_house_mended_after_the_file_was_received_is_entered(town: World) -> None:
    upload = received(town, text([HOUSES, house(1), house(2, 房东电话="12")]))
    reach = town.reach(town.administrator)
    row = uploads.mend(upload, 3, {"房东电话": "13900000000"}, by=town.administrator, reach=reach, at=town.at)
    assert row.state == "taken"
    assert Site.objects.filter(code="F2").exists()


def test_nobody_changes_a_site_or_a_party_of_another_area_by_naming_its_code(town: World) -> None:
    theirs = town.neighbour_site
    hers = house(1, 房屋编码=theirs.code)
    upload = received(town, text([HOUSES, hers, house(2)]))
    assert counts(upload) == (1, 0, 0, 1)
    assert "职责范围" in UploadRow.objects.get().reasons[0]["zh"]
    theirs.refresh_from_db()
    assert theirs.area_path.startswith(town.neighbour.path)
    other = town.neighbour_party
    Party.objects.filter(pk=other.pk).update(official_code="91330000MA0000000X")
    heads = ["企业名称", "所属网格", "统一社会信用代码", "联系电话"]
    received(town, text([heads, ["冒名厂", AREA, "91330000MA0000000X", "13800000000"]]))
    assert Site.objects.get(name="冒名厂").operator == other
    other.refresh_from_db()
    assert (other.name, other.contact) == ("邻房东", None)


def test_a_row_that_cannot_be_entered_keeps_the_others_from_nothing(town: World) -> None:
    heads = ["企业名称", "所属网格", "经度", "纬度"]
    upload = received(town, text([heads, ["甲厂", AREA, "122.02", ""], ["乙厂", AREA, "", ""]]), layout="enterprises")
    assert upload.state == "done"
    assert Site.objects.filter(name="乙厂").exists()


def test_a_table_before_there_is_any_area_is_refused_with_a_sentence(town: World) -> None:
    upload = uploads.begin(workbook([good(1)]), name="x.xlsx", layout="", by=town.administrator, at=town.at)
    early = FOUNDED_BEFORE
    uploads.check(upload, columns=upload.columns, area=None, by=town.administrator, at=early)
    upload_work.go_on(upload.pk, at=early)
    upload.refresh_from_db()
    assert upload.state == "failed"
    assert "还没有建立辖区" in upload.notes[0]["zh"]


FIGURES = ["指标", "辖区", "期间", "数值", "单位", "来源"]


def test_figures_come_in_with_their_unit_and_source_and_a_correction_keeps_the_old_one(town: World) -> None:
    first = received(
        town,
        text([FIGURES, ["火警", "东镇", "2026年2月", "1,204", "起", "月报"], ["火警", "西镇", "上月", "2", "起", ""]]),
    )
    assert (first.layout, counts(first)) == ("figures", (1, 0, 0, 1))
    assert counts(received(town, text([FIGURES, ["火警", "东镇", "2026-02", "1204", "起", "月报"]]))) == (0, 1, 0, 0)
    corrected = received(town, text([FIGURES, ["火警", "东镇", "2026-02", "1206", "起", "更正函"]]))
    assert counts(corrected) == (0, 0, 1, 0)
    versions = list(Statistic.objects.order_by("version").values_list("value", "is_current", "source"))
    assert versions == [(1204.0, False, "月报"), (1206.0, True, "更正函")]
    assert Event.objects.filter(kind="statistic.corrected").count() == 1


def test_an_upload_given_up_leaves_nothing(town: World) -> None:
    upload = checked(town, workbook([good(1), broken(2, BREAKS[0])]))
    uploads.drop(upload, at=town.at)
    assert not UploadRow.objects.exists()
    assert not upload_table.path_of(upload.pk).exists()
    with pytest.raises(NotNow):
        uploads.receive(upload, at=town.at)


def test_an_upload_nobody_goes_on_with_is_forgotten_with_its_file(town: World) -> None:
    left = checked(town, workbook([broken(1, BREAKS[0])]))
    kept = received(town, workbook([good(2)]))
    assert uploads.forget_old(at=town.at + timedelta(days=89)) == 0
    assert uploads.forget_old(at=town.at + timedelta(days=91)) == 1
    assert not upload_table.path_of(left.pk).exists()
    left.refresh_from_db()
    kept.refresh_from_db()
    assert (left.state, kept.state) == ("dropped", "done")


def test_a_file_that_is_gone_from_the_disk_is_said_to_be(town: World) -> None:
    upload = checked(town, workbook([good(1)]))
    upload_table.forget(upload.pk)
    upload = through(town, uploads.receive(upload, at=town.at))
    assert upload.state == "failed"
    assert "重新上传" in upload.notes[0]["zh"]


def test_every_layout_is_guessed_from_its_own_headings(town: World) -> None:
    for key, plan in plans().items():
        content = text([[column.names[0] for column in plan.columns.values()], ["" for _ in plan.columns]])
        upload = uploads.begin(content, name="x.csv", layout="", by=town.administrator, at=town.at + timedelta(days=1))
        assert upload.layout == key, plan.title
