"""Fixtures of the site lifecycle's tests: databases that are emptied between tests, and townships in them."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import event, text

from models import Base
from models.engine import Database, open_engine
from policies.load import EDITIONS, LoadedEdition, parse_calendar, parse_edition
from rules.calendar import WorkCalendar
from tests.postgres import Postgres
from tests.township import Township, township

OpenTown = Callable[..., Township]


@dataclass(frozen=True)
class Desk:
    """One database for many tests: its statements are compiled once."""

    url: str
    database: Database
    clear: Callable[[], None]


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is killed loses nothing of what it wrote; only a machine that is would."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture(scope="session")
def sqlite_desk(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    path = tmp_path_factory.mktemp("desk") / "ketang.db"
    with opened(f"sqlite:///{path}") as database:
        # Nobody pulls the plug of a test.
        event.listen(database.engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous = OFF"))

        def clear() -> None:
            database.engine.dispose()
            for leftover in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
                leftover.unlink(missing_ok=True)
            shutil.copyfile(sqlite_template, path)

        yield Desk(f"sqlite:///{path}", database, clear)


@pytest.fixture(scope="session")
def postgresql_desk(postgres_server: Postgres) -> Iterator[Desk]:
    with postgres_server.database() as url, opened(url) as database:

        def clear() -> None:
            with database.engine.begin() as connection:
                tables = ", ".join(table.name for table in Base.metadata.sorted_tables)
                connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))

        yield Desk(url, database, clear)


@pytest.fixture(params=["sqlite", "postgresql"])
def desk(request: pytest.FixtureRequest) -> Desk:
    """Both kinds of database, one after the other."""
    chosen: Desk = request.getfixturevalue(f"{request.param}_desk")
    return chosen


@pytest.fixture
def open_sqlite(sqlite_desk: Desk, tmp_path: Path) -> Iterator[OpenTown]:
    """A function that settles a township on SQLite: where the kind of database does not matter."""
    with opener(sqlite_desk, tmp_path) as open_town:
        yield open_town


@pytest.fixture
def open_town(desk: Desk, tmp_path: Path) -> Iterator[OpenTown]:
    """A function that settles a township, once per kind of database."""
    with opener(desk, tmp_path) as open_town:
        yield open_town


@pytest.fixture
def town(open_sqlite: OpenTown) -> Township:
    """Zhujiajiao on a working day in its window, on SQLite."""
    return open_sqlite("zhujiajiao-2018", "2018-10-08 10:00")


@pytest.fixture
def both(open_town: OpenTown) -> Township:
    """Zhujiajiao on a working day in its window, once per kind of database."""
    return open_town("zhujiajiao-2018", "2018-10-08 10:00")


def variant(edition: str, new_id: str, *changes: tuple[str, str]) -> LoadedEdition:
    """Return a shipped edition with some of its text changed, each where it stands first, under another id."""
    text = (EDITIONS / f"{edition}.yaml").read_text(encoding="utf-8")
    for old, new in ((f"id: {edition}", f"id: {new_id}"), *changes):
        assert old in text, old
        text = text.replace(old, new, 1)
    return parse_edition(text.encode(), f"{new_id}.yaml")


ARRANGEMENT = """
published_through: 2027
years:
  - year: 2027
    clause: 测试用
    holidays: [2027-01-01, 2027-01-02, 2027-01-03, 2027-01-11]
    workdays: []
"""


def publish_2027(town: Township) -> None:
    """Let the arrangement of 2027 come out: 11 January, a Monday, is off."""
    calendar = WorkCalendar(parse_calendar(ARRANGEMENT.encode(), "calendar.yaml"))
    town.resources = replace(town.resources, calendar=calendar)
    town.rehearsal.resources = town.resources


def keep(town: Township, name: str = "kept") -> Callable[[], None]:
    """Keep the township as it stands on SQLite; return the function that brings it back."""
    database = town.resources.database
    path = Path(str(database.engine.url.database))
    kept, moment, number = path.with_suffix(f".{name}"), town.now(), town.number
    with database.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql("BEGIN")
    shutil.copyfile(path, kept)
    letters = town.resources.settings.letters_folder
    letters.mkdir(parents=True, exist_ok=True)
    kept_letters = shutil.copytree(letters, letters.with_name(f"letters.{name}"), dirs_exist_ok=True)

    def bring_back() -> None:
        database.engine.dispose()
        for leftover in (f"{path.name}-wal", f"{path.name}-shm"):
            path.with_name(leftover).unlink(missing_ok=True)
        shutil.copyfile(kept, path)
        shutil.rmtree(letters, ignore_errors=True)
        shutil.copytree(kept_letters, letters)
        town.stand_at(moment)
        town.number = number

    return bring_back


@contextmanager
def opener(desk: Desk, home: Path) -> Iterator[OpenTown]:
    with ExitStack() as stack:

        def open_town(edition: str | LoadedEdition, now: str, **more: object) -> Township:
            desk.clear()
            return stack.enter_context(
                township(desk.url, home, edition=edition, now=now, database=desk.database, **more)
            )

        yield open_town


@contextmanager
def opened(url: str) -> Iterator[Database]:
    engine = open_engine(url)
    try:
        yield Database(engine)
    finally:
        engine.dispose()
