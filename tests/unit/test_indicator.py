"""The vocabulary of indicators: what one file may say, and what is refused beside the key that says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from anlan.index.counting.indicator import INDICATORS, Indicator
from anlan.kernel.catalogue import DeclarationError, read

WHOLE = """
key = "fires"
title = { zh = "火灾事项", en = "Fires" }
summary = { zh = "每万人火灾事项数。", en = "Cases of fire per 10,000 residents." }
unit = { zh = "起/万人", en = "per 10,000 residents" }
better = "down"
basis = { source = "x", mark = "U", checked_on = 2026-11-22 }
per = 10000
min_denominator = 100
shrink_to = "township"
window = "days:30"
score = { method = "goalposts", low = 20.0, high = 0.0 }

[numerator]
table = "cases"
where = "topic_root = 'fire' and valid"
date = "opened_date"

[denominator]
table = "statistics"
measure = "given"
where = "figure = 'residents'"
carry = 24

[[examples]]
period = "2026-10"
rows = [{ area_path = "1/", topic_root = "fire", valid = true, opened_date = 2026-10-03 }]
denominator_rows = [{ area_path = "1/", figure = "residents", value = 20000.0 }]
value = 0.5
"""
BROKEN = [
    ("topic_root = 'fire'", "regexp(topic_root)", "numerator.where", "cannot stand here"),
    ("figure = 'residents'", "figure = '罚款'", "denominator.where", "article 74"),
    ("火灾事项数", "罚没款数", "summary", "article 74"),
    ('measure = "given"', 'measure = "median"', "denominator", "needs a `column`"),
    ('date = "opened_date"', 'date = "opened_date"\nmeasure = "stock"', "numerator", "says `until` when"),
    ('date = "opened_date"', 'date = "opened_date"\nquantile = 0.9', "numerator", "says which one"),
    ('date = "opened_date"', 'date = "opened_date"\ncolumn = "case"', "numerator", "takes no `column`"),
    ('"days:30"', '"30 days"', "window", "Does not match"),
    ("min_denominator = 100\n", "", "", "needs a denominator and a `min_denominator`"),
    ("per = 10000", "per = 0", "per", "more than 0"),
    ('better = "down"', 'beter = "down"', "beter", "did you mean “better”?"),
]


def put(folder: Path, text: str) -> Path:
    path = folder / "one.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_an_indicator_says_what_is_counted_over_what(tmp_path: Path) -> None:
    made = read(INDICATORS, put(tmp_path, WHOLE))
    assert [key for key, _ in made.measures] == ["numerator", "denominator"]
    assert made.numerator.additive
    assert made.denominator is not None
    assert made.denominator.told
    assert made.denominator.read == "value"
    assert made.absent == "zero"


def test_a_given_figure_that_nobody_gave_is_missing_and_not_zero(tmp_path: Path) -> None:
    made = read(INDICATORS, put(tmp_path, WHOLE))
    swapped = made.model_dump(exclude_unset=True) | {"window": "period", "numerator": made.denominator}
    assert Indicator.model_validate(swapped).absent == "missing"


@pytest.mark.parametrize(("right", "wrong", "where", "said"), BROKEN, ids=[row[1][:20] for row in BROKEN])
def test_a_broken_indicator_is_refused_beside_its_key(
    right: str, wrong: str, where: str, said: str, tmp_path: Path
) -> None:
    assert right in WHOLE
    with pytest.raises(DeclarationError) as refused:
        read(INDICATORS, put(tmp_path, WHOLE.replace(right, wrong, 1)))
    assert any(where in problem.field and said in problem.reason.en for problem in refused.value.problems)
