"""Putting new files in place together: first all of them aside, then the list of them, then each to where it belongs.

As soon as the list lies aside the export is done, whatever happens next: whoever comes after puts in place what is
left. Before that, what lies aside is nothing.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from anlan.facts import columns, manifest
from anlan.facts.manifest import NAME, NEXT, BadManifest, File, Manifest
from anlan.facts.store import Store
from anlan.kernel.text import Refusal


class Damaged(Refusal):
    """A file of facts is not what was written."""


def aside(store: Store, name: str, content: bytes) -> None:
    """A file on its way."""
    store.write(f"{NEXT}/{name}", content)


def place(store: Store, now: Manifest) -> None:
    """Everything that lies aside becomes what lies there."""
    manifest.write(store, now, f"{NEXT}/{NAME}")
    _finish(store, now)


def say(store: Store, now: Manifest) -> None:
    """The list alone: how far was read, where that changed no file."""
    manifest.write(store, now, f"{NEXT}/{NAME}")
    store.move(f"{NEXT}/{NAME}", NAME)


def complete(store: Store) -> None:
    """What an export that was killed left: completed where it was done, else removed."""
    try:
        waiting = manifest.read(store, f"{NEXT}/{NAME}")
    except BadManifest:
        waiting = None
    if waiting is not None:
        _finish(store, waiting)
    for name in list(store.names(NEXT)):
        store.delete(name)


def is_waiting(store: Store) -> bool:
    """Whether an export was killed after it was done and before everything was in place."""
    return store.read(f"{NEXT}/{NAME}") is not None


def _finish(store: Store, now: Manifest) -> None:
    for name in list(store.names(NEXT)):
        target = name.removeprefix(f"{NEXT}/")
        if target != NAME:
            store.move(name, target)
    wanted = {*now.files, *(file.name for run in now.runs for file in run.changes.values())}
    for name in list(store.names()):
        if name not in wanted and not name.startswith(f"{NEXT}/") and is_ours(name):
            store.delete(name)
    store.move(f"{NEXT}/{NAME}", NAME)


def is_ours(name: str) -> bool:
    """What an export wrote; whatever else somebody laid there is left alone."""
    return name.endswith(("/part-0.parquet",)) or (name.startswith("changes/") and name.endswith(".parquet"))


def rows(store: Store, name: str, file: File) -> pa.Table:
    """The rows of a file, once it is shown to be the one that was written. Raises `Damaged`."""
    content = store.read(name)
    if content is None:
        raise missing(store, name)
    if columns.digest(content) != file.sha256:
        raise changed(store, name)
    return pq.read_table(pa.BufferReader(content), use_threads=False)


def missing(store: Store, name: str) -> Damaged:
    """A file that should be there is not."""
    return Damaged(
        f"{store.shown} 里缺少 {name}。请执行 anlan facts export --anew 重新导出。",
        f"{name} is missing in {store.shown}. Run anlan facts export --anew.",
    )


def unlisted(store: Store, name: str) -> Damaged:
    """A file lies among the others that no export wrote."""
    return Damaged(
        f"{store.shown} 里多出 {name}，不是导出的文件，读取时会被重复计入。请移走它。",
        f"{name} in {store.shown} was not exported, and would be read with the others. Take it away.",
    )


def changed(store: Store, name: str) -> Damaged:
    """A file that is there is another."""
    return Damaged(
        f"{store.shown} 里的 {name} 与导出时不同，可能已损坏或被改动。请执行 anlan facts export --anew 重新导出。",
        f"{name} in {store.shown} is not what was exported: damaged, or changed. Run anlan facts export --anew.",
    )
