"""
Writing a registry workbook: heads with notes, drop-down lists, text columns, and the rows, if any.

The same form for the empty template, the export and the example, so that each can be imported.
"""

import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from policies.errors import Refused
from tasks.registry_cells import Cell
from tasks.registry_form import CLAUSE, SHEETS, Column

_LAST_ROW = 1_048_576
_HEAD = PatternFill("solid", fgColor="DDE8CB")
_GREY = Font(italic=True, color="808080")


def write_template(path: Path) -> None:
    """
    Write the empty workbook, with one row marked 示例 in each sheet, which the import passes over.

    Raises:
        Refused: there is such a file.
    """
    examples = {name: [[column.example for column in columns]] for name, columns in SHEETS.items()}
    write_workbook(path, examples, grey=True)


def write_workbook(
    path: Path, rows: Mapping[str, Sequence[Sequence[Cell]]], *, grey: bool = False, private: bool = False
) -> None:
    """
    Write a registry workbook.

    Args:
        path: the file; never overwritten.
        rows: sheet → rows, their cells in the order of the sheet's columns.
        grey: show the rows as examples.
        private: only the owner may read the file.

    Raises:
        Refused: there is such a file.
    """
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, columns in SHEETS.items():
        sheet: Worksheet = book.create_sheet(name)
        _write_heads(sheet, columns)
        for number, cells in enumerate(rows.get(name, ()), 2):
            _write_row(sheet, number, columns, cells, grey=grey)
    whole = io.BytesIO()
    book.save(whole)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o644)
    except FileExistsError as error:
        raise Refused(CLAUSE, f"已有文件 {path};请换一个文件名,或先把它移走") from error
    with os.fdopen(handle, "wb") as file:
        file.write(whole.getvalue())


def _write_heads(sheet: Worksheet, columns: Sequence[Column]) -> None:
    sheet.freeze_panes = "A2"
    for place, column in enumerate(columns, 1):
        letter = get_column_letter(place)
        dimension: Any = sheet.column_dimensions[letter]
        dimension.width = column.width
        dimension.number_format = _format(column)
        cell: Any = sheet.cell(1, place, column.head)
        cell.font = Font(bold=True)
        cell.fill = _HEAD
        cell.alignment = Alignment(horizontal="center")
        cell.comment = Comment(column.note, "客堂", width=240, height=90)
        if column.choices:
            allowed = DataValidation(type="list", formula1=f'"{",".join(column.choices)}"', allow_blank=True)
            allowed.errorTitle = column.head
            allowed.error = "请从下拉列表选"
            allowed.showErrorMessage = True
            allowed.add(f"{letter}2:{letter}{_LAST_ROW}")
            sheet.add_data_validation(allowed)


def _write_row(sheet: Worksheet, number: int, columns: Sequence[Column], cells: Sequence[Cell], *, grey: bool) -> None:
    for place, (column, value) in enumerate(zip(columns, cells, strict=True), 1):
        if value in (None, ""):
            continue
        cell: Any = sheet.cell(number, place, value)
        cell.number_format = _format(column)
        if isinstance(value, str):
            # A name that begins with "=" is text, not a formula.
            cell.data_type = "s"
        if grey:
            cell.font = _GREY


def _format(column: Column) -> str:
    return "@" if column.is_text else "yyyy-mm-dd"
