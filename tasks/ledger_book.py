"""The ledger as a workbook (台账): one sheet of entries, line by line, one of accounts. Called by the command line."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from models.case import Case, Document
from models.engine import Database
from models.ledger import LedgerAccount, LedgerEntry, LedgerLine
from models.registry import Person
from policies.errors import Refused
from policies.vocabulary import AccountKind
from rules.money import in_capitals
from rules.periods import SHANGHAI
from tasks.ledger_programme import giver_of, kind_of

ENTRIES, ACCOUNTS = "流水", "科目"
Cell = str | date | Decimal | None


@dataclass(frozen=True)
class Column:
    """A column of a sheet."""

    head: str
    width: int
    format: str = "@"


_DAY, _MONEY = "yyyy-mm-dd", "#,##0.00"
ENTRY_COLUMNS = (
    Column("日期", 12, _DAY),
    Column("凭证号", 12),
    Column("案件", 16),
    Column("事由", 12),
    Column("摘要", 30),
    Column("科目", 40),
    Column("资金来源", 26),
    Column("用途", 20),
    Column("借方(元)", 16, _MONEY),
    Column("贷方(元)", 16, _MONEY),
    Column("方向", 6),
    Column("余额(元)", 16, _MONEY),
    Column("凭证材料", 30),
    Column("经办人", 18),
)
ACCOUNT_COLUMNS = (
    Column("科目编码", 36),
    Column("科目", 40),
    Column("类别", 12),
    Column("层级", 12),
    Column("案件", 16),
    Column("资金来源", 26),
    Column("用途", 20),
    Column("预算上限(元)", 16, _MONEY),
    Column("借方合计(元)", 16, _MONEY),
    Column("贷方合计(元)", 16, _MONEY),
    Column("方向", 6),
    Column("余额(元)", 16, _MONEY),
    Column("余额(大写)", 36),
)
_HEAD = PatternFill("solid", fgColor="DDE8CB")


def export_ledger(database: Database, path: Path) -> None:
    """
    Write the whole ledger as a workbook; money into an account stands under 借方, money out of it under 贷方.

    Args:
        path: the file; never overwritten.

    Raises:
        Refused: there is such a file.
    """
    with database.read() as session:
        cases = {case.id: case for case in session.scalars(select(Case)).all()}
        accounts = {each.id: each for each in session.scalars(select(LedgerAccount).order_by(LedgerAccount.id))}
        entries, sums = _entry_rows(session, accounts, cases)
        book = Workbook()
        book.remove(book.worksheets[0])
        _fill(book.create_sheet(ENTRIES), ENTRY_COLUMNS, entries)
        _fill(book.create_sheet(ACCOUNTS), ACCOUNT_COLUMNS, list(_account_rows(accounts, cases, sums)))
    whole = io.BytesIO()
    book.save(whole)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("xb") as file:
            file.write(whole.getvalue())
    except FileExistsError as error:
        raise Refused("default", f"已有文件 {path};请换一个文件名,或先把它移走") from error


@dataclass
class _Sums:
    """What went into an account and out of it so far, in fen."""

    debit: int = 0
    credit: int = 0


def _entry_rows(
    session: Session, accounts: dict[int, LedgerAccount], cases: dict[int, Case]
) -> tuple[list[list[Cell]], dict[int, _Sums]]:
    sums = {each: _Sums() for each in accounts}
    query = (
        select(LedgerEntry, Person, Document.reference)
        .join(Person, Person.id == LedgerEntry.booked_by_id)
        .outerjoin(Document, Document.id == LedgerEntry.document_id)
        .options(selectinload(LedgerEntry.lines).joinedload(LedgerLine.account))
        .order_by(LedgerEntry.id)
    )
    rows: list[list[Cell]] = []
    for entry, person, reference in session.execute(query).tuples():
        for line in entry.lines:
            account, so_far = accounts[line.account_id], sums[line.account_id]
            so_far.debit += max(line.amount_fen, 0)
            so_far.credit += max(-line.amount_fen, 0)
            rows.append(
                [
                    entry.booked_at.astimezone(SHANGHAI).date(),
                    f"记-{entry.id:06d}",
                    cases[entry.case_id].number,
                    entry.move.label,
                    entry.memo,
                    account.name,
                    *_source_and_purpose(account, cases[account.case_id]),
                    _yuan(line.amount_fen) if line.amount_fen > 0 else None,
                    _yuan(-line.amount_fen) if line.amount_fen < 0 else None,
                    *_balance(so_far.debit - so_far.credit),
                    reference,
                    person.display,
                ]
            )
    both = [_yuan(sum(each.debit for each in sums.values())), _yuan(sum(each.credit for each in sums.values()))]
    rows.append(["合计", *[None] * 7, *both, *[None] * 4])
    return rows, sums


def _account_rows(
    accounts: dict[int, LedgerAccount], cases: dict[int, Case], sums: dict[int, _Sums]
) -> Iterator[list[Cell]]:
    for account in accounts.values():
        case = cases[account.case_id]
        yield [
            account.code,
            account.name,
            account.kind.label,
            account.level.label,
            case.number,
            *_source_and_purpose(account, case),
            None if account.cap_fen is None else _yuan(account.cap_fen),
            _yuan(sums[account.id].debit),
            _yuan(sums[account.id].credit),
            *_balance(account.balance_fen),
            in_capitals(abs(account.balance_fen)),
        ]


def _source_and_purpose(account: LedgerAccount, case: Case) -> tuple[str, str]:
    purpose = account.name.removesuffix(f" {case.number}") if account.kind is AccountKind.PURPOSE else ""
    if not account.source:
        return (account.level.label if account.kind is AccountKind.SOURCE else ""), purpose
    kind, giver = kind_of(account.source).label, giver_of(account, case)
    return (kind if giver == kind else f"{kind}:{giver}"), purpose


def _balance(fen: int) -> tuple[str, Decimal]:
    return ("借" if fen > 0 else "贷" if fen < 0 else "平"), _yuan(abs(fen))


def _yuan(fen: int) -> Decimal:
    return Decimal(fen).scaleb(-2)


def _fill(sheet: Worksheet, columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> None:
    sheet.freeze_panes = "A2"
    for place, column in enumerate(columns, 1):
        sheet.column_dimensions[get_column_letter(place)].width = column.width
        head: Any = sheet.cell(1, place, column.head)
        head.font = Font(bold=True)
        head.fill = _HEAD
        head.alignment = Alignment(horizontal="center")
    for number, cells in enumerate(rows, 2):
        for place, (column, value) in enumerate(zip(columns, cells, strict=True), 1):
            if value in (None, ""):
                continue
            cell: Any = sheet.cell(number, place, value)
            cell.number_format = column.format
            if isinstance(value, str):
                # A memo that begins with "=" is text, not a formula.
                cell.data_type = "s"
