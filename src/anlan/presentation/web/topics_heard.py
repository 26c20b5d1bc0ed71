"""从文字看是什么事: the topics that somebody's words may mean, offered beside the field where one is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.http import HttpResponse
from django.shortcuts import render

from anlan.intake.topic_model import Hearing, hearing
from anlan.kernel.text import Text
from anlan.presentation.permissions import needs
from anlan.presentation.web.frame import Asked

LONGEST: Final = 4000


@dataclass(frozen=True, slots=True)
class Heard:
    """One topic as it is offered: how sure, and the words that said so."""

    topic: str
    title: Text
    percent: str
    because: str


def heard(listening: Hearing, text: str) -> list[Heard]:
    """What a text may mean, likeliest first."""
    return [
        Heard(each.topic, listening.topics[each.topic].title, f"{each.confidence:.0%}", " ".join(each.because))
        for each in listening.suggest(text)
    ]


@needs("reports.receive")
def suggested(request: Asked) -> HttpResponse:
    """The same for what is being typed: a piece of the report's form."""
    found = heard(hearing(), request.GET.get("description", "")[:LONGEST])
    return render(request, "parts/heard.html", {"heard": found, "into": "topic"})
