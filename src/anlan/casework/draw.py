"""A procedure drawn as a river from left to right: the main course in one line, side arms below, ends at the mouth."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import pairwise

from anlan.casework.plan import ready
from anlan.casework.procedure import BACK, Procedure

WIDE, HIGH, GAP, EDGE, LANE = 122, 52, 84, 28, 118
GOOD = ("cured", "answered")
STYLE = (
    ".pr text{font-family:'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif;fill:#15242e}"
    ".pr .s{font-size:15px;font-weight:600}.pr .o{font-size:11px;fill:#51636e}.pr .a{font-size:12px;fill:#0d3b4c}"
    ".pr .r{fill:none;stroke:#176b87;stroke-width:2.2}.pr .k{fill:none;stroke:#5b3fa0;stroke-width:1.5;"
    "stroke-dasharray:5 3}.pr .w{font-size:12px;fill:#5b3fa0}.pr .box{fill:#fff;stroke:#176b87;stroke-width:1.4}"
    ".pr .good{fill:#e3f2e8;stroke:#1e6b3a}.pr .end{fill:#eef2f4;stroke:#51636e}.pr .side{fill:#f3effa;stroke:#5b3fa0}"
    ".pr .here{fill:#cfe5ee;stroke:#0d3b4c;stroke-width:3.5}"
)


def _long(words: str, size: int) -> float:
    """About how wide the words are drawn, in pixels: a Chinese character is as wide as it is high."""
    return sum(size if ord(c) > 0x2E80 else size * 0.56 for c in words)


Arrows = dict[tuple[str, str], list[str]]


def course(procedure: Procedure) -> list[str]:
    """The steps of the main course: the shortest way by forward moves from the first step to the good end."""
    arrows = _arrows(procedure)
    ways: list[list[str]] = [[procedure.first]]
    seen = {procedure.first}
    longest = ways[0]
    while ways:
        way = ways.pop(0)
        for source, target in arrows:
            if source == way[-1] and target not in seen and _forward(procedure, arrows[source, target]):
                seen.add(target)
                ways.append([*way, target])
                if procedure.steps[target].outcome in GOOD:
                    return _with_passing(procedure, ways[-1])
                longest = max(longest, ways[-1], key=len)
    return longest


def _forward(procedure: Procedure, acts: list[str]) -> bool:
    return any(procedure.acts[act].effect in ("move", "assign") for act in acts)


def _with_passing(procedure: Procedure, way: list[str]) -> list[str]:
    """A step that only passes on to the next of the way (taken up, then fixed) belongs to the course too."""
    arrows, whole = _arrows(procedure), way[:1]
    for before, after in pairwise(way):
        for step, declared in procedure.steps.items():
            passing = (before, step) in arrows and (step, after) in arrows and step not in way and not declared.final
            if passing and _forward(procedure, arrows[before, step]):
                whole.append(step)
        whole.append(after)
    return whole


def _arrows(procedure: Procedure) -> Arrows:
    """Acts by where they lead from and to; what can be done from every step stands in the note below."""
    plan, found = ready(procedure), Arrows()
    for step in procedure.steps:
        for key in plan.acts_at[step]:
            act = procedure.acts[key]
            if act.to and "*" not in act.steps and act.to != BACK:
                found.setdefault((step, act.to), []).append(key)
    return found


def svg(procedure: Procedure, language: str = "zh", *, here: str = "") -> str:
    """The picture as SVG text, with a title and a description in words; the step `here` is marked."""
    return _River(procedure, language, here).drawn()


def describe(procedure: Procedure, language: str) -> str:
    """The picture in words: each step with where its acts lead."""
    steps, acts = procedure.steps, procedure.acts
    return "; ".join(
        f"{steps[a].title.in_(language)} → {steps[b].title.in_(language)}: "
        + " / ".join(acts[key].title.in_(language) for key in keys)
        for (a, b), keys in _arrows(procedure).items()
    )


def _head(name: str, colour: str) -> str:
    """An arrow's head."""
    return (
        f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0 0 8 4 0 8z" fill="{colour}"/></marker>'
    )


