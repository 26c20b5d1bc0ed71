"""One case of the small town is put right: the index, its parts and what to fix first move by what a hand says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from anlan.casework import cases
from anlan.casework.cases import Doing, Opening
from anlan.casework.models import Case
from anlan.facts.table import TABLES
from anlan.index.counting import behind
from anlan.index.counting.indicator import INDICATORS
from anlan.index.editions import assessment
from anlan.index.editions.assessment import spec_of
from anlan.index.editions.edition import Edition
from anlan.index.editions.fix_first import Gain, fix_first
from anlan.index.scoring.why import explained
from anlan.intake.models import Photo
from anlan.kernel import catalogue
from anlan.kernel.ids import new_id
from anlan.ledger import seal
from anlan.places.models import Officer
from anlan.presentation import facts, followers, publishing
from index_pack import pack
from world import World, world

pytestmark = pytest.mark.django_db


@pytest.fixture
def town(settings: Any, tmp_path: Path) -> Iterator[World]:
    settings.DATA = tmp_path / "data"
    settings.FACTS = str(tmp_path / "data/facts")
    with catalogue.using([pack(tmp_path / "pack", rules=False)]):
        yield world()


class Hands:
    """What the people of the town do to a case, an hour after the other."""

    def __init__(self, town: World, at: datetime) -> None:
        self.town, self.at = town, at

    def open(self) -> Case:
        opening = Opening("incident", self.town.grid, "楼道堆物", topic="fire_exit")
        case = cases.open_case(opening, by=self.town.triage, at=self.at)
        return self.do(case, "register", self.town.triage)

    def do(self, case: Case, act: str, who: Officer, photos: tuple[Photo, ...] = (), **data: Any) -> Case:
        self.at += timedelta(hours=1)
        doing = Doing(act, data, photos=photos, place=(122.02, 27.02))
        return cases.act(case.pk, doing, by=who, reach=self.town.reach(who), at=self.at)

    def put_right(self, case: Case) -> None:
        town = self.town
        photo = Photo.objects.create(
            id=new_id(), digest="0" * 64, mime="image/jpeg", size=1, width=1, height=1, stage="after", by=town.handler,
            added_at=self.at,
        )  # fmt: skip
        self.do(case, "dispatch", town.dispatcher, department=town.housing.pk)
        self.do(case, "accept", town.handler)
        self.do(case, "fix", town.handler, (photo,), result="已清空")
        self.do(case, "verify", town.grid_worker)
        self.do(case, "close", town.dispatcher)


def drafted(at: datetime) -> Edition:
    followers.drain(at=at)
    seal.seal(at=at)
    facts.export(facts.store(), at=at)
    return publishing.draft("small", "2026-03", by=None, reach=None, at=at)


def first(found: Edition, area: str) -> list[Gain]:
    spec = spec_of(found.spec(), "small")
    with assessment.opened(found.facts, spec.tables) as engine:
        return fix_first(spec, engine, found, area, day=date(2026, 3, 6))


def scores(found: Edition, area: str) -> dict[str, float]:
    return {row["node"]: row["score"] for row in found.scores(area_path=area).to_pylist()}


def test_one_case_put_right_moves_everything_by_what_a_hand_says(town: World) -> None:
    hands = Hands(town, town.at)
    one, other = hands.open(), hands.open()
    before = drafted(town.at + timedelta(hours=9))
    # 东镇 has two cases, neither cured: 0 of 100. None is there again: 100. H = (2 · 0 + 100) / 3. None was closed yet,
    # and nothing to divide by is good: T = 100. The whole: 3/4 · 33⅓ + 1/4 · 100 = 50.
    east = town.east.path
    assert scores(before, east)["small"] == pytest.approx(50, abs=1e-12)
    # Either closed in time: 1 of 2 cured, 50 points more, which count 3/4 · 2/3: 25. Both: 50.
    gains = first(before, east)
    assert {gain.case for gain in gains} == {str(one.pk), str(other.pk)}
    assert [(gain.points, gain.together) for gain in gains] == [pytest.approx((25, 25)), pytest.approx((25, 50))]
    assert gains[0].parts == pytest.approx({"cured": 25})

    hands.put_right(one)
    after = drafted(hands.at + timedelta(minutes=5))
    assert scores(after, east)["small"] == pytest.approx(75, abs=1e-12)
    assert scores(after, town.west.path) == scores(before, town.west.path)
    [left] = first(after, east)
    assert left.case == str(other.pk)
    assert left.points == pytest.approx(25)

    frame = spec_of(catalogue.current(), "small").frame
    ends = [np.array([[scores(each, east)[key]] for key in frame.keys]) for each in (before, after)]
    why = explained(frame, ends[0], ends[1], (east,))
    parts = dict(zip((leaf.key for leaf in frame.leaves), why.leaf[0].tolist(), strict=True))
    assert parts == pytest.approx({"cured": 25, "again": 0, "prompt": 0}, abs=1e-12)
    assert why.change[0] == pytest.approx(25, abs=1e-12)

    cured = catalogue.current().get(INDICATORS, "cured")
    rows = behind.rows(after.facts, catalogue.current().all(TABLES), cured, east, after.period)
    assert rows.cases == [str(one.pk)]
