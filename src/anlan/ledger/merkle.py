"""Digests of a batch of events: leaves, the Merkle root over them, and the chain from seal to seal.

The tree is that of RFC 6962: leaves and nodes are hashed under different first bytes, and an odd node is carried up as
it is, so that no two lists of leaves have the same root.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from struct import Struct
from typing import NamedTuple

from cryptography.hazmat.primitives import hashes

Digest = Callable[[bytes], bytes]

LEAF, NODE, CHAIN = b"\x00", b"\x01", b"\x02"
NOTHING_BEFORE = bytes(32)
_HEAD = Struct(">qqqqq")


def sha256(data: bytes) -> bytes:
    """SHA-256 (FIPS 180-4)."""
    return hashlib.sha256(data).digest()


def sm3(data: bytes) -> bytes:
    """SM3 (GB/T 32905-2016)."""
    state = hashes.Hash(hashes.SM3())
    state.update(data)
    return state.finalize()


def leaf(digest: Digest, record: bytes) -> bytes:
    """The digest of one event's bytes."""
    return digest(LEAF + record)


def root(digest: Digest, leaves: Sequence[bytes]) -> bytes:
    """The root over at least one leaf."""
    if not leaves:
        raise ValueError("A seal holds at least one event.")
    level = list(leaves)
    while len(level) > 1:
        paired = [digest(NODE + level[i] + level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = paired + level[len(paired) * 2 :]
    return level[0]


class Step(NamedTuple):
    """One step up the tree: the digest beside us, in hex, and whether it stands on the left."""

    beside: str
    on_left: bool


def way(digest: Digest, leaves: Sequence[bytes], place: int) -> tuple[Step, ...]:
    """The way from the leaf at `place`, from 0, to the root; where a node is carried up as it is there is no step."""
    if not 0 <= place < len(leaves):
        raise IndexError(f"There is no leaf {place} among {len(leaves)}.")
    level, steps = list(leaves), []
    while len(level) > 1:
        beside = place ^ 1
        if beside < len(level):
            steps.append(Step(level[beside].hex(), beside < place))
        paired = [digest(NODE + level[i] + level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level, place = paired + level[len(paired) * 2 :], place // 2
    return tuple(steps)


def follow(digest: Digest, start: bytes, steps: Iterable[Step]) -> bytes:
    """Where the way leads that begins at this leaf."""
    reached = start
    for step in steps:
        beside = bytes.fromhex(step.beside)
        reached = digest(NODE + beside + reached) if step.on_left else digest(NODE + reached + beside)
    return reached


def chain(digest: Digest, before: bytes, numbers: tuple[int, int, int, int, int], top: bytes) -> bytes:
    """What binds a seal to the one before it.

    `numbers`: the seal's number, its count of events, the first and last seq, and its moment in microseconds since
    1970; `top` is its root.
    """
    return digest(CHAIN + before + _HEAD.pack(*numbers) + top)
