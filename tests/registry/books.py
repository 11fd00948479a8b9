"""A small sound registry for the tests to spoil, and ways to write it down."""

import copy
import csv
import io
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from models.engine import Database
from tasks.registry import ImportReport, RegistryFaults, import_registry
from tasks.registry_cells import id_check_sign
from tasks.registry_form import SHEETS, Fault

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
EDITIONS = {"example-2026"}
Rows = dict[str, list[list[Any]]]


def id_number(first_17: str = "99999919600229001") -> str:
    """Return an identity number whose check sign holds."""
    return first_17 + id_check_sign(first_17)


BOOK: Rows = {
    "镇村组": [
        ["SQ", "示例区", "区", None, None, None],
        ["SL", "示例镇", "镇(街道)", "SQ", None, "example-2026"],
        ["ZD", "周荡村", "村(居)", "SL", None, None],
        ["ZD01", "周荡村一组", "村(居)民小组", "ZD", "市级", None],
        ["ZD02", "周荡村二组", "村(居)民小组", "ZD", "无", None],
    ],
    "农户": [
        ["ZD01-001", "ZD01", "沈文林", "一组1号", "13800000001", id_number(), "wenlin@example.com", "是"],
        ["ZD01-002", "ZD01", "陆秀英", "一组2号", None, None, None, "是"],
        ["ZD02-001", "ZD02", "顾福根", "二组1号", "021-59240000", None, None, "是"],
    ],
    "人员": [
        ["P001", "徐建华", "13800000002", id_number("99999919750101002"), "p001@shili.example", "是"],
        ["P002", "金桂芳", None, None, "p002@shili.example", "是"],
    ],
    "职务": [
        ["P001", "社区办审核员", "SL", date(2025, 1, 1), None],
        ["P002", "村(居)民小组长", "ZD01", "2025-6-1", date(2026, 6, 1)],
    ],
}


def book() -> Rows:
    """Return the sound registry, to be changed at will."""
    return copy.deepcopy(BOOK)


def write(path: Path, rows: Rows, *, edit: Callable[[Workbook], None] | None = None) -> Path:
    """Write a workbook as a person would; `edit` spoils it further."""
    made = Workbook()
    made.remove(made.worksheets[0])
    for name, lines in rows.items():
        sheet = made.create_sheet(name)
        sheet.append([column.head for column in SHEETS[name]])
        for line in lines:
            sheet.append(line)
    if edit is not None:
        edit(made)
    made.save(path)
    return path


def write_csv(folder: Path, rows: Rows, *, encoding: str) -> Path:
    """Write the four CSV files."""
    folder.mkdir()
    for name, lines in rows.items():
        text = io.StringIO()
        csv.writer(text).writerows([[column.head for column in SHEETS[name]], *lines])
        (folder / f"{name}.csv").write_bytes(text.getvalue().encode(encoding))
    return folder


def bring(db: Database, path: Path) -> ImportReport:
    """Import at the tests' moment."""
    return import_registry(db, path, at=AT, editions=EDITIONS)


def refused(db: Database, path: Path) -> Sequence[Fault]:
    """Import what must be refused; return its faults."""
    with pytest.raises(RegistryFaults) as caught:
        bring(db, path)
    assert all(fault.problem and str(fault) in caught.value.reason for fault in caught.value.faults)
    return caught.value.faults


def places(faults: Sequence[Fault]) -> list[tuple[str, str]]:
    """Return sheet and cell of each fault."""
    return [(fault.sheet, fault.place) for fault in faults]
