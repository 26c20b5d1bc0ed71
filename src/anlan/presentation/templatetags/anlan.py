"""The words templates may use beyond Django's own."""

from __future__ import annotations

from typing import Any

from django import template

register = template.Library()


@register.simple_tag(takes_context=True)
def t(context: template.Context, zh: str, en: str, **values: Any) -> str:
    """The Chinese or the English sentence, with `{name}` places filled."""
    words = en if str(context.get("lang", "zh")).startswith("en") else zh
    return words.format(**values) if values else words
