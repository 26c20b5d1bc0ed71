"""Topics: what a report can be about, as declared."""

from __future__ import annotations

from typing import Any

from ninja import Schema

from anlan.intake.topic import TOPICS
from anlan.intake.topic_model import hearing
from anlan.kernel import catalogue
from anlan.presentation.api.frame import Noun
from anlan.presentation.api.shapes import Words, words
from anlan.presentation.web.frame import Asked

router = Noun("topics")
LONGEST = 4000
"""So much of a text is read; nobody needs more to say what it is."""


class TopicRow(Schema):
    key: str
    title: Words
    parent: str


class SuggestedRow(Schema):
    topic: str
    title: Words
    confidence: float
    because: list[str]


@router.get("", response=list[TopicRow])
def list_(request: Asked) -> Any:
    """Every declared topic."""
    found = catalogue.current().all(TOPICS)
    return [{"key": key, "title": words(found[key].title), "parent": found[key].parent} for key in sorted(found)]


@router.get("/suggest", response=list[SuggestedRow])
def suggest(request: Asked, text: str) -> Any:
    """The topics that a text is likely about, likeliest first, with how sure that is and the words that said so."""
    heard = hearing()
    return [
        {"topic": each.topic, "title": words(heard.topics[each.topic].title), "confidence": round(each.confidence, 4),
         "because": list(each.because)}
        for each in heard.suggest(text[:LONGEST])
    ]  # fmt: skip
