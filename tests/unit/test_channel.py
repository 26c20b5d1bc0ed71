"""Channels and topics: what may be declared, and that what is declared holds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from anlan.intake import channel as channels
from anlan.intake import reading, topic
from anlan.intake.channel import CHANNELS, Channel, Example, told_in
from anlan.intake.reading import Unclear, Understood, understand
from anlan.intake.topic import TOPICS
from anlan.kernel import catalogue
from anlan.kernel.catalogue import DeclarationError

PACKS = Path(__file__).parents[2] / "packs"
AT = datetime(2026, 11, 20, 4, tzinfo=UTC)


@pytest.fixture(scope="module", autouse=True)
def every_pack() -> Iterator[None]:
    with catalogue.using(sorted(path for path in PACKS.iterdir() if path.is_dir())):
        yield


def declared(**changes: Any) -> Channel:
    said: dict[str, Any] = {
        "key": "small",
        "title": {"zh": "小", "en": "Small"},
        "kind": "sheet",
        "time_zone": "Asia/Shanghai",
        "message_id": "{no}",
        "columns": {
            "no": {"from": "no"},
            "told_at": {"from": ["when", "时间"], "kind": "date", "required": True},
            "topic": {"from": "what", "kind": "topic", "map": {"火": "fire"}, "default": "other"},
            "description": {"from": "text"},
            "lon": {"from": "x", "kind": "lon", "on_bad": "blank"},
            "lat": {"from": "y", "kind": "lat", "on_bad": "blank"},
        },
    }
    return Channel.model_validate({**said, **changes})


def clear(read: Understood | Unclear) -> Understood:
    assert isinstance(read, Understood), read
    return read


def unclear(read: Understood | Unclear) -> Unclear:
    assert isinstance(read, Unclear), read
    return read


MESSAGE = {"no": "7", "when": "2026-11-02", "what": "火", "text": "冒烟", "x": "120.1", "y": "29.1"}


def test_a_message_is_read_by_its_declaration() -> None:
    read = clear(understand(declared(), MESSAGE, at=AT))
    assert read.message_id == "7"
    assert read.told_at == datetime(2026, 11, 1, 16, tzinfo=UTC)
    assert (read.topic, read.description, read.lon, read.lat) == ("fire", "冒烟", 120.1, 29.1)
    assert read.notes == ()
    assert read.values["no"] == "7"


def test_a_column_is_found_under_any_of_its_names_however_it_is_written() -> None:
    message = {"no": "7", " 时间 ": "2026-11-02", "ＴＥＸＴ": "冒烟"}
    assert clear(understand(declared(), message, at=AT)).description == "冒烟"


def test_every_reason_is_told_at_once_with_row_column_and_cell() -> None:
    read = unclear(understand(declared(), {**MESSAGE, "when": "2026年13月1日", "what": "风"}, at=AT, row_no=12))
    assert [reason.field for reason in read.reasons] == ["told_at", "topic"]
    assert read.reasons[0].text.zh.startswith("第 12 行「when」写的是“2026年13月1日”：第 13 月不存在")
    assert read.reasons[0].text.en.startswith("Row 12, “when” says “2026年13月1日”: there is no month 13")


def test_a_required_blank_is_a_reason_and_a_default_is_not() -> None:
    assert "是空的：必须填写" in unclear(understand(declared(), {**MESSAGE, "when": " "}, at=AT)).reasons[0].text.zh
    assert clear(understand(declared(), {**MESSAGE, "what": ""}, at=AT)).topic == "other"


def test_a_bad_cell_that_may_be_blank_is_set_aside_with_a_note() -> None:
    read = clear(understand(declared(), {**MESSAGE, "x": "east"}, at=AT))
    assert (read.lon, read.lat) == (None, None)
    assert "「x」写的是“east”" in read.notes[0].zh
    assert len(read.notes) == 2


def test_a_point_at_zero_zero_is_no_point() -> None:
    read = clear(understand(declared(), {**MESSAGE, "x": "0", "y": "0"}, at=AT))
    assert read.lon is None
    assert "(0, 0)" in read.notes[0].en


def test_coordinates_are_turned_into_wgs84() -> None:
    read = clear(understand(declared(coordinate_system="gcj02"), MESSAGE, at=AT))
    assert read.lon is not None
    assert 0.001 < abs(read.lon - 120.1) < 0.01


def test_a_moment_that_has_not_come_yet_is_refused() -> None:
    read = unclear(understand(declared(), {**MESSAGE, "when": "2027-01-01"}, at=AT))
    assert "还没有到" in read.reasons[0].text.zh


def test_a_formula_is_refused_and_never_computed() -> None:
    read = unclear(understand(declared(), {**MESSAGE, "text": '=cmd|"/c calc"!A1'}, at=AT))
    assert "公式" in read.reasons[0].text.zh


def test_a_topic_is_known_by_key_title_and_word_in_either_language() -> None:
    for name in ("fire_exit", "消防通道与疏散", "Fire exits and escape routes", "楼道堆物"):
        assert clear(understand(declared(), {**MESSAGE, "what": name}, at=AT)).topic == "fire_exit"


def test_cells_beyond_the_headings_are_a_reason() -> None:
    assert "多出单元格" in unclear(understand(declared(), {**MESSAGE, "+": "x"}, at=AT)).reasons[0].text.zh
    assert clear(understand(declared(), {**MESSAGE, "+": ""}, at=AT)).message_id == "7", "mended"


def test_a_long_address_is_shown_short_and_kept_whole() -> None:
    channel = declared(
        columns={"told_at": {"from": "when", "kind": "date"}, "address": {"from": "where"}}, message_id=""
    )
    read = clear(understand(channel, {"when": "2026-11-02", "where": "长" * 300}, at=AT))
    assert len(read.address) == 200
    assert "原文保留" in read.notes[0].zh


def test_a_message_without_its_number_has_none() -> None:
    assert clear(understand(declared(), {**MESSAGE, "no": " "}, at=AT)).message_id == ""


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"time_zone": "Mars/Olympus"}, "没有时区"),
        ({"encodings": ["utf-9"]}, "没有编码"),
        ({"message_id": "{nummer}"}, "没有列「nummer」"),
        ({"columns": {"told_at": {"from": "a", "kind": "text"}}, "message_id": ""}, "kind 应为 date"),
        ({"columns": {"lon": {"from": "a", "kind": "lon"}}, "message_id": ""}, "lon 与 lat 要一起写"),
        ({"columns": {"s": {"from": "a", "kind": "choice"}}, "message_id": ""}, "列出 choices"),
        ({"columns": {"a": {"from": "a", "kind": "area_code", "code": "x"}}, "message_id": ""}, "{value}"),
        ({"columns": {"a": {"from": "a", "required": True, "on_bad": "blank"}}, "message_id": ""}, "必填"),
        ({"replay": {"opened": "nowhere"}}, "columns 里没有「nowhere」"),
        ({"mesage_id": "{no}"}, "mesage_id"),
    ],
)
def test_a_declaration_that_cannot_work_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        declared(**changes)
    assert said in str(refused.value)


def test_a_misspelt_key_in_a_file_is_named_with_what_was_meant(tmp_path: Path) -> None:
    folder = tmp_path / "channels"
    folder.mkdir()
    (folder / "bad.toml").write_text(
        'key = "bad"\ntitel = { zh = "坏", en = "Bad" }\nkind = "api"\ntime_zone = "UTC"\n[columns.a]\nfrom = "a"\n',
        encoding="utf-8",
    )
    with catalogue.using([tmp_path]) as known, pytest.raises(DeclarationError) as refused:
        known.all(CHANNELS)
    assert "bad.toml" in refused.value.text.zh
    assert "title" in refused.value.text.zh


def examples() -> list[Any]:
    with catalogue.using(sorted(path for path in PACKS.iterdir() if path.is_dir())) as known:
        return [
            pytest.param(channel, example, id=f"{channel.key}-{number}")
            for channel in known.all(CHANNELS).values()
            for number, example in enumerate(channel.examples)
        ]


@pytest.mark.parametrize(("channel", "example"), examples())
def test_every_channel_reads_its_own_examples(channel: Channel, example: Example) -> None:
    read = understand(channel, told_in(channel, example), at=AT)
    assert isinstance(read, Unclear) == example.refused, read
    if isinstance(read, Understood):
        told = {**read.values, **read._asdict()}
        assert {field: str(told[field]) for field in example.gives} == example.gives


def test_every_channel_has_an_example_that_is_taken_and_one_that_is_refused() -> None:
    for channel in catalogue.current().all(CHANNELS).values():
        assert {example.refused for example in channel.examples} == {True, False}, channel.key


def test_every_channel_and_topic_speaks_only_of_topics_there_are() -> None:
    known = catalogue.current()
    for channel in known.all(CHANNELS).values():
        assert not list(channels.strangers(channel, known)), channel.key
    for declared_topic in known.all(TOPICS).values():
        assert not list(topic.strangers(declared_topic, known)), declared_topic.key


def test_a_channel_that_speaks_of_an_unknown_topic_is_found() -> None:
    channel = declared(topic_default="nothing")
    assert [where for where, _ in channels.strangers(channel, catalogue.current())] == ["topic_default"]


def test_every_default_can_be_read() -> None:
    for channel in catalogue.current().all(CHANNELS).values():
        for field, column in channel.columns.items():
            if column.default:
                blank = {column.names[0]: ""}
                read = reading.Reader(
                    channel.model_copy(update={"columns": {field: column}, "message_id": ""}), tuple(blank)
                )
                assert isinstance(read.read(blank, at=AT), Understood), f"{channel.key}.{field}"


def test_every_topic_is_proposed_for_its_own_examples() -> None:
    topics = catalogue.current().all(TOPICS)
    for key, declared_topic in topics.items():
        for sentence in declared_topic.examples:
            assert topic.propose(topics, sentence)[0] == key


def test_a_topic_knows_the_broader_ones_above_it() -> None:
    assert topic.lineage(catalogue.current().all(TOPICS), "overflowing_carts") == (
        "overflowing_carts", "sanitation", "waste", "city_environment",
    )  # fmt: skip


def test_nothing_is_proposed_for_words_nobody_declared() -> None:
    assert topic.propose(catalogue.current().all(TOPICS), "zzz") == []
