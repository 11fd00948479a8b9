"""What `ketang --help` shows, and what it costs."""

import os
import re
import subprocess
import sys

import pytest

from cli.main import PARTS, main

HEAVY = ("sqlalchemy", "prefect", "alembic", "openpyxl", "holidays")


def ketang(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """Run the command line in this process and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["ketang", *words])
    before = os.umask(0o022)
    try:
        with pytest.raises(SystemExit) as left:
            main()
    finally:
        during = os.umask(before)
    assert during == 0o077, "whatever it writes is for its own account"
    return int(left.value.code or 0)


def test_the_list_of_parts_is_shown_without_importing_what_the_parts_need() -> None:
    program = (
        "import sys\n"
        "from cli.main import main\n"
        "sys.argv = ['ketang', '--help']\n"
        "try:\n    main()\n"
        f"finally:\n    print([name for name in {HEAVY} if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert shown.stdout.rstrip().endswith("[]")
    for name, _, told in PARTS:
        assert f"│ {name} " in shown.stdout
        assert told.partition(":")[0] in shown.stdout


@pytest.mark.parametrize(("name", "told"), [(name, told) for name, _, told in PARTS])
def test_every_part_can_be_imported_and_shows_its_help(
    name: str, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ketang(monkeypatch, name, "--help") == 0
    shown = capsys.readouterr().out
    assert f"ketang {name} " in shown
    assert told.partition(":")[0] in shown
    assert "显示这份帮助。" in shown
    assert not re.search("Usage|OPTIONS|Show this", shown)


def test_an_unknown_part_is_refused_with_the_nearest_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ketang(monkeypatch, "cases") == 2
    told = capsys.readouterr().err
    assert "用法见:ketang --help" in told
    assert "没有“cases”这个命令,是不是 'case'?" in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["case", "--nosuch"], "没有 --nosuch 这个选项"),
        (["case", "list", "--al"], "没有 --al 这个选项,是不是 --all"),
        (["case", "list", "--all=3"], "选项 --all 后面不写值"),
        (["case", "list", "--most"], "选项 --most 后面没有写值"),
        (["case", "list", "--most", "0"], "--most 有误:不得小于 1"),
        (["case", "list", "--most", "x"], "--most 有误:须为整数"),
        (["case", "show"], "没有写“案件编号”"),
        (["case", "show", "KT-2026-0001", "b"], "多写了:b"),
        (["case", "urge", "KT-2026-0001"], "没有写选项 --by"),
        (
            ["archive", "make", "--to", "x", "--by", "P003", "--before", "3.5."],
            "--before 有误:“3.5.”不是日期,请写作 2026-03-05",
        ),
        (["demo", "year", "--home", __file__], "是文件,须为文件夹"),
    ],
)
def test_what_is_typed_wrong_is_told_in_chinese(
    words: list[str], told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    assert ketang(monkeypatch, *words) == 2
    said = capsys.readouterr().err
    assert told in said
    assert not re.search("Usage|OPTIONS|No such|Missing|Invalid|Input", said)


def test_a_long_help_goes_on_in_the_next_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert ketang(monkeypatch, "register", "--help") == 0
    shown = capsys.readouterr().out
    assert "projects(微项目台账)" in shown
    assert "…" not in shown
