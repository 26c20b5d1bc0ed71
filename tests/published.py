"""The published data sets that composite indices are tested by. They are no part of this project."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from anlan.index.scoring.framework import Framework, framework
from anlan.index.scoring.panel import Panel, of_values
from anlan.index.scoring.spec import INDICES, IndexSpec
from anlan.kernel.catalogue import PACKAGE, Catalogue

SHELF = next(
    (up / "shared/reference/index" for up in PACKAGE.parents if (up / "shared/reference/index").is_dir()), None
)
here = pytest.mark.skipif(SHELF is None, reason="the published data sets of ASEM and UNDP are not on this machine")
YEARS = tuple(str(year) for year in range(1990, 2023))


def declared(key: str) -> IndexSpec:
    """An index of the package."""
    return Catalogue([PACKAGE]).get(INDICES, key)


def tree(key: str, **changed: object) -> Framework:
    """Its framework, with some of what it declares changed."""
    return framework(declared(key).model_copy(update=changed))


def table(name: str, index: str = "asem") -> pd.DataFrame:
    """A table of the data set, by code of the country where it has one; numbers as 64-bit floats."""
    assert SHELF is not None
    found = pd.read_csv(SHELF / index / name, encoding="latin1")
    return found.set_index("uCode") if "uCode" in found and found["uCode"].is_unique else found


def asem() -> tuple[Panel, dict[str, list[str]]]:
    """The 51 countries in 2018, and what is told of them."""
    raw = table("asem_iData.csv")
    numbers = raw.select_dtypes("number").drop(columns="Time").astype(float)
    panel = of_values(
        numbers.to_numpy()[:, None], units=list(raw.index), periods=["2018"], columns=list(numbers.columns)
    )
    return panel, {"EurAsia_group": list(raw["EurAsia_group"])}


def asem_years() -> tuple[Panel, dict[str, list[str]]]:
    """The 51 countries in five years."""
    raw = table("asem_iData_panel.csv")
    units, years = list(raw["uCode"].unique()), sorted(raw["Time"].unique())
    columns = list(raw.columns[7:])
    slices = [raw[raw["Time"] == year].set_index("uCode").loc[units] for year in years]
    cube = np.stack([each[columns].to_numpy(dtype=float) for each in slices], axis=1)
    panel = of_values(cube, units=units, periods=[str(year) for year in years], columns=columns)
    return panel, {"EurAsia_group": list(slices[0]["EurAsia_group"])}


def hdi() -> tuple[Panel, dict[str, list[str]], pd.DataFrame]:
    """Countries and groups of countries in 33 years, what is told of them, and what was published: units × years."""
    raw = table("hdr23_24_time_series.csv", "hdi").set_index("iso3")
    columns = ["le", "eys", "mys", "gnipc"]
    cube = np.stack([raw[[f"{key}_{year}" for year in YEARS]].to_numpy(dtype=float) for key in columns], axis=2)
    panel = of_values(cube, units=list(raw.index), periods=YEARS, columns=columns)
    told = raw[[f"hdi_{year}" for year in YEARS]].set_axis(list(YEARS), axis=1)
    return panel, {"region": list(raw["region"].fillna(""))}, told
