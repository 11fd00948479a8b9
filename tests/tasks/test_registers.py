"""The registers as an office opens them: heads, dates, exact amounts, filters, a last line, and no formula."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from openpyxl import load_workbook

from policies.errors import Refused
from policies.vocabulary import Gate, ObjectionFinding, Outcome, ProjectStanding
from tasks.register_rows import Wanted
from tasks.registers import RegisterKind, make_register
from tests.desks import OpenTown
from tests.programme import CALL, FIRST, SECOND
from tests.shelf import NOTICE, Shelf
from tests.township import at


class Sheet:
    """A register opened again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sheet = load_workbook(path).worksheets[0]
        self.heads, *self.rows, self.last = [[cell.value for cell in row] for row in self.sheet.iter_rows()]

    def column(self, head: str) -> list[Any]:
        place = self.heads.index(head)
        return [each.date() if isinstance(each := row[place], datetime) else each for row in self.rows]

    def total(self, head: str) -> Any:
        return self.last[self.heads.index(head)]


@pytest.fixture
def shelf(open_town: OpenTown) -> Shelf:
    """A call of two projects, once per kind of database."""
    return Shelf(open_town("linping-2022", "2022-03-04 10:00"))


@pytest.fixture
def here(open_sqlite: OpenTown) -> Shelf:
    """The same on SQLite."""
    return Shelf(open_sqlite("linping-2022", "2022-03-04 10:00"))


def written(shelf: Shelf, kind: RegisterKind, name: str = "台账.xlsx", **wanted: Any) -> Sheet:
    path = shelf.resources.settings.home / name
    path.unlink(missing_ok=True)
    make_register(shelf.resources, kind, out=path, wanted=Wanted(**wanted))
    return Sheet(path)


def test_the_register_of_cases_says_where_each_stands(shelf: Shelf) -> None:
    shelf.reach(Gate.SCREENING)
    shelf.close(SECOND, Outcome.NOT_SELECTED)
    cases = written(shelf, RegisterKind.CASES)
    assert cases.column("案件编号") == [CALL, FIRST, SECOND]
    assert cases.column("类别") == ["微项目征集", "微项目", "微项目"]
    assert cases.column("村(居)或单位") == ["朱家角镇", "周荡村", "周荡村"]
    assert cases.column("当前环节") == ["协商筛选", None, None]
    assert cases.column("办理期限") == [date(2022, 4, 15), None, None]
    assert cases.column("结果") == [None, None, "未入选"]
    assert cases.last[:2] == ["合计", "共3条"]


def test_dates_are_dates_and_the_head_stays_when_one_scrolls(shelf: Shelf) -> None:
    sheet = written(shelf, RegisterKind.CASES).sheet
    cell = sheet.cell(2, 5)
    assert cell.value.date() == date(2022, 3, 4)
    assert (cell.is_date, cell.number_format) == (True, "yyyy-mm-dd")
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:L4", "the last line does not take part in filters"
    assert sheet.column_dimensions["C"].width == 36


def test_amounts_are_exact_numbers_and_add_up(shelf: Shelf) -> None:
    shelf.receive(3_000_000)
    shelf.budget(("materials", "清洁用具", 500_000))
    shelf.change(
        FIRST, amount_fen=800_010, granted_fen=600_020, standing=ProjectStanding.CONFIRMED, score="259/3", rank=1
    )
    shelf.change(SECOND, amount_fen=20, in_favour=7)
    shelf.grant(600_020)
    shelf.spend(450_007, line="materials")
    projects = written(shelf, RegisterKind.PROJECTS)
    with ZipFile(projects.path) as whole:
        raw = whole.read("xl/worksheets/sheet1.xml").decode()
    for told in ("8000.1", "0.2", "8000.3", "6000.2", "4500.07", "1500.13"):
        assert f"<v>{told}</v>" in raw, told
    assert [Decimal(str(each)) for each in projects.column("申请金额(元)")] == [Decimal("8000.1"), Decimal("0.2")]
    assert projects.total("申请金额(元)") == 8000.3
    assert projects.column("已支出(元)") == [4500.07, None]
    assert projects.total("结余(元)") == 1500.13
    assert projects.sheet.cell(2, projects.heads.index("申请金额(元)") + 1).number_format == "#,##0.00"
    assert projects.column("类别") == ["环境整治", "文体娱乐"]
    assert projects.column("评分") == [86.33, None]
    assert projects.column("名次") == [1, None]
    assert projects.column("赞成") == [0, 7]


def test_objections_are_listed_with_their_contacts_masked(shelf: Shelf) -> None:
    shelf.publish()
    shelf.object(1)
    shelf.object(2, finding=ObjectionFinding.UPHELD, contact="wang@example.com", name="", against_case_id=None)
    shelf.object(3, contact="周荡村3号 59240000", content="电话13911112222联系我")
    objections = written(shelf, RegisterKind.OBJECTIONS)
    contacts = objections.column("联系方式(打码)")
    assert contacts[0] == "139****2222"
    assert "wang@" not in contacts[1]
    assert "59240000" not in contacts[2]
    assert objections.column("异议内容")[2] == "电话139****2222联系我"
    assert objections.column("异议人") == ["王居民", "匿名", "王居民"]
    assert objections.column("异议对象") == [f"{FIRST} 楼道清洁志愿队", "整个公示", f"{FIRST} 楼道清洁志愿队"]
    assert objections.column("认定") == ["待处理", "异议成立", "待处理"]
    with ZipFile(objections.path) as whole:
        everything = "".join(whole.read(name).decode() for name in whole.namelist())
    assert "13911112222" not in everything
    assert written(shelf, RegisterKind.OBJECTIONS, open_only=True).column("异议序号") == [1, 3]


