"""
What is left of an archived case in the database, sealed when its details went; and the check of it.

The last act of the archive is a row of the case's own history: it tells file, chain and, by their hashes, every row
that stays. Called by `tasks.archive_removal`, and by `tasks.history` when records are verified; read only.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from models import Base
from models.archive import ArchivedCase
from models.base import canonical
from models.case import Case
from models.history import HistoryRow
from tasks.archive_tables import GOES, Row, rows_by_case
from tasks.audit_rows import AuditFault
from tasks.sealed_rows import KEPT

ARCHIVED = "case_archived"
"""The history's word for it; its data: `sealed_facts`."""
_MOVES_ON = ("history_seq", "history_head")


def archived(session: Session, case_id: int) -> ArchivedCase | None:
    """Return the record of the archive that holds the details of a case; None when they are here."""
    return session.get(ArchivedCase, case_id)


def sealed_facts(session: Session, record: ArchivedCase) -> dict[str, Any]:
    """Return what the history keeps of an archived case: the file, the chain that is in it, and what stays here."""
    return {
        "file": record.file,
        "sha256": record.sha256,
        "rows": record.last_seq,
        "head": record.last_head,
        "stays": {
            name: {
                "columns": list(rows[0]),
                "rows": {_key(name, row): _digest(row, list(row)) for row in rows},
            }
            for name, rows in _staying(session, record.case_id).items()
        },
    }


def _staying(session: Session, case_id: int) -> dict[str, list[Row]]:
    found = rows_by_case(session, [case_id])[case_id]
    found["cases"] = [{name: value for name, value in row.items() if name not in _MOVES_ON} for row in found["cases"]]
    return {name: rows for name, rows in found.items() if name not in GOES}


def _key(name: str, row: Row) -> str:
    return ",".join(str(row[column.name]) for column in Base.metadata.tables[name].primary_key.columns)


def _digest(row: Row, columns: list[str]) -> str:
    # Columns of a later release are not in what was told before it.
    return hashlib.sha256(canonical([row.get(name) for name in columns]).encode()).hexdigest()


def verify_stub(
    session: Session, case: Case, record: ArchivedCase, told: Mapping[str, HistoryRow]
) -> Iterator[AuditFault]:
    """
    Find what was changed, added or removed of what is left of an archived case.

    Args:
        session: a consistent view.
        case: the stub.
        record: of its archive.
        told: what its history tells since, its seals checked, as ``kind:data``.
    """
    first = next(iter(told.values()), None)
    if first is None or first.kind != ARCHIVED:
        yield AuditFault(case.number, "archived_cases", case.id, "办理记录中没有归档这一条,归档登记系另行添加")
        return
    said = json.loads(first.data)
    recorded = {"file": record.file, "sha256": record.sha256, "rows": record.last_seq, "head": record.last_head}
    if {name: said[name] for name in recorded} != recorded:
        yield AuditFault(case.number, "archived_cases", case.id, "归档登记与办理记录不符,已被改动")
    try:
        found = _staying(session, case.id)
    except (ValueError, LookupError, OperationalError):
        yield AuditFault(case.number, "cases", case.id, "归档后留存的记录无法读取,已被改动")
        return
    changed_since = _kept_since(told)
    for name in sorted(said["stays"].keys() | found.keys()):
        sealed = said["stays"].get(name, {"columns": [], "rows": {}})
        there = {_key(name, row): row for row in found.get(name, [])}
        for key in sorted(sealed["rows"].keys() | there.keys()):
            if (name, key) in changed_since:
                continue
            row_id = int(key.partition(",")[0])
            if key not in there:
                yield AuditFault(case.number, name, row_id, "归档时留存的行已被删除")
            elif key not in sealed["rows"]:
                yield AuditFault(case.number, name, row_id, "归档时没有此行,系另行添加")
            elif _digest(there[key], sealed["columns"]) != sealed["rows"][key]:
                yield AuditFault(case.number, name, row_id, "与归档时留存的内容不符,已被改动")


def _kept_since(told: Mapping[str, HistoryRow]) -> set[tuple[str, str]]:
    """Return the rows that the product itself has changed since, which the history tells."""
    return {
        (kept["table"], str(kept["row"]))
        for row in told.values()
        if row.kind == KEPT
        for kept in json.loads(row.data)["rows"]
    }
