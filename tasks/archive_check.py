"""
The check of an archive file, with nothing but the file: every byte, every chain, every sealed row.

The rows of the file are put into an empty database of their own, and the product's own audit is run over them: what is
found in a running office is found here.
"""

import errno
import json
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Table, create_engine, event, insert
from sqlalchemy.dialects.sqlite import insert as insert_unless
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from models import Base
from policies.errors import BadPolicy, Refused
from tasks.archive_file import FORMAT, MANIFEST, SUMS, ArchiveReader, Damaged, reading, sha256_of, sums_of
from tasks.archive_page import PAGE, page_of
from tasks.archive_tables import Row, Rows, from_json, owners, schema
from tasks.archives import data_name, document_name, page_name
from tasks.history import verify


@dataclass(frozen=True)
class Checked:
    """What the check of a file came to."""

    sha256: str
    """Of the whole file; empty: it could not be opened."""
    cases: int
    faults: tuple[str, ...]
    """Chinese sentences that name file, case, table and row; none: the file is whole."""


def check_archive(path: Path) -> Checked:
    """
    Check an archive file.

    Raises:
        Refused: there is no such file, or no room for the check on the disk of temporary files.
    """
    if not path.is_file():
        raise Refused("default", f"没有文件 {path},请核对归档文件的位置")
    digest = sha256_of(path)
    faults = list(_beside(path, digest))
    try:
        with reading(path) as archive:
            if archive.whole() != digest:
                faults.append(f"{path.name} 在核对时被更换,请重新核对")
            faults += _check(archive)
            return Checked(digest, len(archive.manifest["cases"]), tuple(faults))
    except Refused as refused:
        return Checked("", 0, (*faults, refused.reason))
    except (OSError, OperationalError) as error:
        if not _of_the_disk(error):
            raise
        reason = error.strerror if isinstance(error, OSError) else error.orig
        raise Refused(
            "default",
            f"核对 {path.name} 时,临时文件夹 {tempfile.tempdir or ''} 所在的磁盘不能写入({reason}),没有核对完;"
            "请腾出空间,或用环境变量 TMPDIR 另指一个文件夹,再核对",
        ) from error


_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
_NO_WRITING = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}


def _of_the_disk(error: Exception) -> bool:
    """Return whether the database of the check could not be written, which says nothing about the file."""
    if isinstance(error, OperationalError):
        # The low byte is the error, the others its kind.
        return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in _NO_WRITING
    return isinstance(error, OSError) and (error.errno in _NO_ROOM or tempfile.tempdir is None)


def _beside(path: Path, digest: str) -> Iterator[str]:
    """Compare the whole file with the ``.sha256`` that was written beside it, when it is still there."""
    sums = path.with_name(f"{path.name}.sha256")
    words = sums.read_text(encoding="utf-8", errors="replace").split()[:1] if sums.is_file() else [digest]
    if words != [digest]:
        meant = "".join(words)
        yield f"{path.name} 的摘要与 {sums.name} 所记不符:应为 {meant[:16]}…,现为 {digest[:16]}…,文件已被改动"


def _check(archive: ArchiveReader) -> Iterator[str]:
    bad = set[str]()
    for name, reason in _members(archive):
        bad.add(name)
        yield f"{archive.path.name} 中的 {name}:{reason}"
    found = list(_row_faults(archive, bad))
    if found and archive.manifest.get("schema", schema()) != schema():
        # Whoever wrote this to hide a change has a file that is not whole all the same.
        product = archive.manifest.get("product")
        yield (
            f"{archive.path.name} 由另一版本的客堂({product})写出,其数据表的结构与本程序不同:"
            f"有{len(found)}处不能按本程序逐条核对,不能断定有改动;请用写出它的版本核对"
        )
        return
    yield from found


def _row_faults(archive: ArchiveReader, bad: set[str]) -> Iterator[str]:
    """
    Compare every case with the manifest, its page, its documents and its own history.

    Args:
        bad: members that are not what the manifest says.
    """
    with tempfile.TemporaryDirectory(prefix="ketang-") as folder, _empty(Path(folder) / "archive.db") as engine:
        there: list[str] = []
        editions: dict[str, Row] = {}
        with Session(engine) as session:
            for number, listed in archive.cases.items():
                try:
                    told = _case(archive, number)
                    yield from _case_faults(archive, told, listed, bad)
                    _put(session, told, editions, archive)
                    there.append(number)
                    session.commit()
                except _Unusable as error:
                    session.rollback()
                    yield f"案件 {number}:{error}"
                except (LookupError, TypeError) as error:
                    session.rollback()
                    yield f"案件 {number}:记录残缺,无法核对({type(error).__name__})"
        with Session(engine) as session:
            for number in there:
                try:
                    yield from (str(fault) for fault in verify(session, number=number, in_part=True))
                except (ValueError, LookupError, AttributeError, DBAPIError, BadPolicy, TypeError) as error:
                    if _of_the_disk(error):
                        raise
                    yield f"案件 {number}:记录残缺,无法核对({type(error).__name__})"
                session.expunge_all()


