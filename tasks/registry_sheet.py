"""
The registry as an office keeps it: four sheets with Chinese heads, in one XLSX workbook or a folder of four CSV files.

Reads sheets into rows of raw cells and lists what is wrong with their form; `tasks.registry_check` judges the values.
Never writes and never touches the database.
"""

import csv
import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.worksheet import Worksheet

from rules.masking import mask_text
from tasks.registry_cells import Cell, is_blank, normalised, plain
from tasks.registry_form import EXAMPLE, SHEETS, Fault, RegistryFaults

_SHOWN = 40
_MOST_ROWS = 200_000
_MOST_BYTES = 300 * 1024 * 1024
_MOST_COLUMNS = 64
_HEAD_WITHIN = 10


@dataclass(frozen=True)
class Row:
    """One row of a sheet: its number as Excel counts, and a cell for each known head that the sheet has."""

    number: int
    cells: Mapping[str, Cell]
    broken: frozenset[str] = frozenset()
    """Heads whose cell was reported already and is not to be judged again."""


@dataclass(frozen=True)
class Sheet:
    """The rows of one sheet that carry data."""

    name: str
    places: Mapping[str, int]
    """Head → number of its column, from 1."""
    rows: Sequence[Row]

    def fault(self, row: int, head: str, value: Cell, problem: str) -> Fault:
        """Return a fault at a cell, its value masked as its column asks."""
        place = f"{get_column_letter(self.places[head])}{row}" if head in self.places else ""
        mask = next((column.mask for column in SHEETS[self.name] if column.head == head), mask_text)
        shown = mask(plain(value)) if value is not None else ""
        return Fault(self.name, row, head, place, shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "…", problem)


@dataclass(frozen=True)
class Sheets:
    """A registry as read: the four sheets, and what is wrong with their form."""

    units: Sheet
    households: Sheet
    people: Sheet
    holdings: Sheet
    faults: tuple[Fault, ...] = ()


@dataclass
class _Grid:
    """A sheet before its heads are known: rows of cells, and the cells that can not be read."""

    rows: list[tuple[int, list[Cell]]]
    broken: dict[tuple[int, int], str] = field(default_factory=dict)
    """(row, column) → what is wrong there."""
    dividers: frozenset[int] = frozenset()
    """Rows that are one merged title."""


def read_workbook(path: Path) -> Sheets:
    """
    Read a registry from an XLSX workbook or from a folder of four CSV files (UTF-8 or GB18030).

    Blank rows, merged title rows and the rows marked 示例 are passed over; formulas count with the value that the
    office program last computed. Faults of form (heads, merged cells, formulas without a value) are in the result's
    `faults`, so that they can be shown together with the faults of the values.

    Raises:
        RegistryFaults: it is no workbook that can be read, or a sheet is missing.
    """
    grids = _csv_grids(path) if path.is_dir() else _xlsx_grids(path)
    missing = [name for name in SHEETS if name not in grids]
    if missing:
        raise RegistryFaults(
            [
                Fault(name, 0, "", "", "", f"没有这张表;请补上(没有数据也要保留列名那一行),{_found(grids)}")
                for name in missing
            ]
        )
    faults: list[Fault] = []
    units, households, people, holdings = (_sheet(name, grids[name], faults) for name in SHEETS)
    return Sheets(units, households, people, holdings, tuple(faults))


def _found(grids: Mapping[str, _Grid]) -> str:
    return f"现有:{'、'.join(grids)}" if grids else "现有的表名都对不上"


def _unusable(path: Path, problem: str) -> RegistryFaults:
    return RegistryFaults([Fault(mask_text(path.name), 0, "", "", "", problem)])


# --- XLSX


def _xlsx_grids(path: Path) -> dict[str, _Grid]:
    if not path.is_file():
        raise _unusable(path, "没有这个文件;请检查路径")
    if path.suffix.lower() == ".csv":
        raise _unusable(path, "单个 CSV 文件不能导入;请把四个 CSV 放进一个文件夹,给出文件夹的路径")
    formulas = _load(path, data_only=False)
    has_formula = any(
        cell.data_type == "f" for sheet in formulas.values() for line in sheet.iter_rows() for cell in line
    )
    values = _load(path, data_only=True) if has_formula else formulas
    return {name: _xlsx_grid(values[name], formulas[name]) for name in values}


