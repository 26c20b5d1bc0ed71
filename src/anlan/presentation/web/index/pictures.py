"""Pictures of an index drawn on the server: the tree of strips, an interval of places, and a map of bands. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from anlan.index.scoring.framework import Framework

WIDTH: Final = 1000.0
ROW: Final = 46.0
LEAF_ROW: Final = 34.0
LETTER: Final = 13.0
GAP: Final = 1.2


@dataclass(frozen=True, slots=True)
class Strip:
    """One node of the tree: where it lies, how it is shaded, its words, and where a click leads."""

    x: float
    y: float
    width: float
    height: float
    label: str
    title: str
    css: str
    url: str


@dataclass(frozen=True, slots=True)
class Strips:
    """The index as a tree of strips whose widths are weights."""

    width: float
    height: float
    strips: list[Strip]


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of a node: its short words, all of them, its css class and its address."""

    label: str
    title: str
    css: str = ""
    url: str = ""


def strips(tree: Framework, weights: Sequence[float], said: Callable[[int], Said]) -> Strips:
    """The tree with the index itself on top, each row one level down; a node of no weight has no strip.

    `weights` are the nodes' shares of the whole, in the order of the tree; where a share is NaN nothing is drawn.
    """
    found: list[Strip] = []
    deepest = max(node.depth for node in tree.nodes)

    def lay(place: int, left: float, width: float) -> None:
        node = tree.nodes[place]
        height = LEAF_ROW if node.leaf >= 0 else ROW
        found.append(_strip(said(place), left, node.depth * ROW, width, height))
        held = [(child, max(0.0, weights[child])) for child in node.children if weights[child] == weights[child]]
        whole = sum(weight for _, weight in held)
        for child, weight in held:
            if whole and weight:
                lay(child, left, width * weight / whole)
                left += width * weight / whole

    lay(0, 0.0, WIDTH)
    return Strips(WIDTH, deepest * ROW + LEAF_ROW, found)


def _strip(said: Said, x: float, y: float, width: float, height: float) -> Strip:
    inner = max(0.4, width - GAP)
    label = _cut(said.label, inner - 10)
    return Strip(
        round(x, 1), round(y, 1), round(inner, 1), round(height - GAP, 1), label, said.title, said.css, said.url
    )


def _cut(label: str, room: float) -> str:
    """The words as far as there is room for them; none where that would be a letter or two."""
    if _long(label) <= room:
        return label
    kept = label
    while kept and _long(kept) + LETTER > room:
        kept = kept[:-1]
    return f"{kept.rstrip()}…" if _long(kept) >= 2 * LETTER else ""


def _long(label: str) -> float:
    return sum(LETTER if ord(letter) > 0x2E80 else LETTER * 0.58 for letter in label)


@dataclass(frozen=True, slots=True)
class Bar:
    """An interval of places on a line from the first to the last: in percent of the line, for drawing."""

    left: float
    width: float
    mark: float


def bar(place: int, low: int, high: int, many: int) -> Bar:
    """The interval from `low` to `high` of `many` places, with a mark at `place`."""
    step = 100 / max(1, many)
    return Bar(round((low - 1) * step, 2), round((high - low + 1) * step, 2), round((place - 0.5) * step, 2))


def spark(values: Iterable[float | None], *, width: float = 96.0, height: float = 26.0) -> str:
    """The points of a small line, as svg wants them; "" with fewer than two values."""
    known = [(at, value) for at, value in enumerate(values) if value is not None]
    if len(known) < 2:
        return ""
    low, high = min(v for _, v in known), max(v for _, v in known)
    room, last = (high - low) or 1.0, known[-1][0] - known[0][0]
    return " ".join(
        f"{3 + (at - known[0][0]) / last * (width - 6):.1f},{3 + (high - value) / room * (height - 6):.1f}"
        for at, value in known
    )
