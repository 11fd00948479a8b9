"""
Many rows given to one statement: as one JSON text, which the database reads as a table.

`executemany` asks the server once a row, and SQLAlchemy prepares the values of each; for hundreds of rows both cost
more than what the database then does.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Text,
    bindparam,
    cast,
    column,
    func,
    literal_column,
    select,
)
from sqlalchemy.types import TypeEngine

GIVEN = "given"
"""The statement's parameter that takes the rows, as `given` writes them."""
COUNT = "given_count"


class GivenRows:
    """
    The given rows, as something to select from.

    Args:
        dialect: ``sqlite`` or ``postgresql``.
        numbers: columns that are whole numbers.
        texts: columns that are text. Other types differ between JSON and the databases, so they are not given this way.
    """

    def __init__(self, dialect: str, *, numbers: Sequence[str], texts: Sequence[str] = ()) -> None:
        self.names = (*numbers, *texts)
        kinds: dict[str, TypeEngine[Any]] = {name: Integer() for name in numbers} | {name: Text() for name in texts}
        rows = bindparam(GIVEN, type_=Text())
        self.table: FromClause
        self.columns: dict[str, ColumnElement[Any]]
        if dialect == "postgresql":
            self.table = (
                func.json_to_recordset(cast(rows, JSON))
                .table_valued(*(column(name, kind) for name, kind in kinds.items()))
                .render_derived(name=GIVEN, with_types=True)
            )
            self.columns = {name: self.table.c[name] for name in self.names}
        else:
            self.table = func.json_each(rows).table_valued(column("value", Text()), name=GIVEN)
            self.columns = {
                name: func.json_extract(self.table.c.value, literal_column(f"'$.{name}'"), type_=kind)
                for name, kind in kinds.items()
            }


def given(rows: Sequence[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """Return the parameters of a statement over `GivenRows`: the rows, and what is the same for all of them."""
    return {GIVEN: json.dumps(rows, ensure_ascii=False), **more}


def given_ids(dialect: str) -> Select[tuple[int]]:
    """Return the ids given by `given_as_ids`, to ask for what is among them."""
    rows = GivenRows(dialect, numbers=("id",))
    # How many, or PostgreSQL supposes a hundred, and ten times as many in what a recursive question comes to.
    return select(rows.columns["id"]).select_from(rows.table).limit(bindparam(COUNT, type_=Integer()))


def given_as_ids(ids: Iterable[int], **more: Any) -> dict[str, Any]:
    """Return the parameters of a statement over `given_ids`."""
    rows = [{"id": each} for each in ids]
    return given(rows, **{COUNT: len(rows)}, **more)
