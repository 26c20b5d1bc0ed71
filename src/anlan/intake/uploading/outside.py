"""Figures from outside: of an area and a period, with unit and source; a correction is a further version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db.models import Max

from anlan.intake.models import Statistic
from anlan.intake.reading import Reader, Reason, Unclear
from anlan.intake.uploading.layout import Plan
from anlan.intake.uploading.targets import AreaNames, Kind, Messages, Taking, Verdict, out_of_reach
from anlan.kernel.ids import new_id
from anlan.kernel.periods import last_day
from anlan.kernel.text import Text
from anlan.ledger import events
from anlan.places import past
from anlan.places.models import Area, Officer
from anlan.places.record import day_of

Place = tuple[str, str, str]
_LONGEST = {"figure": 120, "unit": 20, "source": 200}


class Statistics:
    """Rows that become figures. The same figure again is nothing new; another one in its place corrects it."""

    def __init__(self, plan: Plan, taking: Taking) -> None:
        self._plan, self._taking = plan, taking
        self._areas = AreaNames.on(taking.at)
        self._readers: dict[tuple[str, ...], Reader] = {}
        self._seen: dict[Place, tuple[Any, ...]] = {}
        self._ended: dict[str, list[Area]] = {}

    def look(self, rows: Messages) -> list[Verdict]:
        return self._each(rows, write=False)

    def take(self, rows: Messages) -> list[Verdict]:
        return self._each(rows, write=True)

    def _each(self, rows: Messages, *, write: bool) -> list[Verdict]:
        read = [self._understood(row_no, message) for row_no, message in rows]
        good = [each for each in read if isinstance(each, Statistic)]
        known = {(each.figure, each.area_path, each.period): each for each in _current(good)}
        return [
            each if isinstance(each, Verdict) else self._one(row_no, each, known, write=write)
            for (row_no, _), each in zip(rows, read, strict=True)
        ]

    def _one(self, row_no: int, told: Statistic, known: dict[Place, Statistic], *, write: bool) -> Verdict:
        place = (told.figure, told.area_path, told.period)
        current, content = known.get(place), _content(told)
        if self._seen.get(place, content) != content:
            return Verdict(row_no, "bad", (_twice(told),))
        if place in self._seen or (current and _content(current) == content):
            return Verdict(row_no, "repeated")
        self._seen[place] = content
        kind: Kind = "changed" if current else "good"
        if write:
            self._write(told, current)
        before = {"value": f"{current.value:g}", "unit": current.unit, "source": current.source} if current else None
        return Verdict(row_no, kind, (), before)

    def _understood(self, row_no: int, message: Mapping[str, str]) -> Statistic | Verdict:
        reader = self._readers.get(tuple(message))
        if reader is None:
            self._readers[tuple(message)] = reader = Reader(self._plan.channel, tuple(message))
        key = reader.sources.get("area") or ""
        asked = message.get(key, "")
        before = self._past(asked)
        code = before[-1].code if before else self._areas.code(asked)
        read = reader.read({**message, key: code} if key else message, at=self._taking.at)
        if isinstance(read, Unclear):
            return Verdict(row_no, "bad", read.reasons)
        path = self._areas.tree.paths.get(read.area_code, "")
        area = self._areas.tree.ids.get(path)
        if before:
            stood = _standing(before, last_day(read.values["period"]))
            if stood is None:
                return Verdict(row_no, "bad", (_over(before[-1], read.values["period"], key),))
            path, area = stood.path, stood.pk
        reasons = [
            _too_long(field, reader) for field, most in _LONGEST.items() if len(read.values.get(field) or "") > most
        ]
        if area is None:
            reasons.append(self._areas.reason(asked, key))
        elif not self._taking.reach.covers(self._plan.action, area_path=path):
            reasons.append(out_of_reach(key))
        if reasons:
            return Verdict(row_no, "bad", tuple(reasons))
        assert area is not None
        said = read.values
        return Statistic(
            figure=said["figure"], area_id=area, area_path=path, period=said["period"],
            value=said["value"], unit=said.get("unit") or "", source=said.get("source") or "",
            layout=self._plan.key, batch=self._taking.batch, by=self._taking.by, at=self._taking.at,
        )  # fmt: skip

    def _past(self, asked: str) -> list[Area]:
        """The versions of an area that is named and stands no longer; none where one of today is meant."""
        if self._areas.code(asked) in self._areas.tree.paths:
            return []
        if asked not in self._ended:
            self._ended[asked] = past.versions(asked, today=day_of(self._taking.at))
        return self._ended[asked]

    def _write(self, told: Statistic, current: Statistic | None) -> None:
        same = Statistic.objects.filter(figure=told.figure, area_path=told.area_path, period=told.period)
        told.version = (same.aggregate(last=Max("version"))["last"] or 0) + 1
        if current is not None:
            Statistic.objects.filter(pk=current.pk).update(is_current=False)
        told.save()
        kind = "statistic.corrected" if current else "statistic.recorded"
        data: dict[str, Any] = {"figure": told.figure, "period": told.period, "value": told.value, "unit": told.unit}
        if current is not None:
            data["before"] = current.value
        events.append(
            events.NewEvent(
                kind=kind, subject=new_id(), by=self._taking.by.pk, at=told.at, recorded_at=told.at,
                area_path=told.area_path, data={**data, "id": told.pk, "version": told.version},
            )
        )  # fmt: skip


def withdraw(figure: Statistic, *, reason: str, by: Officer, at: datetime) -> None:
    """Take a figure back that came in by mistake: the version before it, if there is one, holds again. Both stay."""
    Statistic.objects.filter(pk=figure.pk).update(is_current=False)
    same = Statistic.objects.filter(figure=figure.figure, area_path=figure.area_path, period=figure.period)
    before = same.filter(version__lt=figure.version).order_by("-version").first()
    if before is not None:
        Statistic.objects.filter(pk=before.pk).update(is_current=True)
    events.append(
        events.NewEvent(
            kind="statistic.withdrawn", subject=new_id(), by=by.pk, at=at, recorded_at=at, area_path=figure.area_path,
            data={"id": figure.pk, "figure": figure.figure, "period": figure.period, "reason": reason},
        )
    )  # fmt: skip


def _content(one: Statistic) -> tuple[Any, ...]:
    return (one.value, one.unit, one.source)


def _current(told: Iterable[Statistic]) -> Iterable[Statistic]:
    wanted = list(told)
    if not wanted:
        return ()
    return Statistic.objects.filter(
        is_current=True, figure__in={each.figure for each in wanted}, period__in={each.period for each in wanted},
        area_path__in={each.area_path for each in wanted},
    )  # fmt: skip


def _standing(versions: Sequence[Area], day: date) -> Area | None:
    """The version that stood on `day`; before the first of them, that one."""
    return next((area for area in versions if area.valid_to is not None and day < area.valid_to), None)


def _over(area: Area, period: str, column: str) -> Reason:
    """Why a figure is of no area: it had ended before the period did. Names what took its place."""
    after = past.successors(area)
    zh, en = "、".join(each.name_zh for each in after), ", ".join(each.name_en for each in after)
    instead = Text(
        zh=f"请改报{zh}的数" if after else "没有辖区接替它，请核对",
        en=f"give the figure of {en}" if after else "nothing took its place; check it",
    )
    text = Text(
        zh=f"「{column}」写的{area.name_zh}（{area.code}）自 {area.valid_to} 起已撤销，{period} 已没有这个辖区："
        f"{instead.zh}。",
        en=f"“{column}”: {area.name_en} ({area.code}) ended on {area.valid_to} and is no area for {period}: "
        f"{instead.en}.",
    )
    return Reason("area", column, text)


def _too_long(field: str, reader: Reader) -> Reason:
    column = reader.sources.get(field) or field
    text = Text(
        zh=f"「{column}」超过 {_LONGEST[field]} 个字，请缩短。",
        en=f"“{column}” is longer than {_LONGEST[field]} characters; shorten it.",
    )
    return Reason(field, column, text)


def _twice(told: Statistic) -> Reason:
    text = Text(
        zh=f"这份文件里「{told.figure}」{told.period} 有两个不同的数：请留下对的一行。",
        en=f"This file has two different numbers for “{told.figure}” in {told.period}: keep the right row.",
    )
    return Reason("value", "", text)
