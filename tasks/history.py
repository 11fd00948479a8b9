"""A case's history: appended in the transaction of what it tells of, sealed row by row; and the check of the seals."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Integer, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from models.base import canonical
from models.case import Case
from models.history import HistoryRow
from models.ledger import LedgerAccount, LedgerEntry
from models.work_item import Decision
from rules.masking import mask_text

SYSTEM = "系统"
_KEPT_BESIDE = {"decision_taken": "decisions", "money_moved": "ledger_entries"}
"""Facts that stand in a table of their own too, by the history's word for them."""
R = TypeVar("R", HistoryRow, Decision, LedgerEntry)


def append(
    session: Session, case: Case, *, kind: str, actor: str, summary: str, at: datetime, data: Mapping[str, Any]
) -> HistoryRow:
    """
    Append one fact to the history of `case`, whose row the caller holds locked.

    Args:
        session: the transaction of the fact itself: both stand or neither.
        case: locked by `tasks.cases.load_case`.
        kind: what happened, past tense, e.g. ``"decision_taken"``.
        actor: who, as `Person.display` shows; `SYSTEM` for time.
        summary: one Chinese sentence; personal numbers are masked.
        at: when.
        data: what an auditor needs to check the fact; JSON values, no personal numbers.
    """
    row = HistoryRow(
        case_id=case.id,
        seq=case.history_seq + 1,
        at=at,
        kind=kind,
        actor=actor,
        summary=mask_text(summary),
        data=canonical(data),
        previous=case.history_head,
        hash="",
    )
    row.hash = seal(case.number, row)
    session.add(row)
    case.history_seq, case.history_head = row.seq, row.hash
    session.flush()
    return row


def seal(case_number: str, row: HistoryRow) -> str:
    """Return the SHA-256 over everything that `row` says and over the hash of the row before it."""
    text = canonical(
        [case_number, row.seq, row.at.isoformat(), row.kind, row.actor, row.summary, row.data, row.previous]
    )
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class AuditFault:
    """One row that is not what was once written."""

    case_number: str
    table: str
    row: int
    reason: str

    def __str__(self) -> str:
        return f"案件 {self.case_number}:表 {self.table} 第 {self.row} 行:{self.reason}"


def verify(session: Session, *, number: str | None = None) -> Iterator[AuditFault]:
    """
    Find every row of the records that was changed, added or removed behind the product's back.

    Args:
        session: a consistent view.
        number: one case only; None for all.

    Returns:
        The faults, case by case: broken seals, gaps, a cut tail, decisions and money that differ from the history.
    """
    query = select(Case).order_by(Case.id)
    if number is not None:
        query = query.where(Case.number == number)
    for case in session.scalars(query.execution_options(yield_per=200)):
        yield from _verify_case(session, case)


def _verify_case(session: Session, case: Case) -> Iterator[AuditFault]:
    if hashlib.sha256(case.edition.text).hexdigest() != case.edition_sha256:
        yield AuditFault(case.number, "cases", case.id, f"所依据政策 {case.edition_id} 的全文与立案时的摘要不符")
    rows: list[HistoryRow] = []
    previous, told = "", dict[str, HistoryRow]()
    for expected, row in enumerate(_rows_of(session, HistoryRow, case), start=1):
        if isinstance(row, AuditFault):
            yield row
            return
        rows.append(row)
        if row.seq != expected:
            yield AuditFault(case.number, "history", row.id, f"序号应为 {expected},现为 {row.seq},其间有记录被删除")
            return
        if row.previous != previous:
            yield AuditFault(case.number, "history", row.id, "与上一条记录的摘要不相衔接")
            return
        if row.hash != seal(case.number, row):
            yield AuditFault(case.number, "history", row.id, "内容与其摘要不符,已被改动")
            return
        previous = row.hash
        told[f"{row.kind}:{row.data}"] = row
    if case.history_seq != len(rows) or case.history_head != previous:
        last = rows[-1].id if rows else 0
        yield AuditFault(case.number, "history", last, f"应有 {case.history_seq} 条记录,现有 {len(rows)} 条")
        return
    for decision in _rows_of(session, Decision, case):
        if isinstance(decision, AuditFault):
            yield decision
        elif told.pop(f"decision_taken:{canonical(decision_facts(decision))}", None) is None:
            yield AuditFault(case.number, "decisions", decision.id, "与办理记录不符,已被改动")
    yield from _verify_money(session, case, told)
    for row in told.values():
        if row.kind in _KEPT_BESIDE:
            yield AuditFault(
                case.number,
                "history",
                row.id,
                f"此条办理记录在表 {_KEPT_BESIDE[row.kind]} 中没有对应的行,已被删除或改动",
            )


