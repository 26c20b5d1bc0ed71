"""The demo town's index: its facts exported, and its last two full months drafted, signed by another, published."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from anlan.index.counting.period import around
from anlan.index.editions import edition
from anlan.ledger.models import Event
from anlan.places.models import Officer
from anlan.places.record import day_of
from anlan.places.scope import Reach, reach_of
from anlan.presentation import facts, publishing

INDEX: Final = "peace_sample"
DRAFTS, SIGNS, PUBLISHES = "fenxi1", "duban1", "lingdao1"
"""The sign-ins of those who do it: an analyst, a supervisor, the lead of the county."""


def publish(*, at: datetime, say: Callable[[str], None]) -> None:
    """Publish the last two full months in which the town was there, unless something has been published already."""
    last, began = around(day_of(at), "month").before, day_of(Event.objects.earliest("seq").at)
    months = [month for month in (last.before, last) if month.first >= began]
    if not months or edition.published(publishing.root(), INDEX):
        return
    facts.export(facts.store(), at=at)
    for period in months:
        analyst, supervisor, lead = (_officer(name, at) for name in (DRAFTS, SIGNS, PUBLISHES))
        made = publishing.draft(INDEX, period.name, by=analyst[0], reach=analyst[1], at=at)
        made = publishing.move(made, "signed", by=supervisor[0], reach=supervisor[1], at=at)
        publishing.move(made, "published", by=lead[0], reach=lead[1], at=at)
    say("已发布指数，见 /index/。 / The index is published: see /index/")


def _officer(username: str, at: datetime) -> tuple[Officer, Reach]:
    officer = Officer.objects.get(username=username)
    return officer, reach_of(officer, at=at)
