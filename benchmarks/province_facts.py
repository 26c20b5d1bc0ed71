"""The facts of an invented province, written by DuckDB as rows and not by the ledger: to measure how they are counted.

11 prefectures, 90 counties, 1,360 towns, 24,000 villages and grids; twelve months. Written in parts that hold the same
share of the cases each, so that a quarter or a half of the data are some of the parts. The same size, the same facts.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
from sqlglot import exp, parse_one

from anlan.index.counting.indicator import Indicator
from anlan.intake.topic import TOPICS, Topic
from anlan.kernel.catalogue import Catalogue
from anlan.places.site_kind import SITE_KINDS

YEAR: Final = 2026
MONTHS: Final = range(1, 13)
PARTS: Final = 4
CREATED: Final = "facts.made"


@dataclass(frozen=True, slots=True)
class Size:
    """How many cases and areas; the other tables follow the cases."""

    cases: int = 20_000_000
    cities: int = 11
    counties: int = 90
    towns: int = 1_360
    villages: int = 24_000


SMALL: Final = Size(cases=40_000, cities=2, counties=6, towns=40, villages=500)


def made(folder: Path, size: Size, catalogue: Catalogue, indicators: Iterable[Indicator]) -> Path:
    """The folder with the facts, written unless they are there already."""
    mark = folder / CREATED
    if not mark.exists() or mark.read_text() != repr(size):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        with duckdb.connect() as connection:
            connection.execute("SET memory_limit = '6GB'")
            connection.execute("SET preserve_insertion_order = true")
            _ground(connection, size, catalogue)
            counts = _counts(size, catalogue)
            for table, select in _snapshots(sorted(set(_figures(indicators))), counts):
                _write(connection, select, folder / table / "part-0.parquet")
            for month in MONTHS:
                for part in range(PARTS):
                    _month(connection, folder, size, counts | {"month": month, "part": part})
        mark.write_text(repr(size))
    return folder


def _month(connection: Any, folder: Path, size: Size, told: dict[str, int]) -> None:
    share = size.cases // len(MONTHS) // PARTS
    first = ((told["month"] - 1) * PARTS + told["part"]) * share
    cases = _CASES.format(first=first, last=first + share, **told)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE made AS {cases}")
    for table, select in _TABLES.items():
        _write(connection, select, folder / table / f"month={YEAR}-{told['month']:02}" / f"part-{told['part']}.parquet")


def _counts(size: Size, catalogue: Catalogue) -> dict[str, int]:
    """What dice are thrown for."""
    topics, kinds = catalogue.all(TOPICS), catalogue.all(SITE_KINDS)
    return {"villages": size.villages, "topics": len(topics), "kinds": len(kinds)}


def _write(connection: Any, select: str, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    connection.execute(f"COPY ({select}) TO '{file}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)")


def day_of_changes(facts: Path) -> dict[str, dict[str, str]]:
    """A day more, as an export tells it: the cases of a day in December once more under new numbers, and those of an
    earlier day taken back and told again as closed. Gives the files of changes by table.
    """
    written = {}
    with duckdb.connect() as connection:
        for table in _TABLES:
            files = f"read_parquet('{facts}/{table}/month={YEAR}-12/*.parquet')"
            select = _DAYS.get(table, _OTHER).format(files=files, year=YEAR, dated=_DATED[table])
            name = f"changes/{table}/00000002.parquet"
            _write(connection, select, facts / name)
            written[table] = {"name": name}
    return written


def _figures(indicators: Iterable[Indicator]) -> Iterator[str]:
    """The names of the figures that are asked for."""
    for indicator in indicators:
        for _, measure in indicator.measures:
            if measure.table == "statistics":
                for one in parse_one(measure.where, dialect="duckdb").find_all(exp.EQ):
                    if one.this.name == "figure":
                        yield one.expression.name


def _ground(connection: Any, size: Size, catalogue: Catalogue) -> None:
    connection.execute("CREATE MACRO dice(i, k) AS (hash(i * 64 + k) >> 1)::BIGINT")
    connection.execute(_AREAS.format(**asdict(size)))
    topics = catalogue.all(TOPICS)
    connection.execute("CREATE TABLE topics (number BIGINT, topic VARCHAR, root VARCHAR)")
    pairs = [(number, key, _root(topics, key)) for number, key in enumerate(sorted(topics))]
    connection.executemany("INSERT INTO topics VALUES (?, ?, ?)", pairs)
    connection.execute("CREATE TABLE kinds (number BIGINT, kind VARCHAR)")
    connection.executemany("INSERT INTO kinds VALUES (?, ?)", list(enumerate(sorted(catalogue.all(SITE_KINDS)))))


def _root(topics: dict[str, Topic], key: str) -> str:
    return _root(topics, topics[key].parent) if topics[key].parent else key


def _snapshots(figures: Sequence[str], counts: dict[str, int]) -> Iterator[tuple[str, str]]:
    yield "areas", "SELECT * EXCLUDE (number), code AS name_zh, code AS name_en FROM areas"
    yield "sites", _SITES.format(**counts)
    names = ", ".join(f"'{name}'" for name in figures)
    yield "statistics", _STATISTICS.format(names=names, year=YEAR)


_AREAS = """
CREATE TABLE areas AS
WITH cities AS (SELECT c, '33/' || printf('%04d/', 3301 + c) AS path FROM range({cities}) t(c)),
counties AS (SELECT n, path || printf('%06d/', 330100 + n) AS path FROM range({counties}) t(n)
    JOIN cities ON c = n % {cities}),
