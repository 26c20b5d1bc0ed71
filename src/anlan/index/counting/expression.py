"""What an indicator may say of a row: a small grammar read by sqlglot, every node of it on a list, and nothing run.

A condition is made of a table's columns, literals, comparisons, and/or/not, in (…), between, is [not] null, + - * /,
coalesce, abs, lower and date_diff('day', a, b). It is given back as an expression tree that the dialects of both
engines are written from; what divides by nothing is null in each.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Final, Literal

from sqlglot import exp, parse
from sqlglot.errors import ParseError, TokenError

from anlan.kernel.refusals import nearest
from anlan.kernel.text import Refusal

Sort = Literal["text", "number", "bool", "date", "moment", "null"]
"""What kind of value a column or a part of a condition has."""
Columns = Mapping[str, Sort]

FUNCTIONS: Final = ("coalesce", "abs", "lower", "date_diff")
_NAMES: Final[dict[Sort, tuple[str, str]]] = {
    "text": ("文字", "words"),
    "number": ("数", "a number"),
    "bool": ("是或否", "true or false"),
    "date": ("日期", "a date"),
    "moment": ("时刻", "a moment"),
    "null": ("空", "null"),
}
_COMPARED = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)
_COUNTED = (exp.Add, exp.Sub, exp.Mul, exp.Div)
_FINE: Final = re.compile(r"罚款|罚没|没收|罚金|\bfin(?:es?|ed)\b(?!\s+(?:part|dust))|\bconfiscat", re.IGNORECASE)


class Unsayable(Refusal):
    """A condition says what conditions may not say; the sentence names the place in it."""


class Fined(Refusal):
    """Fines and confiscations may not be counted in an assessment."""

    def __init__(self, found: str) -> None:
        super().__init__(
            f"出现“{found}”：罚款和没收不得与考核挂钩（《行政处罚法》第七十四条），不能作为指标。请去掉。",
            f"“{found}” stands here: fines and confiscations may not be tied to any assessment "
            "(Administrative Penalty Law, article 74), so they cannot be an indicator. Take it out.",
        )


def refuse_fines(*texts: str) -> None:
    """Raises `Fined` if any of these names fines or confiscations."""
    for text in texts:
        found = _FINE.search(text.replace("_", " "))
        if found:
            raise Fined(found.group())


def condition(text: str, columns: Columns | None = None, *, table: str = "") -> exp.Expr:
    """The condition as a tree that is true or false; "" is true of every row.

    Without `columns` the grammar alone is asked, not whether the columns are there and fit each other. Raises
    `Unsayable`, with line and character.
    """
    if not text.strip():
        return exp.true()
    tree = _parsed(text)
    sort = _Reader(columns, table).read(tree)
    if columns is not None and sort not in {"bool", "null"}:
        raise _refused(tree, f"整个条件的结果是{_NAMES[sort][0]}，应为是或否。", "the whole must be true or false.")
    return _settled(tree, columns or {})


def names(tree: exp.Expr) -> set[str]:
    """The columns a condition reads."""
    return {column.name for column in tree.find_all(exp.Column)}


def _parsed(text: str) -> exp.Expr:
    try:
        found = parse(text, dialect="duckdb")
    except (ParseError, TokenError) as error:
        told = error.errors[0] if isinstance(error, ParseError) and error.errors else {}
        place = _at(told.get("line"), told.get("col"))
        near = str(told.get("highlight") or "").strip()
        zh, en = (f"，在“{near}”处", f", at “{near}”") if near else ("", "")
        raise Unsayable(f"{place[0]}条件看不懂{zh}。", f"{place[1]}the condition cannot be read{en}.") from error
    if len(found) != 1 or found[0] is None or isinstance(found[0], exp.Block):
        raise Unsayable("只能写一个条件，不能有分号。", "Only one condition, without a semicolon.")
    return found[0]


def _at(line: object, column: object) -> tuple[str, str]:
    if line is None or column is None:
        return "", ""
    return f"第 {line} 行第 {column} 个字符：", f"Line {line}, character {column}: "


def _refused(node: exp.Expr, zh: str, en: str) -> Unsayable:
    places = [part.meta for part in node.walk() if "start" in part.meta]
    first = min(places, key=lambda meta: int(meta["start"]), default={})
    at = _at(first.get("line"), int(first["col"]) - (int(first["end"]) - int(first["start"])) if first else None)
    return Unsayable(f"{at[0]}{zh}", f"{at[1]}{en}")


class _Reader:
    """Walks a tree, refuses what is on no list, and tells what kind of value each part has."""

    def __init__(self, columns: Columns | None, table: str) -> None:
        self.columns, self.table = columns, table

    def read(self, node: exp.Expr) -> Sort:
        if isinstance(node, exp.Paren):
            return self.read(node.this)
        if isinstance(node, exp.And | exp.Or | exp.Not):
            return self._logical(node)
        if isinstance(node, (*_COMPARED, exp.Between, exp.In)):
            return self._compared(node)
        if isinstance(node, exp.Is):
            self.read(node.this)
            if not isinstance(node.expression, exp.Null | exp.Boolean):
                raise _refused(node, "is 后面只能是 null、true 或 false。", "only null, true or false can follow “is”.")
            return "bool"
        if isinstance(node, (*_COUNTED, exp.Neg, exp.Abs)):
            return self._number(node)
        return self._single(node)

    def _single(self, node: exp.Expr) -> Sort:
        if isinstance(node, exp.Column):
            return self._column(node)
        if isinstance(node, exp.Literal):
            return "text" if node.is_string else "number"
        if isinstance(node, exp.Boolean):
            return "bool"
        if isinstance(node, exp.Null):
            return "null"
        if isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal) and node.is_type("date"):
            return _dated(node.this)
        return self._function(node)

    def _function(self, node: exp.Expr) -> Sort:
        if isinstance(node, exp.Lower):
            self._want(node.this, "text")
            return "text"
        if isinstance(node, exp.Coalesce):
            return self._alike(node, [node.this, *node.expressions])
        if isinstance(node, exp.DateDiff):
            if str(node.args.get("unit")).upper() != "DAY":
                raise _refused(node, "date_diff 只能按 'day' 计。", "date_diff counts in 'day' only.")
            for side in (node.this, node.expression):
                self._want(side, "date", "moment")
            return "number"
        called = node.name if isinstance(node, exp.Anonymous) else node.sql("duckdb")
        listed = "、".join(FUNCTIONS)
        raise _refused(
            node,
            f"这里不能写“{called}”。条件里只能用列、常数、比较、and/or/not、in、between、is null、四则运算"
            f"和函数 {listed}。",
            f"“{called}” cannot stand here. A condition has columns, literals, comparisons, and/or/not, in, between, "
            f"is null, + - * / and the functions {', '.join(FUNCTIONS)}.",
        )

    def _column(self, node: exp.Column) -> Sort:
        if len(node.parts) > 1 or node.this.args.get("quoted"):
            raise _refused(node, "列名前后不要加别的。", "a column is its bare name.")
        if self.columns is None:
            return "null"
        if node.name not in self.columns:
            zh, en = f"表“{self.table}”没有“{node.name}”这一列", f"the table “{self.table}” has no column “{node.name}”"
            near = nearest(node.name, self.columns)
            raise _refused(node, f"{zh}{near.zh}", f"{en}{near.en}")
        return self.columns[node.name]

    def _logical(self, node: exp.Expr) -> Sort:
        for side in (node.this, node.args.get("expression")):
            if side is not None:
                self._want(side, "bool")
        return "bool"

    def _compared(self, node: exp.Expr) -> Sort:
        if isinstance(node, exp.In):
            if node.args.get("query") or node.args.get("unnest") or node.args.get("field"):
                raise _refused(node, "in 后面只能列出常数。", "only literals can follow “in”.")
            sides = [node.this, *node.expressions]
        elif isinstance(node, exp.Between):
            sides = [node.this, node.args["low"], node.args["high"]]
        else:
            sides = [node.this, node.expression]
        self._alike(node, sides)
        return "bool"

    def _number(self, node: exp.Expr) -> Sort:
        for side in (node.this, node.args.get("expression")):
            if side is not None:
                self._want(side, "number")
        return "number"

    def _want(self, node: exp.Expr, *wanted: Sort) -> None:
        found = self.read(node)
        if self.columns is None or found in (*wanted, "null"):
            return
        if found == "text" and {"date", "moment"} & set(wanted) and isinstance(node, exp.Literal):
            _dated(node)
            return
        (zh, en), (was_zh, was_en) = _NAMES[wanted[0]], _NAMES[found]
        raise _refused(node, f"“{node.sql('duckdb')}”是{was_zh}，这里要的是{zh}。",
                       f"“{node.sql('duckdb')}” is {was_en}; {en} is wanted here.")  # fmt: skip

    def _alike(self, node: exp.Expr, sides: list[exp.Expr]) -> Sort:
        sorts = [self.read(side) for side in sides]
        if self.columns is None:
            return "null"
        told = [sort for sort in sorts if sort != "null"]
        dated = next((sort for sort in told if sort in {"date", "moment"}), None)
        for side, sort in zip(sides, sorts, strict=True):
            if dated and sort == "text" and isinstance(side, exp.Literal):
                _dated(side)
            elif sort not in ("null", told[0]) and not {sort, told[0]} <= {"date", "moment", "text"}:
                raise self._unlike(node, told[0], sort)
            elif dated and sort == "text":
                raise self._unlike(node, dated, sort)
        return dated or (told[0] if told else "null")

    def _unlike(self, node: exp.Expr, one: Sort, other: Sort) -> Unsayable:
        (a_zh, a_en), (b_zh, b_en) = _NAMES[one], _NAMES[other]
        said = node.sql("duckdb")
        return _refused(node, f"“{said}”拿{a_zh}和{b_zh}比。", f"“{said}” compares {a_en} with {b_en}.")


def _dated(node: exp.Expr) -> Sort:
    try:
        date.fromisoformat(node.name)
    except ValueError as error:
        zh, en = f"“{node.name}”不是日期，应如 '2026-11-22'。", f"“{node.name}” is no date such as '2026-11-22'."
        raise _refused(node, zh, en) from error
    return "date"


def _settled(tree: exp.Expr, columns: Columns) -> exp.Expr:
    """The tree so that every dialect reads it alike: dates are dates, and what divides by nothing is null."""

    def settle(node: exp.Expr) -> exp.Expr:
        node.pop_comments()
        if isinstance(node, exp.DateDiff):
            for side in ("this", "expression"):
                node.set(side, exp.cast(node.args[side].copy(), "date"))
        if isinstance(node, exp.Div):
            node.set("expression", exp.func("nullif", node.expression.copy(), exp.Literal.number(0)))
        if isinstance(node, exp.Column):
            return exp.column(node.name, quoted=True)
        if isinstance(node, exp.Literal) and node.is_string and _beside_a_date(node, columns):
            return exp.cast(node.copy(), "date")
        return node

    return tree.copy().transform(settle)


def _beside_a_date(node: exp.Expr, columns: Columns) -> bool:
    above = node.parent
    if not isinstance(above, (*_COMPARED, exp.Between, exp.In, exp.DateDiff, exp.Coalesce)):
        return False
    beside = [part for part in above.iter_expressions() if isinstance(part, exp.Column | exp.Coalesce)]
    return any(columns.get(part.name) in {"date", "moment"} for one in beside for part in one.find_all(exp.Column))