def _load(path: Path, *, data_only: bool) -> dict[str, Worksheet]:
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > _MOST_BYTES:
                raise _unusable(path, "文件展开后太大;请删去图片和多余的表后重试")
        with warnings.catch_warnings():
            # openpyxl warns of what it leaves out (styles, extensions); no value is among it.
            warnings.simplefilter("ignore", UserWarning)
            book = load_workbook(path, data_only=data_only)
    except (zipfile.BadZipFile, InvalidFileException, OSError, EOFError, zlib.error) as error:
        raise _unusable(
            path, "不是能读取的 .xlsx 文件;旧的 .xls 或带密码的文件,请在 Excel 或 WPS 中另存为不带密码的 .xlsx"
        ) from error
    except (KeyError, ValueError, TypeError, AttributeError, IndexError, SyntaxError) as error:
        raise _unusable(path, "工作簿内部已损坏;请在 Excel 或 WPS 中打开后另存为新的 .xlsx") from error
    sheets: dict[str, Worksheet] = {}
    for sheet in cast("list[Worksheet]", book.worksheets):
        name = normalised(sheet.title)
        if name not in SHEETS:
            continue
        if name in sheets:
            raise RegistryFaults([Fault(name, 0, "", "", "", "有两张同名的表;请只留一张")])
        if sheet.max_row > _MOST_ROWS:
            raise RegistryFaults(
                [Fault(name, 0, "", "", "", f"表中有 {sheet.max_row} 行,超过 {_MOST_ROWS} 行;请删去末尾多余的空行")]
            )
        sheets[name] = sheet
    return sheets


def _xlsx_grid(values: Worksheet, formulas: Worksheet) -> _Grid:
    grid = _Grid([])
    width = min(values.max_column, _MOST_COLUMNS)
    for row, line in enumerate(values.iter_rows(max_col=width), 1):
        cells: list[Cell] = []
        for column, cell in enumerate(line, 1):
            value: Any = cell.value
            if cell.data_type == "e":
                grid.broken[row, column] = f"Excel 算出的是错误值 {value};请改成具体的值"
            elif value is None and formulas.cell(row, column).data_type == "f":
                grid.broken[row, column] = "公式没有算出的值;请在 Excel 或 WPS 中打开并保存,或把公式粘贴为数值"
                value = "="  # not blank: a row of nothing but such formulas must be told, not passed over
            cells.append(value)
        grid.rows.append((row, cells))
    dividers: set[int] = set()
    for merged in values.merged_cells.ranges:
        row = grid.rows[merged.min_row - 1][1]
        only_the_first = all(is_blank(cell) for place, cell in enumerate(row, 1) if place != merged.min_col)
        if merged.max_col > merged.min_col and only_the_first:
            dividers.add(merged.min_row)
            continue
        for at_row in range(merged.min_row, merged.max_row + 1):
            for at_column in range(merged.min_col, min(merged.max_col, width) + 1):
                if (at_row, at_column) != (merged.min_row, merged.min_col):
                    grid.broken[at_row, at_column] = f"在合并单元格 {merged.coord} 中;请取消合并,每行各填各的"
    grid.dividers = frozenset(dividers)
    return grid


# --- CSV


def _csv_grids(folder: Path) -> dict[str, _Grid]:
    grids: dict[str, _Grid] = {}
    for path in sorted(folder.iterdir()):
        name = normalised(path.stem)
        if path.suffix.lower() != ".csv" or name not in SHEETS:
            continue
        if name in grids:
            raise RegistryFaults([Fault(name, 0, "", "", "", "有两个同名的 CSV 文件;请只留一个")])
        grids[name] = _csv_grid(path)
    return grids


