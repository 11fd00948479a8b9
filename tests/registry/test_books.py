import stat
from pathlib import Path

import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

from cli.registry import app
from examples.generate import WORKBOOK, rows
from migrations import run
from models.engine import Database, open_engine
from policies.errors import Refused
from policies.vocabulary import Role, UnitKind
from tasks.registry import RegistryFaults
from tasks.registry_book import write_template, write_workbook
from tasks.registry_export import export_registry
from tasks.registry_form import SHEETS
from tasks.registry_outline import outline
from tests.registry.books import AT, book, bring, id_number, write


def cells(path: Path) -> dict[str, list[tuple[object, ...]]]:
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in load_workbook(path).worksheets}


def test_the_template_imports_as_nothing(sqlite_database: Database, tmp_path: Path) -> None:
    write_template(tmp_path / "t.xlsx")

    report = bring(sqlite_database, tmp_path / "t.xlsx")

    assert (report.added, report.changed, report.unchanged) == (0, 0, 0)


def test_the_template_explains_itself(tmp_path: Path) -> None:
    write_template(tmp_path / "t.xlsx")

    made = load_workbook(tmp_path / "t.xlsx")

    assert made.sheetnames == ["镇村组", "农户", "人员", "职务"]
    for name, columns in SHEETS.items():
        sheet = made[name]
        assert [cell.value for cell in sheet[1]] == [column.head for column in columns]
        assert all(cell.comment is not None for cell in sheet[1])
        assert str(sheet["A2"].value).startswith("示例")
    lists = {
        str(validation.sqref).split("2:")[0]: str(validation.formula1)
        for validation in made["镇村组"].data_validations.dataValidation
    }
    assert lists == {"C": '"区,镇(街道),村(居),村(居)民小组"', "E": '"市级,区级,镇级,无"'}
    (roles,) = made["职务"].data_validations.dataValidation
    assert all(role.label in str(roles.formula1) for role in Role)
    assert made["农户"].column_dimensions["F"].number_format == "@"
    assert made["农户"]["E2"].number_format == "@"
    assert made["职务"].column_dimensions["D"].number_format == "yyyy-mm-dd"


