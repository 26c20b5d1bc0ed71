"""The vocabulary of pushes: to whom one police call is pushed, and within which time each of them answers.

One file a set of pushes, in a folder `pushes`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from anlan.casework.procedure import PROCEDURES
from anlan.intake.channel import CHANNELS
from anlan.intake.topic import TOPICS
from anlan.kernel.catalogue import Basis, Catalogue, Declaration, Kind, current
from anlan.kernel.refusals import Misdeclared, unknown
from anlan.kernel.text import Text
from anlan.kernel.workdays import Unit
from anlan.places.role import ROLES


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Within(_Part):
    """So much time, by the calendar in force at the place."""

    n: float = Field(gt=0)
    unit: Unit


class Push(_Part):
    """One push. To whom: the officer whose account stands in the channel's field `field`; else whoever holds one of
    `roles` nearest above the place; else, so that nobody is told of no call, one of `otherwise`.

    `opens` is the procedure under which the call becomes a case where the routing table knows none: the push to the
    platform waits for nobody. `follows_case` = it is answered, too, when the case it became is closed. When the time is
    over, the holders of `late_tell` nearest above the place are told.
    """

    key: str = Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=30)
    title: Text
    purpose: Text
    field: str = ""
    roles: tuple[str, ...] = ()
    otherwise: tuple[str, ...] = ()
    opens: str = ""
    follows_case: bool = False
    within: Within
    late_tell: tuple[str, ...] = ()


class Link(_Part):
    """When a call repeats an earlier one: within so many days from the same site, address or caller, or so near."""

    days: int = Field(default=30, ge=1, le=365)
    metres: float = Field(default=30, ge=0, le=500)


class Pushes(Declaration):
    """What is pushed when a report comes by one of `channels`. `disputes` are the topics counted as disputes."""

    title: Text
    summary: Text
    channels: tuple[str, ...] = Field(min_length=1)
    disputes: tuple[str, ...] = ()
    link: Link = Link()
    push: tuple[Push, ...] = Field(min_length=1)
    basis: Basis

    @model_validator(mode="after")
    def _each_once_and_to_somebody(self) -> Self:
        keys = [each.key for each in self.push]
        if len(set(keys)) < len(keys):
            raise Misdeclared("push：有重复的 key", "push: a key stands twice")
        if not all(each.roles or each.otherwise for each in self.push):
            raise Misdeclared("push：每条要有 roles 或 otherwise", "push: each needs roles, or otherwise")
        return self

    def one(self, key: str) -> Push | None:
        """The push with this key; None when the file has it no more."""
        return next((each for each in self.push if each.key == key), None)


PUSHES = Kind("pushes", Pushes)


def of_channel(channel: str) -> Pushes | None:
    """What is pushed for reports of a channel."""
    return next((each for each in current().all(PUSHES).values() if channel in each.channels), None)


def pushed_channels() -> frozenset[str]:
    """The channels whose reports are pushed."""
    return frozenset(channel for each in current().all(PUSHES).values() for channel in each.channels)


def strangers(declared: Pushes, catalogue: Catalogue) -> Iterator[tuple[str, Text]]:
    """What it names that nobody declares: channels, their fields, topics and roles."""
    channels, roles, topics = catalogue.all(CHANNELS), catalogue.all(ROLES), catalogue.all(TOPICS)
    procedures = {each.key for each in catalogue.all(PROCEDURES).values()}
    for channel in declared.channels:
        if channel not in channels:
            yield "channels", unknown("渠道", "channel", channel, channels)
    for topic in declared.disputes:
        if topic not in topics:
            yield "disputes", unknown("类别", "topic", topic, topics)
    for each in declared.push:
        for role in (*each.roles, *each.otherwise, *each.late_tell):
            if role not in roles:
                yield f"push.{each.key}", unknown("角色", "role", role, roles)
        if each.opens and each.opens not in procedures:
            yield f"push.{each.key}.opens", unknown("流程", "procedure", each.opens, procedures)
        for channel in declared.channels:
            if each.field and channel in channels and each.field not in channels[channel].columns:
                yield f"push.{each.key}.field", unknown("字段", "field", each.field, channels[channel].columns)
