"""Everything declared, in the package and in every pack, tests itself; what is broken is refused where it stands."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from anlan.casework.routing import ROUTING
from anlan.index.counting.rates import SHARES, rate
from anlan.intake.channel import CHANNELS, Channel, told_in
from anlan.intake.reading import Understood, understand
from anlan.intake.topic import TOPICS, propose
from anlan.kernel import catalogue
from anlan.kernel.calendar_spec import CALENDARS, CalendarSpec
from anlan.kernel.catalogue import PACKAGE, Catalogue, Declaration, Kind
from anlan.kernel.workdays import calendar_for
from anlan.places.role import ACTIONS, ROLES
from anlan.presentation import checks
from anlan.presentation.commands.main import app
from anlan.presentation.web.settings.declared import grounds
from howto import page
from walking import START

PACKS = sorted(path for path in (PACKAGE.parents[1] / "packs").iterdir() if path.is_dir())
EVERYTHING = Catalogue([PACKAGE, *PACKS])
TREE = page("add-a-procedure").declaration().body
TOWN = page("add-a-town").declaration().body
TABLE = """
key = "mine"
title = { zh = "本地分流表", en = "Our routing" }

[[rows]]
topics = ["parking"]
areas = ["990201"]
site_kinds = ["road"]
procedure = "incident"
lead = "tinglan.rescue"
lengths = { handle = 2.0 }
"""
ROLE = """
key = "guard"
title = { zh = "门卫", en = "Guard" }
summary = { zh = "看门。", en = "Keeps the door." }
reach = "area"
actions = ["reports.receive"]
"""
SHARE = """
key = "hungShare"
title = { zh = "挂账比例", en = "Share hung" }
summary = { zh = "挂账数 ÷ 上报数", en = "Hung over reported" }
numerator = ["hung"]
denominator = ["reported"]
better = "down"
basis = { source = "本地规定", mark = "U", checked_on = 2026-11-22 }
"""
CALENDAR = """
key = "late"
title = { zh = "晚班", en = "Late shift" }
time_zone = "Asia/Shanghai"
shifts = [["13:00", "21:00"]]
"""
INDEX = """
key = "mine"
title = { zh = "我的指数", en = "Mine" }
basis = { source = "本地规定", mark = "U", checked_on = 2026-11-22 }
heads = [
  { key = "safe", title = { zh = "平安", en = "Safe" } },
  { key = "fire", title = { zh = "消防", en = "Fire" }, parent = "safe" },
  { key = "quiet", title = { zh = "安宁", en = "Quiet" } },
]

[[columns]]
key = "fires"
title = { zh = "火警", en = "Fires" }
parent = "fire"
better = "down"
weight = 2.0
score = { low = 9.0, high = 0.0 }

