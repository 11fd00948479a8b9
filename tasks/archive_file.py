"""
The archive file: a ZIP of plain files, with a manifest and a list for ``sha256sum``. Written once, read by anybody.

Knows bytes and names only; what a case is, is told by `tasks.archives`.
"""

import hashlib
import json
import os
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from policies.errors import Refused

FORMAT = 1
MANIFEST, SUMS, READ_ME = "manifest.json", "SHA256SUMS", "README.txt"
_MODE = 0o600
_STAMP = (1980, 1, 1, 0, 0, 0)
"""Of every member, so that the same records make the same bytes."""
_PIECE = 1 << 20


@dataclass
class ArchiveWriter:
    """What is being written: each member once, its hash noted."""

    stream: zipfile.ZipFile
    members: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, name: str, content: bytes) -> str:
        """Write a member; return its SHA-256."""
        self.stream.writestr(_entry(name), content, compresslevel=6)
        return self._noted(name, hashlib.sha256(content).hexdigest(), len(content))

    def add_file(self, name: str, path: Path) -> str:
        """Write a file as a member, piece by piece; return its SHA-256."""
        digest, size = hashlib.sha256(), 0
        with path.open("rb") as source, self.stream.open(_entry(name), "w", force_zip64=True) as target:
            while piece := source.read(_PIECE):
                digest.update(piece)
                size += len(piece)
                target.write(piece)
        return self._noted(name, digest.hexdigest(), size)

    def _noted(self, name: str, sha256: str, size: int) -> str:
        self.members[name] = {"sha256": sha256, "size": size}
        return sha256

    def close(self, manifest: dict[str, Any]) -> None:
        """Write manifest and sums: the last members."""
        text = json.dumps({**manifest, "members": self.members}, ensure_ascii=False, sort_keys=True, indent=1)
        self.add(MANIFEST, text.encode())
        self.stream.writestr(_entry(SUMS), sums_of({name: noted["sha256"] for name, noted in self.members.items()}))


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _STAMP)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3  # Unix, whatever machine writes it: only then the mode counts
    entry.external_attr = _MODE << 16
    return entry


@contextmanager
def writing(path: Path) -> Iterator[ArchiveWriter]:
    """
    Write an archive file: under a temporary name, on the disk before it gets its own; nothing is left when it fails.

    Beside it stands ``<name>.sha256``, which ``sha256sum -c`` reads.

    Raises:
        Refused: there is such a file already, or the folder can not be written.
    """
    sums = path.with_name(f"{path.name}.sha256")
    partial = path.with_name(f".{path.name}.part")
    for each in (path, sums):
        if each.exists():
            raise Refused("default", f"文件 {each} 已存在,归档不会覆盖;请换一个文件夹,或先移走它")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, _MODE)
    except FileExistsError as error:
        raise Refused("default", f"归档正在写 {path.name};如果是上次中断留下的,请删除 {partial} 再办理") from error
    except OSError as error:
        raise Refused("default", f"归档文件夹 {path.parent} 不能写入({error.strerror}),请检查权限和磁盘") from error
    try:
        with os.fdopen(handle, "w+b") as stream:
            with zipfile.ZipFile(stream, "w") as archive:
                yield ArchiveWriter(archive)
            stream.flush()
            os.fsync(stream.fileno())
        digest = sha256_of(partial)
        _write_sums(sums, f"{digest}  {path.name}\n")
        partial.rename(path)
        _settle(path.parent)
    except BaseException:
        partial.unlink(missing_ok=True)
        if not path.exists():
            sums.unlink(missing_ok=True)
        raise


def _write_sums(path: Path, line: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _MODE), "w", encoding="utf-8") as stream:
        stream.write(line)
        stream.flush()
        os.fsync(stream.fileno())


def _settle(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, read piece by piece."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sums_of(digests: Mapping[str, str]) -> str:
    """Return hashes by member as the lines that ``sha256sum -c`` reads."""
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items()))


class Damaged(Exception):
    """A member that can not be read: cut off, or changed so that the ZIP's own checksum says so."""


@dataclass(frozen=True)
class ArchiveReader:
    """An opened archive file."""

    path: Path
    stream: zipfile.ZipFile
    manifest: dict[str, Any]

    def read(self, name: str) -> bytes:
        """Return a member. Damaged: it can not be read, or is not there."""
        with self.open(name) as stream:
            return b"".join(iter(lambda: _piece(stream), b""))

    def digest(self, name: str) -> str:
        """Return the SHA-256 of a member, read piece by piece. Damaged: it can not be read."""
        found = hashlib.sha256()
        with self.open(name) as stream:
            while piece := _piece(stream):
                found.update(piece)
        return found.hexdigest()

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Open a member. Damaged: it is not there, or its head can not be read."""
        try:
            stream = self.stream.open(name)
        except (KeyError, *_UNREADABLE) as error:
            raise Damaged(str(error)) from error
        with stream:
            yield stream

    def whole(self) -> str:
        """Return the SHA-256 of the whole file as it is open here, whatever its name has come to mean since."""
        stream = self.stream.fp
        if stream is None:
            raise ValueError("the archive is closed")
        stream.seek(0)
        found = hashlib.sha256()
        while piece := stream.read(_PIECE):
            found.update(piece)
        return found.hexdigest()

    @cached_property
    def cases(self) -> dict[str, dict[str, Any]]:
        """What the manifest says of each case, by its number."""
        return {each["number"]: each for each in self.manifest["cases"]}


_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)


def _piece(stream: IO[bytes]) -> bytes:
    try:
        return stream.read(_PIECE)
    except _UNREADABLE as error:
        raise Damaged(str(error)) from error


@contextmanager
def reading(path: Path) -> Iterator[ArchiveReader]:
    """
    Open an archive file.

    Raises:
        Refused: there is none, it is no whole ZIP file, or no archive of a format that this program reads.
    """
    if not path.is_file():
        raise Refused("default", f"没有文件 {path},请核对归档文件的位置")
    try:
        stream = zipfile.ZipFile(path)
    except _UNREADABLE as error:
        raise Refused(
            "default", f"{path.name} 不是完整的 ZIP 文件,可能被截断或损坏({error});请改用另一份副本"
        ) from error
    with stream:
        try:
            with ArchiveReader(path, stream, {}).open(MANIFEST) as member:
                manifest = json.loads(_piece_by_piece(member))
            if manifest["format"] != FORMAT:
                raise Refused(
                    "default",
                    f"{path.name} 的归档格式是 {manifest['format']},本程序只读格式 {FORMAT};请用写出它的版本打开",
                )
            _ = [each["number"] for each in manifest["cases"]], dict(manifest["members"])
        except (Damaged, ValueError, LookupError, TypeError) as error:
            raise Refused("default", f"{path.name} 中没有可以读取的 {MANIFEST},不是客堂的归档文件,或已损坏") from error
        yield ArchiveReader(path, stream, manifest)


def _piece_by_piece(stream: IO[bytes]) -> bytes:
    return b"".join(iter(lambda: _piece(stream), b""))
