"""Bring a business database to the schema of this program, or say how far behind it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, event, inspect, text

from migrations.rendering import COMPARISON
from migrations.storage import lay_out
from models.base import Base
from models.engine import NoDatabase, open_engine

FOLDER = Path(__file__).resolve().parent
LOCK = 0x6B6574616E67
"""Number of the PostgreSQL advisory lock that lets one upgrade run at a time: "ketang" in ASCII."""


_AS_LONG_AS_IT_TAKES_MS = 2**31 - 1
"""Another upgrade may copy tables for an hour; SQLite knows no end, and this is its longest."""


class SchemaUnknown(Exception):
    """
    The database is not one that this program can bring up to date.

    Args:
        reason: one Chinese sentence that says what to do next.
    """


def upgrade(url: str) -> list[str]:
    """
    Apply every missing step and the layout of tables, all in one transaction: either all are there, or none.

    Safe to repeat and to run twice at once: the second finds nothing to do.

    Args:
        url: an SQLAlchemy address, as in `models.engine.open_engine`.

    Returns:
        The steps applied, oldest first, as ``"0001 The tables"``; empty when there was nothing to do.

    Raises:
        SchemaUnknown: the database was written by a newer program, or holds tables but no version.
        models.engine.NoFolder: it would be a file in a folder that does not exist.
    """
    with _connection(url, new=True) as connection:
        missing = _pending(connection)
        if missing:
            command.upgrade(_config(connection), "head")
            lay_out(connection)
        return missing


def downgrade(url: str, *, to: str = "base") -> None:
    """Take steps back, down to the revision `to`; for developers, data in dropped tables is lost."""
    with _connection(url) as connection:
        command.downgrade(_config(connection), to)


def pending(url: str) -> list[str]:
    """Return the steps that `upgrade` would apply, oldest first; changes nothing. SchemaUnknown as there."""
    try:
        with _connection(url) as connection:
            return _pending(connection)
    except NoDatabase:
        return list(reversed(_steps().values()))


def known() -> int:
    """Return how many steps this program knows."""
    return len(_steps())


def drift(url: str) -> list[Any]:
    """Return what Alembic finds different between the models and the database; empty when they agree."""
    with _connection(url) as connection:
        options = {key: COMPARISON[key] for key in ("compare_type", "compare_server_default")}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata))


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _steps() -> dict[str, str]:
    """Return every step by its revision, newest first."""
    scripts = ScriptDirectory.from_config(_config())
    return {step.revision: f"{step.revision} {step.doc.rstrip('.')}" for step in scripts.walk_revisions()}


def _pending(connection: Connection) -> list[str]:
    steps = _steps()
    present = MigrationContext.configure(connection).get_current_revision()
    if present is None:
        if tables := sorted(set(inspect(connection).get_table_names()) & set(Base.metadata.tables)):
            raise SchemaUnknown(
                f"数据库里已有数据表({tables[0]} 等 {len(tables)} 张),却没有版本记录,无法判断该怎样升级。"
                "请核对 KETANG_DATABASE_URL 是否指向了别的数据库,或从备份恢复。"
            )
        return list(reversed(steps.values()))
    if present not in steps:
        raise SchemaUnknown(
            f"数据库版本“{present}”比本程序新(本程序只认识到“{next(iter(steps))}”)。"
            "请升级客堂程序,或改用与数据库相配的版本。"
        )
    missing: list[str] = []
    for revision, label in steps.items():
        if revision == present:
            break
        missing.append(label)
    return missing[::-1]


@contextmanager
def _connection(url: str, *, new: bool = False) -> Iterator[Connection]:
    engine = open_engine(url, new=new)
    sqlite = engine.dialect.name == "sqlite"
    if sqlite:

        @event.listens_for(engine, "connect")
        def _free_to_rebuild(connection: Any, _record: Any) -> None:
            # SQLite changes a table by copying and dropping it, which would empty the tables that refer to it;
            # the switch is deaf inside a transaction.
            connection.execute("PRAGMA foreign_keys = OFF")
            connection.execute(f"PRAGMA busy_timeout = {_AS_LONG_AS_IT_TAKES_MS}")

    try:
        with engine.begin() as connection:
            if not sqlite:
                _wait_for_the_other(connection)
            yield connection
            if sqlite and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").first()):
                raise RuntimeError(f"a migration left table {broken[0]}, row {broken[1]} pointing at nothing")
    finally:
        engine.dispose()


def _wait_for_the_other(connection: Connection) -> None:
    """Wait for an upgrade that runs already, however long it takes; for all other locks no longer than ever."""
    setting = connection.scalar(text("SELECT current_setting('lock_timeout')"))
    connection.execute(text("SET LOCAL lock_timeout = 0"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    connection.execute(text("SELECT set_config('lock_timeout', :setting, true)"), {"setting": setting})
