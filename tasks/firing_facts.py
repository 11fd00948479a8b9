"""
What the letters of many work items need, read at once: a fixed number of queries, however many items there are.

Used by `tasks.firing` only. No objects of the unit of work: plain rows that stand in for `Case`, `Unit` and `WorkItem`
where letters are written, with the same names. What one command reads, one case at a time, is in `tasks.cases`.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, select
from sqlalchemy.engine import Connection

from models.case import Case, Consent, PublishedEdition, Site, SiteApplication
from models.given import given_as_ids, given_ids
from models.inspection import Inspection
from models.meeting import Resolution
from models.project import Project
from models.registry import Household, Person, RoleHolding, Unit, held_on
from models.service import Provider, ServiceItem, ServiceOrder
from models.site_change import SiteChange
from models.work_item import Timer, WorkItem
from policies.sections import Timing
from policies.vocabulary import Answer, CaseKind, CaseStatus, Gate, Role, TimerKind, UnitKind, WorkItemStatus

Roll = dict[int, tuple[Answer | None, str]]
"""A frozen roll: by household its present answer, and how people read it."""
_NAMED_IN_THE_CASE = frozenset({Role.SITE_LEADER, Role.PROJECT_LEADER, Role.ASSIGNEE})
_PERSON = (Person.id, Person.code, Person.name, Person.email, Person.active)
_LEADERS: dict[CaseKind, Select[Any]] = {
    # The latest round stands last and stays.
    CaseKind.SITE: select(SiteApplication.case_id, *_PERSON)
    .join(Person, Person.id == SiteApplication.leader_id)
    .order_by(SiteApplication.case_id, SiteApplication.round),
    CaseKind.PROJECT: select(Project.case_id, *_PERSON).join(Person, Person.id == Project.leader_id),
    CaseKind.INSPECTION: select(Inspection.case_id, *_PERSON)
    .join(Site, Site.id == Inspection.site_id)
    .join(Person, Person.id == Site.leader_id),
    CaseKind.SERVICE_ORDER: select(ServiceOrder.case_id, *_PERSON)
    .join(Site, Site.id == ServiceOrder.site_id)
    .join(Person, Person.id == Site.leader_id),
    CaseKind.SITE_CHANGE: select(SiteChange.case_id, *_PERSON).join(Person, Person.id == SiteChange.applied_by_id),
    CaseKind.RESOLUTION: select(Resolution.case_id, *_PERSON).join(Person, Person.id == Resolution.responsible_id),
}
"""Whom a case names, as `tasks.cases.leader_of` finds it for one case; the case's id comes first."""
_CONTACTS = (
    select(ServiceOrder.case_id, *_PERSON)
    .join(ServiceItem, ServiceItem.id == ServiceOrder.item_id)
    .join(Provider, Provider.id == ServiceItem.provider_id)
    .join(Person, Person.id == Provider.contact_id)
)


_EDITIONS = select(PublishedEdition.id, PublishedEdition.text).where(
    PublishedEdition.id.in_(bindparam("ids", expanding=True))
)


class Somebody(NamedTuple):
    """A person: whom to write to, and how records show them."""

    id: int
    code: str
    name: str
    email: str | None

    @property
    def display(self) -> str:
        """Name and code, as `Person.display`."""
        return f"{self.name}({self.code})"


@dataclass(slots=True, eq=False)
class Place:
    """A unit and all above it, as `Unit`."""

    id: int
    kind: UnitKind
    name: str
    parent_id: int | None
    parent: "Place | None" = None

    def lineage(self) -> list["Place"]:
        """Return this unit and all above it, nearest first."""
        line = [self]
        while (parent := line[-1].parent) is not None:
            line.append(parent)
        return line

    def above(self, kind: UnitKind) -> "Place":
        """Return the unit of `kind` in this unit's lineage; LookupError when there is none."""
        for place in self.lineage():
            if place.kind is kind:
                return place
        raise LookupError(f"unit {self.id} has no {kind} above it")


class Head(NamedTuple):
    """A household's head, as letters name it."""

    head_name: str | None


class Text(NamedTuple):
    """An edition as it was published."""

    text: bytes


@dataclass(slots=True, eq=False)
class Matter:
    """An open case, as `Case`: what a letter says of it, and the end of its history."""

    id: int
    number: str
    kind: CaseKind
    title: str
    edition_id: str
    edition_sha256: str
    household: Head
    history_seq: int
    history_head: str
    unit_id: int
    village_id: int | None
    group_id: int | None
    edition: Text = field(default=Text(b""))
    unit: Place | None = None
    village: Place | None = None
    group: Place | None = None


