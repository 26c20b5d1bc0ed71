"""A history played again: every case as it would have been on its own day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from anlan.casework import replay
from anlan.casework.models import Case
from anlan.intake import imports
from anlan.intake.channel import CHANNELS
from anlan.kernel import catalogue
from anlan.kernel.text import Text
from anlan.places import areas, departments, duties, officers, towns

PACK = Path(__file__).parents[2] / "packs/chicago"
AT = datetime(2026, 3, 6, tzinfo=UTC)
ROWS = """service_request_number,creation_date,status,completion_date,street_address,ward
11-1,01/03/2011,Open,,1 N STATE ST,34
11-2,06/30/2011,Open,,2 N STATE ST,34
11-3,07/01/2011,Open,,3 N STATE ST,34
11-4,07/01/2011,Open,,4 N STATE ST,35
"""


@pytest.fixture
def city() -> Iterator[None]:
    with catalogue.using([PACK]):
        towns.load(towns.town("chicago"), by=None, at=AT)
        yield


@pytest.mark.usefixtures("city")
def test_each_case_goes_to_whoever_had_the_duty_on_its_own_day() -> None:
    ward = areas.find("171400034", AT.date())
    for key, first in (("before", date(2010, 1, 1)), ("after", date(2011, 7, 1))):
        office = departments.create(key, name=Text(zh=key, en=key), area=ward, by=None, at=AT)
        duties.assign(topic="", area=ward, department=office, valid_from=first, by=None, at=AT)
    by = officers.create("import", name="导入", is_machine=True, by=None, at=AT)
    channel = catalogue.current().get(CHANNELS, "chicago_sanitation")
    taken = imports.take(channel, ROWS.encode(), name="rows", by=by, at=AT)
    replay.replay(channel, taken.rows, by=by, recorded_at=AT)
    led = Case.objects.order_by("address").values_list("lead__key", flat=True)
    assert list(led) == ["before", "before", "after", "streets_and_sanitation"]
