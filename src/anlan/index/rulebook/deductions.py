"""What rule tables take off areas' scores, and give: every line with the very cases and figures it comes from.

Pure: what happened, values and rankings come in (`Known`), lines go out. The parts sum to the whole: a score after all
lines is the score before plus every line's points, for what a cap or a floor gives back is a line of its own.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final, Literal, NamedTuple

from anlan.index.counting.period import Period
from anlan.index.rulebook.rule import Changed, Multiplier, Rule, RuleTable, Valued

CAP: Final = "cap:"
FLOOR: Final = "floor:"
CEILING: Final = "ceiling:"
_NEARLY: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened, as a rule's `event` selects it. `alike` is what must agree for a second one to be again.

    `amount` is how much, `count` how many times it counts; `flagged` names the multipliers whose `where` holds of it;
    `id` is what the row is known by.
    """

    rule: str
    area_path: str
    day: date
    id: str
    amount: float = 1.0
    count: float = 1.0
    alike: tuple[str, ...] = ()
    flagged: frozenset[str] = frozenset()


class Asked(NamedTuple):
    """A value that rules look at: of an indicator or a figure, for this period or an earlier one.

    A figure that was not told for it is the latest before, at most `carry` months old.
    """

    sort: Literal["indicator", "figure"]
    key: str
    when: Literal["period", "last_period", "last_year"] = "period"
    carry: int = 0


class Place(NamedTuple):
    """Where an area stood among its peers: `rank` (1 is best) of `size`."""

    peer: str
    rank: int
    size: int


@dataclass(frozen=True, slots=True)
class Ranking:
    """The places of a period, by area."""

    period: Period
    places: Mapping[str, Place]


@dataclass(frozen=True, slots=True)
class Known:
    """What rules look at. `levels`: the scored areas and their levels. `happenings` go back as far as "again" asks.

    `values` by what was asked and by area, areas above the scored ones among them; `rankings` has the period's own,
    before any points were taken off, and those of earlier and shorter periods.
    """

    period: Period
    levels: Mapping[str, str]
    happenings: Sequence[Happening] = ()
    values: Mapping[Asked, Mapping[str, float]] = field(default_factory=dict)
    rankings: Sequence[Ranking] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """What one rule did to one area: points, how many times it counted (multipliers included), and why.

    A reason has what there is of: id, area, day, amount, value, mark, before, after, place, points, times, because (the
    multipliers).
    """

    area_path: str
    rule: str
    points: float
    times: float
    why: tuple[Mapping[str, Any], ...] = ()


def asked(tables: Iterable[RuleTable]) -> set[Asked]:
    """Every value that the tables look at."""
    found: set[Asked] = set()
    for rule in (rule for table in tables for rule in table.rules):
        if rule.value:
            found |= {_own(rule.value), *([_mark(rule.value)] if rule.value.mark_figure else [])}
        if rule.change and not rule.change.place:
            found |= {_own(rule.change), _before(rule.change)}
    return found


def since(tables: Iterable[RuleTable], period: Period) -> date:
    """The day from which happenings are wanted: before the period, where something counts more that happens again."""
    first = period.first
    for multiplier in (each for table in tables for each in table.multipliers if each.again):
        if multiplier.again == "year":
            first = min(first, date(period.first.year, 1, 1))
        else:
            first = min(first, period.first - timedelta(days=_days(multiplier)))
    return first


def lines(tables: Sequence[RuleTable], known: Known, scores: Mapping[str, float | None]) -> list[Line]:
    """What the tables, one after the other, do to the areas' scores; by area, then as the rules stand.

    An area whose score is None has its lines, too, but nothing is held to a floor and nothing is emptied.
    """
    found: list[Line] = []
    now = dict(scores)
    for table in tables:
        by_area = _of_table(table, known)
        for area in known.levels:
            own = _bounded(table, by_area.get(area, []), now.get(area))
            found += own
            now[area] = settle(now.get(area), own)
    order = {area: number for number, area in enumerate(known.levels)}
    return sorted(found, key=lambda line: order[line.area_path])


def settle(score: float | None, own: Iterable[Line]) -> float | None:
    """A score after these lines; what is nearer to nothing than a sum of such numbers can tell is nothing."""
    if score is None:
        return None
    after = math.fsum([score, *(line.points for line in own)])
    return 0.0 if abs(after) < _NEARLY else after


def _of_table(table: RuleTable, known: Known) -> dict[str, list[Line]]:
    """The lines of every rule by area, before any cap."""
    found: dict[str, list[Line]] = {}
    for area, happenings in _charged(table, known).items():
        more = _again(table, happenings)
        reasons = [_happened(table, rule, known, area, happenings, more) for rule in table.rules]
        own = [_line(area, rule, list(why)) for rule, why in zip(table.rules, reasons, strict=True)]
        found[area] = [line for line in own if line.why]
    return found


