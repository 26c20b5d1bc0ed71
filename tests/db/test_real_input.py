"""37,230 real complaints, imported and replayed by the very commands of docs/howto/import-a-file.md.

The import runs once for all the tests here, in an installation of its own; afterwards a second file of the same shape
comes in by the same command.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from howto import follow, in_order, page, promised, shell
from installation import Installation, Installations

NAME = "chicago_sanitation_2011_2012.csv.gz"
FACTS = Path(__file__).parents[1] / "real_facts.py"
USING = "export ANLAN_PACKS=packs/chicago\n"
SECOND = 400
"""How many rows the second file has that can be understood; one more cannot."""


@dataclass(frozen=True, slots=True)
class Real:
    """The file itself, and what its import said and left behind: before and after the second file came."""

    rows: pd.DataFrame
    said: list[str]
    facts: dict[str, Any]
    second: str
    after: dict[str, Any]
    verified: str

    @property
    def taken(self) -> pd.DataFrame:
        """The rows that became reports: where a number stands twice, the first has it."""
        return self.rows.drop_duplicates("service_request_number")

    @property
    def completed(self) -> pd.DataFrame:
        """Those of them with a completion date, and the days from creation to completion."""
        done = self.taken[self.taken.completion_date.notna()]
        days = pd.to_datetime(done.completion_date) - pd.to_datetime(done.creation_date)
        return done.assign(days=days.dt.days)


@pytest.fixture(scope="module")
def real(shared: Path, installations: Installations, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    """The page followed to the letter, then the second file."""
    folder, installation = tmp_path_factory.mktemp("real"), installations.make()
    (folder / NAME).symlink_to(shared / "reference/reports" / NAME)
    rows = pd.read_csv(folder / NAME, dtype=str)
    said = follow(page("import-a-file"), folder, installation)
    before = facts(folder, installation)
    (folder / "second.csv").write_text(second_file(folder / NAME), encoding="utf-8")
    command = f"{USING}anlan import second.csv --channel chicago_sanitation --replay\nanlan work --once >/dev/null\n"
    second = shell(command, folder, installation)
    verified = shell("anlan ledger verify", folder, installation)
    yield Real(rows, said, before, second, facts(folder, installation), verified)
    installations.remove(installation)


def facts(folder: Path, installation: Installation) -> dict[str, Any]:
    """What stands in the installation now."""
    found: dict[str, Any] = json.loads(shell(f"{USING}python {FACTS}\n", folder, installation))
    return found


def second_file(real_file: Path) -> str:
    """A file of the same shape: some of the rows under other numbers two years later, and a day that does not exist."""
    with gzip.open(real_file, "rt", encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["status"] == "Completed"][5000 : 5000 + SECOND]
    for row in rows:
        row["service_request_number"] = row["service_request_number"].replace("11-", "13-")
        for name in ("creation_date", "completion_date"):
            row[name] = (date.fromisoformat(row[name]) + timedelta(days=730)).isoformat()
    rows.append({**rows[0], "service_request_number": "13-X", "creation_date": "2013-02-30"})
    written = io.StringIO()
    table = csv.DictWriter(written, list(rows[0]))
    table.writeheader()
    table.writerows(rows)
    return written.getvalue()


def test_the_commands_of_the_page_say_what_the_page_shows(real: Real) -> None:
    for number, lines in promised(page("import-a-file")):
        assert in_order(lines, real.said[number]) == [], real.said[number]


def test_every_row_is_a_report_or_held_with_its_reason(real: Real) -> None:
    assert len(real.rows) == 37_230
    assert (real.facts["reports"], len(real.facts["held"])) == (37_228, 2)
    assert real.facts["reports"] == len(real.taken)


def test_the_second_of_two_equal_numbers_is_held_as_different_content(real: Real) -> None:
    repeated = real.rows[real.rows.service_request_number.duplicated()]
    assert [(row, number) for row, number, _ in real.facts["held"]] == [
        (index + 2, number) for index, number in repeated.service_request_number.items()
    ]
    assert all("same number, different content" in reason for _, _, reason in real.facts["held"])


def test_rows_without_a_place_are_reports_of_what_is_known(real: Real) -> None:
    nowhere = real.rows[real.rows.latitude.isna() | real.rows.longitude.isna()].service_request_number
    assert sorted(number for number, _ in real.facts["nowhere"]) == sorted(nowhere)
    assert len(nowhere) == 4
    wardless = real.rows[real.rows.ward.isna()].service_request_number
    assert len(wardless) == 1
    zero = real.rows[real.rows.ward == "0"].service_request_number
    assert real.facts["whole city"] == sorted([*wardless, *zero])


def test_the_citys_marks_of_duplicates_become_merged_cases(real: Real) -> None:
    assert real.rows.status.str.contains("Dup").sum() == 1791
    assert real.facts["fates"] == {
        "Completed closed": 35_437,
        "Completed - Dup merged": 1742,
        "Completed - Dup duplicate": 18,
        "Open - Dup set_aside": 31,
    }
    # A report that was merged is answered by its own case and by the one it was merged into.
    assert real.facts["answers"] == 37_228 + 1742 + 31
    assert real.facts["city"]["merged"] == 1742 + 18


def test_rows_without_a_completion_date_are_set_aside_and_not_counted_as_work(real: Real) -> None:
    assert real.rows.completion_date.isna().sum() == 31
    city = real.facts["city"]
    assert (city["reported"], city["voided"]) == (37_228, 31)
    assert (city["handled"], city["to_handle"], city["overdue_open"]) == (37_197, 37_197, 0)


def test_days_to_completion_are_those_of_the_file(real: Real) -> None:
    done = real.rows[real.rows.completion_date.notna()]
    days = (pd.to_datetime(done.completion_date) - pd.to_datetime(done.creation_date)).dt.days
    assert (len(days), days.quantile(0.5), days.quantile(0.9)) == (37_199, 2, 9)
    assert (real.facts["timed"], real.facts["median"], real.facts["p90"]) == (len(real.completed), 2, 9)
    assert real.completed.days.quantile([0.5, 0.9]).tolist() == [2, 9]


def test_the_on_time_rate_of_every_ward_is_what_pandas_computes(real: Real) -> None:
    done = real.completed
    done = done.assign(on_time=done.days <= 5, code="1714000" + done.ward.str.zfill(2))
    by_ward = done.groupby("code").on_time.agg(["mean", "sum", "count"])
    assert set(by_ward.index) - set(real.facts["wards"]) == {"171400000"}  # ward 0: the city as a whole
    assert len(real.facts["wards"]) == 50
    for code, (value, numerator, denominator) in real.facts["wards"].items():
        mean, total, count = by_ward.loc[code]
        assert (numerator, denominator) == (total, count), code
        assert value == pytest.approx(mean, abs=1e-12), code


def test_a_second_file_of_the_same_shape_needs_nothing_but_the_command(real: Real) -> None:
    expected = [f"{SECOND + 1:>9,}  行 / rows", f"{SECOND:>9,}  成为上报 / became reports"]
    assert in_order(expected, real.second) == [], real.second
    assert real.after["reports"] == real.facts["reports"] + SECOND
    assert real.after["cases"] == real.facts["cases"] + SECOND
    assert len(real.after["held"]) == 3
    assert real.after["timed"] == real.facts["timed"] + SECOND


def test_the_ledger_of_it_all_is_whole(real: Real) -> None:
    assert "台账完好" in real.verified
    assert real.after["events"] > real.facts["events"] > 120_000
