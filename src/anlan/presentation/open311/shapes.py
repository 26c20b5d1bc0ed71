"""A service request as GeoReport v2 shows it: every field always there, and nothing in it that is not everybody's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from anlan.casework import public
from anlan.casework.public import Known
from anlan.casework.reporter import masked
from anlan.intake import location
from anlan.intake.models import Receipt, Report
from anlan.intake.topic import TOPICS, Topic
from anlan.kernel import catalogue
from anlan.kernel.text import Text
from anlan.places import tree
from anlan.places.areas import ancestors
from anlan.places.models import Area
from anlan.presentation.open311.frame import Call
from anlan.presentation.web.case_rows import topic_title

LONGEST = 4000
OTHER = "other"
NAMED = ("county", "township", "village")
# About a hundred metres: of reports whose reporters did not write for everybody.
COARSE = 3
FINE = 6


def rows(call: Call, receipts: Sequence[Receipt]) -> list[dict[str, Any]]:
    """The requests behind these receipts, in order; their reports and sites are loaded already."""
    extended = call.words.says_yes("extensions")
    return [
        row | _extended(call, str(receipt.number), known) if extended else row
        for receipt, (row, known) in zip(receipts, told(call, receipts), strict=True)
    ]


def told(call: Call, receipts: Sequence[Receipt]) -> list[tuple[dict[str, Any], Known]]:
    """The same without extensions, each with what it was made of."""
    reports = [receipt.report for receipt in receipts if receipt.report is not None]
    where = _areas(reports, call)
    known = zip(receipts, public.known(reports), strict=True)
    return [(_row(call, str(receipt.number), each, where), each) for receipt, each in known]


def _areas(reports: Sequence[Report], call: Call) -> dict[str, Area]:
    paths, ids = {path for report in reports for path in ancestors(report.area_path)}, location.tree(at=call.at).ids
    return {area.path: area for area in tree.named(ids.get(path) for path in paths).values()} if paths else {}


def _row(call: Call, number: str, known: Known, where: Mapping[str, Area]) -> dict[str, Any]:
    report = known.report
    own = report.channel == call.here.channel and not known.sensitive
    lat, long = _point(report, own=own, sensitive=known.sensitive)
    code = known.report.topic or OTHER
    return {
        "service_request_id": number,
        "status": "closed" if known.closed_at else "open",
        "status_notes": call.say(status_notes(known)),
        "service_name": call.say(topic_title(code)),
        "service_code": code,
        "description": masked_whole(report.description) if own else None,
        "agency_responsible": call.say(known.office),
        "service_notice": call.say(call.here.notice),
        "requested_datetime": call.moment(report.told_at),
        "updated_datetime": call.moment(known.updated_at),
        "expected_datetime": call.moment(known.due_at),
        "address": _address(call, report, where, own=own),
        "address_id": report.site.code if own and report.site else None,
        "zipcode": None,
        "lat": lat,
        "long": long,
        "media_url": media_url(call, number, known),
    }


def masked_whole(words: str) -> str:
    """What was told, without telephone and identity numbers, as long as the standard lets it be."""
    return masked(words)[:LONGEST]


def status_notes(known: Known) -> Text:
    """How far it is, in words, with the reason or result that was given for everybody to read."""
    said = [Text(zh=f"{label.zh}：{words}", en=f"{label.en}: {words}") for label, words in known.said]
    return Text(
        zh=" ".join([known.line.zh, *(each.zh for each in said)]),
        en=" ".join([known.line.en, *(each.en for each in said)]),
    )


def media_url(call: Call, number: str, known: Known) -> str | None:
    """The photo of the fix; until there is one, the address the client itself gave."""
    if known.sensitive:
        return None
    if known.photos:
        return call.address(f"photos/{number}/1.jpg")
    own = known.report.channel == call.here.channel
    return (known.report.raw.get("media_url", "").partition("\n")[0] or None) if own else None


def _point(report: Report, *, own: bool, sensitive: bool) -> tuple[float | None, float | None]:
    if report.lat is None or report.lon is None or sensitive:
        return None, None
    digits = FINE if own else COARSE
    return round(report.lat, digits), round(report.lon, digits)


def _address(call: Call, report: Report, where: Mapping[str, Area], *, own: bool) -> str | None:
    """From the nearest to the widest: what was told, then the village, the township and the county."""
    above = [where[path] for path in reversed(ancestors(report.area_path)) if path in where]
    named = [area.name_zh if call.language == "zh" else area.name_en for area in above if area.level in NAMED]
    here = [report.site.name if report.site else "", report.address] if own else []
    return ", ".join(dict.fromkeys(part for part in (*here, *named) if part)) or None


# ---------------------------------------------------------------- extensions


def _extended(call: Call, number: str, known: Known) -> dict[str, Any]:
    own = known.report.channel == call.here.channel and not known.sensitive
    photos = [
        {"media_url": call.address(f"photos/{number}/{place}.jpg"), "title": call.say(FIXED)}
        for place in range(1, len(known.photos) + 1)
        if not known.sensitive
    ]
    return {
        "attributes": list(_attributes(call, known.report)) if own else [],
        "extended_attributes": {"stage": known.stage, "outcome": known.outcome or None, "photos": photos},
        "notes": [
            {"datetime": call.moment(line.at), "description": call.say(line.text), "type": "status"}
            for line in known.passed
        ],
    }


FIXED = Text(zh="整改后", en="After the fix")


def _attributes(call: Call, report: Report) -> Iterator[dict[str, Any]]:
    """What was answered to the topic's questions; to one of many values, each by itself."""
    topics: dict[str, Topic] = catalogue.current().all(TOPICS)
    for question in topics[report.topic].questions if report.topic in topics else ():
        answer = report.raw.get(f"attribute[{question.code}]", "")
        titles = {value.key: value.title for value in question.values}
        for part in answer.split("\n") if question.type == "multivaluelist" else [answer]:
            if part:
                value = call.say(titles[part]) if part in titles else masked_whole(part)
                code = part if part in titles else None
                yield {"name": question.code, "label": call.say(question.title), "value": value, "code": code}
