"""The sheet of households' answers, as an office keeps it: 户号, 答复, 备注."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from zipfile import BadZipFile

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException
from pydantic import ValidationError

from policies.errors import Refused
from tasks.commands import HouseholdAnswer
from tasks.faults import refusal_of

HEADS = ("户号", "答复", "备注")


def read_answer_sheet(folder: Path, name: str) -> list[HouseholdAnswer]:
    """
    Read the answers of a sheet below `folder`.

    Raises:
        Refused: no such file, a head is missing, or a row is faulty; every fault is named by its row.
    """
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        raise Refused("default", f"资料文件夹中没有答复表“{name}”,请先把文件放入资料文件夹")
    return answers_in(_rows(path), name)


def answers_in(rows: Iterable[Sequence[object]], name: str) -> list[HouseholdAnswer]:
    """Return the answers of rows whose first is the head; Refused names every faulty row."""
    lines = iter(rows)
    heads = [_text(cell) for cell in next(lines, ())]
    if missing := [head for head in HEADS[:2] if head not in heads]:
        raise Refused("default", f"答复表“{name}”第1行缺少表头:{'、'.join(missing)};须有 {'、'.join(HEADS)}")
    columns = {head: heads.index(head) for head in HEADS if head in heads}
    answers, faults = list[HouseholdAnswer](), list[str]()
    for number, line in enumerate(lines, start=2):
        cells = {head: _text(line[column]) if column < len(line) else "" for head, column in columns.items()}
        if not any(cells.values()):
            continue
        try:
            answers.append(
                HouseholdAnswer.model_validate(
                    {"household": cells["户号"], "answer": cells["答复"], "note": cells.get("备注", "")}
                )
            )
        except ValidationError as error:
            faults.append(f"第{number}行:{refusal_of(error, HouseholdAnswer).reason}")
    if faults:
        raise Refused("default", f"答复表“{name}”有{len(faults)}处错误,均未登记:{';'.join(faults)}")
    if not answers:
        raise Refused("default", f"答复表“{name}”没有任何答复")
    return answers


def _rows(path: Path) -> Iterable[Sequence[object]]:
    if path.suffix.lower() == ".csv":
        raw = path.read_bytes()
        for encoding in ("utf-8-sig", "gb18030"):
            try:
                return list(csv.reader(io.StringIO(raw.decode(encoding))))
            except UnicodeDecodeError:
                continue
        raise Refused("default", f"答复表“{path.name}”的文字编码无法识别,请另存为 UTF-8 的 CSV")
    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (BadZipFile, InvalidFileException, KeyError, OSError) as error:
        raise Refused("default", f"答复表“{path.name}”不是可读的 XLSX 文件,请用 WPS 或 Excel 另存") from error
    try:
        return [tuple(row) for row in book.worksheets[0].iter_rows(values_only=True)]
    finally:
        book.close()


def _text(cell: object) -> str:
    return "" if cell is None else str(cell).strip()
