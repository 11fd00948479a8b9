"""Whatever is wrong with the database, every command says so in Chinese, in one way, and makes nothing."""

import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from cli.main import main
from migrations import run
from tests.postgres import Postgres

READING = (
    ("case", "list"),
    ("case", "show", "KT-2026-0001"),
    ("letters", "list"),
    ("site", "list"),
    ("notice", "list"),
    ("registry", "show"),
    ("theme", "list", "--month", "2026-03"),
    ("ledger", "show"),
    ("audit", "verify"),
    ("letters", "deliver"),
    ("sweep",),
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that was never started."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KETANG_HOME", str(tmp_path / "var"))
    monkeypatch.delenv("KETANG_DATABASE_URL", raising=False)
    return tmp_path / "var"


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> "Told":
    return Told(monkeypatch, capsys)


class Told:
    """What a command says that fails."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *words: str, url: str = "") -> str:
        if url:
            self._monkeypatch.setenv("KETANG_DATABASE_URL", url)
        self._monkeypatch.setattr(sys, "argv", ["ketang", *words])
        before = os.umask(0o077)
        try:
            with pytest.raises(SystemExit) as left:
                main()
        finally:
            os.umask(before)
        said = self._capsys.readouterr()
        assert (left.value.code, said.out) == (1, ""), said
        assert "Traceback" not in said.err
        return said.err


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_a_home_that_was_never_started_is_told_and_left_alone(home: Path, told: Told, words: tuple[str, ...]) -> None:
    said = told(*words)
    assert f"数据文件夹 {home} 中的数据库还没有建立,请先运行 ketang up(或 ketang db upgrade)" in said
    assert not home.exists()


def test_so_is_a_file_without_tables(home: Path, told: Told) -> None:
    home.mkdir()
    (home / "ketang.db").touch()
    assert f"数据文件夹 {home} 中的数据库还没有建立" in told("case", "list")


def test_a_database_that_is_behind_is_told(home: Path, told: Told) -> None:
    home.mkdir()
    run.upgrade(f"sqlite:///{home / 'ketang.db'}")
    with closing(sqlite3.connect(home / "ketang.db")) as known:
        known.execute("DROP TABLE cases")
    assert "缺少数据表或列" in told("case", "list")


def test_a_folder_that_does_not_exist_is_told_and_not_made(home: Path, told: Told) -> None:
    missing = home.parent / "mistyped"
    for words in (("case", "list"), ("db", "upgrade")):
        assert f"文件夹不存在:{missing}。" in told(*words, url=f"sqlite:///{missing / 'ketang.db'}")
    assert not missing.exists()


@pytest.mark.parametrize("command", [("case", "list"), ("db", "check"), ("db", "upgrade")], ids=" ".join)
@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("geheim", "不是能用的数据库地址"),
        ("postgresql://ketang:geheim@127.0.0.1:1/ketang", "不是能用的数据库地址"),
        ("postgresql+psycopg://ketang:ge@geheim@127.0.0.1/ketang", "不是能用的数据库地址"),
        ("postgresql+psycopg://ketang:geheim@127.0.0.1:1/ketang", "数据库服务器没有运行"),
        ("postgresql+psycopg://ketang:geheim@127.0.0.1:1/ketang?nonsense=1", "业务数据库不能使用"),
        ("postgresql+psycopg://ketang:geheim@no-such-host.invalid/ketang", "找不到这台主机"),
        ("sqlite:///{folder}", "打不开这个文件"),
        ("sqlite:///{folder}/text", "这个文件不是数据库"),
        ("sqlite:///file:{folder}/read.db?mode=ro&uri=true", "只能读"),
    ],
)
def test_an_unusable_database_is_told_without_its_password(
    home: Path, told: Told, command: tuple[str, ...], url: str, why: str
) -> None:
    folder = home.parent
    (folder / "text").write_text("户号,答复\n" * 100, encoding="utf-8")
    with closing(sqlite3.connect(folder / "read.db")) as made:
        made.execute("CREATE TABLE t (id INTEGER)")
    said = told(*command, url=url.format(folder=folder))
    assert why in said
    assert "geheim" not in said


def test_a_user_that_the_server_does_not_know_is_told(home: Path, told: Told, postgres_server: Postgres) -> None:
    with postgres_server.database(migrated=False) as url:
        said = told("case", "list", url=url.replace("postgres@", "nobody:geheim@"))
        assert "没有这个数据库或用户" in said
        assert "geheim" not in said
        assert "KETANG_DATABASE_URL 所指的数据库还没有建立" in told("case", "list", url=url)
