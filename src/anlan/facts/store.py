"""Where facts lie: a folder of this machine, or a bucket that speaks S3. Files are written aside and put in place."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from pyarrow import ArrowException
from pyarrow.fs import FileSelector, FileSystem, FileType, LocalFileSystem

from anlan.kernel.text import Refusal


class NoStore(Refusal):
    """The place where facts should lie cannot be used."""


class Store:
    """A tree of files under one root. Names are relative, with "/"; `shown` names the place without any secret."""

    def __init__(self, files: FileSystem, root: str, shown: str) -> None:
        self._files, self._root, self.shown = files, root.rstrip("/"), shown
        self.local = isinstance(files, LocalFileSystem)

    def path(self, name: str) -> str:
        """The whole path, for a reader that is given `filesystem`."""
        return f"{self._root}/{name}"

    @property
    def filesystem(self) -> FileSystem:
        """For pyarrow's own readers."""
        return self._files

    def read(self, name: str) -> bytes | None:
        """What a file holds; None where there is none."""
        try:
            with self._files.open_input_stream(self.path(name)) as stream:
                return bytes(stream.read())
        except FileNotFoundError:
            return None
        except (OSError, ArrowException) as error:
            raise self._refused(error) from error

    def write(self, name: str, content: bytes) -> None:
        """Write a file and, on this machine, have it on the disk before going on."""
        path = self.path(name)
        try:
            self._files.create_dir(path.rpartition("/")[0], recursive=True)
            with self._files.open_output_stream(path) as stream:
                stream.write(content)
            self._settle(path)
        except (OSError, ArrowException) as error:
            raise self._refused(error) from error

    def move(self, name: str, to: str) -> None:
        """Put a file in the place of another at once (S3: copied, then removed)."""
        source, target = self.path(name), self.path(to)
        try:
            if self.local:
                Path(target).parent.mkdir(parents=True, exist_ok=True)
                Path(source).replace(target)
                self._settle(str(Path(target).parent))
            else:
                self._files.copy_file(source, target)
                self._files.delete_file(source)
        except (OSError, ArrowException) as error:
            raise self._refused(error) from error

    def delete(self, name: str) -> None:
        """Remove a file; one that is not there is no trouble."""
        try:
            self._files.delete_file(self.path(name))
        except FileNotFoundError:
            return
        except (OSError, ArrowException) as error:
            raise self._refused(error) from error

    def names(self, under: str = "") -> Iterator[str]:
        """Every file below a folder, in order."""
        base = self.path(under) if under else self._root
        try:
            found = self._files.get_file_info(FileSelector(base, recursive=True, allow_not_found=True))
        except (OSError, ArrowException) as error:
            raise self._refused(error) from error
        start = len(self._root) + 1
        yield from sorted(info.path[start:] for info in found if info.type == FileType.File)

    def _settle(self, path: str) -> None:
        if self.local:
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)

    def _refused(self, error: Exception) -> NoStore:
        said = str(error).split("\n", maxsplit=1)[0][:300]
        return NoStore(
            f"事实表存放处 {self.shown} 用不了：{said}。请核对路径、存储服务地址和密钥（AWS_ACCESS_KEY_ID 等）。",
            f"The place for facts, {self.shown}, cannot be used: {said}. Check the path, the address of the storage "
            "and its keys (AWS_ACCESS_KEY_ID and so on).",
        )


def open_store(place: str | Path) -> Store:
    """A folder, or `s3://bucket/folder?endpoint_override=host:port&scheme=http` with keys from the environment."""
    told = str(place)
    if "://" not in told:
        root = str(Path(told).resolve())
        return Store(LocalFileSystem(), root, root)
    address = urlsplit(told)
    shown = f"{address.scheme}://{address.hostname or ''}{address.path}"
    try:
        files, root = FileSystem.from_uri(told)
    except (ValueError, OSError, ArrowException) as error:
        said = str(error).split("\n", maxsplit=1)[0].replace(told, shown)[:300]
        raise NoStore(
            f"看不懂存放处 {shown}（{said}）。请写文件夹，或 s3://桶/文件夹?endpoint_override=主机:端口。",
            f"The place {shown} is not understood ({said}). Give a folder, or "
            "s3://bucket/folder?endpoint_override=host:port.",
        ) from error
    return Store(files, root, shown)