class DueTimer(NamedTuple):
    """A timer whose moment has come."""

    id: int
    kind: TimerKind
    fires_at: datetime


@dataclass(slots=True, eq=False)
class DueItem:
    """An open work item, as `WorkItem`, with its timers whose moment has come, in the order in which they were due."""

    id: int
    case: Matter
    gate: Gate
    round: int
    role: Role
    assignee_id: int | None
    due_on: date
    due_at: datetime
    provisional: bool
    due_named: bool
    timers: list[DueTimer] = field(default_factory=list)


def lock_open_cases(connection: Connection, ids: Collection[int]) -> dict[int, Matter]:
    """
    Lock those of the cases that are open and that nobody else holds now; return them, complete, by id.

    Nobody is waited for: who waits for one case while holding others can be waited for in turn.
    """
    cases: dict[int, Matter] = {}
    for case_id, number, kind, title, edition, sha256, head, seq, last, *units in connection.execute(
        _locking(connection.dialect.name), given_as_ids(ids)
    ).all():
        cases[case_id] = Matter(case_id, number, kind, title, edition, sha256, Head(head), seq, last, *units)
    places = _places(connection, {each for case in cases.values() for each in _units_of(case) if each is not None})
    texts = _texts(connection, {case.edition_id for case in cases.values()})
    for case in cases.values():
        case.edition = texts[case.edition_id]
        case.unit, case.village, case.group = (places[each] if each is not None else None for each in _units_of(case))
    return cases


@cache
def _locking(dialect: str) -> Select[Any]:
    return (
        select(
            Case.id,
            Case.number,
            Case.kind,
            Case.title,
            Case.edition_id,
            Case.edition_sha256,
            Household.head_name,
            Case.history_seq,
            Case.history_head,
            Case.unit_id,
            Case.village_id,
            Case.group_id,
        )
        .outerjoin(Household, Household.id == Case.household_id)
        .where(Case.id.in_(given_ids(dialect)), Case.status == CaseStatus.OPEN)
        .order_by(Case.id)
        .with_for_update(of=Case, skip_locked=True)
    )


def _units_of(case: Matter) -> tuple[int | None, ...]:
    return case.unit_id, case.village_id, case.group_id


def _places(connection: Connection, ids: Collection[int]) -> dict[int, Place]:
    places = {row[0]: Place(*row) for row in connection.execute(_lineage(connection.dialect.name), given_as_ids(ids))}
    for place in places.values():
        place.parent = places[place.parent_id] if place.parent_id is not None else None
    return places


@cache
def _lineage(dialect: str) -> Select[Any]:
    columns = (Unit.id, Unit.kind, Unit.name, Unit.parent_id)
    lineage = select(*columns).where(Unit.id.in_(given_ids(dialect))).cte("lineage", recursive=True)
    return select(lineage.union(select(*columns).join(lineage, Unit.id == lineage.c.parent_id)))


def _texts(connection: Connection, ids: Collection[str]) -> dict[str, Text]:
    return {name: Text(text) for name, text in connection.execute(_EDITIONS, {"ids": list(ids)})}


def due_items(
    connection: Connection, ids: Collection[int], cases: Mapping[int, Matter], *, at: datetime
) -> list[DueItem]:
    """Return those of the work items that are open, of one of `cases`, and have something due."""
    items: dict[int, DueItem] = {}
    for row in connection.execute(_due(connection.dialect.name), given_as_ids(ids, now=at)).all():
        if (case := cases.get(row[1])) is None:
            continue
        item = items.get(row[0])
        if item is None:
            item = items[row[0]] = DueItem(row[0], case, *row[2:10])
        item.timers.append(DueTimer(*row[10:]))
    return list(items.values())


@cache
def _due(dialect: str) -> Select[Any]:
    return (
        select(
            WorkItem.id,
            WorkItem.case_id,
            WorkItem.gate,
            WorkItem.round,
            WorkItem.role,
            WorkItem.assignee_id,
            WorkItem.due_on,
            WorkItem.due_at,
            WorkItem.provisional,
            WorkItem.due_named,
            Timer.id,
            Timer.kind,
            Timer.fires_at,
        )
        .join(Timer, Timer.work_item_id == WorkItem.id)
        .where(
            WorkItem.id.in_(given_ids(dialect)),
            WorkItem.status == WorkItemStatus.OPEN,
            Timer.fired_at.is_(None),
            Timer.fires_at <= bindparam("now"),
        )
        .order_by(Timer.fires_at, Timer.id)
    )


