"""The quick search for nearly equal prints finds exactly what comparing each with each would find."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from anlan.facts.same_picture import alike
from anlan.intake.photo_print import PARTS, SAME_BITS, from_column, to_column

PRINTS = st.integers(0, 2**64 - 1)
PLACES = st.lists(st.integers(0, 63), max_size=6)


def kept(found: int) -> int:
    column = to_column(found)
    assert column is not None
    return column


def by_force(prints: list[int], among: list[int]) -> list[tuple[int, int]]:
    return [
        (place, other)
        for place, one in enumerate(prints)
        for other, two in enumerate(among)
        if (from_column(one) ^ from_column(two)).bit_count() <= SAME_BITS
    ]


@given(st.lists(PRINTS, max_size=6), st.lists(PLACES, max_size=8), st.lists(PRINTS, max_size=6))
def test_all_that_hardly_differ_are_found_and_each_pair_once(
    prints: list[int], turned: list[list[int]], others: list[int]
) -> None:
    among = list(others)
    for nth, places in enumerate(turned if prints else ()):
        near = prints[nth % len(prints)]
        for place in places:
            near ^= 1 << place
        among.append(near)
    asked, known = [kept(each) for each in prints], [kept(each) for each in among]
    assert sorted(alike(asked, known)) == by_force(asked, known)


def test_one_bit_more_is_another_picture() -> None:
    first = kept(0xF0F0_1234_ABCD_0001)
    three, four = kept(0xF0F0_1234_ABCD_0001 ^ 0b0111), kept(0xF0F0_1234_ABCD_0001 ^ 0b1111)
    assert list(alike([first], [three, four])) == [(0, 0)]


def test_the_parts_of_a_print_are_all_of_it_and_nothing_twice() -> None:
    together = 0
    for mask in PARTS:
        assert together & from_column(mask) == 0
        together |= from_column(mask)
    assert together == 2**64 - 1
    assert len(PARTS) == SAME_BITS + 1
