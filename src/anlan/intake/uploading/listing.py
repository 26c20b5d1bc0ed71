"""Rows that become sites: an enterprise, a rented house, each with whoever answers for it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from anlan.intake import message as messages
from anlan.intake.files import cells
from anlan.intake.files.cells import Unreadable
from anlan.intake.models import Listed
from anlan.intake.reading import Reader, Reason, Unclear, as_written
from anlan.intake.uploading.layout import Layout, Plan
from anlan.intake.uploading.targets import AreaNames, Kind, Messages, Taking, Verdict, out_of_reach
from anlan.kernel.text import Refusal, Text
from anlan.ledger import events
from anlan.places import parties, sites
from anlan.places.models import Area, Party, Site
from anlan.places.record import subject_of

OF_SITE: Final = ("name", "kind", "code", "address", "lon", "lat")
OF_PARTY: Final = ("operator", "operator_code", "contact_name", "contact_phone")
_LONGEST: Final = {"name": 120, "address": 200, "code": 30, "operator": 120, "operator_code": 30}


@dataclass(frozen=True, slots=True)
class Entry:
    """A row understood: its site, whose it is, and other values; `number` knows it again, `digest` its content."""

    row_no: int
    number: str
    digest: str
    values: Mapping[str, Any]
    personal: Mapping[str, str]
    area: int
    path: str

    @property
    def extra(self) -> dict[str, Any]:
        """What neither the site nor the party holds."""
        return {
            name: as_written(value, ZoneInfo("UTC")) if not isinstance(value, float) else value
            for name, value in self.values.items()
            if value not in (None, "") and name not in {*OF_SITE, *OF_PARTY, "area"}
        }


class Sites:
    """Rows that become sites. What a list said before and says otherwise now is a change, and is made."""

    def __init__(self, plan: Plan, taking: Taking) -> None:
        assert plan.layout is not None
        self._plan, self._layout, self._taking = plan, plan.layout, taking
        self._areas = AreaNames.on(taking.at)
        self._readers: dict[tuple[str, ...], Reader] = {}
        self._seen: dict[str, str] = {}

    def look(self, rows: Messages) -> list[Verdict]:
        return self._each(rows, write=False)

    def take(self, rows: Messages) -> list[Verdict]:
        return self._each(rows, write=True)

    def _each(self, rows: Messages, *, write: bool) -> list[Verdict]:
        read = [self._understood(row_no, message) for row_no, message in rows]
        entries = {each.number for each in read if isinstance(each, Entry)}
        listed = {
            each.number: each
            for each in Listed.objects.filter(layout=self._layout.key, number__in=entries).select_related("site")
        }
        codes = {str(each.values["code"]) for each in read if isinstance(each, Entry) and each.values.get("code")}
        there = {site.code: site for site in Site.objects.filter(code__in=codes)} if codes else {}
        return [self._one(each, listed, there, write=write) for each in read]

    def _one(
        self, read: Entry | Verdict, listed: dict[str, Listed], there: Mapping[str, Site], *, write: bool
    ) -> Verdict:
        if isinstance(read, Verdict):
            return read
        known = listed.get(read.number)
        site = known.site if known else there.get(str(read.values.get("code") or ""))
        if site and not self._taking.reach.covers(self._layout.action, area_path=site.area_path):
            return Verdict(read.row_no, "bad", (_elsewhere(read),))
        digest = self._seen.get(read.number) or (known.digest if known else None)
        if digest and _same(read.digest, digest):
            return Verdict(read.row_no, "repeated")
        if read.number in self._seen:
            return Verdict(read.row_no, "bad", (_twice(read.number),))
        self._seen[read.number] = read.digest
        kind: Kind = "changed" if known else "good"
        before = _before(known) if known else None
        try:
            if write:
                with transaction.atomic():
                    listed[read.number] = self._write(read, known)
        except Refusal as refusal:
            return Verdict(read.row_no, "bad", (Reason(refusal.field, "", refusal.text),))
        return Verdict(read.row_no, kind, (), before)

    def _understood(self, row_no: int, message: Mapping[str, str]) -> Entry | Verdict:
        reader = self._readers.get(tuple(message)) or self._reader(message)
        told, personal = messages.part(message, reader.personal)
        area_key = reader.sources.get("area") or ""
        asked = told.get(area_key, "")
        told = {**told, area_key: self._areas.code(asked)} if area_key else told
        read = reader.read(told, at=self._taking.at)
        reasons = list(read.reasons) if isinstance(read, Unclear) else []
        personal, wrong = _checked(personal, self._layout, reader)
        reasons += wrong
        path = ""
        if not isinstance(read, Unclear):
            reasons += _too_long(read.values, reader)
            path = self._areas.tree.paths.get(read.area_code, "")
            if not path:
                reasons.append(self._areas.reason(asked, area_key))
            elif not self._taking.reach.covers(self._layout.action, area_path=path):
                reasons.append(out_of_reach(area_key))
            if not reasons:
                return self._entry(row_no, reader, dict(read.values), personal, path)
        return Verdict(row_no, "bad", tuple(reasons))

    def _reader(self, message: Mapping[str, str]) -> Reader:
        self._readers[tuple(message)] = reader = Reader(self._plan.channel, tuple(message))
        return reader

    def _entry(self, row_no: int, reader: Reader, values: dict[str, Any], personal: dict[str, str], path: str) -> Entry:
        zone = ZoneInfo(self._layout.time_zone)
        values["name"] = values.get("name") or values.get("address") or ""
        said = {name: as_written(value, zone) for name, value in values.items() if value not in (None, "")}
        number = _number(self._layout, said)
        return Entry(row_no, number, _digest(said, personal), values, personal, self._areas.tree.ids[path], path)

    def _write(self, entry: Entry, known: Listed | None) -> Listed:
        by, at = self._taking.by, self._taking.at
        area = Area.objects.get(pk=entry.area)
        party = self._party(entry, area, known.site.operator if known else None)
        said: dict[str, Any] = {name: entry.values.get(name) for name in ("name", "kind", "lon", "lat")}
        said["address"] = entry.values.get("address") or ""
        code = entry.values.get("code") or ""
        site = known.site if known else Site.objects.filter(code=code).first() if code else None
        if site is None:
            site = sites.create(**said, area=area, operator=party, code=code or None, by=by, at=at)
        else:
            said = {name: value for name, value in said.items() if value not in (None, "")}
            sites.change(site, **said, area=area, **({"operator": party} if party else {}), by=by, at=at)
        told = sorted(field for field, value in entry.values.items() if value not in (None, ""))
        values = {"digest": entry.digest, "site": site, "fields": told, "values": entry.extra, "at": at}
        listed, _ = Listed.objects.update_or_create(layout=self._layout.key, number=entry.number, defaults=values)
        events.append(
            events.NewEvent(
                kind="site.listed", subject=subject_of(site), by=by.pk, at=at, recorded_at=at, area_path=entry.path,
                data={"layout": self._layout.key, "fields": sorted(entry.extra)},
            )
        )  # fmt: skip
        return listed

    def _party(self, entry: Entry, area: Area, current: Party | None) -> Party | None:
        name = entry.values.get("operator") or (entry.values["name"] if entry.values.get("operator_code") else "")
        if not name:
            return current
        code = entry.values.get("operator_code") or ""
        by, at = self._taking.by, self._taking.at
        keep_until = (at + timedelta(days=self._layout.personal_days)).date()
        same = Party.objects.filter(official_code=code) if code else Party.objects.filter(name=name, area=area)
        party = (
            current if current and (current.name == name or (code and current.official_code == code)) else same.first()
        )
        contact = {key.removeprefix("contact_"): value for key, value in entry.personal.items()} or None
        if party is not None and not self._taking.reach.covers(self._layout.action, area_path=party.area.path):
            return party  # what is known of it is for others to change
        if party is None:
            kind = "landlord" if entry.values.get("kind") == "rental_house" else "enterprise"
            return parties.create(
                kind=kind, name=name, area=area, by=by, at=at, official_code=code, contact=contact,
                keep_until=keep_until if contact else None,
            )  # fmt: skip
        return parties.change(
            party, by=by, at=at, name=name, official_code=code or None, contact=contact,
            keep_until=keep_until if contact else None,
        )  # fmt: skip


def _number(layout: Layout, said: Mapping[str, str]) -> str:
    """By what the row is known again; a row of which the first template says nothing goes by the other one."""
    for template in (layout.number, layout.otherwise):
        parts = {name: said.get(name, "") for name in layout.columns}
        number = template.format(**parts)
        if number.strip("/"):
            return number[:300]
    return _digest(said, {})


def _digest(said: Mapping[str, str], personal: Mapping[str, str]) -> str:
    """What a row says, and what it says of a person, apart; salted, for a telephone number alone is soon guessed."""
    return _half(said) + (_half(personal) if personal else "")


def _half(said: Mapping[str, str]) -> str:
    salt = hashlib.sha256(f"anlan.intake.listed\n{settings.SECRET_KEY}".encode()).digest()
    return hashlib.blake2b(messages.canonical(said).encode(), key=salt, digest_size=16).hexdigest()


def _same(told: str, known: str) -> bool:
    """A list that leaves the persons out, as ours do when they are exported, says nothing new about them."""
    return known.startswith(told) if len(told) == 32 else told == known


def _checked(personal: Mapping[str, str], layout: Layout, reader: Reader) -> tuple[dict[str, str], list[Reason]]:
    """Personal cells as they are kept; what is wrong with them is said without repeating them."""
    source = {field: column for column, field in reader.personal.items()}
    kept, wrong = {}, []
    for field, told in personal.items():
        try:
            kept[field] = cells.phone(told) if layout.columns[field].kind == "phone" else told.strip()[:60]
        except Unreadable as bad:
            column = source[field]
            text = Text(zh=f"「{column}」：{bad.text.zh}。", en=f"“{column}”: {bad.text.en}.")
            wrong.append(Reason(field, column, text))
    return kept, wrong


def _too_long(values: Mapping[str, Any], reader: Reader) -> list[Reason]:
    return [
        Reason(
            field,
            reader.sources.get(field) or field,
            Text(
                zh=f"「{reader.sources.get(field) or field}」超过 {most} 个字，请缩短。",
                en=f"“{reader.sources.get(field) or field}” is longer than {most} characters; shorten it.",
            ),
        )
        for field, most in _LONGEST.items()
        if len(values.get(field) or "") > most
    ]


def _elsewhere(read: Entry) -> Reason:
    code = read.values.get("code") or read.number
    text = Text(
        zh=f"「{code}」是别处已登记的场所，不在您的职责范围内：请核对编号。",
        en=f"“{code}” is a site registered elsewhere, outside your duties: check the code.",
    )
    return Reason("code", "", text)


def _twice(number: str) -> Reason:
    text = Text(
        zh=f"这份文件里有两行都是「{number}」，内容不同：请留下对的一行，或改正编号。",
        en=f"Two rows of this file are “{number}” and say different things: keep the right one, or correct the number.",
    )
    return Reason("number", "", text)


def _before(known: Listed) -> dict[str, str]:
    site = known.site
    told = {"name": site.name, "address": site.address, "kind": site.kind, "code": site.code}
    return {**told, **{name: as_written(value, ZoneInfo("UTC")) for name, value in known.values.items()}}
