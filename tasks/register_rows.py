"""What the registers have in common: which rows are wanted, and rows of which one can not be read."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Select
from sqlalchemy.orm import Session

from models.case import Case
from models.registry import Unit
from policies.errors import BadPolicy
from policies.vocabulary import UnitKind
from tasks.audit_rows import UNREADABLE, is_of_value, number_of, read_or
from tasks.register_book import Cell, Column

T = TypeVar("T")


@dataclass(frozen=True)
class Wanted:
    """Which rows of a register are wanted."""

    year: int | None = None
    """Calendar year of the row's first date, in Shanghai; None: every year."""
    village: str = ""
    """Code of a village, or of any unit: its rows and those of the units below it; empty: all."""
    open_only: bool = False
    """Only what is not finished."""

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return self.year is None and not self.village and not self.open_only


Row = Sequence[Cell]
Reader = Callable[[Session, Wanted, "frozenset[int] | None"], list[Row]]
"""Reads the rows of a register; the units are those of the wanted village, None: all."""


class Broken:
    """Stands beside a row for what belongs to it and can not be read."""


def rows_by(
    session: Session,
    query: Select[Any],
    table: type[Any],
    make: Callable[..., Row | None],
    *,
    columns: Sequence[Column],
) -> list[Row]:
    """
    Return the rows of a register; what can not be read has a row that says so, and keeps no other from the register.

    Args:
        query: selects what `make` takes, `table` and `Case` among it, in order.
        make: returns the row, None when it is not wanted.
        columns: of the register.
    """
    rows: list[Row] = []
    for case_id, read in _each(session, query, table):
        try:
            row = make(*read())
            if row is not None:
                rows.append(check_cells(row, columns))
        except (BadPolicy, *UNREADABLE) as error:
            if not is_of_value(error):
                raise
            rows.append(unreadable_row(number_of(session, case_id), columns))
    return rows


def unreadable_row(number: str, columns: Sequence[Column]) -> Row:
    """Return the row of what can not be read: the case's number, and at the end what to do."""
    told = f"记录无法读取,已被改动;请运行 ketang audit verify {number},查明是哪张表哪一列"
    return (number, *[None] * (len(columns) - 2), told)


def check_cells(row: Row, columns: Sequence[Column]) -> Row:
    """Return the row; TypeError when a cell can not stand in its column: SQLite keeps anything in any column."""
    for cell, column in zip(row, columns, strict=True):
        if cell is not None and not isinstance(cell, column.takes):
            raise TypeError(f"{cell!r} is nothing for the column {column.head}")
    return row


def beside(session: Session, query: Select[Any], table: type[Any]) -> Sequence[tuple[int, Any]]:
    """
    Return what belongs to the rows of a register; `Broken` for what can not be read, which keeps nothing else out.

    Where not even that can be read to what it belongs, the number is 0.

    Args:
        query: selects the number of what it belongs to, and what is wanted of `table`.
        table: what is read; has an id.
    """

    def one(row_id: int) -> tuple[int, Any]:
        alone = query.where(table.id == row_id)
        owner = alone.with_only_columns(query.selected_columns[0])
        return read_or(
            lambda: session.execute(alone).tuples().one(),
            lambda: (read_or(lambda: session.scalars(owner).one(), lambda: 0), Broken()),
        )

    def one_by_one() -> Sequence[tuple[int, Any]]:
        return [one(each) for each in session.scalars(query.with_only_columns(table.id)).all()]

    return read_or(lambda: session.execute(query).tuples().all(), one_by_one)


def readable(found: T | Broken | None) -> T | None:
    """Return what was found beside a row; TypeError when it can not be read: then neither can the row."""
    if isinstance(found, Broken):
        raise TypeError("what belongs to this row can not be read")
    return found


def _each(session: Session, query: Select[Any], table: type[Any]) -> Iterator[tuple[int, Callable[[], Iterable[Any]]]]:
    """Yield, row by row, the number of its case and what reads it; all are read at once, unless one can not be."""
    found: Sequence[Any] | None = read_or(lambda: session.execute(query).all(), lambda: None)
    if found is not None:
        place = next(n for n, each in enumerate(query.column_descriptions) if each["entity"] is Case)
        for each in found:
            yield each[place].id, partial(iter, each)
        return
    for row_id, case_id in session.execute(query.with_only_columns(table.id, Case.id)).all():
        yield case_id, partial(_one, session, query.where(table.id == row_id))


def _one(session: Session, query: Select[Any]) -> Iterable[Any]:
    return session.execute(query).one()


def fits(wanted: Wanted, first: date, *, is_open: bool) -> bool:
    """Return whether a row is wanted, by its first date and by whether it is finished."""
    return wanted.year in (None, first.year) and (is_open or not wanted.open_only)


def within(units: frozenset[int] | None, cases: Iterable[Case]) -> bool:
    """Return whether one of the cases is one of the units'; None: every unit's."""
    return units is None or any({case.unit_id, case.village_id} & units for case in cases)


def village_of(unit: Unit) -> str:
    """Return the name of the village of a unit; of one above all villages, its own."""
    return next((each.name for each in unit.lineage() if each.kind is UnitKind.VILLAGE), unit.name)
