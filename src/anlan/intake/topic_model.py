"""The model of topics that is in use: one for the town, the latest learned; read once and kept."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from anlan.intake import suggestion
from anlan.intake.models import TopicModel
from anlan.intake.suggestion import Model, Suggested, Suggesting
from anlan.intake.topic import TOPICS, Topic
from anlan.kernel import catalogue

# Models are kept by their row's number and moment; tests and restored backups number anew.
_kept: dict[tuple[int, datetime], Model] = {}
_EARLIER: Final = 5
"""So many are kept, to look back at how good they were."""


def in_use() -> Model | None:
    """The latest model; None while nothing was learned. One query."""
    latest = TopicModel.objects.order_by("-pk").values_list("pk", "made_at").first()
    if latest is None:
        return None
    if latest not in _kept:
        row = TopicModel.objects.get(pk=latest[0])
        _kept.clear()
        _kept[latest] = suggestion.read(zlib.decompress(row.weights))
    return _kept[latest]


def keep(model: Model, judged: dict[str, object], *, at: datetime) -> TopicModel:
    """From now on this one is in use; only the last few are kept."""
    with transaction.atomic():
        row = TopicModel.objects.create(made_at=at, weights=zlib.compress(model.written), judged=judged)
        TopicModel.objects.filter(pk__in=_old()).delete()
    return row


def _old() -> list[int]:
    return list(TopicModel.objects.order_by("-pk").values_list("pk", flat=True)[_EARLIER:])


def latest() -> TopicModel | None:
    """The row of the model in use."""
    return TopicModel.objects.defer("weights").order_by("-pk").first()


def is_due(*, at: datetime) -> bool:
    """Whether it is time to learn again."""
    last = TopicModel.objects.order_by("-pk").values_list("made_at", flat=True).first()
    return last is None or at - last >= timedelta(days=suggestion.declared().again_days)


@dataclass(frozen=True, slots=True)
class Hearing:
    """What is needed to say what a text is about, looked up once for many texts."""

    topics: Mapping[str, Topic]
    how: Suggesting
    model: Model | None

    def suggest(self, text: str) -> list[Suggested]:
        """The likeliest topics of a text, with what this town has taught."""
        return suggestion.suggest(self.topics, text, self.how, self.model)

    def certain(self, text: str) -> Suggested | None:
        """The first of them, when it may be taken without asking anybody."""
        first = next(iter(self.suggest(text)), None)
        return first if first is not None and first.confidence >= self.how.certain else None


def hearing() -> Hearing:
    """How this town's texts are understood now. One query."""
    return Hearing(catalogue.current().all(TOPICS), suggestion.declared(), in_use())