[[columns]]
key = "calls"
title = { zh = "警情", en = "Calls" }
parent = "quiet"
"""
LEAF = (PACKAGE / "index/indicators/D1-01.toml").read_text(encoding="utf-8")
ALIKE = (PACKAGE / "intake/likeness/same_thing.toml").read_text(encoding="utf-8")


@pytest.fixture
def everything() -> Iterator[Catalogue]:
    with catalogue.using(PACKS) as known:
        yield known


def each(kind: Kind[Any]) -> list[Any]:
    return [pytest.param(declared, id=key) for key, declared in EVERYTHING.all(kind).items()]


def check(pack: Path) -> Result:
    """`anlan check` of one pack, which has the small town of the page beside what is put there."""
    put(pack.parent, "towns/tinglan.toml", TOWN)
    with catalogue.using([]):
        return CliRunner().invoke(app, ["check", "--pack", str(pack)])


def put(folder: Path, name: str, text: str) -> Path:
    """A pack in `folder` with one file."""
    path = folder / "mine" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return folder / "mine"


# ---------------------------------------------------------------- what is shipped


def test_nothing_is_wrong_in_the_package_and_all_packs_together(everything: Catalogue) -> None:
    assert [problem.sentence.en for problem in checks.problems(everything)] == []


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.name)
def test_every_pack_stands_alone(pack: Path) -> None:
    with catalogue.using([pack]) as known:
        assert [problem.sentence.en for problem in checks.problems(known)] == []


@pytest.mark.parametrize("kind", checks.KINDS, ids=lambda kind: kind.folder)
def test_of_every_kind_something_is_declared_and_speaks_both_languages(kind: Kind[Declaration]) -> None:
    declared = EVERYTHING.all(kind)
    assert declared
    for key, one in declared.items():
        title = getattr(one, "title")  # noqa: B009 - every kind has one, the base has not
        assert title.zh.strip(), key
        assert title.en.strip(), key
        assert title.zh != title.en, key


@pytest.mark.parametrize("topic", each(TOPICS))
def test_a_topic_is_proposed_for_its_own_examples(topic: Any, everything: Catalogue) -> None:
    assert [propose(everything.all(TOPICS), sentence, most=1) for sentence in topic.examples] == (
        [[topic.key]] * len(topic.examples)
    )


@pytest.mark.parametrize("channel", each(CHANNELS))
def test_a_channel_reads_one_example_and_refuses_another(channel: Channel, everything: Catalogue) -> None:
    told = [understand(channel, told_in(channel, example), at=checks.LATER) for example in channel.examples]
    assert [isinstance(read, Understood) for read in told] == [not example.refused for example in channel.examples]
    assert {example.refused for example in channel.examples} == {True, False}
    assert channel.action in ACTIONS


@pytest.mark.parametrize("table", each(ROUTING))
def test_every_row_of_a_table_can_be_reached(table: Any) -> None:
    """No row stands behind one that fits whatever it fits."""
    rows = [(set(row.topics), set(row.areas), set(row.site_kinds)) for row in table.rows]
    for number, later in enumerate(rows):
        for earlier in rows[:number]:
            pairs = zip(earlier, later, strict=True)
            hidden = all(not wide or (bool(narrow) and narrow <= wide) for wide, narrow in pairs)
            assert not hidden, f"{table.key}: row {number} is never reached"


@pytest.mark.parametrize("role", each(ROLES))
def test_only_a_certified_role_compels(role: Any) -> None:
    assert role.certified or not role.compels
    assert role.actions or role.area_actions


@pytest.mark.parametrize("calendar", each(CALENDARS))
def test_a_calendar_works_and_rests(calendar: CalendarSpec, everything: Catalogue) -> None:
    runtime = calendar_for(calendar.key)
    due = runtime.add(START, 5, "working_days")
    assert due.at > START
    assert runtime.between(START, due.at, "working_minutes") > 0


def test_every_ground_is_told_in_english_too() -> None:
    told = {
        ground.source.en for kind in checks.KINDS for declared in EVERYTHING.all(kind).values()
        for ground in grounds(declared)
    }  # fmt: skip
    assert len(told) > 50
    assert [words for words in told if re.search(r"[\u4e00-\u9fff]", words)] == []


@pytest.mark.parametrize("share", each(SHARES))
def test_a_declared_share_is_between_nothing_and_all(share: Any) -> None:
    columns = {column.removeprefix("-") for column in (*share.numerator, *share.denominator)}
    nothing = rate(share, dict.fromkeys(columns, 0))
    assert (nothing.value, nothing.denominator) == (None, 0)
    assert share.basis.source


# ---------------------------------------------------------------- what is broken


CUT = ', but_not = ["cut"] }'
EXAMPLE = TREE[TREE.index("[[example]]") :]
BROKEN = [
    # a procedure: what is right, what is written, where it is told, and a part of what is told
    (TREE, 'to = "safe"', 'to = "cutting"', "steps.check", "in a circle", "兜圈子"),
    (TREE, 'to = "refused"', 'to = "cutting"', "steps.refused", "no act leads", "没有任何动作能走到"),
    (TREE, CUT, " }", "acts.confirm", "could also verify", "自己也能核查"),
    (TREE, "summary =", "sumary =", "sumary", "did you mean “summary”?", "是否想写“summary”？"),
    (TREE, '["grid_worker"', '["grid_walker"', "steps.check.owner", "did you mean “grid_worker”?", "“grid_worker”"),
    (TREE, 'tell = ["handler"', 'tell = ["handeler"', "handle.ladder.tell", "mean “handler”?", "“handler”"),
    (TREE, 'owner = { roles = ["dispatcher"] }', "", "steps.told", "who answers for it", "由谁负责"),
    (TREE, '"working_days"', '"workdays"', "clocks.handle.length.unit", "one of", "只能是"),
    (TREE, 'stage = "after"', 'stage = "later"', "acts.cut.photos.stage", "one of", "只能是"),
    (TREE, '"rework"', '"merge"', "acts.again.fields", "needs a required field 'case'", "必填的“case”"),
    (TREE, 'type = "department"', 'type = "text"', "acts.dispatch.fields", "must be department", "应为 department"),
    (TREE, 'type = "longtext"', 'type = "choice"', "refuse.fields.reason", "lists its choices", "列出 choices"),
    (TREE, 'again = "anew"', 'due_field = "day"', "verify.due_field", "asks for a date", "没有哪个动作要填日期"),
    (TREE, 'act = "cut"', 'act = "confirm"', "example[1]", "cannot be done", "还不能"),
    (TREE, EXAMPLE, "", "", "No [[example]]", "没有写示例"),
    # a routing table
    (TABLE, '"incident"', '"incidant"', "rows[0].procedure", "did you mean “incident”?", "“incident”"),
    (TABLE, '"parking"', '"parkin"', "rows[0].topics", "did you mean “parking”?", "“parking”"),
    (TABLE, '"tinglan.rescue"', '"99"', "rows[0].lead", "There is no department “99”.", "没有部门“99”。"),
    (TABLE, '"990201"', '"99"', "rows[0].areas", "There is no area “99”.", "没有辖区“99”。"),
    (TABLE, '"road"', '"raod"', "rows[0].site_kinds", "did you mean “road”?", "“road”"),
    (TABLE, "handle =", "handel =", "rows[0].lengths", "did you mean “handle”?", "“handle”"),
    # the rest
    (ROLE, "reports.receive", "reports.recieve", "actions", "no such action: reports.recieve", "没有这样的权限"),
    (SHARE, '["hung"]', '["hanged"]', "numerator", "There is no such count: hanged", "没有这样的计数"),
    (CALENDAR, '"13:00"', '"25:00"', "shifts", "not a time", "不是 00:00 到 24:00"),
    (INDEX, '"Safe" } }', '"Safe" }, parent = "fire" }', "heads[0].parent", "safe → fire → safe", "绕成了圈"),
    (INDEX, "weight = 2.0", "weight = 0.0", "weights", "The weights under “fire” sum to 0.", "权重之和为 0"),
    (INDEX, 'parent = "quiet"', 'parent = "quite"', "columns[1].parent", "did you mean “quiet”?", "“quiet”"),
    (INDEX, "low = 9.0, high = 0.0", "low = 0.0, high = 9.0", "columns[0].score", "no points are at 0", "矛盾"),
    (LEAF, 'parent = "D1"', 'parent = "D9"', "parent", "There is no head “D9”; did you mean “D", "没有指标类“D9”"),
    (ALIKE, "likely = true", "likely = false", "examples[0]", "not as `likely` says", "与示例的 likely 不符"),
    (ALIKE, "day = -0.5", "day = 0.5", "weights.day", "Must be at most 0", "不能大于 0"),
]
FOLDERS = {
    TREE: "procedures",
    TABLE: "routing",
    ROLE: "roles",
    SHARE: "shares",
    CALENDAR: "calendars",
    INDEX: "indices",
    LEAF: "indicators",
    ALIKE: "likeness",
}


@pytest.mark.parametrize("text", FOLDERS, ids=FOLDERS.values())
def test_each_of_the_files_broken_below_is_whole_before(text: str, tmp_path: Path) -> None:
    done = check(put(tmp_path, f"{FOLDERS[text]}/one.toml", text))
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(("text", "right", "wrong", "where", "en", "zh"), BROKEN, ids=[row[2][:20] for row in BROKEN])
def test_a_broken_file_is_refused_with_file_place_and_reason_in_both_languages(
    text: str, right: str, wrong: str, where: str, en: str, zh: str, tmp_path: Path
) -> None:
    assert right in text
    done = check(put(tmp_path, f"{FOLDERS[text]}/one.toml", text.replace(right, wrong, 1)))
    assert done.exit_code == 2, done.output
    lines = [line for line in done.output.splitlines() if f"mine/{FOLDERS[text]}/one.toml" in line and where in line]
    assert any(en in line for line in lines), done.output
    assert any(zh in line for line in lines), done.output
    assert "Traceback" not in done.output


def test_a_topic_above_itself_is_refused(tmp_path: Path) -> None:
    loop = 'key = "{key}"\ntitle = {{ zh = "甲", en = "A" }}\nparent = "{parent}"\n'
    put(tmp_path, "topics/a.toml", loop.format(key="a", parent="b"))
    done = check(put(tmp_path, "topics/b.toml", loop.format(key="b", parent="a")))
    assert done.exit_code == 2
    assert "cannot be above it too" in done.output


def test_a_file_in_a_folder_nobody_reads_is_refused_with_the_likely_one(tmp_path: Path) -> None:
    done = check(put(tmp_path, "procedure/one.toml", TREE))
    assert done.exit_code == 2
    assert "did you mean “procedures”?" in done.output


# ---------------------------------------------------------------- for editors


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which `anlan check` has written the schemas."""
    folder = tmp_path_factory.mktemp("schemas")
    with catalogue.using([]):
        done = CliRunner().invoke(app, ["check", "--schemas", str(folder)])
    assert done.exit_code == 0, done.output
    return folder


