"""A whole office goes from one kind of database to the other, and works on there."""

from pathlib import Path

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner

from cli import db
from migrations.moving import NotMoved, move
from models.base import Base
from models.case import Case
from runtime.clock import MovedClock
from runtime.resources import open_resources
from runtime.settings import Settings
from tasks.history import verify
from tests.desks import opened
from tests.parlours import add_site
from tests.township import Township, at, township


def contents(url: str) -> dict[str, list[tuple[object, ...]]]:
    with opened(url) as database, database.engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns))]
            for table in Base.metadata.sorted_tables
        }


@pytest.mark.parametrize(("source", "target"), [("sqlite", "postgresql"), ("postgresql", "sqlite")])
def test_everything_is_there_afterwards_and_work_goes_on(
    source: str, target: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    old, new = (str(request.getfixturevalue(f"{kind}_url")) for kind in (source, target))
    with township(old, tmp_path, edition="example-2026", now="2026-03-02 09:00") as town:
        add_site(town)
        number = town.apply()
        town.everybody_agrees()
    copied = move(old, new)
    assert contents(new) == contents(old)
    assert copied["cases"] == 2
    assert copied["units"] == 5

    with open_resources(
        Settings(home=tmp_path, database_url=new, _env_file=None), clock=MovedClock(at("2026-03-03 09:00"))
    ) as resources:
        there = Township(resources)
        add_site(there)
        with resources.database.read() as session:
            assert session.scalar(select(func.count(Case.id))) == 3
            assert list(verify(session)) == []
        there.number = number
        assert there.gate() is not None


def test_a_database_that_holds_something_is_refused_and_left_alone(
    sqlite_url: str, postgresql_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for url in (sqlite_url, postgresql_url):
        with township(url, tmp_path, edition="example-2026", now="2026-03-02 09:00"):
            pass
    before = contents(postgresql_url)
    with pytest.raises(NotMoved, match="已有数据,只能复制到空的数据库"):
        move(sqlite_url, postgresql_url)
    assert contents(postgresql_url) == before
    monkeypatch.setenv("KETANG_DATABASE_URL", sqlite_url)
    told = CliRunner().invoke(db.app, ["copy", postgresql_url])
    assert told.exit_code == 1
    assert "未复制" in told.stderr
