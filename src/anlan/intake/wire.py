"""How the JSON of another system is read: where its messages stand in a body, where each cell stands, how it is signed.

A path is dotted ("place.lng", "pictures.0.url") or a JSON Pointer ("/a.b/0"). It begins at the message; with "$" in
front ("$.batch") at the whole body. "*" is everything of the message that no other path names. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from anlan.intake.message import as_told
from anlan.kernel.refusals import Misdeclared
from anlan.kernel.text import Refusal, Text

REST = "*"
BODY = "(body)"
"""The cell that holds a body nobody could take apart."""

Meaning = Literal["pressed", "added", "withdrawn"]


class Unparsed(Refusal):
    """A body that is no JSON, or has no messages where they are declared to stand."""


def steps(path: str) -> tuple[bool, tuple[str, ...]]:
    """(whether it begins at the whole body, the names and places to go through)."""
    whole = path.startswith("$")
    rest = path[1:] if whole else path
    if rest.startswith("/"):
        parts = [part.replace("~1", "/").replace("~0", "~") for part in rest[1:].split("/")]
    else:
        parts = rest.removeprefix(".").split(".") if rest.removeprefix(".") else []
    if any(not part for part in parts) or (not parts and not whole):
        raise Misdeclared(f"看不懂路径“{path}”", f"“{path}” is not a path")
    return whole, tuple(parts)


def _path(path: str) -> str:
    if path:
        steps(path)
    return path


Path = Annotated[str, AfterValidator(_path)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Signature(_Part):
    """How a message proves who sent it: HMAC-SHA256 over `content`, with the client's own secret.

    `timestamp` is the header with the moment of sending in Unix seconds (or milliseconds), refused when it is more than
    `tolerance_minutes` away. `nonce` ("" = none) is the header with a word that is used once.
    """

    header: str = "X-Anlan-Signature"
    prefix: str = "sha256="
    encoding: Literal["hex", "base64"] = "hex"
    timestamp: str = "X-Anlan-Timestamp"
    nonce: str = "X-Anlan-Nonce"
    content: str = "{timestamp}.{nonce}.{body}"
    tolerance_minutes: int = Field(default=5, ge=1, le=60)


class About(_Part):
    """What comes later about an earlier message: the order is pressed for, added to or withdrawn.

    `kind` is the path of the word that says so, `means` what each such word is, and `order` the path of the number of
    the message it is about. A message with any other word is an order itself.
    """

    kind: Path
    order: Path
    means: dict[str, Meaning] = Field(min_length=1)


class Webhook(_Part):
    """A channel that other systems post JSON to. `items` is the path of the list of messages; "" = the body is one."""

    signature: Signature = Signature()
    items: Path = ""
    about: About | None = None
    body_kb: int = Field(default=512, ge=1, le=8192)
    most: int = Field(default=500, ge=1, le=5000)


def parse(body: bytes) -> Any:
    """The body as JSON. Raises `Unparsed`."""
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        why = str(error)[:80]
        raise Unparsed(
            f"正文读不通，应是 UTF-8 的 JSON（{why}）；原文已保存，请改正后重发。",
            f"The body must be JSON in UTF-8 ({why}); it was kept. Correct it and send it again.",
        ) from None


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def messages(webhook: Webhook, names: Iterable[str], body: Any) -> list[dict[str, str]]:
    """The messages of a parsed body, each as cells of text by path. Raises `Unparsed`."""
    wanted = [name for name in dict.fromkeys([*names, *_of_about(webhook)]) if name != REST]
    try:
        return [_cells(webhook, wanted, item, body) for item in _items(webhook, body)]
    except RecursionError:
        raise Unparsed("正文嵌套太深，请改正后重发。", "The body is nested too deeply; correct it.") from None


def _of_about(webhook: Webhook) -> tuple[str, ...]:
    return (webhook.about.kind, webhook.about.order) if webhook.about else ()


def _items(webhook: Webhook, body: Any) -> Sequence[dict[str, Any]]:
    found = _at(body, steps(webhook.items)[1]) if webhook.items else [body]
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        where = webhook.items or "$"
        raise Unparsed(
            f"“{where}”处应是{'一组对象' if webhook.items else '一个对象'}；原文已保存，请改正后重发。",
            f"There must be {'a list of objects' if webhook.items else 'one object'} at “{where}”; the body was kept. "
            "Correct it and send it again.",
        )
    if not 1 <= len(found) <= webhook.most:
        raise Unparsed(
            f"一次应有 1 到 {webhook.most} 条，这次是 {len(found)} 条；请分批重发。",
            f"There must be 1 to {webhook.most} messages at once, not {len(found)}; send them in parts.",
        )
    return found


def _cells(webhook: Webhook, names: Sequence[str], item: dict[str, Any], body: Any) -> dict[str, str]:
    told: dict[str, Any] = {}
    taken: list[tuple[str, ...]] = []
    for name in names:
        whole, path = steps(name)
        found = _at(body if whole else item, path)
        # An object is no cell: what stands in it has paths of its own, or is kept with the rest.
        if isinstance(found, dict):
            continue
        if found is not None:
            told[name] = _cell(found)
        if not whole or not webhook.items:
            taken.append(path)
    rest = _without(item, taken)
    if rest:
        told[REST] = json.dumps(rest, ensure_ascii=False, sort_keys=True)
    return as_told(told)


def _at(value: Any, path: Sequence[str]) -> Any:
    """What stands at the end of the path; None where it leads nowhere."""
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and len(step) < 7 and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def _cell(value: Any) -> Any:
    """A list of words is written as people write it; whatever is deeper stays JSON."""
    if isinstance(value, list) and all(isinstance(each, str | int | float) for each in value):
        return "、".join(str(each) for each in value)
    return value


def _without(value: Any, taken: Sequence[tuple[str, ...]]) -> Any:
    """`value` without what stands at these paths; what becomes empty goes too."""
    if () in taken:
        return None
    if isinstance(value, dict):
        below = ((key, _without(inner, [path[1:] for path in taken if path[0] == key])) for key, inner in value.items())
        return {key: inner for key, inner in below if inner not in (None, "", [], {})}
    if isinstance(value, list):
        parts = [_without(inner, [p[1:] for p in taken if p[0] == str(n)]) for n, inner in enumerate(value)]
        return [inner for inner in parts if inner not in (None, "", [], {})]
    return value


def wrong_paths(named: Iterable[tuple[str, str]]) -> Iterator[Text]:
    """What is wrong with the paths of columns, given as (column, path)."""
    for column, path in named:
        if path == REST:
            continue
        try:
            steps(path)
        except Misdeclared as wrong:
            yield Text(zh=f"columns.{column}.from：{wrong.text.zh}", en=f"columns.{column}.from: {wrong.text.en}")
