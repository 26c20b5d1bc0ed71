"""(c) A million cases and 20,000 areas: server time and queries of an overdue list, a county's counts, a case page."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any

from benchmarks.ground import ready
from benchmarks.rows import Row, Spent, judged, percentile, row, timed, told

PAGES = 50
QUERIES = 12
BOUND = 50.0


def run(*, small: bool) -> list[Row]:
    """Build the province where it is not there yet, then ask for each page through the whole of the server."""
    database = ready()
    from anlan.casework.models import Case
    from anlan.places.models import Area

    rows = [] if Case.objects.exists() else [_build(database, small=small)]
    county = Area.objects.filter(level="county").order_by("path")[0]
    size = f"{Case.objects.count():,} cases, {Area.objects.count():,} areas"
    print(database, size, file=sys.stderr)
    measure = _Measure(database, 20 if small else 60)
    first = f"/cases/?area={county.code}&light=late"
    fiftieth = measure.far(first, PAGES)
    sample = Case.objects.filter(area_path__startswith=county.path, closed_at=None, step="handling")
    numbers = list(sample.order_by("-opened_at").values_list("number", flat=True)[:100])
    return [
        *rows,
        *measure.page("Overdue cases of a county, page 1", lambda n: first, size),
        *measure.page(f"Overdue cases of a county, page {PAGES}", lambda n: fiftieth, size),
        *measure.page("The county's counts of now", lambda n: f"/figures/now/?area={county.code}", size),
        *measure.page("The county's figures of a month", lambda n: f"/figures/?area={county.code}", size),
        *measure.page("A case page", lambda n: f"/cases/{numbers[n % len(numbers)]}/", size),
        *measure.page("The API's list, by deadline", lambda n: f"/api/v1/cases?area={county.code}&sort=due", size),
    ]


def _build(database: str, *, small: bool) -> Row:
    from benchmarks.province import Province, Size, moment

    size = Size(cases=20_000, areas=2000, walked=400) if small else Size()
    with timed() as spent:
        Province(size, moment()).build()
    return Row("c", "Making the data", database, spent.wall, spent.wall, spent.wall, "s")


class _Measure:
    """A dispatcher of the county, signed in, and a client inside the process: no network, all of the server."""

    def __init__(self, database: str, times: int) -> None:
        from django.test import Client

        from anlan.places.models import Officer

        self.database, self.times = database, times
        self.client = Client(headers={"host": "127.0.0.1"})
        self.client.force_login(Officer.objects.get(username="dispatcher"))

    def page(self, what: str, url: Callable[[int], str], size: str) -> list[Row]:
        """The median and the 95th percentile of its server time, and the most queries it asked."""
        asked = max(self._queries(url(n)) for n in range(3))
        all_spent = [self._get(url(n)) for n in range(self.times)]
        spent = [each.wall * 1e3 for each in all_spent]
        processor = [each.processor * 1e3 for each in all_spent]
        p50, p95 = percentile(spent, 0.5), percentile(spent, 0.95)
        bound, holds = judged(p95, "ms", at_most=BOUND)
        most, few = judged(asked, "", at_most=QUERIES)
        return [
            Row(
                "c",
                f"{what}: p95",
                self.database,
                p95,
                p50,
                max(spent),
                "ms",
                bound,
                holds,
                f"median {p50:.1f} ms; {size}",
            ),
            row("c", f"{what}: processor time", self.database, processor, "ms"),
            Row("c", f"{what}: queries", self.database, asked, asked, asked, "", most, few),
        ]

    def far(self, url: str, pages: int) -> str:
        """The address of the page so many pages on, as the links lead there."""
        first = url
        for number in range(2, pages + 1):
            found = re.search(r'href="[^"]*[?&;](after=[A-Za-z0-9_%.-]+)', self._read(url).decode())
            if found is None:
                print(f"the list ends at page {number - 1}", file=sys.stderr)
                break
            url = f"{first}&{found[1]}"
        return url

    def _get(self, url: str) -> Spent:
        with timed() as spent:
            self._read(url)
        return spent

    def _read(self, url: str) -> bytes:
        answer: Any = self.client.get(url)
        assert answer.status_code == 200, (url, answer.status_code)
        return bytes(answer.content)

    def _queries(self, url: str) -> int:
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as asked:
            self._read(url)
        return len(asked)


if __name__ == "__main__":
    told(run)
