"""Words in the language of the page being made, for views and templates alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.utils.translation import get_language

from anlan.intake.topic import TOPICS
from anlan.kernel import catalogue
from anlan.kernel.text import Text

_spoken: ContextVar[str] = ContextVar("spoken", default="")


def speaking() -> str:
    """The language of the page being made: "zh" or "en" (the frame sets it for each request)."""
    return _spoken.get() or ("en" if (get_language() or "zh").startswith("en") else "zh")


@contextmanager
def speaking_in(language: str) -> Iterator[None]:
    """Say everything in this language. A page asks a thousand times; Django's own answer takes long."""
    before = _spoken.set(language)
    try:
        yield
    finally:
        _spoken.reset(before)


def t(zh: str, en: str, **values: Any) -> str:
    """The Chinese or the English sentence, with `{name}` places filled."""
    sentence = en if speaking() == "en" else zh
    return sentence.format(**{key: say(value) for key, value in values.items()}) if values else sentence


def say(value: Any) -> Any:
    """A `Text` in the page's language; a moment or a date in its words; anything else as it is."""
    if isinstance(value, Text):
        return value.in_(speaking())
    return "" if value is None else value


def listed(texts: Iterable[Text]) -> str:
    """Several texts as one enumeration in the page's language."""
    return t("、", ", ").join(text.in_(speaking()) for text in texts)


def name(value: Any) -> str:
    """The name of an area, department or anything else that has one, in the page's language."""
    if value is None:
        return ""
    if hasattr(value, "name_zh"):
        return str(value.name_en if speaking() == "en" and value.name_en else value.name_zh)
    found = getattr(value, "title", None) or getattr(value, "name", value)
    return str(say(found() if callable(found) else found))


def topic(key: str) -> str:
    """The title of a topic in the page's language; the key itself when no file declares it any more."""
    if not key:
        return t("所有类别", "Every topic")
    declared = catalogue.current().all(TOPICS).get(key)
    return str(declared.title.in_(speaking())) if declared else key
