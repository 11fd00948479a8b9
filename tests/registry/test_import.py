import pickle
import threading
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import event, select

from models.engine import Database
from models.registry import Household, Person, RoleHolding, Unit, holders, register
from policies.vocabulary import BeautifulVillage, Role, UnitKind
from tasks.registry import Counts, RegistryFaults, import_registry
from tasks.registry_form import Fault
from tests.registry.books import AT, Rows, book, bring, id_number, places, refused, write, write_csv


def contents(db: Database) -> list[tuple[object, ...]]:
    """Return everything the registry holds, to be compared."""
    with db.read() as session:
        return [
            tuple(getattr(row, column.key) for column in table.__table__.columns)
            for table in (Unit, Household, Person, RoleHolding)
            for row in session.scalars(select(table).order_by(table.id)).unique()
        ]


def test_a_registry_comes_in_whole_and_its_people_can_be_found(database: Database, tmp_path: Path) -> None:
    report = bring(database, write(tmp_path / "r.xlsx", book()))

    assert (report.added, report.changed, report.unchanged) == (12, 0, 0)
    assert report.sheets["农户"] == Counts(added=3)
    with database.read() as session:
        group = session.scalars(select(Unit).where(Unit.code == "ZD01")).one()
        assert [unit.code for unit in group.lineage()] == ["ZD01", "ZD", "SL", "SQ"]
        assert group.above(UnitKind.TOWN).edition_id == "example-2026"
        assert group.beautiful_village is BeautifulVillage.CITY
        first, second = register(session, group.id)
        assert (first.head_name, first.phone, first.id_number) == ("沈文林", "13800000001", id_number())
        assert (second.phone, second.id_number, second.email) == (None, None, None)
        reviewers = holders(session, role=Role.OFFICE_REVIEWER, unit_id=group.id, on=date(2026, 3, 2))
        assert [person.display for person in reviewers] == ["徐建华(P001)"]
        assert holders(session, role=Role.GROUP_HEAD, unit_id=group.id, on=date(2026, 6, 1)) == [], "left on that day"


def test_importing_the_same_file_twice_changes_nothing(database: Database, tmp_path: Path) -> None:
    path = write(tmp_path / "r.xlsx", book())
    bring(database, path)
    before = contents(database)

    report = bring(database, path)

    assert (report.added, report.changed, report.unchanged) == (0, 0, 12)
    assert contents(database) == before


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_folder_of_csv_files_says_the_same_as_the_workbook(
    sqlite_database: Database, tmp_path: Path, encoding: str
) -> None:
    bring(sqlite_database, write(tmp_path / "r.xlsx", book()))

    report = bring(sqlite_database, write_csv(tmp_path / "csv", book(), encoding=encoding))

    assert (report.added, report.changed, report.unchanged) == (0, 0, 12)


def test_changes_are_counted_by_sheet_and_a_blank_cell_clears(database: Database, tmp_path: Path) -> None:
    bring(database, write(tmp_path / "r.xlsx", book()))
    rows = book()
    rows["农户"][0][6] = None
    rows["农户"][1][1] = "ZD02"
    rows["农户"].append(["ZD02-002", "ZD02", "钱兰", None, None, None, None, "否"])
    rows["镇村组"][4][4] = "镇级"
    rows["人员"][1][5] = "否"
    rows["职务"][0][4] = "2026/2/1"

    report = bring(database, write(tmp_path / "r2.xlsx", rows))

    assert report.sheets == {
        "镇村组": Counts(changed=1, unchanged=4),
        "农户": Counts(added=1, changed=2, unchanged=1),
        "人员": Counts(changed=1, unchanged=1),
        "职务": Counts(changed=1, unchanged=1),
    }
    with database.read() as session:
        group = session.scalars(select(Unit).where(Unit.code == "ZD02")).one()
        assert [household.number for household in register(session, group.id)] == ["ZD01-002", "ZD02-001"]
        assert session.scalars(select(Household.email).where(Household.number == "ZD01-001")).one() is None
        assert holders(session, role=Role.OFFICE_REVIEWER, unit_id=group.id, on=date(2026, 3, 2)) == []


def test_what_a_later_file_leaves_out_stays(database: Database, tmp_path: Path) -> None:
    bring(database, write(tmp_path / "r.xlsx", book()))
    before = contents(database)

    only_one: Rows = {"镇村组": [], "农户": book()["农户"][2:], "人员": [], "职务": []}
    report = bring(database, write(tmp_path / "r2.xlsx", only_one))

    assert report.unchanged == 1
    assert contents(database) == before