@pytest.mark.parametrize("kind", checks.KINDS, ids=lambda kind: kind.folder)
def test_the_schema_of_a_kind_knows_every_key_of_every_file(kind: Kind[Declaration], schemas: Path) -> None:
    schema = json.loads((schemas / f"{kind.folder}.schema.json").read_text("utf-8"))
    assert not schema["additionalProperties"]
    assert {"key", "title"} <= set(schema["required"])
    for key in EVERYTHING.all(kind):
        written = tomllib.loads(EVERYTHING.origin(kind, key).read_text("utf-8-sig"))
        assert strangers(written, schema, schema) == [], key


def strangers(value: Any, schema: dict[str, Any], whole: dict[str, Any]) -> list[str]:
    """The keys in `value` that the schema does not know at their place."""
    if "$ref" in schema:
        return strangers(value, whole["$defs"][schema["$ref"].rpartition("/")[2]], whole)
    if "anyOf" in schema:
        return min((strangers(value, one, whole) for one in schema["anyOf"]), key=len)
    if isinstance(value, dict):
        known, others = schema.get("properties", {}), schema.get("additionalProperties", False)
        unknown = [key for key in value if key not in known and not others]
        below = [(value[key], known.get(key, others)) for key in value if key not in unknown]
        deeper = [stray for inner, one in below if isinstance(one, dict) for stray in strangers(inner, one, whole)]
        return unknown + deeper
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        return [stray for inner in value for stray in strangers(inner, schema["items"], whole)]
    return [] if matches(value, schema) else [repr(value)]


def matches(value: Any, schema: dict[str, Any]) -> bool:
    """Whether a value may be of the schema's type, as far as TOML and JSON have the same types."""
    kinds: dict[str, Any] = {
        "string": str,
        "array": list,
        "boolean": bool,
        "integer": int,
        "number": (int, float),
        "object": dict,
    }
    wanted = kinds.get(schema.get("type", ""))
    return wanted is None or isinstance(value, wanted) or schema.get("format") in ("date", "time")
