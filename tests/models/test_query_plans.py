"""
No query of an everyday act reads a whole table that grows: its plan is asked of the database, on both kinds of it.

What the product really executes is collected while a neighbourhood is lived through and an office's day is done, in a
district of a thousand cases. Then each statement is explained. PostgreSQL is told to prefer anything to a scan and to
look rows up one by one, so that a scan that is left means that no index serves; SQLite, which has no other way, is told
of a thousand times as much.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, Index, event, make_url, select

from bench.contestant import Place
from bench.everyday import Everyday
from models.base import Base
from models.case import Case
from models.work_item import WorkItem
from policies.vocabulary import WorkItemStatus
from tasks.living import there_is
from tests.postgres import Postgres

CASES, UNITS = 1200, {"a_village": 4, "a_town": 12}
SMALL = {
    "editions": "one row a published edition",
    "case_counters": "one row a kind of number and year",
    "sweep_beats": "one row a sweep, and one a year",
    "calls": "a few a town and year",
    "campaigns": "a few a town and year",
    "meetings": "a few a town and year",
    "year_evaluations": "one row a town and year",
    "providers": "a registry's list, some dozens a town",
    "service_items": "a registry's list, some dozens a town",
}
"""Tables of which a scan is no harm, and why."""
WHAT_IS_OPEN = {"ix_work_items_open", "ix_cases_open", "ix_cases_to_check"}
"""Indexes of all that is open, which is much: to walk along one of them is no harm only up to a limit."""
ALLOWED = {
    "SELECT notices.id, notices.case_id, notices.published_at": "the index page shows every notice there ever was",
}
"""Statements, by how they begin, that may walk along a table, and why."""
Seen = dict[str, Any]
"""Statements with the values they were first executed with."""


@contextmanager
def listening() -> Iterator[Seen]:
    """Collect what any engine executes in the block."""
    seen: Seen = {}

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        seen.setdefault(statement, parameters[0] if many and isinstance(parameters, list) else parameters)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def shortened(statement: str) -> str:
    """Return a statement on one line, with lists of values of any length alike and without what it selects."""
    line = re.sub(r"\s+", " ", statement)
    return re.sub(r"IN \((\?|%\(\w+\)s(::\w+)?)(, (\?|%\(\w+\)s(::\w+)?))*\)", "IN (…)", line)


def scans(connection: Connection, statement: str, parameters: Any) -> list[str]:
    """Return the tables, or their indexes, that the plan of a statement reads from one end to the other."""
    if connection.dialect.name == "sqlite":
        names = {alias: table for table, alias in re.findall(r"(\w+) AS (\w+)", statement)}
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        found = [
            re.match(r"(?:SCAN|BLOOM FILTER ON) (\w+)(?: USING (?:COVERING )?INDEX (\w+))?", row[-1]) for row in rows
        ]
        return [
            names.get(each[1], each[1])
            for each in found
            if each is not None
            and names.get(each[1], each[1]) in growing()
            and each[2] not in indexes_to_walk(statement)
        ]
    (plan,) = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).one()
    # Of a table without rows PostgreSQL reads all, whatever index there is; SQLite's plan tells of those.
    walked = indexes_to_walk(statement)
    return [table for table in scanned(plan[0]["Plan"], walked=walked) if _has_rows(connection, table)]


def _has_rows(connection: Connection, table: str) -> bool:
    return connection.exec_driver_sql(f"SELECT 1 FROM {table} LIMIT 1").first() is not None


def scanned(node: dict[str, Any], *, walked: set[str]) -> Iterator[str]:
    """Yield the tables that a node of PostgreSQL's plan, and those below it, read as a whole, but by these indexes."""
    kind = node["Node Type"]
    if kind == "Seq Scan" and node["Relation Name"] in growing():
        yield node["Relation Name"]
    along = kind in ("Index Scan", "Index Only Scan") and "Index Cond" not in node
    if along and node["Relation Name"] in growing() and node["Index Name"] not in walked:
        yield node["Relation Name"]
    for each in node.get("Plans", []):
        yield from scanned(each, walked=walked)


def growing() -> set[str]:
    """Return the tables that grow with cases, sites, or years."""
    return set(Base.metadata.tables) - SMALL.keys()


def indexes_to_walk(statement: str) -> set[str]:
    """Return the indexes that hold only what waits: to walk along one of them is to read what is wanted."""
    found: set[str] = set()
    for table in Base.metadata.tables.values():
        for index in table.indexes:
            if isinstance(index, Index) and index.dialect_options["sqlite"]["where"] is not None:
                found.add(str(index.name))
    return found if re.search(r"\bLIMIT\b", outermost(statement)) else found - WHAT_IS_OPEN