def _line(area: str, rule: Rule, why: Sequence[Mapping[str, Any]]) -> Line:
    points, times = (math.fsum(each[name] for each in why) for name in ("points", "times"))
    return Line(area, rule.key, points, times, tuple(why))


def _happened(
    table: RuleTable, rule: Rule, known: Known, area: str, happenings: Sequence[Happening], more: set[tuple[str, int]]
) -> Iterator[dict[str, Any]]:
    """The reasons why a rule looks at an area, of whichever of the four it asks."""
    if rule.levels and known.levels[area] not in rule.levels:
        return iter(())
    if rule.event:
        return _counted(table, rule, known.period, happenings, more)
    if rule.value:
        return _missed(rule, rule.value, known, area)
    return _moved(rule.change, known, area) if rule.change else _last(rule, known, area)


# ---------------------------------------------------------------- what happened


def _charged(table: RuleTable, known: Known) -> dict[str, list[Happening]]:
    """What happened in each scored area, in the order of time."""
    rules = {rule.key for rule in table.rules if rule.event}
    found: dict[str, list[Happening]] = {area: [] for area in known.levels}
    for each in sorted(known.happenings, key=lambda one: (one.day, one.id, one.rule, one.area_path)):
        if each.rule in rules and each.day <= known.period.last:
            for area in _above(each.area_path):
                if area in found:
                    found[area].append(each)
    return found


def _above(path: str) -> list[str]:
    """The area and every area it lies in, from the top down."""
    return [path[: end + 1] for end, letter in enumerate(path) if letter == "/"]


def _again(table: RuleTable, happenings: Sequence[Happening]) -> set[tuple[str, int]]:
    """(multiplier, number of the happening) for each that happened before, as the multiplier asks.

    What agrees in its rule's `same` is the same whichever rule counts it; without `same` it must be the same rule.
    """
    rules = {rule.key: rule for rule in table.rules}
    found: set[tuple[str, int]] = set()
    for multiplier in (one for one in table.multipliers if one.again):
        before: dict[tuple[str, ...], date] = {}
        for number, each in enumerate(happenings):
            if each.rule in multiplier.rules and _counts(rules[each.rule], each):
                kind = each.alike or (each.rule,)
                if kind in before and _near(multiplier, before[kind], each.day):
                    found.add((multiplier.key, number))
                before[kind] = each.day
    return found


def _counted(
    table: RuleTable, rule: Rule, period: Period, happenings: Sequence[Happening], more: set[tuple[str, int]]
) -> Iterator[dict[str, Any]]:
    """A reason for each happening of the period that counts."""
    multipliers = [each for each in table.multipliers if rule.key in each.rules]
    for number, each in enumerate(happenings):
        if each.rule != rule.key or each.day not in period or not _counts(rule, each):
            continue
        key_period = any(one.first <= each.day <= one.last for one in table.key_periods)
        because = [
            one
            for one in multipliers
            if one.key in each.flagged or (one.key_periods and key_period) or (one.key, number) in more
        ]
        factors = [one.factor for one in because]
        factor = math.prod(factors) if table.together == "product" else max(factors, default=1.0)
        times = factor * each.count
        told = {"id": each.id, "area": each.area_path, "day": each.day.isoformat(), "amount": each.amount}
        points = _points(rule, each.amount) * times
        yield {**told, "points": points, "times": times, "because": [one.key for one in because]}


def _counts(rule: Rule, each: Happening) -> bool:
    return rule.empties or bool(_points(rule, each.amount))


def _points(rule: Rule, amount: float) -> float:
    if rule.at_least is not None and amount < rule.at_least:
        return 0.0
    if rule.tiers:
        return next((tier.points for tier in rule.tiers if tier.holds(amount)), 0.0)
    return rule.points if rule.share is None else rule.share * abs(amount)


def _near(multiplier: Multiplier, before: date, day: date) -> bool:
    return before.year == day.year if multiplier.again == "year" else (day - before).days <= _days(multiplier)


def _days(multiplier: Multiplier) -> int:
    return int(multiplier.again.removeprefix("days:"))


# ---------------------------------------------------------------- values, changes, places


def _missed(rule: Rule, source: Valued, known: Known, area: str) -> Iterator[dict[str, Any]]:
    found, mark = known.values.get(_own(source), {}).get(area), source.mark
    if mark is None:
        marks = known.values.get(_mark(source), {})
        mark = next((marks[above] for above in reversed(_above(area)) if above in marks), None)
    if found is None or mark is None:
        return
    way = 1.0 if source.side == "below" else -1.0
    gap = way * (mark - found)
    if source.until is not None:
        gap = min(gap, way * (mark - source.until))
    times = gap / source.per
    times = math.floor(times + _NEARLY) if source.counting == "whole" else times
    if times > 0:
        yield {"value": found, "mark": mark, "points": rule.points * times, "times": float(times)}


