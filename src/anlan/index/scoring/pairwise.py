"""Weights from comparing in pairs (Saaty's analytic hierarchy process), and how far the comparisons agree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from anlan.index.scoring.panel import Floats
from anlan.index.scoring.spec import Pairwise
from anlan.kernel.text import Text

RANDOM: Final = (0.0, 0.0, 0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49, 1.51, 1.48, 1.56, 1.57, 1.59)
"""Saaty's mean consistency index of random tables of 1, 2, 3 … 15 rows (T. L. Saaty, The Analytic Hierarchy Process,
1980); larger tables are measured by the last."""
DOUBTFUL: Final = 0.1
"""Above this consistency ratio a table should be looked at again (Saaty, as before)."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """Weights that sum to 1, in the order of the table's keys, and its consistency ratio."""

    weights: Floats
    ratio: float


def weigh(table: Pairwise) -> Weighed:
    """The principal eigenvector of the table, and (λ - n)/(n - 1) over that of random tables."""
    n = len(table.keys)
    full = np.eye(n)
    for row, told in enumerate(table.rows):
        for step, value in enumerate(told, start=1):
            full[row, row + step], full[row + step, row] = value, 1 / value
    values, vectors = np.linalg.eig(full)
    most = int(np.argmax(values.real))
    vector = np.abs(vectors[:, most].real)
    random = RANDOM[min(n, len(RANDOM)) - 1]
    ratio = (float(values[most].real) - n) / (n - 1) / random if random else 0.0
    return Weighed(vector / vector.sum(), max(ratio, 0.0))


def doubts(tables: Iterable[Pairwise]) -> Iterator[Text]:
    """What must be told of tables whose comparisons contradict each other too much."""
    for table in tables:
        ratio = weigh(table).ratio
        if ratio > DOUBTFUL:
            yield Text(
                zh=f"“{table.parent}”的两两比较一致性比率为 {ratio:.3f}，超过 {DOUBTFUL}，请重新比较。",
                en=f"The comparisons under “{table.parent}” have a consistency ratio of {ratio:.3f}, above {DOUBTFUL}.",
            )
