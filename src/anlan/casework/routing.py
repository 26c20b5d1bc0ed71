"""Which procedure, which department: a declared table of topic × area × kind of site. The first row that fits wins.

Where no row fits, the procedure that the topic's own file names (or the nearest broader topic's) is taken; what rows
say of still broader topics then does not matter.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from pydantic import BaseModel, ConfigDict

from anlan.casework.procedure import PROCEDURES
from anlan.intake.topic import TOPICS, lineage
from anlan.kernel.catalogue import Basis, Catalogue, Declaration, Kind, current
from anlan.kernel.refusals import unknown
from anlan.kernel.text import Text
from anlan.places import areas, duties
from anlan.places.models import Department, Duty
from anlan.places.site_kind import SITE_KINDS


class Row(BaseModel):
    """One line of the table. An empty column fits everything; a topic fits its narrower topics too.

    `areas` are official codes, each with all below it. `lead` empty: whoever has the duty for the topic there.
    `lengths` replaces a clock's length, in that clock's unit.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    topics: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    site_kinds: tuple[str, ...] = ()
    procedure: str
    lead: str = ""
    assisting: tuple[str, ...] = ()
    lengths: Mapping[str, float] = {}
    basis: Basis | None = None


class Routing(Declaration):
    """A decision table. Tables are read in the order of their keys, the shipped one ("default") last."""

    title: Text
    rows: tuple[Row, ...]


ROUTING = Kind("routing", Routing)


@dataclass(frozen=True, slots=True)
class Route:
    """What the table says: the procedure, and who leads and assists as far as that is known (department ids).

    `retired` are the departments that were to lead and have been retired: none of them is suggested, and where nobody
    else answers, they are the reason why.
    """

    procedure: str
    lead: int | None
    handler: int | None
    assisting: tuple[int, ...]
    lengths: Mapping[str, float] = field(default_factory=dict)
    retired: tuple[int, ...] = ()


def route(topic: str, area_path: str, *, site_kind: str = "", day: date) -> Route | None:
    """The first row that fits, else what the topic itself says, or None: then the report waits in triage."""
    declared = current().all(TOPICS)
    topics = lineage(declared, topic) or (topic,)
    codes = set(area_path.strip("/").split("/"))
    own = next((key for key in topics if key in declared and declared[key].procedure), "")
    nearer = topics[: topics.index(own) + 1] if own else topics
    for row in _rows():
        if _fits(row, nearer, codes, site_kind):
            return _answer(row, topics, area_path, day)
    return _answer(Row(procedure=declared[own].procedure), topics, area_path, day) if own else None


class Routes:
    """`route` for a batch: days, and areas, which no row and no duty tells apart are asked about once."""

    def __init__(self) -> None:
        self._named = frozenset(code for row in _rows() for code in row.areas)
        held = list(Duty.objects.values_list("area__path", "valid_from", "valid_to"))
        self._dutiful = frozenset(path for path, _, _ in held)
        self._turns = sorted({day for _, *days in held for day in days if day is not None})
        self._known: dict[tuple[str, str, frozenset[str], tuple[str, ...], int], Route | None] = {}

    def __call__(self, topic: str, area_path: str, *, site_kind: str = "", day: date) -> Route | None:
        """The route as of `day`."""
        above = tuple(path for path in areas.ancestors(area_path) if path in self._dutiful)
        named = self._named.intersection(area_path.strip("/").split("/"))
        key = topic, site_kind, named, above, self.span(day)
        if key not in self._known:
            self._known[key] = route(topic, area_path, site_kind=site_kind, day=day)
        return self._known[key]

    def span(self, day: date) -> int:
        """The number of the span in which `day` lies; within one no duty begins or ends."""
        return bisect_right(self._turns, day)


def _rows() -> Iterator[Row]:
    tables = current().all(ROUTING)
    for key in sorted(tables, key=lambda key: (key.endswith("default"), key)):
        yield from tables[key].rows


def _fits(row: Row, topics: tuple[str, ...], codes: set[str], site_kind: str) -> bool:
    return (
        (not row.topics or any(topic in row.topics for topic in topics))
        and (not row.areas or not codes.isdisjoint(row.areas))
        and (not row.site_kinds or site_kind in row.site_kinds)
    )


def _answer(row: Row, topics: tuple[str, ...], area_path: str, day: date) -> Route:
    """A row whose department is retired leaves the lead to whoever has the duty, if anybody has."""
    keys = [key for key in (row.lead, *row.assisting) if key]
    known = list(Department.objects.filter(key__in=keys).values_list("key", "pk", "is_active")) if keys else []
    ids = {key: pk for key, pk, is_active in known if is_active}
    retired = tuple(pk for key, pk, is_active in known if key == row.lead and not is_active)
    lead, handler = ids.get(row.lead), None
    if lead is None:
        found = duties.responsible(list(topics), area_path, day=day)
        if found is not None:
            lead, handler = found.department.pk, found.officer.pk if found.officer else None
        else:
            retired += duties.retired(list(topics), area_path, day=day)
    assisting = tuple(ids[key] for key in row.assisting if key in ids)
    return Route(row.procedure, lead, handler, assisting, row.lengths, retired)


def strangers(table: Routing, catalogue: Catalogue) -> Iterator[tuple[str, Text]]:
    """What the table names that nobody declares: procedures, their clocks, topics and kinds of site."""
    clocks: dict[str, set[str]] = {}
    for procedure in catalogue.all(PROCEDURES).values():
        clocks.setdefault(procedure.key, set()).update(procedure.clocks)
    topics, kinds = catalogue.all(TOPICS), catalogue.all(SITE_KINDS)
    for number, row in enumerate(table.rows):
        where = f"rows[{number}]"
        if row.procedure not in clocks:
            yield f"{where}.procedure", unknown("流程", "procedure", row.procedure, clocks)
        for clock in row.lengths:
            if row.procedure in clocks and clock not in clocks[row.procedure]:
                yield f"{where}.lengths", unknown("时限", "clock", clock, clocks[row.procedure])
        for topic in row.topics:
            if topic not in topics:
                yield f"{where}.topics", unknown("类别", "topic", topic, topics)
        for kind in row.site_kinds:
            if kind not in kinds:
                yield f"{where}.site_kinds", unknown("场所类型", "kind of site", kind, kinds)
