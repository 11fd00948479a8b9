"""
The registry's way into the database.

Called by the CLI and by the start of the stack. An import is one transaction; what a later file leaves out stays.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, text, update
from sqlalchemy.orm import Session, aliased

from models.base import Base
from models.engine import Database
from models.registry import Household, Person, RoleHolding, Unit
from policies.vocabulary import UnitKind
from rules.periods import SHANGHAI
from tasks.registry_check import Entries, Known, KnownUnit, checked
from tasks.registry_form import HOLDINGS, HOUSEHOLDS, PEOPLE, UNITS, RegistryFaults
from tasks.registry_sheet import read_workbook

__all__ = ["Counts", "ImportReport", "RegistryFaults", "import_registry"]


@dataclass(frozen=True)
class Counts:
    """What an import did to one sheet's rows."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0


@dataclass(frozen=True)
class ImportReport:
    """What an import did."""

    sheets: Mapping[str, Counts]
    """By sheet, in the workbook's order."""

    @property
    def added(self) -> int:
        """Rows that were not known before."""
        return sum(counts.added for counts in self.sheets.values())

    @property
    def changed(self) -> int:
        """Rows that were known and said something else."""
        return sum(counts.changed for counts in self.sheets.values())

    @property
    def unchanged(self) -> int:
        """Rows that said what was known."""
        return sum(counts.unchanged for counts in self.sheets.values())


def import_registry(db: Database, path: Path, *, at: datetime, editions: Collection[str] | None = None) -> ImportReport:
    """
    Bring a registry from a workbook (or a folder of CSV files) into the database.

    Rows are matched by their code; a matched row says all about its unit, household, person or holding, so a blank
    cell clears what stood there. What the file leaves out stays as it is. Safe to repeat because a row that says
    what is known changes nothing.

    Args:
        db: the business database.
        path: XLSX workbook, or folder with the four CSV files.
        at: the moment; nobody is born after its day.
        editions: ids of the policies at hand; None: a town's policy is not checked.

    Raises:
        RegistryFaults: something in it is wrong; all of it is listed and nothing was changed.
    """
    sheets = read_workbook(path)
    with db.write() as session:
        _alone(session)
        entries = checked(sheets, known=_known(session), editions=editions, today=at.astimezone(SHANGHAI).date())
        if entries.faults:
            raise RegistryFaults(entries.faults)
        return ImportReport(
            {
                UNITS: _bring_units(session, entries),
                HOUSEHOLDS: _bring_households(session, entries),
                PEOPLE: _bring_people(session, entries),
                HOLDINGS: _bring_holdings(session, entries),
            }
        )


def _alone(session: Session) -> None:
    # On SQLite the write transaction is alone already; on PostgreSQL two imports would add the same code twice.
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE units, households, people, role_holdings IN SHARE ROW EXCLUSIVE MODE"))


def _known(session: Session) -> Known:
    above = aliased(Unit)
    units = session.execute(select(Unit.code, Unit.kind, above.code).outerjoin(above, Unit.parent_id == above.id))
    return Known(
        units={code: KnownUnit(kind, parent) for code, kind, parent in units},
        people=set(session.scalars(select(Person.code))),
    )


def _ids(session: Session, table: type[Unit] | type[Person]) -> dict[str, int]:
    return {row.code: row.id for row in session.execute(select(table.code, table.id))}


def _bring_units(session: Session, entries: Entries) -> Counts:
    total = Counts()
    # Level by level, because a unit needs its parent's id.
    for kind in UnitKind:
        ids = _ids(session, Unit)
        wanted = {
            (entry.code,): {
                "name": entry.name,
                "kind": kind,
                "parent_id": None if entry.parent is None else ids[entry.parent],
                "beautiful_village": entry.grade,
                "edition_id": entry.edition,
            }
            for entry in entries.units
            if entry.kind is kind
        }
        counts = _upsert(session, Unit, ("code",), wanted)
        total = Counts(total.added + counts.added, total.changed + counts.changed, total.unchanged + counts.unchanged)
    return total


def _bring_households(session: Session, entries: Entries) -> Counts:
    groups = _ids(session, Unit)
    wanted = {
        (entry.number,): {
            "group_id": groups[entry.group],
            "head_name": entry.head_name,
            "address": entry.address,
            "phone": entry.phone,
            "id_number": entry.id_number,
            "email": entry.email,
            "active": entry.active,
        }
        for entry in entries.households
    }
    return _upsert(session, Household, ("number",), wanted)


def _bring_people(session: Session, entries: Entries) -> Counts:
    wanted = {
        (entry.code,): {
            "name": entry.name,
            "phone": entry.phone,
            "id_number": entry.id_number,
            "email": entry.email,
            "active": entry.active,
        }
        for entry in entries.people
    }
    return _upsert(session, Person, ("code",), wanted)


def _bring_holdings(session: Session, entries: Entries) -> Counts:
    units, people = _ids(session, Unit), _ids(session, Person)
    wanted = {
        (people[entry.person], entry.role, units[entry.unit]): {"since": entry.since, "until": entry.until}
        for entry in entries.holdings
    }
    return _upsert(session, RoleHolding, ("person_id", "role", "unit_id"), wanted)


def _upsert(
    session: Session, table: type[Base], key: Sequence[str], wanted: Mapping[tuple[Any, ...], Mapping[str, Any]]
) -> Counts:
    """
    Add or change rows of `table`, matched by the columns `key`, in three statements whatever their number.

    Args:
        session: inside a write transaction.
        table: the model.
        key: columns that are unique together.
        wanted: key values → the other columns' values.
    """
    if not wanted:
        return Counts()
    columns = list(next(iter(wanted.values())))
    chosen = [getattr(table, name) for name in ("id", *key, *columns)]
    present = {tuple(row[1 : 1 + len(key)]): row for row in session.execute(select(*chosen))}
    added: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for values, content in wanted.items():
        row = present.get(values)
        if row is None:
            added.append({**dict(zip(key, values, strict=True)), **content})
        elif tuple(row[1 + len(key) :]) != tuple(content.values()):
            changed.append({"id": row[0], **content})
    if added:
        session.execute(insert(table), added)
    if changed:
        session.execute(update(table), changed)
    return Counts(len(added), len(changed), len(wanted) - len(added) - len(changed))
