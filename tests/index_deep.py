"""A small index of the town, as editions on disk: two months in which the east got worse, with the very cases in it.

peace: D 消防 (weight 3): D-1 火灾隐患起数 (down), D-2 按期处置率 (up); P 民意 (weight 1): P-1 安全感 (given, up)
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from anlan.casework.models import Case
from anlan.index.editions import digest, edition
from anlan.index.editions.edition import SCHEMAS, Edition, Facts, Manifest, SealMark
from anlan.kernel.text import Text
from world import World

INDEX = """
key = "peace"
title = { zh = "安稳指数", en = "Calm Index" }
period = "month"
basis = { source = "示例", mark = "U", checked_on = 2026-01-05 }
ranking = { places = 2, peers = [{ key = "level", title = { zh = "同级", en = "Same level" }, by = ["level"] }] }
heads = [
  { key = "D", title = { zh = "消防安全", en = "Fire safety" }, weight = 3, order = 1 },
  { key = "P", title = { zh = "群众感受", en = "How people feel" }, weight = 1, order = 2 },
]
departments = [
  { key = "fire", title = { zh = "消防队", en = "Fire Brigade" } },
  { key = "peace", title = { zh = "平安办", en = "Peace Office" } },
]
bands = [
  { key = "red", title = { zh = "红", en = "red" } },
  { key = "yellow", title = { zh = "黄", en = "yellow" }, least = 60 },
  { key = "green", title = { zh = "绿", en = "green" }, least = 80 },
]
"""
INDICATORS = {
    "D-1": """
key = "D-1"
index = "peace"
parent = "D"
title = { zh = "火灾隐患起数", en = "Fire hazards" }
summary = { zh = "本月立案的火灾隐患起数。", en = "Fire hazards registered in the month." }
department = "fire"
unit = { zh = "起", en = "cases" }
better = "down"
order = 1
basis = { source = "示例指标", mark = "U", checked_on = 2026-01-05 }
numerator = { table = "cases", measure = "count", where = "topic = 'fire_exit'", date = "opened_date" }
score = { method = "goalposts", low = 10.0, high = 0.0 }
""",
    "D-2": """
key = "D-2"
index = "peace"
parent = "D"
title = { zh = "隐患按期处置率", en = "Hazards dealt with in time" }
summary = { zh = "本月立案的火灾隐患中按期处置的占比。", en = "Fire hazards of the month dealt with in time." }
department = "fire"
unit = { zh = "%", en = "%" }
better = "up"
order = 2
basis = { source = "消防法第五十四条", mark = "V", checked_on = 2026-01-05 }
per = 100
min_denominator = 2
shrink_to = "county"
score = { method = "goalposts", low = 0.0, high = 100.0 }
denominator = { table = "cases", measure = "count", where = "topic = 'fire_exit'", date = "opened_date" }
[numerator]
table = "cases"
measure = "count"
where = "topic = 'fire_exit' and handled_in_time"
date = "opened_date"
""",
    "P-1": """
