"""The engine and its sessions: SQLite in WAL mode by default, PostgreSQL by its address."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, InvalidatePoolError
from sqlalchemy.orm import Session, sessionmaker

from models.base import Base

DRIVERS = {"sqlite", "sqlite+pysqlite", "postgresql+psycopg"}
BUSY_TIMEOUT_MS = 30_000
BUSY = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL")
"""How the names of those failures begin that pass."""
FRESH_SECONDS = 1.0
"""A connection that was used so short a time ago is not asked again whether it is alive."""


class BadAddress(Exception):
    """What is set is the address of no database that can be used; it may hold a password and is not repeated."""


class NoDatabase(Exception):
    """
    There is no database at an address of SQLite, and none is made by who only reads.

    Args:
        path: where it was looked for.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path


class NoFolder(NoDatabase):
    """The folder, too, is missing in which one would be made."""


def address_of(url: str) -> URL:
    """
    Return an address by its parts.

    Raises:
        BadAddress: it is none, or of a driver that is not ours.
    """
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):  # a port that is no number
        raise BadAddress from None
    # With an @ in it, the host is the end of a password that has one: it would be told that there is no such host.
    if address.drivername not in DRIVERS or "@" in (address.host or ""):
        raise BadAddress
    return address


def file_of(address: URL) -> Path | None:
    """Return the file of a database; None: it has none, or is named by an address of SQLite's own."""
    if address.get_backend_name() != "sqlite" or address.database in {None, "", ":memory:"}:
        return None
    return None if str(address.database).startswith("file:") else Path(str(address.database))


def open_engine(url: str, *, new: bool = False) -> Engine:
    """
    Open the business database.

    Args:
        url: an SQLAlchemy address, ``sqlite:///…`` or ``postgresql+psycopg://…``.
        new: of SQLite, the file is made when there is none, in a folder that is there, or the first
            connection raises NoFolder; else it raises NoDatabase.

    Raises:
        BadAddress: see `address_of`.
    """
    address = address_of(url)
    if address.get_backend_name() != "sqlite":
        engine = _created(address)
        _wait_no_longer(engine)
        _ask_idle_ones(engine)
        _describe_briefly(engine)
        return engine
    engine = _created(address)
    file = file_of(address)

    @event.listens_for(engine, "do_connect")
    def _only_what_is_there(*_: Any) -> None:
        if file is not None and not (file.parent if new else file).exists():
            raise (NoFolder if new else NoDatabase)(file.absolute())

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        # sqlite3's own BEGIN comes too late (before the first write only), which makes a read-then-write
        # transaction fail with "locked" instead of waiting; so BEGIN is ours.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout = {BUSY_TIMEOUT_MS}",
            "synchronous = FULL",
            "foreign_keys = ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        _write_ahead(cursor)
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        mode = connection.get_execution_options().get("sqlite_begin", "IMMEDIATE")
        if mode is not None:
            connection.exec_driver_sql(f"BEGIN {mode}")

    return engine


def _write_ahead(cursor: sqlite3.Cursor) -> None:
    """Set WAL mode; where two would set it of a new file at once, SQLite fails for one instead of letting it wait."""
    until = monotonic() + 2 * BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith(BUSY) or monotonic() > until:
                raise
            sleep(0.02)
        else:
            return


def _created(address: URL) -> Engine:
    # What failed is told in logs and in Prefect: without the values, which are people's names, addresses and letters.
    return create_engine(address, hide_parameters=True)


def _wait_no_longer(engine: Engine) -> None:
    """
    Let nobody wait for ever for what a machine held that has died: not for a lock, not for its silent connection.

    Who has waited in vain fails, is recorded, and is tried again, as on SQLite after `BUSY_TIMEOUT_MS`.
    """

    @event.listens_for(engine, "connect")
    def _set(connection: Any, _record: Any) -> None:
        connection.autocommit = True
        for name, value in (
            ("lock_timeout", f"{BUSY_TIMEOUT_MS}ms"),
            ("idle_in_transaction_session_timeout", "15min"),
            ("tcp_keepalives_idle", "60"),
            ("tcp_keepalives_interval", "10"),
            ("tcp_keepalives_count", "3"),
        ):
            connection.execute(f"SET {name} = '{value}'")
        connection.autocommit = False


def _describe_briefly(engine: Engine) -> None:
    """Have results described as SQLAlchemy needs it."""
    from models.cursors import BriefCursor  # not above: an office on SQLite never needs psycopg

    @event.listens_for(engine, "connect")
    def _use(connection: Any, _record: Any) -> None:
        connection.cursor_factory = BriefCursor


def _ask_idle_ones(engine: Engine) -> None:
    """
    Have a connection that has lain idle asked whether its server still knows it, before it is used.

    SQLAlchemy's own `pool_pre_ping` asks every time: a round trip more for each of a case's hundred transactions.
    """

    @event.listens_for(engine, "checkin")
    def _note(_connection: Any, record: Any) -> None:
        record.info["used"] = monotonic()

    @event.listens_for(engine, "checkout")
    def _ask(connection: Any, record: Any, _proxy: Any) -> None:
        if monotonic() - record.info.get("used", -FRESH_SECONDS) < FRESH_SECONDS:
            return
        dialect = engine.dialect
        try:
            dialect.do_ping(connection)
        except dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error


class Database:
    """The business database, as tasks use it: one `write` is one transaction."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writing = sessionmaker(engine, expire_on_commit=False)
        self._reading = sessionmaker(
            engine.execution_options(sqlite_begin="DEFERRED")
            if engine.dialect.name == "sqlite"
            else engine.execution_options(isolation_level="REPEATABLE READ"),
            expire_on_commit=False,
            autoflush=False,
        )
        self._glancing = (
            engine.execution_options(sqlite_begin=None)
            if engine.dialect.name == "sqlite"
            else engine.execution_options(isolation_level="AUTOCOMMIT")
        )

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Open a transaction that commits at the end of the block, or leaves no trace when it raises."""
        with self._writing.begin() as session:
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a consistent view that writes nothing."""
        with self._reading() as session:
            yield session
            session.expunge_all()  # what was read stays readable after the view is closed
            # There is nothing to write, but upon a ROLLBACK psycopg forgets all the statements that it has prepared.
            session.commit()

    @contextmanager
    def glance(self) -> Iterator[Connection]:
        """Open a connection for questions of one statement each: no transaction is begun, so none is to be ended."""
        with self._glancing.connect() as connection:
            yield connection


def insert_unless_there(session: Session, table: type[Base], **values: Any) -> bool:
    """
    Insert a row unless one with its key exists, also when another transaction inserts the same at this moment.

    Returns:
        Whether it was inserted now.
    """
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = insert(table).values(**values).on_conflict_do_nothing()
    # Asked for the key, because a driver's count of rows is not to be had for every INSERT.
    return session.execute(statement.returning(*table.__table__.primary_key)).first() is not None
