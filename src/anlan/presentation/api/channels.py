"""Channels: the sources of reports, and the columns their messages have, as declared."""

from __future__ import annotations

from typing import Any

from ninja import Schema

from anlan.intake.channel import CHANNELS
from anlan.kernel import catalogue
from anlan.presentation.api.frame import Noun
from anlan.presentation.api.shapes import Words, words
from anlan.presentation.web.frame import Asked

router = Noun("channels")


class ColumnRow(Schema):
    """A field is read from the first of `names` that the message has."""

    field: str
    names: list[str]
    kind: str
    required: bool


class ChannelRow(Schema):
    key: str
    title: Words
    kind: str
    action: str
    columns: list[ColumnRow]


@router.get("", response=list[ChannelRow])
def list_(request: Asked) -> Any:
    """Every declared channel."""
    return [
        {
            "key": key,
            "title": words(channel.title),
            "kind": channel.kind,
            "action": channel.action,
            "columns": [
                {"field": field, "names": list(column.names), "kind": column.kind, "required": column.required}
                for field, column in channel.columns.items()
            ],
        }
        for key, channel in sorted(catalogue.current().all(CHANNELS).items())
    ]
