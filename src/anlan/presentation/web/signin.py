"""The door: signing in and out, the language, one's own password and posts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth import login, logout, update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from anlan.kernel.text import Refusal, Text
from anlan.places import officers
from anlan.places.models import Post
from anlan.places.role import role
from anlan.places.scope import posts_of
from anlan.presentation.permissions import PUBLIC, SIGNED_IN, needs
from anlan.presentation.saying import say
from anlan.presentation.web.forms import Ask, Form
from anlan.presentation.web.frame import LANGUAGE_COOKIE, LANGUAGES, Asked

BACKEND = "anlan.presentation.backend.Backend"
USERNAME = Text(zh="用户名", en="User name")
PASSWORD = Text(zh="密码", en="Password")
RULES = Text(
    zh="至少 10 位，不能全是数字，不要用常见密码或自己的姓名。",
    en="At least 10 characters, not digits alone, not a common password, not your own name.",
)


def is_signed_in(request: HttpRequest) -> bool:
    return request.user.is_authenticated


def safe_next(request: Asked, given: str) -> str:
    """`given` when it is an address of this site, else the first page."""
    if given.startswith("/") and url_has_allowed_host_and_scheme(given, {request.get_host()}):
        return given
    return reverse("home")


def _door() -> Form:
    return Form(
        [
            Ask("username", USERNAME, autocomplete="username"),
            Ask("password", PASSWORD, "password", autocomplete="current-password"),
        ],
        verb=Text(zh="登录", en="Sign in"),
    )


@sensitive_post_parameters("password")
@never_cache
@needs(PUBLIC)
def sign_in(request: Asked) -> HttpResponse:
    """Ask who is there. A wrong password says nothing about which names exist; five of them lock the name a while."""
    target = safe_next(request, request.POST.get("next") or request.GET.get("next", ""))
    if is_signed_in(request):
        return redirect(target)
    form = _door()
    form.hidden["next"] = target
    status = 200
    if request.method == "POST":
        officer = form.carry_out(request, lambda a: officers.sign_in(a["username"], a["password"], at=request.at))
        if officer is not None:
            login(request, officer, backend=BACKEND)
            return redirect("password" if officer.must_change_password else target)
        status = 422
    return render(request, "sign_in.html", {"form": form}, status=status)


@require_POST
@needs(PUBLIC)
def sign_out(request: Asked) -> HttpResponse:
    """End the session."""
    logout(request)
    return redirect("sign_in")


@require_POST
@needs(PUBLIC)
def language(request: Asked) -> HttpResponse:
    """Speak the other language from now on, here and wherever this person signs in."""
    chosen = request.POST.get("lang", "")
    response = redirect(safe_next(request, request.POST.get("next", "")))
    if chosen in LANGUAGES:
        response.set_cookie(LANGUAGE_COOKIE, chosen, max_age=timedelta(days=365), samesite="Lax", httponly=True)
        if is_signed_in(request):
            officers.change(request.user, language=chosen, by=request.user, at=request.at)
    return response


def _password_form(first: bool) -> Form:
    old = Text(zh="原密码", en="Old password")
    if first:
        old = Text(zh="管理员给您的密码", en="The password your administrator gave you")
    again = Text(zh="再输一遍新密码", en="The new password again")
    return Form(
        [
            Ask("old", old, "password", autocomplete="current-password"),
            Ask("new", Text(zh="新密码", en="New password"), "password", hint=RULES, autocomplete="new-password"),
            Ask("again", again, "password", autocomplete="new-password"),
        ],
        verb=Text(zh="修改密码", en="Change password"),
    )


@sensitive_post_parameters("old", "new", "again")
@never_cache
@needs(SIGNED_IN)
def password(request: Asked) -> HttpResponse:
    """Change one's own password; other sessions of the same person end with it."""
    form = _password_form(request.user.must_change_password)
    status = 200
    if request.method == "POST":
        officer = form.carry_out(request, lambda answers: _change(request, answers))
        if officer is not None:
            update_session_auth_hash(request, officer)
            messages.success(request, say(Text(zh="密码已修改。", en="Your password is changed.")))
            return redirect("home")
        status = 422
    title = Text(zh="修改密码", en="Change password")
    return render(request, "password.html", {"form": form, "title": title}, status=status)


def _change(request: Asked, answers: dict[str, Any]) -> Any:
    if answers["new"] != answers["again"]:
        raise Refusal(
            "两次输入的新密码不一样；请重新输入。", "The two new passwords differ; type them again.", field="again"
        )
    try:
        return officers.change_own_password(request.user, answers["old"], answers["new"], at=request.at)
    except officers.WeakPassword as weak:
        raise officers.WeakPassword(weak.text.zh, weak.text.en, field="new") from weak


@needs(SIGNED_IN)
def me(request: Asked) -> HttpResponse:
    """Who I am here: my posts, and on a phone the rest of the menu."""
    posts = [(role(post.role), post) for post in posts_of(request.user, at=request.at)]
    title = Text(zh="我的", en="Me")
    return render(request, "me.html", {"title": title, "posts": posts, "certificates": _lapsing(request, posts)})


def _lapsing(request: Asked, posts: list[tuple[Any, Post]]) -> list[Post]:
    """Posts whose certificate ends within 60 days: time to renew it."""
    soon = (request.at + timedelta(days=60)).date()
    return [post for _, post in posts if post.certificate_until and post.certificate_until <= soon]


def path_only(address: str) -> str:
    """The path of an address, without its query."""
    return urlsplit(address).path or "/"
