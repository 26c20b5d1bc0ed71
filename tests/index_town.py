"""Published editions for the small town of `world`, from values that are drawn: for pages that need no true figures."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from anlan.index.counting import run
from anlan.index.counting.period import read as period_of
from anlan.index.editions import assessment, digest, edition
from anlan.index.editions.assessment import Spec
from anlan.index.editions.edition import SCHEMAS, Deed, Edition, Facts, Manifest, State
from anlan.index.scoring import composite
from anlan.index.scoring.composite import Scored
from anlan.index.scoring.framework import Framework
from anlan.index.scoring.panel import Panel, of_values
from anlan.kernel.catalogue import PACKAGE, Catalogue

INDEX = "peace_sample"
NOW = datetime(2026, 3, 3, 9, tzinfo=UTC)
LEVELS = {1: "county", 2: "township", 3: "village", 4: "grid"}


@cache
def shelf() -> Catalogue:
    """What the package declares, read once."""
    return Catalogue([PACKAGE])


def declared() -> Spec:
    """Everything the sample index is worked out from."""
    return assessment.spec_of(shelf(), INDEX)


def tree() -> Framework:
    """The sample index as it is declared."""
    return declared().frame


def scored(frame: Framework, paths: list[str], period: str, *, seed: int = 7, shift: float = 0.0) -> Scored:
    """Values between the goalposts, drawn; `shift` moves every area towards the better end by such a part."""
    dice = np.random.default_rng(seed)
    part = np.clip(dice.beta(3.2, 1.1, (len(paths), len(frame.leaves))) + shift, 0, 1)
    part[dice.random(part.shape) < 0.04] = np.nan
    low = np.array([_post(frame, at, "low") for at in frame.leaf_nodes])
    high = np.array([_post(frame, at, "high") for at in frame.leaf_nodes])
    value = (low + part * (high - low))[:, None, :]
    panel = of_values(value, units=paths, periods=[period], columns=[leaf.key for leaf in frame.leaves])
    labels = {"level": [LEVELS.get(path.count("/"), "grid") for path in paths]}
    return composite.score(frame, panel, labels=labels)


def _post(frame: Framework, at: int, name: str) -> float:
    rule = frame.nodes[at].score
    found = getattr(rule, name) if rule is not None else None
    return found if found is not None else {"low": 0.0, "high": 100.0}[name]


def publish(
    root: Path, paths: list[str], period: str, *, seed: int = 7, shift: float = 0.0, state: State = "published",
    lines: tuple[dict[str, Any], ...] = (),
) -> Edition:  # fmt: skip
    """An edition of the sample index under `root`, with the folders of a true one."""
    frame = tree()
    made = scored(frame, paths, period, seed=seed, shift=shift)
    folder = root / ".made"
    spec, facts = folder / f"spec-{period}-{seed}", folder / "facts"
    facts.mkdir(parents=True, exist_ok=True)
    assessment.keep_spec(shelf(), declared(), spec)
    tables = {
        "values": run.table_of(_panel(made)), "scores": assessment.scores_table(made, period_of(period)),
        "lines": pa.Table.from_pylist(list(lines), SCHEMAS["lines"]), "ranks": _ranks(made, period, lines),
        "signals": SCHEMAS["signals"].empty_table(),
    }  # fmt: skip
    tables = {name: edition.in_order(name, table.cast(SCHEMAS[name])) for name, table in tables.items()}
    history = edition.HISTORY.empty_table()
    deed = Deed(by=None, at=NOW)
    manifest = Manifest(
        index=INDEX, period=period, number=0, state=state, title=frame.spec.title,
        spec_sha256=digest.of_folder(spec), facts=Facts(cut_off=NOW, files={}), seed=seed, seal=None, made_at=NOW,
        made_by=None, signed=deed if state != "draft" else None, published=deed if state == "published" else None,
        result_sha256=digest.of_tables(tables), history_sha256=digest.of_table(history),
        made_with={"numpy": np.__version__},
    )  # fmt: skip
    return edition.write(root, manifest, tables | {"history": history}, spec=spec, facts=facts)


def _panel(made: Scored) -> Panel:
    return Panel(made.units, made.periods, tuple(leaf.key for leaf in made.framework.leaves), made.value, made.status)


def _ranks(made: Scored, period: str, lines: Iterable[Mapping[str, Any]]) -> Any:
    """Places by the final scores; an interval reaches one place up and down."""
    taken = {line["area_path"]: line["points"] for line in lines}
    final = {
        unit: float(score) + taken.get(unit, 0.0) for unit, score in zip(made.units, made.index[:, 0], strict=True)
    }
    places = list(assessment.placed(made, period_of(period), final))
    many = Counter(peer for peer, _ in places)
    sure = {
        (peer, place.unit): (max(1, int(place.rank) - 1), min(many[peer], int(place.rank) + 1))
        for peer, place in places
    }
    return assessment.ranks_table(places, sure)


def line(path: str, points: float, *, rule: str = "WZ-02") -> dict[str, Any]:
    """A deduction of one area."""
    return {"area_path": path, "rule": rule, "points": points, "times": 1.0, "why": json.dumps([])}


def _path(code: str) -> str:
    """The path of an area whose codes lie within each other: of six digits, then three more a level."""
    return "".join(f"{code[:length]}/" for length in range(6, len(code) + 1, 3))


PATHS = [
    _path(code)
    for code in (
        "330101 330101001 330101001001 330101001001001 330101001001002 330101001002 330101001002001 330101002"
        " 330101002001 330101002001001"
    ).split()
]
"""The areas of 甲县 in `world`."""
PERIOD = "2026-02"
EDITION = {"index": INDEX, "period": PERIOD}


def two_months(root: Path) -> list[Edition]:
    """甲县 in January and February: in the second a little worse, and the east with a deduction."""
    first = publish(root, PATHS, "2026-01")
    return [first, publish(root, PATHS, PERIOD, shift=-0.03, lines=(line(PATHS[1], -1.5),))]
