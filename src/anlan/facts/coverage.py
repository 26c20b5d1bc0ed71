"""Whether a figure from outside came for every area: read from the facts alone, without a database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from anlan.kernel.periods import last_day
from anlan.kernel.text import Refusal, Text

LEVELS: Final = ("province", "prefecture", "county", "township", "village", "grid")


@dataclass(frozen=True, slots=True)
class Coverage:
    """Which areas of one level have a figure for a period and which have not, by path."""

    figure: str
    period: str
    level: str
    having: tuple[str, ...]
    missing: tuple[str, ...]
    names: dict[str, Text]

    @property
    def whole(self) -> bool:
        """Whether every area has it."""
        return not self.missing

    @property
    def sentence(self) -> Text:
        """Which areas are missing, by name, at most five of them."""
        if self.whole:
            return Text(
                zh=f"“{self.figure}”{self.period} 齐全：{len(self.having)} 个辖区都有。",
                en=f"'{self.figure}' for {self.period} is complete: all {len(self.having)} areas have it.",
            )
        count, some = len(self.missing), [self.names[path] for path in self.missing[:5]]
        more = count > len(some)
        zh = "、".join(name.zh for name in some) + ("等" if more else "")
        en = ", ".join(name.en for name in some) + (" …" if more else "")
        return Text(
            zh=f"“{self.figure}”{self.period} 缺 {count} 个辖区（{zh}）。请补导后再用。",
            en=f"'{self.figure}' for {self.period} lacks {count} areas ({en}). Import these first.",
        )


class NoPeriod(Refusal):
    """That is no period."""


def coverage(folder: Path, figure: str, period: str, *, within: str = "") -> list[Coverage]:
    """For each level at which the figure is given for at least one area, which areas have it; from the top down.

    The areas are those that stood on the period's last day; for a period before the tree begins, those it begins with.
    Empty where nobody has it. `folder` is where the facts lie, `within` the path of the area that is asked about.
    Raises `NoPeriod`.
    """
    try:
        day = last_day(period)
    except ValueError as error:
        raise NoPeriod(
            f"“{period}”不是时期；请写成 2026、2026-Q3 或 2026-11。",
            f"'{period}' is no period; write 2026, 2026-Q3 or 2026-11.",
            field="period",
        ) from error
    month = folder / "statistics" / f"month={day:%Y-%m}" / "part-0.parquet"
    if not month.is_file():
        return []
    with duckdb.connect() as database:
        areas = database.execute(_AREAS, {"areas": str(folder / "areas/part-0.parquet"), "day": day}).fetchall()
        given = database.execute(_GIVEN, {"month": str(month), "figure": figure, "period": period}).fetchall()
    have = {path for (path,) in given}
    names = {path: Text(zh=zh, en=en) for path, _, zh, en in areas}
    found = []
    for level in LEVELS:
        paths = [path for path, at, _, _ in areas if at == level and path.startswith(within)]
        having = tuple(path for path in paths if path in have)
        if having:
            missing = tuple(path for path in paths if path not in have)
            found.append(Coverage(figure, period, level, having, missing, names))
    return found


_AREAS: Final = """
WITH told AS (SELECT *, min(valid_from) OVER () AS began FROM read_parquet($areas))
SELECT path, level, name_zh, name_en FROM told
WHERE valid_from <= greatest($day, began) AND (valid_to IS NULL OR valid_to > greatest($day, began)) ORDER BY path
"""
_GIVEN: Final = """
SELECT area_path FROM read_parquet($month) WHERE figure = $figure AND period = $period AND current
"""
