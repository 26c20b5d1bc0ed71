"""The systems that post to machine channels: what came from each, its secret, stopping it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from anlan.intake import clients, hooks
from anlan.intake.models import Client
from anlan.kernel.text import Text
from anlan.presentation.permissions import NotFound, needs
from anlan.presentation.saying import say
from anlan.presentation.web.asking import ask_for
from anlan.presentation.web.case_reports import channel_title
from anlan.presentation.web.forms import Ask, Form
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.lists import Column, Empty, page_of, table
from anlan.presentation.web.reference import SETTINGS

TITLE = Text(zh="推送接入", en="Incoming channels")
ADD = Text(zh="登记接入方", en="Register a client")
LEAD = Text(
    zh="其他系统把事项推到这里：每条消息都要签名，重复、过时、被改的都拒绝并计数；读不懂的原样待改正。",
    en="Other systems post here. Each message is signed; what is repeated, stale or tampered with is refused and "
    "counted, and what cannot be read is kept to be mended.",
)
ONCE = Text(
    zh="密钥只显示这一次，请马上交给对方系统保存。推送地址：{url}",
    en="The secret is shown only this once; hand it to the other system now. Its address: {url}",
)
ACTIVE, STOPPED = Text(zh="启用", en="Active"), Text(zh="停用", en="Stopped")
REFUSALS = tuple(hooks.REFUSED)


def _sum(counted: dict[str, int], kinds: tuple[str, ...]) -> int:
    return sum(counted.get(kind, 0) for kind in kinds)


@needs("tokens.edit")
def client_list(request: Asked) -> HttpResponse:
    """The clients within reach with what came from each."""
    page = page_of(clients.visible(request.reach), request, order=("name",))
    counted = hooks.counts([client.name for client in page.items] + [""])
    columns = (
        Column(Text(zh="对方系统", en="System"), lambda c: c.title, sub=lambda c: c.name),
        Column(Text(zh="渠道", en="Channel"), lambda c: channel_title(c.channel)),
        Column(Text(zh="辖区", en="Area"), lambda c: c.area),
        Column(hooks.COUNTED["received"], lambda c: counted[c.name].get("received", 0), css="num"),
        Column(
            Text(zh="重复", en="Again"), lambda c: _sum(counted[c.name], ("repeated", "repeated_delivery")), css="num"
        ),
        Column(hooks.COUNTED["held"], lambda c: _sum(counted[c.name], ("held", "malformed")), css="num"),
        Column(Text(zh="拒绝", en="Refused"), lambda c: _sum(counted[c.name], REFUSALS), css="num"),
        Column(Text(zh="状态", en="State"), lambda c: ACTIVE if c.is_active else STOPPED),
    )
    empty = Empty(Text(zh="还没有接入方", en="No client yet"), LEAD, reverse("client_add"), ADD)
    shown = table(
        page.items, columns, caption=TITLE, url=lambda c: reverse("client", args=[c.name]), page=page, empty=empty,
        quiet_caption=True,
    )  # fmt: skip
    strangers = counted[""].get("unknown", 0)
    lead = LEAD if not strangers else Text(
        zh=f"{LEAD.zh}另有 {strangers} 次来自不认识的接入方，已拒绝。",
        en=f"{LEAD.en} {strangers} more came from unknown clients and were refused.",
    )  # fmt: skip
    crumbs = [(SETTINGS, reverse("settings")), (TITLE, "")]
    said = {"title": TITLE, "lead": lead, "table": shown, "crumbs": crumbs}
    return render(request, "settings/list.html", said | {"add_url": reverse("client_add"), "add_verb": ADD})


def _asks(request: Asked) -> list[Ask]:
    hint = Text(
        zh="小写字母、数字、-、_；会写在推送地址里。", en="Small letters, digits, - and _; it stands in the address."
    )
    where = Text(zh="只能在这个辖区内上报。", en="It may report within this area only.")
    channels = [(key, each.title) for key, each in clients.webhooks().items()]
    return [
        Ask("title", Text(zh="对方系统的名字", en="What the other system is called"), longest=80),
        Ask("name", Text(zh="名称", en="Name"), longest=59, hint=hint),
        Ask("channel", Text(zh="渠道", en="Channel"), "choice", choices=channels),
        ask_for(request, "area", "area", Text(zh="辖区", en="Area"), action="tokens.edit", hint=where),
    ]


@needs("tokens.edit")
def client_add(request: Asked) -> HttpResponse:
    """A new client; its secret is shown on this page alone."""
    form = Form(_asks(request), ADD, cancel=reverse("clients"))
    crumbs = [(SETTINGS, reverse("settings")), (TITLE, reverse("clients")), (ADD, "")]
    said: dict[str, Any] = {"title": ADD, "form": form, "crumbs": crumbs}
    if request.method != "POST":
        return render(request, "settings/form.html", said)

    def do(a: dict[str, Any]) -> tuple[Client, str]:
        given = {key: a[key] for key in ("title", "channel", "area")}
        return clients.register(a["name"], **given, by=request.user, at=request.at)

    made = form.carry_out(request, do)
    if made is None:
        return render(request, "settings/form.html", said, status=422)
    return _secret(request, *made)


def _secret(request: Asked, client: Client, secret: str) -> HttpResponse:
    text = ONCE.format(url=request.build_absolute_uri(reverse("hook", args=[client.name])))
    crumbs = [(SETTINGS, reverse("settings")), (TITLE, reverse("clients")), (client.title, "")]
    said = {"title": client.title, "text": text, "secret": secret, "crumbs": crumbs}
    return render(request, "settings/secret.html", said | {"back": reverse("client", args=[client.name])})


def _one(request: Asked, name: str) -> Client:
    client = clients.visible(request.reach).filter(name=name).first()
    if client is None:
        raise NotFound
    return client


@needs("tokens.edit")
def client_one(request: Asked, name: str) -> HttpResponse:
    """One client: what was counted of it by kind, and its secret."""
    client = _one(request, name)
    facts = [
        (Text(zh="名称", en="Name"), client.name),
        (Text(zh="推送地址", en="Address"), request.build_absolute_uri(reverse("hook", args=[client.name]))),
        (Text(zh="渠道", en="Channel"), channel_title(client.channel)),
        (Text(zh="辖区", en="Area"), client.area),
        (Text(zh="登记", en="Registered"), client.created_at),
        (Text(zh="上次换密钥", en="Secret changed"), client.rotated_at),
        (Text(zh="旧密钥用到", en="The old secret holds until"), client.before_until),
        (Text(zh="状态", en="State"), ACTIVE if client.is_active else STOPPED),
    ]
    counted = hooks.counts([client.name])[client.name]
    more = [
        (
            Text(zh="现在还等着工单的补充", en="Additions waiting for their order now"),
            hooks.waiting(client.channel, client.area_path),
        ),
        (Text(zh="现在等待改正", en="Waiting to be mended now"), hooks.held(client.channel, client.area_path)),
    ]
    said = {
        "title": client.title, "thing": client, "facts": facts,
        "counted": [(word, counted.get(kind, 0)) for kind, word in hooks.COUNTED.items() if kind != "unknown"] + more,
        "held_url": f"{reverse('quarantine')}?channel={client.channel}",
        "crumbs": [(SETTINGS, reverse("settings")), (TITLE, reverse("clients")), (client.title, "")],
    }  # fmt: skip
    return render(request, "settings/client.html", said)


@require_POST
@needs("tokens.edit")
def client_change(request: Asked, name: str) -> HttpResponse:
    """Change the secret over, end the old one, stop or resume."""
    client, deed = _one(request, name), request.POST.get("deed", "")
    if deed == "rotate":
        return _secret(request, client, clients.rotate(client, by=request.user, at=request.at))
    if deed == "end":
        clients.end_before(client, by=request.user, at=request.at)
        messages.success(request, say(Text(zh="旧密钥已作废。", en="The old secret opens nothing any more.")))
    elif deed in ("stop", "start"):
        clients.set_active(client, deed == "start", by=request.user, at=request.at)
        words = Text(zh="已停用。", en="Stopped.") if deed == "stop" else Text(zh="已恢复。", en="Resumed.")
        messages.success(request, say(words))
    return redirect("client", name=name)
