"""One answer in two forms: XML as GeoReport v2 writes it, and JSON by the Spark convention, which say the same.

An answer is what JSON holds: a mapping, or a list. In XML a list becomes an element for each of its members, by the
names in `MEMBERS`; nothing (None, an empty list) becomes an empty element.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any, Final

import orjson

CONTENT_TYPES: Final = {"xml": "text/xml; charset=utf-8", "json": "application/json; charset=utf-8"}
MEMBERS: Final = {
    "services": "service",
    "attributes": "attribute",
    "values": "value",
    "service_requests": "request",
    "service_request_updates": "request_update",
    "endpoints": "endpoint",
    "formats": "format",
    "notes": "note",
    "photos": "photo",
    "errors": "error",
}
# What XML 1.0 has no character for.
_NOT_IN_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def said(root: str, answer: Any, form: str) -> bytes:
    """The answer in `form` ("xml" or "json"); `root` is the name around it, which JSON leaves out."""
    plain = _plain(answer)
    if form == "json":
        return orjson.dumps(plain)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{_element(root, plain)}'.encode()


def _plain(value: Any) -> Any:
    """The value with what only one of the two forms could hold taken out of it: the other could not say the same."""
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, str):
        text = value.replace("\r\n", "\n").replace("\r", "\n")
        return _NOT_IN_XML.sub("\ufffd", text).strip() or None
    return value


def _element(name: str, value: Any) -> str:
    inner = _inner(name, value)
    return f"<{name}>{inner}</{name}>" if inner else f"<{name}/>"


def _inner(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return "".join(_element(key, inner) for key, inner in value.items())
    if isinstance(value, list):
        return "".join(_element(MEMBERS[name], inner) for inner in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return html.escape(str(value), quote=False)
