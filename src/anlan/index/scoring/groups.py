"""Which units are peers, from what is told of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from anlan.index.scoring.spec import Peers
from anlan.kernel.refusals import unknown
from anlan.kernel.text import Refusal

Labels = Mapping[str, Sequence[str]]
"""What is told of units: by name ("level", "kind", "parent", …), one label a unit."""


class Unlabelled(Refusal):
    """Peers are told apart by something that is not told of the units."""

    def __init__(self, peers: Peers, name: str, known: Sequence[str]) -> None:
        said = unknown("单位属性", "label of units", name, known)
        super().__init__(f"同类组“{peers.key}”：{said.zh}", f"Peers “{peers.key}”: {said.en}", field="by")


def grouped(peers: Peers, labels: Labels, units: Sequence[str]) -> NDArray[np.int64]:
    """A number for every unit: alike for peers, -1 for those that are in no group. Raises Unlabelled."""
    found = np.zeros(len(units), dtype=np.int64)
    for name in dict.fromkeys((*peers.by, *peers.among)):
        if name not in labels:
            raise Unlabelled(peers, name, list(labels))
    for name in peers.by:
        _, codes = np.unique(np.asarray(labels[name], dtype=str), return_inverse=True)
        found = found * (int(codes.max(initial=0)) + 1) + codes
    for name, wanted in peers.among.items():
        found[~np.isin(np.asarray(labels[name], dtype=str), wanted)] = -1
    return found


def named(peers: Peers, labels: Labels, unit: int) -> str:
    """The name of a unit's group: its labels, joined; "" where peers are told apart by nothing."""
    return " · ".join(str(labels[name][unit]) for name in peers.by)
