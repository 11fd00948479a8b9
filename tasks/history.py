"""A case's history: appended in the transaction of what it tells of, sealed row by row; and the check of the seals."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any, cast

from sqlalchemy import Insert, Table, Update, bindparam, insert, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from models.archive import ArchivedCase
from models.base import Instant, canonical
from models.case import Case, PublishedEdition
from models.given import GivenRows, given
from models.history import HistoryRow
from models.ledger import LedgerAccount, LedgerEntry
from models.work_item import Decision
from rules.masking import mask_text
from tasks.archive_audit import archived, verify_stub
from tasks.audit_rows import AuditFault, in_pages, is_of_reading, is_of_value, read_or, rows_of
from tasks.case_audit import verify_place
from tasks.gate_audit import PLACE, verify_gates
from tasks.ledger_audit import stray_rows, verify_money
from tasks.notice_seal import verify_notice
from tasks.project_seal import verify_project
from tasks.sealed_rows import verify_rows

SYSTEM = "系统"
_SEALED = ("seq", "at", "kind", "actor", "summary", "data", "previous")
_ROWS, _CASES = cast("Table", HistoryRow.__table__), cast("Table", Case.__table__)
INSERT_ROW = insert(_ROWS)
SET_HEAD = (
    update(_CASES)
    .where(_CASES.c.id == bindparam("in_case"))
    .values(history_seq=bindparam("seq"), history_head=bindparam("head"))
)
_KEPT_BESIDE = {"decision_taken": "decisions", "money_moved": "ledger_entries"}
"""Facts that stand in a table of their own too, by the history's word for them."""
_MISTAKE = "此案没有核对完,也不能断定有改动;请把此条告诉系统维护人员,查明后重新核对"
_REST = "请对照备份更正;此案的其余记录,更正后才能核对"


def append(
    session: Session, case: Case, *, kind: str, actor: str, summary: str, at: datetime, data: Mapping[str, Any]
) -> None:
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
    session.flush()
    row = sealed(
        case.id,
        case.number,
        seq=case.history_seq + 1,
        previous=case.history_head,
        kind=kind,
        actor=actor,
        summary=summary,
        at=at,
        data=data,
    )
    # Written as prepared statements: forty rows a case through the unit of work cost more than all that they tell of.
    connection = session.connection()
    connection.execute(INSERT_ROW, row)
    connection.execute(SET_HEAD, {"in_case": case.id, "seq": row["seq"], "head": row["hash"]})
    set_committed_value(case, "history_seq", row["seq"])
    set_committed_value(case, "history_head", row["hash"])


def sealed(
    case_id: int,
    case_number: str,
    *,
    seq: int,
    previous: str,
    kind: str,
    actor: str,
    summary: str,
    at: datetime,
    data: Mapping[str, Any],
) -> dict[str, Any]:
    """
    Return a row of a case's history, sealed, as `INSERT_ROW` takes it; `SET_HEAD` then moves the case's head to it.

    Args:
        seq: one more than the case's last row.
        previous: hash of that row; empty for the first.
        kind: this and the others as `append` takes them.
        actor: see `append`.
        summary: see `append`.
        at: see `append`.
        data: see `append`.
    """
    row = {
        "case_id": case_id,
        "seq": seq,
        "at": at.astimezone(UTC),  # as it is read back, or the seal would not fit
        "kind": kind,
        "actor": actor,
        "summary": mask_text(summary),
        "data": canonical(data),
        "previous": previous,
    }
    return {**row, "hash": _digest(case_number, row)}


def append_many(session: Session, rows: Sequence[dict[str, Any]], *, at: datetime) -> None:
    """
    Append facts to the histories of many cases with two statements; the caller holds all these cases locked.

    Args:
        rows: as `sealed` returns them, each case's in their order, each sealed upon the one before.
        at: the moment of all of them.
    """
    if not rows:
        return
    connection = session.connection()
    insert_rows, set_heads = _many(connection.dialect.name)
    told = [{name: value for name, value in row.items() if name != "at"} for row in rows]
    connection.execute(insert_rows, given(told, at=at))
    last = {row["case_id"]: row for row in told}
    connection.execute(set_heads, given([{name: row[name] for name in _HEAD} for row in last.values()]))