towns AS (SELECT t.n AS n, path || printf('%09d/', 330100000 + t.n) AS path FROM range({towns}) t(n)
    JOIN counties ON counties.n = t.n % {counties}),
villages AS (SELECT v.n AS n, path || printf('%012d/', 330100000000 + v.n) AS path FROM range({villages}) v(n)
    JOIN towns ON towns.n = v.n % {towns}),
every AS (SELECT 'province' AS level, -1 AS number, '33/' AS path UNION ALL SELECT 'prefecture', c, path FROM cities
    UNION ALL SELECT 'county', n, path FROM counties UNION ALL SELECT 'township', n, path FROM towns
    UNION ALL SELECT 'village', n, path FROM villages)
SELECT path, split_part(path, '/', -2) AS code, level, number,
    regexp_replace(path, '[^/]*/$', '') AS parent_path, DATE '2020-01-01' AS valid_from, NULL::DATE AS valid_to
FROM every ORDER BY path
"""
_SITES = """
SELECT printf('%06x', i) AS site, kind, path AS area_path, dice(i, 1) % 20 > 0 AS active, dice(i, 2) % 3 = 0 AS fitted,
    NULL::DOUBLE AS lon, NULL::DOUBLE AS lat
FROM range(25 * {villages}) t(i)
JOIN areas ON level = 'village' AND areas.number = i % {villages}
JOIN kinds ON kinds.number = dice(i, 3) % {kinds}
"""
_STATISTICS = """
SELECT figure, path AS area_path, strftime(day, '%Y-%m') AS period, last_day(day) AS period_date,
    (200 + dice((hash(path || figure) % 1000000007)::BIGINT, month(day)) % 9000)::DOUBLE AS value, '件' AS unit,
    'x' AS source, 1::BIGINT AS version, true AS current, last_day(day)::TIMESTAMP AS told_at
FROM areas, (SELECT unnest([{names}]) AS figure) f, generate_series(DATE '{year}-01-01', DATE '{year}-12-01',
    INTERVAL 1 MONTH) g(day)
