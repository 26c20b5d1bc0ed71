"""The demo town is lived through the verbs, so everything that holds of a real one holds of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings

from anlan.casework.draft import CACHES, carry, load
from anlan.casework.figures import sums
from anlan.casework.models import Case
from anlan.facts import same_picture
from anlan.intake.models import Photo, Statistic
from anlan.kernel import catalogue
from anlan.ledger import seal
from anlan.ledger.models import Event
from anlan.places import officers
from anlan.places.models import Area, Officer, Site
from anlan.presentation.demo import town
from anlan.presentation.demo.people import PASSWORD
from anlan.presentation.demo.pictures import Album
from remembered import remembered

ZONE = ZoneInfo("Asia/Shanghai")
AT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
PACK = Path(__file__).parents[2] / "packs" / "qinglan"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the photos of the town lie, which are drawn once."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture
def heard(media: Path, pictures: Path) -> Iterator[list[str]]:
    settings.MEDIA_ROOT = pictures
    with catalogue.using([PACK]):
        yield remembered(("demo", AT), built)


def built() -> list[str]:
    """What the building of a demo town says."""
    lines: list[str] = []
    town.build(at=AT, say=lines.append, days=15, sites=40, count_of_cases=40)
    return lines


def test_the_demo_town_has_its_people_sites_and_cases_and_tells_how_to_sign_in(heard: list[str]) -> None:
    assert (Area.objects.filter(level="grid").count(), Site.objects.count()) == (40, 40)
    assert Officer.objects.count() == 60
    channels = Counter(Case.objects.values_list("channel", flat=True))
    assert channels["officer_form"] + channels["resident"] == 40
    assert channels["sensor"] >= 3, "one alarm of each kind of device"
    assert channels["police_calls"] == 1
    assert channels["unannounced"] == 4
    assert {case.procedure for case in Case.objects.all()} >= {"incident", "fire_alarm"}
    said = "\n".join(heard)
    for username, _ in town.SIGNS:
        assert username in said
        assert officers.sign_in(username, PASSWORD, at=AT).username == username


def test_the_demo_town_is_built_once(heard: list[str]) -> None:
    before = Event.objects.count()
    town.build(at=AT, say=heard.append)
    assert Event.objects.count() == before


def test_what_others_count_of_the_demo_town_is_told_for_fourteen_months_and_by_name(heard: list[str]) -> None:
    told = Statistic.objects.filter(is_current=True)
    months = sorted(set(told.filter(figure="有效刑事警情数").values_list("period", flat=True)))
    assert (months[0], months[-1], len(months)) == ("2025-09", "2026-10", 14)
    villages = told.filter(figure="常住人口", period="2025")
    assert set(villages.values_list("area__level", flat=True)) == {"village"}
    assert sum(each.value for each in villages) == 110_500
    assert not told.exclude(source__endswith="报").exclude(source__in=("第三方调查", "县纪委监委通报")).exists()
    assert all(each.at.astimezone(ZONE).date() >= date(2026, 11, 1) for each in told.filter(period="2026-10"))


def test_every_demo_case_stands_where_its_history_says_and_the_figures_count_it(heard: list[str]) -> None:
    for case in Case.objects.all():
        kept = {name: getattr(case, name) for name in CACHES}
        draft = load(case)
        carry(case, draft.plan, draft.now, draft.calendar)
        assert {name: getattr(case, name) for name in CACHES} == kept
    county = Area.objects.get(level="county")
    counted = sums(county.path, first=datetime(2026, 1, 1, tzinfo=UTC).date(), last=AT.date())
    assert counted["reported"] == Case.objects.count()
    assert seal.verify().ok


def test_a_folder_with_other_data_is_not_taken_for_a_demo_town() -> None:
    officers.create("somebody", name="某人", by=None, at=AT)
    with pytest.raises(town.NotBuilt):
        town.build(at=AT, say=lambda line: None)


def test_no_two_photos_of_the_demo_town_are_the_same_but_for_those_of_one_who_hands_in_old_ones(
    heard: list[str],
) -> None:
    shown = Photo.objects.values_list("digest", "look", "by", "stage")
    doubled = {digest for digest, count in Counter(each[0] for each in shown).items() if count > 1}
    assert all(stage == "after" for digest, _, _, stage in shown if digest in doubled)
    assert len({by for digest, _, by, _ in shown if digest in doubled}) <= 1
    looks = list({look for digest, look, _, _ in shown if look is not None})
    assert len(looks) > 20
    assert all(one == other for one, other in same_picture.alike(looks, looks))


def test_who_hands_in_an_old_picture_hands_in_the_same_file_as_it_was_taken_then(heard: list[str]) -> None:
    lazy = Officer.objects.get(username="banli1")
    album = Album(lazy)
    taken = [album.take("after", number, by=lazy, at=AT, near=(121.0, 28.0 + number)) for number in range(120)]
    first = {each.digest: each for each in reversed(taken)}
    again = [each for each in taken if first[each.digest].pk != each.pk]
    assert 1 <= len(again) <= 20
    assert all((each.taken_at, each.lat) == (AT, first[each.digest].lat) for each in again)
    others = [album.take("after", number, by=None, at=AT) for number in range(40)]
    assert len({each.digest for each in others}) == 40
