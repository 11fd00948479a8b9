"""
Which rows belong to a case, found by the foreign keys of the tables; and these rows as JSON and back.

Used by everything about archives. A row belongs to a case by its own required ``case_id``, else by the first required
foreign key to a table whose rows belong to cases, else by a ``case_id`` that may be empty.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import Column, Date, Enum, LargeBinary, Numeric, Table, select
from sqlalchemy.orm import Session

from models import Base
from models.base import Instant, canonical
from tasks.sealed_rows import json_of

Row = dict[str, Any]
"""Columns by name, JSON values."""
Rows = dict[str, list[Row]]
"""Rows by table, each table's in the order of its key."""

SHARED = (
    "units",
    "households",
    "people",
    "editions",
    "publicity_items",
    "providers",
    "service_items",
)
"""Tables whose rows belong to all; what a case refers to is told beside it."""
APART = {
    "role_holdings": "who held which role when stays in the registry",
    "case_counters": "the last number given",
    "duty_rounds": "what the office did about a town's duties, which no case tells",
    "sweep_beats": "the sweep's last pass",
    "archived_cases": "the record of the archives themselves",
}
"""Tables that are no part of any case, and why."""
GOES = ("history", "outbox", "asks", "timers", "rows_handed_in", "consents")
"""What leaves the database when its case is archived; all else is what figures, registers and papers are made of."""
ENGINE = ("flow_run_id", "run_attempt", "run_requested_at", "run_checked_at")
"""Columns of a case that are the engine's own: no part of the records."""
PAGES = ("changed_seq", "page_seq")
"""Columns of a notice that say how far its page is written."""
_LEFT_OUT = {"cases": ENGINE, "notices": PAGES}
_PERSONAL = "personal:"
_MOST_BOUND = 500


@cache
def owners() -> Mapping[str, Column[Any]]:
    """Return by table the column through which its rows belong to a case, in an order in which they can be read."""
    found: dict[str, Column[Any]] = {}
    belonging = {"cases"}
    for table in Base.metadata.sorted_tables:
        if table.name in APART or table.name in belonging:
            continue
        keys = [
            column for column in table.columns if any(key.column.table.name in belonging for key in column.foreign_keys)
        ]
        own = [column for column in keys if column.name == "case_id"]
        column = next((each for each in (*own, *keys) if not each.nullable), own[0] if own else None)
        if column is not None:
            found[table.name] = column
            belonging.add(table.name)
    return found


@cache
def schema() -> str:
    """Return a fingerprint of the tables whose rows are archived: another one means that rows may not fit these."""
    told = [
        [name, column.name, type(column.type).__name__, column.nullable, getattr(column.type, "enums", [])]
        for name in sorted({"cases", *owners(), *SHARED})
        for column in Base.metadata.tables[name].columns
    ]
    return hashlib.sha256(canonical(told).encode()).hexdigest()


def rows_by_case(session: Session, case_ids: Sequence[int]) -> dict[int, Rows]:
    """
    Return everything that belongs to some cases.

    Args:
        session: a consistent view.
        case_ids: a few hundred at the most; all their rows are in memory.
    """
    tables = Base.metadata.tables
    places: dict[str, dict[int, int]] = {"cases": {each: each for each in case_ids}}
    found: dict[int, Rows] = {each: {} for each in case_ids}
    for name, column in [("cases", tables["cases"].c.id), *owners().items()]:
        (above,) = (
            ["cases"]
            if name == "cases"
            else [key.column.table.name for key in column.foreign_keys if key.column.table.name in places]
        )
        mine = places.setdefault(name, {})
        for row in _read(session, tables[name], column, list(places[above])):
            case_id = places[above][row[column.name]]
            if "id" in row:
                mine[row["id"]] = case_id
            found[case_id].setdefault(name, []).append(as_json(tables[name], row))
    return found


def _read(session: Session, table: Table, column: Column[Any], ids: list[int]) -> Iterator[Row]:
    for start in range(0, len(ids), _MOST_BOUND):
        query = select(table).where(column.in_(ids[start : start + _MOST_BOUND])).order_by(*table.primary_key.columns)
        for row in session.execute(query).mappings():
            yield dict(row)


def referred(session: Session, tables: Rows) -> Rows:
    """
    Return what the rows of a case refer to: people, households and units by name, other cases by number.

    Nothing personal is in it, and no address.
    """
    wanted: dict[str, set[Any]] = defaultdict(set)
    metadata = Base.metadata.tables
    for name, rows in tables.items():
        _note(metadata[name], rows, wanted)
    known = {row["id"] for row in tables["cases"]}
    found: Rows = {}
    # In this order, because an item refers to its provider, a household to its group.
    for name in ("service_items", "providers", "publicity_items", "households", "people", "units", "editions"):
        table = metadata[name]
        key = next(iter(table.primary_key.columns))
        rows = [as_json(table, row) for row in _read(session, table, key, sorted(wanted[name]))]
        _note(table, rows, wanted)
        found[name] = rows
    units, known_units = metadata["units"], {row["id"] for row in found["units"]}
    while above := sorted({row["parent_id"] for row in found["units"]} - known_units - {None}):
        found["units"] += [as_json(units, row) for row in _read(session, units, units.c.id, above)]
        known_units.update(above)
    cases = metadata["cases"]
    others = sorted(wanted["cases"] - known)
    found["cases"] = [
        {"id": row["id"], "number": row["number"], "title": row["title"]}
        for row in _read(session, cases, cases.c.id, others)
    ]
    return {name: rows for name, rows in found.items() if rows}


def _note(table: Table, rows: Sequence[Row], wanted: Mapping[str, set[Any]]) -> None:
    for column in table.columns:
        for key in column.foreign_keys:
            name = key.column.table.name
            if name in SHARED or name == "cases":
                wanted[name].update(row[column.name] for row in rows if row[column.name] is not None)


def as_json(table: Table, row: Mapping[str, Any]) -> Row:
    """Return a row as JSON values; of a shared row nothing personal, of an edition not its text."""
    return {
        column.name: json_of(row[column.name])
        for column in table.columns
        if column.name not in _LEFT_OUT.get(table.name, ()) and not _left_out(table, column)
    }


def _left_out(table: Table, column: Column[Any]) -> bool:
    if isinstance(column.type, LargeBinary):
        return True  # the text of an edition has a member of its own
    return table.name in SHARED and (
        (column.comment or "").startswith(_PERSONAL) or column.name in ("email", "address")
    )


def from_json(table: Table, row: Row) -> Row:
    """
    Return a row as the database takes it.

    Raises:
        ValueError: a value that is none of its column; LookupError: a column that the table does not have.
    """
    found: Row = {}
    for name, value in row.items():
        kind = table.columns[name].type
        if value is None:
            found[name] = None
        elif isinstance(kind, Instant):
            found[name] = datetime.fromisoformat(value)
        elif isinstance(kind, Date):
            found[name] = date.fromisoformat(value)
        elif isinstance(kind, Numeric):
            found[name] = Decimal(value)
        elif isinstance(kind, Enum) and kind.enum_class is not None:
            found[name] = kind.enum_class(value)
        else:
            found[name] = value
    return found
