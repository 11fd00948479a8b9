"""
A district of a size that is asked for: one neighbourhood lived through by the desk's own commands, then copied.

Every fourth copy has the open cases too. Every twelve neighbourhoods share a village, every eight villages a town, each
with people of its own. The smallest district that is measured has a whole town besides what is left over, so that towns
and villages are the same in all of them, and only their number differs.

The copies are made by INSERT … SELECT into the real schema, some hundred at a time. All ids of a copy are those of the
original plus n times `STRIDE`, so that every reference within it holds; what is unique as text is named by the new id.
Of the copies the hash chains do not hold (they name the original's numbers); those of the original and of whatever is
done later do.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import (
    Column,
    ColumnElement,
    Integer,
    String,
    Table,
    UniqueConstraint,
    column,
    func,
    insert,
    literal,
    select,
    text,
    true,
    update,
)
from sqlalchemy import case as choice
from sqlalchemy.engine import Connection

from bench.copies import series, text_of
from bench.neighbourhood import NOW, ORDERS, PROVIDER, Neighbourhood
from bench.town import REVIEWER, Town
from models.base import Base
from models.case import Case, Site
from models.outbox import OutboxEntry
from models.registry import Household, Person, Unit
from models.work_item import Timer, WorkItem
from policies.vocabulary import CaseStatus, LetterStatus, TimerKind, UnitKind, WorkItemStatus

FAR = timedelta(days=3650)
STRIDE = 1000
A_VILLAGE, A_TOWN, A_BUSY_ONE = 12, 96, 4
"""Each a multiple of the one before, so that one village has as many open cases as the next."""
AT_ONCE = 500
"""Copies made in one transaction: what the database keeps of it until its end stays small, however many there are."""
CACHE_KIB = 512 * 1024
"""What SQLite may keep in memory while it makes them."""
CLOSED_CASES, OPEN_CASES = 2 + ORDERS, 3
"""Cases of a neighbourhood: the parlour's, its notice, its orders; and the open ones of every fourth."""
RESERVED = 16
"""Of the open reviews so many, the last ones, are kept for decisions: nothing becomes due there."""
_LEFT_ALONE = frozenset({"editions", "case_counters", "sweep_beats"})
_OF_A_TOWN = ("providers", "service_items", "duty_rounds")
_APART = frozenset({"units", "people", "role_holdings", *_OF_A_TOWN})
"""Tables whose rows belong to a town, a village, or a neighbourhood."""


@dataclass(frozen=True)
class Rows:
    """Which rows of the original belong to what: their ids by the table's name."""

    town: dict[str, list[int]]
    village: dict[str, list[int]]
    shared: dict[str, list[int]]
    busy: list[int]
    """Its open cases."""
    a_village: int
    a_town: int