def test_a_filled_template_is_imported(sqlite_database: Database, tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    write_template(path)
    made = load_workbook(path)
    for name, lines in book().items():
        for line in lines:
            made[name].append(line)
    made.save(path)

    assert bring(sqlite_database, path).added == 12


def test_no_workbook_is_written_over(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    path.write_bytes(b"mine")

    with pytest.raises(Refused, match="已有文件"):
        write_template(path)

    assert path.read_bytes() == b"mine"


def test_an_export_with_personal_numbers_imports_as_no_change(database: Database, tmp_path: Path) -> None:
    bring(database, write(tmp_path / "r.xlsx", book()))

    export_registry(database, tmp_path / "out.xlsx", with_personal=True)

    report = bring(database, tmp_path / "out.xlsx")
    assert (report.added, report.changed, report.unchanged) == (0, 0, 12)
    assert stat.S_IMODE((tmp_path / "out.xlsx").stat().st_mode) == 0o600


def test_an_export_without_them_shows_none_whole_and_can_not_overwrite_them(
    sqlite_database: Database, tmp_path: Path
) -> None:
    bring(sqlite_database, write(tmp_path / "r.xlsx", book()))

    export_registry(sqlite_database, tmp_path / "out.xlsx", with_personal=False)

    shown = repr(cells(tmp_path / "out.xlsx"))
    for whole in ("13800000001", "13800000002", "59240000", id_number(), "wenlin@", "p001@"):
        assert whole not in shown
    assert "138****0001" in shown
    with pytest.raises(RegistryFaults, match="打了码"):
        bring(sqlite_database, tmp_path / "out.xlsx")


def test_a_text_that_looks_like_a_formula_is_written_as_text(tmp_path: Path) -> None:
    write_workbook(tmp_path / "w.xlsx", {"人员": [["P1", "=1+1", None, None, None, "是"]]})

    assert load_workbook(tmp_path / "w.xlsx")["人员"]["B2"].data_type == "s"


def test_the_outline_counts_and_names_who_holds_office_now(database: Database, tmp_path: Path) -> None:
    bring(database, write(tmp_path / "r.xlsx", book()))

    (district,) = outline(database, at=AT)

    (town,) = district.below
    (village,) = town.below
    assert [(node.code, node.groups, node.households) for node in (district, town, village, *village.below)] == [
        ("SQ", 2, 3),
        ("SL", 2, 3),
        ("ZD", 2, 3),
        ("ZD01", 1, 2),
        ("ZD02", 1, 1),
    ]
    assert [(holder.role, holder.name, holder.phone) for holder in town.holders] == [
        (Role.OFFICE_REVIEWER, "徐建华", "138****0002")
    ]
    assert village.below[0].register == ()
    (asked,) = outline(database, at=AT, village=" zd ")
    assert [(line.number, line.phone) for line in asked.below[0].register] == [
        ("ZD01-001", "138****0001"),
        ("ZD01-002", ""),
    ]
    with pytest.raises(Refused, match="现有:ZD"):
        outline(database, at=AT, village="LH")


def test_the_example_is_what_its_script_writes(tmp_path: Path) -> None:
    write_workbook(tmp_path / "again.xlsx", rows())

    assert cells(tmp_path / "again.xlsx") == cells(WORKBOOK)


def test_the_example_is_a_township_fit_for_trials(sqlite_database: Database) -> None:
    report = bring(sqlite_database, WORKBOOK)
    assert report.sheets["农户"].added >= 200

    (district,) = outline(sqlite_database, at=AT)
    (town,) = district.below
    groups = [group for village in town.below for group in village.below]
    assert (town.kind, town.edition, len(town.below)) == (UnitKind.TOWN, "example-2026", 3)
    assert len(groups) >= 12
    assert len({group.grade for group in groups}) == 4
    assert any(4 <= group.households <= 6 for group in groups)
    roles = [holder.role for holder in town.holders]
    assert (roles.count(Role.OFFICE_REVIEWER), roles.count(Role.OFFICE_HEAD)) == (2, 1)
    for village in town.below:
        held = [holder.role for holder in village.holders]
        assert held == [Role.VILLAGE_RESPONSIBLE, Role.LIAISON, *[Role.REPRESENTATIVE] * 6]
    for group in groups:
        assert [holder.role for holder in group.holders][:2] == [Role.GROUP_HEAD, Role.SITE_LEADER]
        assert len(group.holders) <= 3


def test_the_example_names_nobody_real() -> None:
    for name, lines in rows().items():
        heads = [column.head for column in SHEETS[name]]
        for line in lines:
            of = dict(zip(heads, line, strict=True))
            assert str(of.get("手机") or "1380000").startswith("1380000")
            assert str(of.get("身份证号") or "999999").startswith("999999")
            assert str(of.get("电子邮箱") or "@example.com").endswith(("@example.com", ".example"))


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which the CLI finds its settings and a migrated database."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KETANG_HOME", str(tmp_path / "var"))
    url = f"sqlite:///{tmp_path / 'var' / 'ketang.db'}"
    (tmp_path / "var").mkdir()
    run.upgrade(url)
    open_engine(url).dispose()
    return tmp_path


def test_the_command_line_imports_shows_and_exports(office: Path) -> None:
    cli = CliRunner()

    first = cli.invoke(app, ["import", str(WORKBOOK)])
    again = cli.invoke(app, ["import", str(WORKBOOK)])
    shown = cli.invoke(app, ["show", "--village", "ZD"])
    out = cli.invoke(app, ["export", "out.xlsx", "--with-personal"])

    assert (first.exit_code, again.exit_code, shown.exit_code, out.exit_code) == (0, 0, 0, 0), first.output
    assert "新增 0 行,变更 0 行" in again.output
    assert "ZD01 周荡村一组(村(居)民小组,在册 21 户,美丽乡村市级)" in shown.output
    assert "ZD05-005" in shown.output
    assert "1380000" not in shown.output
    assert "138****" in shown.output
    assert "请勿转发" in out.output
    assert cells(office / "out.xlsx")["人员"] == cells(WORKBOOK)["人员"]


def test_the_command_line_lists_faults_and_exits_with_one(office: Path) -> None:
    bad = book()
    bad["农户"][0][4] = "138000000019"
    write(office / "bad.xlsx", bad)

    result = CliRunner().invoke(app, ["import", "bad.xlsx"])

    assert result.exit_code == 1
    assert "〔农户〕第 2 行“手机”(E2)" in result.output
    assert "138000000019" not in result.output
    assert "还没有登记任何单位" in CliRunner().invoke(app, ["show"]).output


def test_the_command_line_writes_the_template_once(office: Path) -> None:
    first = CliRunner().invoke(app, ["template", "t.xlsx"])
    second = CliRunner().invoke(app, ["template", "t.xlsx"])

    assert (first.exit_code, second.exit_code) == (0, 1)
    assert (office / "t.xlsx").exists()
    assert "已有文件" in second.output
