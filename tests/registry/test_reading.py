import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from models.engine import Database
from tasks.registry import RegistryFaults
from tasks.registry_sheet import read_workbook
from tests.registry.books import Rows, book, bring, places, refused, write, write_csv


def cache_value(path: Path, *, formula: str, value: str) -> None:
    """Put the value that an office program computed beside a formula, which openpyxl can not write."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = "xl/worksheets/sheet2.xml"
    before = f"<f>{formula}</f><v></v>" if f"<f>{formula}</f><v></v>".encode() in members[name] else ""
    before = before or f"<f>{formula}</f><v />"
    assert before.encode() in members[name]
    members[name] = members[name].replace(before.encode(), f"<f>{formula}</f><v>{value}</v>".encode())
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content)


def test_titles_blank_rows_examples_and_own_sheets_are_passed_over(sqlite_database: Database, tmp_path: Path) -> None:
    def edit(made: Workbook) -> None:
        sheet = made["农户"]
        sheet.insert_rows(1, 2)
        sheet["A1"] = "示例镇农户登记簿"
        sheet.merge_cells("A1:H2")
        sheet.insert_rows(5)
        sheet["A5"] = "周荡村一组"
        sheet.merge_cells("A5:H5")
        sheet.insert_rows(6)
        sheet["C6"] = " 　"
        sheet.append(["示例", "ZD01", "张三", None, "不是号码", None, None, "是"])
        made.create_sheet("统计")["A1"] = "=1/0"
        made["人员"]["G9"].number_format = "@"

    report = bring(sqlite_database, write(tmp_path / "r.xlsx", book(), edit=edit))

    assert report.added == 12


def test_rows_are_numbered_as_excel_shows_them(sqlite_database: Database, tmp_path: Path) -> None:
    def edit(made: Workbook) -> None:
        made["农户"].insert_rows(1, 3)
        made["农户"]["A1"] = "农户登记簿"
        made["农户"]["H7"] = "也许"

    faults = refused(sqlite_database, write(tmp_path / "r.xlsx", book(), edit=edit))

    assert [(fault.row, fault.column, fault.place, fault.value) for fault in faults] == [(7, "在册", "H7", "也许")]


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda made: made["农户"].__setitem__("E1", "电话"), [("农户", "E1"), ("农户", "")]),
        (lambda made: made["农户"].__setitem__("D1", "手机"), [("农户", ""), ("农户", "E1")]),
        (lambda made: made["人员"].__setitem__("H3", "备注"), [("人员", "H3")]),
        (lambda made: made["职务"].delete_cols(5), [("职务", "")]),
        (lambda made: made["农户"].merge_cells("B2:B3"), [("农户", "B3")]),
        (lambda made: made["农户"].merge_cells("C2:D2"), [("农户", "D2")]),
        (lambda made: made["农户"].__setitem__("C3", "=C2"), [("农户", "C3")]),
        (lambda made: made["农户"].__setitem__("C1", "备 注"), [("农户", ""), ("农户", "C1")]),
    ],
)
def test_faults_of_form_are_told_at_their_place(
    sqlite_database: Database, tmp_path: Path, edit: Callable[[Workbook], None], expected: list[tuple[str, str]]
) -> None:
    def also_a_wrong_value(made: Workbook) -> None:
        edit(made)
        made["人员"]["F2"] = "也许"

    faults = refused(sqlite_database, write(tmp_path / "r.xlsx", book(), edit=also_a_wrong_value))

    told = [place for place in places(faults) if place != ("人员", "F2")]
    assert ("人员", "F2") in places(faults), "values are judged in the same go"
    assert sorted(told) == sorted(expected)


def test_a_row_of_nothing_but_uncomputed_formulas_is_told(sqlite_database: Database, tmp_path: Path) -> None:
    rows = book()
    rows["人员"].append([f"={column}3" for column in "ABCDEF"])

    faults = refused(sqlite_database, write(tmp_path / "r.xlsx", rows))

    assert places(faults) == [("人员", f"{column}4") for column in "ABCDEF"]


def test_a_formula_counts_with_the_value_last_computed(sqlite_database: Database, tmp_path: Path) -> None:
    rows = book()
    rows["农户"][1][4] = "=13800000000+7"
    path = write(tmp_path / "r.xlsx", rows)
    assert places(refused(sqlite_database, path)) == [("农户", "E3")]

    cache_value(path, formula="13800000000+7", value="13800000007")

    assert read_workbook(path).households.rows[1].cells["手机"] == 13800000007
    assert bring(sqlite_database, path).added == 12


def test_a_computed_error_value_is_refused(sqlite_database: Database, tmp_path: Path) -> None:
    def edit(made: Workbook) -> None:
        made["农户"]["D2"] = "#N/A"

    (fault,) = refused(sqlite_database, write(tmp_path / "r.xlsx", book(), edit=edit))

    assert fault.place == "D2"
    assert "#N/A" in fault.problem


def test_a_missing_sheet_is_told_with_those_found(sqlite_database: Database, tmp_path: Path) -> None:
    def edit(made: Workbook) -> None:
        made["农户"].title = "农户表"

    (fault,) = refused(sqlite_database, write(tmp_path / "r.xlsx", book(), edit=edit))

    assert (fault.sheet, fault.row) == ("农户", 0)
    assert "镇村组、人员、职务" in fault.problem


def test_columns_may_stand_in_any_order(sqlite_database: Database, tmp_path: Path) -> None:
    path = write(tmp_path / "r.xlsx", book())
    bring(sqlite_database, path)
    made = load_workbook(path)
    sheet = made["农户"]
    for row in range(1, sheet.max_row + 1):
        first, last = sheet.cell(row, 1).value, sheet.cell(row, 8).value
        sheet.cell(row, 1).value, sheet.cell(row, 8).value = last, first
    made.save(path)

    assert bring(sqlite_database, path).unchanged == 12


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("r.xlsx", b"not a workbook"),
        ("r.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512)),
        ("r.csv", "户号,小组编码\r\n".encode()),
        ("r.xlsx", None),
    ],
)
def test_what_is_no_workbook_is_refused_with_what_to_do(tmp_path: Path, name: str, content: bytes | None) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(RegistryFaults, match="请"):
        read_workbook(path)


def test_a_zip_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "a")

    with pytest.raises(RegistryFaults, match="另存为"):
        read_workbook(path)


def test_faults_in_csv_files_name_file_row_and_column(sqlite_database: Database, tmp_path: Path) -> None:
    rows = book()
    rows["农户"][2][4] = "1.38E+10"
    rows["农户"][1][1] = "ＺＤ０１ "

    (fault,) = refused(sqlite_database, write_csv(tmp_path / "csv", rows, encoding="gb18030"))

    assert (fault.sheet, fault.row, fault.column) == ("农户", 4, "手机")
    assert "科学计数法" in fault.problem


def test_csv_files_in_another_encoding_or_missing_are_refused(sqlite_database: Database, tmp_path: Path) -> None:
    folder = write_csv(tmp_path / "csv", book(), encoding="utf-16")
    with pytest.raises(RegistryFaults, match="CSV UTF-8"):
        bring(sqlite_database, folder)
    for path in folder.iterdir():
        path.unlink()
    faults = refused(sqlite_database, folder)
    assert [fault.sheet for fault in faults] == ["镇村组", "农户", "人员", "职务"]


def test_an_empty_sheet_lacks_its_heads(sqlite_database: Database, tmp_path: Path) -> None:
    rows: Rows = book()

    def edit(made: Workbook) -> None:
        made["职务"].delete_rows(1, 9)

    faults = refused(sqlite_database, write(tmp_path / "r.xlsx", rows, edit=edit))

    assert [(fault.sheet, fault.column) for fault in faults] == [
        ("职务", head) for head in ("人员编号", "角色", "单位编码", "任职日期", "离任日期")
    ]
