"""The form of an act, drawn from the fields its procedure declares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Q
from django.urls import reverse

from anlan.casework.draft import Draft
from anlan.casework.procedure import Act, FormField
from anlan.casework.routing import Route, route
from anlan.intake.topic import TOPICS, Topic, lineage
from anlan.kernel import catalogue
from anlan.kernel.ids import new_id
from anlan.kernel.text import Text
from anlan.places.areas import ancestors
from anlan.places.models import Department, Officer
from anlan.places.record import day_of
from anlan.places.scope import on, under
from anlan.presentation.web.forms import Ask, Form
from anlan.presentation.web.frame import Asked

MOST = 400
HANDLING = ("handler", "department_lead", "inspector")
PLAIN = {"text": "text", "longtext": "longtext", "number": "number", "date": "date", "yes_no": "yes_no", "case": "text"}
STAGES = {
    "before": Text(zh="整改前的照片", en="Photos before the fix"),
    "after": Text(zh="整改后的照片", en="Photos after the fix"),
}
HOW_MANY = Text(zh="至少 {n} 张；可以直接拍照", en="at least {n}; you can take them now")
SEEN = Text(
    zh="上报人看得到这一项：请写清楚，不要写个人信息。",
    en="Whoever reported reads this: write it plainly, and nothing personal.",
)
CASE_NUMBER = Text(zh="填写事项编号，例如 SJ-20261122-0001。", en="A case number such as SJ-20261122-0001.")


def topic_choices() -> list[tuple[str, Text]]:
    """Every topic, narrower ones set in under the broader."""
    topics: Mapping[str, Topic] = catalogue.current().all(TOPICS)
    lines = {key: tuple(reversed(lineage(topics, key))) for key in topics}
    room = "\u3000"
    return [
        (key, Text(zh=room * (len(line) - 1) + topics[key].title.zh, en=room * (len(line) - 1) + topics[key].title.en))
        for key, line in sorted(lines.items(), key=lambda item: item[1])
    ]


class ActForm:
    """Asks what an act needs, over the places of the cases it is for."""

    def __init__(self, request: Asked, act: Act, drafts: Sequence[Draft], *, stale: int | None = None) -> None:
        self.request, self.act, self.drafts = request, act, drafts
        self.path = drafts[0].case.area_path
        self._suggested = self._route() if act.effect == "assign" else None
        self.form = Form(
            [ask for field in act.fields for ask in [self._ask(field)]] + self._photos(),
            verb=act.title,
            hidden={"key": str(new_id()), "rev": str(drafts[0].case.rev if stale is None else stale)},
        )

    def _route(self) -> Route | None:
        case = self.drafts[0].case
        kind = case.site.kind if case.site else ""
        return route(case.topic, case.area_path, site_kind=kind, day=day_of(self.request.at)) if case.topic else None

    def _photos(self) -> list[Ask]:
        if self.act.photos is None:
            return []
        hint = HOW_MANY.format(n=self.act.photos.at_least)
        return [Ask("photos", STAGES[self.act.photos.stage], "photos", self.act.photos.at_least > 0, hint=hint)]

    def _ask(self, field: FormField) -> Ask:
        hint = field.hint or (SEEN if field.public else None)
        ask = Ask(field.key, field.label, PLAIN.get(field.type, "choice"), field.required, hint=hint, longest=400)
        if field.type == "choice":
            ask.choices = [(choice.key, choice.title) for choice in field.choices]
            ask.type = "radio" if len(field.choices) <= 4 and field.required else "choice"
        elif field.type == "topic":
            ask.choices, ask.value = topic_choices(), self.drafts[0].case.topic if self.act.effect != "split" else None
        elif field.type in ("department", "departments"):
            self._departments(ask, many=field.type == "departments")
        elif field.type == "officer":
            ask.choices = self._officers()
        elif field.type == "case":
            ask.hint = ask.hint or CASE_NUMBER
        return ask

    def _departments(self, ask: Ask, *, many: bool) -> None:
        here = under(self.path, "area__path") | Q(area__path__in=[*ancestors(self.path), self.path])
        lead = self.drafts[0].now.lead
        rows = Department.objects.filter(here, is_active=True).order_by("name_zh", "pk")
        if many and lead is not None:
            rows = rows.exclude(pk=lead)
        ask.choices = [(str(each.pk), Text(zh=each.name_zh, en=each.name_en)) for each in rows[:MOST]]
        ask.type = "choices" if many else "choice"
        if self._suggested is None:
            return
        if many:
            ask.value = [str(each) for each in self._suggested.assisting]
            return
        if self._suggested.lead is not None:
            ask.value = str(self._suggested.lead)
            ask.hint = Text(zh="已按分工表选好，可以改。", en="Chosen from the table of duties; you may change it.")
        if self._suggested.retired:
            ask.hint = _retired(self._suggested)

    def _officers(self) -> list[tuple[str, Text]]:
        """Who handles cases for the departments over this place, each with the department."""
        columns = ("pk", "name", "posts__department__name_zh", "posts__department__name_en")
        held = Q(posts__role__in=HANDLING, posts__department__isnull=False, is_active=True)
        here = under(self.path, "posts__area__path") | Q(posts__area__path__in=[*ancestors(self.path), self.path])
        rows = Officer.objects.filter(held & here & on(day_of(self.request.at), "posts__"))
        found = {}
        for pk, who, zh, en in rows.order_by("posts__department__name_zh", "name", "pk").values_list(*columns)[:MOST]:
            found[str(pk)] = Text(zh=f"{zh} · {who}", en=f"{en} · {who}")
        return list(found.items())

    def data(self, answers: Mapping[str, Any]) -> dict[str, Any]:
        """The answers as an act takes them; what was left empty is left out."""
        told: dict[str, Any] = {}
        for field in self.act.fields:
            value = answers.get(field.key)
            if value in (None, "", []):
                continue
            if field.type in ("department", "officer"):
                value = int(value)
            elif field.type == "departments":
                value = [int(each) for each in value]
            elif field.type == "date":
                value = value.isoformat()
            told[field.key] = value
        return told

    def at(self, number: str, key: str) -> ActForm:
        """The form with its own address and the way back."""
        self.form.action = reverse("case_act", args=[number, key])
        self.form.cancel = reverse("case", args=[number])
        return self


def _retired(route: Route) -> Text:
    """Why the table's own department is not the one suggested."""
    named = list(Department.objects.filter(pk__in=route.retired).order_by("pk"))
    zh, en = "、".join(each.name_zh for each in named), ", ".join(each.name_en for each in named)
    if route.lead is not None:
        return Text(
            zh=f"按分流表应由{zh}主办，但已停用，已改选有此责任的部门。",
            en=f"The routing table names {en}, now retired; whoever has the duty is chosen instead.",
        )
    return Text(
        zh=f"按分工应由{zh}主办，但已停用；请另选，并请管理员更新分工。",
        en=f"By the duties it would be {en}, now retired: choose another, and ask the administrator to change "
        "the duties.",
    )
