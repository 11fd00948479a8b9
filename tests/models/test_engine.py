"""How the business database is reached: questions without a transaction, connections that the server has dropped."""

import sqlite3
import traceback
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError, IntegrityError, OperationalError

from models import engine
from models.case import CaseCounter
from models.engine import Database
from tasks.in_brief import in_brief


def test_a_glance_leaves_no_transaction_open(database: Database) -> None:
    with database.glance() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
        raw = connection.connection.dbapi_connection
        assert raw is not None
        idle = not raw.in_transaction if database.engine.dialect.name == "sqlite" else raw.autocommit
        assert idle


def test_after_a_glance_a_write_still_stands_or_falls_as_one(database: Database) -> None:
    with database.glance() as connection:
        connection.scalar(text("SELECT 1"))
    insert = text("INSERT INTO case_counters (prefix, year, last) VALUES ('X', 2026, 1)")

    def insert_and_fail() -> None:
        with database.write() as session:
            session.execute(insert)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        insert_and_fail()
    with database.glance() as connection:
        assert connection.scalar(text("SELECT count(*) FROM case_counters WHERE prefix = 'X'")) == 0
    with database.write() as session:
        session.execute(insert)
    with database.glance() as connection:
        assert connection.scalar(text("SELECT count(*) FROM case_counters WHERE prefix = 'X'")) == 1


def test_a_new_file_that_somebody_reads_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = sqlite3.connect(tmp_path / "new.db", isolation_level=None)
    reader.execute("CREATE TABLE t (id INTEGER)")
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM t").fetchall()
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        reader.execute("COMMIT")

    monkeypatch.setattr(engine, "sleep", wait)
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_MS", 200)
    opened = engine.open_engine(f"sqlite:///{tmp_path / 'new.db'}")
    with opened.connect() as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
    assert len(waits) == 1
    opened.dispose()
    reader.close()


@pytest.mark.parametrize(
    "address",
    ["file:{folder}/read.db?mode=ro&uri=true", "{folder}", "{folder}/text.db"],
    ids=["read-only", "folder", "text"],
)
def test_what_waiting_does_not_mend_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    with closing(sqlite3.connect(tmp_path / "read.db")) as made:
        made.execute("CREATE TABLE t (id INTEGER)")
    (tmp_path / "text.db").write_text("root:x:0:0\n" * 100, encoding="ascii")

    def wait(_: float) -> None:
        pytest.fail("waited")

    monkeypatch.setattr(engine, "sleep", wait)
    opened = engine.open_engine(f"sqlite:///{address.format(folder=tmp_path)}")
    with pytest.raises(DatabaseError), opened.connect():
        pass
    opened.dispose()


def test_who_only_reads_makes_no_file_and_nobody_makes_a_folder(tmp_path: Path) -> None:
    missing = tmp_path / "mistyped" / "ketang.db"
    for path, new, failure in (
        (tmp_path / "ketang.db", False, engine.NoDatabase),
        (missing, False, engine.NoDatabase),
        (missing, True, engine.NoFolder),
    ):
        opened = engine.open_engine(f"sqlite:///{path}", new=new)
        with pytest.raises(failure), opened.connect():
            pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "address",
    [
        "geheim",
        "postgresql+psycopg//ketang:geheim@db/ketang",
        "postgresql+psycopg://ketang:geheim#1/ketang",
        "postgresql+psycopg://ketang:ge@heim@db/ketang",
        "postgresql+asyncpg://ketang:geheim@db/ketang",
        "postgresql://ketang:geheim@db/ketang",
        "mysql+pymysql://ketang:geheim@db/ketang",
        "nosuch://ketang:geheim@db/ketang",
    ],
)
def test_an_address_that_can_not_be_used_is_refused_and_not_repeated(address: str) -> None:
    with pytest.raises(engine.BadAddress) as refused:
        engine.open_engine(address)
    assert "heim" not in "".join(traceback.format_exception(refused.value))


def test_what_the_database_refuses_is_told_without_the_row(database: Database) -> None:
    insert = text(
        "INSERT INTO people (code, name, phone, id_number, email, active) VALUES (:code, :name, :p, '', '', :on)"
    )
    row = {"code": None, "name": "顾客堂", "p": "13800138000", "on": True}
    with pytest.raises(IntegrityError) as refused, database.write() as session:
        session.execute(insert, row)
    brief = in_brief(refused.value)
    assert "code" in brief, "what was wrong is told"
    assert "顾客堂" not in brief
    assert "13800138000" not in str(refused.value).partition("DETAIL")[0], "nor does SQLAlchemy show what was given"


def test_an_idle_connection_that_the_server_has_dropped_is_replaced(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "FRESH_SECONDS", 0.0)
    opened = engine.open_engine(postgresql_url)
    try:
        database = Database(opened)
        with database.read() as session:
            first = session.scalar(text("SELECT pg_backend_pid()"))
        other = engine.open_engine(postgresql_url)
        with other.begin() as connection:
            assert connection.scalar(text("SELECT pg_terminate_backend(:pid)"), {"pid": first})
        other.dispose()
        with database.read() as session:
            assert session.scalar(text("SELECT pg_backend_pid()")) != first
    finally:
        opened.dispose()


def test_nobody_waits_for_ever_for_a_lock(postgresql_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_MS", 100)
    opened = engine.open_engine(postgresql_url)
    take = text("LOCK TABLE case_counters IN EXCLUSIVE MODE")
    try:
        database = Database(opened)
        with database.write() as session:
            session.execute(take)

            def wait() -> None:
                with database.write() as other:
                    other.execute(take)

            with pytest.raises(OperationalError, match="lock timeout"):
                wait()
    finally:
        opened.dispose()


def test_a_view_stays_as_it_was_while_others_write(database: Database) -> None:
    counters = text("SELECT count(*) FROM case_counters")
    with database.read() as view:
        assert view.scalar(counters) == 0
        with database.write() as session:
            session.execute(text("INSERT INTO case_counters (prefix, year, last) VALUES ('X', 2026, 1)"))
        assert view.scalar(counters) == 0
    with database.read() as view:
        assert view.scalar(counters) == 1


def test_a_view_writes_nothing(database: Database) -> None:
    counters = text("SELECT count(*) FROM case_counters")
    with database.read() as view:
        view.add(CaseCounter(prefix="X", year=2026, last=1))
        assert view.scalar(counters) == 0
    with database.glance() as connection:
        assert connection.scalar(counters) == 0


def test_what_is_prepared_outlives_a_view(postgresql_url: str) -> None:
    opened = engine.open_engine(postgresql_url)
    prepared = text("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%case_counters%'")
    try:
        database = Database(opened)
        for _ in range(10):
            with database.read() as view:
                view.scalar(text("SELECT count(*) FROM case_counters"))
        with database.glance() as connection:
            assert connection.scalar(prepared)
    finally:
        opened.dispose()


def test_a_result_knows_its_columns(database: Database) -> None:
    with database.write() as session:
        row = session.execute(text("SELECT 1 AS \"户号\", 'x' AS letter")).mappings().one()
        assert dict(row) == {"户号": 1, "letter": "x"}
        assert session.execute(text("SELECT prefix, year FROM case_counters")).keys() == ["prefix", "year"]
        assert not session.execute(text("DELETE FROM case_counters")).returns_rows  # type: ignore[attr-defined]
