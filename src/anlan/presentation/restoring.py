"""Taking a backup back: into an empty database only, whole or not at all, and proven by the ledger itself."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import tarfile
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.color import no_style
from django.db import connection, models
from pydantic import TypeAdapter, ValidationError

from anlan.kernel.text import Refusal
from anlan.ledger import carry, seal
from anlan.ledger.bulk import insert_rows
from anlan.ledger.seal import Verdict
from anlan.presentation.archive import (
    FORMAT,
    MANIFEST,
    VERSION,
    Manifest,
    Member,
    Table,
    applied_migrations,
    columns_of,
    decoder,
    fingerprint,
    kept_models,
)

CARRIED: Final = {
    "ledger.Event": ("tx",),
    "ledger.Seal": ("first_tx", "last_tx"),
    "ledger.Cursor": ("tx",),
}
"""The columns that number the transactions of the database the backup was made of."""

_NAME = re.compile(r"(tables/[a-z_]+\.jsonl|media(/[A-Za-z0-9_][A-Za-z0-9._-]*)+)")
_ROUND = 2000
_PIECE = 1 << 20
_LARGEST_MANIFEST = 256 * _PIECE
_UNREADABLE = (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, UnicodeDecodeError)


class Foreign(Refusal):
    """The file is no backup of ours, or of another version."""


class Damaged(Refusal):
    """The backup is not as it was made; nothing of it was taken."""


class NotEmpty(Refusal):
    """The database holds something already."""


def restore(source: Path) -> tuple[Manifest, Verdict]:
    """Fill the empty, migrated database from `source`; what was restored, and the ledger's verdict on it (always ok).

    Raises `Foreign`, `Damaged` or `NotEmpty`, and then nothing has changed.
    """
    _check_empty()
    with tempfile.TemporaryDirectory(prefix="anlan-restore-") as name:
        folder = Path(name)
        manifest = _unpack(source, folder)
        with carry.restoring():
            for table in manifest.tables:
                _load(table, folder, manifest.highest_tx)
            _reset_sequences()
            verdict = seal.verify(head=manifest.head)
            if not verdict.ok:
                first = verdict.findings[0].what
                raise Damaged(
                    f"备份里的台账不完好，没有恢复任何内容。{first.zh}。",
                    f"The ledger in the backup is not whole; nothing was restored. {first.en}.",
                )
            # A file without its row is harmless, a row without its file is not: the files go first.
            _place_media(manifest, folder)
    return manifest, verdict


def kept_under_another_key(manifest: Manifest) -> bool:
    """Whether personal data in the backup cannot be read here, because the secret key is another one."""
    return manifest.secret != fingerprint()


def _check_empty() -> None:
    filled = [model._meta.label for model in kept_models() if models.QuerySet(model).exists()]
    if filled:
        raise NotEmpty(
            f"数据库不是空的（{'、'.join(filled[:5])}），不能恢复进去。"
            "请用 --data-url 或 ANLAN_DATABASE_URL 换一个新的数据库。",
            f"The database is not empty ({', '.join(filled[:5])}), so nothing is restored into it. "
            "Choose a new one by --data-url or ANLAN_DATABASE_URL.",
        )


# ---------------------------------------------------------------- reading the archive


def _unpack(source: Path, folder: Path) -> Manifest:
    """Everything in the archive compared with its manifest, and laid down in `folder`."""
    manifest: Manifest | None = None
    try:
        with tarfile.open(source, "r:gz") as tar:
            manifest = _manifest(tar, source)
            _lay_down_all(tar, manifest, folder)
    except FileNotFoundError:
        raise Foreign(f"没有文件 {source}。", f"There is no file {source}.") from None
    except _UNREADABLE:
        # What breaks before there is a manifest was no backup; what breaks after it was one.
        raise (_foreign(source) if manifest is None else _broken(source)) from None
    return manifest


def _lay_down_all(tar: tarfile.TarFile, manifest: Manifest, folder: Path) -> None:
    wanted = {member.name: member for member in (*(table.file for table in manifest.tables), *manifest.media)}
    for entry in islice(tar, 1, None):
        member = wanted.pop(entry.name, None)
        if member is None or not entry.isfile():
            raise _damaged(entry.name, "不在清单里", "is not in its manifest")
        _lay_down(tar, entry, member, folder)
    if wanted:
        raise _damaged(next(iter(wanted)), "不见了", "is missing")


def _manifest(tar: tarfile.TarFile, source: Path) -> Manifest:
    entry = tar.next()
    file = tar.extractfile(entry) if entry and entry.name == MANIFEST and entry.size < _LARGEST_MANIFEST else None
    if file is None:
        raise _foreign(source)
    try:
        said = json.loads(file.read())
        if not isinstance(said, Mapping) or said.get("format") != FORMAT:
            raise _foreign(source)
        manifest = TypeAdapter(Manifest).validate_python(said)
    except (ValueError, ValidationError):
        raise _damaged(MANIFEST, "读不通", "cannot be read") from None
    _check_fits(manifest)
    return manifest


def _check_fits(manifest: Manifest) -> None:
    here = {model._meta.label: columns_of(model) for model in kept_models()}
    there = {table.model: table.columns for table in manifest.tables}
    if manifest.version != VERSION or manifest.migrations != applied_migrations() or here != there:
        raise Foreign(
            f"这份备份是安澜 {manifest.anlan} 在另一种表结构上做的。请用那个版本恢复，再升级。",
            f"This backup was made by Anlan {manifest.anlan} with other tables. Restore it with that version, then "
            "upgrade.",
        )
    for member in (*(table.file for table in manifest.tables), *manifest.media):
        if not _NAME.fullmatch(member.name):
            raise _damaged(member.name, "名称不对", "has a name that no backup gives")


def _lay_down(tar: tarfile.TarFile, entry: tarfile.TarInfo, member: Member, folder: Path) -> None:
    file = tar.extractfile(entry)
    assert file is not None
    target = folder / member.name
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with target.open("wb") as out:
        while piece := file.read(_PIECE):
            digest.update(piece)
            size += len(piece)
            out.write(piece)
    if size != member.size or digest.hexdigest() != member.sha256:
        raise _damaged(member.name, "被改动或损坏", "was changed or damaged")


# ---------------------------------------------------------------- filling the tables


def _load(table: Table, folder: Path, highest: int) -> None:
    model = next(model for model in kept_models() if model._meta.label == table.model)
    done = 0
    with (folder / table.file.name).open(encoding="utf-8") as lines:
        rows = _rows(model, table, lines, highest)
        while part := list(islice(rows, _ROUND)):
            done += insert_rows(model, table.columns, part)
    if done != table.rows:
        raise _damaged(table.file.name, "行数不对", "has another number of rows than its manifest says")


def _rows(model: type[models.Model], table: Table, lines: Iterator[str], highest: int) -> Iterator[list[Any]]:
    readers = [decoder(field) for field in model._meta.concrete_fields]
    moved = [table.columns.index(name) for name in CARRIED.get(table.model, ())]
    for line in lines:
        row: list[Any] = [
            value if value is None else read(value) for read, value in zip(readers, json.loads(line), strict=True)
        ]
        for place in moved:
            row[place] = carry.carried(row[place], highest=highest)
        yield row


def _reset_sequences() -> None:
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), kept_models()):
            cursor.execute(statement)


def _place_media(manifest: Manifest, folder: Path) -> None:
    media = Path(settings.MEDIA_ROOT)
    for member in manifest.media:
        target = media / member.name.removeprefix("media/")
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f"{target.name}.part")
        part.write_bytes((folder / member.name).read_bytes())
        part.chmod(0o640)
        part.replace(target)


def _foreign(source: Path) -> Foreign:
    return Foreign(
        f"{source} 不是安澜的备份文件。请用 anlan backup 做出的文件。",
        f"{source} is no backup of Anlan. Give a file that anlan backup made.",
    )


def _broken(source: Path) -> Damaged:
    return Damaged(
        f"{source} 不完整或已损坏，没有恢复任何内容。请换一份备份。",
        f"{source} is incomplete or damaged; nothing was restored. Take another backup.",
    )


def _damaged(name: str, zh: str, en: str) -> Damaged:
    return Damaged(
        f"备份里的 {name} {zh}，没有恢复任何内容。请换一份备份。",
        f"{name} in the backup {en}; nothing was restored. Take another backup.",
    )
