"""The pages' outside code is what npm sent: whole, unedited, listed."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

VENDOR = Path(__file__).parents[2] / "src/anlan/presentation/static/vendor"


def test_every_vendored_file_is_listed_with_its_digest() -> None:
    listed = dict(re.findall(r"^\| (\S+) \|.*`([0-9a-f]{64})` \|$", (VENDOR / "VENDORED.md").read_text(), re.MULTILINE))
    there = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in VENDOR.iterdir() if p.name != "VENDORED.md"}
    assert there == listed


def test_no_page_code_is_fetched_from_elsewhere() -> None:
    templates = (VENDOR.parents[1] / "templates").rglob("*.html")
    elsewhere = re.compile(r"""(?:src|href)=["'](?:https?:)?//""")
    assert [str(p) for p in templates if elsewhere.search(p.read_text("utf-8"))] == []
