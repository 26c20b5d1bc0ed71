"""Sites: the list, the page of one with its QR sign, its map and its cases, and the forms that keep them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from anlan.casework.cases import visible
from anlan.kernel.text import Text
from anlan.places import duties, sites
from anlan.places.models import Area, Site
from anlan.places.record import day_of
from anlan.places.scope import under
from anlan.places.site_kind import all_kinds
from anlan.presentation.permissions import NotFound, needs
from anlan.presentation.saying import name, say
from anlan.presentation.web import mapping, qr
from anlan.presentation.web.asking import ask_for
from anlan.presentation.web.forms import Ask, Form
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.lists import Column, Empty, Filter, Filters, page_of, table

TITLE = Text(zh="场所", en="Sites")
NAME = Text(zh="名称", en="Name")
KIND = Text(zh="类型", en="Kind")
AREA = Text(zh="辖区", en="Area")
ADDRESS = Text(zh="地址", en="Address")
OPERATOR = Text(zh="责任主体", en="Responsible party")
STATE = Text(zh="状态", en="State")
IN_USE = Text(zh="在用", en="In use")
CLOSED = Text(zh="已停用", en="Closed")
ADD = Text(zh="登记场所", en="Register a site")
SAVE = Text(zh="保存", en="Save")


def kind_of(site: Site) -> Any:
    """The words of a site's kind; its key when no file declares it any more."""
    declared = all_kinds().get(site.kind)
    return declared.title if declared else site.kind


COLUMNS = (
    Column(NAME, lambda site: site.name, sub=lambda site: site.address),
    Column(KIND, kind_of),
    Column(AREA, lambda site: site.area),
    Column(OPERATOR, lambda site: site.operator.name if site.operator else None),
    Column(STATE, lambda site: IN_USE if site.is_active else CLOSED),
)


def within_reach(request: Asked, action: str = "sites.see") -> QuerySet[Site]:
    """The sites on which the one who asks may do `action`."""
    return Site.objects.filter(request.reach.q(action, party="operator")).select_related("area", "operator")


def find(request: Asked, code: str, action: str = "sites.see") -> Site:
    """The site `code` within reach; raises `NotFound`."""
    site = within_reach(request, action).filter(code=code).first()
    if site is None:
        raise NotFound
    return site


def _filters(request: Asked) -> Filters:
    kinds = [(key, kind.title) for key, kind in all_kinds().items()]
    text = Text(zh="名称、地址或编号", en="Name, address or code")
    return Filters.of(
        request,
        [
            Filter(
                "q",
                Text(zh="查找", en="Find"),
                "search",
                apply=lambda rows, v: rows.filter(Q(name__icontains=v) | Q(address__icontains=v) | Q(code=v)),
                hint=text,
            ),
            Filter("kind", KIND, choices=kinds, apply=lambda rows, v: rows.filter(kind=v)),
            Filter(
                "state",
                STATE,
                choices=[("open", IN_USE), ("closed", CLOSED)],
                apply=lambda rows, v: rows.filter(is_active=v == "open"),
            ),
        ],
    )


@needs("sites.see")
def index(request: Asked) -> HttpResponse:
    """The sites within reach, by area and kind."""
    filters = _filters(request)
    rows = filters.narrow(within_reach(request))
    if request.area:
        rows = rows.filter(under(request.area.path))
    page = page_of(rows, request, order=("area_path", "kind", "pk"))
    may_add = request.reach.may("sites.edit")
    empty = Empty(
        Text(zh="没有符合条件的场所", en="No site matches"),
        Text(
            zh="登记的场所会列在这里，每处都有二维码，巡查和上报时扫码即可。",
            en="Registered sites are listed here, each with a QR sign to scan on patrol and when reporting.",
        ),
        reverse("site_add") if may_add else "",
        ADD,
    )
    shown = table(
        page.items,
        COLUMNS,
        caption=TITLE,
        url=lambda site: reverse("site", args=[site.code]),
        empty=empty,
        page=page,
        drawer=True,
        quiet_caption=True,
    )
    said = {"title": TITLE, "table": shown, "filters": filters, "add_url": reverse("site_add") if may_add else ""}
    return render(request, "places/sites.html", said | {"add_verb": ADD})


def map_of(site: Site) -> mapping.Map | None:
    """The site in its area, with the areas around it as ground."""
    shapes = [mapping.Shape(name(site.area), site.area.boundary, css="is-here")]
    around = Area.objects.filter(parent_id=site.area.parent_id, valid_to=None).exclude(pk=site.area_id)[:60]
    points = []
    if site.lon is not None and site.lat is not None:
        points = [mapping.Point(site.lon, site.lat, site.name)]
    ground = [mapping.Shape(name(area), area.boundary) for area in around] if site.area.boundary else []
    return mapping.draw(shapes, points, around=ground)


def qr_of(request: Asked, site: Site) -> SafeString:
    """Where anybody who stands before the site reports what is wrong there, as a QR code (SVG)."""
    return qr.drawn(request.build_absolute_uri(f"{reverse('resident')}?site={site.code}"))