class District(Neighbourhood):
    """The neighbourhood, and its copies."""

    def __init__(self, town: Town, *, a_village: int = A_VILLAGE, a_town: int = A_TOWN) -> None:
        """
        Live through the original.

        Args:
            town: where; as good as empty.
            a_village: neighbourhoods that share one; a multiple of `A_BUSY_ONE`.
            a_town: the same; a multiple of `a_village`.
        """
        self.a_village, self.a_town = a_village, a_town
        self.copies = 0
        self.made_due = 0
        super().__init__(town)

    # -- the copies ---------------------------------------------------------------------------------------------------

    def grow(self, cases: int) -> int:
        """Add copies until there are about so many cases; return how many there are."""
        a_copy = CLOSED_CASES + OPEN_CASES / A_BUSY_ONE
        wanted = max(1, round(cases / a_copy))
        if wanted <= self.copies:
            return self._count()
        engine = self.resources.database.engine
        # What they refer to is there by the end; asked row by row it would cost more than all the rest.
        sqlite = engine.dialect.name == "sqlite"
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if sqlite:
                connection.exec_driver_sql("COMMIT")  # the engine has begun; within a transaction neither is heard
                connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
                connection.exec_driver_sql("PRAGMA synchronous = OFF")
                connection.exec_driver_sql(f"PRAGMA cache_size = -{CACHE_KIB}")
            else:
                connection.exec_driver_sql("SET session_replication_role = replica")
            try:
                rows = self._rows(connection)
                tables = [each for each in _filled(connection) if each.name not in _LEFT_ALONE]
                for first in range(self.copies + 1, wanted + 1, AT_ONCE):
                    connection.exec_driver_sql("BEGIN")
                    for table in tables:
                        self._copy(connection, table, rows, first=first, last=min(wanted, first + AT_ONCE - 1))
                    connection.exec_driver_sql("COMMIT")
                if sqlite:
                    connection.exec_driver_sql("ANALYZE")
                    connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                else:
                    _set_sequences(connection)
                    # Else the server would do both by itself, while others are measured.
                    connection.exec_driver_sql("VACUUM ANALYZE")
                    connection.exec_driver_sql("CHECKPOINT")
            finally:
                if not sqlite:
                    connection.exec_driver_sql("RESET session_replication_role")
        engine.dispose()
        self.copies = wanted
        return self._count()

    def _count(self) -> int:
        with self.resources.database.read() as session:
            return session.scalar(select(func.count(Case.id))) or 0

    def _rows(self, connection: Connection) -> Rows:
        def ids(model: Any, *where: ColumnElement[bool]) -> list[int]:
            return list(connection.scalars(select(model.id).where(model.id < STRIDE, *where)))

        office = ids(Person, Person.code.in_((REVIEWER, PROVIDER)))
        village = ids(Person, Person.code == "P010")
        tables = Base.metadata.tables
        holdings = tables["role_holdings"].c
        held = {
            of: list(
                connection.scalars(select(holdings.id).where(holdings.id < STRIDE, holdings.person_id.in_(people)))
            )
            for of, people in (("town", office), ("village", village))
        }
        supplied = {
            name: list(connection.scalars(select(tables[name].c.id).where(tables[name].c.id < STRIDE)))
            for name in _OF_A_TOWN
        }
        return Rows(
            town={
                "units": ids(Unit, Unit.kind == UnitKind.TOWN),
                "people": office,
                "role_holdings": held["town"],
                **supplied,
            },
            village={
                "units": ids(Unit, Unit.kind == UnitKind.VILLAGE),
                "people": village,
                "role_holdings": held["village"],
            },
            shared={"units": ids(Unit, Unit.kind == UnitKind.DISTRICT)},
            busy=ids(Case, Case.status == CaseStatus.OPEN),
            a_village=self.a_village,
            a_town=self.a_town,
        )

    def _copy(self, connection: Connection, table: Table, rows: Rows, *, first: int, last: int) -> None:
        # Not a list of literals of many hundred thousand: numbers made by the database.
        numbers = series(last, first=first)
        n: ColumnElement[int] = column("n", Integer)
        changed = [_copied(each, table, rows, n).label(each.name) for each in table.c]
        keys = list(table.primary_key.columns)
        source = select(*changed).select_from(table.join(numbers, true())).where(*(k < STRIDE for k in keys))
        if table.name in _APART:
            of_town, of_village = (_among(table.c.id, each.get(table.name)) for each in (rows.town, rows.village))
            shared = _among(table.c.id, rows.shared.get(table.name))
            source = source.where(
                ~shared,
                (~of_town) | (n % self.a_town == 0),
                (~of_village) | (n % self.a_village == 0),
            )
        if (open_ones := _of_cases(table, rows.busy)) is not None:
            source = source.where((~open_ones) | (n % A_BUSY_ONE == 0))
        source = source.order_by(n, *keys)
        connection.execute(insert(table).from_select([each.name for each in table.c], source))

    # -- what lies where ----------------------------------------------------------------------------------------------

    def number_of(self, original: str, n: int) -> str:
        """Return the number of the n-th copy of a case."""
        with self.resources.database.read() as session:
            id_ = session.scalars(select(Case.id).where(Case.number == original)).one()
        return f"C{id_ + n * STRIDE}"

    def person_of(self, code: str, n: int) -> str:
        """Return the code of the n-th copy of a person."""
        of = {REVIEWER: self.a_town, PROVIDER: self.a_town, "P010": self.a_village}.get(code, 1)
        shift = n - n % of
        with self.resources.database.read() as session:
            id_ = session.scalars(select(Person.id).where(Person.code == code)).one()
        return f"P{id_ + shift * STRIDE}" if shift else code

    def households_of(self, group: str, n: int) -> list[str]:
        """Return the numbers of the households of the n-th copy of a group."""
        with self.resources.database.read() as session:
            query = select(Household.id).join(Unit).where(Unit.code == group).order_by(Household.number)
            return [f"H{id_ + n * STRIDE}" for id_ in session.scalars(query)]

    def town_of(self, n: int) -> str:
        """Return the code of the town of the n-th copy."""
        shift = n - n % self.a_town
        with self.resources.database.read() as session:
            id_ = session.scalars(select(Unit.id).where(Unit.code == "Z")).one()
        return f"U{id_ + shift * STRIDE}" if shift else "Z"

    def village_of(self, n: int) -> str:
        """Return the code of the village of the n-th copy."""
        shift = n - n % self.a_village
        with self.resources.database.read() as session:
            id_ = session.scalars(select(Unit.id).where(Unit.code == "ZD")).one()
        return f"U{id_ + shift * STRIDE}" if shift else "ZD"

    def site_of(self, n: int) -> str:
        """Return the number of the n-th copy of the parlour."""
        with self.resources.database.read() as session:
            id_ = session.scalars(select(Site.id).where(Site.number == self.site)).one()
        return f"x{id_ + n * STRIDE}"

    def busy(self) -> range:
        """Return the copies that have open cases."""
        return range(A_BUSY_ONE, self.copies + 1, A_BUSY_ONE)

    def settled(self) -> range:
        """Return the copies in towns that are whole."""
        return range(1, (self.copies + 1) // self.a_town * self.a_town)

    def put_off(self) -> None:
        """Let no open gate be due for years."""
        with self.resources.database.engine.begin() as connection:
            connection.execute(update(Timer).where(Timer.fired_at.is_(None)).values(fires_at=NOW + FAR))
            connection.execute(
                update(WorkItem)
                .where(WorkItem.status == WorkItemStatus.OPEN)
                .values(due_at=NOW + FAR, due_on=(NOW + FAR).date())
            )

    def let_letters_go(self) -> None:
        """Let every letter that waits have left: the whole district was asked for its themes at once."""
        with self.resources.database.engine.begin() as connection:
            queued = update(OutboxEntry).where(OutboxEntry.status == LetterStatus.QUEUED)
            connection.execute(queued.values(status=LetterStatus.SENT, sent_at=self.town.clock.now()))

    def make_due(self, count: int, *, at: datetime) -> None:
        """Let one reminder be due in so many of the open gates, others each time, spread over all of them."""
        copies = self.busy()[:-RESERVED]
        with self.resources.database.read() as session:
            timers = [
                session.scalars(
                    select(func.min(Timer.id))
                    .join(WorkItem, WorkItem.id == Timer.work_item_id)
                    .join(Case, Case.id == WorkItem.case_id)
                    .where(Case.number == number, Timer.kind == TimerKind.REMINDER, Timer.fired_at.is_(None))
                ).one()
                for number in (self.reviewed, self.signing)
            ]
        places = range(self.made_due, self.made_due + count)
        self.made_due += count
        ids = [
            timers[place % len(timers)] + copies[place // len(timers) * 7919 % len(copies)] * STRIDE for place in places
        ]
        with self.resources.database.engine.begin() as connection:
            connection.execute(update(Timer).where(Timer.id.in_(ids)).values(fires_at=at))


_LETTERS = {"cases": "C", "people": "P", "households": "H", "units": "U"}


def _copied(each: "Column[Any]", table: Table, rows: Rows, n: ColumnElement[int]) -> ColumnElement[Any]:
    """Return what stands in a column of the n-th copy."""
    if table.name == "cases" and each.name == "year":
        # A village lists one a year, as the quota wants it.
        return each - n % rows.a_village
    if each.foreign_keys:
        (reference,) = each.foreign_keys
        target = reference.column.table.name
        if target in _LEFT_ALONE:
            return each
        return each + _shift(each, target, rows, n)
    if each.primary_key:
        return each + _shift(each, table.name, rows, n)
    if each.name in _unique(table) and isinstance(each.type, String):
        named = table.c.id + _shift(table.c.id, table.name, rows, n)
        letter = _LETTERS.get(table.name, "x")
        short = (each.type.length or 0) <= 40
        return literal(letter).concat(text_of(named)) if short else each.concat(literal("~")).concat(text_of(n))
    return each


def _shift(value: ColumnElement[Any], table: str, rows: Rows, n: ColumnElement[int]) -> ColumnElement[int]:
    """Return how far a reference to a row of `table` moves."""
    cases: list[tuple[ColumnElement[bool], ColumnElement[Any]]] = []
    for known, shift in (
        (rows.town, (n - n % rows.a_town) * STRIDE),
        (rows.village, (n - n % rows.a_village) * STRIDE),
        (rows.shared, literal(0)),
    ):
        if known.get(table):
            cases.append((value.in_(known[table]), shift))
    block = n * STRIDE
    return choice(*cases, else_=block) if cases else block


def _among(value: ColumnElement[Any], ids: list[int] | None) -> ColumnElement[bool]:
    return value.in_(ids or [-1])


def _unique(table: Table) -> set[str]:
    single = {
        next(iter(each.columns)).name
        for each in table.constraints
        if isinstance(each, UniqueConstraint) and len(each.columns) == 1
    }
    return single | {each.name for each in table.c if each.unique}


def _of_cases(table: Table, cases: list[int]) -> ColumnElement[bool] | None:
    """Return whether a row belongs to one of these cases; None: rows of this table belong to none."""
    if table.name == "cases":
        return _among(table.c.id, cases)
    if "case_id" in table.c:
        return func.coalesce(table.c.case_id, 0).in_(cases)
    if "work_item_id" in table.c:
        items = cast("Table", WorkItem.__table__)
        return table.c.work_item_id.in_(select(items.c.id).where(items.c.id < STRIDE, items.c.case_id.in_(cases)))
    return None


def _filled(connection: Connection) -> list[Table]:
    """Return the tables that the original has rows in, in an order in which they can be filled."""
    return [
        table
        for table in Base.metadata.sorted_tables
        if connection.execute(select(literal(1)).select_from(table).limit(1)).first() is not None
    ]


def _set_sequences(connection: Connection) -> None:
    for table in Base.metadata.sorted_tables:
        if "id" in table.c and isinstance(table.c.id.type, Integer):
            last = (
                f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), (SELECT max(id) + 1 FROM {table.name}))"
            )
            connection.execute(text(last))
