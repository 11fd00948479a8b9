"""
The audit of the ledger: every entry sums to zero and is what the history tells, every balance is the sum of its lines.

Called by `tasks.history`; read only, and ready for rows that somebody has tampered with.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base import canonical
from models.case import Case
from models.history import HistoryRow
from models.ledger import KIND_OF, LedgerAccount, LedgerEntry, LedgerLine, account_code
from policies.vocabulary import AccountKind
from tasks.audit_rows import AuditFault, rows_of

MOVED, BUDGETED = "money_moved", "budget_set"
"""The history's words for an entry, and for a project's budget lines with their caps."""


def entry_facts(entry: LedgerEntry, lines: Sequence[LedgerLine]) -> dict[str, Any]:
    """Return what the history keeps of an entry and its lines."""
    return {
        "key": entry.key,
        "move": entry.move.value,
        "lines": [line_facts(line) for line in sorted(lines, key=lambda line: line.account_id)],
        "memo": entry.memo,
        "document": entry.document_id,
        "booked_by": entry.booked_by_id,
        "booked_at": entry.booked_at.isoformat(),
    }


def line_facts(line: LedgerLine) -> dict[str, Any]:
    """Return what the history keeps of a line; an account is told by code and name, which change together or never."""
    return {"account": line.account.code, "name": line.account.name, "amount_fen": line.amount_fen}


def verify_money(session: Session, case: Case, told: dict[str, HistoryRow]) -> Iterator[AuditFault]:
    """
    Find what is wrong with the money of a case.

    Args:
        told: what the case's history tells, as ``kind:data``; entries found are taken out of it.

    Returns:
        Faults of the case's entries, of their lines, and of the case's accounts.
    """
    lines: dict[int, list[LedgerLine]] = defaultdict(list)
    of_case = select(LedgerLine).join(LedgerEntry, LedgerEntry.id == LedgerLine.entry_id)
    of_case = of_case.where(LedgerEntry.case_id == case.id).order_by(LedgerLine.id)
    named = select(LedgerAccount).where(
        LedgerAccount.id.in_(of_case.order_by(None).with_only_columns(LedgerLine.account_id))
    )
    accounts = {
        account.id: account
        for account in rows_of(session, LedgerAccount, named, number=case.number)
        if not isinstance(account, AuditFault)  # told where the account's own case is examined
    }
    for line in rows_of(session, LedgerLine, of_case, number=case.number):
        if isinstance(line, AuditFault):
            yield line
        elif line.account_id not in accounts:
            yield AuditFault(case.number, "ledger_lines", line.id, f"所记科目 {line.account_id} 不存在或无法读取")
        else:
            lines[line.entry_id].append(line)
    entries = select(LedgerEntry).where(LedgerEntry.case_id == case.id).order_by(LedgerEntry.id)
    for entry in rows_of(session, LedgerEntry, entries, number=case.number):
        if isinstance(entry, AuditFault):
            yield entry
        else:
            yield from _verify_entry(case, entry, lines[entry.id], told)
    yield from _verify_accounts(session, case)


def _verify_entry(
    case: Case, entry: LedgerEntry, lines: Sequence[LedgerLine], told: dict[str, HistoryRow]
) -> Iterator[AuditFault]:
    total = sum(line.amount_fen for line in lines)
    if total or not lines:
        yield AuditFault(case.number, "ledger_entries", entry.id, f"借贷不平:各行合计 {total} 分,应为零")
    facts = entry_facts(entry, lines)
    if told.pop(f"{MOVED}:{canonical(facts)}", None) is not None:
        return
    written = [json.loads(row.data) for row in told.values() if row.kind == MOVED]
    meant = next((each for each in written if each["key"] == entry.key), None)
    if meant is None or {**meant, "lines": facts["lines"]} != facts:
        yield AuditFault(case.number, "ledger_entries", entry.id, "与办理记录不符,已被改动")
        return
    for line in lines:
        facts_of_line = line_facts(line)
        if facts_of_line in meant["lines"]:
            continue
        if any({**each, "name": line.account.name} == facts_of_line for each in meant["lines"]):
            yield AuditFault(case.number, "ledger_accounts", line.account_id, "名称与办理记录不符,已被改动")
        else:
            yield AuditFault(case.number, "ledger_lines", line.id, "与办理记录不符,已被改动")
    if len(lines) != len(meant["lines"]):
        said = f"应有 {len(meant['lines'])} 行,现有 {len(lines)} 行"
        yield AuditFault(case.number, "ledger_entries", entry.id, f"与办理记录不符:{said}")


def _verify_accounts(session: Session, case: Case) -> Iterator[AuditFault]:
    caps = _caps(session, case)
    accounts = select(LedgerAccount).where(LedgerAccount.case_id == case.id).order_by(LedgerAccount.id)
    sums = _sums(session, case)
    for account in rows_of(session, LedgerAccount, accounts, number=case.number):
        if isinstance(account, AuditFault):
            yield account
            continue
        name, cap = caps.pop(account.code, (account.name, None))
        for reason in _faults_of(case, account, moved=sums.get(account.id, 0), cap=cap):
            yield AuditFault(case.number, "ledger_accounts", account.id, reason)
        if account.name != name:
            yield AuditFault(case.number, "ledger_accounts", account.id, f"名称应为“{name}”,现为“{account.name}”")
    for name, _ in caps.values():
        yield AuditFault(case.number, "ledger_accounts", 0, f"预算科目“{name}”已被删除或改动")


def _faults_of(case: Case, account: LedgerAccount, *, moved: int, cap: int | None) -> Iterator[str]:
    code = account_code(account.level, case.number, source=account.source, purpose=account.purpose)
    if account.code != code or account.kind is not KIND_OF[account.level]:
        yield f"编码“{account.code}”与其层级、来源、用途不符,已被改动"
    if account.balance_fen != moved:
        yield f"余额 {account.balance_fen} 分,与流水合计 {moved} 分不符"
    if account.balance_fen > 0 if account.kind is AccountKind.SOURCE else account.balance_fen < 0:
        yield f"{account.kind.label}科目的余额不得为 {account.balance_fen} 分"
    if account.cap_fen != cap:
        yield f"上限 {_said(account.cap_fen)}与办理记录中的 {_said(cap)}不符,已被改动"
    if account.cap_fen is not None and account.balance_fen > account.cap_fen:
        yield f"已支出 {account.balance_fen} 分,超出上限 {account.cap_fen} 分"


def _said(cap: int | None) -> str:
    return "(无)" if cap is None else f"{cap} 分"


def _caps(session: Session, case: Case) -> dict[str, tuple[str, int]]:
    """Return name and cap of every budget line as the history tells them last, by account code."""
    last = session.scalars(
        select(HistoryRow)
        .where(HistoryRow.case_id == case.id, HistoryRow.kind == BUDGETED)
        .order_by(HistoryRow.seq.desc())
        .limit(1)
    ).one_or_none()
    told = json.loads(last.data)["lines"] if last else []
    return {line["account"]: (line["name"], line["cap_fen"]) for line in told}


def _sums(session: Session, case: Case) -> dict[int, int]:
    query = (
        select(LedgerLine.account_id, func.sum(LedgerLine.amount_fen))
        .join(LedgerAccount, LedgerAccount.id == LedgerLine.account_id)
        .where(LedgerAccount.case_id == case.id)
        .group_by(LedgerLine.account_id)
    )
    return {account: int(total) for account, total in session.execute(query).tuples()}


def stray_rows(session: Session) -> Iterator[AuditFault]:
    """Find rows of the ledger that belong to nothing: lines without an entry, entries and accounts without a case."""
    queries = {
        "ledger_lines": select(LedgerLine.id).outerjoin(LedgerEntry, LedgerEntry.id == LedgerLine.entry_id),
        "ledger_entries": select(LedgerEntry.id).outerjoin(Case, Case.id == LedgerEntry.case_id),
        "ledger_accounts": select(LedgerAccount.id).outerjoin(Case, Case.id == LedgerAccount.case_id),
    }
    for table, query in queries.items():
        above = LedgerEntry.id if table == "ledger_lines" else Case.id
        for row in session.scalars(query.where(above.is_(None))):
            yield AuditFault("", table, row, "所属的分录或案件已不存在")
