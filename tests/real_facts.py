"""Run by a test as a process of its own: what an installation has after the real file was imported, printed as JSON."""

# ruff: noqa: T201 - the test reads what is printed
from __future__ import annotations

import json
from collections import Counter
from typing import Any


def main() -> None:
    """What the process does."""
    import django

    django.setup()
    from anlan.casework import figures
    from anlan.casework.models import Case, CaseReport
    from anlan.index.counting.rates import SHARES, rate
    from anlan.intake.models import Quarantined, Report
    from anlan.kernel import catalogue
    from anlan.ledger.models import Event
    from anlan.places.models import Area

    city = Area.objects.get(code="1714000").path
    wards = dict(Area.objects.filter(level="township").values_list("code", "path"))
    own = {key.removeprefix("open:"): case for key, case in opened(Event)}
    stands = dict(Case.objects.values_list("pk", "step"))
    fates = Counter(
        f"{raw['status']} {stands[own[str(pk)]]}" for pk, raw in Report.objects.values_list("pk", "raw").iterator()
    )
    on_time = catalogue.current().get(SHARES, "inTimeDisposeRate")
    sums = figures.by_area(list(wards.values()))
    nowhere = Report.objects.filter(lon=None).order_by("message_id")
    noted = Report.objects.filter(area__code="1714000").exclude(notes=[]).order_by("message_id")
    said: dict[str, Any] = {
        "reports": Report.objects.count(),
        "cases": Case.objects.count(),
        "answers": CaseReport.objects.count(),
        "events": Event.objects.count(),
        "held": [[row.row_no, row.raw["service_request_number"], row.reasons[0]["en"]] for row in held(Quarantined)],
        "nowhere": list(nowhere.values_list("message_id", "area__code")),
        "whole city": list(noted.values_list("message_id", flat=True)),
        "fates": fates,
        "city": figures.sums(city),
        "timed": figures.durations(city).cases,
        "median": figures.percentile(city, 0.5),
        "p90": figures.percentile(city, 0.9),
        "wards": {code: list(shares(rate(on_time, sums[path]))) for code, path in wards.items()},
    }
    print(json.dumps(said))


def opened(event: Any) -> Any:
    """The key and the case of every opening; the key names the report it answers."""
    return event.objects.filter(kind="case.opened").values_list("key", "subject").iterator()


def shares(found: Any) -> tuple[float | None, int, int]:
    """A rate with what it came from."""
    return found.value, found.numerator, found.denominator


def held(quarantined: Any) -> Any:
    """What waits in quarantine, in the order of the file."""
    return quarantined.objects.order_by("row_no")


if __name__ == "__main__":
    main()
