"""The registry as people look at it: the tree of units with its counts; personal numbers masked."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.engine import Database
from models.registry import Household, Person, RoleHolding, Unit, held_on
from policies.errors import Refused
from policies.vocabulary import BeautifulVillage, Role, UnitKind
from rules.masking import mask_phone, mask_text
from rules.periods import SHANGHAI
from tasks.registry_form import CLAUSE


@dataclass(frozen=True)
class Holder:
    """A person in a role, the telephone masked."""

    role: Role
    code: str
    name: str
    phone: str
    has_email: bool


@dataclass(frozen=True)
class HouseholdLine:
    """A household on the register, the telephone masked."""

    number: str
    head_name: str
    address: str
    phone: str
    has_email: bool


@dataclass(frozen=True)
class Node:
    """A unit with all below it."""

    code: str
    name: str
    kind: UnitKind
    grade: BeautifulVillage
    edition: str | None
    groups: int
    """Groups in it; of a group: 1."""
    households: int
    """Households on its register, struck off ones not counted."""
    holders: Sequence[Holder]
    register: Sequence[HouseholdLine]
    """Of a group, when one village was asked for."""
    below: Sequence["Node"]


def outline(db: Database, *, at: datetime, village: str | None = None) -> list[Node]:
    """
    Return the units as trees, with counts and with those who hold a role at the moment.

    Args:
        db: the business database.
        at: the moment whose role holders are shown.
        village: code of a village: only this one, with the households of its groups.

    Raises:
        Refused: there is no such village.
    """
    day = at.astimezone(SHANGHAI).date()
    with db.read() as session:
        units = session.execute(
            select(
                Unit.id, Unit.parent_id, Unit.code, Unit.name, Unit.kind, Unit.beautiful_village, Unit.edition_id
            ).order_by(Unit.code)
        ).all()
        counted = session.execute(
            select(Household.group_id, func.count().label("size")).where(Household.active).group_by(Household.group_id)
        )
        households = {row.group_id: row.size for row in counted}
        holders: dict[int, list[Holder]] = defaultdict(list)
        for unit, role, code, name, phone, email in session.execute(
            select(RoleHolding.unit_id, RoleHolding.role, Person.code, Person.name, Person.phone, Person.email)
            .join(Person, RoleHolding.person_id == Person.id)
            .where(Person.active, held_on(day))
            .order_by(Person.code)
        ):
            holders[unit].append(Holder(role, code, name, mask_phone(phone or ""), email is not None))
        villages = {row.code: row.id for row in units if row.kind is UnitKind.VILLAGE}
        wanted = None if village is None else _one_of(villages, village)
        register = {} if wanted is None else _register(session, wanted)

    below: dict[int | None, list[int]] = defaultdict(list)
    rows = {row.id: row for row in units}
    for row in units:
        below[row.parent_id].append(row.id)
    ranks = {role: rank for rank, role in enumerate(Role)}

    def node(key: int) -> Node:
        row = rows[key]
        nodes = [node(each) for each in below[key]]
        is_group = row.kind is UnitKind.GROUP
        return Node(
            code=row.code,
            name=row.name,
            kind=row.kind,
            grade=row.beautiful_village,
            edition=row.edition_id,
            groups=1 if is_group else sum(each.groups for each in nodes),
            households=households.get(key, 0) + sum(each.households for each in nodes),
            holders=sorted(holders[key], key=lambda holder: ranks[holder.role]),
            register=register.get(key, ()),
            below=nodes,
        )

    return [node(key) for key in (below[None] if wanted is None else [wanted])]


def _one_of(villages: Mapping[str, int], code: str) -> int:
    found = villages.get(code.strip().upper())
    if found is None:
        at_hand = "、".join(villages) or "一个也没有"
        raise Refused(CLAUSE, f"没有编码为 {mask_text(code)} 的村(居);现有:{at_hand};请改正编码")
    return found


def _register(session: Session, village_id: int) -> dict[int, list[HouseholdLine]]:
    lines: dict[int, list[HouseholdLine]] = defaultdict(list)
    for group, number, head, address, phone, email in session.execute(
        select(
            Household.group_id,
            Household.number,
            Household.head_name,
            Household.address,
            Household.phone,
            Household.email,
        )
        .join(Unit, Household.group_id == Unit.id)
        .where(Unit.parent_id == village_id, Household.active)
        .order_by(Household.number)
    ):
        lines[group].append(HouseholdLine(number, head, address, mask_phone(phone or ""), email is not None))
    return lines
