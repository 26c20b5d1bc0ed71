"""Indices: what is declared, what was published, who stands where, and what an area's score is made of."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from ninja import Query, Schema
from pydantic import Field

from anlan.casework import cases
from anlan.casework.models import Case
from anlan.index.counting.indicator import INDICATORS
from anlan.index.editions import edition as editions
from anlan.index.editions.edition import Edition
from anlan.index.scoring.panel import Status
from anlan.index.scoring.spec import INDICES
from anlan.kernel import catalogue
from anlan.presentation import publishing
from anlan.presentation.api.frame import Noun, Short
from anlan.presentation.api.shapes import Words, words
from anlan.presentation.permissions import NotFound
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.index import asked as index_asked
from anlan.presentation.web.index.asked import Sight

router = Noun("index")


class IndexRow(Schema):
    """`period` is the kind it is worked out for; `published` the periods of which there is an edition to see."""

    key: str
    title: Words
    summary: Words
    period: str
    indicators: int
    published: list[str]


class EditionRow(Schema):
    """`facts_until` is how far the facts reach; `result_sha256` the digest of the result, as the ledger has it."""

    period: str
    number: int
    state: str
    made_at: datetime
    facts_until: datetime
    seal: int | None
    spec_sha256: str
    result_sha256: str
    corrects: int | None
    changed: int


class Which(Schema):
    """An edition of the period by its number; the last there is to see, if not given."""

    edition: Annotated[int | None, Field(ge=1, le=100_000)] = None


class Ranked(Which):
    """`peer` is a group of peers (all, if not given); at most `limit` rows from the one numbered `offset` on."""

    peer: Short = ""
    limit: Annotated[int, Field(ge=1, le=1000)] = 200
    offset: Annotated[int, Field(ge=0, le=1_000_000)] = 0


class RankRow(Schema):
    """`rank_low` to `rank_high` is the 90 % interval of the place."""

    area: str
    name: Words
    peer: str
    score: float | None
    rank: int | None
    rank_low: int | None
    rank_high: int | None
    tied: bool
    band: str


class Ranks(Schema):
    period: str
    edition: int
    count: int
    rows: list[RankRow]


class NodeRow(Schema):
    """A head or an indicator: `weight` is its share of the whole (0 to 1), `points` what it brought to the whole."""

    key: str
    title: Words
    parent: str
    score: float | None
    weight: float | None
    points: float | None


class ValueRow(Schema):
    """An indicator in its own unit; `low` to `high` is its 90 % interval, `status` what stands behind it."""

    key: str
    value: float | None
    numerator: float | None
    denominator: float | None
    low: float | None
    high: float | None
    status: str


class LineRow(Schema):
    """What a rule took off (negative) or gave. `why` is told to those whose area it is; the id of a case in it to those
    who may see that case."""

    rule: str
    points: float
    times: float
    why: list[dict[str, Any]] | None


class SignalRow(Schema):
    """What stands beside the score and is never in it: few, quiet, watch or raised."""

    signal: str
    raised: str
    share: float | None
    low: float | None
    high: float | None
    above: float
    below: float


class AreaScores(Schema):
    area: str
    name: Words
    period: str
    edition: int
    places: list[RankRow]
    nodes: list[NodeRow]
    values: list[ValueRow]
    lines: list[LineRow]
    signals: list[SignalRow]


@router.get("", response=list[IndexRow])
def list_(request: Asked) -> Any:
    """Every declared index, with the periods that were published."""
    leaves = [each.index for each in catalogue.current().all(INDICATORS).values()]
    return [
        {
            "key": key, "title": words(spec.title), "summary": words(spec.summary), "period": spec.period,
            "indicators": leaves.count(key) + len(spec.columns),
            "published": list(_published(request, key)),
        }
        for key, spec in sorted(catalogue.current().all(INDICES).items())
    ]  # fmt: skip


@router.get("/{index}/editions", response=list[EditionRow])
def editions_(request: Asked, index: str) -> Any:
    """Every edition of an index that may be seen, the oldest first."""
    found = [each.edition for each in _seen(request, index)]
    if not found:
        raise NotFound
    return [_edition(each) for each in found]


@router.get("/{index}/indicators/{key}", response=dict[str, Any])
def indicator(request: Asked, index: str, key: str) -> Any:
    """An indicator, whole, as its file declares it."""
    found = catalogue.current().all(INDICATORS).get(key)
    if found is None or found.index != index:
        raise NotFound
    return found.model_dump(mode="json")


@router.get("/{index}/{period}/ranks", response=Ranks)
def ranks(request: Asked, index: str, period: str, given: Query[Ranked]) -> Any:
    """Who stands where, best first within each group of peers."""
    seen = find(request, index, period, given.edition)
    rows = [
        row
        for row in seen.edition.ranks().to_pylist()
        if given.peer in ("", row["peer"]) and seen.sees(row["area_path"])
    ]
    rows.sort(key=lambda row: (row["peer"], row["rank"], row["area_path"]))
    page = rows[given.offset : given.offset + given.limit]
    told = seen.edition.manifest
    return {
        "period": told.period,
        "edition": told.number,
        "count": len(rows),
        "rows": [_rank(seen, row) for row in page],
    }


@router.get("/{index}/{period}/areas/{code}", response=AreaScores)
def area(request: Asked, index: str, period: str, code: str, given: Query[Which]) -> Any:
    """One area: its places, the score, weight and points of every head and indicator, values, lines and signals."""
    seen = find(request, index, period, given.edition)
    here = seen.area(code)
    path, found = here.path, seen.edition
    return {
        "area": code,
        "name": {"zh": here.name_zh, "en": here.name_en},
        "period": found.manifest.period,
        "edition": found.manifest.number,
        "places": [_rank(seen, row) for row in found.ranks(area_path=path).to_pylist()],
        "nodes": list(_nodes(seen, path)),
        "values": [_value(row) for row in found.values(area_path=path).to_pylist()],
        "lines": list(_lines(request, seen, path)),
        "signals": found.signals(area_path=path).to_pylist(),
    }


def _published(request: Asked, index: str) -> dict[str, None]:
    """The periods of which an edition that was published may be seen, each once."""
    states = [(each.period.name, each.edition.manifest.state) for each in _seen(request, index)]
    return {name: None for name, state in states if state == "published"}


def _seen(request: Asked, index: str) -> Iterator[Sight]:
    """Every edition of an index that may be seen, as the caller sees it."""
    for each in editions.every(publishing.root(), index):
        seen = index_asked.sight(request, each)
        if index_asked.may_see(request, each) and any(map(seen.sees, seen.scores.paths)):
            yield seen


def find(request: Asked, index: str, period: str, number: int | None) -> Sight:
    """An edition as the caller sees it: the one of that number, else the last that stands. Raises NotFound."""
    found = [each for each in _seen(request, index) if each.edition.manifest.period == period]
    standing = [each for each in found if each.edition.manifest.state != "withdrawn"]
    chosen = standing if number is None else [each for each in found if each.edition.manifest.number == number]
    if not chosen:
        raise NotFound
    return chosen[-1]


def _edition(each: Edition) -> dict[str, Any]:
    said = each.manifest
    return {
        "period": said.period, "number": said.number, "state": said.state, "made_at": said.made_at,
        "facts_until": said.facts.cut_off, "seal": said.seal.number if said.seal else None,
        "spec_sha256": said.spec_sha256, "result_sha256": said.result_sha256, "corrects": said.corrects,
        "changed": len(said.changes),
    }  # fmt: skip


def _rank(seen: Sight, row: dict[str, Any]) -> dict[str, Any]:
    here = seen.named(row["area_path"])
    told = {name: row[name] for name in ("peer", "score", "rank", "rank_low", "rank_high", "tied", "band")}
    return {"area": here.code, "name": {"zh": here.name_zh, "en": here.name_en}, **told}


def _nodes(seen: Sight, path: str) -> Iterator[dict[str, Any]]:
    rows = {row["node"]: row for row in seen.edition.scores(area_path=path).to_pylist()}
    nodes = seen.framework.nodes
    for node in nodes:
        row = rows.get(node.key, {})
        parent = nodes[node.parent].key if node.parent >= 0 else ""
        told = {name: row.get(name) for name in ("score", "weight", "points")}
        yield {"key": node.key, "title": words(node.title), "parent": parent, **told}


def _value(row: dict[str, Any]) -> dict[str, Any]:
    told = {name: row[name] for name in ("value", "numerator", "denominator", "low", "high")}
    return {"key": row["indicator"], "status": Status(row["status"]).name.lower(), **told}


def _lines(request: Asked, seen: Sight, path: str) -> Iterator[dict[str, Any]]:
    """What rules did; why is told to those whose area it is, and which case it was to those who may see that case."""
    rows = seen.edition.lines(area_path=path).to_pylist()
    reasons = [json.loads(row["why"]) if seen.holds(path) else None for row in rows]
    hidden = _hidden(request, {str(each.get("id", "")) for why in reasons for each in why or ()})
    for row, why in zip(rows, reasons, strict=True):
        told = {name: row[name] for name in ("rule", "points", "times")}
        yield {**told, "why": why and [each | ({"id": None} if each.get("id") in hidden else {}) for each in why]}


def _hidden(request: Asked, ids: Collection[str]) -> set[str]:
    """Those of the ids that name a case which the caller may not see; the id of a row may have further parts."""
    named = {each: found for each in ids if (found := _uuid(each.split(" ")[0]))}
    known = set(Case.objects.filter(pk__in=named.values()).values_list("pk", flat=True))
    shown = set(cases.visible(request.reach).filter(pk__in=known).values_list("pk", flat=True)) if known else set()
    return {each for each, found in named.items() if found in known - shown}


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
