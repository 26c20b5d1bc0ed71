"""Published indices, declared and not coded, give the published figures: COINr's of ASEM, the UNDP's HDI."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from anlan.index.scoring import why
from anlan.index.scoring.audit import audit
from anlan.index.scoring.composite import Scored, score
from anlan.index.scoring.framework import Framework
from anlan.index.scoring.normalise import Normalising
from anlan.index.scoring.ranks import places, ranked
from anlan.index.scoring.scenarios import Workshop
from anlan.index.scoring.spec import Aggregation, Column, Screening, Treatment
from anlan.index.scoring.sure import left_out, ranks_of
from published import asem, asem_years, declared, hdi, here, table, tree

pytestmark = here
PLAIN: dict[str, Any] = {"imputing": None, "treatment": None}


def raw_columns(**changed: Any) -> tuple[Column, ...]:
    """The declared columns as they come, not over their denominators."""
    return tuple(column.model_copy(update={"denominator": "", **changed}) for column in declared("asem").columns)


def scored(**changed: Any) -> Scored:
    panel, labels = asem()
    return score(tree("asem", **changed), panel, labels=labels)


def assert_same(found: Scored, name: str, *, keys: list[str] | None = None) -> None:
    """Every score the reference has, by node."""
    wanted = table(name).loc[list(found.units)]
    for key in keys or [column for column in wanted.columns if column != "uName"]:
        node = "asem" if key == "Index" else key
        np.testing.assert_allclose(found.of(node)[:, 0], wanted[key], err_msg=f"{name} {key}", rtol=0, atol=1e-9)


# ---------------------------------------------------------------- normalising


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("minmax_0_100", {"method": "minmax"}),
        ("minmax_1_100", {"method": "minmax", "scale": (1, 100)}),
        ("zscore_0_1", {"method": "zscore"}),
        ("rank", {"method": "rank"}),
        ("prank", {"method": "percentile", "scale": (0, 1)}),
    ],
)
def test_each_normaliser_gives_coinrs_figures(name: str, rule: dict[str, Any]) -> None:
    assert_same(
        scored(**PLAIN, columns=raw_columns(), score=Normalising.model_validate(rule)), f"ref_norm_raw_{name}.csv"
    )


def posted() -> pd.DataFrame:
    return table("in_iMeta_goalposts_targets.csv").set_index("iCode")


def with_goalposts() -> tuple[Column, ...]:
    told = posted()
    found = []
    for column in raw_columns():
        low, high = sorted((told.loc[column.key, "goalpost_lower"], told.loc[column.key, "goalpost_upper"]))
        ends = (low, high) if column.better == "up" else (high, low)
        found.append(column.model_copy(update={"score": Normalising(low=ends[0], high=ends[1])}))
    return tuple(found)


def with_targets() -> tuple[Column, ...]:
    told = posted()["Target"]
    rule = Normalising(method="distance_to_target", target=1.0, clip=True, scale=(0, 1))
    return tuple(
        column.model_copy(update={"score": rule.model_copy(update={"target": float(told[column.key])})})
        for column in raw_columns()
    )


def test_goalposts_give_coinrs_figures_up_to_the_index() -> None:
    found = scored(**PLAIN, columns=with_goalposts())
    assert_same(found, "ref_norm_raw_goalposts_p5p95.csv")
    assert_same(found, "ref_agg_goalposts_amean.csv")


def test_distances_to_targets_give_coinrs_figures() -> None:
    assert_same(scored(**PLAIN, columns=with_targets()), "ref_norm_raw_dist2targ.csv")


# ---------------------------------------------------------------- the tree and ranks


@pytest.mark.parametrize(
    ("name", "rule", "mean"),
    [
        ("minmax0100_amean", {"method": "minmax"}, "arithmetic"),
        ("minmax1100_gmean", {"method": "minmax", "scale": (1, 100)}, "geometric"),
        ("zscore_amean", {"method": "zscore"}, "arithmetic"),
    ],
)
def test_the_tree_and_its_ranks_are_coinrs(name: str, rule: dict[str, Any], mean: Any) -> None:
    kind = Aggregation(method=mean)
    found = scored(**PLAIN, columns=raw_columns(), score=Normalising.model_validate(rule), aggregation=kind)
    assert_same(found, f"ref_agg_A_{name}.csv")
    wanted = table(f"ref_rank_A_{name}.csv").loc[list(found.units)]
    assert ranked(found.index[:, 0]).tolist() == wanted["Rank"].tolist()


def test_the_documented_example_is_coinrs_stage_by_stage() -> None:
    denominated = scored(imputing=None, treatment=None)
    imputed = scored(treatment=None)
    whole = scored()
    keys = [leaf.key for leaf in whole.framework.leaves]
    for name, found in (("Denominated", denominated), ("Imputed", imputed), ("Treated", whole)):
        wanted = table(f"ref_B_{name}.csv").loc[list(found.units), keys].to_numpy()
        np.testing.assert_allclose(found.value[:, 0], wanted, rtol=1e-12, atol=1e-9, err_msg=name)
    assert_same(whole, "ref_B_Normalised.csv")
    assert_same(whole, "ref_B_Aggregated.csv")
    filled = [note for note in whole.notes if note.what == "imputed"]
    assert sum(note.units for note in filled) == 65


def test_the_documented_example_is_ranked_as_coinr_ranks_every_node() -> None:
    found = scored()
    wanted = table("ref_B_ranks_all.csv").loc[list(found.units)]
    for key in wanted.columns:
        node = "asem" if key == "Index" else key
        # No rounding before: where COINr tells two of TolMin apart by their last bit, so does this.
        assert ranked(found.of(node)[:, 0]).tolist() == wanted[key].tolist(), key
    assert [place.unit for place in places(found, "2018")][:2] == ["CHE", "NLD"]


def test_gaps_are_not_filled_in_silence() -> None:
    found = scored(**PLAIN)
    told = {note.key: note.units for note in found.notes if note.what == "reweighted"}
    assert told["Physical"] == int(np.isnan(found.leaves[:, 0, :8]).any(axis=1).sum()) > 0


# ---------------------------------------------------------------- left out, and reviewed


def test_the_ranks_with_each_indicator_left_out_are_coinrs() -> None:
    panel, labels = asem()
    shop = Workshop(tree("asem"), panel, "2018", labels=labels)
    wanted = table("ref_D_loo_ranks_L1.csv").loc[list(panel.units)]
    assert ranks_of(shop.nominal()[:, None])[:, 0].tolist() == wanted["Nominal"].tolist()
    found = left_out(shop)
    assert len(found) == 49
    for shift in found:
        assert shift.ranks.tolist() == wanted[shift.key].tolist(), shift.key


def test_the_audit_says_that_sustainable_finance_does_not_hang_together() -> None:
    panel, labels = asem()
    found = {each.key: each for each in audit(score(tree("asem"), panel, labels=labels), "2018")}
    # The reference's own finding: alpha of SusEcFin is about -0.38.
    assert found["SusEcFin"].alpha < 0
    assert "alpha" in found["SusEcFin"].flags


# ---------------------------------------------------------------- years


def years() -> tuple[Framework, Scored]:
    panel, labels = asem_years()
    frame = tree(
        "asem", imputing=None, treatment=Treatment(), screening=Screening(present=0.9), columns=raw_columns(),
        score=Normalising(method="minmax", over="panel"),
    )  # fmt: skip
    return frame, score(frame, panel, labels=labels)


def test_the_change_of_the_index_between_years_is_coinrs() -> None:
    _, found = years()
    told = table("ref_O_contributions_panel.csv")
    for before, after in (("2020", "2021"), ("2021", "2022")):
        wanted = told[told["t0"] == int(before)].drop_duplicates("uCode").set_index("uCode")["dIndex"]
        change = found.index[:, found.periods.index(after)] - found.index[:, found.periods.index(before)]
        rows = [found.units.index(unit) for unit in wanted.index]
        np.testing.assert_allclose(change[rows], wanted, rtol=0, atol=1e-9)
        assert np.isnan(np.delete(change, rows)).all()


def test_the_part_of_every_indicator_in_the_change_is_coinrs() -> None:
    frame, found = years()
    told = table("ref_O_contributions_panel.csv")
    keys = [leaf.key for leaf in frame.leaves]
    for before, after in (("2020", "2021"), ("2021", "2022")):
        wanted = told[told["t0"] == int(before)].pivot(index="uCode", columns="iCode", values="value_effect")
        parts = pd.DataFrame(why.between_periods(found, before, after).leaf, index=found.units, columns=keys)
        np.testing.assert_allclose(parts.loc[wanted.index, wanted.columns], wanted, rtol=0, atol=1e-9)
        assert wanted.size == 46 * 49


# ---------------------------------------------------------------- HDI


def test_the_hdi_of_every_country_and_year_is_as_published() -> None:
    panel, labels, told = hdi()
    found = score(tree("hdi"), panel, labels=labels)
    wanted = told.to_numpy(dtype=float)
    both = ~np.isnan(wanted) & ~np.isnan(found.index)
    countries = np.array([not unit.startswith("ZZ") for unit in found.units])
    assert int(both[countries].sum()) == 5808
    np.testing.assert_array_equal(found.index[countries][both[countries]], wanted[countries][both[countries]])


def test_a_country_that_lacks_a_column_has_no_hdi() -> None:
    panel, labels, told = hdi()
    found = score(tree("hdi"), panel, labels=labels)
    assert np.isnan(found.index[np.isnan(panel.value).any(axis=2)]).all()
    assert np.isnan(told.to_numpy(dtype=float)[np.isnan(found.index)]).all()