def outermost(statement: str) -> str:
    """Return a statement without all that stands in parentheses: a limit of a subquery is none of its own."""
    while (without := re.sub(r"\([^()]*\)", "", statement)) != statement:
        statement = without
    return statement


def faults(engine: Engine, seen: Seen) -> list[str]:
    """Return each statement whose plan scans, with what it scans."""
    found: dict[str, str] = {}
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            for way in ("seqscan", "bitmapscan", "hashjoin", "mergejoin"):
                connection.exec_driver_sql(f"SET enable_{way} = off")
        for statement, parameters in seen.items():
            if not re.match(r"\s*(SELECT|UPDATE|DELETE|WITH)", statement):
                continue
            if any(shortened(statement).startswith(beginning) for beginning in ALLOWED):
                continue
            if tables := scans(connection, statement, parameters):
                found[shortened(statement)] = f"{', '.join(sorted(set(tables)))}: {shortened(statement)}"
        connection.rollback()
    return sorted(found.values())


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def lived(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Everyday, Seen]]:
    """An office's day in a district, and all that was executed."""
    folder = tmp_path_factory.mktemp("district")
    if request.param == "sqlite":
        lived = day_of(Place(folder, options=UNITS))
        yield lived
        lived[0].close()
        return
    server: Postgres = request.getfixturevalue("postgres_server")
    with server.database() as url:
        address = make_url(url)
        options = {"host": server.socket_folder, "user": "postgres", "dbname": str(address.database)}
        lived = day_of(Place(folder, postgres=options, options=UNITS))
        yield lived
        lived[0].close()


def day_of(place: Place) -> tuple[Everyday, Seen]:
    """Live through the neighbourhood and the day."""
    with listening() as seen:
        everyday = Everyday(place)
    everyday.grow(CASES)
    with listening() as more:
        everyday.season()
    seen |= more
    for act in everyday.acts:
        act.prepare()
        with listening() as more:
            act.run()
        seen |= more
    return everyday, seen


def test_no_everyday_query_scans_a_table_that_grows(lived: tuple[Everyday, Seen]) -> None:
    """Also without statistics: nobody has asked a small office's database for them."""
    everyday, seen = lived
    engine = everyday.resources.database.engine
    assert len(seen) > 150
    if engine.dialect.name == "sqlite":
        tell_of_more(engine, times=1000)
    assert faults(engine, seen) == []
    if engine.dialect.name == "sqlite":
        forget_statistics(engine)
        assert faults(engine, seen) == []


def tell_of_more(engine: Engine, *, times: int) -> None:
    """Let SQLite believe in so many times the rows: of a small table it would rather read all."""
    with engine.begin() as connection:
        for table, index, told in connection.exec_driver_sql("SELECT tbl, idx, stat FROM sqlite_stat1").all():
            rows, *each = told.split()
            more = " ".join([str(int(rows) * times), *each])
            connection.exec_driver_sql(
                "UPDATE sqlite_stat1 SET stat = ? WHERE tbl = ? AND idx IS ?", (more, table, index)
            )
    engine.dispose()


def forget_statistics(engine: Engine) -> None:
    """Let SQLite plan by what it supposes, as it does where nobody has ever said ANALYZE."""
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM sqlite_stat1")
    engine.dispose()


@pytest.mark.parametrize(
    ("index", "table"),
    [
        ("ix_timers_due", "timers"),
        ("ix_cases_to_wake", "cases"),
        ("ix_cases_tended", "cases"),
        ("ix_sites_household", "sites"),
    ],
)
def test_a_missing_index_is_found(lived: tuple[Everyday, Seen], index: str, table: str) -> None:
    everyday, seen = lived
    engine = everyday.resources.database.engine
    (there,) = [each for each in Base.metadata.tables[table].indexes if each.name == index]
    there.drop(engine)
    try:
        assert any(each.split(":")[0].split(", ").count(table) for each in faults(engine, seen))
    finally:
        there.create(engine)


def test_a_walk_along_all_that_is_open_is_found(lived: tuple[Everyday, Seen]) -> None:
    """Also when a part of the statement has a limit."""
    everyday, _ = lived
    engine = everyday.resources.database.engine
    gates = select(WorkItem.id).where(WorkItem.status == WorkItemStatus.OPEN)
    limited = gates.where(there_is(select(Case.id).where(Case.id == WorkItem.case_id, Case.parent_id.is_(None))))
    with listening() as seen, engine.connect() as connection:
        for each in (gates, limited):
            connection.execute(each).all()
    assert [each.split(":")[0] for each in faults(engine, seen)] == ["work_items"] * 2
    with listening() as seen, engine.connect() as connection:
        connection.execute(gates.limit(10)).all()
    assert faults(engine, seen) == [], "so many and no more"
