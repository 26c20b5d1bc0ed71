"""Rule tables: the shipped ones worked out by hand, and what holds of every table."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anlan.index.counting.period import read as period
from anlan.index.rulebook import consequence
from anlan.index.rulebook.deductions import Asked, Happening, Known, Line, Place, Ranking, asked, lines, settle, since
from anlan.index.rulebook.rule import RULES, RuleTable
from anlan.kernel import catalogue
from anlan.kernel.catalogue import DeclarationError, read
from rule_tables import rule, table

COUNTY, TOWN, WEST = "33/1/", "33/1/2/", "33/1/3/"
YEAR = period("2017")
LIST = catalogue.current().get(RULES, "negative_list")
SAFE = Asked("figure", "群众安全感", carry=12)
KNOWN_OF = Asked("figure", "平安建设知晓率", carry=12)
AVERAGE = Asked("figure", "全省平均知晓率", "last_year", 12)
NOW, BEFORE = (Asked("figure", "全省平安考核名次", when, 12) for when in ("period", "last_year"))


def happening(key: str, day: date = date(2017, 5, 2), **given: Any) -> Happening:
    return Happening(key, given.pop("area", TOWN), day, given.pop("id", f"{key} {day}"), **given)


def known(*happenings: Happening, **given: Any) -> Known:
    return Known(YEAR, given.pop("levels", {COUNTY: "county"}), happenings, **given)


def points(given: Known, of: RuleTable = LIST, score: float = 100.0) -> dict[str, float]:
    """The points of each line of the county."""
    return {line.rule: line.points for line in lines([of], given, {COUNTY: score}) if line.area_path == COUNTY}


def only(key: str, amount: float, **given: Any) -> dict[str, float]:
    return points(known(happening(key, amount=amount, **given)))


# ---------------------------------------------------------------- the published list, line by line


def test_a_grave_matter_takes_thirty_points_once_a_year() -> None:
    twice = known(happening("WZ-01", date(2017, 3, 1)), happening("WZ-01", date(2017, 9, 1)))
    assert points(twice) == {"WZ-01": -60.0, "cap:WZ-01": 30.0}
    assert settle(100.0, lines([LIST], twice, {COUNTY: 100.0})) == 70.0


@pytest.mark.parametrize(("deaths", "taken"), [(2, 0), (3, -5.0), (5, -5.0), (6, -10.0), (9, -10.0), (10, 0)])
def test_an_accident_takes_points_by_its_deaths(deaths: int, taken: float) -> None:
    both = known(happening("WZ-02", amount=deaths), happening("WZ-03", amount=deaths))
    assert points(both) == ({"WZ-02" if deaths < 6 else "WZ-03": taken} if taken else {})


def test_a_killing_of_three_takes_five() -> None:
    assert only("WZ-04", 3) == only("WZ-04", 4) == {"WZ-04": -5.0}
    assert only("WZ-04", 5) == {}


def test_a_quarter_of_what_the_upper_level_takes_is_taken_from_five_points_on() -> None:
    assert only("WZ-05", 8) == {"WZ-05": -2.0}
    assert only("WZ-05", 4.9) == {}


def test_the_same_again_within_the_year_counts_twice_and_of_another_kind_once() -> None:
    first, again = date(2017, 2, 1), date(2017, 11, 30)
    same = known(happening("WZ-02", first, amount=3, alike=("a",)), happening("WZ-02", again, amount=4, alike=("a",)))
    assert points(same) == {"WZ-02": -15.0}
    other = known(happening("WZ-02", first, amount=3, alike=("a",)), happening("WZ-02", again, amount=4, alike=("b",)))
    assert points(other) == {"WZ-02": -10.0}


def test_a_larger_accident_after_a_smaller_one_is_again_though_another_line_counts_it() -> None:
    both = [happening(key, date(2017, month, 1), amount=deaths, alike=("a",), id=str(month))
            for month, deaths in ((2, 3), (4, 7), (6, 2)) for key in ("WZ-02", "WZ-03")]  # fmt: skip
    assert points(known(*both)) == {"WZ-02": -5.0, "WZ-03": -20.0}


def test_what_happened_last_year_is_not_again() -> None:
    last_year = known(happening("WZ-04", date(2016, 12, 31), amount=3), happening("WZ-04", amount=3))
    assert points(last_year) == {"WZ-04": -5.0}


def test_in_a_key_period_it_counts_twice_and_again_in_one_still_twice() -> None:
    meeting = date(2017, 10, 20)
    assert only("WZ-04", 3, day=meeting) == {"WZ-04": -10.0}
    again = known(happening("WZ-04", amount=3), happening("WZ-04", meeting, amount=3))
    assert points(again) == {"WZ-04": -15.0}
    [line] = lines([LIST], again, {COUNTY: 100.0})
    assert [(each["times"], each["because"]) for each in line.why] == [(1.0, []), (2.0, ["WZ-06"])]
    assert line.times == 3.0


@pytest.mark.parametrize(
    ("safe", "wanted"),
    [
        (96.0, {}),
        (95.0, {"WZ-07": -0.25}),
        (90.0, {"WZ-07": -1.5}),
        (88.0, {"WZ-07": -1.5, "WZ-08": -1.0}),
        (80.0, {"WZ-07": -1.5, "WZ-08": -5.0, "cap:three_rates": 1.5}),
    ],
)
def test_the_sense_of_safety_takes_points_by_sections_up_to_the_cap(safe: float, wanted: dict[str, float]) -> None:
    assert points(known(values={SAFE: {COUNTY: safe}})) == wanted


def test_awareness_is_measured_by_last_years_average_of_the_province() -> None:
    told = {KNOWN_OF: {COUNTY: 81.0}, AVERAGE: {"33/": 85.0}}
    assert points(known(values=told)) == {"WZ-09": -1.0}
    assert points(known(values={**told, AVERAGE: {"44/": 85.0}})) == {}


def test_problems_found_take_a_quarter_each_and_twice_that_when_not_put_right() -> None:
    found = known(happening("WZ-10", id="a"), happening("WZ-10", id="b", flagged=frozenset({"WZ-11"})))
    assert points(found) == {"WZ-10": -0.75}
    assert points(known(happening("WZ-12", id="a"), happening("WZ-12", id="b"))) == {"WZ-12": -0.2}


def test_each_town_at_the_bottom_of_a_month_costs_its_county() -> None:
    def ranking(name: str, **ranks: int) -> Ranking:
        return Ranking(period(name), {f"33/1/{town}/": Place("township", rank, 5) for town, rank in ranks.items()})

    months = [ranking("2017-03", a=1, b=4, c=5), ranking("2017-04", a=3, b=3, c=3), ranking("2016-12", a=5)]
    got = points(known(rankings=[*months, ranking("2017", c=5)]))
    assert got == {"WZ-13": -1.0, "WZ-13-year": -1.0}
    beyond = Ranking(period("2017-05"), {"33/9/1/": Place("township", 5, 5), COUNTY: Place("county", 5, 5)})
    assert points(known(rankings=[beyond])) == {}


@pytest.mark.parametrize(
    ("before", "now", "wanted"),
    [(20, 25, {}), (20, 26, -1.0), (20, 30, -1.0), (20, 31, -2.0), (20, 14, 0.5), (20, 15, {})],
)
def test_places_lost_take_points_and_places_gained_give_some(before: float, now: float, wanted: Any) -> None:
    got = points(known(values={BEFORE: {COUNTY: before}, NOW: {COUNTY: now}}))
    assert got == ({} if wanted == {} else {"WZ-14": wanted})


def test_all_fourteen_lines_are_shipped_each_with_what_it_needs() -> None:
    keys = {each.key for each in LIST.rules} | {each.key for each in LIST.multipliers}
    assert keys - {"WZ-13-year"} == {f"WZ-{number:02}" for number in range(1, 15)}
    assert asked([LIST]) == {SAFE, KNOWN_OF, AVERAGE, NOW, BEFORE}
    assert since([LIST], period("2017-11")) == date(2017, 1, 1)


# ---------------------------------------------------------------- what else can be said


EVENT = {"table": "cases", "date": "opened_date"}


def test_one_veto_empties_the_score_whatever_else_there_is() -> None:
    mine = table(rules=[rule("bonus", points=2.0, event=EVENT), rule("veto", empties=True, event=EVENT)])
    given_ = known(happening("veto", id="a"), happening("bonus"), happening("veto", id="b"))
    found = lines([mine], given_, {COUNTY: 97.3})
    assert {line.rule: line.points for line in found} == {"bonus": 2.0, "veto": -99.3}
    assert settle(97.3, found) == 0.0
    assert [each["id"] for each in found[-1].why] == ["a", "b"]


def test_a_score_is_held_to_its_floor_and_its_ceiling() -> None:
    down = table(rules=[rule("a", points=-8.0, event=EVENT)], floor=60.0)
    assert points(known(happening("a")), down, 65.0) == {"a": -8.0, "floor:mine": 3.0}
    assert points(known(happening("a")), down, 40.0) == {"a": -8.0, "floor:mine": 8.0}
    up = table(rules=[rule("a", points=8.0, event=EVENT)], ceiling=100.0)
    assert points(known(happening("a")), up, 95.0) == {"a": 8.0, "ceiling:mine": -3.0}


def test_an_event_in_a_village_is_charged_to_every_scored_area_it_lies_in_or_to_the_levels_said() -> None:
    levels = {COUNTY: "county", TOWN: "township", WEST: "township"}
    at = known(happening("a", area="33/1/2/7/"), levels=levels)
    scores = dict.fromkeys(levels, 90.0)
    everywhere = table(rules=[rule("a", points=-1.0, event=EVENT)])
    assert [line.area_path for line in lines([everywhere], at, scores)] == [COUNTY, TOWN]
    towns = table(rules=[rule("a", points=-1.0, event=EVENT, levels=["township"])])
    assert [line.area_path for line in lines([towns], at, scores)] == [TOWN]


def test_multipliers_multiply_where_the_table_says_so_and_days_can_be_counted() -> None:
    more = [
        {"key": "x", "title": {"zh": "倍", "en": "x"}, "factor": 2, "rules": ["a"], "again": "days:30"},
        {"key": "y", "title": {"zh": "倍", "en": "y"}, "factor": 3, "rules": ["a"], "where": "hung"},
    ]
    mine = table(rules=[rule("a", points=-1.0, event=EVENT)], multipliers=more, together="product")
    first = date(2017, 5, 1)
    for days, wanted in ((30, -1 - 6.0), (31, -1 - 3.0)):
        second = happening("a", first + timedelta(days=days), flagged=frozenset({"y"}))
        assert points(known(happening("a", first), second), mine) == {"a": wanted}
    assert since([mine], YEAR) == date(2016, 12, 2)


def test_a_row_can_count_as_many_times_as_it_says() -> None:
    mine = catalogue.current().get(RULES, "ten_day_warning")
    assert points(known(happening("deaths-fire", amount=1, count=3)), mine) == {"deaths-fire": -3.0}


def test_whole_points_only_and_above_a_mark() -> None:
    source = {"figure": "f", "mark": 10, "side": "above", "per": 5, "counting": "whole", "until": 40}
    mine = table(rules=[rule("a", points=-1.0, value=source)])
    told = Asked("figure", "f")
    got = [points(known(values={told: {COUNTY: value}}), mine).get("a", 0.0) for value in (14.9, 15, 24, 100)]
    assert got == [0.0, -1.0, -2.0, -6.0]


def test_ones_own_place_can_fall() -> None:
    mine = table(rules=[rule("a", change={"place": True, "worse": [{"more_than": 2, "points": -1}]})])
    then, now = (Ranking(each, {COUNTY: Place("county", rank, 9)}) for each, rank in ((YEAR.before, 1), (YEAR, 4)))
    assert points(known(rankings=[then, now]), mine) == {"a": -1.0}
    other = Ranking(YEAR.before, {COUNTY: Place("small", 1, 9)})
    assert points(known(rankings=[other, now]), mine) == {}


def test_an_area_without_a_score_has_its_lines_and_no_score() -> None:
    mine = table(rules=[rule("a", points=-1.0, event=EVENT), rule("v", empties=True, event=EVENT)])
    found = lines([mine], known(happening("a"), happening("v")), {COUNTY: None})
    assert [(line.rule, line.points) for line in found] == [("a", -1.0), ("v", 0.0)]
    assert settle(None, found) is None


def test_three_times_red_brings_a_warning_four_an_interview_five_more() -> None:
    mine = [catalogue.current().get(RULES, "ten_day_warning")]
    reds = [[each.key for each in consequence.due(mine, ["green"] + ["red"] * times)] for times in range(7)]
    assert reds == [[], [], [], ["warning"], ["interview"], ["accountability"], ["accountability"]]
    assert consequence.due(mine, ["red", "red", None, "red"]) == []
    assert consequence.due(mine, ["red", "red", "red", None]) == []
    four = [catalogue.current().get(RULES, "four_colours")]
    assert [consequence.due(four, [band])[0].title.zh for band in ("green", "blue", "orange", "red")] == [
        "优秀",
        "良好",
        "提醒",
        "预警",
    ]


# ---------------------------------------------------------------- what holds of every table


DAYS = st.dates(date(2016, 6, 1), date(2017, 12, 31))
POINTS = st.floats(-20, 20, allow_nan=False).filter(lambda each: abs(each) > 1e-3)
SCORES = st.floats(0, 100)


@st.composite
def tables_and_facts(draw: st.DrawFn) -> tuple[RuleTable, Known, float]:
    keys = ["a", "b", "c"]
    rules = [rule(key, points=draw(POINTS), event=EVENT, group=draw(st.sampled_from(["", "g"]))) for key in keys]
    if draw(st.booleans()):
        rules.append(rule("veto", empties=True, event=EVENT))
    for each in rules[:3]:
        each["most"] = draw(st.none() | st.floats(0.1, 30))
    more = {"key": "x", "title": {"zh": "倍", "en": "x"}, "factor": 2, "rules": keys, "again": "days:60"}
    group = {"g": {"title": {"zh": "组", "en": "g"}, "most": draw(st.floats(0.1, 20))}}
    floor = draw(st.none() | st.floats(0, 60))
    mine = table(rules=rules, groups=group, multipliers=[more], floor=floor, ceiling=draw(st.none() | st.just(100.0)))
    names = st.sampled_from([each["key"] for each in rules])
    told = draw(st.lists(st.tuples(names, DAYS, st.sampled_from([TOWN, WEST, "44/"])), max_size=12))
    happenings = [happening(key, day, area=area, id=str(number)) for number, (key, day, area) in enumerate(told)]
    return mine, known(*happenings, levels={COUNTY: "county", TOWN: "township", WEST: "township"}), draw(SCORES)


@given(tables_and_facts())
def test_the_parts_sum_to_the_whole_and_caps_and_bounds_hold(given_: tuple[RuleTable, Known, float]) -> None:
    mine, facts, score = given_
    found = lines([mine], facts, dict.fromkeys(facts.levels, score))
    for area in facts.levels:
        own = {line.rule: line.points for line in found if line.area_path == area}
        after = settle(score, [line for line in found if line.area_path == area])
        assert after is not None
        assert math.isclose(after, score + math.fsum(own.values()), abs_tol=1e-9)
        vetoed = "veto" in own
        if vetoed:
            assert after == 0.0 or after < 0
        if mine.floor is not None and not vetoed:
            assert after >= min(mine.floor, score) - 1e-9
        if mine.ceiling is not None:
            assert after <= max(mine.ceiling, score) + 1e-9
        _check_caps(mine, own)


def _check_caps(mine: RuleTable, own: Mapping[str, float]) -> None:
    net = {each.key: own.get(each.key, 0.0) + own.get(f"cap:{each.key}", 0.0) for each in mine.rules}
    for each in mine.rules:
        if each.most is not None:
            assert abs(net[each.key]) <= each.most + 1e-9
    members = [net[each.key] for each in mine.rules if each.group == "g"]
    over = own.get("cap:g", 0.0)
    taken, got = sum(min(each, 0.0) for each in members), sum(max(each, 0.0) for each in members)
    most = mine.groups["g"].most
    assert math.isclose(max(taken, -most) + min(got, most), taken + got + over, abs_tol=1e-9)


@given(tables_and_facts(), st.data())
def test_one_more_thing_that_takes_points_never_raises_a_score(
    given_: tuple[RuleTable, Known, float], data: st.DataObject
) -> None:
    mine, facts, score = given_
    takes = [each.key for each in mine.rules if each.points < 0 or each.empties]
    if not takes:
        return
    extra = happening(data.draw(st.sampled_from(takes)), data.draw(DAYS), id="extra")
    scores = dict.fromkeys(facts.levels, score)
    more = known(*facts.happenings, extra, levels=facts.levels)
    for area in facts.levels:
        before, after = (settle(score, of(lines([mine], each, scores), area)) for each in (facts, more))
        assert before is not None
        assert after is not None
        assert after <= before + 1e-9


def of(found: list[Line], area: str) -> list[Line]:
    return [line for line in found if line.area_path == area]


@given(tables_and_facts(), st.randoms(use_true_random=False))
def test_the_order_in_which_facts_come_changes_nothing(given_: tuple[RuleTable, Known, float], random: Any) -> None:
    mine, facts, score = given_
    shuffled = list(facts.happenings)
    random.shuffle(shuffled)
    scores = dict.fromkeys(facts.levels, score)
    assert lines([mine], known(*shuffled, levels=facts.levels), scores) == lines([mine], facts, scores)


# ---------------------------------------------------------------- what is refused


HEAD = """
key = "mine"
title = { zh = "规则", en = "rules" }
summary = { zh = "规则", en = "rules" }
basis = { source = "x", mark = "U", checked_on = 2026-11-22 }
[[rules]]
key = "a"
title = { zh = "甲", en = "A" }
points = -1.0
event = { table = "cases", date = "opened_date", where = "valid" }
"""


@pytest.mark.parametrize(
    ("right", "wrong", "en"),
    [
        ('where = "valid"', "where = \"figure = '罚款金额'\"", "Administrative Penalty Law, article 74"),
        ("zh = \"甲\"", 'zh = "罚没收入"', "Administrative Penalty Law, article 74"),
        ("points = -1.0", "", "give one of `points`"),
        ("points = -1.0", "points = -1.0\nempties = true", "give one of `points`"),
        ("points = -1.0", "points = -1.0\ngroup = \"g\"", "there is no group “g”"),
        ("points = -1.0", "tiers = [{ at_least = 1, points = -1 }, { at_least = 3, points = -2 }]", "overlap"),
        ('where = "valid"', "where = \"system('rm')\"", "cannot stand here"),
        ("event = ", "change = { place = true, worse = [] }\nevent = ", "Give `worse` or `improved`"),
    ],
)  # fmt: skip
def test_a_wrong_table_is_refused_with_the_reason(right: str, wrong: str, en: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(HEAD, encoding="utf-8")
    assert read(RULES, path).rules[0].points == -1.0
    path.write_text(HEAD.replace(right, wrong, 1), encoding="utf-8")
    with pytest.raises(DeclarationError, match=en.replace("(", r"\(")):
        read(RULES, path)


def test_where_all_are_as_many_as_the_last_nobody_is_among_the_last() -> None:
    mine = table(rules=[rule("last", points=-1.0, bottom={"of": "month", "last": 2})])
    march = period("2017-03")

    def after(size: int) -> dict[str, float]:
        places = {f"{COUNTY}{town}/": Place("township", town, size) for town in range(1, size + 1)}
        return points(known(rankings=[Ranking(march, places)]), mine)

    assert after(3) == {"last": -2.0}
    assert after(2) == {}


def test_a_floor_leaves_what_was_given_to_a_score_below_it() -> None:
    up = table(rules=[rule("a", points=8.0, event=EVENT)], floor=60.0)
    assert points(known(happening("a")), up, 40.0) == {"a": 8.0}


def test_a_veto_gives_nothing_to_a_score_below_nothing() -> None:
    mine = table(rules=[rule("a", points=-8.0, event=EVENT), rule("veto", empties=True, event=EVENT)], floor=None)
    assert points(known(happening("a"), happening("veto")), mine, 5.0) == {"a": -8.0, "veto": 0.0}
