"""Sheets that an office fills in by hand, XLSX or CSV: read by their Chinese heads, faults named by row."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from zipfile import BadZipFile

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException
from pydantic import ValidationError

from policies.errors import Refused
from tasks.commands import Decide, HouseholdAnswer
from tasks.faults import refusal_of

Row = tuple[int, dict[str, str]]
"""Number of the row as a person counts it, and its cells by head."""
DecisionRow = tuple[int, str, Decide | ValidationError]
"""Number of the row, of its case, and what is decided, or what is wrong with the row."""


def read_answers(folder: Path, name: str) -> list[HouseholdAnswer]:
    """
    Read households' answers (户号, 答复, 备注) from a sheet below `folder`.

    Raises:
        Refused: no such file, a head is missing, or rows are faulty; every fault is named by its row.
    """
    heads = {"户号": "household", "答复": "answer", "备注": "note"}
    answers, faults = list[HouseholdAnswer](), list[str]()
    for number, cells in rows_of(folder, name, tuple(heads), optional=("备注",)):
        try:
            answers.append(HouseholdAnswer.model_validate({heads[head]: text for head, text in cells.items()}))
        except ValidationError as error:
            faults.append(f"第{number}行:{refusal_of(error, HouseholdAnswer).reason}")
    if faults:
        raise Refused("default", f"表格“{name}”有{len(faults)}行有误,均未登记:{';'.join(faults)}")
    if not answers:
        raise Refused("default", f"表格“{name}”没有任何内容")
    return answers


def read_decisions(folder: Path, name: str) -> list[DecisionRow]:
    """
    Read decisions (案件编号, 办理人, 决定, 理由, 已知悉的提示) from a sheet below `folder`.

    Several warnings in one cell are divided by 、 or ;.

    Raises:
        Refused: no such file, a head is missing, or there are no rows.
    """
    heads = {
        "案件编号": "case",
        "办理人": "by",
        "决定": "verdict",
        "理由": "reason",
        "已知悉的提示": "acknowledged",
    }
    rows = list[DecisionRow]()
    for number, cells in rows_of(folder, name, tuple(heads), optional=("理由", "已知悉的提示")):
        fields: dict[str, object] = {heads[head]: text for head, text in cells.items()}
        if isinstance(listed := fields.get("acknowledged"), str):
            fields["acknowledged"] = [part for part in re.split(r"[、;\uff1b]", listed) if part]
        try:
            rows.append((number, cells["案件编号"].upper(), Decide.model_validate(fields)))
        except ValidationError as error:
            rows.append((number, cells["案件编号"].upper(), error))
    if not rows:
        raise Refused("default", f"表格“{name}”没有任何内容")
    return rows


def rows_of(folder: Path, name: str, heads: tuple[str, ...], optional: tuple[str, ...]) -> Iterable[Row]:
    """
    Yield the rows of a sheet below `folder` that are not empty, each with its number and its cells by head.

    Raises:
        Refused: no such file, not a sheet, or a head is missing that is not `optional`.
    """
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        raise Refused("default", f"资料文件夹中没有表格“{name}”,请先把文件放入资料文件夹")
    lines = iter(_lines(path))
    found = [_text(cell) for cell in next(lines, ())]
    if missing := [head for head in heads if head not in found and head not in optional]:
        required = "、".join(head for head in heads if head not in optional)
        may_be = f",可有 {'、'.join(optional)}" if optional else ""
        raise Refused("default", f"表格“{name}”第1行缺少表头:{'、'.join(missing)};须有 {required}{may_be}")
    columns = {head: found.index(head) for head in heads if head in found}
    for number, line in enumerate(lines, start=2):
        cells = {head: _text(line[column]) if column < len(line) else "" for head, column in columns.items()}
        if any(cells.values()):
            yield number, cells


def _lines(path: Path) -> Iterable[Sequence[object]]:
    if path.suffix.lower() == ".csv":
        raw = path.read_bytes()
        for encoding in ("utf-8-sig", "gb18030"):
            try:
                return list(csv.reader(io.StringIO(raw.decode(encoding))))
            except UnicodeDecodeError:
                continue
        raise Refused("default", f"表格“{path.name}”的文字编码无法识别,请另存为 UTF-8 的 CSV")
    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (BadZipFile, InvalidFileException, KeyError, OSError) as error:
        raise Refused("default", f"表格“{path.name}”不是可读的 XLSX 文件,请用 WPS 或 Excel 另存") from error
    try:
        return [tuple(row) for row in book.worksheets[0].iter_rows(values_only=True)]
    finally:
        book.close()


def _text(cell: object) -> str:
    return "" if cell is None else str(cell).strip()
