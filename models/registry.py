"""The registry: units from district to group, households, people and the roles they hold."""

from collections.abc import Iterator
from datetime import date

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Date,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    and_,
    bindparam,
    literal,
    select,
)
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from models.base import Base, Key, Short, one_of, word_type
from policies.vocabulary import BeautifulVillage, Role, UnitKind


class Unit(Base):
    """A district, town, village or group."""

    __tablename__ = "units"
    __table_args__ = (
        UniqueConstraint("code"),
        one_of("has_parent", "kind IN ('district', 'town') OR parent_id IS NOT NULL"),
        Index("ix_units_kind", "kind", "code"),
        Index("ix_units_name", "name"),
    )

    id: Mapped[Key]
    code: Mapped[str] = mapped_column(String(20), comment="the office's own code, letters and digits")
    kind: Mapped[UnitKind] = mapped_column(word_type(UnitKind))
    name: Mapped[Short]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"), index=True)
    beautiful_village: Mapped[BeautifulVillage] = mapped_column(
        word_type(BeautifulVillage), default=BeautifulVillage.NONE, comment="of a group; D0-R5"
    )
    edition_id: Mapped[str | None] = mapped_column(
        String(60), comment="of a town: the edition by which new cases are opened"
    )
    parent: Mapped["Unit | None"] = relationship(remote_side="Unit.id", lazy="joined", join_depth=3)

    def lineage(self) -> list["Unit"]:
        """Return this unit and all above it, nearest first."""
        return list(self._upwards())

    def above(self, kind: UnitKind) -> "Unit":
        """Return the unit of `kind` in this unit's lineage; LookupError when there is none."""
        for unit in self._upwards():
            if unit.kind is kind:
                return unit
        raise LookupError(f"{self.code} has no {kind} above it")

    def _upwards(self) -> Iterator["Unit"]:
        # No further than asked for: what a unit comes loaded with ends at its town.
        unit: Unit | None = self
        while unit is not None:
            yield unit
            unit = unit.parent


class Household(Base):
    """A household (户) of a group's register."""

    __tablename__ = "households"
    __table_args__ = (UniqueConstraint("number"), Index("ix_households_group", "group_id"))

    id: Mapped[Key]
    number: Mapped[str] = mapped_column(String(30), comment="household number on the office's register")
    group_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    head_name: Mapped[Short]
    address: Mapped[str] = mapped_column(String(200), default="")
    phone: Mapped[str | None] = mapped_column(String(20), comment="personal: never leaves the database whole")
    id_number: Mapped[str | None] = mapped_column(String(18), comment="personal: never leaves the database whole")
    email: Mapped[str | None] = mapped_column(String(254))
    active: Mapped[bool] = mapped_column(default=True, comment="false: struck off the register")
    group: Mapped[Unit] = relationship(lazy="joined")


class Person(Base):
    """Somebody who decides, leads or is told."""

    __tablename__ = "people"
    __table_args__ = (UniqueConstraint("code"),)

    id: Mapped[Key]
    code: Mapped[str] = mapped_column(String(20), comment="the office's own code")
    name: Mapped[Short]
    phone: Mapped[str | None] = mapped_column(String(20), comment="personal: never leaves the database whole")
    id_number: Mapped[str | None] = mapped_column(String(18), comment="personal: never leaves the database whole")
    email: Mapped[str | None] = mapped_column(String(254))
    active: Mapped[bool] = mapped_column(default=True)
    holdings: Mapped[list["RoleHolding"]] = relationship(back_populates="person")

    @property
    def display(self) -> str:
        """Name and code, as forms and records show a person."""
        return f"{self.name}({self.code})"


class RoleHolding(Base):
    """A person holds a role for a unit, half-open `[since, until)`."""

    __tablename__ = "role_holdings"
    __table_args__ = (
        UniqueConstraint("person_id", "role", "unit_id"),
        one_of("ordered", "until IS NULL OR until > since"),
        Index("ix_role_holdings_unit_role", "unit_id", "role"),
    )

    id: Mapped[Key]
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    role: Mapped[Role] = mapped_column(word_type(Role))
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    since: Mapped[date] = mapped_column(Date)
    until: Mapped[date | None] = mapped_column(Date)
    person: Mapped[Person] = relationship(back_populates="holdings")
    unit: Mapped[Unit] = relationship()


def held_on(day: date | BindParameter[date]) -> ColumnElement[bool]:
    """Return the condition that a role is held on that day."""
    return and_(RoleHolding.since <= day, RoleHolding.until.is_(None) | (RoleHolding.until > day))


_LINE = (
    select(Unit.id, Unit.parent_id, literal(0).label("distance"))
    .where(Unit.id == bindparam("unit"))
    .cte("line", recursive=True)
)
_UP = Unit.__table__.alias("up")
_LINE = _LINE.union_all(
    select(_UP.c.id, _UP.c.parent_id, _LINE.c.distance + 1).join(_LINE, _UP.c.id == _LINE.c.parent_id)
)
_DISTANCE = select(_LINE.c.distance).where(_LINE.c.id == RoleHolding.unit_id).scalar_subquery().label("distance")
_HOLDERS = (
    select(_DISTANCE, Person)
    .join(RoleHolding, RoleHolding.person_id == Person.id)
    .where(
        # Not a join with the line: for one, SQLite reads through all holdings and all people to make Bloom filters.
        RoleHolding.unit_id.in_(select(_LINE.c.id)),
        RoleHolding.role == bindparam("role"),
        held_on(bindparam("day")),
        Person.active,
    )
    .order_by(_DISTANCE, Person.code)
)


def holders(session: Session, *, role: Role, unit_id: int, on: date) -> list[Person]:
    """Return the active people who hold `role` on `on` for that unit or the nearest unit above it that has holders."""
    found = session.execute(_HOLDERS, {"role": role, "unit": unit_id, "day": on}).all()
    return [row.Person for row in found if row.distance == found[0].distance]


_BENEATH = select(Unit.id).where(Unit.id == bindparam("unit")).cte("beneath", recursive=True)
_BENEATH = _BENEATH.union(select(Unit.id).join(_BENEATH, Unit.parent_id == _BENEATH.c.id))
_BELOW = select(_BENEATH.c.id)
_HOLDERS_BELOW = (
    select(Person)
    .where(
        Person.id.in_(
            select(RoleHolding.person_id).where(
                RoleHolding.role == bindparam("role"),
                RoleHolding.unit_id.in_(_BELOW),
                held_on(bindparam("day")),
            )
        ),
        Person.active,
    )
    .order_by(Person.code)
)


def below(session: Session, unit: Unit) -> list[int]:
    """Return the ids of a unit and of all units beneath it, in no order."""
    return list(session.scalars(_BELOW, {"unit": unit.id}))


def holders_below(session: Session, role: Role, unit: Unit, *, on: date) -> list[Person]:
    """Return the active people who hold `role` on `on` for `unit` or a unit beneath it, by their code, each once."""
    return list(session.scalars(_HOLDERS_BELOW, {"role": role, "unit": unit.id, "day": on}))


def register(session: Session, group_id: int) -> list[Household]:
    """Return the active households of a group, by number."""
    return list(
        session.scalars(
            select(Household).where(Household.group_id == group_id, Household.active).order_by(Household.number)
        )
    )
