"""Identifiers sort by time and carry the moment they are given."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import RFC_4122

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anlan.kernel.ids import id_at, moment_of, new_id


def test_ids_made_one_after_another_sort_in_that_order() -> None:
    made = [new_id() for _ in range(5000)]
    assert made == sorted(made)
    assert len(set(made)) == 5000


def test_an_id_is_a_version_7_uuid() -> None:
    for made in (new_id(), id_at(datetime(2026, 11, 22, tzinfo=UTC))):
        assert made.version == 7
        assert made.variant == RFC_4122


@given(st.integers(min_value=0, max_value=7_000_000_000_000_000))
def test_an_id_made_for_a_moment_carries_it_to_the_millisecond(microseconds: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    carried = moment_of(id_at(moment))
    assert timedelta(0) <= moment - carried < timedelta(milliseconds=1)


def test_an_id_for_the_past_does_not_disturb_the_order_of_new_ones() -> None:
    before = new_id()
    id_at(datetime(2100, 1, 1, tzinfo=UTC))
    assert before < new_id() < id_at(datetime(2100, 1, 1, tzinfo=UTC))


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        id_at(datetime(2026, 11, 22, tzinfo=UTC).replace(tzinfo=None))
