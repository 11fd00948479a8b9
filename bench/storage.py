"""How many bytes a contestant's database takes."""

import sqlite3
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from bench.contestant import Place


def bytes_of(place: Place) -> int:
    """Return the bytes of the tables and indexes of a contestant's databases, whatever of the files is free."""
    if place.postgres is None:
        # The log beside a database holds what stands in it already: it counts once it is copied over.
        return sum(_sqlite(path) for path in place.folder.rglob("*.db"))
    with psycopg.connect(make_conninfo(**place.postgres), autocommit=True) as connection:
        row = connection.execute("SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r'").fetchone()
    assert row is not None
    return int(row[0])


def _sqlite(path: Path) -> int:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return sqlite_bytes(path)


def sqlite_bytes(path: Path) -> int:
    """Return the bytes of a SQLite database that may be in use, its log included."""
    with sqlite3.connect(path, timeout=60) as connection:
        pages, size, free = (
            connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size", "freelist_count")
        )
    connection.close()
    return int((pages - free) * size)
