"""The queries behind `tasks.statistics`: each one over all parlours that are wanted, summed by the database."""

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from models.case import Case, Site
from models.registry import Household, Unit
from models.site_life import Activity, PublicityItem, PublicitySite, SiteSpell, Theme
from models.work_item import Decision, WorkItem
from policies.edition import Edition
from policies.vocabulary import BeautifulVillage, Gate, Outcome, SiteStatus, UnitKind, Verdict
from rules.statistics import Compared, Period, Sum
from tasks.statistics_figures import SiteLine, ThemeLine, Three


class View:
    """
    What is wanted, and the queries for it.

    Args:
        town_id: of the town.
        village_id: of the only village wanted; None: all of the town.
        category: code of the only category wanted; empty: all.
    """

    def __init__(
        self, session: Session, period: Compared, *, town_id: int, village_id: int | None, category: str
    ) -> None:
        self.session = session
        self.period = period
        self.town_id = town_id
        self.village_id = village_id
        self.category = category

    def by_day(self) -> dict[date, Sum]:
        """Return the sums of each day of the period on which something was held."""
        here = select(Site.id).join(Unit, Unit.id == Site.village_id).where(self._here())
        query = (
            select(Activity.held_on, func.count(Activity.id), func.sum(Activity.attendance))
            # Not joined: SQLite would go through the whole district's activities of the period.
            .where(Activity.site_id.in_(here), *self._counted(), _within(Activity.held_on, self.period.now))
            .group_by(Activity.held_on)
            .order_by(Activity.held_on)
        )
        return {day: Sum(sessions, int(people)) for day, sessions, people in self.session.execute(query).tuples()}

    def by_category(self) -> dict[tuple[int, str], Three]:
        """Return the sums of all three periods by village and category."""
        periods = (self.period.now, self.period.before, self.period.year_before)
        sums = []
        for each in periods:
            within = _within(Activity.held_on, each)
            sums += [
                func.sum(case((within, 1), else_=0)),
                func.sum(case((within, Activity.attendance), else_=0)),
            ]
        here = select(Site.id).join(Unit, Unit.id == Site.village_id).where(self._here())
        query = (
            select(Site.village_id, Activity.category, *sums)
            .select_from(Activity)
            .join(Site, Site.id == Activity.site_id)
            # Not joined with the villages: SQLite would go through the whole district's parlours.
            .where(
                Activity.site_id.in_(here),
                *self._counted(),
                or_(*(_within(Activity.held_on, each) for each in periods)),
            )
            .group_by(Site.village_id, Activity.category)
        )
        found = {}
        for village_id, category, *numbers in self.session.execute(query).all():
            counted = [int(number) for number in numbers]
            found[village_id, category] = Three(*(Sum(*counted[place : place + 2]) for place in (0, 2, 4)))
        return found

    def villages(self) -> list[Unit]:
        """Return the villages that are wanted, by code, also those without parlours."""
        query = select(Unit).where(self._here(), Unit.kind == UnitKind.VILLAGE).order_by(Unit.code)
        return list(self.session.scalars(query))

    def sites(self) -> list[tuple[int, SiteLine]]:
        """Return the parlours that ran in the period or did something, each with its village's id."""
        now = self.period.now
        # Wherever something is looked for: SQLite would go through all the district's for one town's.
        here = select(Site.id).join(Unit, Unit.id == Site.village_id).where(self._here())
        ends = case((or_(SiteSpell.until.is_(None), SiteSpell.until > now.last), 1), else_=0)
        ran = (
            select(SiteSpell.site_id, func.max(ends).label("running"))
            .where(*_active(now.first, now.last), SiteSpell.site_id.in_(here))
            .group_by(SiteSpell.site_id)
            .subquery()
        )
        did = (
            select(
                Activity.site_id,
                func.count(Activity.id).label("sessions"),
                func.sum(Activity.attendance).label("attendance"),
                func.max(Activity.held_on).label("last_on"),
            )
            .where(*self._counted(), _within(Activity.held_on, now), Activity.site_id.in_(here))
            .group_by(Activity.site_id)
            .subquery()
        )
        group = Unit.__table__.alias("g")
        query = (
            select(
                Site.village_id,
                Site.number,
                Unit.name,
                group.c.name,
                Household.number,
                Household.head_name,
                Site.speciality,
                ran.c.running,
                did.c.sessions,
                did.c.attendance,
                did.c.last_on,
            )
            .join(Unit, Unit.id == Site.village_id)
            .join(group, group.c.id == Site.group_id)
            .join(Household, Household.id == Site.household_id)
            .outerjoin(ran, ran.c.site_id == Site.id)
            .outerjoin(did, did.c.site_id == Site.id)
            .where(Site.id.in_(here), or_(ran.c.site_id.is_not(None), did.c.site_id.is_not(None)))
            .order_by(Unit.code, Site.number)
        )
        return [
            (
                row[0],
                SiteLine(
                    number=row[1],
                    village=row[2],
                    group=row[3].removeprefix(row[2]) or row[3],
                    household=f"{row[4]} {row[5]}",
                    speciality=row[6],
                    running=row[7] == 1,
                    ran=row[7] is not None,
                    sums=Sum(row[8] or 0, int(row[9] or 0)),
                    last_on=row[10],
                ),
            )
            for row in self.session.execute(query).tuples()
        ]

    def themes(self) -> list[ThemeLine]:
        """Return the themes by month."""
        query = (
            select(Theme.month, func.count(Theme.id), func.sum(case((Theme.late, 1), else_=0)))
            .join(Site, Site.id == Theme.site_id)
            .join(Unit, Unit.id == Site.village_id)
            .where(self._here(), self._months())
            .group_by(Theme.month)
            .order_by(Theme.month)
        )
        return [ThemeLine(month, count, int(late)) for month, count, late in self.session.execute(query).tuples()]

    def themes_by_village(self) -> dict[int, int]:
        """Return the themes by village."""
        query = (
            select(Site.village_id, func.count(Theme.id))
            .select_from(Theme)
            .join(Site, Site.id == Theme.site_id)
            .join(Unit, Unit.id == Site.village_id)
            .where(self._here(), self._months())
            .group_by(Site.village_id)
        )
        return dict(self.session.execute(query).tuples().all())

    def publicity(self) -> dict[str, int]:
        """Return the items by the channel's code; of one village: those about its parlours."""
        query = (
            select(PublicityItem.channel, func.count(PublicityItem.id))
            .where(
                PublicityItem.unit_id == self.town_id,
                PublicityItem.voided_at.is_(None),
                _within(PublicityItem.published_on, self.period.now),
            )
            .group_by(PublicityItem.channel)
            .order_by(PublicityItem.channel)
        )
        if self.village_id is not None:
            about = select(PublicitySite.item_id).join(Site).where(Site.village_id == self.village_id)
            query = query.where(PublicityItem.id.in_(about))
        return dict(self.session.execute(query).tuples().all())

    def groups(self) -> dict[tuple[int, BeautifulVillage], int]:
        """Return how many groups of each grade each village of the town has."""
        village = aliased(Unit)
        query = (
            select(village.id, Unit.beautiful_village, func.count(Unit.id))
            .join(village, village.id == Unit.parent_id)
            .where(village.parent_id == self.town_id, Unit.kind == UnitKind.GROUP)
            .group_by(village.id, Unit.beautiful_village)
        )
        return {(row[0], row[1]): row[2] for row in self.session.execute(query).tuples()}

    def standing(self) -> dict[tuple[int, BeautifulVillage], int]:
        """Return how many of these groups have a parlour in operation on the period's last day."""
        village, last = aliased(Unit), self.period.now.last
        query = (
            select(village.id, Unit.beautiful_village, func.count(func.distinct(Site.group_id)))
            .select_from(Site)
            .join(SiteSpell, SiteSpell.site_id == Site.id)
            .join(Unit, Unit.id == Site.group_id)
            .join(village, village.id == Site.village_id)
            .where(village.parent_id == self.town_id, *_active(last, last))
            .group_by(village.id, Unit.beautiful_village)
        )
        return {(row[0], row[1]): row[2] for row in self.session.execute(query).tuples()}

    def approved(self, edition: Edition, year: int) -> dict[int, int]:
        """Return how many parlours of each village were approved in a year, as the quota counts them (D1-R2)."""
        query = (
            select(Case.village_id, func.count(func.distinct(Case.id)))
            .select_from(Case)
            .join(Unit, Unit.id == Case.village_id)
            .join(WorkItem, WorkItem.case_id == Case.id)
            .join(Decision, Decision.work_item_id == WorkItem.id)
            .where(
                Unit.parent_id == self.town_id,
                Case.edition_id == edition.id,
                Case.year == year,
                WorkItem.gate == Gate.OFFICE_REVIEW,
                Decision.verdict == Verdict.APPROVED,
                or_(Case.outcome.is_(None), Case.outcome == Outcome.LISTED),
            )
            .group_by(Case.village_id)
        )
        return {village: count for village, count in self.session.execute(query).tuples() if village is not None}

    def towns_villages(self) -> list[Unit]:
        """Return all villages of the town, by code."""
        query = select(Unit).where(Unit.parent_id == self.town_id, Unit.kind == UnitKind.VILLAGE).order_by(Unit.code)
        return list(self.session.scalars(query))

    def _here(self) -> ColumnElement[bool]:
        return Unit.parent_id == self.town_id if self.village_id is None else Unit.id == self.village_id

    def _counted(self) -> list[ColumnElement[bool]]:
        return [Activity.voided_at.is_(None), *([Activity.category == self.category] if self.category else [])]

    def _months(self) -> ColumnElement[bool]:
        return _within(Theme.month, Period(self.period.now.first.replace(day=1), self.period.now.last))


def _within(day: Any, period: Period) -> ColumnElement[bool]:
    found: ColumnElement[bool] = day.between(period.first, period.last)
    return found


def _active(first: date, last: date) -> list[ColumnElement[bool]]:
    """Return the conditions of a spell in operation that shares a day with `first` to `last`."""
    return [
        SiteSpell.status == SiteStatus.ACTIVE,
        SiteSpell.since <= last,
        or_(SiteSpell.until.is_(None), SiteSpell.until > first),
    ]
