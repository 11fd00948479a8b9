"""What all tests share: a migrated database each, PostgreSQL and Chromium when asked for."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from migrations import run
from models.engine import Database, open_engine
from runtime.stack import Stack
from tests import chromium, postgres

if TYPE_CHECKING:
    from playwright.sync_api import Browser

BACKENDS = ["sqlite", "postgresql"]


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the developer's own KETANG_… and PREFECT_… variables out of every test."""
    for name in [name for name in os.environ if name.startswith(("KETANG_", "PREFECT_"))]:
        if name != chromium.WITHOUT:
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Postgres]:
    """A PostgreSQL for the whole session; starts with the first test that asks."""
    with postgres.running() as server:
        yield server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied."""
    path = tmp_path_factory.mktemp("template") / "ketang.db"
    run.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """Address of a new migrated SQLite database."""
    path = tmp_path / "ketang.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgresql_url(postgres_server: postgres.Postgres) -> Iterator[str]:
    """Address of a new migrated PostgreSQL database."""
    with postgres_server.database() as url:
        yield url


@pytest.fixture(params=BACKENDS)
def database_url(request: pytest.FixtureRequest) -> str:
    """Address of a new migrated database, once per kind of database."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A new migrated database, once per kind of database."""
    with opened(database_url) as database:
        yield database


@pytest.fixture
def sqlite_database(sqlite_url: str) -> Iterator[Database]:
    """A new migrated SQLite database, for tests to which the kind of database does not matter."""
    with opened(sqlite_url) as database:
        yield database


@pytest.fixture(params=BACKENDS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of a database without tables, once per kind of database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
    else:
        with request.getfixturevalue("postgres_server").database(migrated=False) as url:
            yield url


@pytest.fixture(scope="session")
def prefect_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty Prefect database, to be copied: making one takes Prefect longer than all else at a start."""
    home = tmp_path_factory.mktemp("prefect")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    subprocess.run(
        [sys.executable, "-m", "prefect", "server", "database", "upgrade", "-y"],
        env={**environment, "PREFECT_HOME": str(home)},
        cwd=home,
        check=True,
        capture_output=True,
    )
    return home / "prefect.db"


@pytest.fixture(scope="session")
def prepared(prefect_database: Path) -> Callable[[Stack], Stack]:
    """A function that takes a stack not yet started, gives it an empty Prefect database, and returns it."""

    def prepare(stack: Stack) -> Stack:
        folder = stack.settings.home / "prefect"
        folder.mkdir(parents=True)
        shutil.copyfile(prefect_database, folder / "prefect.db")
        return stack

    return prepare


# Not for the session: while Playwright runs, asyncio.run() refuses to work in this thread.
@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """A headless Chromium, once per module that asks."""
    if chromium.unwanted():
        pytest.skip(f"{chromium.WITHOUT} is set")
    with chromium.running() as running:
        yield running


@contextmanager
def opened(url: str) -> Iterator[Database]:
    """Open a database and close all its connections at the end."""
    engine = open_engine(url)
    try:
        yield Database(engine)
    finally:
        engine.dispose()