WHERE level IN ('county', 'township', 'prefecture', 'province') ORDER BY figure, path, day
"""
_CASES = """
SELECT i, path AS area_path, topic, root AS topic_root, day AS opened_date,
    (['app', 'hotline', 'grid', 'sensor', 'unannounced', 'supervision'])[1 + least(dice(i, 3) % 40, 5)] AS channel,
    'd' || (dice(i, 4) % 22) AS department, printf('%06x', dice(i, 5) % 600000) AS site, kind AS site_kind,
    day + (dice(i, 7) % 2)::INT AS registered_date, day + (dice(i, 7) % 3)::INT AS dispatched_date,
    CASE WHEN dice(i, 8) % 20 > 0 THEN day + (2 + dice(i, 9) % 20)::INT END AS handled_date,
    CASE WHEN dice(i, 8) % 20 > 1 THEN day + (4 + dice(i, 9) % 20 + dice(i, 10) % 8)::INT END AS closed_date,
    dice(i, 11) % 12 > 0 AS valid, day + 12 AS due_date, day + 20 AS close_due_date,
    (dice(i, 14) % 10 // 8)::BIGINT AS returns, (dice(i, 15) % 10 // 9)::BIGINT AS reworks
FROM (SELECT i, make_date(2026, {month}, 1) + ((i - {first}) * date_part('day', last_day(make_date(2026, {month}, 1)))
    // ({last} - {first}))::INT AS day FROM range({first}, {last}) r(i)) drawn
JOIN (SELECT number, path FROM areas WHERE level = 'village') village
    ON village.number = dice(i, 0) % {villages}
JOIN topics ON topics.number = dice(i, 1) % {topics}
JOIN kinds ON kinds.number = dice(i, 6) % {kinds}
"""
_TABLES: Final = {
    "cases": """
SELECT printf('%08x', i) AS "case", area_path, topic, topic_root, channel, department, site, site_kind, opened_date,
    registered_date, dispatched_date, handled_date, closed_date,
    CASE WHEN closed_date IS NULL THEN ''
        WHEN valid THEN (['cured', 'answered', 'escalated'])[1 + least(dice(i, 12) % 12, 2)]
        ELSE (['merged', 'void', 'refused'])[1 + dice(i, 12) % 3] END AS outcome,
    valid, due_date, close_due_date, handled_date <= due_date AS handled_in_time,
    closed_date <= close_due_date AS closed_in_time, returns, reworks, (dice(i, 16) % 20 // 19)::BIGINT AS extensions,
    (1 + dice(i, 17) % 3)::BIGINT AS reports, dice(i, 18) % 50 = 0 AS hung, dice(i, 19) % 40 = 0 AS hung_ever,
    dice(i, 20) % 60 = 0 AS reopened,
    (['', 'satisfied', 'fairly', 'dissatisfied', 'unreached'])[1 + dice(i, 21) % 5] AS satisfaction,
    (dice(i, 22) % 3)::BIGINT AS photos_before, (dice(i, 22) % 4)::BIGINT AS photos_after,
    (dice(i, 22) % 3)::BIGINT AS photos_placed, (dice(i, 23) % 600)::BIGINT AS minutes_to_register,
    (dice(i, 24) % 2000)::BIGINT AS minutes_to_dispatch,
    CASE WHEN handled_date IS NOT NULL THEN (dice(i, 25) % 20000)::BIGINT END AS minutes_to_handle,
    (closed_date - opened_date)::BIGINT AS days_to_close, dice(i, 26) % 9 = 0 AS repeat,
    dice(i, 27) % 3 = 0 AS by_resident
FROM made ORDER BY opened_date, i""",
    "steps": """
SELECT printf('%08x', i) AS "case", area_path, topic, topic_root,
    (['', 'register', 'dispatch', 'fixed'])[1 + step] AS act, opened_date + step::INT AS at_date,
    CASE WHEN step > 0 THEN (dice(i, 40 + step) % 3000)::BIGINT END AS minutes_in_step,
    dice(i, 44 + step) % 30 = 0 AS backdated, (dice(i, 48 + step) % 3)::BIGINT AS photos
FROM made, (SELECT unnest(range(4)) AS step) s ORDER BY at_date, i""",
    "clocks": """
SELECT printf('%08x', i) AS "case", 'handle' AS clock, area_path, topic, topic_root, department,
    opened_date AS clock_date, opened_date AS started_date, due_date, handled_date AS stopped_date,
    handled_date <= due_date AS in_time, 0::BIGINT AS rungs, 0.0::DOUBLE AS extended, 0::BIGINT AS paused_minutes
FROM made ORDER BY clock_date, i""",
    "returns": """
SELECT printf('%08x', i) AS "case", area_path, topic, topic_root, department, dispatched_date AS at_date,
    1::BIGINT AS nth
FROM made WHERE returns > 0 ORDER BY at_date, i""",
    "reports": """
SELECT printf('%08x', i) AS report, channel, area_path, topic, topic_root, opened_date AS told_date,
    opened_date AS received_date, printf('%08x', i) AS "case", dice(i, 30) % 8 = 0 AS joined,
    dice(i, 31) % 2 = 0 AS has_photo,
    dice(i, 32) % 2 = 0 AS with_contact, true AS located, dice(i, 27) % 3 = 0 AS by_resident,
    (dice(i, 33) % 90)::BIGINT AS minutes_to_receive
FROM made ORDER BY told_date, i""",
    "alarms": """
SELECT printf('%08x', i) AS alarm, 'x' AS device, 'x' AS model,
    (['fire', 'gas', 'fault'])[1 + dice(i, 34) % 3] AS sort,
    area_path, site, opened_date AS began_date, opened_date AS cleared_date,
    (['', 'confirmed', 'false', 'test'])[1 + dice(i, 35) % 4] AS verdict,
    (dice(i, 36) % 300)::BIGINT AS minutes_to_verdict,
    0::BIGINT AS repeats
FROM made WHERE dice(i, 37) % 20 = 0 ORDER BY began_date, i""",
    "calls": """
SELECT printf('%08x', i) AS report, area_path, opened_date AS told_date, dice(i, 38) % 3 = 0 AS is_dispute,
    dice(i, 39) % 2 = 0 AS pushed, dice(i, 52) % 2 = 0 AS resolved, opened_date AS resolved_date,
    dice(i, 53) % 9 = 0 AS repeat
FROM made WHERE dice(i, 54) % 8 = 0 ORDER BY told_date, i""",
    "pushes": """
SELECT printf('%08x', i) AS push, 'a' AS key, area_path, opened_date AS pushed_date, true AS received,
    dice(i, 55) % 5 > 0 AS answered, dice(i, 56) % 4 > 0 AS in_time
FROM made WHERE dice(i, 57) % 16 = 0 ORDER BY pushed_date, i""",
}
"""Every table of which a month follows from the cases that were opened in it."""
_DATED: Final = {
    "cases": "opened_date", "steps": "at_date", "clocks": "clock_date", "returns": "at_date", "reports": "told_date",
    "alarms": "began_date", "calls": "told_date", "pushes": "pushed_date",
}  # fmt: skip
_OTHER: Final = "SELECT *, 1::TINYINT AS sign FROM {files} WHERE {dated} = DATE '{year}-12-20'"
_DAYS: Final = {
    "cases": """
SELECT * REPLACE ('n' || "case" AS "case"), 1::TINYINT AS sign FROM {files} WHERE opened_date = DATE '{year}-12-20'
UNION ALL SELECT *, -1::TINYINT FROM {files} WHERE opened_date = DATE '{year}-12-10'
UNION ALL SELECT * REPLACE (DATE '{year}-12-31' AS closed_date, 'cured' AS outcome, true AS closed_in_time,
    21::BIGINT AS days_to_close), 1::TINYINT FROM {files} WHERE opened_date = DATE '{year}-12-10'""",
}
"""What a day changes in each table."""