class People:
    """
    Who decides at the items of a batch, and to whom their gates are reported, on one day.

    Args:
        items: each with its gate's policy.
        on: the day.
    """

    def __init__(self, connection: Connection, items: Sequence[tuple[DueItem, Timing]], *, on: date) -> None:
        wanted = {item.role for item, _ in items} | {policy.escalate.to for _, policy in items if policy.escalate}
        self._holders = _holders(connection, wanted - _NAMED_IN_THE_CASE - {Role.PROVIDER}, items, on=on)
        self._nearest: dict[tuple[Role, int], list[Somebody]] = {}
        self._named: dict[int, Somebody | None] = {}
        self._contacts: dict[int, Somebody | None] = {}
        if wanted & _NAMED_IN_THE_CASE:
            for kind, query in _LEADERS.items():
                self._named |= _one_each(
                    connection, query, {item.case.id for item, _ in items if item.case.kind is kind}
                )
        if Role.PROVIDER in wanted:
            orders = {item.case.id for item, _ in items if item.case.kind is CaseKind.SERVICE_ORDER}
            self._contacts = _one_each(connection, _CONTACTS, orders)

    def entitled(self, case: Matter, role: Role) -> list[Somebody]:
        """Return who holds `role` for the case, as `tasks.cases.entitled`; KeyError when the case should name them."""
        if role in _NAMED_IN_THE_CASE:
            leader = self._named[case.id] if case.kind in _LEADERS else None
            return [leader] if leader is not None else []
        if role is Role.PROVIDER:
            contact = self._contacts.get(case.id)
            return [contact] if contact is not None else []
        known = self._nearest.get((role, case.unit_id))
        if known is None:
            line = case.unit.lineage() if case.unit is not None else []
            found = (self._holders[role, place.id] for place in line if (role, place.id) in self._holders)
            known = self._nearest[role, case.unit_id] = next(found, [])
        return known

    def deciders(self, item: DueItem, policy: Timing) -> list[Somebody]:
        """Return who may decide at `item`, as `tasks.cases.deciders`."""
        people = self.entitled(item.case, item.role)
        if handed_to := [each for each in people if each.id == item.assignee_id]:
            return handed_to
        return people or (self.entitled(item.case, policy.escalate.to) if policy.escalate else [])


def _holders(
    connection: Connection, roles: Collection[Role], items: Iterable[tuple[DueItem, Timing]], *, on: date
) -> dict[tuple[Role, int], list[Somebody]]:
    units = {item.case.unit_id: item.case.unit for item, _ in items if item.case.unit is not None}
    places = {place.id for unit in units.values() for place in unit.lineage()}
    held: dict[tuple[Role, int], list[Somebody]] = defaultdict(list)
    for role, unit_id, *person in connection.execute(
        _holding(connection.dialect.name), given_as_ids(places, roles=list(roles), day=on)
    ).all():
        held[role, unit_id].append(Somebody(*person))
    return dict(held)


@cache
def _holding(dialect: str) -> Select[Any]:
    return (
        select(RoleHolding.role, RoleHolding.unit_id, Person.id, Person.code, Person.name, Person.email)
        .join(Person, Person.id == RoleHolding.person_id)
        .where(
            RoleHolding.role.in_(bindparam("roles", expanding=True)),
            RoleHolding.unit_id.in_(given_ids(dialect)),
            held_on(bindparam("day")),
            Person.active,
        )
        .order_by(Person.code)
    )


def _one_each(connection: Connection, query: Select[Any], cases: Collection[int]) -> dict[int, Somebody | None]:
    """Return by case the person it names; None: somebody who is struck off the register."""
    if not cases:
        return {}
    in_case = query.selected_columns[0]
    return {
        case_id: Somebody(person, code, name, email) if active else None
        for case_id, person, code, name, email, active in connection.execute(
            query.where(in_case.in_(given_ids(connection.dialect.name))), given_as_ids(cases)
        ).all()
    }


def rolls_of(connection: Connection, items: Collection[int]) -> dict[int, Roll]:
    """Return of consent gates the frozen rolls: by household its present answer, and how people read it."""
    rolls: dict[int, Roll] = {item: {} for item in items}
    if not items:
        return rolls
    query = (
        select(Consent.work_item_id, Consent.household_id, Consent.answer, Household.number, Household.head_name)
        .join(Household, Household.id == Consent.household_id)
        .where(Consent.work_item_id.in_(given_ids(connection.dialect.name)))
    )
    for item, household, answer, number, head_name in connection.execute(query, given_as_ids(items)).all():
        rolls[item][household] = (answer, f"{number} {head_name}")
    return rolls
