"""Writing a register as a workbook: Chinese heads, widths, a frozen head, filters, a last line of counts and sums."""

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from policies.errors import Refused
from rules.masking import mask_text

Cell = str | int | date | Decimal | None

_HEAD, _LAST = PatternFill("solid", fgColor="DDE8CB"), PatternFill("solid", fgColor="F2F2F2")
_FORMULA = re.compile(r"[\s\x00-\x1f]*[=+\-@]")
"""How a text begins that a spreadsheet would take for a formula, once somebody edits the cell."""
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")

_TAKES: dict[str, tuple[type, ...]] = {"@": (str,), "yyyy-mm-dd": (date,), "0": (int,)}
"""What the cells of a column may be, by its format; of any other, amounts and points."""


@dataclass(frozen=True)
class Column:
    """A column of a register."""

    head: str
    width: int
    format: str = "@"
    """``@``: text."""
    summed: bool = False
    """Whether the last line has the column's sum."""

    @property
    def takes(self) -> tuple[type, ...]:
        """What its cells may be, but for empty ones."""
        return _TAKES.get(self.format, (Decimal, int))


def texts(head: str, width: int = 16) -> Column:
    """Return a column of texts."""
    return Column(head, width)


def days(head: str) -> Column:
    """Return a column of days."""
    return Column(head, 12, "yyyy-mm-dd")


def counts(head: str, *, summed: bool = False) -> Column:
    """Return a column of whole numbers."""
    return Column(head, 10, "0", summed)


def points(head: str) -> Column:
    """Return a column of points with two decimals."""
    return Column(head, 10, "0.00")


def amounts(head: str) -> Column:
    """Return a column of amounts in yuan, summed in the last line."""
    return Column(f"{head}(元)", 16, "#,##0.00", summed=True)


def in_decimal_yuan(fen: int | None) -> Decimal | None:
    """Return an amount in yuan, exactly; None where there is none."""
    return None if fen is None else Decimal(fen).scaleb(-2)


def write_register(path: Path, title: str, columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> None:
    """
    Write a register; telephone and identity numbers in its texts are masked.

    Args:
        path: the file; never overwritten.
        title: name of the sheet.
        columns: from left to right.
        rows: their cells in the order of the columns.

    Raises:
        Refused: the name is not that of a workbook, or there is such a file.
    """
    book = new_book()
    add_sheet(book, title, columns, rows)
    save_new(book, path)


def new_book() -> Workbook:
    """Return a workbook without sheets."""
    book = Workbook()
    book.remove(book.worksheets[0])
    return book


def add_sheet(
    book: Workbook,
    title: str,
    columns: Sequence[Column],
    rows: Sequence[Sequence[Cell]],
    *,
    last: Sequence[Cell] | None = None,
) -> Worksheet:
    """
    Add a sheet with a head that stays, filters and a last line.

    Args:
        last: the last line; None: the counts and sums of the columns, empty: no last line.
    """
    sheet: Worksheet = book.create_sheet(title)
    _write_heads(sheet, columns)
    for number, cells in enumerate(rows, 2):
        for place, (column, value) in enumerate(zip(columns, cells, strict=True), 1):
            _write(sheet, number, place, column, value)
    _write_last(sheet, columns, len(rows) + 2, _sums(columns, rows) if last is None else last)
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{len(rows) + 1}"
    return sheet


def save_new(book: Workbook, path: Path) -> None:
    """Write a workbook into a new file; Refused when there is one of that name, or it is not a workbook's name."""
    if path.suffix.lower() != ".xlsx":
        raise Refused("default", f"文件名须以 .xlsx 结尾,现为“{path.name}”;请改写文件名")
    whole = io.BytesIO()
    book.save(whole)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("xb") as file:
            file.write(whole.getvalue())
    except FileExistsError as error:
        raise Refused("default", f"已有文件 {path};请换一个文件名,或先把它移走") from error


def _write_heads(sheet: Worksheet, columns: Sequence[Column]) -> None:
    sheet.freeze_panes = "A2"
    sheet.print_title_rows = "1:1"
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", 9
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    for place, column in enumerate(columns, 1):
        sheet.column_dimensions[get_column_letter(place)].width = column.width
        head: Any = sheet.cell(1, place, column.head)
        head.font, head.fill = Font(bold=True), _HEAD
        head.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)


def _sums(columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> list[Cell]:
    """Return the last line: how many rows, and the sums of the columns that have one."""
    last: list[Cell] = []
    for place, column in enumerate(columns):
        value: Cell = None
        if column.summed:
            # Row by row in order, exactly: no spreadsheet formula, whose cached value would be missing.
            value = sum((each for row in rows if isinstance(each := row[place], int | Decimal)), start=Decimal(0))
            value = int(value) if column.format == "0" else value
        elif place < 2:
            value = ("合计", f"共{len(rows)}条")[place]
        last.append(value)
    return last


def _write_last(sheet: Worksheet, columns: Sequence[Column], number: int, last: Sequence[Cell]) -> None:
    for place, (column, value) in enumerate(zip(columns, last, strict=False), 1):
        cell = _write(sheet, number, place, column, value)
        cell.font, cell.fill = Font(bold=True), _LAST


def _write(sheet: Worksheet, number: int, place: int, column: Column, value: Cell) -> Any:
    cell: Any = sheet.cell(number, place)
    if value in (None, ""):
        return cell
    if isinstance(value, str):
        text = _UNPRINTABLE.sub("", mask_text(value))
        cell.value = text
        # Text it is, whatever it begins with; the quote prefix keeps it text when somebody edits the cell.
        cell.data_type = "s"
        cell.quotePrefix = _FORMULA.match(text) is not None
        cell.alignment = Alignment(vertical="top", wrap_text=column.width >= 30)
    else:
        cell.value = value
    cell.number_format = column.format
    return cell
