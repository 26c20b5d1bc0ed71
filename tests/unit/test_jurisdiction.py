"""Jurisdictions of Open311 that cannot be told apart, or would show what is not for everybody, are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from anlan.intake.jurisdiction import JURISDICTIONS, strangers
from anlan.kernel.catalogue import PACKAGE, Catalogue

FILE = """
title = {{ zh = "辖区", en = "Jurisdiction" }}
jurisdiction_id = "{id}"
channel = "open311"
contact = {{ zh = "电话", en = "Telephone" }}
key_service = {{ zh = "登记", en = "Register" }}

"""


def wrong(folder: Path, key: str, **ids: str) -> list[str]:
    """What is wrong with one of several jurisdictions, each with its name on the wire."""
    (folder / "open311").mkdir()
    for name, told in {"default": "", **ids}.items():
        text = FILE.format(id=told)
        (folder / f"open311/{name}.toml").write_text(f'key = "{name}"\n{text}', encoding="utf-8")
    known = Catalogue([PACKAGE, folder])
    return [where for where, _ in strangers(known.get(JURISDICTIONS, key), known)]


def test_one_alone_answers_to_any_name(tmp_path: Path) -> None:
    assert wrong(tmp_path, "default") == []


@pytest.mark.parametrize(
    ("key", "ids", "found"),
    [
        ("default", {"east": "east"}, ["jurisdiction_id"]),
        ("east", {"east": "east"}, []),
        ("east", {"east": "e", "west": "e"}, ["jurisdiction_id"]),
        ("default", {"default": "d", "east": "east"}, []),
    ],
)
def test_several_have_each_a_name_of_their_own(tmp_path: Path, key: str, ids: dict[str, str], found: list[str]) -> None:
    assert wrong(tmp_path, key, **ids) == found
