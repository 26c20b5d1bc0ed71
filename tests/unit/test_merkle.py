"""The digests of a batch: known answers, and nothing changes unnoticed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anlan.ledger import merkle

# The vectors of certificate-transparency's tests of RFC 6962: the inputs, and the root over the first n of them.
INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
DIGESTS = pytest.mark.parametrize("digest", [merkle.sha256, merkle.sm3])
batches = st.lists(st.binary(max_size=20), min_size=1, max_size=40)


def root_of(digest: merkle.Digest, records: list[bytes]) -> bytes:
    return merkle.root(digest, [merkle.leaf(digest, record) for record in records])


@pytest.mark.parametrize("count", range(1, 9))
def test_the_root_is_that_of_rfc_6962(count: int) -> None:
    records = [bytes.fromhex(text) for text in INPUTS[:count]]
    assert root_of(merkle.sha256, records).hex() == ROOTS[count - 1]


def test_sm3_gives_the_answer_of_the_standard() -> None:
    assert merkle.sm3(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


def test_nothing_has_no_root() -> None:
    with pytest.raises(ValueError, match="at least one event"):
        merkle.root(merkle.sha256, [])


@DIGESTS
@given(batches, st.data())
def test_one_changed_record_changes_the_root(digest: merkle.Digest, records: list[bytes], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(records) - 1))
    other = data.draw(st.binary(max_size=20).filter(lambda record: record != records[place]))
    assert root_of(digest, records) != root_of(digest, [*records[:place], other, *records[place + 1 :]])


@DIGESTS
@given(batches, st.data())
def test_one_record_more_or_less_changes_the_root(
    digest: merkle.Digest, records: list[bytes], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(records)))
    more = [*records[:place], data.draw(st.binary(max_size=20)), *records[place:]]
    assert root_of(digest, records) != root_of(digest, more)


@given(batches)
def test_a_node_cannot_pass_for_a_record(records: list[bytes]) -> None:
    leaves = [merkle.leaf(merkle.sha256, record) for record in records]
    two = [*leaves, *leaves]
    passed_off = [leaves[i] + leaves[i + 1] for i in range(0, len(leaves) - 1, 2)] or [b"".join(two)]
    assert root_of(merkle.sha256, passed_off) != merkle.root(merkle.sha256, leaves)


@DIGESTS
@given(st.tuples(*[st.integers(-(2**63), 2**63 - 1)] * 5), st.integers(0, 4), st.binary(min_size=32, max_size=32))
def test_every_number_of_a_seal_is_bound_by_the_chain(
    digest: merkle.Digest, numbers: tuple[int, int, int, int, int], place: int, top: bytes
) -> None:
    changed = list(numbers)
    changed[place] ^= 1
    first, second, third, fourth, fifth = changed
    assert merkle.chain(digest, merkle.NOTHING_BEFORE, numbers, top) != merkle.chain(
        digest, merkle.NOTHING_BEFORE, (first, second, third, fourth, fifth), top
    )


@DIGESTS
@given(batches, st.data())
def test_from_every_leaf_the_way_leads_to_the_root(
    digest: merkle.Digest, records: list[bytes], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(records) - 1))
    leaves = [merkle.leaf(digest, record) for record in records]
    steps = merkle.way(digest, leaves, place)
    assert merkle.follow(digest, leaves[place], steps) == merkle.root(digest, leaves)
    other = data.draw(st.binary(max_size=20).filter(lambda record: record != records[place]))
    assert merkle.follow(digest, merkle.leaf(digest, other), steps) != merkle.root(digest, leaves)


@pytest.mark.parametrize("place", [-1, 3])
def test_there_is_no_way_from_a_leaf_that_is_not_there(place: int) -> None:
    with pytest.raises(IndexError, match="no leaf"):
        merkle.way(merkle.sha256, [b"a", b"b", b"c"], place)
