"""Who may do what to a case now, and whether what they bring is enough: pure answers, and sentences when it is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from anlan.casework.engine import Standing
from anlan.casework.plan import Plan
from anlan.casework.procedure import Act, FormField
from anlan.kernel.text import Refusal, Text


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who wants to act: their roles over the case's area, their departments, and whether it is their site.

    `is_reporter`: whoever told one of the case's reports, known by the code alone.
    """

    id: int
    roles: frozenset[str]
    departments: frozenset[int]
    is_party: bool = False
    is_reporter: bool = False


class NotAllowed(Refusal):
    """This person may not do this to this case."""

    status = 403


class NotNow(Refusal):
    """The case does not stand where this can be done."""

    status = 409


class Missing(Refusal):
    """Something the act needs was not given, or cannot be read."""

    status = 422


def offers(plan: Plan, now: Standing, actor: Actor) -> list[tuple[str, Act]]:
    """The acts this person may do now, in the order the procedure declares them."""
    found = []
    for key in plan.acts_at[now.step]:
        act = plan.acts[key]
        if _hinder(plan, now, key, act) is None and _bar(plan, now, act, actor) is None:
            found.append((key, act))
    return found


def examine(
    plan: Plan, now: Standing, key: str, actor: Actor, data: Mapping[str, Any], photos: int, placed: bool
) -> Act:
    """The act, if this person may do it now with what they bring; else a Refusal that says what is wrong."""
    act = plan.acts.get(key)
    if act is None:
        raise NotNow(
            f"“{plan.procedure.title.zh}”程序里没有“{key}”这个动作。请刷新页面，从当前可办的动作中选择。",
            f"The procedure '{plan.procedure.title.en}' has no act '{key}'. Reload and choose one of the acts offered.",
        )
    if key not in plan.acts_at[now.step]:
        raise _not_here(plan, now, act)
    problem = _hinder(plan, now, key, act)
    if problem is not None:
        raise problem
    refusal = _bar(plan, now, act, actor)
    if refusal is not None:
        raise NotAllowed(refusal.zh, refusal.en)
    _enough(act, data, photos, placed)
    return act


def _not_here(plan: Plan, now: Standing, act: Act) -> NotNow:
    step = plan.procedure.steps[now.step].title
    if now.outcome:
        return NotNow(
            f"事项已经办结（{step.zh}），不能再“{act.title.zh}”。如确有新情况，请重新上报或申请重新办理。",
            f"The case is closed ({step.en}); '{act.title.en}' is no longer possible. Report anew or ask to reopen it.",
        )
    return NotNow(
        f"事项现在处于“{step.zh}”，还不能（或不能再）“{act.title.zh}”。请按当前可办的动作办理。",
        f"The case stands at '{step.en}', where '{act.title.en}' cannot be done. Use one of the acts offered.",
    )


def _hinder(plan: Plan, now: Standing, key: str, act: Act) -> Refusal | None:
    if act.at_most and now.done.get(key, 0) >= act.at_most:
        return NotNow(
            f"“{act.title.zh}”最多 {act.at_most} 次，已经用完。",
            f"'{act.title.en}' may be done at most {act.at_most} time(s), and has been.",
        )
    if act.effect in ("grant_extension", "refuse_extension") and now.asked is None:
        return NotNow("没有待审批的延期申请。", "There is no extension request to decide.")
    if act.effect == "ask_extension":
        return _no_extension(plan, now)
    if act.effect == "assist_done" and all(part.done_at for part in now.assisting.values()):
        return NotNow("没有待完成的协办任务。", "There is no assisting task to finish.")
    return None


def _no_extension(plan: Plan, now: Standing) -> Refusal | None:
    if now.asked is not None:
        return NotNow("已有一个延期申请在等待审批。", "An extension request is already waiting for a decision.")
    if not extensible(plan, now):
        return NotNow(
            "现在没有可以延期的时限，或延期次数已经用完。", "No time limit can be extended now, or none is left to use."
        )
    return None


def extensible(plan: Plan, now: Standing) -> str:
    """The key of the running clock that may still be extended, or empty."""
    for index, run in enumerate(now.clocks):
        rule = plan.clocks[index].extension
        if rule is not None and run.state == "running" and now.extensions < rule.at_most:
            return run.key
    return ""