def test_notices_are_listed_with_their_objections_counted(shelf: Shelf) -> None:
    shelf.publish()
    shelf.object(1)
    shelf.object(2, finding=ObjectionFinding.UPHELD)
    notices = written(shelf, RegisterKind.NOTICES)
    assert notices.column("公示编号") == [NOTICE]
    assert notices.column("所属案件") == [CALL]
    assert notices.column("截止日期") == [date(2022, 3, 18)]
    assert [notices.column(head)[0] for head in ("异议", "成立", "待处理", "延期次数")] == [2, 1, 1, 1]
    assert notices.total("异议") == 2


@pytest.mark.parametrize("text", ["=1+1", "+86", "-1", "@SUM(A1)", " =cmd|' /C calc'!A0", "\t=1"])
def test_a_text_is_never_a_formula(here: Shelf, text: str) -> None:
    here.name(FIRST, text)
    sheet = written(here, RegisterKind.PROJECTS).sheet
    cell = next(row[1] for row in sheet.iter_rows(min_row=2) if row[0].value == FIRST)
    assert cell.value == text
    assert cell.data_type == "s"
    assert cell.quotePrefix, "it stays text when somebody edits the cell"


def test_what_no_workbook_can_hold_is_left_out_of_a_text(here: Shelf) -> None:
    here.name(FIRST, "楼道\x0b清洁")
    assert "楼道清洁" in written(here, RegisterKind.PROJECTS).column("项目名称")


def test_a_register_can_be_cut_by_year_village_and_what_is_open(here: Shelf) -> None:
    here.close(SECOND, Outcome.NOT_SELECTED)
    here.change(SECOND, submitted_at=at("2021-12-31 23:59"))
    here.change(FIRST, submitted_at=at("2022-01-01 00:01"))
    here.town.add_village("ZE")
    assert written(here, RegisterKind.PROJECTS, year=2022).column("项目编号") == [FIRST], "Shanghai's new year"
    assert written(here, RegisterKind.PROJECTS, year=2021).column("项目编号") == [SECOND]
    assert written(here, RegisterKind.PROJECTS, open_only=True).column("项目编号") == [FIRST]
    assert written(here, RegisterKind.CASES, village="ZD").column("案件编号") == [FIRST, SECOND]
    assert written(here, RegisterKind.CASES, village="Z").column("案件编号") == [CALL, FIRST, SECOND]
    empty = written(here, RegisterKind.CASES, village="ZE")
    assert (empty.rows, empty.last[:2]) == ([], ["合计", "共0条"])
    with pytest.raises(Refused, match="登记簿中没有编码为“ZZ”的单位"):
        written(here, RegisterKind.CASES, village="ZZ")


def test_a_villages_registers_hold_what_concerns_it(here: Shelf) -> None:
    here.town.add_village("ZE")
    here.publish()
    here.object(1)
    assert written(here, RegisterKind.NOTICES, village="ZD").column("公示编号") == [NOTICE], "a project of it is in it"
    assert written(here, RegisterKind.NOTICES, village="ZE").rows == []
    assert written(here, RegisterKind.OBJECTIONS, village="ZD").column("异议序号") == [1]
    assert written(here, RegisterKind.OBJECTIONS, village="ZE").rows == []


def test_the_ledger_is_written_whole_or_not_at_all(here: Shelf) -> None:
    here.receive(1_000_000)
    path = here.resources.settings.home / "专款.xlsx"
    with pytest.raises(Refused, match="专款台账须整本导出"):
        make_register(here.resources, RegisterKind.LEDGER, out=path, wanted=Wanted(year=2022))
    assert not path.exists()
    assert make_register(here.resources, RegisterKind.LEDGER, out=path, wanted=Wanted()) is None
    assert load_workbook(path).sheetnames == ["流水", "科目"]


@pytest.mark.parametrize("kind", list(RegisterKind))
def test_no_register_is_written_over_a_file(here: Shelf, kind: RegisterKind, tmp_path: Path) -> None:
    there = tmp_path / "有.xlsx"
    there.write_bytes(b"mine")
    with pytest.raises(Refused, match=r"已有文件 .*有\.xlsx"):
        make_register(here.resources, kind, out=there, wanted=Wanted())
    assert there.read_bytes() == b"mine"
    with pytest.raises(Refused, match=r"文件名须以 \.xlsx 结尾,现为“表\.xls”"):
        make_register(here.resources, kind, out=tmp_path / "表.xls", wanted=Wanted())


def test_the_day_of_a_row_is_the_day_in_shanghai(here: Shelf) -> None:
    here.change(FIRST, submitted_at=at("2022-03-05 00:30"))
    assert written(here, RegisterKind.PROJECTS).column("申报日期") == [date(2022, 3, 4), date(2022, 3, 5)]
