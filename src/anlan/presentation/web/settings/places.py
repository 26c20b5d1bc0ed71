"""Reference data that stands in an area: parties, departments and duties ("who answers for X here today?")."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from anlan.intake.topic import TOPICS, lineage
from anlan.kernel import catalogue
from anlan.kernel.text import Text
from anlan.places import departments, duties, parties
from anlan.places.models import Department, Duty, Party
from anlan.places.record import day_of
from anlan.places.scope import under, within
from anlan.presentation.permissions import NotFound, needs
from anlan.presentation.saying import say, topic
from anlan.presentation.web.asking import ask_for
from anlan.presentation.web.forms import Ask, Form
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.lists import Column, Filter
from anlan.presentation.web.reference import SETTINGS, Reference

NAME_ZH = Text(zh="中文名称", en="Chinese name")
NAME_EN = Text(zh="英文名称", en="English name")
NAME = Text(zh="名称", en="Name")
AREA = Text(zh="辖区", en="Area")
KIND = Text(zh="类型", en="Kind")
KEY = Text(zh="代号", en="Key")
IN_USE = Text(zh="在用", en="In use")
RETIRED = Text(zh="已停用", en="Retired")
STATE = Text(zh="状态", en="State")
FIND = Text(zh="查找", en="Find")
OFFICIAL = Text(zh="统一社会信用代码", en="Official code")
FROM = Text(zh="开始日期", en="From")
TO = Text(zh="结束日期", en="Until")
OPEN_END = Text(zh="不填就是一直有效。", en="Leave empty for no end.")


def narrowed_to_area(request: Asked, rows: QuerySet[Any], field: str) -> QuerySet[Any]:
    """`rows` under the area of the address, when it names one."""
    return rows.filter(under(request.area.path, field)) if request.area else rows


# Parties


def _parties(request: Asked) -> QuerySet[Party]:
    mine = request.reach.q("sites.see", area="area__path", party="pk")
    return narrowed_to_area(request, Party.objects.filter(mine).select_related("area"), "area__path")


def _party_asks(request: Asked, party: Party | None) -> list[Ask]:
    asks = [
        Ask("name", NAME, longest=120, value=party.name if party else None),
        Ask("official_code", OFFICIAL, required=False, longest=30, value=party.official_code if party else None),
    ]
    if party is None:
        asks.insert(0, Ask("kind", KIND, "radio", choices=list(parties.KINDS.items())))
        asks.append(ask_for(request, "area", "area", AREA, action="sites.edit"))
    personal = Text(zh="个人信息，加密保存，到期删除。", en="Personal data: kept encrypted and erased when due.")
    return [
        *asks,
        Ask("contact", Text(zh="联系人", en="Contact"), required=False, hint=personal, longest=60),
        Ask("phone", Text(zh="联系电话", en="Phone"), "tel", required=False, longest=30),
        Ask("keep_until", Text(zh="联系方式保存到", en="Keep the contact until"), "date", required=False),
    ]


def _contact(answers: dict[str, Any]) -> dict[str, str] | None:
    given = {"name": answers.pop("contact"), "phone": answers.pop("phone")}
    kept = {key: value for key, value in given.items() if value}
    return kept or None


def _add_party(request: Asked, answers: dict[str, Any]) -> Party:
    contact = _contact(answers)
    answers["official_code"] = answers["official_code"] or ""
    return parties.create(**answers, contact=contact, by=request.user, at=request.at)


def _change_party(request: Asked, party: Party, answers: dict[str, Any]) -> Party:
    contact = _contact(answers)
    answers["official_code"] = answers["official_code"] or ""
    return parties.change(party, **answers, contact=contact, by=request.user, at=request.at)


def _party_filters(request: Asked) -> list[Filter]:
    def named(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        return rows.filter(Q(name__icontains=text) | Q(official_code__icontains=text))

    return [
        Filter("q", FIND, "search", apply=named, hint=NAME),
        Filter("kind", KIND, choices=list(parties.KINDS.items()), apply=lambda rows, v: rows.filter(kind=v)),
    ]


def _sites_of(request: Asked, party: Party) -> dict[str, Any]:
    mine = party.sites.filter(request.reach.q("sites.see", party="operator")).select_related("area")
    return {"sites": list(mine.order_by("name")[:100])}


PARTIES = Reference(
    key="parties",
    one="party",
    title=Text(zh="责任主体", en="Responsible parties"),
    noun=Text(zh="责任主体", en="party"),
    lead=Text(
        zh="企业、房东、个体户和单位：对场所安全负责、收整改通知的一方。",
        en="Enterprises, landlords, traders and institutions: who answers for a site and receives its orders.",
    ),
    see="sites.see",
    edit="sites.edit",
    rows=_parties,
    order=("name", "pk"),
    columns=(
        Column(NAME, lambda party: party.name),
        Column(KIND, lambda party: parties.KINDS.get(party.kind, party.kind)),
        Column(OFFICIAL, lambda party: party.official_code),
        Column(AREA, lambda party: party.area),
    ),
    ask=_party_asks,
    path_of=lambda party: party.area.path,
    add=_add_party,
    change=_change_party,
    filters=_party_filters,
    template="settings/party.html",
    more=_sites_of,
    name_of=lambda party: party.name,
)

# Departments


def _departments(request: Asked) -> QuerySet[Department]:
    mine = within(request.reach.areas("areas.see"), "area__path")
    rows = Department.objects.filter(mine).select_related("area", "parent")
    return narrowed_to_area(request, rows, "area__path")


def _department_asks(request: Asked, department: Department | None) -> list[Ask]:
    rule = Text(zh="文件和接口用它指明部门；以后不能改。", en="Files name the department by it; it stays.")
    above = Text(zh="上级部门", en="Parent department")
    held = department
    asks = [] if held else [Ask("key", KEY, longest=60, hint=rule)]
    return [
        *asks,
        Ask("zh", NAME_ZH, longest=80, value=held.name_zh if held else None),
        Ask("en", NAME_EN, longest=80, value=held.name_en if held else None),
        ask_for(request, "area", "area", AREA, action="departments.edit", value=held.area if held else None),
        ask_for(
            request,
            "department",
            "parent",
            above,
            action="departments.edit",
            required=False,
            value=held.parent if held else None,
        ),
    ]


def _add_department(request: Asked, answers: dict[str, Any]) -> Department:
    return departments.create(
        answers["key"],
        name=Text(zh=answers["zh"], en=answers["en"]),
        area=answers["area"],
        parent=answers["parent"],
        by=request.user,
        at=request.at,
    )


def _change_department(request: Asked, department: Department, answers: dict[str, Any]) -> Department:
    name = Text(zh=answers["zh"], en=answers["en"])
    return departments.change(
        department,
        name=name,
        area=answers["area"],
        parent=answers["parent"],
        by=request.user,
        at=request.at,
    )


def _department_filters(request: Asked) -> list[Filter]:
    def named(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        return rows.filter(Q(name_zh__icontains=text) | Q(name_en__icontains=text) | Q(key__icontains=text))

    return [
        Filter("q", FIND, "search", apply=named, hint=NAME),
        Filter(
            "state",
            STATE,
            choices=[("in_use", IN_USE), ("retired", RETIRED)],
            apply=lambda rows, v: rows.filter(is_active=v == "in_use"),
        ),
    ]


def _duties_of(request: Asked, department: Department) -> dict[str, Any]:
    held = duties.on_day(day_of(request.at)).filter(department=department)
    may = request.reach.covers("departments.edit", area_path=department.area.path)
    return {"duties": list(held.select_related("area", "officer", "deputy")[:100]), "may_retire": may}


DEPARTMENTS = Reference(
    key="departments",
    one="department",
    title=Text(zh="部门", en="Departments"),
    noun=Text(zh="部门", en="department"),
    lead=Text(zh="可以接办事项的单位。", en="The bodies that can be given a case."),
    see="areas.see",
    edit="departments.edit",
    rows=_departments,
    order=("name_zh", "pk"),
    columns=(
        Column(NAME, lambda d: d),
        Column(KEY, lambda d: d.key),
        Column(AREA, lambda d: d.area),
        Column(Text(zh="上级", en="Parent"), lambda d: d.parent),
        Column(STATE, lambda d: IN_USE if d.is_active else RETIRED),
    ),
    ask=_department_asks,
    path_of=lambda d: d.area.path,
    add=_add_department,
    change=_change_department,
    filters=_department_filters,
    template="settings/department.html",
    more=_duties_of,
)


@require_POST
@needs("departments.edit")
def department_retire(request: Asked, pk: int) -> HttpResponse:
    """Give the department no more cases, or let it be given them again."""
    department = DEPARTMENTS.get(request, pk)
    if not DEPARTMENTS.may_change(request, department):
        raise NotFound
    verb = departments.retire if department.is_active else departments.restore
    verb(department, by=request.user, at=request.at)
    messages.success(request, say(Text(zh="已保存。", en="Saved.")))
    return redirect("department", pk=pk)


# Duties


def topic_choices() -> list[tuple[str, Any]]:
    """Every declared topic, broader ones before theirs."""
    topics = catalogue.current().all(TOPICS)
    ordered = sorted(topics, key=lambda key: tuple(reversed(lineage(topics, key))))
    return [(key, topics[key].title) for key in ordered]


def _duty_rows(request: Asked) -> QuerySet[Duty]:
    today = duties.on_day(day_of(request.at))
    mine = today.filter(within(request.reach.areas("areas.see"), "area__path"))
    rows = mine.select_related("area", "department", "officer", "deputy")
    return narrowed_to_area(request, rows, "area__path")


def _duty_asks(request: Asked, duty: Duty | None) -> list[Ask]:
    every = Text(zh="不选就是所有事项。", en="Leave empty for every topic.")
    officer, deputy = Text(zh="责任人", en="Officer"), Text(zh="副手", en="Deputy")
    return [
        Ask("topic", Text(zh="事项类别", en="Topic"), "choice", False, topic_choices(), every),
        ask_for(request, "area", "area", AREA, action="duties.edit"),
        ask_for(request, "department", "department", Text(zh="部门", en="Department"), action="duties.edit"),
        ask_for(request, "officer", "officer", officer, action="duties.edit", required=False),
        ask_for(request, "officer", "deputy", deputy, action="duties.edit", required=False),
        Ask("valid_from", FROM, "date", value=day_of(request.at)),
        Ask("valid_to", TO, "date", required=False, hint=OPEN_END),
    ]


def _add_duty(request: Asked, answers: dict[str, Any]) -> Duty:
    return duties.assign(**answers | {"topic": answers["topic"] or ""}, by=request.user, at=request.at)


def _duty_filters(request: Asked) -> list[Filter]:
    choices = [(str(d.pk), d) for d in _departments(request).filter(is_active=True).order_by("name_zh")[:200]]
    return [
        Filter(
            "topic",
            Text(zh="事项类别", en="Topic"),
            choices=topic_choices(),
            apply=lambda rows, v: rows.filter(topic=v),
        ),
        Filter(
            "department",
            Text(zh="部门", en="Department"),
            choices=[(key, Text(zh=d.name_zh, en=d.name_en)) for key, d in choices],
            apply=lambda rows, v: rows.filter(department_id=v),
        ),
    ]


def _may_end(request: Asked, duty: Duty) -> dict[str, Any]:
    return {"may_end": request.reach.covers("duties.edit", area_path=duty.area.path)}


DUTIES = Reference(
    key="duties",
    one="duty",
    title=Text(zh="责任分工", en="Duties"),
    noun=Text(zh="责任", en="duty"),
    lead=Text(
        zh="“1+X”：哪类事、在哪里、由哪个部门和谁负责，一张表说清。",
        en="“1+X”: for each topic and area, which department and who answers, in one table.",
    ),
    see="areas.see",
    edit="duties.edit",
    rows=_duty_rows,
    order=("area__path", "topic", "pk"),
    columns=(
        Column(Text(zh="事项类别", en="Topic"), lambda duty: topic(duty.topic)),
        Column(AREA, lambda duty: duty.area),
        Column(Text(zh="部门", en="Department"), lambda duty: duty.department),
        Column(Text(zh="责任人", en="Officer"), lambda duty: duty.officer.name if duty.officer else None),
        Column(Text(zh="副手", en="Deputy"), lambda duty: duty.deputy.name if duty.deputy else None),
        Column(FROM, lambda duty: duty.valid_from),
        Column(TO, lambda duty: duty.valid_to),
    ),
    ask=_duty_asks,
    path_of=lambda duty: duty.area.path,
    add=_add_duty,
    change=None,
    filters=_duty_filters,
    template="settings/duty.html",
    more=_may_end,
    add_lead=Text(
        zh="同一辖区、同一类别原来的责任到开始日期那天自动结束。",
        en="Whoever had the same topic in the same area is relieved on the day this begins.",
    ),
    name_of=lambda duty: topic(duty.topic),
)


@require_POST
@needs("duties.edit")
def duty_end(request: Asked, pk: int) -> HttpResponse:
    """The duty no longer holds from today on."""
    duty = DUTIES.get(request, pk)
    if not request.reach.covers("duties.edit", area_path=duty.area.path):
        raise NotFound
    duties.end(duty, day=day_of(request.at), by=request.user, at=request.at)
    messages.success(request, say(Text(zh="责任已结束。", en="The duty has ended.")))
    return redirect("duties")


@needs("areas.see")
def responsible(request: Asked) -> HttpResponse:
    """Who answers for this, here, on this day."""
    asks = [
        ask_for(request, "area", "area", Text(zh="在哪里", en="Where"), action="areas.see"),
        Ask("topic", Text(zh="什么事", en="What"), "choice", False, topic_choices()),
        Ask("day", Text(zh="哪一天", en="On which day"), "date", value=day_of(request.at)),
    ]
    form = Form(asks, Text(zh="查谁负责", en="Find out who answers"))
    said: dict[str, Any] = {"form": form, "asked": "area" in request.GET}
    if said["asked"]:
        answers = {each.key: each.read(request.GET) for each in asks}
        if asks[2].error or not answers["day"]:
            asks[2].error, answers["day"] = None, day_of(request.at)
            asks[2].value = answers["day"]
        if not any(each.error for each in asks):
            chain = lineage(catalogue.current().all(TOPICS), answers["topic"]) if answers["topic"] else ("",)
            said |= {"answers": duties.responsible(chain, answers["area"].path, day=answers["day"]), "found": answers}
    title = Text(zh="今天谁负责", en="Who answers today")
    crumbs = [(SETTINGS, reverse("settings")), (DUTIES.title, reverse("duties")), (title, "")]
    return render(request, "settings/responsible.html", said | {"title": title, "crumbs": crumbs})
