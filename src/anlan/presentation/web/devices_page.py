"""Devices: the list, one with its history, the forms that keep them, and how far sites are fitted with them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from anlan.intake.models import Device, Ear, Episode, Signal
from anlan.intake.sensors import device_model, devices, episodes
from anlan.intake.sensors.device_model import SORTS, TOLD
from anlan.kernel.text import Text
from anlan.places.models import Site
from anlan.places.scope import under
from anlan.presentation.permissions import NotFound, needs
from anlan.presentation.saying import say
from anlan.presentation.web.asking import NotInReach, ask_for
from anlan.presentation.web.forms import Ask, Form
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.lights import Light
from anlan.presentation.web.lists import Column, Empty, Filter, Filters, page_of, table

TITLE = Text(zh="设备", en="Devices")
CODE = Text(zh="编号", en="Number")
MODEL = Text(zh="型号", en="Model")
SITE = Text(zh="场所", en="Site")
AREA = Text(zh="辖区", en="Area")
STATE = Text(zh="状态", en="State")
HEARD = Text(zh="最近消息", en="Last heard")
ADD = Text(zh="登记设备", en="Register a device")
SAVE = Text(zh="保存", en="Save")
LATE: Final = timedelta(minutes=2)
STATES: Final[dict[str, tuple[Text, str, Q]]] = {
    "alarm": (Text(zh="报警中", en="Alarm"), "late", ~Q(alarm="")),
    "fault": (Text(zh="故障", en="Fault"), "soon", Q(fault_at__isnull=False)),
    "silent": (Text(zh="失联", en="Silent"), "soon", Q(silent_at__isnull=False)),
    "battery": (Text(zh="电量低", en="Low battery"), "soon", Q(battery_at__isnull=False)),
    "chatter": (Text(zh="反复抖动", en="Chatters"), "soon", Q(chatter_at__isnull=False)),
    "never": (Text(zh="还没有消息", en="Never heard"), "none", Q(heard_at=None)),
    "retired": (Text(zh="已停用", en="Retired"), "none", Q(retired_date__isnull=False)),
}
TROUBLES: Final = ("alarm", "fault", "silent", "battery", "chatter")
UNHEARD = Text(zh="久未收到消息", en="Not heard from")
NORMAL = Text(zh="正常", en="Normal")


def _unheard(at: datetime) -> Q:
    """Should have been heard long ago; not told as silent because no listener was there to hear."""
    return Q(overdue_at__lt=at - LATE, retired_date=None)


def _in(state: str, at: datetime) -> Q:
    return _unheard(at) if state == "unheard" else STATES[state][2]


def state_of(device: Device, at: datetime) -> tuple[Text, str]:
    """The first thing that is the matter, in words, with its light. Who should have been heard is not called normal."""
    if device.retired_date is not None:
        return STATES["retired"][:2]
    for key, value in (
        ("alarm", device.alarm), ("fault", device.fault_at), ("silent", device.silent_at),
        ("battery", device.battery_at), ("chatter", device.chatter_at),
    ):  # fmt: skip
        if value:
            return STATES[key][:2]
    if device.overdue_at and device.overdue_at < at - LATE:
        return UNHEARD, "soon"
    part = device.panel_id is not None
    return (NORMAL, "ok") if device.heard_at or part else STATES["never"][:2]


def _light(device: Device, at: datetime) -> Light:
    words, colour = state_of(device, at)
    return Light(colour, words)


def _columns(at: datetime) -> tuple[Column, ...]:
    return (
        Column(CODE, lambda device: device.code, sub=devices.title_of),
        Column(SITE, lambda device: device.site.name if device.site else None),
        Column(AREA, lambda device: device.area),
        Column(STATE, lambda device: _light(device, at)),
        Column(HEARD, lambda device: device.heard_at),
    )


def find(request: Asked, code: str, action: str = "devices.see") -> Device:
    """The device within reach; raises `NotFound`."""
    found = devices.visible(request.reach, action).select_related("panel").filter(code=code).first()
    if found is None:
        raise NotFound
    return found


def _filters(request: Asked) -> Filters:
    models = [(key, declared.title) for key, declared in sorted(device_model.all_models().items())]
    states = [(key, words) for key, (words, _, _) in STATES.items()]
    states.insert(len(TROUBLES), ("unheard", UNHEARD))
    hint = Text(zh="编号或位置", en="Number or place")

    def in_state(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(_in(value, request.at))

    return Filters.of(
        request,
        [
            Filter("q", Text(zh="查找", en="Find"), "search", hint=hint,
                   apply=lambda rows, v: rows.filter(Q(code__icontains=v) | Q(name__icontains=v))),
            Filter("model", MODEL, choices=models, apply=lambda rows, v: rows.filter(model=v)),
            Filter("state", STATE, choices=states, apply=in_state),
        ],
    )  # fmt: skip


@needs("devices.see")
def index(request: Asked) -> HttpResponse:
    """The devices within reach."""
    filters = _filters(request)
    rows = filters.narrow(devices.visible(request.reach))
    if not filters.values().get("state"):
        rows = rows.filter(retired_date=None)
    if request.area:
        rows = rows.filter(under(request.area.path))
    matters = [] if filters.values() else _matters(rows, request.at)
    page = page_of(rows, request, order=("area_path", "code", "pk"))
    add_url = reverse("device_add") if request.reach.may("devices.edit") else ""
    empty = Empty(
        Text(zh="没有符合条件的设备", en="No device matches"),
        Text(
            zh="登记的烟感、燃气、水压、电气设备和报警面板会列在这里，谁报警、谁故障、谁失联一眼看到。",
            en="Detectors, gauges and panels are listed here: which raises an alarm, which fails, which is silent.",
        ),
        add_url,
        ADD,
    )
    shown = table(
        page.items, _columns(request.at), caption=TITLE, url=lambda each: reverse("device", args=[each.code]),
        empty=empty, page=page, quiet_caption=True,
    )  # fmt: skip
    said = {"title": TITLE, "table": shown, "filters": filters, "add_url": add_url, "add_verb": ADD}
    return render(request, "devices/list.html", said | {"deaf": _deaf(request), "matters": matters})


def _matters(rows: QuerySet[Device], at: datetime) -> list[tuple[str, Light, int]]:
    """How many devices have something the matter, by what it is, the worst first."""
    lights = {key: Light(STATES[key][1], STATES[key][0]) for key in TROUBLES} | {"unheard": Light("soon", UNHEARD)}
    counted = rows.aggregate(**{key: Count("pk", filter=_in(key, at)) for key in lights})
    return [(key, light, counted[key]) for key, light in lights.items() if counted[key]]


def _deaf(request: Asked) -> list[tuple[str, Any]]:
    """The listeners that have stopped: while they are away nothing is heard, and nobody is called silent."""
    late = request.at - LATE
    return [(ear.wire, ear.heard_until) for ear in Ear.objects.filter(heard_until__lt=late).order_by("wire")]


@needs("devices.see")
def one(request: Asked, code: str) -> HttpResponse:
    """One device: what it is, how it stands, what it told, and what was the matter with it."""
    device = find(request, code)
    last = Signal.objects.filter(device=device).order_by("-sequence")[:20]
    told = sorted(last, key=lambda each: (each.received_at, each.pk), reverse=True)
    past = Episode.objects.filter(device=device).order_by("-began_at")[:30]
    crumbs = [(TITLE, reverse("devices")), (device.code, "")]
    may_edit = request.reach.covers("devices.edit", area_path=device.area_path)
    said = {
        "title": device.code, "device": device, "light": _light(device, request.at), "facts": _facts(device),
        "crumbs": crumbs, "past": _past(past), "told": _told(told),
        "may_edit": may_edit and device.retired_date is None,
        "parts": device.parts.count() if device.panel_id is None else 0,
    }  # fmt: skip
    return render(request, "devices/one.html", said)


def _facts(device: Device) -> list[tuple[Text, Any]]:
    declared = devices.model_of(device.model)
    share = f"{device.false_alarms / device.alarms:.0%}" if device.alarms else None
    return [
        (Text(zh="位置", en="Place"), device.name),
        (MODEL, declared.title if declared else device.model),
        (Text(zh="种类", en="Sort"), SORTS[declared.sort] if declared else None),
        (SITE, device.site.name if device.site else None),
        (AREA, device.area),
        (Text(zh="所在面板", en="Panel"), device.panel.code if device.panel else None),
        (Text(zh="地址", en="Address"), device.address),
        (Text(zh="允许的网段", en="Networks"), device.networks),
        (HEARD, device.heard_at),
        (Text(zh="最近测试", en="Last test"), device.test_at),
        (Text(zh="安装日期", en="Installed"), device.installed_date),
        (Text(zh="停用日期", en="Retired"), device.retired_date),
        (Text(zh="报警次数", en="Alarms"), device.alarms),
        (Text(zh="其中误报", en="False alarms"), f"{device.false_alarms}（{share}）" if share else device.false_alarms),
        (Text(zh="抖动次数", en="Times it chattered"), device.chatters),
    ]


VERDICTS = {"real": Text(zh="属实", en="real"), "false": Text(zh="误报", en="false alarm")}


def _past(rows: Any) -> Any:
    columns = (
        Column(Text(zh="情况", en="What"), lambda each: episodes.TROUBLES[each.trouble]),
        Column(Text(zh="开始", en="From"), lambda each: each.began_at),
        Column(Text(zh="结束", en="Until"), lambda each: each.ended_at),
        Column(Text(zh="核实", en="Found"), lambda each: VERDICTS.get(each.verdict)),
    )
    empty = Empty(
        Text(zh="还没有出过情况", en="Nothing has been the matter yet"),
        Text(zh="报警、故障、失联会按时间列在这里。", en="Alarms, faults and silence are listed here in time."),
    )
    return table(rows, columns, caption=Text(zh="情况记录", en="What was the matter"), empty=empty, quiet_caption=True)


def _told(rows: Any) -> Any:
    columns = (
        Column(Text(zh="消息", en="Message"), lambda each: TOLD.get(each.kind, each.kind)),
        Column(Text(zh="设备时间", en="Device's time"), lambda each: each.at),
        Column(Text(zh="收到", en="Received"), lambda each: each.received_at),
        Column(Text(zh="读数", en="Reading"), lambda each: f"{each.value:g}" if each.value is not None else None),
    )
    empty = Empty(
        Text(zh="还没有收到过消息", en="Nothing was heard yet"),
        Text(zh="设备联网后，最近二十条消息列在这里。", en="Once it is connected its last twenty messages stand here."),
    )
    return table(rows, columns, caption=Text(zh="最近的消息", en="Latest messages"), empty=empty, quiet_caption=True)


# ---------------------------------------------------------------- forms


def _asks(request: Asked, device: Device | None) -> list[Ask]:
    models = [(key, declared.title) for key, declared in sorted(device_model.all_models().items())]

    def a_site(code: str) -> Site:
        inside = Site.objects.filter(request.reach.q("devices.edit")).select_related("area")
        found = inside.filter(code=code).first()
        if found is None:
            raise NotInReach(
                "没有这个编号的场所，或不在您的辖区。", "There is no such site, or it is outside your area."
            )
        return found

    def a_panel(code: str) -> Device:
        found = devices.visible(request.reach, "devices.edit").filter(code=code, panel=None).first()
        if found is None:
            raise NotInReach("没有这个编号的面板。", "There is no panel with this number.")
        return found

    place = Text(zh="场所和辖区至少填一项", en="Give the site or the area")
    source = Text(zh="面板上的地址；传输装置填源地址", en="On its panel; of a transmission device, its source address")
    nets = Text(zh="例如 10.1.0.0/16；不填则不限", en="Such as 10.1.0.0/16; empty: anywhere")
    asks = [] if device else [Ask("code", CODE)]
    asks += [
        Ask("model", MODEL, "choice", choices=models, value=device.model if device else None),
        Ask("name", Text(zh="装在哪里", en="Where it hangs"), required=False, value=device.name if device else None,
            longest=120),
        Ask("site", Text(zh="场所编号", en="Code of the site"), required=False, reader=a_site, hint=place,
            value=device.site.code if device and device.site else request.GET.get("site")),
        ask_for(request, "area", "area", AREA, action="devices.edit", required=False,
                value=device.area if device else None),
        Ask("panel", Text(zh="所在面板的编号", en="Number of its panel"), required=False, reader=a_panel,
            value=device.panel.code if device and device.panel else None),
        Ask("address", Text(zh="地址", en="Address"), required=False, hint=source, longest=60,
            value=device.address if device else None),
        Ask("networks", Text(zh="允许的网段", en="Networks"), required=False, hint=nets,
            value=device.networks if device else None),
        Ask("installed_date", Text(zh="安装日期", en="Installed on"), "date", required=False,
            value=device.installed_date if device else None),
    ]  # fmt: skip
    return asks


def _cleaned(answers: dict[str, Any]) -> dict[str, Any]:
    return answers | {key: answers[key] or "" for key in ("name", "address", "networks")}


@needs("devices.edit")
def add(request: Asked) -> HttpResponse:
    """Register a device."""
    form = Form(_asks(request, None), ADD, cancel=reverse("devices"))
    if request.method == "POST":
        made = form.carry_out(request, lambda a: devices.register(**_cleaned(a), by=request.user, at=request.at))
        if made is not None:
            messages.success(request, say(Text(zh="已登记。", en="Registered.")))
            return redirect("device", code=made.code)
    said = {"title": ADD, "form": form, "crumbs": [(TITLE, reverse("devices")), (ADD, "")]}
    return render(request, "settings/form.html", said, status=422 if request.method == "POST" else 200)


@needs("devices.edit")
def change(request: Asked, code: str) -> HttpResponse:
    """Correct what is known of a device."""
    device = find(request, code, "devices.edit")
    here = reverse("device", args=[code])
    form = Form(_asks(request, device), SAVE, cancel=here)
    if request.method == "POST":

        def carry(answers: dict[str, Any]) -> Device:
            given = _cleaned(answers)
            given["area"] = given["site"].area if given["site"] else given["area"] or device.area
            return devices.change(device, **given, by=request.user, at=request.at)

        if form.carry_out(request, carry) is not None:
            messages.success(request, say(Text(zh="已保存。", en="Saved.")))
            return redirect("device", code=code)
    crumbs = [(TITLE, reverse("devices")), (code, here), (Text(zh="修改", en="Change"), "")]
    said = {"title": code, "form": form, "crumbs": crumbs}
    return render(request, "settings/form.html", said, status=422 if request.method == "POST" else 200)


@require_POST
@needs("devices.edit")
def retire(request: Asked, code: str) -> HttpResponse:
    """Take a device out of service."""
    device = find(request, code, "devices.edit")
    devices.retire(device, by=request.user, at=request.at)
    messages.success(request, f"{device.code}: {say(STATES['retired'][0])}")
    return redirect("device", code=code)


@require_POST
@never_cache
@needs("devices.edit")
def secret(request: Asked, code: str) -> HttpResponse:
    """A new password for a device, shown once."""
    device = find(request, code, "devices.edit")
    made = devices.issue_secret(device, by=request.user, at=request.at)
    here = reverse("device", args=[code])
    title = Text(zh=f"{code} 的新密码", en=f"New password of {code}")
    text = Text(
        zh="请现在记下，离开就再也看不到。写出消息服务器的密码文件（anlan devices broker）后生效，旧密码随之作废。",
        en="Note it now; it is never shown again. It holds once the broker's password file is written (anlan devices "
        "broker), and the one before ends then.",
    )
    crumbs = [(TITLE, reverse("devices")), (code, here), (title, "")]
    said = {"title": title, "text": text, "secret": made, "back": here, "crumbs": crumbs}
    return render(request, "settings/secret.html", said)