key = "P-1"
index = "peace"
parent = "P"
title = { zh = "群众安全感", en = "People feel safe" }
summary = { zh = "问卷中感到安全的占比。", en = "Those who feel safe, of all who were asked." }
department = "peace"
unit = { zh = "%", en = "%" }
better = "up"
standing = "statistics"
basis = { source = "年度问卷", mark = "V2", checked_on = 2026-01-05 }
numerator = { table = "statistics", measure = "given", where = "figure = '群众安全感'", carry = 12, children = "none" }
score = { method = "goalposts", low = 80.0, high = 100.0 }
""",
}
SIGNAL = """
key = "fixed_fast"
title = { zh = "整改过快", en = "Fixed too fast" }
summary = { zh = "当天就整改完的比例。", en = "Those fixed on the very day." }
ask = { zh = "到现场看几件。", en = "Look at some of them." }
threshold = 0.5
basis = { source = "示例", mark = "U", checked_on = 2026-01-05 }
[part.numerator]
table = "cases"
where = "topic = 'fire_exit' and handled_in_time"
date = "opened_date"
[part.denominator]
table = "cases"
where = "topic = 'fire_exit'"
date = "opened_date"
"""
RULES = """
key = "peace_rules"
index = "peace"
title = { zh = "扣分规则", en = "What is taken off" }
summary = { zh = "示例", en = "An example" }
basis = { source = "示例", mark = "U", checked_on = 2026-01-05 }
[[rules]]
key = "found"
title = { zh = "暗访发现问题", en = "Found by an unannounced check" }
points = -0.5
event = { table = "cases", where = "channel = 'unannounced'", date = "opened_date" }
[[consequences]]
key = "praise"
title = { zh = "通报表扬", en = "Praised" }
band = "green"
running = 2
reward = true
"""
COLUMNS = pa.schema(
    [("case", pa.string()), ("number", pa.string()), ("area_path", pa.string()), ("topic", pa.string()),
     ("topic_root", pa.string()), ("opened_date", pa.date32()), ("handled_date", pa.date32()),
     ("handled_in_time", pa.bool_()), ("valid", pa.bool_()), ("outcome", pa.string()),
     ("closed_date", pa.date32())]
)  # fmt: skip
FIGURES = pa.schema(
    [("figure", pa.string()), ("area_path", pa.string()), ("period", pa.string()), ("period_date", pa.date32()),
     ("value", pa.float64()), ("unit", pa.string()), ("source", pa.string()), ("version", pa.int64()),
     ("current", pa.bool_()), ("told_at", pa.timestamp("us"))]
)  # fmt: skip
TOLD = datetime(2026, 2, 1, 2, tzinfo=UTC)
MADE = datetime(2026, 4, 3, 1, tzinfo=UTC)


def figures(town: World) -> list[dict[str, Any]]:
    """The survey of January: the east's figure was corrected once."""
    row = {"figure": "群众安全感", "period": "2026-01", "period_date": date(2026, 1, 31), "unit": "%", "told_at": TOLD}
    return [
        {**row, "area_path": town.county.path, "value": 93.0, "source": "问卷", "version": 1, "current": True},
        {**row, "area_path": town.east.path, "value": 99.0, "source": "问卷", "version": 1, "current": False},
        {**row, "area_path": town.east.path, "value": 90.0, "source": "问卷（更正）", "version": 2, "current": True},
        {**row, "area_path": town.west.path, "value": 96.0, "source": "问卷", "version": 1, "current": True},
    ]


def facts(folder: Path, town: World, cases: Iterable[Case], *, late: Sequence[Case] = ()) -> dict[str, str]:
    """Write the facts of these cases; gives each file's digest."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for case in cases:
        day = case.opened_at.date()
        rows.setdefault(f"{day:%Y-%m}", []).append(
            {"case": str(case.pk), "number": case.number, "area_path": case.area_path, "topic": case.topic,
             "topic_root": "fire", "opened_date": day, "handled_date": day, "handled_in_time": case not in late,
             "valid": True, "outcome": "cured", "closed_date": day}
        )  # fmt: skip
    written = {}
    for month, found in {"2026-03": [], **rows}.items():
        written[f"cases/month={month}/part-0.parquet"] = pa.Table.from_pylist(found, COLUMNS)
    written["statistics/month=2026-01/part-0.parquet"] = pa.Table.from_pylist(figures(town), FIGURES)
    for path, found_table in written.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(found_table, folder / path)
    return {path: digest.of_file(folder / path) for path in sorted(written)}


def spec(folder: Path) -> Path:
    """The index's own files."""
    every = {"indices/peace": INDEX, "signals/fixed_fast": SIGNAL, "rules/peace_rules": RULES}
    for name, text in {**every, **{f"indicators/{key}": text for key, text in INDICATORS.items()}}.items():
        (folder / f"{name}.toml").parent.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.toml").write_text(text.lstrip(), encoding="utf-8")
    return folder


Given = Mapping[str, tuple[float | None, float | None, float]]
"""By indicator: numerator, denominator and value."""


def _values(path: str, period: str, given: Given) -> list[dict[str, Any]]:
    return [
        {"area_path": path, "period": period, "indicator": key, "numerator": above, "denominator": under,
         "value": value, "status": 0, "low": value * 0.9, "high": value * 1.1}
        for key, (above, under, value) in given.items()
    ]  # fmt: skip


def score(given: Given) -> dict[str, float]:
    """The scores by hand: goalposts, then means by weight."""
    leaf = {
        "D-1": max(0.0, 100 - 10 * given["D-1"][2]), "D-2": given["D-2"][2],
        "P-1": min(100.0, max(0.0, (given["P-1"][2] - 80) * 5)),
    }  # fmt: skip
    heads = {"D": (leaf["D-1"] + leaf["D-2"]) / 2, "P": leaf["P-1"]}
    return {**leaf, **heads, "peace": 0.75 * heads["D"] + 0.25 * heads["P"]}


