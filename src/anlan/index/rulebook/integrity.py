"""Can a score be trusted: signals beside it, and a sample of closed cases that somebody looks at again.

Nothing here moves a score. A signal says that something is unlikely, with the interval that small numbers leave open; a
sample says which part of what was told as fixed is fixed, as far as so many looks can tell.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy.stats import beta, hypergeom

from anlan.index.rulebook.signal import Signal
from anlan.index.scoring.panel import Floats
from anlan.kernel.text import Refusal, Text

Raised = Literal["few", "quiet", "watch", "raised"]

WORDS: Final[dict[Raised, Text]] = {
    "few": Text(zh="数量太少，看不出", en="too few to tell"),
    "quiet": Text(zh="未见异常", en="nothing unusual"),
    "watch": Text(zh="偏高，数量还不足以断定", en="high, but too few to be sure"),
    "raised": Text(zh="异常，请核查", en="unusual, look into it"),
}
"""What a signal says. `watch`: over the threshold, but so few that chance may do it; `raised`: chance would not."""
LEVEL: Final = 0.9


class BadSample(Refusal):
    """More was found than was looked at, or more looked at than there is."""

    def __init__(self) -> None:
        super().__init__(
            "核实数不能多于抽查数，抽查数不能多于总数。",
            "No more can be found fixed than was looked at, nor looked at than there is.",
        )


@dataclass(frozen=True, slots=True)
class Count:
    """A share of counts: `above` of `below`."""

    above: float
    below: float


@dataclass(frozen=True, slots=True)
class Reading:
    """A signal of one area: the share (of "apart": how far the first fell, as a share) with its 90 % interval."""

    signal: str
    raised: Raised
    share: float | None
    low: float | None
    high: float | None
    above: float
    below: float


@dataclass(frozen=True, slots=True)
class Fixed:
    """The true share of fixes, from a sample: of all `of` cases told as fixed, `looked` were looked at again."""

    share: float
    low: float
    high: float
    fixed: int
    looked: int
    of: int


def read(signal: Signal, now: Count, *, before: Count | None = None, against: Sequence[Count] = ()) -> Reading:
    """What a signal says of these counts; for "apart": those of the period before, and the other share then and now."""
    if signal.method == "share":
        return _share(signal, now)
    return _apart(signal, now, before or Count(0, 0), *against)


def interval(above: float, below: float, *, level: float = LEVEL) -> tuple[float, float]:
    """The exact (Clopper and Pearson's) interval of a share."""
    if not below:
        return 0.0, 1.0
    low, high = intervals(np.array([above]), np.array([below]), level=level)
    return float(low[0]), float(high[0])


def intervals(above: Floats, below: Floats, *, level: float = LEVEL) -> tuple[Floats, Floats]:
    """`interval` of many shares at once."""
    tail = (1 - level) / 2
    with np.errstate(invalid="ignore"):
        low = np.where(above <= 0, 0.0, beta.ppf(tail, above, below - above + 1))
        high = np.where(above >= below, 1.0, beta.ppf(1 - tail, above + 1, below - above))
    return low, high


def sample(cases: Iterable[str], size: int, *, seed: int) -> list[str]:
    """`size` of the cases by lot, in the order in which they were drawn.

    The lot of a case is the SHA-256 of the seed and its id: the same draw on every machine, whatever order cases come
    in, and one more case changes no other's lot.
    """
    lots = sorted((hashlib.sha256(f"{seed}/{case}".encode()).digest(), case) for case in set(cases))
    return [case for _, case in lots[:size]]


def fixed(found: int, looked: int, of: int, *, level: float = LEVEL) -> Fixed:
    """The share of fixes among `of` cases when `found` of `looked` drawn by lot were fixed.

    The interval is exact for a draw without putting back: every number of fixes under which so many found are not
    unlikely. Raises BadSample.
    """
    if not 0 <= found <= looked <= of or not looked:
        raise BadSample
    tail = (1 - level) / 2
    numbers = np.arange(found, of - looked + found + 1)
    likely = (hypergeom.sf(found - 1, of, numbers, looked) > tail) & (hypergeom.cdf(found, of, numbers, looked) > tail)
    fitting = numbers[likely]
    return Fixed(found / looked, float(fitting[0] / of), float(fitting[-1] / of), found, looked, of)


def seed_of(*names: str) -> int:
    """A seed from names, the same everywhere: such as of the index, the period and the edition's digest."""
    return int.from_bytes(hashlib.sha256("/".join(names).encode()).digest()[:4], "big")


def _share(signal: Signal, now: Count) -> Reading:
    share = now.above / now.below if now.below else None
    if share is None or now.below < signal.at_least:
        return Reading(signal.key, "few", share, None, None, now.above, now.below)
    low, high = interval(now.above, now.below)
    said: Raised = "raised" if low > signal.threshold else "watch" if share > signal.threshold else "quiet"
    return Reading(signal.key, said, share, low, high, now.above, now.below)


def _apart(signal: Signal, now: Count, before: Count, then: Count = Count(0, 0), since: Count = Count(0, 0)) -> Reading:
    """The first fell by `share` (1 − now/before), by the exact interval of the ratio of two counts; the other rose by
    Newcombe's interval of a difference of shares."""
    few = before.above < signal.at_least or min(then.below, since.below) < signal.at_least
    if few:
        return Reading(signal.key, "few", None, None, None, now.above, before.above)
    fell = 1 - now.above / before.above
    parts = interval(now.above, now.above + before.above)
    high, low = (1 - (part / (1 - part) if part < 1 else math.inf) for part in parts)
    rose = since.above / since.below - then.above / then.below
    surely = low > signal.threshold and _difference(then, since)[0] > 0
    seems = fell > signal.threshold and rose > 0
    said: Raised = "raised" if surely else "watch" if seems else "quiet"
    return Reading(signal.key, said, fell, low, high, now.above, before.above)


def _difference(then: Count, since: Count) -> tuple[float, float]:
    one, other = then.above / then.below, since.above / since.below
    (low_one, high_one), (low_other, high_other) = (_wilson(each) for each in (then, since))
    gap = other - one
    return (
        gap - math.hypot(other - low_other, high_one - one),
        gap + math.hypot(high_other - other, one - low_one),
    )


def _wilson(count: Count) -> tuple[float, float]:
    z, n, p = 1.6448536269514722, count.below, count.above / count.below
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)
