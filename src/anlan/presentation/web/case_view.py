"""One case as its page needs it: read once, with what the one who looks may do."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from django.urls import reverse

from anlan.casework import acts, cases
from anlan.casework.acts import Actor
from anlan.casework.cases import NoCase
from anlan.casework.draft import Draft, from_events
from anlan.casework.models import Case, CasePhoto
from anlan.casework.procedure import Act, Step
from anlan.intake.models import Photo
from anlan.kernel.text import Text
from anlan.ledger.events import history
from anlan.ledger.models import Event
from anlan.places.models import Department
from anlan.presentation.web import words
from anlan.presentation.web.case_rows import headline
from anlan.presentation.web.deadlines import Timed, lines, time_left
from anlan.presentation.web.frame import Asked

FORWARD = ("move", "assign", "grant_extension", "assist_done", "resume")
ASIDE = ("refused", "void", "merged", "escalated")
QUIET = 3


@dataclass(frozen=True, slots=True)
class Offer:
    """An act as a button. `danger` acts end a case without a fix."""

    key: str
    act: Act
    url: str
    danger: bool


@dataclass(frozen=True, slots=True)
class Shot:
    """A photo as the parts draw it."""

    url: str
    small: str
    photo: Photo

    @property
    def taken_at(self) -> object:
        return self.photo.taken_at or self.photo.added_at


def shot(photo: Photo) -> Shot:
    """The addresses of a photo."""
    key = str(photo.pk)
    return Shot(reverse("photo", args=[key, "full"]), reverse("photo", args=[key, "small"]), photo)


class CaseView:
    """The case, its history and what may be done to it now; reads the case and its events, nothing twice."""

    def __init__(self, request: Asked, draft: Draft, events: list[Event]) -> None:
        self.request, self.draft, self.events = request, draft, events
        self.case, self.now, self.procedure = draft.case, draft.now, draft.plan.procedure

    @classmethod
    def of(cls, request: Asked, draft: Draft) -> CaseView:
        """A case already in hand, without its timeline."""
        return cls(request, draft, [])

    @classmethod
    def find(cls, request: Asked, number: str) -> CaseView:
        """The case `number`, if this person may see it; else `NoCase`."""
        related = ("area", "lead", "handler", "site", "party", "merged_into", "split_from")
        case = Case.objects.select_related(*related).filter(number=number).first()
        if case is None:
            raise NoCase
        events = history(case.pk)
        view = cls(request, from_events(case, events), events)
        if not view.covers("cases.see"):
            raise NoCase
        return view

    @cached_property
    def involved(self) -> set[int]:
        """The departments that lead or assist."""
        return {*self.now.assisting, *([self.case.lead_id] if self.case.lead_id else [])}

    def covers(self, action: str) -> bool:
        """Whether the one who looks may do `action` on this very case."""
        return cases.covers(self.case, self.request.reach, action, involved=self.involved)

    @cached_property
    def actor(self) -> Actor:
        """The one who looks, as the engine sees them over this case."""
        return cases.actor(self.case, self.request.user, self.request.reach, involved=self.involved)

    @cached_property
    def step(self) -> Step:
        return self.procedure.steps[self.now.step]

    @cached_property
    def offers(self) -> list[Offer]:
        """What this person may do now, in the procedure's order."""
        if not self.covers("cases.act"):
            return []
        return [
            Offer(key, act, reverse("case_act", args=[self.case.number, key]), self._ends_badly(act))
            for key, act in acts.offers(self.draft.plan, self.now, self.actor)
        ]

    def _ends_badly(self, act: Act) -> bool:
        step = self.procedure.steps.get(act.to)
        return step is not None and step.outcome in ASIDE

    @cached_property
    def main(self) -> Offer | None:
        """The one thing to do now: the first act offered that carries the case on."""
        return next((each for each in self.offers if each.act.effect in FORWARD and not each.danger), None)

    @property
    def quiet(self) -> list[Offer]:
        """A few other acts, beside the main one; none that ends the case without a fix."""
        return [each for each in self._others() if not each.danger][:QUIET]

    @property
    def rarer(self) -> list[Offer]:
        """The rest, folded."""
        return [each for each in self._others() if each not in self.quiet]

    def _others(self) -> list[Offer]:
        rest = [each for each in self.offers if each is not self.main]
        return sorted(rest, key=lambda each: (each.danger, each.act.effect == "note"))

    @cached_property
    def clocks(self) -> tuple[list[Timed], list[Timed]]:
        """Clocks that run, and clocks that have stopped."""
        return lines(self.draft.plan, self.now, self.draft.calendar, at=self.request.at)

    @cached_property
    def line(self) -> Text:
        """The one line that says the whole thing."""
        what, lead = headline(self.case), self.case.lead
        zh, en = [what.zh, self.step.title.zh], [what.en, self.step.title.en]
        if lead is not None and not self.now.outcome:
            zh[1], en[1] = f"{zh[1]}（{lead.name_zh}）", f"{en[1]} ({lead.name_en})"
        when = self.when
        return Text(zh=" · ".join([*zh, when.zh] if when else zh), en=" · ".join([*en, when.en] if when else en))

    @cached_property
    def when(self) -> Text | None:
        """What the line says of time."""
        if self.case.closed_at is not None:
            return words.moment(self.case.closed_at, now=self.request.at)
        running = [each for each in self.clocks[0] if each.line.light.key not in ("paused", "hung")]
        if not running:
            return None
        first = running[0]
        left = time_left(first.line.due_at, first.unit, self.draft.calendar, now=self.request.at)
        return Text(zh=left.zh.split("（")[0], en=left.en.split(" (")[0])

    def departments(self) -> dict[int, Department]:
        """The departments that assist, by id (no query when none does)."""
        return Department.objects.in_bulk(list(self.now.assisting)) if self.now.assisting else {}

    def photos(self) -> dict[UUID, Shot]:
        """Every photo of the case, oldest first, by its id."""
        shown = CasePhoto.objects.filter(case=self.case).select_related("photo").order_by("photo__added_at", "pk")
        return {each.photo_id: shot(each.photo) for each in shown}