def test_every_fault_is_told_at_once_and_nothing_is_imported(database: Database, tmp_path: Path) -> None:
    bring(database, write(tmp_path / "r.xlsx", book()))
    before = contents(database)
    rows = book()
    rows["镇村组"] += [
        ["ZD03", "周荡村三组", "村(居)民小组", "SL", "市级", None],
        ["XX01", "无主组", "村(居)民小组", "XX", None, None],
        ["ZD03", "又一个三组", "村(居)民小组", "ZD", None, None],
        ["LH", "柳河村", "村(居)", "SL", "市级", "example-2026"],
        ["T2", "另一镇", "镇(街道)", None, None, "none-2099"],
        ["ZD", "周荡村", "镇(街道)", "SQ", None, None],
        ["A1", "甲", "社区", "B1", None, None],
        ["B1", "乙", "村(居)", "A1", None, None],
        ["LH01", "柳河村一组", "村(居)民小组", None, None, None],
        ["Q2", "又一区", "区", "SQ", None, None],
    ]
    rows["农户"] += [
        ["ZD01-003", "ZD", "严德", None, "1380000000", "999999196002290011", "a@b", "对"],
        ["ZD01-001", "ZD77", None, "周荡村 13800000009", None, None, None, "是"],
    ]
    rows["人员"] += [["P001", "另一人", "138000000021", None, None, "是"], [None, "无号", None, None, None, None]]
    rows["职务"] += [
        ["P001", "村(居)民小组长", "ZD", "2025-01-01", None],
        ["P009", "联络员", "ZZ", "2025-02-30", None],
        ["P002", "村(居)民小组长", "ZD01", "2025-01-01", "2025-01-01"],
        ["P002", "主任", "ZD", None, None],
    ]

    faults = refused(database, write(tmp_path / "bad.xlsx", rows))

    told = [(fault.sheet, fault.place, fault.problem.split(";")[0]) for fault in faults]
    units = [
        ("D7", "村(居)民小组的上级应为村(居),而 SL 是镇(街道)"),
        ("D8", "没有这个单位"),
        ("A9", "与第 7 行重复"),
        ("E10", "只有村(居)民小组填等级"),
        ("F10", "只有镇(街道)填适用政策"),
        ("F11", "没有这个政策"),
        ("A12", "与第 4 行重复"),
        ("C12", "已登记为村(居),级别不能改"),
        ("C13", "只能填:区、镇(街道)、村(居)、村(居)民小组"),
        ("D13", "上下级绕成了圈:A1 → B1 → A1"),
        ("D14", "上下级绕成了圈:B1 → A1 → B1"),
        ("D15", "村(居)民小组要有上级"),
        ("D16", "区没有上级"),
    ]
    assert [(place, problem) for sheet, place, problem in told if sheet == "镇村组"] == units
    assert places(faults)[len(units) :] == [
        ("农户", "B5"),
        ("农户", "E5"),
        ("农户", "F5"),
        ("农户", "G5"),
        ("农户", "H5"),
        ("农户", "A6"),
        ("农户", "B6"),
        ("农户", "C6"),
        ("农户", "D6"),
        ("人员", "A4"),
        ("人员", "C4"),
        ("人员", "A5"),
        ("人员", "F5"),
        ("职务", "C4"),
        ("职务", "A5"),
        ("职务", "C5"),
        ("职务", "D5"),
        ("职务", "A6"),
        ("职务", "E6"),
        ("职务", "B7"),
        ("职务", "D7"),
    ]
    assert contents(database) == before


def test_faults_never_show_a_whole_personal_number(sqlite_database: Database, tmp_path: Path) -> None:
    rows = book()
    wrong_id = id_number()[:-1] + ("1" if id_number()[-1] != "1" else "2")
    rows["农户"] = [
        ["ZD01-003", "ZD01", "沈13812345678", "一组 1391234567", "138123456789", wrong_id, "13812345678@a@b", "是"],
        [id_number(), "13812345678", "甲", "甲", 138123456789.0, 110105194912310021, None, "13812345678"],
        ["ZD01-004", "ZD01", "乙", "丙", "张三13812345678", "x" + id_number(), None, "是"],
    ]

    faults = refused(sqlite_database, write(tmp_path / "bad.xlsx", rows))

    everything = str(RegistryFaults(faults)) + repr(faults)
    assert len(faults) >= 10
    for number in ("13812345678", "138123456789", id_number()[:-1], wrong_id, "110105194912310021"):
        assert number not in everything
    assert "138****5678" in everything
    assert "9999**********" in everything


def test_a_refusal_survives_the_way_between_processes() -> None:
    error = RegistryFaults([Fault("农户", 2, "小组编码", "B2", "NO", "没有这个小组;请改正")])

    again = pickle.loads(pickle.dumps(error))

    assert again.faults == error.faults
    assert (again.clause, str(again)) == ("登记簿格式", str(error))


def test_policies_are_checked_only_against_a_given_list(sqlite_database: Database, tmp_path: Path) -> None:
    path = write(tmp_path / "r.xlsx", book())
    with pytest.raises(RegistryFaults, match="一个也没有"):
        import_registry(sqlite_database, path, at=AT, editions=set())
    assert import_registry(sqlite_database, path, at=AT).added == 12


def test_two_imports_at_once_add_everything_only_once(database: Database, tmp_path: Path) -> None:
    path = write(tmp_path / "r.xlsx", book())
    start = threading.Barrier(3)
    added: list[int] = []

    def run() -> None:
        start.wait()
        added.append(bring(database, path).added)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(added) == [0, 0, 12]


def test_a_village_of_three_thousand_households_takes_no_statement_per_row(database: Database, tmp_path: Path) -> None:
    rows = book()
    rows["农户"] = [
        [f"ZD01-{number:04}", "ZD01", "沈文林", f"一组{number}号", f"1380000{number:04}", id_number(), None, "是"]
        for number in range(3000)
    ]
    path = write(tmp_path / "r.xlsx", rows)
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))

    assert bring(database, path).sheets["农户"] == Counts(added=3000)
    assert bring(database, path).sheets["农户"] == Counts(unchanged=3000)

    assert 0 < len(statements) < 60
