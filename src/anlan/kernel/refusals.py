"""What pydantic refuses, told in both languages with the field and, for a misspelt key, the likely one."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from anlan.kernel.text import Text

_SAID: dict[str, tuple[str, str]] = {
    "missing": ("缺少这一项。", "This key is missing."),
    "string_type": ("应是文字（放在英文引号里）。", "Must be words, in straight quotes."),
    "int_type": ("应是整数。", "Must be a whole number."),
    "int_parsing": ("应是整数。", "Must be a whole number."),
    "int_from_float": ("应是整数。", "Must be a whole number."),
    "float_type": ("应是数字。", "Must be a number."),
    "float_parsing": ("应是数字。", "Must be a number."),
    "bool_type": ("应是 true 或 false。", "Must be true or false."),
    "bool_parsing": ("应是 true 或 false。", "Must be true or false."),
    "list_type": ("应是数组，用方括号 [ ]。", "Must be an array in [ ]."),
    "tuple_type": ("应是数组，用方括号 [ ]。", "Must be an array in [ ]."),
    "frozen_set_type": ("应是数组，用方括号 [ ]。", "Must be an array in [ ]."),
    "dict_type": ("应是一个表，用花括号 {{ }} 或 [名称]。", "Must be a table, {{ }} or [name]."),
    "model_type": ("应是一个表，用花括号 {{ }} 或 [名称]。", "Must be a table, {{ }} or [name]."),
    "date_type": ("应是日期，例如 2026-11-22。", "Must be a date such as 2026-11-22."),
    "date_parsing": ("应是日期，例如 2026-11-22。", "Must be a date such as 2026-11-22."),
    "date_from_datetime_parsing": ("应是日期，例如 2026-11-22。", "Must be a date such as 2026-11-22."),
    "time_type": ("应是时间，例如 09:00:00。", "Must be a time such as 09:00:00."),
    "time_parsing": ("应是时间，例如 09:00:00。", "Must be a time such as 09:00:00."),
    "literal_error": ("只能是 {expected} 之一。", "Must be one of {expected}."),
    "enum": ("只能是 {expected} 之一。", "Must be one of {expected}."),
    "greater_than": ("应大于 {gt}。", "Must be more than {gt}."),
    "greater_than_equal": ("不能小于 {ge}。", "Must be at least {ge}."),
    "less_than": ("应小于 {lt}。", "Must be less than {lt}."),
    "less_than_equal": ("不能大于 {le}。", "Must be at most {le}."),
    "string_pattern_mismatch": ("写法不合规定 {pattern}。", "Does not match {pattern}."),
    "string_too_short": ("至少 {min_length} 个字。", "Must have at least {min_length} characters."),
    "string_too_long": ("最多 {max_length} 个字。", "Must have at most {max_length} characters."),
    "too_short": ("至少要有 {min_length} 项。", "Must have at least {min_length} items."),
    "too_long": ("最多 {max_length} 项。", "Must have at most {max_length} items."),
    "union_tag_invalid": ("只能是 {expected_tags} 之一。", "Must be one of {expected_tags}."),
}


class Misdeclared(ValueError):
    """Raised by a vocabulary's validator, so that its reason is told in both languages beside the field."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh} / {en}")
        self.text = Text(zh=zh, en=en)


def translate(model: type[BaseModel], error: ValidationError) -> list[tuple[str, Text]]:
    """(dotted field, reason) for everything wrong; a misspelt key is told once, not again as the key it should be."""
    misspelt: list[tuple[str, Text]] = []
    others: list[tuple[str, Text]] = []
    meant: set[str] = set()
    for wrong in error.errors(include_url=False):
        where = wrong["loc"]
        if wrong["type"] == "extra_forbidden":
            near = get_close_matches(str(where[-1]), sorted(_keys_at(model, where[:-1])), n=1)
            meant.update(_dotted((*where[:-1], name)) for name in near)
            misspelt.append((_dotted(where), _unknown(str(where[-1]), near)))
        else:
            others.append((_dotted(where), _reason(wrong["type"], wrong["msg"], wrong.get("ctx", {}))))
    kept = [(where, reason) for where, reason in others if not (where in meant and reason.zh == _SAID["missing"][0])]
    return misspelt + kept


def nearest(key: str, known: Iterable[str]) -> Text:
    """The end of a sentence that says a key is unknown: which one was likely meant, or a full stop."""
    near = get_close_matches(key, list(known), n=1)
    if not near:
        return Text(zh="。", en=".")
    return Text(zh=f"，是否想写“{near[0]}”？", en=f"; did you mean “{near[0]}”?")


def unknown(zh: str, en: str, key: str, known: Iterable[str]) -> Text:
    """Why a key that names something else is refused: nobody declares that; `zh` and `en` say what it should be."""
    near = nearest(key, known)
    return Text(zh=f"没有{zh}“{key}”{near.zh}", en=f"There is no {en} “{key}”{near.en}")


def unread(folder: str, known: Iterable[str]) -> Text:
    """Why a file in a folder that no kind reads does nothing."""
    near = nearest(folder, known)
    return Text(
        zh=f"没有哪一类声明放在“{folder}”文件夹里{near.zh}",
        en=f"No kind of declaration lives in a folder “{folder}”{near.en}",
    )


def twice(identity: str, other: Path) -> Text:
    """Why a second file of the same name is refused."""
    return Text(zh=f"“{identity}”已在 {other} 中声明。", en=f"“{identity}” is already declared in {other}.")


def _unknown(key: str, near: list[str]) -> Text:
    meant = nearest(key, near)
    return Text(zh=f"没有“{key}”这个键{meant.zh}", en=f"There is no key “{key}”{meant.en}")


def _reason(kind: str, message: str, context: dict[str, Any]) -> Text:
    cause = context.get("error")
    if isinstance(cause, Misdeclared):
        return cause.text
    if kind in _SAID:
        zh, en = _SAID[kind]
        chinese = {name: str(value).replace(" or ", "、").replace(", ", "、") for name, value in context.items()}
        return Text(zh=zh.format(**chinese), en=en.format(**context))
    return Text(zh=f"内容不合规定（{message}）。", en=f"Not valid: {message}.")


def _dotted(where: Iterable[int | str]) -> str:
    return ".".join(str(part) for part in where)


def _keys_at(model: type[BaseModel], where: Iterable[int | str]) -> set[str]:
    """The keys that may be written at a place in a model."""
    here: list[Any] = [model]
    for part in where:
        here = [below for kind in here for below in _step(kind, part)]
    return {name for kind in here if _is_model(kind) for name in _names(kind)}


def _names(model: type[BaseModel]) -> Iterator[str]:
    for name, info in model.model_fields.items():
        yield info.alias or name


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _step(kind: Any, part: int | str) -> Iterator[Any]:
    """The types one step below `kind`; unions and annotations are seen through."""
    if _is_model(kind):
        named = {info.alias or name: info.annotation for name, info in kind.model_fields.items()}
        if part in named:
            yield from _members(named[str(part)])
        elif part == kind.__name__:  # pydantic names the member of a union that it tried
            yield kind
        return
    given = [argument for argument in typing.get_args(kind) if argument is not Ellipsis]
    if given and isinstance(typing.get_origin(kind), type):
        yield from _members(given[-1])


def _members(kind: Any) -> Iterator[Any]:
    origin = typing.get_origin(kind)
    if origin is typing.Annotated:
        yield from _members(typing.get_args(kind)[0])
    elif origin is typing.Union or origin is types.UnionType:
        for member in typing.get_args(kind):
            yield from _members(member)
    else:
        yield kind