def _csv_grid(path: Path) -> _Grid:
    raw = path.read_bytes()
    text = None
    # GB18030 reads nearly everything, so UTF-8, which does not, is tried first.
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = raw.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    if text is None or "\x00" in text:
        raise _unusable(path, "既不是 UTF-8 也不是 GB18030 编码的文字;请另存为“CSV UTF-8(逗号分隔)”")
    try:
        return _Grid([(number, list(line)) for number, line in enumerate(csv.reader(io.StringIO(text, newline="")), 1)])
    except csv.Error as error:
        raise _unusable(path, "不是逗号分隔的表格;请另存为“CSV UTF-8(逗号分隔)”") from error


# --- both


def _sheet(name: str, grid: _Grid, faults: list[Fault]) -> Sheet:
    """Find the heads and keep the rows that carry data; what is wrong is added to `faults`."""
    columns = SHEETS[name]
    known = {column.head for column in columns}
    filled = [
        (number, cells)
        for number, cells in grid.rows
        if number not in grid.dividers and not all(is_blank(cell) for cell in cells)
    ]
    at = _head_row([cells for _, cells in filled[:_HEAD_WITHIN]], known)
    head_number, head_cells = filled[at] if filled else (1, [])
    places: dict[str, int] = {}
    twice: set[str] = set()
    for place, cell in enumerate(head_cells, 1):
        head = _head(cell)
        cell_name = f"{get_column_letter(place)}{head_number}"
        if head in places:
            twice.add(head)
            faults.append(Fault(name, head_number, head, cell_name, "", "列名重复;请只留一列"))
        elif head in known:
            places[head] = place
        elif head:
            allowed = "、".join(column.head for column in columns)
            shown = mask_text(head)[:_SHOWN]
            faults.append(
                Fault(name, head_number, "", cell_name, shown, f"没有这个列名;请改成 {allowed} 之一,或删去本列")
            )
    for column in columns:
        if column.head not in places:
            faults.append(Fault(name, head_number, column.head, "", "", "缺少这一列;请补上列名,没有数据也要保留"))
    # Nobody knows which of the two is meant, so neither is judged.
    places = {head: place for head, place in places.items() if head not in twice}
    sheet = Sheet(name, places, [])
    rows = [row for number, cells in filled[at + 1 :] if (row := _row(sheet, number, cells, grid, faults)) is not None]
    faults += _headless(name, filled[at + 1 :], head_cells)
    return Sheet(name, places, rows)


def _head(cell: Cell) -> str:
    return re.sub(r"[\s*]", "", plain(cell))


def _head_row(lines: Sequence[Sequence[Cell]], known: Iterable[str]) -> int:
    """Return the index of the line with most known heads; titles may stand above it."""
    wanted = set(known)
    hits = [len(wanted & {_head(cell) for cell in line}) for line in lines]
    return hits.index(max(hits)) if hits else 0


def _row(sheet: Sheet, number: int, cells: Sequence[Cell], grid: _Grid, faults: list[Fault]) -> Row | None:
    found = {head: cells[place - 1] if place <= len(cells) else None for head, place in sheet.places.items()}
    broken = {
        head: grid.broken[number, place] for head, place in sheet.places.items() if (number, place) in grid.broken
    }
    first = SHEETS[sheet.name][0].head
    if plain(found.get(first)).startswith(EXAMPLE) or (not broken and all(is_blank(cell) for cell in found.values())):
        return None
    for head, problem in broken.items():
        faults.append(sheet.fault(number, head, None, problem))
    return Row(number, found, frozenset(broken))


def _headless(name: str, rows: Iterable[tuple[int, Sequence[Cell]]], heads: Sequence[Cell]) -> list[Fault]:
    """Return one fault for each column that has values but no head."""
    seen: dict[int, Fault] = {}
    for number, cells in rows:
        for place, cell in enumerate(cells, 1):
            nameless = place > len(heads) or is_blank(heads[place - 1])
            if nameless and not is_blank(cell) and place not in seen:
                letter = get_column_letter(place)
                seen[place] = Fault(
                    name, number, "", f"{letter}{number}", "", f"{letter} 列有内容而没有列名;请补上列名或删去内容"
                )
    return list(seen.values())
