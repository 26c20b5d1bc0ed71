"""A backup: the whole installation as one file that either database can take back.

A tar.gz with `manifest.json` first, then one JSON-lines file for each table in the order in which rows name each other,
then the media files. Everything is read in one snapshot, so that it fits together however busily others write.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime
from graphlib import TopologicalSorter
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.db import connection, models, transaction
from django.db.migrations.recorder import MigrationRecorder

from anlan.ledger import carry
from anlan.ledger.models import Seal

FORMAT: Final = "anlan-backup"
VERSION: Final = 1
MANIFEST: Final = "manifest.json"
_ROUND = 2000
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Member:
    """A file in the archive."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table in the archive: each line of its file is the list of a row's values, in the order of `columns`."""

    model: str
    columns: list[str]
    rows: int
    file: Member


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the archive holds. `secret` tells, without giving it away, under which key personal data was kept."""

    format: str
    version: int
    anlan: str
    made_at: str
    vendor: str
    migrations: list[str]
    secret: str
    highest_tx: int
    head: str
    tables: list[Table]
    media: list[Member]

    def rows(self, model: str) -> int:
        """How many rows a table has."""
        return next((table.rows for table in self.tables if table.model == model), 0)


def kept_models() -> list[type[models.Model]]:
    """Every table of ours, those that others name before those that name them."""
    ours = [model for model in apps.get_models(include_auto_created=True) if model.__module__.startswith("anlan.")]
    names: dict[type[models.Model], set[type[models.Model]]] = {
        model: {
            field.related_model
            for field in model._meta.concrete_fields
            if isinstance(field.related_model, type) and field.related_model is not model
        }
        for model in sorted(ours, key=lambda model: model._meta.label)
    }
    return [model for model in TopologicalSorter(names).static_order() if model in names]


def columns_of(model: type[models.Model]) -> list[str]:
    """The columns of a table, as attributes."""
    return [field.attname for field in model._meta.concrete_fields]


def applied_migrations() -> list[str]:
    """The migrations of ours that this database has."""
    found = MigrationRecorder(connection).applied_migrations()
    ours = {config.label for config in apps.get_app_configs() if config.name.startswith("anlan.")}
    return sorted(f"{app}.{name}" for app, name in found if app in ours)


def fingerprint() -> str:
    """Names the installation's secret key."""
    return hashlib.sha256(f"anlan.backup\n{settings.SECRET_KEY}".encode()).hexdigest()[:16]


@contextmanager
def snapshot() -> Iterator[None]:
    """Everything read inside is as it was at one moment, while others go on writing."""
    if connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield
        return
    # An atomic block would begin IMMEDIATE and keep every writer out; a deferred one only reads.
    with connection.cursor() as cursor:
        cursor.execute("BEGIN DEFERRED")
        try:
            cursor.execute("SELECT count(*) FROM django_migrations")
            cursor.fetchone()
            yield
        finally:
            cursor.execute("ROLLBACK")


def save(target: Path, *, at: datetime) -> Manifest:
    """Write the backup to `target`, whole or not at all; nobody but its owner can read it."""
    media = Path(settings.MEDIA_ROOT)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".anlan-backup-") as name:
        folder = Path(name)
        with snapshot():
            head = Seal.objects.order_by("-number").values_list("chain_sha256", flat=True).first()
            manifest = Manifest(
                format=FORMAT,
                version=VERSION,
                anlan=version("anlan"),
                made_at=at.isoformat(),
                vendor=connection.vendor,
                migrations=applied_migrations(),
                secret=fingerprint(),
                highest_tx=carry.highest_tx(),
                head=bytes(head).hex() if head else "",
                tables=[_dump(model, folder) for model in kept_models()],
                media=[],
            )
        # A photo's file is written before its row and never changes, so every row in the snapshot has its file by now.
        manifest.media.extend(_member(f"media/{path}", media / path) for path in media_files(media))
        part = folder / "whole.part"
        _pack(part, manifest, folder, media)
        part.chmod(0o600)
        part.replace(target)
    return manifest


def media_files(media: Path) -> list[str]:
    """The files under `media` that are finished, relative to it."""
    files = (path for path in media.rglob("*") if path.is_file() and path.suffix != ".part")
    return sorted(path.relative_to(media).as_posix() for path in files)


def _dump(model: type[models.Model], folder: Path) -> Table:
    columns = columns_of(model)
    writers = [_encoder(field) for field in model._meta.concrete_fields]
    path, rows = folder / f"{model._meta.db_table}.jsonl", 0
    query: Any = models.QuerySet(model).order_by("pk").values_list(*columns)
    with path.open("w", encoding="utf-8") as out:
        for values in query.iterator(chunk_size=_ROUND):
            row = [value if value is None else write(value) for write, value in zip(writers, values, strict=True)]
            out.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")
            rows += 1
    return Table(model._meta.label, columns, rows, _member(f"tables/{path.name}", path))


def _member(name: str, path: Path) -> Member:
    with path.open("rb") as file:
        return Member(name, path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())


def _pack(target: Path, manifest: Manifest, folder: Path, media: Path) -> None:
    with tarfile.open(target, "w:gz", compresslevel=5) as tar:
        text = json.dumps(asdict(manifest), ensure_ascii=False, indent=1).encode()
        tar.addfile(_entry(MANIFEST, len(text)), io.BytesIO(text))
        for table in manifest.tables:
            _add(tar, table.file, folder / Path(table.file.name).name)
        for member in manifest.media:
            _add(tar, member, media / member.name.removeprefix("media/"))


def _add(tar: tarfile.TarFile, member: Member, path: Path) -> None:
    with path.open("rb") as file:
        tar.addfile(_entry(member.name, member.size), file)


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    return entry


# ---------------------------------------------------------------- values


def _kind(field: Any) -> Any:
    while isinstance(field, models.ForeignKey):
        field = field.target_field
    return field


def _encoder(field: Any) -> Callable[[Any], Any]:
    kind = _kind(field)
    if isinstance(kind, models.BinaryField):
        return lambda value: base64.b64encode(bytes(value)).decode()
    if isinstance(kind, models.DateField):
        return lambda value: value.isoformat()
    if isinstance(kind, models.UUIDField):
        return str
    return _same


def decoder(field: Any) -> Callable[[Any], Any]:
    """Turns a value of the archive into one of the field's own."""
    kind = _kind(field)
    if isinstance(kind, models.BinaryField):
        return base64.b64decode
    if isinstance(kind, models.DateTimeField):
        return datetime.fromisoformat
    if isinstance(kind, models.DateField):
        return date.fromisoformat
    return UUID if isinstance(kind, models.UUIDField) else _same


def _same(value: Any) -> Any:
    return value
