"""(g) The city's marks of duplicates, replayed in time order: what would have been suggested as each report arrived.

In memory, by the scorer, the weights and the threshold of the product; nothing that a report could not know is read.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from anlan.intake import learning, likeness
from anlan.intake.channel import CHANNELS
from anlan.intake.learning import Pair
from anlan.intake.likeness import IN_USE, LIKENESS, Likely, Likeness, Told, plain_address
from anlan.intake.reading import Reader, Understood
from anlan.intake.topic import TOPICS
from anlan.kernel.catalogue import PACKAGE, Catalogue
from benchmarks import table
from benchmarks.rows import ROOT, Row, row, timed, told

FILE: Final = ROOT.parent / "shared/reference/reports/chicago_sanitation_2011_2012.csv.gz"
AT: Final = datetime(2100, 1, 1, tzinfo=UTC)
WHERE: Final = "in memory"
FEW: Final = 4000
RECALL: Final = 0.97
PRECISION: Final = 0.72
THRESHOLDS: Final = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95)


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the file: what was told, and whether the city marked it as a duplicate."""

    number: str
    told: Told
    marked: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """How many marked rows got a suggestion, how many others did, and how many marked ones did not."""

    right: int
    wrong: int
    missed: int

    @property
    def recall(self) -> float:
        return self.right / max(1, self.right + self.missed)

    @property
    def precision(self) -> float:
        return self.right / max(1, self.right + self.wrong)


def declared() -> Catalogue:
    """The package and the city's pack."""
    return Catalogue([PACKAGE, ROOT / "packs/chicago"])


def lines(file: Path, catalogue: Catalogue, *, most: int | None = None) -> list[Line]:
    """The rows as the city's channel reads them, in the order of their days and, within a day, of their numbers."""
    channel = catalogue.get(CHANNELS, "chicago_sanitation")
    content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    cells = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    reader, found = Reader(channel, tuple(cells.fieldnames or ())), []
    for number, line in enumerate(cells, start=2):
        read = reader.read(line, at=AT)
        if not isinstance(read, Understood):
            print(f"row {number} is left out: {read.reasons[0].text.en}", file=sys.stderr)
            continue
        one = Told(
            at=read.told_at, address=read.address, lon=read.lon, lat=read.lat, topic=read.topic,
            text=read.description, closed_at=read.values["completed_at"],
        )  # fmt: skip
        found.append(Line(read.message_id, one, "Dup" in read.values["status"]))
    return sorted(found, key=lambda line: (line.told.at, line.number))[:most]


