"""An edition put back into the arrays it was made of, for some of its areas: to review it, and to do it again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from anlan.index.editions import loaded
from anlan.index.editions.edition import Edition
from anlan.index.scoring.composite import Scored
from anlan.index.scoring.groups import Labels
from anlan.index.scoring.panel import Floats, Panel, Status


def panel_of(edition: Edition, paths: Sequence[str]) -> Panel:
    """The values of these areas as they were published: areas × the one period × indicators."""
    keys = tuple(loaded.indicators(edition))
    table = edition.values(period=edition.manifest.period)
    table = table.filter(pc.is_in(table["area_path"], value_set=_texts(paths)))
    table = table.filter(pc.is_in(table["indicator"], value_set=_texts(keys)))
    row = {path: place for place, path in enumerate(paths)}
    column = {key: place for place, key in enumerate(keys)}
    at = (
        np.array([row[path] for path in table["area_path"].to_pylist()], dtype=np.int64),
        np.array([column[key] for key in table["indicator"].to_pylist()], dtype=np.int64),
    )
    made: dict[str, Floats] = {}
    for name in ("value", "numerator", "denominator"):
        made[name] = np.full((len(paths), 1, len(keys)), np.nan)
        made[name][at[0], 0, at[1]] = table[name].to_numpy()
    status = np.full((len(paths), 1, len(keys)), Status.MISSING, dtype=np.uint8)
    status[at[0], 0, at[1]] = table["status"].to_numpy()
    period = (edition.manifest.period,)
    return Panel(tuple(paths), period, keys, made["value"], status, made["numerator"], made["denominator"])


def scored_of(edition: Edition, paths: Sequence[str], *, labels: Labels | None = None) -> Scored:
    """The scores of these areas as they were published, before lines."""
    scores, panel = loaded.scores(edition), panel_of(edition, paths)
    frame = scores.framework
    rows = [scores.place[path] for path in paths]
    columns = [panel.columns.index(leaf.key) for leaf in frame.leaves]
    return Scored(
        frame, tuple(paths), panel.periods, scores.score[rows][:, None, :], panel.value[:, :, columns],
        panel.status[:, :, columns], (), labels or {},
    )  # fmt: skip


def _texts(names: Sequence[str]) -> object:
    return pa.array(list(names), pa.string())
