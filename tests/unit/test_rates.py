"""Shares: what they are worked out from, and that every shipped one says what it needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from anlan.casework.contribution import COLUMNS
from anlan.index.counting.rates import SHARES, Rate, Share, in_order, rate, rates
from anlan.kernel import catalogue
from anlan.kernel.catalogue import DeclarationError, read

SHIPPED = catalogue.current().all(SHARES)


def sums(**counts: int) -> dict[str, int]:
    return dict.fromkeys(COLUMNS, 0) | counts


def test_a_rate_is_one_sum_over_another() -> None:
    found = rate(SHIPPED["inTimeDisposeRate"], sums(handled_in_time=3, to_handle=4, handled=4))
    assert found == Rate(0.75, 3, 4)


def test_an_overdue_open_case_lowers_the_rate_at_once() -> None:
    before = rate(SHIPPED["inTimeDisposeRate"], sums(handled_in_time=3, handled=3, to_handle=3))
    after = rate(SHIPPED["inTimeDisposeRate"], sums(handled_in_time=3, handled=3, to_handle=4))
    assert (before.value, after.value) == (1.0, 0.75)


def test_a_rate_of_nothing_is_no_rate() -> None:
    assert rate(SHIPPED["archiveRate"], sums()) == Rate(None, 0, 0)


def test_a_column_with_a_minus_is_taken_off() -> None:
    counted = sums(reported=10, closed=5, closed_in_time=4, to_close=6, merged=1, refused=1, voided=1)
    assert rate(SHIPPED["overTimeArchiveRate"], counted) == Rate(1 / 6, 1, 6)
    assert rate(SHIPPED["toArchiveRate"], counted) == Rate(0.2, 2, 10)


def test_a_missing_column_is_an_error_and_not_a_zero() -> None:
    with pytest.raises(KeyError):
        rate(SHIPPED["archiveRate"], {"closed": 1})


def test_the_rates_of_the_field_are_shipped_under_its_names() -> None:
    names = {key: share.title.zh for key, share in SHIPPED.items()}
    assert names == {
        "disposeRate": "处置率",
        "inTimeDisposeRate": "按期处置率",
        "archiveRate": "结案率",
        "inTimeArchiveRate": "按期结案率",
        "overTimeArchiveRate": "超期结案率",
        "toArchiveRate": "未结案率",
        "validReportRate": "有效上报率",
        "overdueOpenRate": "超期未办结率",
        "reworkRate": "返工率",
        "returnRate": "回退率",
        "shuffleRate": "推诿率",
        "extensionRate": "延期率",
        "hungRate": "挂账率",
    }


@pytest.mark.parametrize("key", sorted(SHIPPED))
def test_every_shipped_rate_can_be_worked_out_and_lies_between_none_and_all(key: str) -> None:
    everything = dict.fromkeys(COLUMNS, 1)
    found = rate(SHIPPED[key], everything)
    assert found.denominator == 1
    assert found.numerator <= 1


def test_rates_stand_in_their_order() -> None:
    assert [share.key for share in in_order(SHIPPED)][:2] == ["inTimeDisposeRate", "disposeRate"]
    assert set(rates(SHIPPED, sums())) == set(SHIPPED)


def test_a_share_of_a_column_that_nobody_counts_is_refused_with_the_columns_there_are(tmp_path: Path) -> None:
    path = tmp_path / "shares" / "wrong.toml"
    path.parent.mkdir()
    path.write_text(
        'key = "wrong"\ntitle = { zh = "错", en = "wrong" }\nsummary = { zh = "错", en = "wrong" }\n'
        'numerator = ["handeld"]\ndenominator = ["to_handle"]\nbetter = "up"\n'
        'basis = { source = "x", mark = "U", checked_on = 2026-11-22 }\n',
        encoding="utf-8",
    )
    with pytest.raises(DeclarationError) as refused:
        read(SHARES, path)
    assert "numerator" in refused.value.text.zh
    assert "没有这样的计数：handeld" in refused.value.text.zh
    assert "There is no such count: handeld" in refused.value.text.en


def test_a_share_says_which_way_is_better() -> None:
    worse: list[Share] = [share for share in SHIPPED.values() if share.better == "down"]
    assert {"reworkRate", "returnRate", "hungRate", "overTimeArchiveRate"} <= {share.key for share in worse}
