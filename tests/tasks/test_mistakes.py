"""A mistake of ours, a closed pager or a lost database never reads as a record that somebody has tampered with."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import typer
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from cli import case as case_app
from cli import ledger as ledger_app
from cli import listing
from tasks import case_file, history
from tests.desks import OpenTown
from tests.township import Township


@pytest.fixture
def at_the_desk(open_sqlite: OpenTown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Township:
    town = open_sqlite("zhujiajiao-2018", "2018-10-08 10:00")
    town.apply()
    monkeypatch.setenv("KETANG_DATABASE_URL", str(town.resources.database.engine.url))
    monkeypatch.setenv("KETANG_HOME", str(tmp_path))
    return town


def raises(error: Exception) -> Any:
    def fails(*_: Any, **__: Any) -> Any:
        raise error

    return fails


class Nothing:
    """Lacks what is asked of it."""

    def __call__(self, *_: Any, **__: Any) -> Any:
        return self.missing  # type: ignore[attr-defined]


@pytest.mark.parametrize("words", [["list"], ["show"]])
@pytest.mark.parametrize("mistake", [raises(RuntimeError("ours")), raises(AssertionError("ours")), Nothing()])
def test_a_mistake_in_reading_is_not_hidden(
    at_the_desk: Township, monkeypatch: pytest.MonkeyPatch, words: list[str], mistake: Any
) -> None:
    monkeypatch.setattr(case_app if words == ["list"] else listing, "case_file", mistake)
    done = CliRunner().invoke(case_app.app, [*words, *([at_the_desk.number] if words == ["show"] else [])])
    assert done.exit_code == 1
    assert isinstance(done.exception, RuntimeError | AssertionError | AttributeError)
    assert "已被改动" not in done.output


@pytest.mark.parametrize("error", [PermissionError("full"), KeyError("ours"), ValueError("no such sign")])
def test_what_breaks_in_printing_is_no_tampering(
    at_the_desk: Township, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(typer, "echo", raises(error))
    for words in (["list"], ["show", at_the_desk.number]):
        done = CliRunner().invoke(case_app.app, words)
        assert done.exception is error
        assert done.output == ""


OURS = [RuntimeError("ours"), KeyError("ours"), TypeError("ours"), IndexError("ours"), ValueError("ours")]


@pytest.mark.parametrize("error", [*OURS, AttributeError("ours", name="ours", obj=None)])
@pytest.mark.parametrize("part", ["verify_place", "verify_money", "canonical", "verify_rows", "verify_gates"])
def test_an_audit_that_breaks_by_a_mistake_accuses_nobody_and_fails(
    at_the_desk: Township, monkeypatch: pytest.MonkeyPatch, error: Exception, part: str
) -> None:
    at_the_desk.everybody_agrees()
    monkeypatch.setattr(history, part, raises(error))
    done = CliRunner().invoke(ledger_app.audit, [])
    assert done.exit_code == 1
    assert f"核对中断:{type(error).__name__}:{error};此案没有核对完" in done.stderr
    assert "已被改动" not in done.stderr


@pytest.mark.parametrize("error", OURS[1:])
def test_a_case_that_can_not_be_shown_by_a_mistake_accuses_nobody_and_hides_no_other(
    at_the_desk: Township, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    at_the_desk.add_group("ZD02")
    first, second = at_the_desk.number, at_the_desk.apply(household="ZD02-001")
    situated = case_file.count_answers

    def breaks(session: Session, item: Any) -> Any:
        if item.case.number == second:
            raise error
        return situated(session, item)

    monkeypatch.setattr(case_file, "count_answers", breaks)
    listed = CliRunner().invoke(case_app.app, ["list"])
    assert listed.exit_code == 0
    assert f"{first}  " in listed.stdout
    told = f"案件 {second} 无法显示({type(error).__name__}:{error}):可能是记录已被改动,也可能是程序有误"
    assert told in listed.stdout
    shown = CliRunner().invoke(case_app.app, ["show", second])
    assert shown.exit_code == 1
    assert f"{told};请运行 ketang audit verify {second},核对无误的" in shown.stderr


@contextmanager
def lost_at(engine: Engine, words: str) -> Iterator[None]:
    """Let every statement with these words find no database any more."""

    def lost(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if words in statement:
            raise OperationalError(statement, {}, Exception("server closed the connection unexpectedly"))

    event.listen(engine, "before_cursor_execute", lost)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", lost)


@pytest.mark.parametrize("words", ["FROM editions", "FROM work_items", "FROM decisions"])
def test_a_lost_database_ends_the_audit_and_accuses_nobody(at_the_desk: Township, words: str) -> None:
    engine = at_the_desk.resources.database.engine
    with lost_at(engine, words), Session(engine) as session, pytest.raises(OperationalError, match="server closed"):
        list(history.verify(session))
