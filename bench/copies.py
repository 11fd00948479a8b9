"""One row many times over, by INSERT … SELECT: for tables of a size that no office has reached yet."""

from typing import Any, cast

from sqlalchemy import ColumnElement, String, Table, insert, literal, select, true
from sqlalchemy import cast as sql_cast
from sqlalchemy.engine import Connection


def series(last: int, *, first: int = 1) -> Any:
    """Return the numbers from `first` to `last`, in the column ``n``."""
    numbers = select(literal(first).label("n")).cte("numbers", recursive=True)
    return numbers.union_all(select(numbers.c.n + 1).where(numbers.c.n < last))


def text_of(number: Any) -> ColumnElement[str]:
    """Return a number as text."""
    return sql_cast(number, String(12))


def clone(
    connection: Connection, model: Any, id_: int, numbers: Any, changes: dict[str, Any], *, where: Any = None
) -> None:
    """Copy one row once for each number, with some columns changed."""
    table = cast("Table", model.__table__)
    copied = (
        select(*(changes.get(each.name, each) for each in table.c))
        .select_from(table.join(numbers, true()))
        .where(table.c.id == id_)
    )
    if where is not None:
        copied = copied.where(where)
    connection.execute(insert(table).from_select([each.name for each in table.c], copied))