def _members(archive: ArchiveReader) -> Iterator[tuple[str, str]]:
    """Compare every member with what the manifest says of it."""
    said = archive.manifest["members"]
    names = Counter(archive.stream.namelist())
    for name, count in names.items():
        if count > 1:
            yield name, f"有{count}份同名文件"
        if name not in said and name not in (MANIFEST, SUMS):
            yield name, f"{MANIFEST} 中没有登记,系另行添加"
    for name, noted in said.items():
        if name not in names:
            yield name, "已被删除"
            continue
        try:
            if archive.digest(name) != noted["sha256"]:
                yield name, f"内容与 {MANIFEST} 所记的摘要不符,已被改动"
        except Damaged as error:
            yield name, f"无法读取,已损坏({error})"
    sums = {name: noted["sha256"] for name, noted in said.items()} | {MANIFEST: archive.digest(MANIFEST)}
    try:
        if archive.read(SUMS).decode() != sums_of(sums):
            yield SUMS, f"与 {MANIFEST} 不符,已被改动"
    except (Damaged, ValueError) as error:
        yield SUMS, f"无法读取,已损坏({error})"


class _Unusable(Exception):
    """A case of the file whose rows can not be read."""


def _case(archive: ArchiveReader, number: str) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads(archive.read(data_name(number)))
        if told["format"] != FORMAT or told["number"] != number or len(told["tables"]["cases"]) != 1:
            raise _Unusable(f"{data_name(number)} 不是这个案件的记录,已被替换")
        unknown = sorted(told["tables"].keys() - owners().keys() - {"cases"})
        if unknown:
            raise _Unusable(f"{data_name(number)} 中有不认识的表 {'、'.join(unknown)}")
    except (Damaged, ValueError, LookupError, TypeError) as error:
        raise _Unusable(f"{data_name(number)} 无法读取") from error
    return told


def case_of(archive: ArchiveReader, number: str) -> dict[str, Any]:
    """
    Return what an archive holds of a case: ``tables`` and ``refers``.

    Raises:
        Refused: the case is not in it, or can not be read.
    """
    if number not in archive.cases:
        raise Refused("default", f"归档文件 {archive.path.name} 中没有案件“{number}”,请用 ketang archive list 查看")
    try:
        return _case(archive, number)
    except _Unusable as error:
        raise Refused("default", f"归档文件 {archive.path.name} 中的案件 {number}:{error},请核对文件") from error


def _case_faults(archive: ArchiveReader, told: dict[str, Any], listed: dict[str, Any], bad: set[str]) -> Iterator[str]:
    """Compare a case's rows with the manifest, its page and its documents."""
    number, tables = told["number"], told["tables"]
    (case,) = tables["cases"]
    if (listed["rows"], listed["head"]) != (case["history_seq"], case["history_head"]):
        yield f"案件 {number}:办理记录的条数或末条摘要与 {MANIFEST} 所记不符,已被改动"
    if archive.manifest["page"] == PAGE and page_name(number) not in bad:
        try:
            if archive.read(page_name(number)) != page_of(tables, told["refers"]).encode():
                yield f"案件 {number}:案卷 {page_name(number)} 与记录不符,已被改动"
        except (Damaged, ValueError, LookupError, TypeError) as error:
            yield f"案件 {number}:案卷 {page_name(number)} 无法与记录对照({type(error).__name__})"
    for row in tables.get("documents", []):
        name = document_name(number, row)
        noted = archive.manifest["members"].get(name)
        if noted is None or noted["sha256"] != row["sha256"]:
            yield f"案件 {number}:表 documents 第 {row['id']} 行:材料“{row['reference']}”与登记时的摘要不符,已被改动"


@contextmanager
def _empty(path: Path) -> Iterator[Engine]:
    """Open an empty database of this program's tables: nothing is asked of what is put in, for the audit asks."""
    engine = create_engine(f"sqlite:///{path}", hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        for pragma in ("synchronous = OFF", "journal_mode = MEMORY", "ignore_check_constraints = ON"):
            connection.execute(f"PRAGMA {pragma}")

    try:
        Base.metadata.create_all(engine)
        yield engine
    finally:
        engine.dispose()


def _put(session: Session, told: dict[str, Any], editions: dict[str, Row], archive: ArchiveReader) -> None:
    tables: Rows = told["tables"]
    metadata = Base.metadata.tables
    (case,) = tables["cases"]
    try:
        _put_edition(session, case, told["refers"], editions, archive)
        for name, rows in told["refers"].items():
            if name not in ("cases", "editions"):
                _insert(session, metadata[name], rows, again=True)
        for name, rows in tables.items():
            _insert(session, metadata[name], rows, again=False)
        session.flush()
    except (ValueError, LookupError, TypeError, AttributeError, DBAPIError, Damaged) as error:
        if _of_the_disk(error):
            raise
        raise _Unusable(f"{data_name(case['number'])} 中的记录无法读取,已被改动({type(error).__name__})") from error


def _put_edition(session: Session, case: Row, refers: Rows, editions: dict[str, Row], archive: ArchiveReader) -> None:
    edition_id = case["edition_id"]
    if edition_id in editions:
        return
    (row,) = [each for each in refers["editions"] if each["id"] == edition_id]
    table = Base.metadata.tables["editions"]
    text = archive.read(f"editions/{edition_id}.yaml")
    session.execute(insert_unless(table).values(**from_json(table, row), text=text).on_conflict_do_nothing())
    editions[edition_id] = row


def _insert(session: Session, table: Table, rows: list[Row], *, again: bool) -> None:
    if rows:
        values = [from_json(table, row) for row in rows]
        session.execute(insert_unless(table).on_conflict_do_nothing() if again else insert(table), values)
