"""The ledger as a workbook (台账): one sheet of entries, line by line, one of accounts. Called by the command line."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from models.engine import Database
from models.ledger import LedgerAccount
from policies.errors import Refused
from policies.vocabulary import AccountKind
from rules.money import in_capitals, in_yuan
from rules.periods import shanghai_day
from tasks.ledger_programme import giver_of, kind_of
from tasks.ledger_rows import Books, Unread, read_books, voucher

ENTRIES, ACCOUNTS, UNREAD = "流水", "科目", "无法读取"
GONE = "(无法读取)"
"""Stands where something is kept that can not be read, or that is not there."""
MOST_IN_CAPITALS = 10**14
"""In fen: from there on there are no words for an amount."""
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
    Column("核对", 30),
)
UNREAD_COLUMNS = (
    Column("凭证号", 12),
    Column("案件", 16),
    Column("表", 18),
    Column("行", 8),
    Column("哪一列,现为何值", 80),
)
_HEAD = PatternFill("solid", fgColor="DDE8CB")


def export_ledger(database: Database, path: Path) -> None:
    """
    Write the whole ledger as a workbook; money into an account stands under 借方, money out of it under 贷方.

    What can not be read keeps nothing else out of it; it is named on a sheet of its own, and nothing is said to balance
    that was not seen whole.

    Args:
        path: the file; never overwritten.

    Raises:
        Refused: there is such a file; or the workbook, which is written, is not whole: says which rows can not be read.
    """
    with database.read() as session:
        books = read_books(session)
        entries, sums = _entry_rows(books)
        book = Workbook()
        book.remove(book.worksheets[0])
        _fill(book.create_sheet(ENTRIES), ENTRY_COLUMNS, entries)
        _fill(book.create_sheet(ACCOUNTS), ACCOUNT_COLUMNS, list(_account_rows(books, sums)))
        if books.unread:
            _fill(book.create_sheet(UNREAD), UNREAD_COLUMNS, [_unread_row(each) for each in books.unread])
    whole = io.BytesIO()
    book.save(whole)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("xb") as file:
            file.write(whole.getvalue())
    except FileExistsError as error:
        raise Refused("default", f"已有文件 {path};请换一个文件名,或先把它移走") from error
    if books.unread:
        listed = "".join(f"\n{number}. {each}" for number, each in enumerate(books.unread, 1))
        raise Refused(
            "default",
            f"台账不完整,有{len(books.unread)}处无法读取,已被改动,不能据此核对;其余的已写入 {path},"
            f"无法读取的列在“{UNREAD}”表。请对照备份更正后重新导出:{listed}",
        )


@dataclass
class _Sums:
    """What went into an account and out of it so far, in fen."""

    debit: int = 0
    credit: int = 0


def _entry_rows(books: Books) -> tuple[list[list[Cell]], dict[int, _Sums]]:
    sums = {each: _Sums() for each in books.accounts}
    whole = _Sums()
    rows: list[list[Cell]] = []
    for entry_id, lines in books.lines.items():
        entry = books.entries.get(entry_id)
        for line in lines:
            account = books.accounts.get(line.account_id)
            into, out = max(line.amount_fen, 0), max(-line.amount_fen, 0)
            for each in (whole, sums.get(line.account_id, _Sums())):
                each.debit += into
                each.credit += out
            rows.append(
                [
                    shanghai_day(entry.booked_at) if entry else None,
                    voucher(entry_id),
                    books.numbers.get(entry.case_id, GONE) if entry else GONE,
                    entry.move.label if entry else GONE,
                    entry.memo if entry else GONE,
                    account.name if account else GONE,
                    *(_source_and_purpose(account, books) if account else (GONE, GONE)),
                    _yuan(into) if into else None,
                    _yuan(out) if out else None,
                    *_balance_so_far(books, line.account_id, sums),
                    books.documents.get(entry.document_id, GONE) if entry and entry.document_id else None,
                    books.people.get(entry.booked_by_id, GONE) if entry else GONE,
                ]
            )
    told = "借贷不平,请运行 ketang ledger verify" if whole.debit != whole.credit else ""
    if books.unread:
        told = f"不完整,不能核对:有{len(books.unread)}处无法读取"
    rows.append(["合计", *[None] * 3, told, *[None] * 3, _yuan(whole.debit), _yuan(whole.credit), *[None] * 4])
    return rows, sums


def _balance_so_far(books: Books, account_id: int, sums: dict[int, _Sums]) -> tuple[Cell, Cell]:
    if account_id not in sums or account_id in books.unsure:
        return None, None
    return _balance(sums[account_id].debit - sums[account_id].credit)


def _account_rows(books: Books, sums: dict[int, _Sums]) -> Iterator[list[Cell]]:
    for account in books.accounts.values():
        balance = abs(account.balance_fen)
        yield [
            account.code,
            account.name,
            account.kind.label,
            account.level.label,
            books.numbers.get(account.case_id, GONE),
            *_source_and_purpose(account, books),
            None if account.cap_fen is None else _yuan(account.cap_fen),
            _yuan(sums[account.id].debit),
            _yuan(sums[account.id].credit),
            *_balance(account.balance_fen),
            in_capitals(balance) if balance < MOST_IN_CAPITALS else None,
            _compared(books, account, sums[account.id]),
        ]


def _compared(books: Books, account: LedgerAccount, moved: _Sums) -> str:
    if account.id in books.unsure:
        return "有流水无法读取,不能核对"
    apart = account.balance_fen - (moved.debit - moved.credit)
    return f"与流水合计相差{in_yuan(abs(apart))},请运行 ketang ledger verify" if apart else "与流水合计相符"


def _unread_row(each: Unread) -> list[Cell]:
    return [each.voucher, each.fault.case_number, each.fault.table, str(each.fault.row), each.fault.reason]


def _source_and_purpose(account: LedgerAccount, books: Books) -> tuple[str, str]:
    number = books.numbers.get(account.case_id, "")
    purpose = account.name.removesuffix(f" {number}") if account.kind is AccountKind.PURPOSE else ""
    if not account.source:
        return (account.level.label if account.kind is AccountKind.SOURCE else ""), purpose
    if account.id in books.of_no_source:
        return account.source, purpose
    kind, giver = kind_of(account.source).label, giver_of(account, number)
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
            # Somebody may have written signs into the database that no workbook takes.
            value = ILLEGAL_CHARACTERS_RE.sub("□", value) if isinstance(value, str) else value
            cell: Any = sheet.cell(number, place, value)
            cell.number_format = column.format
            if isinstance(value, str):
                # A memo that begins with "=" is text, not a formula.
                cell.data_type = "s"