class _River:
    """Where everything lies, and how it is drawn."""

    def __init__(self, procedure: Procedure, language: str, here: str = "") -> None:
        self.procedure, self.language, self.here = procedure, language, here
        self.main = course(procedure)
        others = [key for key in procedure.steps if key not in self.main]
        self.sides = [key for key in others if not procedure.steps[key].final]
        self.ends = [key for key in others if procedure.steps[key].final]
        self.arrows = _arrows(procedure)
        self.wide = max(WIDE, *(_long(step.title.in_(language), 15) + 24 for step in procedure.steps.values()))
        self.gap = max(GAP, *(_long(self._words(self.arrows.get(pair, [])), 12) + 30 for pair in pairwise(self.main)))
        self.top = EDGE + 68
        self.at: dict[str, tuple[float, float]] = {}
        for place, key in enumerate(self.main):
            self.at[key] = (EDGE + place * (self.wide + self.gap), self.top)
        for place, key in enumerate(self.sides):
            self.at[key] = (self._below(key, place), self.top + LANE)
        for place, key in enumerate(self.ends):
            self.at[key] = (EDGE + place * (self.wide + self.gap), self.top + LANE * (2 if self.sides else 1))
        self.wide_all = 2 * EDGE + max(len(self.main), len(self.ends)) * (self.wide + self.gap) - self.gap
        self.height = max(y for _, y in self.at.values()) + HIGH + 54

    def _below(self, key: str, place: int) -> float:
        """A side arm lies under the step it leaves the course from."""
        leaves = [self.at[a][0] for (a, b) in self.arrows if b == key and a in self.at]
        taken = {x for x, y in self.at.values() if y > self.top}
        x = min(leaves, default=EDGE + place * (self.wide + self.gap))
        while x in taken:
            x += self.wide + self.gap
        return x

    def drawn(self) -> str:
        title = escape(self.procedure.title.in_(self.language))
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="pr" viewBox="0 0 {self.wide_all:g} {self.height:g}" ',
            f'role="img" aria-label="{title}"><title>{title}</title>',
            f"<desc>{escape(describe(self.procedure, self.language))}</desc><style>{STYLE}</style><defs>",
            _head("h", "#176b87"),
            _head("v", "#5b3fa0"),
            "</defs>",
            *self._flow(),
            *self._back(),
            *self._sidearms(),
            *(self._box(key) for key in self.at),
            self._note(),
            "</svg>",
        ]
        return "".join(parts)

    def _words(self, keys: list[str]) -> str:
        return escape(" / ".join(self.procedure.acts[key].title.in_(self.language) for key in keys))

    def _flow(self) -> Iterator[str]:
        """The course itself, and acts that leap over a step in an arc above it."""
        for (a, b), keys in self.arrows.items():
            if a not in self.main or b not in self.main:
                continue
            (x1, y), (x2, _) = self.at[a], self.at[b]
            steps = self.main.index(b) - self.main.index(a)
            if steps == 1:
                yield f'<path class="r" marker-end="url(#h)" d="M{x1 + self.wide:g} {y + HIGH / 2:g}H{x2:g}"/>'
                yield self._label(x1 + self.wide + self.gap / 2, y + HIGH / 2 - 8, keys, "a")
            elif steps > 1:
                middle, high = (x1 + x2 + self.wide) / 2, y - 34
                yield (
                    f'<path class="r" marker-end="url(#h)" d="M{x1 + self.wide * 0.7:g} {y:g}'
                    f'C{x1 + self.wide:g} {high:g} {x2:g} {high:g} {x2 + self.wide * 0.3:g} {y:g}"/>'
                )
                yield self._label(middle, high + 2, keys, "a")

    def _back(self) -> Iterator[str]:
        """Acts that lead upstream: one step back in an arc below the course, further back in a high one above."""
        for (a, b), keys in self.arrows.items():
            if a in self.main and b in self.main and self.main.index(b) < self.main.index(a):
                (x1, y), (x2, _) = self.at[a], self.at[b]
                if self.main.index(a) - self.main.index(b) > 1:
                    high = y - 84
                    yield (
                        f'<path class="k" marker-end="url(#v)" d="M{x1 + self.wide * 0.6:g} {y:g}'
                        f"C{x1 + self.wide * 0.4:g} {high:g} {x2 + self.wide * 0.6:g} {high:g} "
                        f'{x2 + self.wide * 0.4:g} {y:g}"/>'
                    )
                    yield self._label((x1 + x2 + self.wide) / 2, high + 17, keys, "w")
                    continue
                low = y + HIGH + 34
                yield (
                    f'<path class="k" marker-end="url(#v)" d="M{x1 + self.wide * 0.4:g} {y + HIGH:g}'
                    f'C{x1:g} {low:g} {x2 + self.wide:g} {low:g} {x2 + self.wide * 0.6:g} {y + HIGH:g}"/>'
                )
                yield self._label((x1 + x2 + self.wide) / 2, low + 4, keys, "w")

    def _sidearms(self) -> Iterator[str]:
        """Steps beside the course: one arrow down to each, one back up; their acts are named beside the arrows."""
        for key in self.sides:
            x, y = self.at[key]
            into = [act for (a, b), keys in self.arrows.items() if b == key for act in keys]
            out = [act for (a, b), keys in self.arrows.items() if a == key and b in self.main for act in keys]
            out += [k for k in ready(self.procedure).acts_at[key] if self.procedure.acts[k].to == BACK]
            down, up = x + self.wide * 0.25, x + self.wide * 0.75
            yield f'<path class="k" marker-end="url(#v)" d="M{down:g} {self.top + HIGH:g}V{y:g}"/>'
            yield f'<path class="k" marker-end="url(#v)" d="M{up:g} {y:g}V{self.top + HIGH:g}"/>'
            yield self._label(down - 5, y - 10, list(dict.fromkeys(into)), "w", "end")
            yield self._label(up + 5, y - 10, list(dict.fromkeys(out)), "w", "start")

    def _label(self, x: float, y: float, keys: list[str], style: str, anchor: str = "middle") -> str:
        return f'<text class="{style}" x="{x:g}" y="{y:g}" text-anchor="{anchor}">{self._words(keys)}</text>'

    def _box(self, key: str) -> str:
        step, (x, y) = self.procedure.steps[key], self.at[key]
        style = "good" if step.outcome in GOOD else "end" if step.final else "side" if key in self.sides else ""
        if key == self.here:
            style += " here"
        return (
            f'<rect class="box {style}" x="{x:g}" y="{y:g}" width="{self.wide}" height="{HIGH}" rx="12"/>'
            f'<text class="s" x="{x + self.wide / 2:g}" y="{y + HIGH / 2 + 5:g}" text-anchor="middle">'
            f"{escape(step.title.in_(self.language))}</text>{self._led_from(key, x, y)}"
        )

    def _led_from(self, key: str, x: float, y: float) -> str:
        """Under an end beside the course: from which steps it can be reached, in place of a tangle of arrows."""
        if key not in self.ends:
            return ""
        anywhere = any("*" in act.steps and act.to == key for act in self.procedure.acts.values())
        sources = [self.procedure.steps[a].title.in_(self.language) for (a, b) in self.arrows if b == key]
        comma = "、" if self.language == "zh" else ", "
        words = ("任何一步" if self.language == "zh" else "any step") if anywhere else comma.join(sources)
        lead, room = ("自", 14) if self.language == "zh" else ("from ", 26)
        short = words if len(words) <= room else words[: room - 1] + "…"
        return f'<text class="o" x="{x:g}" y="{y + HIGH + 16:g}">{escape(lead + short)}</text>'

    def _note(self) -> str:
        """What changes nothing about the step, in one line below."""
        stays = [key for key, act in self.procedure.acts.items() if not act.to]
        lead = "不改变步骤：" if self.language == "zh" else "Without leaving the step: "
        words = escape(lead) + self._words(stays)
        return f'<text class="o" x="{EDGE}" y="{self.height - 12:g}">{words}</text>' if stays else ""