_HEAD = ("case_id", "seq", "hash")


@cache
def _many(dialect: str) -> tuple[Insert, Update]:
    rows = GivenRows(
        dialect, numbers=("case_id", "seq"), texts=("kind", "actor", "summary", "data", "previous", "hash")
    )
    heads = GivenRows(dialect, numbers=("case_id", "seq"), texts=("hash",))
    in_case, seq, head = (heads.columns[name] for name in _HEAD)
    return (
        insert(_ROWS).from_select(
            [*rows.names, "at"],
            select(*rows.columns.values(), bindparam("at", type_=Instant())).select_from(rows.table),
        ),
        update(_CASES).where(_CASES.c.id == in_case).values(history_seq=seq, history_head=head),
    )


def seal(case_number: str, row: HistoryRow) -> str:
    """Return the SHA-256 over everything that `row` says and over the hash of the row before it."""
    return _digest(case_number, {name: getattr(row, name) for name in _SEALED})


def _digest(case_number: str, row: Mapping[str, Any]) -> str:
    said = [row[name].isoformat() if name == "at" else row[name] for name in _SEALED]
    return hashlib.sha256(canonical([case_number, *said]).encode()).hexdigest()


def verify(session: Session, *, number: str | None = None, in_part: bool = False) -> Iterator[AuditFault]:
    """
    Find every row of the records that was changed, added or removed behind the product's back.

    Args:
        session: a consistent view.
        number: one case only; None for all.
        in_part: only some of an office's cases are there, as in an archive; what one belongs to may be elsewhere.

    Returns:
        The faults, case by case: broken seals, gaps, a cut tail, decisions and money that differ from the history.
    """
    query = select(Case)
    if number is not None:
        query = query.where(Case.number == number)
    for case in in_pages(session, Case, query):
        yield from _examined(case, partial(_verify_case, in_part=in_part), session)
    if number is None:
        yield from stray_rows(session)


def verify_ledger(session: Session) -> Iterator[AuditFault]:
    """
    Find every row of the ledger that was changed, added or removed behind the product's back.

    Source: D0-R15, D2-R13 (the money is open to inspection).

    Args:
        session: a consistent view.

    Returns:
        The faults: lines that do not sum to zero or differ from the history, balances that are not the sum of their
        lines, wrong signs, caps exceeded or changed, rows that belong to nothing; and broken histories of the cases.
    """
    with_money = select(LedgerAccount.case_id).union(
        select(LedgerEntry.case_id), select(HistoryRow.case_id).where(HistoryRow.kind == "money_moved")
    )
    for case in in_pages(session, Case, select(Case).where(Case.id.in_(with_money))):
        yield from _examined(case, _verify_money_of_case, session)
    yield from stray_rows(session)


def _examined(
    case: Case | AuditFault, verify_case: Callable[[Session, Case], Iterator[AuditFault]], session: Session
) -> Iterator[AuditFault]:
    """Yield what is found in a case; one of which the examination itself breaks keeps no other from being examined."""
    if isinstance(case, AuditFault):
        yield replace(case, reason=f"{case.reason};{_REST}")
        return
    found = False
    try:
        for fault in verify_case(session, case):
            found = True
            yield fault
    except Exception as error:
        # What lacks a unit that is told to be none there is comes of that, not of a mistake.
        of_value = is_of_reading(error) or (found and is_of_value(error))
        if isinstance(error, DBAPIError) and not of_value:
            raise
        told = mask_text(f"{type(error).__name__}:{error}")
        # Of a mistake of ours nobody is accused; but a case that was not examined to its end is not sound either.
        reason = f"核对中断,此案有记录已被改动({told});{_REST}" if of_value else f"核对中断:{told};{_MISTAKE}"
        yield AuditFault(case.number, "cases", case.id, reason)


def _verify_money_of_case(session: Session, case: Case) -> Iterator[AuditFault]:
    told = _told(session, case)
    if isinstance(told, AuditFault):
        yield told
        return
    moved = _beside(told, "money_moved")
    yield from verify_money(session, case, moved)
    yield from _not_kept(case, moved)


