"""An index as one declared file: its heads, its own columns, and every rule by which they become one figure."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from anlan.index.scoring.normalise import Direction, Normalising
from anlan.index.scoring.positions import Ties
from anlan.kernel.catalogue import Basis, Declaration, Kind
from anlan.kernel.refusals import Misdeclared
from anlan.kernel.text import Text

ROOT: Final = ""
"""The parent of what stands directly under the index itself."""


def _number(told: object) -> object:
    """A number, or a fraction in words such as "1/3"."""
    try:
        return float(Fraction(told)) if isinstance(told, str) else told
    except (ValueError, ZeroDivisionError):
        return told


Ratio = Annotated[float, BeforeValidator(_number), Field(gt=0)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Aggregation(_Part):
    """How children become their parent.

    arithmetic, geometric, harmonic: weighted means. power: (Σ w x^p)^(1/p). ampi: the mean, less (`penalty` "-") or
    plus ("+") the standard deviation times the coefficient of variation of the children (Mazziotta and Pareto). sum:
    Σ weight × x, the weights as declared. product: Π x^weight, the weights as declared. min, max, median: the weights
    count only where they are 0. `factor` multiplies every result. A geometric or harmonic mean with a child at 0 is 0;
    with one below 0 there is none, and it is told.
    """

    method: Literal[
        "arithmetic", "geometric", "harmonic", "power", "ampi", "sum", "product", "min", "max", "median"
    ] = "arithmetic"
    p: float = 1.0
    penalty: Literal["-", "+"] = "-"
    factor: float = 1.0
    best: int | None = Field(default=None, ge=1)
    """Only the so many best children count; ties do not matter."""
    pad: int | None = Field(default=None, ge=1)
    """With fewer children present than this, the lacking ones are zeros of the mean weight of those there are."""

    @model_validator(mode="after")
    def _meant(self) -> Self:
        if self.method == "power" and self.p == 0:
            raise Misdeclared(
                "p = 0 就是几何平均，请用 geometric。", "With p = 0 it is the geometric mean; use geometric."
            )
        if self.pad is not None and (self.method not in {"arithmetic", "power"} or self.p < 0):
            raise Misdeclared(
                "pad 只用于算术平均和正幂平均。", "`pad` is for arithmetic and positive power means only."
            )
        return self


class Missing(_Part):
    """What happens to a parent with children that have no score.

    renormalise: the weights of those there are count as all, and it is told; zero: they are zeros; none: the parent has
    no score; refuse: nothing is scored, and it is said why. `at_least` is the share of the weight that must be there.
    """

    rule: Literal["renormalise", "zero", "none", "refuse"] = "renormalise"
    at_least: float = Field(default=0.0, ge=0, le=1)


class Imputing(_Part):
    """How gaps are filled before anything else is done with the values; each cell filled is marked.

    mean, median: of the period's values (`within`: a key of `peers`). latest: the last earlier period's, at most
    `carry` periods old. linear: between the periods before and after.
    """

    method: Literal["mean", "median", "latest", "linear"]
    within: str = ""
    carry: int | None = Field(default=None, ge=1)


class Treatment(_Part):
    """What is done about outliers: nothing if |skew| < `skew` or kurtosis < `kurtosis`; else the farthest values are
    drawn in, at most `most`; else, if that is not enough, ln(x - min + 0.01 range) of the values as they were."""

    skew: float = 2.0
    kurtosis: float = 3.5
    most: int = Field(default=5, ge=0)
    log: bool = True
    over: Literal["period", "panel"] = "period"
    """Whether each period is looked at by itself, or all of them as one column."""


class Screening(_Part):
    """Units with too little to be scored: the least share of values present, and of those not zero."""

    present: float = Field(default=0.0, ge=0, le=1)
    nonzero: float = Field(default=0.0, ge=0, le=1)
    always: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


class Head(_Part):
    """A head of the index. `parent` is another head, or "" for the index itself. `score` is applied to the figure made
    of the children, by all units, before it goes up; `children` is how the children without a rule are scored."""

    key: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]*$", max_length=60)
    title: Text
    parent: str = ROOT
    weight: float = Field(default=1.0, ge=0)
    order: int = 100
    aggregation: Aggregation | None = None
    missing: Missing | None = None
    score: Normalising | None = None
    children: Normalising | None = None
    places: int | None = Field(default=None, ge=0, le=12)
    """Rounded to so many places before it goes up."""


class Column(_Part):
    """A column of the data that is scored: `column` (default: the key), over `denominator` times `per` where that is
    told."""

    key: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]*$", max_length=60)
    title: Text
    parent: str = ROOT
    column: str = ""
    denominator: str = ""
    per: float = 1.0
    better: Direction = "up"
    weight: float = Field(default=1.0, ge=0)
    order: int = 100
    department: str = ""
    unit: Text = Text(zh="", en="")
    score: Normalising | None = None
    treated: bool = True
    """Whether `treatment` and `imputing` look at it."""


class Pairwise(_Part):
    """How the children of `parent` were compared in pairs: `rows` is the part of the table above its diagonal, row by
    row, in the order of `keys`; 3 or "1/3": the first matters so many times as much as the second. Weights are the
    principal eigenvector (Saaty's analytic hierarchy process); with a consistency ratio above 0.1 it is told."""

    parent: str = ROOT
    keys: tuple[str, ...] = Field(min_length=2)
    rows: tuple[tuple[Ratio, ...], ...]

    @model_validator(mode="after")
    def _triangle(self) -> Self:
        wanted = list(range(len(self.keys) - 1, 0, -1))
        if [len(row) for row in self.rows] != wanted:
            raise Misdeclared(
                f"对角线以上应各行有 {wanted} 个数。", f"Above the diagonal, the rows must have {wanted} numbers."
            )
        return self


class Weights(_Part):
    """Which weights count: as "given" with heads and leaves; "equal" among the children of a parent; or a set of
    `sets` by its name (what it does not name stays as given). `pairwise` tables come before all of them."""

    use: str = "given"
    sets: dict[str, dict[str, float]] = {}
    pairwise: tuple[Pairwise, ...] = ()


class Peers(_Part):
    """Units that are ranked among each other: those alike in `by` (what is told of units: "level", "kind", "parent", or
    a column of labels), if it is one of `among`; by nothing, all of them."""

    key: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: Text
    by: tuple[str, ...] = ()
    among: dict[str, tuple[str, ...]] = {}
    """Only units with one of these labels: { level = ["county"] }."""


class Band(_Part):
    """A colour or class: from `least` up, up to the next one's. The lowest needs none."""

    key: str
    title: Text
    least: float | None = None


class Ranking(_Part):
    """How places are given: rounded to `places` first (none: as it is), ties as declared; `best` is place 1."""

    places: int | None = Field(default=None, ge=0, le=12)
    ties: Ties = "min"
    best: Literal["highest", "lowest"] = "highest"
    peers: tuple[Peers, ...] = ()


class Department(_Part):
    """A department that answers for leaves."""

    key: str
    title: Text


Share = Annotated[float, Field(gt=0, le=1)]


class Coverage(_Part):
    """When the facts of a period are all there; where they are not, the period is refused, or the indicators concerned
    are missing in it.

    `tables`: by table, the share of the period's days on which it must have rows. `figures`: by level, the share of its
    areas that must have each given figure (of the period, or an earlier one that still holds) which any of them has.
    `again`: of the figures that hold for one period alone and were given for the period before, the share that must be
    given again, if any is. What nobody has given is missing, and not half there. `over_nothing`: what is done where
    something is counted over a given figure of 0, which cannot be: refused, or the indicator's rule for 0.
    """

    tables: dict[str, Share] = {}
    figures: dict[str, Share] = {}
    again: Share | None = None
    over_nothing: Literal["rule", "refuse"] = "rule"
    short: Literal["refuse", "missing"] = "refuse"


class IndexSpec(Declaration):
    """An index: what it is made of and every rule. Leaves are its `columns`, and the indicators that name it."""

    title: Text
    summary: Text = Text(zh="", en="")
    period: Literal["day", "ten_days", "month", "quarter", "year"] = "month"
    heads: tuple[Head, ...] = ()
    columns: tuple[Column, ...] = ()
    departments: tuple[Department, ...] = ()
    score: Normalising = Normalising(method="minmax")
    """For leaves for which nothing nearer is declared."""
    aggregation: Aggregation = Aggregation()
    by_depth: tuple[Aggregation, ...] = ()
    """The index's own, that of the heads under it, and so on; deeper ones follow `aggregation`."""
    missing: Missing = Missing()
    coverage: Coverage = Coverage()
    weights: Weights = Weights()
    imputing: Imputing | None = None
    treatment: Treatment | None = None
    screening: Screening | None = None
    ranking: Ranking = Ranking()
    bands: tuple[Band, ...] = ()
    band_by: Literal["score", "share"] = "score"
    """By score, or by the share (0–100) of peers that are not above."""
    places: int | None = Field(default=None, ge=0, le=12)
    """The index's own figure is rounded to so many places."""
    basis: Basis

    @property
    def peers(self) -> dict[str, Peers]:
        """Every group of peers by key."""
        return {each.key: each for each in self.ranking.peers}

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        _refuse_twice("bands", [band.key for band in self.bands])
        _refuse_twice("departments", [each.key for each in self.departments])
        _refuse_twice("ranking.peers", [each.key for each in self.ranking.peers])
        least = [band.least for band in self.bands[1:]]
        if any(each is None for each in least) or least != sorted(least, key=lambda each: each or 0.0):
            raise Misdeclared(
                "bands 须从低到高，除第一个外都要写 least。",
                "`bands` go from low to high; all but the first need `least`.",
            )
        return self


INDICES: Final = Kind("indices", IndexSpec)


def _refuse_twice(field: str, keys: Iterable[str]) -> None:
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            raise Misdeclared(f"{field} 中“{key}”写了两次。", f"“{key}” stands twice in {field}.")
        seen.add(key)
