"""Whether what lies in a place of facts is what was written there: every file, to the byte."""

from __future__ import annotations

from dataclasses import dataclass

from anlan.facts import columns, manifest, placing
from anlan.facts.store import Store
from anlan.kernel.text import Refusal, Text


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many files were read, with how many rows, and what is wrong, in sentences."""

    files: int
    rows: int
    findings: list[Text]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


class NothingThere(Refusal):
    """No facts lie there."""


def verify(store: Store) -> Verdict:
    """Read every file the manifest names and compare it. Raises `NothingThere`, `BadManifest`."""
    now = manifest.read(store)
    if now is None:
        raise NothingThere(
            f"{store.shown} 里没有事实表。请先执行 anlan facts export。",
            f"No facts lie in {store.shown}. Run anlan facts export first.",
        )
    findings: list[Text] = []
    if placing.is_waiting(store):
        findings.append(
            Text(
                zh="上一次导出在放置文件时中断；再执行一次 anlan facts export 就会接着完成。",
                en="The last export was cut short while its files were put in place; run anlan facts export again "
                "and it is completed.",
            )
        )
    there = {name for name in store.names() if not name.startswith(f"{manifest.NEXT}/")}
    listed = {**{name: file.sha256 for name, file in now.files.items()}, **_changes(now)}
    for name, digest in sorted(listed.items()):
        findings += _finding(store, name, digest, there)
    for name in sorted(there - listed.keys()):
        if placing.is_ours(name):
            findings.append(placing.unlisted(store, name).text)
    return Verdict(len(listed), sum(file.rows for file in now.files.values()), findings)


def _changes(now: manifest.Manifest) -> dict[str, str]:
    return {file.name: file.sha256 for run in now.runs for file in run.changes.values()}


def _finding(store: Store, name: str, digest: str, there: set[str]) -> list[Text]:
    content = store.read(name) if name in there else None
    if content is None:
        return [placing.missing(store, name).text]
    return [] if columns.digest(content) == digest else [placing.changed(store, name).text]
