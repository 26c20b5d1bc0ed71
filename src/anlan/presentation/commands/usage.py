"""What was typed wrong on the command line, in both languages: the frame that reads it knows only English."""

from __future__ import annotations

import re
from typing import Any

import typer

from anlan.kernel.text import Text

UsageError: Any = typer.BadParameter.__mro__[1]
"""What is raised for an unknown option, a missing argument, a bad value: Typer names only the last of them."""

# What is said of a value, by what it says it in; the first that fits is taken.
VALUES = (
    (r"valid integer|not a valid int", "应是整数"),
    (r"valid number|valid float|not a valid float", "应是数字"),
    (r"valid boolean", "应是 true 或 false"),
    (r"match the formats?", "应是日期，如 2026-11-30"),
    (r"(?:greater than or equal to|>=|x>=) ?(\S+?)\.?$", r"不能小于 {}"),
    (r"(?:less than or equal to|<=|x<=) ?(\S+?)\.?$", r"不能大于 {}"),
    (r"(?:is not one of|should be|choose from) (.+?)\.?$", r"只能是 {}"),
    (r"does not exist", "没有这个文件或文件夹"),
    (r"is a directory", "应是文件，不是文件夹"),
    (r"is a file", "应是文件夹，不是文件"),
    (r"not readable", "不能读取"),
)


def is_help(error: Any) -> bool:
    """Whether it is no error: nothing was typed, and the help is shown."""
    return type(error).__name__ == "NoArgsIsHelpError"


def said(error: Any) -> Text:
    """The error as a sentence, and where to look."""
    path = error.ctx.command_path if error.ctx is not None else "anlan"
    english = error.format_message().strip().rstrip(".")
    return Text(
        zh=f"{_chinese(error, english)}。用法见：{path} --help",
        en=f"{english}. See: {path} --help",
    )


def _chinese(error: Any, english: str) -> str:
    kind, name = type(error).__name__, _name(error)
    if kind == "NoSuchOption":
        near = "、".join(error.possibilities or ())
        return f"没有选项 {name}" + (f"（是否想写 {near}？）" if near else "")
    if kind == "MissingParameter":
        is_option = getattr(error.param, "param_type_name", "") == "option"
        return f"缺少{'选项' if is_option else '参数'} {name}"
    if kind == "BadParameter":
        return f"{name} 的值不对：{_value(english)}"
    if kind == "BadOptionUsage":
        return f"选项 {name} 后面不能带值" if "does not take" in english else f"选项 {name} 后面要有值"
    unknown = re.search(r"No such command '(.*)'", english)
    if unknown:
        return f"没有“{unknown[1]}”这条命令"
    extra = re.search(r"extra argument\S* \((.*)\)", english)
    return f"多写了参数：{extra[1]}" if extra else "命令写得不对"


def _name(error: Any) -> str:
    """The option or argument, as it is typed."""
    given = getattr(error, "option_name", "") or getattr(error, "param_hint", "")
    param = getattr(error, "param", None)
    if not given and param is not None:
        given = param.opts[0] if param.param_type_name == "option" else str(param.name)
    return " / ".join(given) if isinstance(given, list | tuple) else str(given or "")


def _value(english: str) -> str:
    for pattern, words in VALUES:
        found = re.search(pattern, english)
        if found:
            return words.format(*found.groups())
    return "请检查写法"
