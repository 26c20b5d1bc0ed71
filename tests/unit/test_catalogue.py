"""Declarations are found by folder, overridden by packs, and refused with file, field and reason."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from anlan.kernel import catalogue
from anlan.kernel.catalogue import Basis, Catalogue, Declaration, DeclarationError, Kind, Undeclared
from anlan.kernel.refusals import Misdeclared
from anlan.kernel.text import Refusal, Text


class Slice(BaseModel):
    model_config = ConfigDict(extra="forbid")
    weight: int = Field(gt=0)
    colour: Literal["red", "green"] = "red"


class Fruit(Declaration):
    title: Text
    edition: str = ""
    slices: dict[str, list[Slice]] = {}
    best: Slice | None = None
    ripe_on: date | None = None

    @property
    def identity(self) -> str:
        return f"{self.key}@{self.edition}" if self.edition else self.key

    @field_validator("edition")
    @classmethod
    def _known(cls, edition: str) -> str:
        if edition == "never":
            raise Misdeclared("没有这一版。", "There is no such edition.")
        if edition == "stop":
            raise Refusal("不行。", "No.", field="edition")
        return edition


FRUITS = Kind("fruits", Fruit)
PLAIN = 'key = "{key}"\ntitle = {{ zh = "{zh}", en = "x" }}\n'


def put(root: Path, name: str, text: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def refused(root: Path, text: str) -> DeclarationError:
    put(root, "fruits/pear.toml", text)
    with pytest.raises(DeclarationError) as caught:
        Catalogue([root]).all(FRUITS)
    return caught.value


def test_files_are_found_by_the_folder_they_lie_in_at_any_depth(tmp_path: Path) -> None:
    put(tmp_path, "fruits/pear.toml", PLAIN.format(key="pear", zh="梨"))
    deep = put(tmp_path, "orchard/north/fruits/plum.toml", PLAIN.format(key="plum", zh="李"))
    put(tmp_path, "orchard/stones/flint.toml", "key = 1")
    shelf = Catalogue([tmp_path])
    assert set(shelf.all(FRUITS)) == {"pear", "plum"}
    assert shelf.get(FRUITS, "plum").title.zh == "李"
    assert shelf.origin(FRUITS, "plum") == deep


def test_a_later_pack_overrides_by_identity_and_keeps_the_rest(tmp_path: Path) -> None:
    put(tmp_path, "one/fruits/pear.toml", PLAIN.format(key="pear", zh="梨"))
    put(tmp_path, "one/fruits/plum.toml", PLAIN.format(key="plum", zh="李"))
    mine = put(tmp_path, "two/fruits/other_name.toml", PLAIN.format(key="pear", zh="雪梨"))
    shelf = Catalogue([tmp_path / "one", tmp_path / "two"])
    assert {key: fruit.title.zh for key, fruit in shelf.all(FRUITS).items()} == {"pear": "雪梨", "plum": "李"}
    assert shelf.origin(FRUITS, "pear") == mine


def test_editions_of_one_key_stand_side_by_side(tmp_path: Path) -> None:
    for edition in ("1", "2"):
        put(tmp_path, f"fruits/pear{edition}.toml", PLAIN.format(key="pear", zh="梨") + f'edition = "{edition}"\n')
    assert set(Catalogue([tmp_path]).all(FRUITS)) == {"pear@1", "pear@2"}


def test_the_same_identity_twice_in_one_root_is_refused_naming_both_files(tmp_path: Path) -> None:
    put(tmp_path, "fruits/pear.toml", PLAIN.format(key="pear", zh="梨"))
    put(tmp_path, "north/fruits/pear.toml", PLAIN.format(key="pear", zh="梨"))
    problem = Catalogue([tmp_path]).problems()[0]
    assert problem.path.parts[1:] == ("north", "fruits", "pear.toml")
    assert str(Path("fruits/pear.toml")) in problem.reason.zh
    assert "already declared" in problem.reason.en


def test_a_misspelt_key_is_told_once_with_the_likely_one(tmp_path: Path) -> None:
    error = refused(tmp_path, 'key = "pear"\ntitel = { zh = "梨", en = "Pear" }\n')
    assert [problem.field for problem in error.problems] == ["titel"]
    assert "没有“titel”这个键，是否想写“title”？" in error.text.zh
    assert "did you mean “title”?" in error.text.en
    assert "pear.toml" in error.text.en


def test_a_misspelt_key_deep_inside_is_told_with_its_dotted_path(tmp_path: Path) -> None:
    error = refused(tmp_path, PLAIN.format(key="pear", zh="梨") + "[[slices.big]]\nweigth = 3\n")
    assert [problem.field for problem in error.problems] == ["slices.big.0.weigth"]
    assert "“weight”" in error.text.zh


def test_a_misspelt_key_under_an_optional_table_is_understood(tmp_path: Path) -> None:
    error = refused(tmp_path, PLAIN.format(key="pear", zh="梨") + "[best]\nweight = 3\ncolor = 'red'\n")
    assert error.problems[0].field == "best.color"
    assert "“colour”" in error.text.en


def test_every_mistake_of_a_file_is_told_in_both_languages(tmp_path: Path) -> None:
    wrong = 'key = "p ear"\nripe_on = 3.5\n[[slices.big]]\nweight = 0\ncolour = "blue"\n'
    told = {problem.field: problem.reason for problem in refused(tmp_path, wrong).problems}
    assert told["title"] == Text(zh="缺少这一项。", en="This key is missing.")
    assert told["slices.big.0.weight"] == Text(zh="应大于 0。", en="Must be more than 0.")
    assert told["slices.big.0.colour"] == Text(zh="只能是 'red'、'green' 之一。", en="Must be one of 'red' or 'green'.")
    assert set(told) == {"key", "title", "ripe_on", "slices.big.0.weight", "slices.big.0.colour"}


def test_a_reason_from_a_vocabulary_is_told_as_written(tmp_path: Path) -> None:
    error = refused(tmp_path, PLAIN.format(key="pear", zh="梨") + 'edition = "never"\n')
    assert error.problems[0].reason == Text(zh="没有这一版。", en="There is no such edition.")
    assert error.field == "edition"
    error = refused(tmp_path, PLAIN.format(key="pear", zh="梨") + 'edition = "stop"\n')
    assert (error.field, error.problems[0].reason.en) == ("edition", "No.")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('key = "pear"\ntitle = pear\n', 2, "引号"),
        ('key = "pear"\nkey = "plum"\n', 2, "两次"),
        ('key = "pear"\n\ntitle "x"\n', 3, "等号"),
        ('key = "pear\n', 1, "引号"),
        ('key = "pear"\nripe_on = 2026-13-01\n', 2, ""),
    ],
)
def test_a_toml_mistake_is_told_with_its_line(tmp_path: Path, text: str, line: int, words: str) -> None:
    error = refused(tmp_path, text)
    assert f"第 {line} 行" in error.text.zh
    assert words in error.text.zh
    assert f"Line {line} " in error.text.en


def test_a_file_in_gbk_is_refused_with_the_line_and_what_to_do(tmp_path: Path) -> None:
    put(tmp_path, "fruits/pear.toml", "").write_bytes('key = "pear"\n# 梨\n'.encode("gbk"))
    with pytest.raises(DeclarationError, match="第 2 行不是 UTF-8"):
        Catalogue([tmp_path]).all(FRUITS)


def test_a_file_saved_by_windows_notepad_is_read(tmp_path: Path) -> None:
    text = PLAIN.format(key="pear", zh="梨").replace("\n", "\r\n")
    put(tmp_path, "fruits/pear.toml", "").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert "pear" in Catalogue([tmp_path]).all(FRUITS)


def test_an_unknown_key_is_refused_with_the_nearest_known(tmp_path: Path) -> None:
    put(tmp_path, "fruits/pear.toml", PLAIN.format(key="pear", zh="梨"))
    with pytest.raises(Undeclared, match="是否想写“pear”") as caught:
        Catalogue([tmp_path]).get(FRUITS, "peer")
    assert "did you mean “pear”?" in caught.value.text.en


def test_one_bad_file_does_not_hide_the_problems_of_another(tmp_path: Path) -> None:
    put(tmp_path, "fruits/pear.toml", "key = 1\n")
    put(tmp_path, "fruits/plum.toml", "!\n")
    files = {problem.path.name for problem in Catalogue([tmp_path]).problems()}
    assert files == {"pear.toml", "plum.toml"}


def test_a_file_in_a_misspelt_folder_is_told_as_a_problem(tmp_path: Path) -> None:
    put(tmp_path, "friuts/pear.toml", PLAIN.format(key="pear", zh="梨"))
    reasons = [problem.reason.en for problem in Catalogue([tmp_path]).problems()]
    assert reasons == ["No kind of declaration lives in a folder “friuts”; did you mean “fruits”?"]


def test_a_root_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match="no such folder"):
        Catalogue([tmp_path / "nowhere"]).all(FRUITS)


def test_the_process_uses_the_package_and_then_the_packs(tmp_path: Path) -> None:
    put(tmp_path, "fruits/pear.toml", PLAIN.format(key="pear", zh="梨"))
    before = catalogue.current()
    with catalogue.using([tmp_path]) as inside:
        assert inside.roots == (catalogue.PACKAGE, tmp_path.resolve())
        assert "pear" in catalogue.current().all(FRUITS)
    assert catalogue.current() is before


def test_a_declaration_cannot_be_changed(tmp_path: Path) -> None:
    put(tmp_path, "fruits/pear.toml", PLAIN.format(key="pear", zh="梨"))
    pear = Catalogue([tmp_path]).get(FRUITS, "pear")
    with pytest.raises(ValidationError):
        pear.key = "plum"  # type: ignore[misc]


def test_schemas_are_exported_for_editors(tmp_path: Path) -> None:
    written = {path.name: path for path in catalogue.export_schemas(tmp_path / "schemas")}
    schema = json.loads(written["fruits.schema.json"].read_text(encoding="utf-8"))
    assert schema["required"] == ["key", "title"]
    assert schema["additionalProperties"] is False


def test_only_a_rule_read_in_the_original_counts_as_verified() -> None:
    source, day = Text(zh="书", en="a book"), date(2026, 11, 22)
    marks = {mark: Basis(source=source, checked_on=day, mark=mark) for mark in ("V", "V2", "S", "U")}
    assert [mark for mark, basis in marks.items() if basis.verified] == ["V"]
    assert marks["U"].standing.zh == "未核验"


def test_a_source_is_told_in_two_languages_or_once_for_both() -> None:
    told = {"checked_on": date(2026, 11, 22), "mark": "U"}
    assert Basis.model_validate({"source": "GB/T 1", **told}).source == Text(zh="GB/T 1", en="GB/T 1")
    assert Basis.model_validate({"source": {"zh": "书", "en": "a book"}, **told}).source.en == "a book"
    with pytest.raises(ValidationError, match=r"source\.en"):
        Basis.model_validate({"source": {"zh": "书"}, **told})


@pytest.mark.parametrize("wrong", ["5", '"x"', "[]", "{}", "true", "1.5", "2026-11-22", "08:00:00", "[{ a = 1 }]"])
@pytest.mark.parametrize("key", ["key", "title", "slices", "best", "ripe_on", "edition", "best.weight", "title.zh"])
def test_a_value_of_another_sort_is_told_in_a_sentence(tmp_path: Path, key: str, wrong: str) -> None:
    good = {"key": '"pear"', "title.zh": '"梨"', "title.en": '"pear"', "best.weight": "1"}
    lines = {each: value for each, value in good.items() if each.partition(".")[0] != key} | {key: wrong}
    put(tmp_path, "fruits/pear.toml", "".join(f"{each} = {value}\n" for each, value in lines.items()))
    try:
        Catalogue([tmp_path]).all(FRUITS)
    except DeclarationError as error:
        for problem in error.problems:
            assert problem.field.startswith(key.partition(".")[0])
            assert len(problem.reason.zh) > 3
            assert len(problem.reason.en) > 3