WEIGHTS = {"peace": 1.0, "D": 0.75, "P": 0.25, "D-1": 0.375, "D-2": 0.375, "P-1": 0.25}


def _scores(path: str, period: str, given: Given) -> list[dict[str, Any]]:
    return [
        {"area_path": path, "period": period, "node": node, "score": each, "weight": WEIGHTS[node],
         "points": each * WEIGHTS[node]}
        for node, each in score(given).items()
    ]  # fmt: skip


def tables(
    period: str, told: Mapping[str, Given], lines: Sequence[dict[str, Any]], signals: Mapping[str, tuple[str, float]]
) -> dict[str, Any]:
    """The tables of an edition in which these areas have these values."""
    off = {path: sum(line["points"] for line in lines if line["area_path"] == path) for path in told}
    final = {path: score(given)["peace"] + off[path] for path, given in told.items()}
    ranks = []
    for path, reached in final.items():
        peers = [each for other, each in final.items() if other.count("/") == path.count("/")]
        rank = 1 + sum(each > reached for each in peers)
        band = "green" if reached >= 80 else "yellow" if reached >= 60 else "red"
        ranks.append(
            {"area_path": path, "peer": "level", "score": reached, "rounded": round(reached, 2), "rank": rank,
             "rank_low": max(1, rank - 1), "rank_high": min(len(peers), rank + 1), "tied": False, "band": band}
        )  # fmt: skip
    rows = {
        "values": [row for path, given in told.items() for row in _values(path, period, given)],
        "scores": [row for path, given in told.items() for row in _scores(path, period, given)],
        "ranks": ranks,
        "lines": [{**line, "why": json.dumps(line["why"])} for line in lines],
        "signals": [
            {"area_path": path, "signal": "fixed_fast", "raised": said, "share": share, "low": share - 0.1,
             "high": share + 0.1, "above": share * 10, "below": 10.0}
            for path, (said, share) in signals.items()
        ],
    }  # fmt: skip
    return {name: edition.in_order(name, pa.Table.from_pylist(rows[name], SCHEMAS[name])) for name in SCHEMAS}


def values_of(town: World, cases: Sequence[Case], *, late: Sequence[Case] = ()) -> dict[str, Given]:
    """Every area's values, counted by hand."""
    feeling = {town.county.path: 93.0, town.east.path: 90.0, town.west.path: 96.0}
    found: dict[str, Given] = {}
    for area in (town.county, town.east, town.west, town.village, town.other_village, town.grid):
        mine = [case for case in cases if case.area_path.startswith(area.path)]
        kept = [case for case in mine if case not in late]
        rate = 100.0 * len(kept) / len(mine) if mine else 100.0
        felt = next(feeling[path] for path in sorted(feeling, reverse=True) if area.path.startswith(path))
        found[area.path] = {
            "D-1": (float(len(mine)), None, float(len(mine))),
            "D-2": (float(len(kept)), float(len(mine)), rate),
            "P-1": (felt, None, felt),
        }
    return found


def written(
    root: Path, town: World, period: str, cases: Sequence[Case], *,
    late: Sequence[Case] = (), lines: Sequence[dict[str, Any]] = (),
    signals: Mapping[str, tuple[str, float]] | None = None, made_by: int | None = None,
) -> Edition:  # fmt: skip
    """A draft of a month in which these cases were opened, `late` ones among them dealt with too late."""
    place = root / "work" / period
    files = facts(place / "facts", town, cases, late=late)
    declared, told = spec(place / "spec"), values_of(town, cases, late=late)
    found, history = tables(period, told, lines, signals or {}), edition.HISTORY.empty_table()
    manifest = Manifest(
        index="peace", period=period, number=0, state="draft", title=Text(zh="安稳指数", en="Calm Index"),
        spec_sha256=digest.of_folder(declared), facts=Facts(cut_off=MADE, files=files), seed=7,
        seal=SealMark(number=3, chain="ab" * 32), made_at=MADE, made_by=made_by,
        result_sha256=digest.of_tables(found), history_sha256=digest.of_table(history), made_with={"numpy": "2"},
    )  # fmt: skip
    return edition.write(root / "index", manifest, found | {"history": history}, spec=declared, facts=place / "facts")


def out(made: Edition, *, signed_by: int, published_by: int) -> Edition:
    """The edition signed and published."""
    return edition.move(edition.move(made, "signed", by=signed_by, at=MADE), "published", by=published_by, at=MADE)
