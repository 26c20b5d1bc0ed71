"""What makes two things one in this town, learned from what the town itself merged. Pure.

Logistic regression on the features of `likeness`, by Newton's method. The declared weights are where it starts from and
what it is drawn back to, so that a few merges change little and a feature this town does not have keeps its weight.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

from anlan.intake.likeness import NAMES, Compared, Learned, Likeness, Weights, chance, numbers, weighed
from anlan.kernel.text import Refusal, Text

Pair = tuple[Compared, bool]
_Row = tuple[tuple[float, ...], int, int]

FEWEST: Final = 20
"""How many pairs of each kind must be known before anything is learned."""
RECALL: Final = 3
"""How many times as dear as precision recall is: what is missed costs a second visit, a wrong suggestion one look."""

_PULL: Final = 0.5
_ROUNDS: Final = 60
_STILL: Final = 1e-9
# What differs by less than a twenty-fourth, of a day an hour, is counted together.
_STEPS_A_UNIT: Final = 24
_FIELDS: Final = Weights.model_fields.items()
_UP: Final = frozenset(name for name, field in _FIELDS if any(hasattr(mark, "ge") for mark in field.metadata))
_DOWN: Final = frozenset(name for name, field in _FIELDS if any(hasattr(mark, "le") for mark in field.metadata))


class TooFew(Refusal):
    """There is not enough to learn from."""


def learn(pairs: Iterable[Pair], declared: Likeness, *, until: date) -> Likeness:
    """`declared` with weights and threshold learned from pairs and whether they were one thing; `until` is the day up
    to which they were known. Raises `TooFew`.
    """
    rows = _grouped(pairs, declared)
    same, all_of_them = sum(row[1] for row in rows), sum(row[1] + row[2] for row in rows)
    if min(same, all_of_them - same) < FEWEST:
        raise TooFew(
            f"要学习，至少需要 {FEWEST} 对同一件和 {FEWEST} 对不是同一件；现有 {same} 对和 {all_of_them - same} 对。",
            f"Learning takes at least {FEWEST} pairs that were one thing and {FEWEST} that were not; there are {same}"
            f" and {all_of_them - same}.",
        )
    found = _fitted(rows, weighed(declared.weights))
    known = Weights(**dict(zip(NAMES, (round(weight, 4) for weight in found), strict=True)))
    return declared.model_copy(
        update={
            "weights": known,
            "threshold": _threshold(rows, weighed(known)),
            "learned": Learned(pairs=all_of_them, same=same, until=until),
            "examples": (),
        }
    )


def written(likeness: Likeness) -> str:
    """The declaration as a TOML file says it."""
    lines = [f"key = {_quoted(likeness.key)}", f"title = {_both(likeness.title)}"]
    if likeness.summary is not None:
        lines.append(f"summary = {_both(likeness.summary)}")
    plain = ("threshold", "metres", "fresh_days", "within_days", "closed_days")
    lines += [f"{name} = {getattr(likeness, name)}" for name in plain]
    lines += ["", "[weights]", *(f"{name} = {getattr(likeness.weights, name)}" for name in NAMES)]
    if likeness.learned is not None:
        seen = likeness.learned
        lines += ["", "[learned]", f"pairs = {seen.pairs}", f"same = {seen.same}", f"until = {seen.until.isoformat()}"]
    return "\n".join(lines) + "\n"


def _quoted(value: str) -> str:
    # A JSON string without characters beyond ASCII escaped is a TOML string.
    return json.dumps(value, ensure_ascii=False)


def _both(text: Text) -> str:
    return f"{{ zh = {_quoted(text.zh)}, en = {_quoted(text.en)} }}"


# ---------------------------------------------------------------- the arithmetic


def _grouped(pairs: Iterable[Pair], declared: Likeness) -> list[_Row]:
    """Features, how many pairs with them were one thing, and how many not."""
    counted: dict[tuple[float, ...], Counter[bool]] = {}
    for found, same in pairs:
        features = tuple(round(x * _STEPS_A_UNIT) / _STEPS_A_UNIT for x in numbers(found, declared))
        counted.setdefault(features, Counter())[same] += 1
    return [(features, counted[features][True], counted[features][False]) for features in sorted(counted)]


def _fitted(rows: Sequence[_Row], start: Sequence[float]) -> list[float]:
    """The weights that fit best and have the sign they must; one that would not is left at nothing."""
    fixed: set[int] = set()
    while True:
        weights = _newton(rows, start, fixed)
        wrong = {
            place
            for place, name in enumerate(NAMES)
            if place not in fixed and (weights[place] < 0 if name in _UP else weights[place] > 0 and name in _DOWN)
        }
        if not wrong:
            return weights
        fixed |= wrong


def _newton(rows: Sequence[_Row], start: Sequence[float], fixed: set[int]) -> list[float]:
    free = [place for place in range(len(NAMES)) if place not in fixed]
    weights = [0.0 if place in fixed else weight for place, weight in enumerate(start)]
    for _ in range(_ROUNDS):
        slope = [_PULL * (start[p] - weights[p]) for p in free]
        bend = [[_PULL if p == q else 0.0 for q in free] for p in free]
        for features, same, other in rows:
            likely = chance(features, weights)
            missing, spread = same - (same + other) * likely, (same + other) * likely * (1 - likely)
            here = [features[p] for p in free]
            for i, x in enumerate(here):
                if x:
                    slope[i] += missing * x
                    for j, y in enumerate(here):
                        bend[i][j] += spread * x * y
        step = _solved(bend, slope)
        # A step is never longer than 2, so that the first ones cannot overshoot.
        short = min(1.0, 2.0 / max(map(abs, step), default=1.0)) if any(step) else 1.0
        for place, by in zip(free, step, strict=True):
            weights[place] += short * by
        if max(map(abs, step), default=0.0) < _STILL:
            break
    return weights


def _solved(matrix: list[list[float]], right: list[float]) -> list[float]:
    """x where matrix · x = right; the matrix is symmetric and, by the pull, positive definite."""
    size = len(right)
    rows = [[*line, value] for line, value in zip(matrix, right, strict=True)]
    for column in range(size):
        pivot = max(range(column, size), key=lambda place: abs(rows[place][column]))
        rows[column], rows[pivot] = rows[pivot], rows[column]
        for below in range(column + 1, size):
            times = rows[below][column] / rows[column][column]
            rows[below] = [a - times * b for a, b in zip(rows[below], rows[column], strict=True)]
    found = [0.0] * size
    for place in reversed(range(size)):
        known = sum(rows[place][later] * found[later] for later in range(place + 1, size))
        found[place] = (rows[place][size] - known) / rows[place][place]
    return found


def _threshold(rows: Sequence[_Row], weights: Sequence[float]) -> float:
    """Where F is best with recall `RECALL` times as dear as precision; midway to the next lower score."""
    scored: Counter[float] = Counter()
    right: Counter[float] = Counter()
    for features, same, other in rows:
        likely = chance(features, weights)
        scored[likely] += same + other
        right[likely] += same
    levels = sorted(scored, reverse=True)
    wanted, shown, found, best, chosen = right.total(), 0, 0, -1.0, 0
    for place, level in enumerate(levels):
        shown, found = shown + scored[level], found + right[level]
        measure = (1 + RECALL**2) * found / (RECALL**2 * wanted + shown)
        if measure > best:
            best, chosen = measure, place
    below = levels[chosen + 1] if chosen + 1 < len(levels) else 0.0
    return min(0.99, max(0.01, round((levels[chosen] + below) / 2, 4)))
