"""The real file, played again and counted, says what a direct computation from the file says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest
from django.db.models import Q

from anlan.casework import counters, figures, replay
from anlan.casework.models import Case
from anlan.index.counting.rates import SHARES, rate
from anlan.intake import imports
from anlan.intake.channel import CHANNELS
from anlan.kernel import catalogue
from anlan.ledger import follow
from anlan.places import officers, towns
from anlan.places.models import Area

REAL = "reference/reports/chicago_sanitation_2011_2012.csv.gz"
PACK = Path(__file__).parents[2] / "packs/chicago"
AT = datetime(2026, 3, 6, tzinfo=UTC)


@pytest.fixture
def city() -> Iterator[None]:
    with catalogue.using([PACK]):
        yield


def completed(file: Path) -> pd.DataFrame:
    """The rows with a completion date, each request number once, with the days it took and its ward's area code."""
    rows = pd.read_csv(file, dtype=str).drop_duplicates("service_request_number")
    opened, done = pd.to_datetime(rows["creation_date"]), pd.to_datetime(rows["completion_date"])
    rows = rows.assign(days=(done - opened).dt.days, code="1714000" + rows["ward"].fillna("").str.zfill(2))
    return rows[rows["days"].notna()]


def test_the_figures_of_the_real_file_equal_a_direct_computation(shared: Path, city: None) -> None:
    channel = catalogue.current().get(CHANNELS, "chicago_sanitation")
    towns.load(towns.town(channel.town), by=None, at=AT)
    by = officers.create("import", name="导入", is_machine=True, by=None, at=AT)
    taken = imports.take(channel, (shared / REAL).read_bytes(), name="real", by=by, at=AT)
    played = replay.replay(channel, taken.rows, by=by, recorded_at=AT)
    follow.drain("counters", counters.count, at=AT, batch=5000)
    assert (played.opened, played.open_still) == (37_228, 0)

    wanted = completed(shared / REAL)
    root = Area.objects.get(parent=None)
    whole = figures.durations(root.path)
    assert whole.cases == len(wanted) == 37_197, "the two repeated request numbers wait in quarantine"
    assert (whole.percentile(0.5), whole.percentile(0.9)) == (2, 9)
    assert whole.percentile(0.9) == wanted["days"].quantile(0.9)

    wards = dict(Area.objects.filter(parent=root).values_list("path", "code"))
    sums, spells = figures.by_area(list(wards)), figures.durations_by_area(list(wards))
    on_time = catalogue.current().get(SHARES, "inTimeDisposeRate")
    assert len(wards) == 50
    for path, code in wards.items():
        ward = wanted[wanted["code"] == code]
        assert rate(on_time, sums[path]).value == (ward["days"] <= 5).mean()
        assert spells[path].percentile(0.5) == ward["days"].median()
        assert spells[path].percentile(0.9) == ward["days"].quantile(0.9)

    assert figures.sums(root.path)["finished"] == Case.objects.filter(~Q(closed_at=None)).count() == 37_228
    chart = figures.daily(root.path, first=date(2000, 1, 1), last=date(2012, 12, 31))
    assert sum(day.opened for day in chart) == 37_228
