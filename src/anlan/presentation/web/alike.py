"""可能是同一件事: the cases that a report may repeat, as triage shows them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from anlan.casework import neighbours
from anlan.casework.cases import visible
from anlan.casework.models import Case
from anlan.intake.models import Report
from anlan.kernel.text import Text
from anlan.presentation.web.case_rows import with_names
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.inbox import Entry, entries_of

SHOWN: Final = 6
"""How many cases are shown, the likely ones and the others nearby together."""


@dataclass(frozen=True, slots=True)
class Alike:
    """The likely ones and the others nearby, the likeliest first; `first` is the number of the likeliest open one."""

    likely: list[Entry]
    others: list[Entry]
    first: str | None


NONE: Final = Alike([], [], None)


def same_as(case: Case, request: Asked) -> Alike:
    """The same for the report that a case was opened for; nothing where there was none."""
    report = Report.objects.filter(case_reports__case=case).order_by("case_reports__pk").first()
    return alike(report, request) if report is not None else NONE


def alike(report: Report, request: Asked) -> Alike:
    """What this person may see of the cases that the report may repeat."""
    found = neighbours.likely(report, visible(request.reach))[:SHOWN]
    shown = with_names(visible(request.reach).filter(pk__in=[each.case for each in found])) if found else []
    entries = {entry.case.pk: entry for entry in entries_of(shown, request.at)}
    said = [(each, replace(entries[each.case], why=_why(each))) for each in found if each.case in entries]
    return Alike(
        likely=[entry for each, entry in said if each.likely],
        others=[entry for each, entry in said if not each.likely],
        first=next((entry.case.number for each, entry in said if each.likely and each.open), None),
    )


def _why(each: neighbours.Neighbour) -> Text:
    return Text(zh=f"相似 {each.score:.0%}：{each.why.zh}", en=f"{each.score:.0%} alike: {each.why.en}")
