"""``ketang document`` and ``ketang register`` as an office types them."""

from pathlib import Path

import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner, Result

from cli import document
from cli.main import PARTS, Part
from cli.register import register
from runtime.settings import PROJECT
from tasks.paperwork import FORMS
from tasks.registers import RegisterKind
from tests.papers import Paper
from tests.township import Township, township


@pytest.fixture
def town(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Township:
    """A township with an application, and the settings that lead the command line there."""
    monkeypatch.setenv("KETANG_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("KETANG_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    with township(sqlite_url, tmp_path / "home", edition="zhujiajiao-2018", now="2018-10-08 10:00") as there:
        there.apply()
    return there


def ketang(*words: str) -> Result:
    if words[0] == "document":
        return CliRunner().invoke(document.app, words[1:])
    import typer

    alone = typer.Typer()
    alone.command()(register)
    return CliRunner().invoke(alone, words[1:])


def test_the_list_names_every_document_and_its_template() -> None:
    shown = ketang("document", "list").stdout
    for (kind, case_kind), form in FORMS.items():
        assert f"{case_kind.label}案件  {form.title}(模板 {form.template})" in shown
        assert kind.value in shown


@pytest.mark.parametrize("kind", ["consent", "农户意见征询签名表"])
def test_a_document_is_made_by_its_code_or_its_name(town: Township, tmp_path: Path, kind: str) -> None:
    out = tmp_path / "意见.docx"
    made = ketang("document", "make", kind, town.number, "--out", str(out))
    assert (made.exit_code, made.stdout) == (0, f"已写出:{out}\n")
    assert "户主4" in Paper(out).text


def test_without_a_file_name_it_goes_into_the_cases_folder(town: Township, tmp_path: Path) -> None:
    assert ketang("document", "make", "application", town.number).exit_code == 0
    found = list((tmp_path / "home" / "documents" / town.number).iterdir())
    assert len(found) == 1
    assert found[0].name.startswith("创建申请表-")


def test_a_refusal_is_told_in_chinese(town: Township) -> None:
    refused = ketang("document", "make", "scoring", town.number)
    assert refused.exit_code == 1
    assert f"未办理:案件 {town.number} 是“客堂间创建”案件,没有评分表可印" in refused.stderr
    unknown = ketang("document", "make", "letter", town.number)
    assert "没有“letter”这种文书;可以打印:application(申请表)" in unknown.stderr


def test_the_tags_of_a_template_are_listed_with_what_they_mean() -> None:
    shown = ketang("document", "tags", "consent").stdout
    assert "consent.docx(农户意见征询签名表)" in shown
    assert "村居:村(居)名称" in shown
    assert "户主:户主姓名" in shown
    both = ketang("document", "tags", "application").stdout
    assert "application.docx(创建申请表)" in both
    assert "proposal.docx" not in both, "a file name means that file"
    assert "proposal.docx(微项目申报表)" in ketang("document", "tags", "proposal").stdout


def test_an_office_takes_the_templates_edits_and_checks_them(
    town: Township, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "模板"
    taken = ketang("document", "templates", str(folder))
    assert f"KETANG_TEMPLATES={folder}" in taken.stdout
    monkeypatch.setenv("KETANG_TEMPLATES", str(folder))
    good = ketang("document", "check")
    assert (good.exit_code, good.stdout.count("无误")) == (0, 12)
    (folder / "review.docx").write_bytes(b"")
    bad = ketang("document", "check")
    assert bad.exit_code == 1
    assert "review.docx" in bad.stderr
    assert "打不开" in bad.stderr


def test_a_register_is_written_and_cut(town: Township, tmp_path: Path) -> None:
    out = tmp_path / "案件.xlsx"
    made = ketang("register", "cases", "--out", str(out), "--year", "2018", "--village", "ZD", "--open")
    assert (made.exit_code, made.stdout) == (0, f"已导出案件台账:{out}(共1条)\n")
    assert load_workbook(out).worksheets[0].cell(2, 1).value == town.number
    again = ketang("register", "案件台账", "--out", str(out))
    assert (again.exit_code, "已有文件" in again.stderr) == (1, True)
    unknown = ketang("register", "people", "--out", str(out))
    assert "没有“people”这种台账;可以导出:cases(案件台账)" in unknown.stderr


def test_the_ledger_is_written_by_the_same_command(town: Township, tmp_path: Path) -> None:
    made = ketang("register", "ledger", "--out", str(tmp_path / "专款.xlsx"))
    assert made.stdout == f"已导出专款台账:{tmp_path / '专款.xlsx'}\n"


def test_the_offices_guide_names_every_document_and_register() -> None:
    guide = (PROJECT / "docs" / "documents.zh-CN.md").read_text(encoding="utf-8")
    for (kind, _), form in FORMS.items():
        assert f"| {kind.value} {kind.label} | {form.title} |" in guide
        assert form.template in guide
    assert all(f"| {each.value} | {each.label} |" in guide for each in RegisterKind)
    assert "docs/documents.zh-CN.md" in (PROJECT / "README.zh-CN.md").read_text(encoding="utf-8")


def test_both_are_parts_of_the_command_line() -> None:
    for name in ("document", "register"):
        place = next(place for part, place, _ in PARTS if part == name)
        assert Part(name, place, "").make_context(name, [], resilient_parsing=True).command.name is not None