def _bar(plan: Plan, now: Standing, act: Act, actor: Actor) -> Text | None:
    """Why this person may not, or None when they may."""
    who = act.who
    if actor.is_reporter:
        return None if act.reporter else _NOT_THE_REPORTERS
    if not actor.roles.intersection(who.roles):
        return Text(
            zh="您在这个辖区的岗位不能办理这一步。请交由有权限的岗位办理。",
            en="Your posts in this area do not include this act. Hand it to somebody with the right post.",
        )
    if who.office == "lead" and now.lead not in actor.departments:
        return Text(
            zh="这个事项不由您的部门主办，只有主办部门可以办理这一步。",
            en="Your department does not lead this case; only the lead department may do this.",
        )
    if who.office == "assisting" and not actor.departments.intersection(now.assisting):
        return Text(zh="您的部门不是这个事项的协办单位。", en="Your department does not assist on this case.")
    if who.office == "party" and not actor.is_party:
        return Text(
            zh="只有该场所的责任主体可以办理这一步。", en="Only the party responsible for the site may do this."
        )
    for done in who.but_not:
        if now.last_by.get(done) == actor.id or (plan.acts[done].fixes and actor.id in now.fixed_by):
            title = plan.acts[done].title
            return Text(
                zh=f"“{title.zh}”是您办的，这一步要由另一个人来办。",
                en=f"You did '{title.en}'; somebody else has to do this.",
            )
    return None


_NOT_THE_REPORTERS = Text(zh="这一步由工作人员办理。", en="This is for those who deal with the case to do.")


def _enough(act: Act, data: Mapping[str, Any], photos: int, placed: bool) -> None:
    known = {field.key for field in act.fields}
    for name in data:
        if name not in known:
            raise Missing(
                f"“{act.title.zh}”不需要“{name}”这一项。请检查填写项的名称：{'、'.join(sorted(known)) or '（无）'}。",
                f"'{act.title.en}' has no field '{name}'. Its fields are: {', '.join(sorted(known)) or 'none'}.",
                field=name,
            )
    for wanted in act.fields:
        _filled(wanted, data.get(wanted.key))
    if act.photos is not None and photos < act.photos.at_least:
        word = {"before": ("整改前", "before"), "after": ("整改后", "after")}[act.photos.stage]
        raise Missing(
            f"还缺{word[0]}照片：至少 {act.photos.at_least} 张，现有 {photos} 张。",
            f"Photos of the state {word[1]} the fix are missing: at least {act.photos.at_least}, given {photos}.",
            field="photos",
        )
    if act.place == "required" and not placed:
        raise Missing("请在现场定位后再提交。", "Your location is needed: allow it and send again.", field="place")


def _filled(wanted: FormField, value: Any) -> None:
    label = wanted.label
    if value in (None, "", []):
        if wanted.required:
            raise Missing(f"请填写“{label.zh}”。", f"Please fill in '{label.en}'.", field=wanted.key)
        return
    if not _fits(wanted, value):
        raise Missing(
            f"“{label.zh}”填写的“{value}”不对：{_EXPECTED[wanted.type][0]}。",
            f"'{label.en}' was given '{value}': {_EXPECTED[wanted.type][1]}.",
            field=wanted.key,
        )


_EXPECTED = {
    "text": ("应是文字", "text is expected"),
    "longtext": ("应是文字", "text is expected"),
    "choice": ("请从选项中选择", "choose one of the options"),
    "date": ("应是存在的日期，如 2026-11-30", "a real date such as 2026-11-30 is expected"),
    "number": ("应是大于零的数字", "a number above zero is expected"),
    "yes_no": ("应是“是”或“否”", "yes or no is expected"),
    "department": ("请选择部门", "choose a department"),
    "departments": ("请选择部门", "choose departments"),
    "officer": ("请选择人员", "choose an officer"),
    "case": ("应是一个事项", "a case is expected"),
    "topic": ("请选择类别", "choose a topic"),
}


def _fits(wanted: FormField, value: Any) -> bool:
    kind = wanted.type
    if kind == "choice":
        return isinstance(value, str) and value in {choice.key for choice in wanted.choices}
    if kind == "date":
        return isinstance(value, str) and _is_date(value)
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e9
    if kind == "yes_no":
        return isinstance(value, bool)
    if kind in ("department", "officer"):
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "departments":
        return isinstance(value, list) and all(isinstance(v, int) and not isinstance(v, bool) for v in value)
    return isinstance(value, str) and len(value) <= (4000 if kind == "longtext" else 400)


def _is_date(value: str) -> bool:
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True
