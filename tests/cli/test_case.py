"""``ketang case``: where it looks for a sheet, and what it says of faulty settings."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cli import case, context
from flows import waking
from runtime.resources import Resources
from tasks.commands import Decide
from tests.township import GROUP_HEAD, LEADER, Township, township


@pytest.fixture
def town(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Township]:
    """A town with an application; the commands work on its own resources, opened once, from another folder."""
    with township(sqlite_url, tmp_path / "var", edition="example-2026", now="2026-03-02 09:00") as town:

        @contextmanager
        def opened() -> Iterator[Resources]:
            yield town.resources

        monkeypatch.setattr(context, "open_resources", opened)
        monkeypatch.setattr(case, "carry_on", lambda *_: None)
        town.resources.settings.documents_folder.mkdir(parents=True, exist_ok=True)
        (tmp_path / "desk").mkdir()
        monkeypatch.chdir(tmp_path / "desk")
        town.apply()
        yield town


def consent(town: Township, sheet: Path | str) -> str:
    told = CliRunner().invoke(case.app, ["consent", town.number, "--by", GROUP_HEAD, "--sheet", str(sheet)])
    return told.stdout if told.exit_code == 0 else f"{told.exit_code}:{told.stderr}"


def test_a_sheet_is_looked_for_in_the_current_folder_then_among_the_documents(town: Township) -> None:
    documents = town.resources.settings.documents_folder
    assert consent(town, "答复表.csv").startswith(
        f"1:未办理:当前文件夹 {Path.cwd()} 和资料文件夹 {documents} 里都没有表格“答复表.csv”"
    )
    (documents / "答复表.csv").write_text("户号,答复\nZD01-001,同意\n", encoding="utf-8")
    assert "已登记1户;现同意1户" in consent(town, "答复表.csv")
    Path("答复表.csv").write_text("户号,答复\nZD01-002,同意\nZD01-003,同意\n", encoding="utf-8")
    assert "已登记2户;现同意3户" in consent(town, "答复表.csv")
    missing = Path.cwd() / "没有.csv"
    assert f"这个路径上没有表格“{missing}”" in consent(town, missing)


def test_a_faulty_row_of_answers_is_named_and_none_is_entered(town: Township) -> None:
    Path("答复表.csv").write_text("户号,答复\nZD01-001,同意\nZD01-002,也许\n", encoding="utf-8")
    told = consent(town, "答复表.csv")
    assert "有1行有误,均未登记:第3行:“答复”“也许”不在可选项之内,请从中选择:同意、不同意" in told
    Path("答复表.csv").write_text("户号,备注\nZD01-001,无\n", encoding="utf-8")
    assert "第1行缺少表头:答复;须有 户号、答复,可有 备注" in consent(town, "答复表.csv")
    Path("答复表.csv").write_text("户号,答复\nZD01-001,同意\n", encoding="utf-8")
    assert "已登记1户;现同意1户" in consent(town, "答复表.csv")


def test_a_case_is_named_in_letters_of_any_case(town: Township, monkeypatch: pytest.MonkeyPatch) -> None:
    small, woken = town.number.lower(), list[str]()
    monkeypatch.setattr(context, "reach_prefect", lambda _: None)
    monkeypatch.setattr(waking, "wake", lambda _, number, **__: woken.append(number))
    monkeypatch.setattr(case, "carry_on", context.carry_on)
    for command in (
        ["show", small],
        ["consent", small, "--by", GROUP_HEAD, "--agree", "ZD01-001"],
        ["withdraw", small, "--by", LEADER, "--reason", "不办了"],
    ):
        told = CliRunner().invoke(case.app, command)
        assert told.exit_code == 0, told.output
    assert woken == [town.number] * 2
    assert town.gate() is None


def test_a_faulty_setting_is_named_as_it_is_set(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KETANG_SMTP_PORT", "zwei")
    monkeypatch.setenv("KETANG_TRAINING", "maybe")
    with pytest.raises(typer.Exit) as ended, context.told(Decide), context.opened():
        pass
    assert ended.value.exit_code == 1
    assert capsys.readouterr().err == (
        "设置有误:KETANG_SMTP_PORT 须为整数(现值:zwei);KETANG_TRAINING 须为 true 或 false(现值:maybe)。"
        "请在 .env 文件或环境变量里改正\n"
    )
