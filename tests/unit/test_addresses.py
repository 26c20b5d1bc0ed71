"""Which known site an address means: exactly, likely with a confidence, or none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anlan.places.addresses import SHOWN, Addresses, Known, marks_of, runs


def site(number: int, name: str, address: str = "") -> Known:
    return Known(number, f"s{number:04}", name, address, "33/01/", None, None)


HOUSES = [site(n, f"出租房{n}", f"东镇和平路{n}号") for n in range(10, 60)]
TOWN = [
    site(1, "东一村小店", "东镇人民路18号"),
    site(2, "东一村出租房", "东镇人民路118号"),
    site(3, "川香麻辣烫", "东镇幸福路2号"),
    site(4, "红星超市", "东镇幸福路2号"),
    site(5, "Riverside Hotel", "12 East Road"),
    *HOUSES,
]


@pytest.fixture
def known() -> Addresses:
    return Addresses(TOWN)


@pytest.mark.parametrize(
    ("told", "number"),
    [
        ("东镇人民路18号", 1),
        ("东一村小店", 1),
        (" 东镇人民路 １８ 号。", 1),
        ("riverside hotel", 5),
        ("12, EAST ROAD", 5),
        ("东镇和平路021号", 21),
    ],
)
def test_a_sites_own_name_or_address_is_known_however_it_is_written(known: Addresses, told: str, number: int) -> None:
    found = known.exact(told)
    assert found is not None
    assert found.pk == number


@pytest.mark.parametrize(
    "told", ["东镇幸福路2号", "人民路18号", "东镇人民路1 8号", "东镇人民路1-8号", "东一村", "", "。。"]
)
def test_what_several_sites_have_or_what_is_not_the_whole_is_not_exact(known: Addresses, told: str) -> None:
    assert known.exact(told) is None


@pytest.mark.parametrize(
    ("told", "number"),
    [
        ("人民路18号", 1),
        ("人民路18号门口", 1),
        ("东一村小店对面", 1),
        ("幸福路2号川香麻辣烫", 3),
        ("和平路20号后面的巷子", 20),
        ("East Road 12, Riverside", 5),
    ],
)
def test_what_a_text_nearly_says_is_suggested_first(known: Addresses, told: str, number: int) -> None:
    first, *others = known.likely(told, least=0.6)
    assert first.site.pk == number
    assert 0.6 <= first.confidence < 1
    assert all(other.confidence < first.confidence for other in others)


@pytest.mark.parametrize("told", ["东镇", "幸福路99号", "人民路", "东一村理发店", "厨房有燃气味", "", "１２", "😀"])
def test_a_place_that_is_no_site_suggests_nothing(known: Addresses, told: str) -> None:
    assert known.likely(told, least=0.6) == []


def test_a_house_number_is_whole_and_another_number_is_another_house(known: Addresses) -> None:
    assert marks_of("人民路118号") == {"人民", "民路", "118", "号"}
    assert [each.site.pk for each in known.likely("东镇人民路118号", least=0.9)] == [2]
    assert [each.site.pk for each in known.likely("东镇人民路8号", least=0.1)] == []


def test_sites_at_one_address_are_all_suggested_alike(known: Addresses) -> None:
    found = known.likely("东镇幸福路2号", least=0.6)
    assert [(each.site.pk, each.confidence) for each in found] == [(3, 1.0), (4, 1.0)]


def test_what_few_sites_have_weighs_more() -> None:
    many = Addresses([site(n, f"东镇人民路{name}店") for n, name in enumerate(["理发", "五金", "水果", "文具"])])
    told = {each.site.name: each.confidence for each in many.likely("人民路理发", least=0.01)}
    assert max(told, key=lambda name: told[name]) == "东镇人民路理发店"
    assert sorted(told.values())[-2] < 0.4 < told["东镇人民路理发店"]


def test_a_text_is_taken_apart_into_words_and_numbers() -> None:
    assert runs("人民路 １８号-003 Ａb_c") == ("人民路", "18", "号", "3", "ab", "c")


words = st.text(alphabet="东西一二村镇路号店ab 0189-", max_size=14)
sites = st.lists(st.tuples(words, words), max_size=12).map(lambda all_: [site(n, *each) for n, each in enumerate(all_)])


@given(sites, words, st.randoms(use_true_random=False), st.floats(0.05, 1))
def test_the_answer_does_not_depend_on_the_order_of_sites(
    town: list[Known], told: str, dice: Any, least: float
) -> None:
    found = Addresses(town).likely(told, least=least)
    shuffled = Addresses(dice.sample(town, len(town)))
    assert shuffled.likely(told, least=least) == found
    assert shuffled.exact(told) == Addresses(town).exact(told)
    assert len(found) <= SHOWN
    assert all(least <= each.confidence <= 1 for each in found)
    assert [each.confidence for each in found] == sorted((each.confidence for each in found), reverse=True)


@given(sites, words)
def test_what_is_exact_is_likely_with_full_confidence(town: list[Known], told: str) -> None:
    exact = Addresses(town).exact(told)
    if exact is not None and not all(mark.isdigit() for mark in marks_of(told)):
        assert 1.0 in [each.confidence for each in Addresses(town).likely(told, least=1.0)]


def test_the_longest_text_is_compared(known: Addresses) -> None:
    assert known.likely("东镇人民路18号" * 2000, least=0.9)
    assert Addresses([]).likely("东镇", least=0.1) == []
