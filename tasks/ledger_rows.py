"""
The ledger's rows for the workbook, read only: all that can be read, and which of them can not be, each by its place.

Nobody's money shall be left out of a workbook unseen because one row beside it was tampered with.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import Case, Document
from models.ledger import LedgerAccount, LedgerEntry, LedgerLine
from models.registry import Person
from tasks.audit_rows import AuditFault, in_pages, number_of
from tasks.ledger_programme import kind_of

LATEST = datetime.max.replace(tzinfo=UTC) - timedelta(days=1)
"""Later moments have no day in Shanghai."""


@dataclass(frozen=True)
class Unread:
    """A row that is not in the workbook as it should be."""

    voucher: str
    """Of which entry, as the workbook numbers them; empty: of none, or nobody can tell."""
    fault: AuditFault

    def __str__(self) -> str:
        return f"{self.voucher}  {self.fault}" if self.voucher else str(self.fault)


@dataclass
class Books:
    """The whole ledger."""

    accounts: dict[int, LedgerAccount] = field(default_factory=dict)
    entries: dict[int, LedgerEntry] = field(default_factory=dict)
    lines: dict[int, list[LedgerLine]] = field(default_factory=dict)
    """By their entry, in the order of the entries; also those whose entry is not there."""
    numbers: dict[int, str] = field(default_factory=dict)
    """Of the cases, by id."""
    people: dict[int, str] = field(default_factory=dict)
    """Who booked, by id, as records show them."""
    documents: dict[int, str] = field(default_factory=dict)
    """The vouchers' references, by id."""
    unread: list[Unread] = field(default_factory=list)
    of_no_source: set[int] = field(default_factory=set)
    """Accounts whose source is none there is."""
    unsure: set[int] = field(default_factory=set)
    """Accounts of which a line can not be read: their sums are not what was moved."""


def voucher(entry_id: int) -> str:
    """Return how the workbook numbers an entry."""
    return f"记-{entry_id:06d}"


def read_books(session: Session) -> Books:
    """Return the ledger as far as it can be read."""
    books = Books()
    for account in in_pages(session, LedgerAccount, select(LedgerAccount)):
        if isinstance(account, AuditFault):
            books.unread.append(Unread("", account))
            continue
        books.accounts[account.id] = account
        if account.source and not _is_source(account.source):
            books.of_no_source.add(account.id)
            reason = f"列 source 现为“{account.source}”,没有这样的资金来源"
            books.unread.append(Unread("", AuditFault("", LedgerAccount.__tablename__, account.id, reason)))
    _read_entries(session, books)
    _read_lines(session, books)
    _read_beside(session, books)
    return books


def _is_source(code: str) -> bool:
    try:
        kind_of(code)
    except ValueError:
        return False
    return True


def _read_entries(session: Session, books: Books) -> None:
    for entry in in_pages(session, LedgerEntry, select(LedgerEntry)):
        if isinstance(entry, AuditFault):
            books.unread.append(Unread(voucher(entry.row), entry))
        elif entry.booked_at > LATEST:
            reason = f"列 booked_at 现为“{entry.booked_at}”,超出日历"
            books.unread.append(Unread(voucher(entry.id), AuditFault("", entry.__tablename__, entry.id, reason)))
        else:
            books.entries[entry.id] = entry


def _read_lines(session: Session, books: Books) -> None:
    known = {each.fault.row for each in books.unread if each.fault.table == LedgerEntry.__tablename__}
    broken = {each.fault.row for each in books.unread if each.fault.table == LedgerAccount.__tablename__}
    lines: dict[int, list[LedgerLine]] = defaultdict(list)
    for line in in_pages(session, LedgerLine, select(LedgerLine)):
        if isinstance(line, AuditFault):
            of = select(LedgerLine.entry_id, LedgerLine.account_id).where(LedgerLine.id == line.row)
            entry_id, account_id = session.execute(of).one()
            books.unread.append(Unread(voucher(entry_id) if isinstance(entry_id, int) else "", line))
            # Where nobody can tell which account it belongs to, it may be any.
            books.unsure |= {account_id} if account_id in books.accounts else books.accounts.keys()
            continue
        lines[line.entry_id].append(line)
        missing = ""
        if line.entry_id not in books.entries and line.entry_id not in known:
            missing = f"所属分录 {line.entry_id} 不存在"
        elif line.account_id not in books.accounts and line.account_id not in broken:
            missing = f"所记科目 {line.account_id} 不存在"
        if missing:
            fault = AuditFault("", LedgerLine.__tablename__, line.id, missing)
            books.unread.append(Unread(voucher(line.entry_id), fault))
    for entry_id in books.entries.keys() - lines.keys():
        fault = AuditFault("", LedgerEntry.__tablename__, entry_id, "没有可以读取的行,金额不明")
        books.unread.append(Unread(voucher(entry_id), fault))
    books.lines = {each: sorted(lines[each], key=lambda line: line.account_id) for each in sorted(lines)}


def _read_beside(session: Session, books: Books) -> None:
    """Read whom and what the rows refer to; a row that refers to something broken still tells its own."""
    of_money = select(LedgerAccount.case_id).union(select(LedgerEntry.case_id)).subquery()
    for case in in_pages(session, Case, select(Case).where(Case.id.in_(select(of_money.c.case_id)))):
        if isinstance(case, AuditFault):
            books.unread.append(Unread("", case))
            books.numbers[case.row] = number_of(session, case.row)
        else:
            books.numbers[case.id] = case.number
    for person in in_pages(session, Person, select(Person).where(Person.id.in_(select(LedgerEntry.booked_by_id)))):
        if isinstance(person, AuditFault):
            books.unread.append(Unread("", person))
        else:
            books.people[person.id] = person.display
    shown = select(LedgerEntry.document_id).where(LedgerEntry.document_id.is_not(None))
    for document in in_pages(session, Document, select(Document).where(Document.id.in_(shown))):
        if isinstance(document, AuditFault):
            books.unread.append(Unread("", document))
        else:
            books.documents[document.id] = document.reference