@needs("sites.see")
def one(request: Asked, code: str) -> HttpResponse:
    """One site: what it is, who answers for it, where it lies, and its cases."""
    site = find(request, code)
    may_edit = request.reach.covers("sites.edit", area_path=site.area_path)
    lists = visible(request.reach).filter(site=site).order_by("-opened_at")
    said = {
        "title": site.name,
        "site": site,
        "facts": [(c.title, c.value(site)) for c in COLUMNS[1:]] + [(ADDRESS, site.address), (CODE, site.code)],
        "map": map_of(site),
        "qr": qr_of(request, site),
        "answers": duties.responsible("", site.area_path, day=day_of(request.at)),
        "cases": list(lists[:20]) if request.reach.may("cases.see") else [],
        "may_edit": may_edit,
        "report_url": _report_url(request, site),
        "crumbs": [(TITLE, reverse("sites")), (site.name, "")],
    }
    return render(request, "places/site.html", said)


CODE = Text(zh="编号", en="Code")


def _report_url(request: Asked, site: Site) -> str:
    """Where a report on this very site is written; "" for who may not report here."""
    may = site.is_active and request.reach.covers("reports.receive", area_path=site.area_path, party=site.operator_id)
    return f"{reverse('report')}?site={site.code}" if may else ""


@needs("sites.see")
def sign(request: Asked, code: str) -> HttpResponse:
    """The sign to print and hang at the site."""
    site = find(request, code)
    title = Text(zh="场所牌", en="Site sign")
    crumbs = [(TITLE, reverse("sites")), (site.name, reverse("site", args=[code])), (title, "")]
    return render(
        request, "places/sign.html", {"title": title, "site": site, "qr": qr_of(request, site), "crumbs": crumbs}
    )


def _asks(request: Asked, site: Site | None) -> list[Ask]:
    kinds = [(key, kind.title) for key, kind in all_kinds().items()]
    place = Text(
        zh="WGS-84 度数；可以先不填，到现场再定位。", en="WGS-84 degrees; may be left until somebody is on site."
    )
    asks = [
        Ask("name", NAME, longest=120),
        Ask("kind", KIND, "choice", choices=kinds),
        ask_for(request, "area", "area", AREA, action="sites.edit", value=site.area if site else None),
        Ask("address", ADDRESS, required=False),
        ask_for(
            request,
            "party",
            "operator",
            OPERATOR,
            action="sites.edit",
            required=False,
            value=site.operator if site else None,
        ),
        Ask("lon", Text(zh="经度", en="Longitude"), "number", required=False, hint=place),
        Ask("lat", Text(zh="纬度", en="Latitude"), "number", required=False),
    ]
    if site is not None:
        for ask in asks:
            if ask.key in {"name", "kind", "address", "lon", "lat"}:
                ask.value = getattr(site, ask.key)
    return asks


@needs("sites.edit")
def add(request: Asked) -> HttpResponse:
    """Register a site."""
    form = Form(_asks(request, None), ADD, cancel=reverse("sites"))
    if request.method == "POST":
        made = form.carry_out(request, lambda a: sites.create(**_cleaned(a), by=request.user, at=request.at))
        if made is not None:
            messages.success(
                request, say(Text(zh="已登记，可以打印场所牌了。", en="Registered; its sign can be printed."))
            )
            return redirect("site", code=made.code)
    crumbs = [(TITLE, reverse("sites")), (ADD, "")]
    said = {"title": ADD, "form": form, "crumbs": crumbs}
    return render(request, "settings/form.html", said, status=422 if request.method == "POST" else 200)


def _cleaned(answers: dict[str, Any]) -> dict[str, Any]:
    return answers | {"address": answers["address"] or ""}


@needs("sites.edit")
def change(request: Asked, code: str) -> HttpResponse:
    """Correct what is known of a site."""
    site = find(request, code, "sites.edit")
    form = Form(_asks(request, site), SAVE, cancel=reverse("site", args=[code]))
    if request.method == "POST":
        done = form.carry_out(request, lambda a: sites.change(site, **_cleaned(a), by=request.user, at=request.at))
        if done is not None:
            messages.success(request, say(Text(zh="已保存。", en="Saved.")))
            return redirect("site", code=code)
        site.refresh_from_db()
    crumbs = [(TITLE, reverse("sites")), (site.name, reverse("site", args=[code])), (Text(zh="修改", en="Change"), "")]
    said = {"title": site.name, "form": form, "crumbs": crumbs}
    return render(request, "settings/form.html", said, status=422 if request.method == "POST" else 200)


@require_POST
@needs("sites.edit")
def close(request: Asked, code: str) -> HttpResponse:
    """Close a site, or open it again."""
    site = find(request, code, "sites.edit")
    sites.change(site, is_active=not site.is_active, by=request.user, at=request.at)
    words = IN_USE if site.is_active else CLOSED
    messages.success(request, f"{site.name}: {say(words)}")
    return redirect("site", code=code)
