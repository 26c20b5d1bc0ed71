"""Conditions of indicators: what can be said is said alike in both dialects; the rest is refused with its place."""

from __future__ import annotations

from typing import Final

import duckdb
import pytest

from anlan.index.counting.expression import Columns, Fined, Unsayable, condition, names, refuse_fines

CASES: Final[Columns] = {
    "topic_root": "text",
    "valid": "bool",
    "opened_date": "date",
    "closed_date": "date",
    "opened_at": "moment",
    "minutes": "number",
    "returns": "number",
}
SAYABLE = [
    ("topic_root = 'fire' and valid", "`topic_root` = 'fire' AND `valid`"),
    ("topic_root in ('fire', 'gas') or not valid", "`topic_root` IN ('fire', 'gas') OR NOT `valid`"),
    ("closed_date is not null", "NOT `closed_date` IS NULL"),
    ("opened_date >= '2026-01-01'", "`opened_date` >= CAST('2026-01-01' AS DATE)"),
    ("opened_at < date '2026-01-01'", "`opened_at` < CAST('2026-01-01' AS DATE)"),
    (
        "opened_date between '2026-01-01' and '2026-01-31'",
        "`opened_date` BETWEEN CAST('2026-01-01' AS DATE) AND CAST('2026-01-31' AS DATE)",
    ),
    (
        "date_diff('day', opened_date, closed_date) <= 3",
        "DATEDIFF(DAY, CAST(`opened_date` AS DATE), CAST(`closed_date` AS DATE)) <= 3",
    ),
    ("minutes / returns / 2 > 1.5", "`minutes` / NULLIF(`returns`, 0) / NULLIF(2, 0) > 1.5"),
    ("coalesce(minutes, 0) + abs(-returns) * 2 - 1 <> 4", "COALESCE(`minutes`, 0) + ABS(-`returns`) * 2 - 1 <> 4"),
    ("lower(topic_root) = 'fire' /* for now */", "LOWER(`topic_root`) = 'fire'"),
    ("", "TRUE"),
]
UNSAYABLE = [
    ("valid and\n  regexp_matches(topic_root, 'f')", "第 2 行", "“REGEXP_MATCHES(topic_root, 'f')” cannot stand here"),
    ("random() > 1", "不能写“RANDOM()”", "cannot stand here"),
    ("minutes > (select 1)", "不能写“(SELECT 1)”", "cannot stand here"),
    ("topic_root in (select 1)", "只能列出常数", "only literals"),
    ("topic_root like 'f%'", "不能写", "cannot stand here"),
    ("case when valid then 1 end = 1", "不能写“CASE", "cannot stand here"),
    ("minutes::text = '1'", "不能写“CAST", "cannot stand here"),
    ("count(*) > 1", "不能写“COUNT(*)”", "cannot stand here"),
    ("cases.valid", "列名前后不要加", "bare name"),
    ("valid; drop table cases", "只能写一个条件", "Only one condition"),
    ("valid and (", "第 1 行第 11 个字符", "cannot be read"),
    ("topic_root = 'fire", "看不懂", "cannot be read"),
    ("date_diff('month', opened_date, closed_date) > 1", "只能按 'day' 计", "'day' only"),
    ("vaild", "没有“vaild”这一列，是否想写“valid”？", "did you mean “valid”?"),
    ("minutes = 'three'", "拿数和文字比", "compares a number with words"),
    ("opened_date = 3", "拿日期和数比", "compares a date with a number"),
    ("opened_date > topic_root", "拿日期和文字比", "compares a date with words"),
    ("opened_date > '2026-02-30'", "“2026-02-30”不是日期", "is no date"),
    ("minutes + topic_root > 1", "第 1 行第 11 个字符：“topic_root”是文字，这里要的是数", "is words; a number"),
    ("minutes", "结果是数，应为是或否", "true or false"),
    ("valid and minutes", "“minutes”是数，这里要的是是或否", "is a number; true or false"),
]


@pytest.mark.parametrize(("text", "spark"), SAYABLE)
def test_a_condition_is_written_for_spark(text: str, spark: str) -> None:
    assert condition(text, CASES).sql("spark") == spark


@pytest.mark.parametrize("text", [text for text, _ in SAYABLE])
def test_duckdb_reads_what_is_written_for_it(text: str) -> None:
    columns = {"text": "VARCHAR", "number": "DOUBLE", "bool": "BOOLEAN", "date": "DATE", "moment": "TIMESTAMP"}
    made = ", ".join(f"{name} {columns[sort]}" for name, sort in CASES.items())
    bare = duckdb.connect()
    bare.execute(f"CREATE TABLE cases ({made})")
    assert bare.table("cases").filter(condition(text, CASES).sql("duckdb")).fetchall() == []


@pytest.mark.parametrize(("text", "zh", "en"), UNSAYABLE)
def test_what_cannot_be_said_is_refused_in_both_languages_with_its_place(text: str, zh: str, en: str) -> None:
    with pytest.raises(Unsayable) as refused:
        condition(text, CASES, table="cases")
    assert zh in refused.value.text.zh
    assert en in refused.value.text.en


def test_without_columns_the_grammar_alone_is_asked() -> None:
    assert names(condition("nobody = 'knows' and this > 3")) == {"nobody", "this"}
    with pytest.raises(Unsayable):
        condition("eval(nobody)")


@pytest.mark.parametrize("text", ["罚款金额", "罚没收入", "没收所得", "fines paid", "fine_amount > 3", "Confiscated"])
def test_fines_are_refused_with_the_law(text: str) -> None:
    with pytest.raises(Fined) as refused:
        refuse_fines("案件数", text)
    assert "《行政处罚法》第七十四条" in refused.value.text.zh
    assert "article 74" in refused.value.text.en


def test_what_only_sounds_like_a_fine_is_not_one() -> None:
    refuse_fines("细颗粒物浓度", "fine particles", "finished", "defined", "confined")
