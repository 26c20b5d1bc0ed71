"""`python -m benchmarks [a|b|… …] [--database sqlite|postgres|both] [--small]`: measure, write the table.

Each part runs in a process and an installation of its own under var/bench. Parts that are not asked for keep the rows
of their last run. `--small` runs everything quickly and writes no table.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

from benchmarks import table
from benchmarks.ground import BENCH, DATABASES, ground, start
from benchmarks.rows import Row, read

MODULES = {
    "a": "one_act", "b": "import_and_replay", "c": "large_lists", "d": "served", "e": "ledger_file",
    "f": "frames", "g": "duplicates", "h": "locating", "i": "sensors", "j": "composite",
    "k": "province_index",
}  # fmt: skip
ROUNDS = {"b": 3}
# The server is measured on PostgreSQL alone; what needs no database runs once.
ONLY = {"d": ("postgres",), "f": ("sqlite",), "g": ("sqlite",), "h": ("sqlite",), "j": ("sqlite",), "k": ("sqlite",)}
KEPT = {"c"}


def main() -> int:
    """Measure what is asked for; 1 when a promise is not kept."""
    given = _given()
    databases = DATABASES if given.database == "both" else (given.database,)
    failed = False
    for part in given.parts or MODULES:
        for database in databases:
            if database in ONLY.get(part, DATABASES):
                rows = list(_measured(part, database, small=given.small))
                table.show(rows)
                failed = failed or any(row.holds is False for row in rows)
                if not given.small:
                    table.keep(part, database, rows)
    if not given.small:
        table.write()
    return int(failed)


def _given() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    told = (
        "a act, b import, c lists, d server, e ledger file, f frames, g duplicates, h locating, i sensors, "
        "j composite, k province"
    )
    parser.add_argument("parts", nargs="*", choices=[*MODULES, []], help=told)
    parser.add_argument("--database", choices=[*DATABASES, "both"], default="both")
    parser.add_argument("--small", action="store_true", help="quickly, to see that everything runs")
    return parser.parse_args()


def _measured(part: str, database: str, *, small: bool) -> Iterator[Row]:
    """The rows of a part; of several rounds, each figure's median round."""
    rounds = []
    for number in range(1 if small else ROUNDS.get(part, 1)):
        name = f"{MODULES[part]}_small" if small else MODULES[part]
        print(f"── {part} {name} {database} {number + 1}", file=sys.stderr)
        out = BENCH / f"{name}-{database}.json"
        with ground(name, database, keep=part in KEPT and not small) as environment:
            start(MODULES[part], out, environment, small=small)
        rounds.append(read(out))
    for same in zip(*rounds, strict=True):
        yield table.middle(same)


if __name__ == "__main__":
    sys.exit(main())