def _moved(source: Changed, known: Known, area: str) -> Iterator[dict[str, Any]]:
    before, after = _two(source, known, area)
    if before is None or after is None:
        return
    worse = after - before if source.better == "down" else before - after
    steps = source.worse if worse > 0 else source.improved
    reached = [step for step in steps if abs(worse) > step.more_than]
    if reached:
        farthest = max(reached, key=lambda step: step.more_than)
        yield {"before": before, "after": after, "points": farthest.points, "times": 1.0}


def _two(source: Changed, known: Known, area: str) -> tuple[float | None, float | None]:
    """The value of the earlier period and of this one."""
    if source.place:
        earlier = known.period.before if source.since == "last_period" else known.period.last_year
        places = [_place(known, period, area) for period in (earlier, known.period)]
        if places[0] is None or places[1] is None or places[0].peer != places[1].peer:
            return None, None
        return float(places[0].rank), float(places[1].rank)
    before, now = (known.values.get(one, {}).get(area) for one in (_before(source), _own(source)))
    return before, now


def _place(known: Known, period: Period, area: str) -> Place | None:
    return next((each.places.get(area) for each in known.rankings if each.period == period), None)


def _own(source: Valued | Changed) -> Asked:
    if source.indicator:
        return Asked("indicator", source.indicator)
    return Asked("figure", source.figure, carry=source.carry)


def _before(source: Changed) -> Asked:
    return _own(source)._replace(when=source.since)


def _mark(source: Valued) -> Asked:
    return Asked("figure", source.mark_figure, source.mark_from, source.carry)


def _last(rule: Rule, known: Known, area: str) -> Iterator[dict[str, Any]]:
    """A reason for each area in `area` that came among the last of a ranking; who ties across the edge is spared."""
    source = rule.bottom
    if source is None:
        return
    for ranking in sorted(known.rankings, key=lambda each: each.period):
        if ranking.period.kind != source.of or ranking.period.last not in known.period:
            continue
        for path, place in sorted(ranking.places.items()):
            among = source.among in ("", place.peer, known.levels.get(path))
            if path.startswith(area) and among and place.size - place.rank < source.last < place.size:
                told = {"id": ranking.period.name, "area": path, "place": [place.rank, place.size]}
                yield {**told, "day": ranking.period.last.isoformat(), "points": rule.points, "times": 1.0}


# ---------------------------------------------------------------- caps, floors, vetoes


def _bounded(table: RuleTable, own: Sequence[Line], score: float | None) -> list[Line]:
    """The lines with what caps, floor and ceiling give back, and what a veto takes of the rest."""
    rules = {rule.key: rule for rule in table.rules}
    found = [line for line in own if not rules[line.rule].empties]
    by_group: dict[str, list[float]] = defaultdict(list)
    for line in list(found):
        rule = rules[line.rule]
        over = _over([line.points], rule.most)
        if over:
            found.append(Line(line.area_path, f"{CAP}{rule.key}", over, 1.0))
        if rule.group:
            by_group[rule.group].append(line.points + over)
    area = own[0].area_path if own else ""
    for key, group in table.groups.items():
        over = _over(by_group[key], group.most)
        if over:
            found.append(Line(area, f"{CAP}{key}", over, 1.0))
    if own:
        found += _held(table, area, score, found)
    for line in own:
        if rules[line.rule].empties:
            found.append(_emptied(line, score, found))
    return found


def _over(points: Sequence[float], most: float | None) -> float:
    """What goes back so that no more than `most` is taken, and no more than `most` is given."""
    if most is None:
        return 0.0
    taken, given = (math.fsum(each for each in points if each * sign > 0) for sign in (-1, 1))
    return max(-taken - most, 0.0) - max(given - most, 0.0)


def _held(table: RuleTable, area: str, score: float | None, found: Sequence[Line]) -> Iterator[Line]:
    """What the floor gives back, and what lies over the ceiling; a score that lay beyond either before stays there."""
    after = settle(score, found)
    if score is None or after is None:
        return
    if table.floor is not None and after < min(table.floor, score):
        yield Line(area, f"{FLOOR}{table.key}", min(table.floor, score) - after, 1.0)
    if table.ceiling is not None and after > max(table.ceiling, score):
        yield Line(area, f"{CEILING}{table.key}", max(table.ceiling, score) - after, 1.0)


def _emptied(line: Line, score: float | None, found: Sequence[Line]) -> Line:
    """The line of a veto takes what is left, so that nothing is; a second veto finds nothing to take."""
    rest = settle(score, found)
    return Line(line.area_path, line.rule, -max(rest, 0.0) if rest is not None else 0.0, line.times, line.why)
