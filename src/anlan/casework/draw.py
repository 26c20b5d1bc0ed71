"""A procedure drawn as a river from left to right: steps in columns, acts as arrows."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from anlan.casework.plan import ready
from anlan.casework.procedure import BACK, Procedure, Step

WIDE, HIGH, GAP_X, GAP_Y, EDGE = 148, 58, 96, 34, 30
ORDER = ("intake", "registration", "dispatch", "handling", "feedback", "check", "closed")
COLOURS = {
    "cured": ("#e3f2e8", "#1e6b3a"), "answered": ("#e3f2e8", "#1e6b3a"), "merged": ("#eef2f4", "#51636e"),
    "refused": ("#eef2f4", "#51636e"), "void": ("#eef2f4", "#51636e"), "escalated": ("#fbe9e7", "#b3261e"),
}  # fmt: skip
STYLE = (
    "text{font-family:'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif;fill:#15242e}"
    ".s{font-size:15px;font-weight:600}.o{font-size:11px;fill:#51636e}.a{font-size:11px;fill:#0d3b4c}"
    ".b{fill:none;stroke:#176b87;stroke-width:1.6}.k{fill:none;stroke:#5b3fa0;stroke-width:1.3;stroke-dasharray:5 3}"
)

Place = tuple[float, float]


def _columns(procedure: Procedure) -> list[list[str]]:
    """Steps by their stage; a stage nobody uses takes no room."""
    used = [[key for key, step in procedure.steps.items() if step.stage == stage] for stage in ORDER]
    return [column for column in used if column]


def _places(columns: list[list[str]]) -> tuple[dict[str, Place], float, float]:
    tallest = max(len(column) for column in columns)
    height = tallest * (HIGH + GAP_Y) + 2 * EDGE + 40
    width = len(columns) * (WIDE + GAP_X) - GAP_X + 2 * EDGE
    places = {}
    for x, column in enumerate(columns):
        top = (height - len(column) * (HIGH + GAP_Y) + GAP_Y) / 2
        for y, key in enumerate(column):
            places[key] = (EDGE + x * (WIDE + GAP_X), top + y * (HIGH + GAP_Y))
    return places, width, height


def _arrows(procedure: Procedure) -> dict[tuple[str, str], list[str]]:
    """Acts by where they lead from and to; what can be done from every step is left to the legend."""
    plan = ready(procedure)
    found: dict[tuple[str, str], list[str]] = {}
    for step in procedure.steps:
        for key in plan.acts_at[step]:
            act = procedure.acts[key]
            if not act.to or "*" in act.steps:
                continue
            targets = _back(procedure, step) if act.to == BACK else [act.to]
            for target in targets:
                found.setdefault((step, target), []).append(key)
    return found


def _back(procedure: Procedure, step: str) -> list[str]:
    return [s for act in procedure.acts.values() if act.to == step for s in act.steps if s in procedure.steps][:1]


def svg(procedure: Procedure, language: str = "zh") -> str:
    """The picture as SVG text with a title and description for those who cannot see it."""
    places, width, height = _places(_columns(procedure))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-label="{escape(procedure.title.in_(language))}"><title>{escape(procedure.title.in_(language))}</title>',
        f"<desc>{escape(describe(procedure, language))}</desc>",
        "<defs><marker id='h' viewBox='0 0 8 8' refX='7' refY='4' markerWidth='8' markerHeight='8' orient='auto'>"
        "<path d='M0 0 8 4 0 8z' fill='#176b87'/></marker></defs>",
        f"<style>{STYLE}</style>",
        *_drawn(procedure, places, language),
        *(_box(step, *places[key], language) for key, step in procedure.steps.items()),
        "</svg>",
    ]
    return "".join(parts)


def describe(procedure: Procedure, language: str) -> str:
    """The picture in words: each step with where its acts lead."""
    lines = []
    for (source, target), keys in _arrows(procedure).items():
        names = "、".join(procedure.acts[key].title.in_(language) for key in keys)
        here, there = procedure.steps[source].title, procedure.steps[target].title
        lines.append(f"{here.in_(language)} → {there.in_(language)}: {names}")
    return "; ".join(lines)


def _box(step: Step, x: float, y: float, language: str) -> str:
    fill, edge = COLOURS.get(step.outcome, ("#ffffff", "#176b87"))
    roles = " / ".join(step.owner.roles) if step.owner and language != "zh" else ""
    below = f'<text class="o" x="{x + WIDE / 2:g}" y="{y + 46:g}" text-anchor="middle">{escape(roles[:24])}</text>'
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{WIDE}" height="{HIGH}" rx="10" fill="{fill}" stroke="{edge}"/>'
        f'<text class="s" x="{x + WIDE / 2:g}" y="{y + (28 if roles else 35):g}" text-anchor="middle">'
        f"{escape(step.title.in_(language))}</text>{below if roles else ''}"
    )


def _drawn(procedure: Procedure, places: dict[str, Place], language: str) -> Iterator[str]:
    lowest = max(y for _, y in places.values()) + HIGH
    for number, ((source, target), keys) in enumerate(_arrows(procedure).items()):
        (x1, y1), (x2, y2) = places[source], places[target]
        words = escape(" / ".join(procedure.acts[key].title.in_(language) for key in keys))
        if source == target:
            continue
        if x2 > x1:
            sx, sy, ex, ey = x1 + WIDE, y1 + HIGH / 2, x2, y2 + HIGH / 2
            mx, my = (sx + ex) / 2, (sy + ey) / 2
            path = f"M{sx:g} {sy:g}C{mx:g} {sy:g} {mx:g} {ey:g} {ex:g} {ey:g}"
            yield f'<path class="b" marker-end="url(#h)" d="{path}"/>'
            yield f'<text class="a" x="{ex - GAP_X / 2:g}" y="{my - 5 - 4 * (number % 2):g}" text-anchor="middle">{words}</text>'
        else:
            sx, sy, ex, ey = x1 + WIDE / 2, y1 + HIGH, x2 + WIDE / 2, y2 + HIGH
            deep = min(lowest + 24, max(sy, ey) + 26 + 9 * (number % 3))
            path = f"M{sx:g} {sy:g}C{sx:g} {deep:g} {ex:g} {deep:g} {ex:g} {ey:g}"
            yield f'<path class="k" marker-end="url(#h)" d="{path}"/>'
            yield f'<text class="a" x="{(sx + ex) / 2:g}" y="{deep - 4:g}" text-anchor="middle">{words}</text>'
