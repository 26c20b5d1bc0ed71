"""The data dictionary: every fact table with its columns, where its files lie, and how to open them with other tools.

It is made from the declarations, so that it cannot say other than what is exported.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from anlan.facts import manifest
from anlan.facts.manifest import Held, Manifest
from anlan.facts.store import Store
from anlan.facts.table import PRIVACY, TABLES, TYPES, FactTable
from anlan.facts.table import Column as FactColumn
from anlan.kernel import catalogue
from anlan.kernel.text import Refusal, Text
from anlan.presentation import facts
from anlan.presentation.permissions import NotFound, needs
from anlan.presentation.web import counted
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.lists import Column, table

TITLE: Final = Text(zh="事实表", en="Facts")
NO: Final = Text(zh="否", en="No")
YES: Final = Text(zh="是", en="Yes")
THE_TABLES: Final = Text(zh="同本表", en="The table's")
AS_LONG: Final = Text(zh="与台账同期", en="As long as the ledger")
_SPARK: Final = """from pyspark.sql import SparkSession
rows = SparkSession.builder.getOrCreate().read.parquet("{folder}")
rows.show()"""
OPEN: Final[tuple[tuple[str, str], ...]] = (
    ("DuckDB", "import duckdb\nrows = duckdb.sql(\"FROM read_parquet('{files}')\")\nprint(rows)"),
    ("pandas", 'import pandas\nrows = pandas.read_parquet("{folder}")\nprint(rows.describe())'),
    ("Spark", _SPARK),
)


def tables() -> list[FactTable]:
    """Every declared table, as they stand in a list."""
    return sorted(catalogue.current().all(TABLES).values(), key=lambda declared: (declared.order, declared.key))


def lying() -> tuple[Store | None, Manifest | None, Text | None]:
    """Where facts lie, what lies there, and what is wrong where that cannot be read."""
    try:
        store = facts.store()
        return store, manifest.read(store), None
    except Refusal as refusal:
        return None, None, refusal.text


@needs(counted.ACTION)
def index(request: Asked) -> HttpResponse:
    """Every table, with how much of it there is."""
    _, now, trouble = lying()
    held = {} if now is None else now.tables
    columns = (
        Column(Text(zh="表", en="Table"), lambda each: each.title, sub=lambda each: each.key),
        Column(Text(zh="一行是", en="A row is"), lambda each: each.grain),
        Column(Text(zh="列", en="Columns"), lambda each: len(each.columns), css="num"),
        Column(Text(zh="行", en="Rows"), lambda each: _rows(held.get(each.key)), css="num"),
        Column(Text(zh="月份", en="Months"), lambda each: _months(each, held.get(each.key))),
    )
    shown = table(
        tables(), columns, caption=TITLE, url=lambda each: reverse("fact_table", args=[each.key]), quiet_caption=True
    )
    said = {
        "title": TITLE, "table": shown, "now_held": now, "cut_off": _cut_off(now), "trouble": trouble,
        "tabs": counted.tabs(request, "facts"),
    }  # fmt: skip
    return render(request, "facts/list.html", said)


@needs(counted.ACTION)
def one(request: Asked, key: str) -> HttpResponse:
    """One table: its columns, and three lines to open it in each of three tools."""
    declared = catalogue.current().all(TABLES).get(key)
    if declared is None:
        raise NotFound
    store, now, trouble = lying()
    held = now.tables.get(key) if now is not None else None
    folder = f"{store.shown if store else '…'}/{key}"
    files = f"{folder}/part-0.parquet" if declared.snapshot else f"{folder}/*/part-0.parquet"
    said = {
        "title": declared.title, "declared": declared, "table": _columns(declared), "trouble": trouble,
        "facts": _facts(declared, held, now, folder),
        "openings": [(tool, lines.format(files=files, folder=folder)) for tool, lines in OPEN],
        "crumbs": [(TITLE, reverse("facts")), (declared.title, "")],
    }  # fmt: skip
    return render(request, "facts/one.html", said)


def _columns(declared: FactTable) -> object:
    columns = (
        Column(Text(zh="列", en="Column"), lambda each: each.title, sub=lambda each: each.key),
        Column(Text(zh="含义", en="Meaning"), lambda each: each.summary or ""),
        Column(Text(zh="类型", en="Type"), lambda each: TYPES[each.type]),
        Column(Text(zh="单位", en="Unit"), lambda each: each.unit or ""),
        Column(Text(zh="可空", en="Null"), lambda each: YES if each.null else NO),
        Column(Text(zh="密级", en="Privacy"), lambda each: PRIVACY[each.privacy]),
        Column(Text(zh="保留", en="Kept"), _kept),
        Column(Text(zh="来自事件", en="From events"), lambda each: ", ".join(each.events) or THE_TABLES),
    )
    return table(declared.columns, columns, caption=Text(zh="各列", en="Columns"), wide=True, quiet_caption=True)


def _kept(column: FactColumn) -> Text:
    months = column.keep_months
    return Text(zh=f"{months} 个月", en=f"{months} months") if months else AS_LONG


def _facts(declared: FactTable, held: Held | None, now: Manifest | None, folder: str) -> list[tuple[Text, object]]:
    return [
        (Text(zh="一行是", en="A row is"), declared.grain),
        (Text(zh="行数", en="Rows"), _rows(held)),
        (Text(zh="月份", en="Months"), _months(declared, held)),
        (Text(zh="按哪一列归月", en="Month by"), declared.month),
        (Text(zh="判定用的数", en="Measures"), ", ".join(f"{key} = {value:g}" for key, value in
                                                   declared.numbers.items())),
        (Text(zh="文件所在", en="Files lie in"), folder),
        (Text(zh="来自事件", en="From events"), ", ".join(declared.events)),
        (Text(zh="台账截至", en="Ledger up to"), _cut_off(now)),
    ]  # fmt: skip


def _cut_off(now: Manifest | None) -> datetime | None:
    return datetime.fromisoformat(now.cut_off) if now is not None and now.cut_off else None


def _rows(held: Held | None) -> object:
    return Text(zh="未导出", en="not exported") if held is None else held.rows


def _months(declared: FactTable, held: Held | None) -> object:
    if held is None or not held.rows:
        return ""
    if declared.snapshot:
        return Text(zh="现状", en="as it is now")
    months = sorted(name.partition("month=")[2][:7] for name in held.files)
    if len(months) == 1:
        return months[0]
    return Text(
        zh=f"{months[0]} 至 {months[-1]}，共 {len(months)} 个月",
        en=f"{months[0]} to {months[-1]}, {len(months)} months",
    )
