"""The demo town's index: its facts exported, and its last two full months drafted, signed by another, published."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from anlan.index import edition
from anlan.index.period import around
from anlan.places.models import Officer
from anlan.places.record import day_of
from anlan.places.scope import Reach, reach_of
from anlan.presentation import facts, publishing

INDEX: Final = "peace_sample"
DRAFTS, SIGNS, PUBLISHES = "fenxi1", "duban1", "lingdao1"
"""The sign-ins of those who do it: an analyst, a supervisor, the lead of the county."""


def publish(*, at: datetime, say: Callable[[str], None]) -> None:
    """Publish the two months before the one of `at`, unless something of the index has been published."""
    if edition.published(publishing.root(), INDEX):
        return
    facts.export(facts.store(), at=at)
    last = around(day_of(at), "month").before
    for period in (last.before, last):
        analyst, supervisor, lead = (_officer(name, at) for name in (DRAFTS, SIGNS, PUBLISHES))
        made = publishing.draft(INDEX, period.name, by=analyst[0], reach=analyst[1], at=at)
        made = publishing.move(made, "signed", by=supervisor[0], reach=supervisor[1], at=at)
        publishing.move(made, "published", by=lead[0], reach=lead[1], at=at)
    say("已发布两个月的指数，见 /index/。 / Two months of the index are published: see /index/")


def _officer(username: str, at: datetime) -> tuple[Officer, Reach]:
    officer = Officer.objects.get(username=username)
    return officer, reach_of(officer, at=at)
