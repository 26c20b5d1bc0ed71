"""Published editions for the small town of `world`, from values that are drawn: for pages that need no true figures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from anlan.index import composite, digest, edition, ranks
from anlan.index.composite import Scored
from anlan.index.edition import SCHEMAS, Deed, Edition, Facts, Manifest, State
from anlan.index.framework import Framework, framework
from anlan.index.indicator import INDICATORS
from anlan.index.panel import of_values
from anlan.index.period import read as period_of
from anlan.index.spec import INDICES
from anlan.kernel.catalogue import PACKAGE, Catalogue

INDEX = "peace_sample"
NOW = datetime(2026, 3, 3, 9, tzinfo=UTC)
LEVELS = {1: "county", 2: "township", 3: "village", 4: "grid"}


def tree() -> Framework:
    """The sample index as it is declared."""
    shelf = Catalogue([PACKAGE])
    leaves: Any = [each for each in shelf.all(INDICATORS).values() if each.index == INDEX]
    return framework(shelf.get(INDICES, INDEX), leaves)


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
    declare(spec)
    tables = {
        "values": _values(made, period), "scores": _scores(made, period),
        "lines": pa.Table.from_pylist(list(lines), SCHEMAS["lines"]),
        "ranks": _ranks(made, period, {line["area_path"]: line["points"] for line in lines}),
    }  # fmt: skip
    tables = {name: edition.in_order(name, table.cast(SCHEMAS[name])) for name, table in tables.items()}
    deed = Deed(by=None, at=NOW)
    manifest = Manifest(
        index=INDEX, period=period, number=0, state=state, title=frame.spec.title,
        spec_sha256=digest.of_folder(spec), facts=Facts(cut_off=NOW, files={}), seed=seed, seal=None, made_at=NOW,
        made_by=None, signed=deed if state != "draft" else None, published=deed if state == "published" else None,
        result_sha256=digest.of_tables(tables), made_with={"numpy": np.__version__},
    )  # fmt: skip
    return edition.write(root, manifest, tables, spec=spec, facts=facts)


def declare(spec: Path) -> None:
    """A folder with every declaration the sample index was made by."""
    shelf = Catalogue([PACKAGE])
    (spec / "indices").mkdir(parents=True, exist_ok=True)
    (spec / "indicators").mkdir(exist_ok=True)
    source = PACKAGE / "index/indices" / f"{INDEX}.toml"
    (spec / "indices" / source.name).write_bytes(source.read_bytes())
    for key, each in shelf.all(INDICATORS).items():
        if each.index == INDEX:
            (spec / f"indicators/{key}.toml").write_bytes((PACKAGE / f"index/indicators/{key}.toml").read_bytes())


def _values(made: Scored, period: str) -> Any:
    keys = [leaf.key for leaf in made.framework.leaves]
    rows = [
        {"area_path": unit, "period": period, "indicator": key, "numerator": None, "denominator": None,
         "value": _told(made.value[at, 0, number]), "status": int(made.status[at, 0, number]), "low": None,
         "high": None}
        for at, unit in enumerate(made.units)
        for number, key in enumerate(keys)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, SCHEMAS["values"])


def _scores(made: Scored, period: str) -> Any:
    weights, keys = made.weights(period), made.framework.keys
    rows = [
        {"area_path": unit, "period": period, "node": key, "score": _told(made.score[at, 0, place]),
         "weight": _told(weights[at, place]), "points": _told(made.score[at, 0, place] * weights[at, place])}
        for at, unit in enumerate(made.units)
        for place, key in enumerate(keys)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, SCHEMAS["scores"])


def _ranks(made: Scored, period: str, lines: Mapping[str, float]) -> Any:
    rows = []
    for peers in made.framework.spec.ranking.peers:
        for each in ranks.places(made, period, peers=peers):
            place, score = int(each.rank), each.score + lines.get(each.unit, 0.0)
            rows.append(
                {"area_path": each.unit, "peer": peers.key, "score": score, "rounded": round(score, 2), "rank": place,
                 "rank_low": max(1, place - 1), "rank_high": min(each.of, place + 1), "tied": each.of > 1,
                 "band": ranks.band(made.framework.spec, score)}
            )  # fmt: skip
    return pa.Table.from_pylist(rows, SCHEMAS["ranks"])


def _told(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def line(path: str, points: float, *, rule: str = "WZ-02") -> dict[str, Any]:
    """A deduction of one area."""
    return {"area_path": path, "rule": rule, "points": points, "times": 1.0, "why": json.dumps([])}


def months(root: Path, paths: list[str], *names: str) -> list[Edition]:
    """A published edition for each month, each a little different."""
    return [publish(root, paths, period_of(name).name, seed=7 + at, shift=-0.02 * at) for at, name in enumerate(names)]
