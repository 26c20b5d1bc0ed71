"""A small index declared in a pack, and a folder of facts with an invented county, for tests that work it out whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq

from anlan.facts.table import TABLES
from anlan.kernel import catalogue
from invented_facts import areas, table

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