def _verify_case(session: Session, case: Case, *, in_part: bool) -> Iterator[AuditFault]:
    of_row = [*_verify_edition(case), *verify_place(session, case, in_part=in_part)]
    yield from of_row
    record = archived(session, case.id)
    told = _told(session, case, record)
    if isinstance(told, AuditFault):
        yield told
        return
    if record is not None:
        yield from verify_stub(session, case, record, told)
        return
    beside = _beside(told, *_KEPT_BESIDE)
    taken = select(Decision).where(Decision.case_id == case.id).order_by(Decision.id)
    for decision in rows_of(session, Decision, taken, number=case.number):
        if isinstance(decision, AuditFault):
            yield decision
        elif beside.pop(f"decision_taken:{canonical(decision_facts(decision))}", None) is None:
            yield AuditFault(case.number, "decisions", decision.id, "与办理记录不符,已被改动")
    yield from verify_money(session, case, beside)
    yield from verify_notice(session, case, told)
    yield from verify_project(session, case)
    named = {fault.table for fault in of_row} & {Case.__tablename__}  # once is enough
    yield from (fault for fault in verify_gates(session, case, told) if fault.table not in named)
    yield from verify_rows(session, case, told)
    yield from _not_kept(case, beside)


def _verify_edition(case: Case) -> Iterator[AuditFault]:
    """Find whether the policy that the case goes by is the one it was opened under."""

    def published() -> str:
        edition: PublishedEdition | None = case.edition
        return hashlib.sha256(edition.text).hexdigest() if edition is not None else ""

    sha256 = read_or(published, lambda: None)
    if sha256 is None:
        yield AuditFault(case.number, "editions", 0, f"政策 {case.edition_id} 的全文无法读取,已被改动")
    elif not sha256:
        yield AuditFault(case.number, "cases", case.id, f"列 edition_id 现为“{case.edition_id}”,没有公布过这样的政策")
    elif sha256 != case.edition_sha256:
        yield AuditFault(case.number, "cases", case.id, f"所依据政策 {case.edition_id} 的全文与立案时的摘要不符")


def _told(session: Session, case: Case, record: ArchivedCase | None = None) -> list[HistoryRow] | AuditFault:
    """
    Return the case's history, oldest first; or the first place where it is broken.

    Args:
        record: of an archived case: its history goes on where that of the file ends.
    """
    told: list[HistoryRow] = []
    count, last, previous = (record.last_seq, 0, record.last_head) if record is not None else (0, 0, "")
    query = select(HistoryRow).where(HistoryRow.case_id == case.id).order_by(HistoryRow.seq)
    for row in rows_of(session, HistoryRow, query, number=case.number):
        if isinstance(row, AuditFault):
            return row
        count, last = count + 1, row.id
        reason = ""
        if row.seq != count:
            reason = f"序号应为 {count},现为 {row.seq},其间有记录被删除"
        elif row.previous != previous:
            reason = "与上一条记录的摘要不相衔接"
        elif row.hash != seal(case.number, row):
            reason = "内容与其摘要不符,已被改动"
        if reason:
            return AuditFault(case.number, "history", row.id, reason)
        previous = row.hash
        told.append(row)
    if case.history_seq != count or case.history_head != previous:
        return AuditFault(case.number, "history", last, f"应有 {case.history_seq} 条记录,现有 {count} 条")
    return told


def _beside(told: Sequence[HistoryRow], *kinds: str) -> dict[str, HistoryRow]:
    """Return the facts of these kinds as ``kind:data``, by which their row in another table is found."""
    return {f"{row.kind}:{row.data}": row for row in told if row.kind in kinds}


def _not_kept(case: Case, left: Mapping[str, HistoryRow]) -> Iterator[AuditFault]:
    for row in left.values():
        yield AuditFault(
            case.number,
            "history",
            row.id,
            f"此条办理记录在表 {_KEPT_BESIDE[row.kind]} 中没有对应的行,已被删除或改动",
        )


def place_facts(case: Case) -> dict[str, Any]:
    """Return what the history keeps of where a case is about."""
    return {name: getattr(case, name) for name in PLACE}


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
