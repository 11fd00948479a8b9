"""
What is left of an archived case in the database, sealed when its details went; and the check of it.

The last act of the archive is a row of the case's own history: it tells file, chain and, by their hashes, every row
that stays. Called by `tasks.archive_removal`, and by `tasks.history` when records are verified; read only.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Base
from models.archive import ArchivedCase
from models.base import canonical
from models.case import Case, Site
from models.history import HistoryRow
from models.ledger import LedgerAccount
from policies.vocabulary import CaseStatus
from tasks.archive_tables import GOES, Row, owners, rows_by_case
from tasks.audit_rows import UNREADABLE, AuditFault, is_of_reading
from tasks.sealed_rows import KEPT

ARCHIVED = "case_archived"
"""The history's word for it; its data: `sealed_facts`."""
_MOVES_ON = ("history_seq", "history_head")


def archived(session: Session, case_id: int) -> ArchivedCase | None:
    """Return the record of the archive that holds the details of a case; None when they are here."""
    return session.get(ArchivedCase, case_id)


def count_archived(session: Session, *, number: str | None = None) -> int:
    """Return how many cases the audit can check only by what is left of them; of one case, 0 or 1."""
    query = select(func.count(ArchivedCase.case_id))
    if number is not None:
        query = query.join(Case, Case.id == ArchivedCase.case_id).where(Case.number == number)
    return session.scalar(query) or 0


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


def verify_stub(session: Session, case: Case, record: ArchivedCase, told: Sequence[HistoryRow]) -> Iterator[AuditFault]:
    """
    Find what was changed, added or removed of what is left of an archived case.

    Args:
        session: a consistent view.
        case: the stub.
        record: of its archive.
        told: its history since, the seals checked, oldest first.
    """
    first = next(iter(told), None)
    if first is None or first.kind != ARCHIVED:
        yield AuditFault(case.number, "archived_cases", case.id, "办理记录中没有归档这一条,归档登记系另行添加")
        return
    said = json.loads(first.data)
    recorded = {"file": record.file, "sha256": record.sha256, "rows": record.last_seq, "head": record.last_head}
    if {name: said[name] for name in recorded} != recorded:
        yield AuditFault(case.number, "archived_cases", case.id, "归档登记与办理记录不符,已被改动")
    try:
        yield from _bound(session, case)
        yield from list(_compared(case, said["stays"], _staying(session, case.id), _kept_since(told)))
    except UNREADABLE as error:
        if not is_of_reading(error):
            raise
        yield AuditFault(case.number, "cases", case.id, "归档后留存的记录无法读取,已被改动")


def _bound(session: Session, case: Case) -> Iterator[AuditFault]:
    """Find why a case can not have been archived: as `models.history` asks before its history may go."""
    causes = [] if case.status is CaseStatus.CLOSED else ["此案尚未办结"]
    if session.scalar(select(Site.id).where(Site.case_id == case.id).limit(1)) is not None:
        causes.append("此案有客堂间")
    if session.scalar(select(LedgerAccount.id).where(LedgerAccount.case_id == case.id).limit(1)) is not None:
        causes.append("此案有专款台账")
    for cause in causes:
        yield AuditFault(case.number, "archived_cases", case.id, f"{cause},不会归档,归档登记系另行添加")


def _compared(
    case: Case,
    stays: Mapping[str, Any],
    found: Mapping[str, list[Row]],
    since: Mapping[tuple[str, str], Row | None],
) -> Iterator[AuditFault]:
    """Compare the rows that are left with those sealed, or with what the history told of them last."""
    for name in sorted(stays.keys() | found.keys() | {table for table, _ in since if table in owners()}):
        sealed = stays.get(name, {"columns": [], "rows": {}})
        there = {_key(name, row): row for row in found.get(name, [])}
        told_here = {key for table, key in since if table == name}
        for key in sorted(sealed["rows"].keys() | there.keys() | told_here):
            row, told_last = there.get(key), since.get((name, key))
            meant = told_last is not None if key in told_here else key in sealed["rows"]
            reason = ""
            if row is None:
                reason = "归档时留存的行已被删除" if meant else ""
            elif not meant:
                reason = "归档时没有此行,系另行添加"
            elif told_last is not None:
                changed = [each for each, value in told_last.items() if each in row and row[each] != value]
                reason = f"与办理记录不符,已被改动:{'、'.join(changed)}" if changed else ""
            elif not _is(row, sealed, key):
                reason = "与归档时留存的内容不符,已被改动"
            if reason:
                yield AuditFault(case.number, name, int(key.partition(",")[0]), reason)


def _is(row: Row, sealed: Mapping[str, Any], key: str) -> bool:
    try:
        return bool(_digest(row, sealed["columns"]) == sealed["rows"][key])
    except TypeError:  # bytes in a column of text
        return False


def _kept_since(told: Sequence[HistoryRow]) -> dict[tuple[str, str], Row | None]:
    """Return what the history told last of the rows that the product has written since; None: that it is gone."""
    return {
        (kept["table"], str(kept["row"])): kept["facts"]
        for row in told
        if row.kind == KEPT
        for kept in json.loads(row.data)["rows"]
    }
