"""Writing the registry out of the database, as a workbook that the import reads again."""

from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from models.engine import Database
from models.registry import Household, Person, RoleHolding, Unit
from policies.vocabulary import UnitKind
from rules.masking import mask_id, mask_phone
from tasks.registry_book import write_workbook
from tasks.registry_cells import Cell
from tasks.registry_form import HOLDINGS, HOUSEHOLDS, PEOPLE, UNITS, mask_email


def export_registry(db: Database, path: Path, *, with_personal: bool) -> None:
    """
    Write the registry as a workbook that the import reads.

    Args:
        db: the business database.
        path: the workbook to write; only its owner may read it when it holds personal numbers.
        with_personal: telephone, identity number and e-mail whole; otherwise masked, and the import refuses them,
            so that a masked copy never overwrites the true numbers.

    Raises:
        Refused: there is such a file.
    """
    with db.read() as session:
        rows = {
            UNITS: _unit_rows(session),
            HOUSEHOLDS: _household_rows(session, with_personal=with_personal),
            PEOPLE: _people_rows(session, with_personal=with_personal),
            HOLDINGS: _holding_rows(session),
        }
    write_workbook(path, rows, private=with_personal)


def _unit_rows(session: Session) -> list[list[Cell]]:
    above = aliased(Unit)
    found = session.execute(
        select(Unit.code, Unit.name, Unit.kind, above.code, Unit.beautiful_village, Unit.edition_id)
        .outerjoin(above, Unit.parent_id == above.id)
        .order_by(Unit.code)
    ).all()
    levels = list(UnitKind)
    return [
        [code, name, kind.label, parent, grade.label if kind is UnitKind.GROUP else None, edition]
        for code, name, kind, parent, grade, edition in sorted(found, key=lambda row: levels.index(row[2]))
    ]


def _personal(phone: str | None, id_number: str | None, email: str | None, *, whole: bool) -> list[Cell]:
    if whole:
        return [phone, id_number, email]
    return [phone and mask_phone(phone), id_number and mask_id(id_number), email and mask_email(email)]


def _yes_no(value: bool) -> str:
    return "是" if value else "否"


def _household_rows(session: Session, *, with_personal: bool) -> list[list[Cell]]:
    found = session.execute(
        select(
            Household.number,
            Unit.code,
            Household.head_name,
            Household.address,
            Household.phone,
            Household.id_number,
            Household.email,
            Household.active,
        )
        .join(Unit, Household.group_id == Unit.id)
        .order_by(Household.number)
    )
    return [
        [number, group, head, address, *_personal(phone, id_number, email, whole=with_personal), _yes_no(active)]
        for number, group, head, address, phone, id_number, email, active in found
    ]


def _people_rows(session: Session, *, with_personal: bool) -> list[list[Cell]]:
    found = session.execute(
        select(Person.code, Person.name, Person.phone, Person.id_number, Person.email, Person.active).order_by(
            Person.code
        )
    )
    return [
        [code, name, *_personal(phone, id_number, email, whole=with_personal), _yes_no(active)]
        for code, name, phone, id_number, email, active in found
    ]


def _holding_rows(session: Session) -> list[list[Cell]]:
    found = session.execute(
        select(Person.code, RoleHolding.role, Unit.code, RoleHolding.since, RoleHolding.until)
        .join(Person, RoleHolding.person_id == Person.id)
        .join(Unit, RoleHolding.unit_id == Unit.id)
        .order_by(Person.code, Unit.code, RoleHolding.role)
    )
    return [[person, role.label, unit, since, until] for person, role, unit, since, until in found]
