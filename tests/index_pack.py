"""A small index declared in a pack, and a folder of facts with an invented county, for tests that work it out whole."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq

from anlan.facts.table import TABLES
from anlan.index.counting.period import Period
from anlan.index.editions import assessment, digest, edition
from anlan.index.editions.assessment import Assessed, spec_of
from anlan.index.editions.edition import Edition, Facts, Manifest
from anlan.index.rulebook.deductions import Ranking
from anlan.kernel import catalogue
from invented_facts import LEAVES, areas, table

INDEX: Final = """
key = "small"
title = { zh = "小指数", en = "Small index" }
period = "month"
basis = { source = "x", mark = "U", checked_on = 2026-11-22 }
heads = [
  { key = "H", title = { zh = "隐患", en = "Hazards" }, weight = 3.0 },
  { key = "T", title = { zh = "时效", en = "Time" }, weight = 1.0 },
]
bands = [
  { key = "red", title = { zh = "红", en = "Red" } },
  { key = "yellow", title = { zh = "黄", en = "Yellow" }, least = 60.0 },
  { key = "green", title = { zh = "绿", en = "Green" }, least = 80.0 },
]
[ranking]
places = 2
peers = [
  { key = "township", title = { zh = "乡镇", en = "Towns" }, by = ["level"], among = { level = ["township"] } },
  { key = "village", title = { zh = "村", en = "Villages" }, by = ["level"], among = { level = ["village"] } },
]
"""
INDICATOR: Final = """
key = "{key}"
index = "small"
parent = "{parent}"
title = {{ zh = "{key}", en = "Indicator {key}" }}
summary = {{ zh = "计数", en = "Counted" }}
unit = {{ zh = "%", en = "%" }}
better = "{better}"
weight = {weight}
per = 100
basis = {{ source = "x", mark = "U", checked_on = 2026-11-22 }}
numerator = {{ table = "cases", where = "{above}", date = "{date}" }}
denominator = {{ table = "cases", where = "{below}", date = "{date}" }}
zero_denominator = "good"
score = {{ method = "goalposts", low = {low}, high = {high} }}
"""
INDICATORS: Final = {
    "cured": {"parent": "H", "better": "up", "weight": 2, "above": "outcome = 'cured'", "below": "valid",
              "date": "opened_date", "low": 0.0, "high": 100.0},
    "again": {"parent": "H", "better": "down", "weight": 1, "above": "valid and repeat", "below": "valid",
              "date": "opened_date", "low": 50.0, "high": 0.0},
    "prompt": {"parent": "T", "better": "up", "weight": 1, "above": "closed_in_time", "below": "valid",
               "date": "closed_date", "low": 0.0, "high": 100.0},
}  # fmt: skip
RULES: Final = """
key = "small_rules"
index = "small"
title = { zh = "小规则", en = "Small rules" }
summary = { zh = "规则", en = "Rules" }
ceiling = 100.0
basis = { source = "x", mark = "U", checked_on = 2026-11-22 }
[[rules]]
key = "found"
title = { zh = "暗访发现", en = "Found" }
points = -0.5
most = 2.0
event = { table = "cases", where = "channel = 'unannounced'", date = "opened_date" }
[[rules]]
key = "last"
title = { zh = "上月末位", en = "Last" }
levels = ["township"]
change = { place = true, worse = [{ more_than = 0, points = -1.0 }], improved = [{ more_than = 0, points = 1.0 }] }
[[multipliers]]
key = "not_put_right"
title = { zh = "未改加倍", en = "Not put right" }
factor = 2.0
rules = ["found"]
where = "reworks > 0"
[[consequences]]
key = "talk"
title = { zh = "约谈", en = "Interview" }
band = "red"
running = 2
"""


def pack(folder: Path, *, rules: bool = True) -> Path:
    """The declarations of the small index as a pack in `folder`."""
    for name, text in {
        "indices/small.toml": INDEX,
        **{f"indicators/{key}.toml": INDICATOR.format(key=key, **given) for key, given in INDICATORS.items()},
        **({"rules/small_rules.toml": RULES} if rules else {}),
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def lay(folder: Path, **tables: Iterable[Mapping[str, Any]]) -> Path:
    """Rows as a folder of facts by month, with the areas of the invented county."""
    known = catalogue.current().all(TABLES)
    for name, rows in tables.items():
        months: dict[str, list[Mapping[str, Any]]] = {}
        for row in rows:
            months.setdefault(f"{row[known[name].month]:%Y-%m}", []).append(row)
        for month, several in months.items():
            path = folder / name / f"month={month}" / "part-0.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(table(name, several), path)
    (folder / "areas").mkdir(parents=True, exist_ok=True)
    pq.write_table(areas(), folder / "areas/part-0.parquet")
    return folder


def case(name: str, area: str, **more: Any) -> dict[str, Any]:
    """A row of the table of cases: open since 5 October 2026."""
    row = {"case": name, "number": name, "area_path": area, "opened_date": date(2026, 10, 5), "outcome": ""}
    row |= {"valid": True, "repeat": False, "channel": "resident", "reworks": 0, "reopened": False}
    return row | more


def closed(name: str, area: str, *, in_time: bool = True, **more: Any) -> dict[str, Any]:
    """One that was cured on the 9th."""
    over = {"outcome": "cured", "closed_date": date(2026, 10, 9), "closed_in_time": in_time}
    return case(name, area, **over | more)


def invented(seed: int, count: int = 120) -> list[dict[str, Any]]:
    """Cases of three months, their values by lot."""
    dice = random.Random(seed)  # noqa: S311 - invented rows
    made = []
    for number in range(count):
        opened = date(2026, 8, 1) + timedelta(days=dice.randrange(92))
        over = opened + timedelta(days=dice.randrange(40)) if dice.random() < 0.7 else None
        more: dict[str, Any] = {"opened_date": opened, "closed_date": over, "outcome": "cured" if over else ""}
        more |= {"closed_in_time": None if over is None else dice.random() < 0.6, "repeat": dice.random() < 0.2}
        more |= {"channel": dice.choice(["resident", "unannounced"]), "reworks": dice.randrange(2)}
        more |= {"close_due_date": opened + timedelta(days=30), "due_date": opened + timedelta(days=20)}
        made.append(case(f"{number}", dice.choice(LEAVES), **more))
    return made


def worked_out(facts: Path, period: Period, *, history: Sequence[Ranking] = (), seed: int = 1) -> Assessed:
    """The small index of a folder of facts."""
    spec = spec_of(catalogue.current(), "small")
    with assessment.opened(facts, spec.tables) as engine:
        return assessment.assess(spec, engine, period, history=history, seed=seed)


def frozen(
    folder: Path, cases: Iterable[Mapping[str, Any]], period: Period, *, history: Sequence[Ranking] = (), seed: int = 1
) -> Edition:
    """An edition of the small index from these cases, laid and written below `folder`."""
    facts = lay(folder / "facts", cases=cases)
    spec = spec_of(catalogue.current(), "small")
    made = worked_out(facts, period, history=history, seed=seed)
    assessment.keep_spec(catalogue.current(), spec, folder / "spec")
    files = {path.relative_to(facts).as_posix(): digest.of_file(path) for path in facts.rglob("*.parquet")}
    kept = assessment.history_table(history)
    at = datetime(2026, 11, 3, tzinfo=UTC)
    said = Manifest(
        index="small", period=period.name, number=0, state="draft", title=spec.index.title,
        spec_sha256=digest.of_folder(folder / "spec"), facts=Facts(cut_off=at, files=files), seed=seed, seal=None,
        made_at=at, made_by=None, result_sha256=digest.of_tables(made.tables),
        history_sha256=digest.of_table(kept), made_with={},
    )  # fmt: skip
    tables = {**made.tables, "history": kept}
    return edition.write(folder / "index", said, tables, spec=folder / "spec", facts=facts)
