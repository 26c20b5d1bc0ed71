"""Reading a TOML file, with its mistakes told in both languages."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from anlan.kernel.text import Refusal, Text

_PLACE = re.compile(r"^(?P<what>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$", re.DOTALL)
_COMMON = {
    "Cannot overwrite a value": Text(zh="同一个键写了两次", en="the same key is written twice"),
    "Cannot declare": Text(zh="同一个表写了两次", en="the same table is written twice"),
    "Expected '=' after a key": Text(zh="键后面应有等号 =", en="a key must be followed by ="),
    "Invalid value": Text(zh="值写得不对（文字要放在英文引号里）", en="the value is wrong (put words in quotes)"),
    "Unclosed array": Text(zh="数组没有写完，缺右方括号 ]", en="an array is not closed with ]"),
    "Unterminated string": Text(zh="文字的引号没有成对", en="a quote is not closed"),
    "Illegal character": Text(zh="有不允许的字符，或引号没有成对", en="an illegal character, or a quote not closed"),
    "Invalid date or datetime": Text(zh="没有这个日期或时间", en="there is no such date or time"),
    "Expected newline or end of document": Text(zh="一行只能写一个键", en="only one key may stand on a line"),
}


class Unreadable(Refusal):
    """The file is not TOML in UTF-8."""


def read(path: Path) -> dict[str, Any]:
    """The values in a TOML file. Raises `Unreadable`, telling the line."""
    raw = path.read_bytes()
    try:
        return tomllib.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        zh = f"第 {line} 行不是 UTF-8 编码，请把文件另存为 UTF-8。"
        raise Unreadable(zh, f"Line {line} is not UTF-8; save the file as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        told = _explain(str(error))
        raise Unreadable(told.zh, told.en) from error


def _explain(message: str) -> Text:
    match = _PLACE.match(message)
    what = match["what"] if match else message
    line = match["line"] if match else None
    at = Text(zh=f"第 {line} 行", en=f"Line {line}") if line else Text(zh="文件末尾", en="The end of the file")
    for opening, known in _COMMON.items():
        if what.startswith(opening):
            return Text(zh=f"{at.zh}不合 TOML 语法：{known.zh}。", en=f"{at.en} is not valid TOML: {known.en}.")
    return Text(zh=f"{at.zh}不合 TOML 语法（{what}）。", en=f"{at.en} is not valid TOML ({what}).")
