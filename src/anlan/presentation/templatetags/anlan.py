"""The words templates may use beyond Django's own."""

from __future__ import annotations

import html
from collections.abc import Iterable
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from django import template
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from anlan.kernel.text import Text
from anlan.presentation.saying import name, say, speaking, t, topic
from anlan.presentation.web import lights, words
from anlan.presentation.web.lists import Table

register = template.Library()
register.simple_tag(t)
register.filter(say)
register.filter(name)
register.filter(topic)


def _now(context: template.Context | dict[str, Any]) -> datetime:
    at = context.get("now")
    return at if isinstance(at, datetime) else timezone.now()


@register.simple_tag(takes_context=True)
def moment(context: template.Context | dict[str, Any], value: datetime | None) -> SafeString | str:
    """A moment as people say it, with the exact one for machines and on hover."""
    if value is None:
        return ""
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        value.isoformat(),
        f"{timezone.localtime(value):%Y-%m-%d %H:%M}",
        say(words.moment(value, now=_now(context))),
    )


@register.simple_tag(takes_context=True)
def day(context: template.Context | dict[str, Any], value: date | datetime | None) -> SafeString | str:
    """A date as people say it."""
    if value is None:
        return ""
    local = timezone.localtime(value).date() if isinstance(value, datetime) else value
    said = words.day(local, today=timezone.localtime(_now(context)).date())
    return format_html('<time datetime="{}">{}</time>', local.isoformat(), say(said))


@register.simple_tag(takes_context=True)
def left(context: template.Context, due: datetime | None, working_days: int | None = None) -> str:
    """The time to a deadline, both ways."""
    if due is None:
        return ""
    return str(say(words.time_left(due, now=_now(context), working_days=working_days)))


@register.simple_tag
def icon(key: str, css: str = "") -> SafeString:
    """A drawing from the sprite; it is decoration, so a word must stand beside it (or an aria-label around it)."""
    return _icon(str(key), str(css))


@lru_cache(maxsize=512)
def _icon(key: str, css: str) -> SafeString:
    return format_html(
        '<svg class="icon {}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        css,
        static("anlan/icons.svg"),
        key,
    )


@register.inclusion_tag("parts/light.html", takes_context=True)
def light(context: template.Context, case: lights.Timed | lights.Light) -> dict[str, Any]:
    """The light of a case (or a light itself) as shape and word."""
    return {"light": case if isinstance(case, lights.Light) else lights.light_of(case, now=_now(context))}


@register.simple_tag(takes_context=True)
def with_query(context: template.Context, **changes: Any) -> str:
    """This page's query with some values changed (None or "" removes one): every list state is an address."""
    query = context["request"].GET.copy()
    query.pop("after", None)
    query.pop("before", None)
    for key, value in changes.items():
        query.pop(key, None)
        if value not in (None, ""):
            query[key] = str(value)
    return f"?{query.urlencode()}"


@register.filter
def get(mapping: Any, key: Any) -> Any:
    """`mapping[key]`, or None."""
    return None if mapping is None else mapping.get(key)


@register.filter
def holds(ask: Any, value: Any) -> bool:
    """Whether a field's answer is, or has among it, `value`."""
    answer = ask.value
    if isinstance(answer, list | tuple | set | frozenset):
        return str(value) in {str(each) for each in answer}
    return answer is not None and str(answer) == str(value)


@lru_cache(maxsize=64)
def _light(light: lights.Light, language: str) -> SafeString:
    return format_html('<span class="light light-{}">{}{}</span>', light.key, icon(light.key), light.word.in_(language))


@register.filter
def said(value: Any, now: datetime | None = None) -> Any:
    """Anything a cell may hold, in words: texts, moments, dates, lights, yes and no, things with names."""
    if value is None:
        return ""
    if isinstance(value, lights.Light):
        return _light(value, speaking())
    if isinstance(value, bool):
        return t("是", "Yes") if value else t("否", "No")
    if isinstance(value, datetime):
        return moment({"now": now}, value)
    if isinstance(value, date):
        return day({"now": now}, value)
    if isinstance(value, Text):
        return value.in_(speaking())
    return name(value) if hasattr(value, "name_zh") or hasattr(value, "pk") else value


def _escaped(value: Any) -> str:
    """What Django's `conditional_escape` gives, without looking for lazy texts: a page asks five hundred times."""
    return str(value.__html__() if hasattr(value, "__html__") else html.escape(str(value)))


@register.simple_tag
def options(choices: Iterable[tuple[str, Any]], chosen: str) -> SafeString:
    """The options of a select; a filter bar has a hundred of them."""
    return SafeString(
        "".join(
            f'<option value="{_escaped(value)}"{" selected" if value == chosen else ""}>{_escaped(say(words))}</option>'
            for value, words in choices
        )
    )


@register.simple_tag(takes_context=True)
def table_rows(context: template.Context, table: Table) -> SafeString:
    """The rows of a table. A page has fifty with five cells each: drawn here, in a fifth of the time of a template."""
    now, pick, choose = _now(context), table.pick, t("选择", "Choose")
    form = format_html(' form="{}"', table.form) if table.form else SafeString()
    drawer = SafeString(" data-drawer" if table.drawer else "")
    heads = [_escaped(say(column.title)) for column in table.columns]
    drawn = []
    for row in table.rows:
        drawn.append(f'<tr role="row" data-row class="{"is-" + _escaped(row.light.key) if row.light else ""}">')
        if pick:
            drawn.append(format_html(_PICK, choose=choose, key=row.key, label=say(row.label), form=form))
        for place, (cell, head) in enumerate(zip(row.cells, heads, strict=True)):
            value = _escaped(said(cell.value, now))
            if place == 0 and row.url:
                value = f'<a class="lead" href="{_escaped(row.url)}"{drawer}>{value}</a>'
            sub = f'<span class="sub">{_escaped(said(cell.sub, now))}</span>' if cell.sub else ""
            css = f"{_escaped(cell.css)}{'' if place else ' first'}"
            drawn.append(f'<td role="cell" class="{css}" data-label="{head}">{value}{sub}</td>')
        drawn.append("</tr>")
    return SafeString("".join(drawn))


_PICK = (
    '<td role="cell" class="pick" data-label="{choose}"><input class="form-check-input" type="checkbox" data-pick'
    ' name="pick" value="{key}" aria-label="{choose} {label}"{form}></td>'
)


@register.filter
def case_url(case: Any) -> str:
    """Where a case is shown."""
    try:
        return reverse("case", args=[case.number])
    except NoReverseMatch:
        return ""


UNITS = {
    "minutes": Text(zh="{n} 分钟", en="{n} min"),
    "hours": Text(zh="{n} 小时", en="{n} hours"),
    "calendar_days": Text(zh="{n} 天", en="{n} days"),
    "working_days": Text(zh="{n} 个工作日", en="{n} working days"),
    "working_minutes": Text(zh="{n} 个工作分钟", en="{n} working minutes"),
    "working_hours": Text(zh="{n} 个工作小时", en="{n} working hours"),
}


@register.filter
def length_words(length: Any) -> str:
    """So much time in its unit: "5 个工作日"."""
    return UNITS[length.unit].format(n=f"{length.n:g}").in_(speaking())
