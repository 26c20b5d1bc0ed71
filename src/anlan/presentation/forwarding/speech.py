"""What is said to another Open311 server about a case, and what its answers mean, in whichever form it speaks."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

from anlan.casework.forwarding import Forwarding
from anlan.casework.models import Forward
from anlan.casework.reporter import masked
from anlan.kernel.text import Refusal
from anlan.presentation.forwarding import wire
from anlan.presentation.forwarding.wire import Reply
from anlan.presentation.web.case_rows import headline

EARLIER = timedelta(minutes=10)
"""The other side's clock may be behind ours by so much."""
Item = Mapping[str, Any]


class NoSecret(Refusal):
    """The variable that holds the key is not set."""


def key_of(declared: Forwarding) -> str:
    """The key for the other side, from the environment."""
    key = os.environ.get(declared.key_env, "")
    if not key:
        raise NoSecret(
            f"没有设置环境变量 {declared.key_env}（对方发的 api_key），设好后会自动继续。",
            f"The environment variable {declared.key_env} (the other side's api_key) is not set; it goes on by itself "
            "once it is.",
        )
    return key


def create(declared: Forwarding, forward: Forward) -> Reply:
    """Send the case. Its reporter's contact is not in it, and numbers in its words are masked."""
    case = forward.case
    words = {
        "api_key": key_of(declared),
        "service_code": declared.service_code(case.topic),
        "description": described(forward),
        "address_string": case.address or (case.site.name if case.site else "") or case.area.name_zh,
    }
    if case.lat is not None and case.lon is not None:
        words |= {"lat": f"{case.lat:.6f}", "long": f"{case.lon:.6f}"}
    return wire.ask("POST", _url(declared, "requests"), words | _jurisdiction(declared))


def described(forward: Forward) -> str:
    """What it is, with the reference by which it is found again."""
    case = forward.case
    said = f"{headline(case).zh}\n{masked(case.description)}".strip()
    return f"{said[:3900]}\n[ref {forward.reference}]"


def look_for(declared: Forwarding, forward: Forward, *, at: datetime) -> Reply:
    """The requests among which it must be, if it was taken."""
    since = (forward.sent_at or at) - EARLIER
    words = {
        "service_code": declared.service_code(forward.case.topic),
        "start_date": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "end_date": (at + EARLIER).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return wire.ask("GET", _url(declared, "requests"), words | _jurisdiction(declared))


def ask_token(declared: Forwarding, token: str) -> Reply:
    """Which number a token has come to."""
    return wire.ask("GET", _url(declared, f"tokens/{quote(token, safe='')}"), _jurisdiction(declared))


def ask_number(declared: Forwarding, number: str) -> Reply:
    """How far it is there."""
    return wire.ask("GET", _url(declared, f"requests/{quote(number, safe='')}"), _jurisdiction(declared))


def items(declared: Forwarding, reply: Reply) -> list[Item] | None:
    """The requests (or errors) of an answer; None where it is none."""
    try:
        text = reply.body.decode()
        return _from_json(text) if declared.format == "json" else _from_xml(text)
    except (UnicodeDecodeError, ValueError, ET.ParseError, RecursionError):
        return None


def errors(declared: Forwarding, reply: Reply) -> str:
    """What an error says, as far as it says anything."""
    said = "; ".join(text(each, "description") for each in items(declared, reply) or () if text(each, "description"))
    return f"{reply.status}: {said}"[:300] if said else str(reply.status)


def text(item: Item, name: str) -> str:
    """A field as words; "" where there is none."""
    value = item.get(name)
    return str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _from_json(said: str) -> list[Item] | None:
    found = json.loads(said)
    listed = found if isinstance(found, list) else [found]
    return listed if all(isinstance(each, dict) for each in listed) else None


def _from_xml(said: str) -> list[Item] | None:
    # No entities: that is what makes reading a stranger's XML dangerous.
    if "<!DOCTYPE" in said or "<!ENTITY" in said:
        return None
    root = ET.fromstring(said)  # noqa: S314 - see above
    return [{field.tag.rpartition("}")[2]: field.text or "" for field in member} for member in root]


def _url(declared: Forwarding, below: str) -> str:
    return f"{declared.endpoint.rstrip('/')}/{below}.{declared.format}"


def _jurisdiction(declared: Forwarding) -> dict[str, str]:
    return {"jurisdiction_id": declared.jurisdiction_id} if declared.jurisdiction_id else {}
