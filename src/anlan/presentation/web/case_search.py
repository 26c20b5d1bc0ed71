"""Cases for the search box: by the beginning of a number, else by words among those that are open."""

from __future__ import annotations

from django.db.models import Q

from anlan.casework.cases import visible
from anlan.casework.models import Case
from anlan.places.models import Site
from anlan.presentation.web.case_filters import is_number, numbered
from anlan.presentation.web.case_rows import with_names
from anlan.presentation.web.frame import Asked

MOST = 20


def found_cases(request: Asked, text: str) -> list[Case]:
    """The cases within reach that `text` names, most pressing first."""
    if not text or not request.reach.may("cases.see"):
        return []
    rows = visible(request.reach)
    if is_number(text):
        return list(with_names(rows.filter(numbered(text))).order_by("number")[:MOST])
    sites = Site.objects.filter(code=text).values("pk")
    named = Q(title__icontains=text) | Q(address__icontains=text) | Q(site__in=sites)
    return list(with_names(rows.filter(named, closed_at=None)).order_by("due_at", "pk")[:MOST])


def exact(request: Asked, text: str) -> Case | None:
    """The one case whose number was typed in full."""
    if not is_number(text) or not request.reach.may("cases.see"):
        return None
    return visible(request.reach).filter(number=text.upper()).first()
