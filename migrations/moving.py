"""Copy a business database into an empty one of the other kind: an office that grows goes from SQLite to PostgreSQL."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Integer, Table, func, insert, select, text

from migrations import run
from models.base import Base
from models.engine import open_engine

BATCH = 2000


class NotMoved(Exception):
    """
    The copy was not made; the database it was to go to is as it was.

    Args:
        reason: one Chinese sentence that says what to do next.
    """


def move(source: str, target: str, *, say: Callable[[str, int], None] = lambda _table, _rows: None) -> dict[str, int]:
    """
    Copy every row of `source` into `target`, which gets this program's schema first; all of it or nothing.

    What was read is one view of the source, but stop the desk all the same: what is written there later is not copied.

    Args:
        source: an SQLAlchemy address of a database with this program's schema.
        target: of another one, without rows.
        say: told of each table that is copied, with its rows.

    Returns:
        The rows copied, by table.

    Raises:
        NotMoved: the source is not up to date, or the target holds rows.
        migrations.run.SchemaUnknown: as `migrations.run.upgrade`.
    """
    if run.pending(source):
        raise NotMoved("原业务数据库不是本程序的版本,请先运行 ketang db upgrade,再复制")
    run.upgrade(target)
    old, new = open_engine(source), open_engine(target)
    try:
        with old.connect().execution_options(sqlite_begin="DEFERRED") as reading, new.begin() as writing:
            return _copy(reading, writing, say)
    finally:
        old.dispose()
        new.dispose()


def _copy(reading: Connection, writing: Connection, say: Callable[[str, int], None]) -> dict[str, int]:
    if reading.dialect.name == "postgresql":
        reading.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
    tables = Base.metadata.sorted_tables
    for table in tables:
        if writing.execute(select(1).select_from(table).limit(1)).first() is not None:
            raise NotMoved(f"目标数据库的表 {table.name} 中已有数据,只能复制到空的数据库;请另建一个空库")
    copied: dict[str, int] = {}
    with _references_checked_at_the_end(writing):
        for table in tables:
            copied[table.name] = _rows(reading, writing, table)
            say(table.name, copied[table.name])
    for table in tables:
        there = writing.scalar(select(func.count()).select_from(table))
        if there != copied[table.name]:
            raise NotMoved(f"表 {table.name} 应有 {copied[table.name]} 行,复制后为 {there} 行;未作改动,请重试")
        if writing.dialect.name == "postgresql" and "id" in table.c and isinstance(table.c.id.type, Integer):
            last = writing.scalar(select(func.max(table.c.id))) or 0
            writing.execute(select(func.setval(func.pg_get_serial_sequence(table.name, "id"), last + 1, False)))
    return copied


@contextmanager
def _references_checked_at_the_end(writing: Connection) -> Iterator[None]:
    """Let rows come in any order within the block: a unit may stand below one that was entered after it."""
    if writing.dialect.name == "sqlite":
        writing.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        yield
        return
    references = [
        (table.name, constraint.name)
        for table in Base.metadata.sorted_tables
        for constraint in table.foreign_key_constraints
    ]
    for table, name in references:
        writing.execute(text(f"ALTER TABLE {table} ALTER CONSTRAINT {name} DEFERRABLE INITIALLY DEFERRED"))
    yield
    writing.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    for table, name in references:
        writing.execute(text(f"ALTER TABLE {table} ALTER CONSTRAINT {name} NOT DEFERRABLE"))


def _rows(reading: Connection, writing: Connection, table: Table) -> int:
    count = 0
    rows = reading.execution_options(yield_per=BATCH).execute(select(table).order_by(*table.primary_key.columns))
    for batch in rows.mappings().partitions():
        values: list[dict[str, Any]] = [dict(row) for row in batch]
        writing.execute(insert(table), values)
        count += len(values)
    return count
