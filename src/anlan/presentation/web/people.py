"""Officers, their posts and the roles there are. Only who administers all of somebody's posts may change them."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib import messages
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from anlan.kernel.text import Text
from anlan.places import officers
from anlan.places.models import Officer, Post
from anlan.places.record import day_of
from anlan.places.role import ACTIONS, Role, all_roles
from anlan.places.scope import check_another, on, within
from anlan.presentation.permissions import NotFound, needs
from anlan.presentation.saying import listed, name, say, t
from anlan.presentation.web.asking import ask_for
from anlan.presentation.web.forms import Ask, Form
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.lists import Column, Filter, table
from anlan.presentation.web.reference import SETTINGS, Reference

NAME = Text(zh="姓名", en="Name")
USERNAME = Text(zh="用户名", en="User name")
POSTS = Text(zh="岗位", en="Posts")
STATE = Text(zh="状态", en="State")
ACTIVE = Text(zh="在岗", en="Active")
LEFT = Text(zh="已停用", en="Left")
PHONE = Text(zh="电话", en="Phone")
LANGUAGE = Text(zh="语言", en="Language")
LANGUAGES = [("zh", Text(zh="中文", en="Chinese")), ("en", Text(zh="英文", en="English"))]
REACHES = {
    "area": Text(zh="辖区内全部", en="Everything in the area"),
    "department": Text(zh="本部门的", en="The department's own"),
    "own": Text(zh="本人经手的", en="What they opened or handle"),
    "party": Text(zh="本单位的", en="The party's own"),
}


def current_posts(request: Asked, officer: Officer) -> list[Post]:
    """The posts somebody holds today."""
    held = officer.posts.filter(on(day_of(request.at)))
    return list(held.select_related("area", "department", "party").order_by("pk"))


def may_change(request: Asked, officer: Officer, action: str = "officers.edit") -> bool:
    """Whether every post of the officer lies where the one who asks may do `action`: nobody reaches upwards."""
    return request.reach.administers(officer, action, at=request.at)


def _officers(request: Asked) -> QuerySet[Officer]:
    """Officers with a post within reach, and for who may edit them also those without any post yet."""
    held = Post.objects.filter(within(request.reach.areas("officers.see"), "area__path"))
    if request.area:
        held = held.filter(within([request.area.path], "area__path"), on(day_of(request.at)))
    mine = Q(pk__in=held.values("officer_id"))
    if request.reach.may("officers.edit") and not request.area:
        mine |= Q(~Exists(Post.objects.filter(officer=OuterRef("pk"))))
    today = Post.objects.filter(on(day_of(request.at))).select_related("area", "department").order_by("pk")
    return Officer.objects.filter(mine).prefetch_related(Prefetch("posts", today, to_attr="held"))


def said_posts(officer: Officer) -> str:
    """The posts of an officer in one line."""
    roles = all_roles()
    held: list[Post] = getattr(officer, "held", [])
    said = [
        f"{say(roles[post.role].title)} · {name(post.department or post.area)}" for post in held if post.role in roles
    ]
    return t("；", "; ").join(said[:3]) + (" …" if len(said) > 3 else "")


def _asks(request: Asked, officer: Officer | None) -> list[Ask]:
    hint = Text(
        zh="2 至 60 个小写字母、数字或 . _ -，用来登录。",
        en="2 to 60 lower-case letters, digits or . _ - to sign in by.",
    )
    machine = Text(zh="这是一个系统，只用令牌，不登录", en="This is a system: it uses tokens and never signs in")
    first = [] if officer else [Ask("username", USERNAME, longest=60, hint=hint)]
    last = [] if officer else [Ask("is_machine", machine, "yes_no", False)]
    if officer:
        last = [
            Ask(
                "is_active",
                Text(zh="可以登录和办理", en="May sign in and act"),
                "yes_no",
                False,
                value=officer.is_active,
            )
        ]
    return [
        *first,
        Ask("name", NAME, longest=60, value=officer.name if officer else None),
        Ask("phone", PHONE, "tel", False, longest=30, value=officer.phone if officer else None),
        Ask("language", LANGUAGE, "radio", choices=LANGUAGES, value=officer.language if officer else "zh"),
        *last,
    ]


def _add(request: Asked, answers: dict[str, Any]) -> Officer:
    answers["phone"] = answers["phone"] or ""
    return officers.create(**answers, by=request.user, at=request.at)


def _change(request: Asked, officer: Officer, answers: dict[str, Any]) -> Officer:
    answers["phone"] = answers["phone"] or ""
    return officers.change(officer, **answers, by=request.user, at=request.at)


def _filters(request: Asked) -> list[Filter]:
    def named(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        return rows.filter(Q(name__icontains=text) | Q(username__icontains=text))

    def holding(rows: QuerySet[Any], role: str) -> QuerySet[Any]:
        return rows.filter(pk__in=Post.objects.filter(on(day_of(request.at)), role=role).values("officer_id"))

    roles = [(key, role.title) for key, role in all_roles().items()]
    states = [("active", ACTIVE), ("left", LEFT)]
    return [
        Filter(
            "q", Text(zh="查找", en="Find"), "search", apply=named, hint=Text(zh="姓名或用户名", en="Name or user name")
        ),
        Filter("role", Text(zh="角色", en="Role"), choices=roles, apply=holding),
        Filter("state", STATE, choices=states, apply=lambda rows, v: rows.filter(is_active=v == "active")),
    ]


def _extra(request: Asked, officer: Officer) -> dict[str, Any]:
    roles = all_roles()
    held = [(roles.get(post.role), post) for post in current_posts(request, officer)]
    may = may_change(request, officer)
    facts = [
        (USERNAME, officer.username),
        (PHONE, officer.phone),
        (LANGUAGE, dict(LANGUAGES).get(officer.language)),
        (STATE, ACTIVE if officer.is_active else LEFT),
    ]
    return {
        "facts": facts,
        "held": held,
        "may_change": may,
        "may_reset": may and not officer.is_machine and officer.is_active and officer.pk != request.user.pk,
        "may_post": may and officer.pk != request.user.pk,
    }


OFFICERS = Reference(
    key="officers",
    one="officer",
    title=Text(zh="人员", en="Officers"),
    noun=Text(zh="人员", en="officer"),
    lead=Text(
        zh="谁能登录，担任哪些岗位。能做什么只由岗位决定。",
        en="Who signs in and the posts they hold; posts alone decide what they may do.",
    ),
    see="officers.see",
    edit="officers.edit",
    rows=_officers,
    order=("username",),
    columns=(
        Column(NAME, lambda officer: officer.name),
        Column(USERNAME, lambda officer: officer.username),
        Column(POSTS, said_posts),
        Column(STATE, lambda officer: ACTIVE if officer.is_active else LEFT),
    ),
    ask=_asks,
    path_of=lambda officer: "",
    add=_add,
    change=_change,
    filters=_filters,
    template="settings/officer.html",
    more=_extra,
    name_of=lambda officer: officer.name,
    may=may_change,
    add_lead=Text(
        zh="先登记人员，再给岗位和初始密码。", en="Enter the officer first, then give a post and a first password."
    ),
)


def _within(request: Asked, pk: int) -> Officer:
    officer = OFFICERS.get(request, pk)
    if not may_change(request, officer):
        raise NotFound
    return officer


def _post_asks(request: Asked) -> list[Ask]:
    roles = [(key, role.title) for key, role in all_roles().items()]
    area, department = Text(zh="辖区", en="Area"), Text(zh="部门", en="Department")
    of = Text(zh="部门岗位必填。", en="Needed for roles of a department.")
    party, stands = (
        Text(zh="责任主体", en="Party"),
        Text(zh="企业或房东代表必填。", en="Needed for who stands for a party."),
    )
    held = Text(zh="执法人员必填。", en="Needed for inspectors.")
    edit = "officers.edit"
    return [
        Ask("role", Text(zh="角色", en="Role"), "choice", choices=roles),
        ask_for(request, "area", "area", area, action=edit),
        ask_for(request, "department", "department", department, action=edit, required=False, hint=of),
        ask_for(request, "party", "party", party, action=edit, required=False, hint=stands),
        Ask("certificate_no", Text(zh="执法证号", en="Certificate number"), required=False, hint=held, longest=40),
        Ask("certificate_until", Text(zh="执法证有效期到", en="Certificate valid until"), "date", False),
        Ask("valid_from", Text(zh="开始日期", en="From"), "date", value=day_of(request.at)),
        Ask("valid_to", Text(zh="结束日期", en="Until"), "date", False),
    ]


@needs("officers.edit")
def post_add(request: Asked, pk: int) -> HttpResponse:
    """Give somebody a post."""
    officer = _within(request, pk)
    verb = Text(zh="给岗位", en="Give a post")
    form = Form(_post_asks(request), verb, cancel=reverse("officer", args=[pk]))

    def do(a: dict[str, Any]) -> Post:
        rest = {key: value for key, value in a.items() if key not in {"role", "area"}}
        rest["certificate_no"] = rest["certificate_no"] or ""
        request.reach.check_hands_on(all_roles()[a["role"]].allowed, a["area"].path)
        return officers.post(officer, a["role"], a["area"], **rest, by=request.user, at=request.at)

    if request.method == "POST" and form.carry_out(request, do) is not None:
        messages.success(request, say(Text(zh="岗位已给。", en="The post is given.")))
        return redirect("officer", pk=pk)
    trail = [(SETTINGS, reverse("settings")), (OFFICERS.title, reverse("officers"))]
    crumbs = [*trail, (officer.name, reverse("officer", args=[pk])), (verb, "")]
    said = {"title": verb, "form": form, "crumbs": crumbs}
    return render(request, "settings/form.html", said, status=422 if request.method == "POST" else 200)


@require_POST
@needs("officers.edit")
def post_end(request: Asked, pk: int) -> HttpResponse:
    """Take a post away from today on."""
    post = Post.objects.select_related("officer", "area").filter(pk=pk).first()
    if post is None or not request.reach.covers("officers.edit", area_path=post.area.path):
        raise NotFound
    _within(request, post.officer_id)
    officers.unpost(post, by=request.user, at=request.at)
    messages.success(request, say(Text(zh="岗位从今天起结束。", en="The post ends today.")))
    return redirect("officer", pk=post.officer_id)


@require_POST
@needs("officers.edit")
def officer_password(request: Asked, pk: int) -> HttpResponse:
    """A new first password, shown once; its owner must change it on signing in."""
    officer = _within(request, pk)
    check_another(officer, by=request.user)
    made = "-".join(secrets.token_hex(2) for _ in range(4))
    officers.set_password(officer, made, by=request.user, at=request.at, must_change=True)
    title = Text(zh=f"{officer.name}的初始密码", en=f"First password for {officer.name}")
    text = Text(
        zh="只显示这一次，请当面交给本人。本人登录后必须马上换掉。",
        en="Shown only this once: hand it over in person. It must be changed at the first sign-in.",
    )
    crumbs = [(OFFICERS.title, reverse("officers")), (officer.name, reverse("officer", args=[pk])), (title, "")]
    said = {"title": title, "text": text, "secret": made, "crumbs": crumbs, "back": reverse("officer", args=[pk])}
    return render(request, "settings/secret.html", said)


def _allowed(role: Role) -> str:
    actions = dict.fromkeys([*role.actions, *role.area_actions])
    return listed(ACTIONS[action] for action in actions)


@needs("officers.see")
def roles(request: Asked) -> HttpResponse:
    """Every role: what it may do and how far it reaches. Roles are files; they are not changed here."""
    title = Text(zh="角色", en="Roles")
    columns = (
        Column(title, lambda role: role.title, sub=lambda role: role.summary),
        Column(Text(zh="范围", en="Reach"), lambda role: REACHES[role.reach]),
        Column(Text(zh="可以做什么", en="May"), _allowed),
        Column(Text(zh="须持证", en="Certified"), lambda role: role.certified),
    )
    lead = Text(
        zh="角色写在文件里，各地可以另行声明；这里只供查看。",
        en="Roles are declared in files and shown here; a town may declare its own.",
    )
    shown = table(all_roles().values(), columns, caption=title, quiet_caption=True)
    crumbs = [(SETTINGS, reverse("settings")), (title, "")]
    return render(request, "settings/list.html", {"title": title, "lead": lead, "table": shown, "crumbs": crumbs})
