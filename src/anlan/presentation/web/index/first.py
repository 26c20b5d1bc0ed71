"""What to fix first in an area: the open cases by what closing each would give back, with how each stands by now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.urls import reverse

from anlan.casework import cases
from anlan.index.editions import assessment
from anlan.index.editions.fix_first import Gain, NotAlone, fix_first
from anlan.index.editions.loaded import Kept
from anlan.kernel.text import Refusal, Text
from anlan.presentation.saying import say
from anlan.presentation.web.case_rows import topic_title
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.index.asked import Sight
from anlan.presentation.web.index.charts import signed
from anlan.presentation.web.lists import Column, Empty, Table, table

MOST: Final = 50
FEW: Final = 6
LOOKED: Final = 400
WORTH: Final = 0.0005
"""Points below this would be shown as ±0.000: nobody should run for them."""
TITLE: Final = Text(zh="先整改什么", en="What to fix first")
NOTHING: Final = Empty(
    Text(zh="没有办结后能加分的事项", en="No case whose closing gives points"),
    Text(
        zh="这一期末仍在办的事项里，没有一件办结后会提高得分；或者它们不在您的辖区和职责之内。",
        en="Of what was open at the period's end, closing none would raise the score; or it lies outside your area and "
        "duties.",
    ),
)
_kept = Kept(60)


@dataclass(frozen=True, slots=True)
class Step:
    """One case to close: its place in the whole list, what it gives back, and whether it is closed by now."""

    place: int
    gain: Gain
    case: Any
    closed: bool


def gains(sight: Sight, path: str) -> list[Gain]:
    """The open cases of an area at the period's end, those that give most first. Raises NotAlone."""
    edition = sight.edition

    def worked_out() -> list[Gain]:
        spec = assessment.spec_of(edition.spec(), sight.index)
        with assessment.opened(edition.facts, spec.tables) as engine:
            return fix_first(spec, engine, edition, path)

    return _kept((str(edition.folder), edition.manifest.result_sha256, path), worked_out)


def worthwhile(found: Iterable[Gain]) -> list[Gain]:
    """Those that give back what can be seen."""
    return [gain for gain in found if gain.points >= WORTH]


def steps(request: Asked, sight: Sight, path: str) -> list[Step]:
    """Those that give something back, of the cases this person may open."""
    worth = worthwhile(gains(sight, path))
    rows = cases.visible(request.reach).filter(pk__in=[gain.case for gain in worth[:LOOKED]])
    seen = {str(case.pk): case for case in rows}
    found = [(at, gain, seen[gain.case]) for at, gain in enumerate(worth) if gain.case in seen]
    return [Step(at, gain, case, case.closed_at is not None) for at, gain, case in found[:MOST]]


def shown(request: Asked, sight: Sight, path: str, *, most: int = MOST) -> dict[str, Any]:
    """What `index/first.html` draws: so many cases, and how many more there are."""
    try:
        found = steps(request, sight, path)
    except NotAlone as refusal:
        return {"first_title": TITLE, "first": None, "first_why": refusal.text}
    except Refusal as refusal:
        # An edition that keeps no facts of a table cannot be worked out again.
        return {"first_title": TITLE, "first": None, "first_why": refusal.text}
    return {"first_title": finding(found), "first": _table(found[:most]), "first_more": max(0, len(found) - most)}


def finding(found: list[Step]) -> Text:
    """What closing the first few would give."""
    if not found:
        return TITLE
    few, late = min(5, len(found)), sum(step.gain.overdue for step in found)
    if found[few - 1].place != few - 1:
        # Somebody else's cases stand between, so that the sum is not that of these alone.
        few = 1
    points = found[0].gain.points if few == 1 else found[few - 1].gain.together
    return Text(
        zh=f"先办结前 {few} 件，得分能回 {points:.2f} 分" + (f"；所列有 {late} 件超期" if late else ""),
        en=f"Closing the first {few} would give back {points:.2f} points"
        + (f"; {late} here are overdue" if late else ""),
    )


def _table(found: list[Step]) -> Table:
    columns = [
        Column(Text(zh="事项", en="Case"), lambda step: step.case.title, sub=lambda step: step.gain.number),
        Column(Text(zh="类别", en="Topic"), lambda step: topic_title(step.gain.topic)),
        Column(Text(zh="期限", en="Due"), lambda step: step.gain.due_date or "–", sub=_late),
        Column(Text(zh="办结能回", en="Gives back"), lambda step: signed(step.gain.points, 3), css="num"),
        Column(Text(zh="连同以上各件", en="With all above"), lambda step: signed(step.gain.together, 3), css="num"),
        Column(Text(zh="现在", en="By now"), lambda step: say(CLOSED if step.closed else OPEN)),
    ]
    caption = Text(zh="期末仍在办的事项，按办结能挽回的分排列", en="Open at the period's end, by what closing gives")
    return table(found, columns, caption=caption, url=_url, quiet_caption=True, drawer=True, empty=NOTHING)


def _url(step: Step) -> str:
    return reverse("case", args=[step.gain.number])


CLOSED: Final = Text(zh="已办结", en="closed since")
OPEN: Final = Text(zh="仍在办", en="still open")
OVERDUE: Final = Text(zh="期末已超期", en="overdue at the period's end")


def _late(step: Step) -> Text | None:
    return OVERDUE if step.gain.overdue else None
