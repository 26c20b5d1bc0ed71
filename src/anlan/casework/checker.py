"""What makes a procedure unfit: found before it is ever used, each with a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from anlan.casework.plan import PAUSE, RUN, ready
from anlan.casework.procedure import ANY, BACK, Act, FieldType, Procedure
from anlan.kernel.refusals import nearest
from anlan.kernel.text import Text

# The verbs read these fields by their names, so the names mean the same in every procedure.
_MEANT: dict[str, tuple[FieldType, ...]] = {
    "department": ("department",),
    "officer": ("officer",),
    "assisting": ("departments",),
    "case": ("case",),
    "topic": ("topic",),
    "length": ("number",),
}
_NEEDED = {"ask_extension": ("length",), "merge": ("case",), "split": ("title", "topic")}


def check(procedure: Procedure) -> list[Text]:
    """Every reason why this procedure may not be used; empty when it may."""
    broken = list(_dangling(procedure))
    if broken:
        return broken
    return [
        *_reach(procedure), *_steps(procedure), *_same_person(procedure), *_extensions(procedure), *_forms(procedure),
        *_reporters(procedure),
    ]  # fmt: skip


def _dangling(p: Procedure) -> Iterator[Text]:
    def unknown(where: str, kind: tuple[str, str], name: str, known: Iterable[str]) -> Text:
        near = nearest(name, known)
        return Text(
            zh=f"{p.key}.{where}：没有{kind[0]}“{name}”{near.zh}已有的是：{'、'.join(known)}。",
            en=f"{p.key}.{where}: no {kind[1]} '{name}'{near.en} There are: {', '.join(known)}.",
        )

    steps, acts = ("步骤", "step"), ("动作", "act")
    if p.first not in p.steps:
        yield unknown("first", steps, p.first, p.steps)
    for key, act in p.acts.items():
        for step in (*act.steps, act.to):
            if step and step not in p.steps and step not in (ANY, BACK):
                yield unknown(f"acts.{key}", steps, step, p.steps)
        for other in act.who.but_not:
            if other not in p.acts:
                yield unknown(f"acts.{key}.who.but_not", acts, other, p.acts)
    for key, clock in p.clocks.items():
        for step in (*clock.runs, *clock.pauses):
            if step not in p.steps:
                yield unknown(f"clocks.{key}", steps, step, p.steps)


def _exits(p: Procedure) -> dict[str, set[str]]:
    """Where each step can lead to; a hung case leads back to every step it can be hung from."""
    leads: dict[str, set[str]] = {step: set() for step in p.steps}
    plan = ready(p)
    for step in p.steps:
        for key in plan.acts_at[step]:
            to = p.acts[key].to
            if to == BACK:
                leads[step].update(s for s in p.steps for k in plan.acts_at[s] if p.acts[k].to == step)
            elif to:
                leads[step].add(to)
    return leads


def _closure(starts: set[str], edges: dict[str, set[str]]) -> set[str]:
    seen, waiting = set(starts), list(starts)
    while waiting:
        for step in edges[waiting.pop()] - seen:
            seen.add(step)
            waiting.append(step)
    return seen


def _reach(p: Procedure) -> Iterator[Text]:
    leads = _exits(p)
    reached = _closure({p.first}, leads)
    for step in p.steps:
        if step not in reached:
            yield Text(
                zh=f"{p.key}.steps.{step}：没有任何动作能走到这一步。请补上通向它的动作，或删去这一步。",
                en=f"{p.key}.steps.{step}: no act leads to this step. Add one, or remove the step.",
            )
    back: dict[str, set[str]] = {step: set() for step in p.steps}
    for step, targets in leads.items():
        for target in targets:
            back[target].add(step)
    ending = _closure({s for s, step in p.steps.items() if step.final}, back)
    for step in p.steps:
        if step not in ending and leads[step]:
            yield Text(
                zh=f"{p.key}.steps.{step}：从这一步出发只会兜圈子，永远走不到办结。请补上一条通向最终步骤的出口。",
                en=f"{p.key}.steps.{step}: from here the case runs in a circle for ever. Add a way to a final step.",
            )


def _steps(p: Procedure) -> Iterator[Text]:
    leads, plan = _exits(p), ready(p)
    for key, step in p.steps.items():
        if step.final:
            continue
        if not leads[key] - {key}:
            yield Text(zh=f"{p.key}.steps.{key}：没有出口。", en=f"{p.key}.steps.{key}: there is no way out of it.")
        if step.owner is None:
            yield Text(
                zh=f"{p.key}.steps.{key}：没有写明由谁负责（owner）。",
                en=f"{p.key}.steps.{key}: it is not said who answers for it (owner).",
            )
        if not any(op in (RUN, PAUSE) for op in plan.ops[key]):
            yield Text(
                zh=f"{p.key}.steps.{key}：这一步没有任何时限在走（或暂停）。",
                en=f"{p.key}.steps.{key}: no clock runs or is paused in this step.",
            )


def _same_person(p: Procedure) -> Iterator[Text]:
    fixing = {key for key, act in p.acts.items() if act.fixes}
    for key, act in p.acts.items():
        cures = bool(act.to) and act.to in p.steps and p.steps[act.to].outcome == "cured"
        if cures and not act.proves:
            yield Text(
                zh=f"{p.key}.acts.{key}：通向“已整改”，却没有声明为核查动作（proves = true）。",
                en=f"{p.key}.acts.{key}: it leads to 'cured' but is not declared as proof (proves = true).",
            )
        if act.proves and act.effect != "rework" and not fixing <= set(act.who.but_not):
            missing = ", ".join(sorted(fixing - set(act.who.but_not)))
            yield Text(
                zh=f"{p.key}.acts.{key}：整改的人自己也能核查。请在 who.but_not 里写上：{missing}。",
                en=f"{p.key}.acts.{key}: whoever fixed it could also verify it. Add to who.but_not: {missing}.",
            )


def _extensions(p: Procedure) -> Iterator[Text]:
    effects = {act.effect for act in p.acts.values()}
    asking = {key for key, act in p.acts.items() if act.effect == "ask_extension"}
    if asking and "grant_extension" not in effects:
        yield Text(
            zh=f"{p.key}：可以申请延期，却没有人能批准（grant_extension）。",
            en=f"{p.key}: an extension can be asked for but nobody can grant it (grant_extension).",
        )
    names = ", ".join(sorted(asking))
    for key, act in p.acts.items():
        if act.effect == "grant_extension" and not asking <= set(act.who.but_not):
            yield Text(
                zh=f"{p.key}.acts.{key}：申请延期的人自己也能批准。请在 who.but_not 里写上：{names}。",
                en=f"{p.key}.acts.{key}: whoever asks could also grant. Add to who.but_not: {names}.",
            )
    if asking and not any(clock.extension for clock in p.clocks.values()):
        yield Text(zh=f"{p.key}：没有一个时限允许延期。", en=f"{p.key}: no clock allows an extension.")


def _forms(p: Procedure) -> Iterator[Text]:
    for key, act in p.acts.items():
        where = f"{p.key}.acts.{key}.fields"
        yield from _fields(where, act)
        asked = {field.key: field for field in act.fields}
        for name in _NEEDED.get(act.effect, ()):
            if name not in asked or not asked[name].required:
                yield Text(
                    zh=f"{where}：effect 是 {act.effect}，必须有必填的“{name}”一项。",
                    en=f"{where}: the effect {act.effect} needs a required field '{name}'.",
                )
    dates = {field.key for act in p.acts.values() for field in act.fields if field.type == "date"}
    for key, clock in p.clocks.items():
        if clock.due_field and clock.due_field not in dates:
            near = nearest(clock.due_field, dates)
            yield Text(
                zh=f"{p.key}.clocks.{key}.due_field：没有哪个动作要填日期“{clock.due_field}”{near.zh}",
                en=f"{p.key}.clocks.{key}.due_field: no act asks for a date '{clock.due_field}'{near.en}",
            )


# What a page asks of whoever reported, by the name of the field.
_ASKED = {"rates": "satisfaction", "objects": "reason", "adds": "note"}
SATISFACTION = ("satisfied", "fairly", "dissatisfied")


def _reporters(p: Procedure) -> Iterator[Text]:
    for key, act in p.acts.items():
        if not act.reporter:
            continue
        where, wanted = f"{p.key}.acts.{key}", _ASKED[act.reporter]
        fields = {field.key: field for field in act.fields if field.required}
        if set(fields) != {wanted} or act.photos or act.place == "required":
            yield Text(
                zh=f"{where}：上报人自己办理（reporter = {act.reporter}），必填的只能有“{wanted}”一项。",
                en=f"{where}: the reporter does it (reporter = {act.reporter}); '{wanted}' is all it may require.",
            )
        elif act.reporter == "rates" and not set(SATISFACTION) <= {choice.key for choice in fields[wanted].choices}:
            yield Text(
                zh=f"{where}.fields.{wanted}：选项里要有 {'、'.join(SATISFACTION)}。",
                en=f"{where}.fields.{wanted}: the choices must have {', '.join(SATISFACTION)}.",
            )
        if act.reporter == "objects" and not act.at_most:
            yield Text(
                zh=f"{where}：上报人可以让事项重新办理，请写明最多几次（at_most）。",
                en=f"{where}: the reporter has the case taken up again; say how often at most (at_most).",
            )


def _fields(where: str, act: Act) -> Iterator[Text]:
    for name, times in Counter(field.key for field in act.fields).items():
        if times > 1:
            yield Text(zh=f"{where}：“{name}”写了 {times} 次。", en=f"{where}: '{name}' stands {times} times.")
    for field in act.fields:
        if (field.type == "choice") != bool(field.choices):
            yield Text(
                zh=f"{where}.{field.key}：choice 要列出 choices，其他类型不能有 choices。",
                en=f"{where}.{field.key}: a choice lists its choices, and no other type has any.",
            )
        meant = _MEANT.get(field.key, (field.type,))
        if field.type not in meant:
            yield Text(
                zh=f"{where}.{field.key}：这个名称有固定含义，type 应为 {meant[0]}。",
                en=f"{where}.{field.key}: this name has a meaning of its own; its type must be {meant[0]}.",
            )
