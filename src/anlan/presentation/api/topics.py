"""Topics: what a report can be about, as declared."""

from __future__ import annotations

from typing import Any

from ninja import Schema

from anlan.intake.topic import TOPICS
from anlan.kernel import catalogue
from anlan.presentation.api.frame import Noun
from anlan.presentation.api.shapes import Words, words
from anlan.presentation.web.frame import Asked

router = Noun("topics")


class TopicRow(Schema):
    key: str
    title: Words
    parent: str


@router.get("", response=list[TopicRow])
def list_(request: Asked) -> Any:
    """Every declared topic."""
    found = catalogue.current().all(TOPICS)
    return [{"key": key, "title": words(found[key].title), "parent": found[key].parent} for key in sorted(found)]
