"""Sheets of services that people fill in: orders (点单表) read, the catalogue (服务目录) written."""

import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from pydantic import ValidationError

from policies.errors import Refused
from tasks.faults import refusal_of
from tasks.service_commands import OrderRow
from tasks.services import CLAUSE
from tasks.sheets import rows_of

ORDER_HEADS = {"客堂间": "site", "服务项目": "item", "希望日期": "wished_on", "预计人数": "people", "说明": "note"}
MOST_WIDTH = 60


def read_orders(folder: Path, name: str) -> list[tuple[int, OrderRow]]:
    """
    Read orders from a sheet below `folder`; its heads are those of `ORDER_HEADS`.

    Returns:
        The number of the row and its order.

    Raises:
        Refused: no such file, a head is missing, or rows are faulty; every fault is named by row and column.
    """
    read, faults = list[tuple[int, OrderRow]](), list[str]()
    for number, cells in rows_of(folder, name, tuple(ORDER_HEADS), ("说明",)):
        fields = {ORDER_HEADS[head]: cell for head, cell in cells.items()}
        try:
            read.append((number, OrderRow.model_validate(fields)))
        except ValidationError as error:
            faults.append(f"第{number}行:{refusal_of(error, OrderRow).reason}")
    if faults:
        raise Refused("点单表填写要求", f"点单表“{name}”有{len(faults)}行有误,均未登记:{';'.join(faults)}")
    if not read:
        raise Refused("点单表填写要求", f"点单表“{name}”没有任何内容")
    return read


def write_sheet(path: Path, rows: Sequence[Sequence[str]], *, title: str) -> None:
    """
    Write a sheet as a workbook, its heads in bold; every cell is text, so that none becomes a formula.

    Args:
        path: the file; never overwritten.
        rows: heads first.

    Raises:
        Refused: there is such a file.
    """
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = title
    for line, cells in enumerate(rows, start=1):
        for place, text in enumerate(cells, start=1):
            cell: Any = sheet.cell(line, place, text or None)
            cell.number_format = "@"
            if text:
                cell.data_type = "s"
            if line == 1:
                cell.font = Font(bold=True)
    for place in range(1, len(rows[0]) + 1):
        widest = max(len(line[place - 1]) for line in rows)
        sheet.column_dimensions[get_column_letter(place)].width = min(2 * widest + 2, MOST_WIDTH)
    sheet.freeze_panes = "A2"
    whole = io.BytesIO()
    book.save(whole)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError as error:
        raise Refused(CLAUSE, f"已有文件 {path};请换一个文件名,或先把它移走") from error
    with os.fdopen(handle, "wb") as file:
        file.write(whole.getvalue())
