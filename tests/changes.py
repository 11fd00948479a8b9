"""Changes of listed parlours, as the people of a township ask for them and carry them on: for tests."""

from datetime import date
from typing import Any

from sqlalchemy import select

from models.case import Site
from models.registry import Person, RoleHolding, Unit
from models.site_change import SiteChange
from models.site_life import SiteSpell
from policies.vocabulary import Door, Role, SiteStatus, Verdict
from tasks import changes
from tasks.change_commands import ApplyForChange
from tasks.history import verify
from tests.parlours import add_site, site_of
from tests.township import RESPONSIBLE, REVIEWER, Township

NEW_LEADER = "P099"
"""Holds no role yet."""


def a_site(town: Township) -> str:
    """List a parlour under the township's group head, and return its number."""
    number = add_site(town)
    site = site_of(town, number)
    with town.resources.database.write() as session:
        head = session.scalars(select(Person).where(Person.code == "P020")).one()
        session.add(RoleHolding(person_id=head.id, role=Role.GROUP_HEAD, unit_id=site.group_id, since=date(2010, 1, 1)))
    return number


def leader_code(town: Township, number: str) -> str:
    """The code of who leads a site now."""
    with town.resources.database.read() as session:
        return session.scalars(
            select(Person.code).join(Site, Site.leader_id == Person.id).where(Site.number == number)
        ).one()


def fields(town: Township, number: str, kind: str, **more: Any) -> dict[str, Any]:
    """A change of that kind that every shipped edition allows."""
    source = next(iter(town.edition().for_sites.leader.sources)).label
    by_kind: dict[str, dict[str, Any]] = {
        "更换负责人": {
            "leader": NEW_LEADER,
            "leader_source": source,
            "recommended_by": "周荡村党支部",
            "leader_agrees": True,
        },
        "迁址": {
            "household": "ZD01-001",
            "household_agrees": True,
            "volunteers": 12,
            "area_square_metres": "25",
            "facilities": ["客厅", "卫生间", "电视机", "空调", "桌椅", "书报"],
            "confirmations": [each.name for each in town.edition().for_sites.standards if each.kind == "confirmation"],
        },
        "申请暂停运行": {"rests_from": "2026-04-01", "rests_until": "2026-04-30"},
        "注销": {},
    }
    return {
        "site": number,
        "by": leader_code(town, number),
        "kind": kind,
        "reason": "家中有事",
        **by_kind[kind],
        **more,
    }


def ask_for(town: Township, number: str, kind: str, *, key: str = "", **more: Any) -> str:
    """Apply for a change, carry it to its first gate, and return its case's number."""
    command = ApplyForChange.model_validate(fields(town, number, kind, **more))
    town.number = changes.apply_for_change(
        town.resources, command, door=Door.CLI, key=key or f"{number}:{kind}:{town.now()}", at=town.now()
    )
    town.rehearsal.carry(town.number)
    return town.number


def support(town: Township) -> None:
    """Let the village agree."""
    town.decide(Verdict.SUPPORTED, by=RESPONSIBLE)


def approve(town: Township, **more: Any) -> Any:
    """Let the office approve."""
    return town.decide(Verdict.APPROVED, by=REVIEWER, **more)


def change_of(town: Township) -> SiteChange:
    """What the change's case is about."""
    with town.resources.database.read() as session:
        return session.scalars(select(SiteChange).where(SiteChange.case_id == town.case().id)).one()


def spells(town: Township, number: str) -> list[tuple[SiteStatus, str, str]]:
    """The spells of a site: status, first day, first day after."""
    with town.resources.database.read() as session:
        rows = session.scalars(
            select(SiteSpell)
            .join(Site, Site.id == SiteSpell.site_id)
            .where(Site.number == number)
            .order_by(SiteSpell.since)
        )
        return [(each.status, str(each.since), str(each.until or "")) for each in rows]


def role_days(town: Township, code: str, *, group: str = "") -> list[tuple[str, str, str]]:
    """In which groups somebody has held a leader's role, from when until when."""
    with town.resources.database.read() as session:
        rows = session.execute(
            select(Unit.code, RoleHolding.since, RoleHolding.until)
            .join(RoleHolding, RoleHolding.unit_id == Unit.id)
            .join(Person, Person.id == RoleHolding.person_id)
            .where(Person.code == code, RoleHolding.role == Role.SITE_LEADER)
            .order_by(RoleHolding.id)
        )
        return [(unit, str(since), str(until or "")) for unit, since, until in rows]


def sound(town: Township) -> None:
    """Nothing in the records was changed behind the product's back."""
    with town.resources.database.read() as session:
        assert [str(each) for each in verify(session)] == []
