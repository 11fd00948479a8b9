"""What the registers have in common: which rows are wanted, and rows of which one can not be read."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import Session

from models.case import Case
from models.registry import Unit
from policies.errors import BadPolicy
from policies.vocabulary import UnitKind
from tasks.audit_rows import UNREADABLE, is_of_value, number_of
from tasks.register_book import Cell


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


def rows_by(
    session: Session, query: Select[Any], table: type[Any], make: Callable[..., Row | None], *, width: int
) -> list[Row]:
    """
    Return the rows of a register; what can not be read has a row that says so, and keeps no other from the register.

    Args:
        query: selects what `make` takes, `table` and `Case` among it, in order.
        make: returns the row, None when it is not wanted.
        width: how many columns there are.
    """
    try:
        return [row for each in session.execute(query) if (row := make(*each)) is not None]
    except (BadPolicy, *UNREADABLE) as error:
        if not is_of_value(error):
            raise
    rows: list[Row] = []
    for row_id, case_id in session.execute(query.with_only_columns(table.id, Case.id)).all():
        try:
            row = make(*session.execute(query.where(table.id == row_id)).one())
        except (BadPolicy, *UNREADABLE) as error:
            if not is_of_value(error):
                raise
            number = number_of(session, case_id)
            told = f"记录无法读取,已被改动;请运行 ketang audit verify {number},查明是哪张表哪一列"
            row = (number, *[None] * (width - 2), told)
        if row is not None:
            rows.append(row)
    return rows


def fits(wanted: Wanted, first: date, *, is_open: bool) -> bool:
    """Return whether a row is wanted, by its first date and by whether it is finished."""
    return wanted.year in (None, first.year) and (is_open or not wanted.open_only)


def within(units: frozenset[int] | None, cases: Iterable[Case]) -> bool:
    """Return whether one of the cases is one of the units'; None: every unit's."""
    return units is None or any({case.unit_id, case.village_id} & units for case in cases)


def village_of(unit: Unit) -> str:
    """Return the name of the village of a unit; of one above all villages, its own."""
    return next((each.name for each in unit.lineage() if each.kind is UnitKind.VILLAGE), unit.name)