class Past:
    """What was told so far, by address and by square of the map: what the indexes are to the product."""

    def __init__(self, asked: Likeness) -> None:
        self.asked = asked
        self.side = asked.metres / 60_000
        self.known: list[Told] = []
        self.at_address: dict[str, list[int]] = defaultdict(list)
        self.at_square: dict[tuple[int, int], list[int]] = defaultdict(list)

    def near(self, report: Told) -> list[Told]:
        """Those at the same address or in the squares around that are open, or were closed lately, at this moment."""
        found = set(self.at_address[address]) if (address := plain_address(report.address)) else set()
        if (square := self._square(report)) is not None:
            for east in (-1, 0, 1):
                for north in (-1, 0, 1):
                    found.update(self.at_square.get((square[0] + east, square[1] + north), ()))
        since = report.at - timedelta(days=self.asked.closed_days)
        return [
            earlier
            for earlier in map(self.known.__getitem__, sorted(found))
            if earlier.closed_at is None or earlier.closed_at >= since
        ]

    def add(self, report: Told) -> None:
        place = len(self.known)
        self.known.append(report)
        if address := plain_address(report.address):
            self.at_address[address].append(place)
        if (square := self._square(report)) is not None:
            self.at_square[square].append(place)

    def _square(self, report: Told) -> tuple[int, int] | None:
        if report.lon is None or report.lat is None:
            return None
        return int(report.lon // self.side), int(report.lat // self.side)


def replay(rows: Iterable[Line], asked: Likeness, catalogue: Catalogue) -> Iterator[list[Likely]]:
    """For each row, as it arrives, the earlier ones that it may repeat, the likeliest first."""
    topics, past = catalogue.all(TOPICS), Past(asked)
    for line in rows:
        yield likeness.rank(line.told, past.near(line.told), asked, topics)
        past.add(line.told)


def judge(rows: Sequence[Line], suggested: Iterable[bool]) -> Judged:
    """Against the city's marks: at most one suggestion a row, right if the row is marked, whichever it names."""
    right = wrong = missed = 0
    for line, one in zip(rows, suggested, strict=True):
        right += one and line.marked
        wrong += one and not line.marked
        missed += line.marked and not one
    return Judged(right, wrong, missed)


def at_threshold(rows: Sequence[Line], found: Sequence[Sequence[Likely]], threshold: float) -> Judged:
    """What suggesting the likeliest from this threshold on comes to."""
    return judge(rows, (bool(each) and each[0].score >= threshold for each in found))


def again(found: Iterable[Sequence[Likely]], asked: Likeness) -> list[list[Likely]]:
    """The same comparisons weighed by other weights."""
    weighed = ([Likely(each.place, likeness.score(each.found, asked), each.found) for each in some] for some in found)
    return [sorted(some, key=lambda each: -each.score) for some in weighed]


def bare(rows: Iterable[Line]) -> Iterator[bool]:
    """The rule to compare with: another report of the very same address within the last three days."""
    last: dict[str, datetime] = {}
    for line in rows:
        before = last.get(line.told.address) if line.told.address else None
        # Half a day more, for the two days a year that are longer or shorter.
        yield before is not None and line.told.at - before <= timedelta(days=3, hours=12)
        last[line.told.address] = line.told.at


def pairs(rows: Sequence[Line], found: Sequence[Sequence[Likely]]) -> Iterator[Pair]:
    """What there is to learn from: the city does not say of which report a marked row is a duplicate, so the likeliest
    is taken for it; a row without a mark is a duplicate of none.
    """
    for line, some in zip(rows, found, strict=True):
        if line.marked:
            yield from ((each.found, True) for each in some[:1])
        else:
            yield from ((each.found, False) for each in some)


def run(*, small: bool, file: Path = FILE) -> list[Row]:
    """The rule, the declared weights, and weights learned on the first half of the time, judged on the second."""
    catalogue = declared()
    asked = catalogue.get(LIKENESS, IN_USE)
    rows = lines(file, catalogue, most=FEW if small else None)
    with timed() as spent:
        found = list(replay(rows, asked, catalogue))
    half = len(rows) // 2
    whole = at_threshold(rows, found, asked.threshold)
    parts = [at_threshold(rows[a:b], found[a:b], asked.threshold) for a, b in ((0, half), (half, None))]
    learned = learning.learn(pairs(rows[:half], found[:half]), asked, until=rows[half - 1].told.at.date())
    later = at_threshold(rows[half:], again(found[half:], learned), learned.threshold)
    split = rows[half].told.at.date().isoformat()
    return [
        *_two("Same address within 3 days", judge(rows, bare(rows))),
        *_two(f"Declared weights, from {asked.threshold:g} on", whole, bound=not small),
        *_two(f"The same, reports before {split}", parts[0]),
        *_two(f"The same, reports from {split} on", parts[1]),
        *_two(f"Learned before {split}, judged from {split} on", later, bound=not small,
              note=f"threshold {learned.threshold:g}"),
        *(_traded(each, at_threshold(rows, found, each)) for each in THRESHOLDS),
        row("g", "Reports compared with what is near", WHERE, [len(rows) / spent.wall], "a second"),
    ]  # fmt: skip


def _two(what: str, found: Judged, *, bound: bool = False, note: str = "") -> list[Row]:
    recall = row(
        "g", f"{what}: recall", WHERE, [100 * found.recall], "%", at_least=100 * RECALL if bound else None,
        note=_counted(found),
    )  # fmt: skip
    least = 100 * PRECISION if bound else None
    return [recall, row("g", f"{what}: precision", WHERE, [100 * found.precision], "%", at_least=least, note=note)]


def _traded(threshold: float, found: Judged) -> Row:
    note = f"precision {found.precision:.1%}; {_counted(found)}"
    return row("g", f"Declared weights, from {threshold:.2f} on: recall", WHERE, [100 * found.recall], "%", note=note)


def _counted(found: Judged) -> str:
    return f"{found.right:,} right, {found.wrong:,} wrong, {found.missed:,} missed"


def main() -> None:
    """A part of the table like the others; with `--file`, another file is judged and shown."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--file", type=Path)
    given, _ = parser.parse_known_args()
    if given.file is None:
        told(run)
    else:
        table.show(run(small=False, file=given.file))


if __name__ == "__main__":
    main()
