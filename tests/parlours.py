"""Listed parlours without their applications: for tests of what comes after the plaque, one or ten thousand of them."""

from datetime import date, datetime

from sqlalchemy import select

from models.case import Site
from models.registry import Household, Person, RoleHolding, Unit
from models.site_life import SiteSpell
from policies.vocabulary import CaseKind, CaseStatus, Door, Outcome, Role, UnitKind
from tasks.act import Act, acting
from tasks.history import SYSTEM, append
from tasks.living import keep, open_case
from tasks.openings import edition_in_use
from tests.township import Township


def add_village(town: Township, code: str, name: str, *, people: bool = True) -> None:
    """Add a village to the town, with a responsible member and a liaison who have e-mail addresses."""
    with town.resources.database.write() as session:
        above = session.scalars(select(Unit).where(Unit.kind == UnitKind.TOWN)).one()
        village = Unit(code=code, kind=UnitKind.VILLAGE, name=name, parent_id=above.id)
        session.add(village)
        session.flush()
        if people:
            for role, prefix in ((Role.VILLAGE_RESPONSIBLE, "R"), (Role.LIAISON, "L")):
                person = Person(
                    code=f"{prefix}{code}", name=f"{name}{role.label[:2]}", email=f"{prefix}{code}@v.example".lower()
                )
                session.add(person)
                session.flush()
                session.add(RoleHolding(person_id=person.id, role=role, unit_id=village.id, since=date(2010, 1, 1)))


def add_site(
    town: Township,
    *,
    village: str = "ZD",
    since: datetime | None = None,
    leader: str = "",
    email: str | None = "",
) -> str:
    """
    List one more parlour: its own group, household and leader, unless `leader` names one of the registry.

    Args:
        since: when it was listed; None: now.
        email: of the new leader; empty: one of its own, None: none.

    Returns:
        The site's number, e.g. ``KT-2026-0003-S``; its group is ``<village>G<n>``, its household ``<group>-001``, its
        leader ``S<id of the group>``.
    """
    at = since or town.now()
    with acting(town.resources, at=at) as act:
        return _add(act, village=village, leader=leader, email=email).number


def _add(act: Act, *, village: str, leader: str, email: str | None) -> Site:
    session = act.session
    place = session.scalars(select(Unit).where(Unit.code == village)).one()
    loaded = edition_in_use(act.resources, place.above(UnitKind.TOWN), act.at)
    group = Unit(code=f"{village}G", kind=UnitKind.GROUP, name="", parent_id=place.id)
    session.add(group)
    session.flush()
    group.code, group.name = f"{village}G{group.id}", f"{place.name}{group.id}组"
    household = Household(number=f"{group.code}-001", group_id=group.id, head_name=f"户主{group.id}")
    if leader:
        person = session.scalars(select(Person).where(Person.code == leader)).one()
    else:
        address = f"s{group.id}@site.example" if email == "" else email
        person = Person(code=f"S{group.id}", name=f"负责人{group.id}", email=address)
    session.add_all([household, person])
    session.flush()
    session.add(RoleHolding(person_id=person.id, role=Role.SITE_LEADER, unit_id=group.id, since=date(2010, 1, 1)))
    household.group = group
    scheme = loaded.edition.for_sites
    case = open_case(
        act,
        kind=CaseKind.SITE,
        loaded=loaded,
        prefix=scheme.case_prefix,
        key=f"test:{group.code}",
        title=f"{scheme.plaque_text}·{household.head_name}户",
        unit=group,
        actor=person.display,
        door=Door.CLI,
        summary="试验数据",
        place=household,
    )
    site = Site(
        case_id=case.id,
        number=f"{case.number}-S",
        village_id=place.id,
        group_id=group.id,
        household_id=household.id,
        leader_id=person.id,
        speciality="编织",
        activated_at=act.at,
    )
    session.add(site)
    session.flush()
    spell = SiteSpell(site_id=site.id, status=site.status, since=act.day, case_id=case.id)
    session.add(spell)
    keep(act, case, [site, spell], actor=SYSTEM, summary="列入名册")
    case.status, case.outcome, case.closed_at = CaseStatus.CLOSED, Outcome.LISTED, act.at
    case.carried_seq = case.decision_seq
    closed = {"outcome": Outcome.LISTED.value, "because": ""}
    append(session, case, kind="case_closed", actor=SYSTEM, summary="办结", at=act.at, data=closed)
    return site


def site_of(town: Township, number: str) -> Site:
    """Return a site as it stands."""
    with town.resources.database.read() as session:
        return session.scalars(select(Site).where(Site.number == number)).one()


def case_number(site_number: str) -> str:
    """Return the number of the case that listed a site."""
    return site_number.removesuffix("-S")