def _rows_of(session: Session, table: type[R], case: Case) -> Iterator[R | AuditFault]:
    """Yield the case's rows of a table; a row so damaged that it can not be read is a fault, not the audit's end."""
    order = HistoryRow.seq if table is HistoryRow else table.id
    query = select(table).where(table.case_id == case.id).order_by(order)
    try:
        rows: list[R | AuditFault] = list(session.scalars(query).all())
    except _UNREADABLE:
        ids = session.scalars(query.with_only_columns(table.id)).all()
        rows = [_read(session, table, row_id, case) for row_id in ids]
    for row in rows:
        if not isinstance(row, AuditFault) and not _whole(row):
            row = AuditFault(case.number, table.__tablename__, row.id, "无法读取,已被改动")
        yield row


def _read(session: Session, table: type[R], row_id: int, case: Case) -> R | AuditFault:
    try:
        return session.get_one(table, row_id)
    except _UNREADABLE:
        return AuditFault(case.number, table.__tablename__, row_id, "无法读取,已被改动")


def _whole(row: HistoryRow | Decision | LedgerEntry) -> bool:
    """Return whether numbers are numbers: SQLite keeps any text in a column of integers."""
    numbers = [column.key for column in row.__table__.columns if isinstance(column.type, Integer)]
    return all(isinstance(getattr(row, name), int | None) for name in numbers)


# Not a word of its list, no moment, no JSON; SQLite says OperationalError of text that is not UTF-8.
_UNREADABLE = (ValueError, LookupError, OperationalError)


def _verify_money(session: Session, case: Case, told: dict[str, HistoryRow]) -> Iterator[AuditFault]:
    moved: dict[int, int] = {}
    for entry in _rows_of(session, LedgerEntry, case):
        if isinstance(entry, AuditFault):
            yield entry
            continue
        moved[entry.from_id] = moved.get(entry.from_id, 0) - entry.amount_fen
        moved[entry.to_id] = moved.get(entry.to_id, 0) + entry.amount_fen
        if told.pop(f"money_moved:{canonical(entry_facts(entry))}", None) is None:
            yield AuditFault(case.number, "ledger_entries", entry.id, "与办理记录不符,已被改动")
    for account in session.scalars(select(LedgerAccount).where(LedgerAccount.case_id == case.id)):
        if account.balance_fen != moved.get(account.id, 0):
            yield AuditFault(
                case.number,
                "ledger_accounts",
                account.id,
                f"余额 {account.balance_fen} 分,与流水合计 {moved.get(account.id, 0)} 分不符",
            )


def decision_facts(decision: Decision) -> dict[str, Any]:
    """Return what the history keeps of a decision."""
    return {
        "work_item": decision.work_item_id,
        "verdict": decision.verdict.value,
        "reason": decision.reason,
        "decided_by": decision.decided_by_id,
        "door": decision.door.value,
        "decided_at": decision.decided_at.isoformat(),
        "effective_at": decision.effective_at.isoformat(),
        "acknowledged": decision.acknowledged,
        "details": decision.details,
    }


def entry_facts(entry: LedgerEntry) -> dict[str, Any]:
    """Return what the history keeps of a movement of money."""
    return {
        "key": entry.key,
        "move": entry.move.value,
        "from": entry.from_id,
        "to": entry.to_id,
        "amount_fen": entry.amount_fen,
        "memo": entry.memo,
        "document": entry.document_id,
        "booked_by": entry.booked_by_id,
        "booked_at": entry.booked_at.isoformat(),
    }
