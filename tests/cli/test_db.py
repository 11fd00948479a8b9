"""``ketang db`` on real databases, and the example township that `ketang up` brings."""

from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from typer.testing import CliRunner, Result

from cli import db
from cli.up import EXAMPLE, import_example
from models.engine import Database, open_engine
from models.registry import Household
from runtime.settings import Settings


def ketang_db(url: str, command: str, monkeypatch: pytest.MonkeyPatch) -> Result:
    monkeypatch.setenv("KETANG_DATABASE_URL", url)
    return CliRunner().invoke(db.app, [command])


def change(url: str, statement: str) -> None:
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def test_a_new_database_is_behind_until_it_is_upgraded(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    behind = ketang_db(empty_url, "check", monkeypatch)
    assert behind.exit_code == 1
    assert "尚未升级:0001 The tables" in behind.stdout
    assert "ketang db upgrade" in behind.stderr
    assert "已升级:0001 The tables" in ketang_db(empty_url, "upgrade", monkeypatch).stdout
    assert ketang_db(empty_url, "upgrade", monkeypatch).stdout == "业务数据库已是最新。\n"
    current = ketang_db(empty_url, "check", monkeypatch)
    assert (current.exit_code, current.stderr) == (0, "")


def test_a_table_changed_by_hand_is_found(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    change(database_url, "DROP INDEX ix_timers_due")
    result = ketang_db(database_url, "check", monkeypatch)
    assert result.exit_code == 1
    assert "ix_timers_due" in result.stdout
    assert "从备份恢复" in result.stderr


@pytest.mark.parametrize("command", ["check", "upgrade"])
def test_a_newer_database_is_refused(database_url: str, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    change(database_url, "UPDATE alembic_version SET version_num = '9999'")
    result = ketang_db(database_url, command, monkeypatch)
    assert result.exit_code == 1
    assert "9999" in result.stderr
    assert "请升级客堂程序" in result.stderr


def test_a_database_that_is_away_is_told_without_its_password(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    url = f"postgresql+psycopg://office:topsecret@/ketang?host={tmp_path}"
    result = ketang_db(url, "check", monkeypatch)
    assert result.exit_code == 1
    assert "业务数据库不能使用(数据库服务器没有运行" in result.stderr
    assert "KETANG_DATABASE_URL" in result.stderr
    assert "topsecret" not in result.stderr


def test_the_example_township_comes_into_an_empty_registry_only(
    sqlite_url: str, sqlite_database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(_env_file=None, home=tmp_path, database_url=sqlite_url)
    import_example(settings)
    assert EXAMPLE.name in capsys.readouterr().out
    with sqlite_database.read() as session:
        households = session.scalar(select(func.count(Household.id))) or 0
    assert households >= 200
    import_example(settings)
    assert capsys.readouterr().out == ""
