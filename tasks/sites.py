"""The register of parlours: what stands, where, who leads it, what is left of its money."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from models.case import Case, Site
from models.ledger import LedgerAccount
from models.registry import Household, Person, Unit
from models.site_life import SiteSpell
from policies.vocabulary import LedgerLevel
from rules.periods import shanghai_day
from runtime.resources import Resources


@dataclass(frozen=True)
class ListedSite:
    """One parlour of the register."""

    number: str
    village: str
    group: str
    household: str
    leader: str
    speciality: str
    status: str
    status_since: date
    """First day of the status, in Shanghai."""
    since: date
    """Day on which it was listed."""
    balance_fen: int | None
    """What is left of its subsidy in the village's account, in fen; None when its scheme pays none."""


def sites(resources: Resources, *, village: str = "") -> list[ListedSite]:
    """
    Return the listed parlours by number.

    Args:
        village: code of one village; empty: all.
    """
    group, place = Unit.__table__.alias("g"), Unit.__table__.alias("v")
    query = (
        select(Site, place.c.name, group.c.name, Household, Person, SiteSpell.since, LedgerAccount.balance_fen)
        .join(Case, Case.id == Site.case_id)
        .join(place, place.c.id == Site.village_id)
        .join(group, group.c.id == Site.group_id)
        .join(Household, Household.id == Site.household_id)
        .join(Person, Person.id == Site.leader_id)
        .outerjoin(SiteSpell, (SiteSpell.site_id == Site.id) & SiteSpell.until.is_(None))
        .outerjoin(
            LedgerAccount,
            (LedgerAccount.case_id == Site.case_id) & (LedgerAccount.level == LedgerLevel.VILLAGE),
        )
        .order_by(Site.number)
    )
    if village:
        query = query.where(place.c.code == village)
    with resources.database.read() as session:
        return [
            ListedSite(
                number=site.number,
                village=village_name,
                group=group_name.removeprefix(village_name) or group_name,
                household=f"{household.number} {household.head_name}",
                leader=leader.display,
                speciality=site.speciality,
                status=site.status.label,
                status_since=status_since or shanghai_day(site.activated_at),
                since=shanghai_day(site.activated_at),
                balance_fen=balance,
            )
            for site, village_name, group_name, household, leader, status_since, balance in session.execute(query)
        ]
