"""The migrated schema is the models' schema, down to the triggers, on both kinds of database."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from migrations import author, run
from migrations.sealing import sealed_tables
from migrations.storage import lay_out
from models.base import Base
from models.engine import open_engine
from models.history import APPEND_ONLY
from tests.postgres import Postgres

FIRST_AND_ONLY = ["0001 The tables"]


@pytest.fixture
def engine(empty_url: str) -> Iterator[Engine]:
    engine = open_engine(empty_url, new=True)
    yield engine
    engine.dispose()


def described(engine: Engine) -> set[str]:
    """Return every fact of a schema as one line, as the database itself tells it."""
    return postgresql_facts(engine) if engine.dialect.name == "postgresql" else sqlite_facts(engine)


def postgresql_facts(engine: Engine) -> set[str]:
    queries = {
        "column": """SELECT table_name, column_name, data_type, character_maximum_length, numeric_precision,
            numeric_scale, is_nullable, column_default, is_identity,
            col_description(table_name::regclass, ordinal_position)
            FROM information_schema.columns WHERE table_schema = 'public'""",
        "constraint": """SELECT conrelid::regclass, conname, contype, condeferrable, pg_get_constraintdef(oid)
            FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'""",
        "index": "SELECT indexdef, '' FROM pg_indexes WHERE schemaname = 'public'",
        "trigger": "SELECT pg_get_triggerdef(oid), tgenabled FROM pg_trigger WHERE NOT tgisinternal",
        "function": "SELECT pg_get_functiondef(oid), '' FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
    }
    with engine.connect() as connection:
        return {f"{kind} {tuple(row)}" for kind, query in queries.items() for row in connection.execute(text(query))}


def sqlite_facts(engine: Engine) -> set[str]:
    facts: set[str] = set()
    with engine.connect() as connection:
        inspector = inspect(connection)
        for table in inspector.get_table_names():
            for column in connection.exec_driver_sql(f"PRAGMA table_info({table})"):
                facts.add(f"column {table} {tuple(column)[1:]}")
            for check in inspector.get_check_constraints(table):
                facts.add(f"check {table} {check['name']} {squeezed(check['sqltext'])}")
            for unique in inspector.get_unique_constraints(table):
                facts.add(f"unique {table} {unique['name']} {unique['column_names']}")
            facts.add(f"key {table} {inspector.get_pk_constraint(table)}")
            for foreign in inspector.get_foreign_keys(table):
                facts.add(f"foreign {table} {sorted(foreign.items())}")
        listed = connection.exec_driver_sql("SELECT type, sql FROM sqlite_master WHERE type IN ('index', 'trigger')")
        facts |= {f"{kind} {squeezed(sql)}" for kind, sql in listed if sql}
    return facts


def squeezed(sql: str) -> str:
    return re.sub(r"\s+", " ", sql)


def without_bookkeeping(facts: set[str]) -> set[str]:
    return {fact for fact in facts if "alembic_version" not in fact}


@pytest.fixture
def modelled(request: pytest.FixtureRequest, engine: Engine, tmp_path: Path) -> Iterator[set[str]]:
    """The schema that the models themselves create, in a second empty database of the same kind."""
    if engine.dialect.name == "postgresql":
        with request.getfixturevalue("postgres_server").database(migrated=False) as url:
            yield created(url)
    else:
        yield created(f"sqlite:///{tmp_path / 'modelled.db'}")


def created(url: str) -> set[str]:
    engine = open_engine(url, new=True)
    try:
        Base.metadata.create_all(engine)
        return described(engine)
    finally:
        engine.dispose()


def test_the_migrated_schema_is_the_models_schema(empty_url: str, engine: Engine, modelled: set[str]) -> None:
    run.upgrade(empty_url)
    migrated = without_bookkeeping(described(engine))
    assert migrated == modelled, "run `make migration-0001` (before the first release) or `make migration`"
    assert run.drift(empty_url) == []


def test_the_comparison_sees_every_kind_of_difference(empty_url: str, engine: Engine, modelled: set[str]) -> None:
    run.upgrade(empty_url)
    kinds = {fact.split()[0] for fact in modelled}
    expected = {"column", "index", "trigger"}
    assert kinds >= expected | ({"constraint", "function"} if engine.dialect.name == "postgresql" else {"check"})
    with engine.begin() as connection:
        connection.execute(text("DROP INDEX ix_timers_due"))
        connection.execute(text("CREATE INDEX ix_timers_due ON timers (fires_at)"))
    lost = modelled - without_bookkeeping(described(engine))
    assert [fact for fact in lost if "ix_timers_due" in fact and "WHERE" in fact]


def test_going_down_and_up_again_ends_where_it_began(empty_url: str, engine: Engine) -> None:
    run.upgrade(empty_url)
    first = described(engine)
    run.downgrade(empty_url)
    assert without_bookkeeping(described(engine)) == set()
    assert run.upgrade(empty_url) == FIRST_AND_ONLY
    assert described(engine) == first


