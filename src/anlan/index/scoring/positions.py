"""Places in an order, from the lowest value up; what has no value has no place."""

from __future__ import annotations

from typing import Literal

import numpy as np

from anlan.index.scoring.panel import Floats

Ties = Literal["min", "max", "average", "dense"]


def positions(x: Floats, ties: Ties, *, among: Floats | None = None) -> Floats:
    """The place of every value among `among` (default `x` itself), 1 at the lowest; NaN where `x` is NaN.

    Equal values share the lowest place ("min"), the highest, their mean, or count as one ("dense").
    """
    present = np.sort((x if among is None else among)[~np.isnan(x if among is None else among)])
    if ties == "dense":
        present = np.unique(present)
    low = np.searchsorted(present, x, side="left").astype(np.float64)
    if ties in {"min", "dense"}:
        place = low + 1
    else:
        high = np.maximum(np.searchsorted(present, x, side="right"), low + 1)
        place = high.astype(np.float64) if ties == "max" else (low + 1 + high) / 2
    return np.where(np.isnan(x), np.nan, place)