def test_what_is_pending_is_told_and_applied_once(empty_url: str) -> None:
    assert run.pending(empty_url) == FIRST_AND_ONLY
    assert run.upgrade(empty_url) == FIRST_AND_ONLY
    assert run.pending(empty_url) == []
    assert run.upgrade(empty_url) == []


def test_two_upgrades_at_once_apply_each_step_once(empty_url: str) -> None:
    applied: list[list[str]] = []
    together = threading.Barrier(2)

    def upgrade() -> None:
        together.wait()
        applied.append(run.upgrade(empty_url))

    threads = [threading.Thread(target=upgrade) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(applied) == [[], FIRST_AND_ONLY]


def test_an_upgrade_waits_for_another_as_long_as_that_takes(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("models.engine.BUSY_TIMEOUT_MS", 50)
        with run._connection(empty_url, new=True) as connection:
            if connection.dialect.name == "postgresql":
                assert connection.scalar(text("SHOW lock_timeout")) == "50ms", "for all other locks"
            second, done = threading.Thread(target=lambda: done.append(run.upgrade(empty_url))), list[list[str]]()
            second.start()
            second.join(timeout=0.5)
            assert second.is_alive()
        second.join()
    assert done == [FIRST_AND_ONLY]


def test_a_database_of_a_newer_program_is_refused(empty_url: str, engine: Engine) -> None:
    run.upgrade(empty_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for action in (run.upgrade, run.pending):
        with pytest.raises(run.SchemaUnknown, match=r"9999.*新.*请升级"):
            action(empty_url)


def test_tables_without_a_version_are_refused(empty_url: str, engine: Engine) -> None:
    Base.metadata.create_all(engine)
    with pytest.raises(run.SchemaUnknown, match=r"没有版本记录.*KETANG_DATABASE_URL"):
        run.upgrade(empty_url)


def test_a_failing_upgrade_leaves_nothing_behind(
    empty_url: str, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    # An unusable statement for the last table to be sealed: everything before it has run by then.
    monkeypatch.setattr("migrations.sealing.append_only_ddl", lambda _table: [(engine.dialect.name, "NONSENSE")])
    with pytest.raises(DBAPIError):
        run.upgrade(empty_url)
    assert described(engine) == set()


def test_the_append_only_tables_are_sealed(empty_url: str, engine: Engine) -> None:
    run.upgrade(empty_url)
    with engine.connect() as connection:
        assert sealed_tables(connection) == set(APPEND_ONLY)


@pytest.mark.parametrize("change", ["UPDATE editions SET title = 'x'", "DELETE FROM editions"])
def test_a_sealed_row_can_neither_change_nor_go(empty_url: str, engine: Engine, change: str) -> None:
    run.upgrade(empty_url)
    row = "INSERT INTO editions VALUES ('x', '', 'title', :text, '2026-01-01 00:00:00')"
    with engine.begin() as connection:
        connection.execute(text(row), {"text": b"text"})
    with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
        connection.execute(text(change))
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT title FROM editions")) == "title"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A migrations folder of its own, without any migration."""
    folder = tmp_path / "migrations"
    (folder / "versions").mkdir(parents=True)
    for name in ("env.py", "script.py.mako"):
        (folder / name).write_bytes((run.FOLDER / name).read_bytes())
    monkeypatch.setattr(run, "FOLDER", folder)
    monkeypatch.setattr(author, "FOLDER", folder)
    return folder


def test_the_tool_writes_a_first_migration_that_makes_the_models(folder: Path) -> None:
    path = author.rewrite()
    text_before = path.read_text(encoding="utf-8")
    assert author.rewrite().read_text(encoding="utf-8") == text_before, "the same models, the same text"
    url = f"sqlite:///{folder}/tool.db"
    run.upgrade(url)
    assert run.drift(url) == []


def test_the_tool_does_not_rewrite_history(folder: Path) -> None:
    author.rewrite()
    later = author.write("Nothing new", revision="0002")
    with pytest.raises(SystemExit, match=later.name):
        author.rewrite()


def test_a_case_keeps_room_on_its_page_unless_somebody_set_it_otherwise(postgres_server: Postgres) -> None:
    room = text("SELECT reloptions FROM pg_class WHERE oid = CAST('cases' AS regclass)")
    with postgres_server.database(migrated=False) as url:
        run.upgrade(url)
        engine = open_engine(url)
        with engine.begin() as connection:
            assert connection.scalar(room) == ["fillfactor=80"]
            connection.execute(text("ALTER TABLE cases SET (fillfactor = 70)"))
            lay_out(connection)
            assert connection.scalar(room) == ["fillfactor=70"]
        engine.dispose()
