"""
The facts by which a year's sites are evaluated, taken from the tables in a fixed number of queries (D0-R14).

What a site owed follows from its spells as they were in the year, not from what it is today. Months and weeks before
it was listed, or in which it rested, are not owed; nor is what was not over yet when the figures were computed.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import takewhile

from sqlalchemy import Select, func, select
from sqlalchemy import case as sql_case
from sqlalchemy.orm import Session, aliased

from models.case import Site
from models.inspection import Inspection, Visit, VisitFinding
from models.ledger import LedgerAccount, LedgerEntry, LedgerLine
from models.registry import Unit
from models.service import ServiceOrder
from models.site_life import Activity, PublicityItem, PublicitySite, SiteSpell, Theme
from models.work_item import Decision, WorkItem
from policies.life_words import Finding, SiteFact
from policies.site_scheme import SiteScheme
from policies.vocabulary import Gate, LedgerLevel, SiteStatus, UnitKind, Verdict
from rules.duty import WEEK, sunday_of, theme_asked, theme_due, weeks_from
from rules.grading import Figure
from rules.money import in_yuan
from rules.periods import end_of, shanghai_day

MONTHS = 12
A_DAY = timedelta(days=1)
Span = tuple[date, date]
"""First day and the day after the last one."""


@dataclass(frozen=True)
class Year:
    """What is evaluated: a town's sites in a calendar year, as known at a moment."""

    town: Unit
    year: int
    at: datetime
    scheme: SiteScheme

    @property
    def first(self) -> date:
        """The first day."""
        return date(self.year, 1, 1)

    @property
    def last(self) -> date:
        """The last day."""
        return date(self.year, 12, 31)

    @property
    def begins_at(self) -> datetime:
        """The instant at which it begins, UTC."""
        return end_of(self.first - A_DAY)

    @property
    def ends_at(self) -> datetime:
        """The instant at which it is over, UTC."""
        return end_of(self.last)

    def over(self, last: date) -> bool:
        """Return whether the day was over when the figures were computed."""
        return end_of(last) <= self.at.astimezone(UTC)

    def mondays(self) -> list[date]:
        """Return the Mondays of the year whose weeks are over."""
        over = weeks_from(self.first, shanghai_day(self.at))
        return list(takewhile(lambda monday: monday.year == self.year, over))


@dataclass(frozen=True)
class SiteInYear:
    """A site that is evaluated."""

    id: int
    number: str
    case_id: int
    village_id: int
    group_id: int
    leader_id: int
    active: tuple[Span, ...]
    """When it was active, in order; spans that touch are one."""

    def active_throughout(self, first: date, last: date) -> bool:
        """Return whether it was active on all days of a period."""
        return any(since <= first and last < until for since, until in self.active)

    def active_days(self, first: date, last: date) -> int:
        """Return on how many days of a period it was active."""
        return sum(max(0, (min(until, last + A_DAY) - max(since, first)).days) for since, until in self.active)


def sites_of_town(town: Unit) -> Select[tuple[int]]:
    """Return the query of the ids of a town's sites."""
    villages = select(Unit.id).where(Unit.parent_id == town.id, Unit.kind == UnitKind.VILLAGE)
    return select(Site.id).where(Site.village_id.in_(villages))


def sites_in_year(session: Session, year: Year) -> list[SiteInYear]:
    """
    Return the sites that are evaluated, by number: active on a day of the year, and not ended by its last day.

    One query, however many sites there are.
    """
    rows = session.execute(
        select(Site, SiteSpell)
        .join(SiteSpell, SiteSpell.site_id == Site.id)
        .where(Site.id.in_(sites_of_town(year.town)), SiteSpell.since <= year.last)
        .order_by(Site.number, SiteSpell.since)
    )
    spells: dict[Site, list[SiteSpell]] = defaultdict(list)
    for site, spell in rows.tuples():
        spells[site].append(spell)
    found = []
    for site, its in spells.items():
        if its[-1].status not in (SiteStatus.ACTIVE, SiteStatus.SUSPENDED):
            continue
        one = SiteInYear(
            id=site.id,
            number=site.number,
            case_id=site.case_id,
            village_id=site.village_id,
            group_id=site.group_id,
            leader_id=site.leader_id,
            active=_joined(
                (spell.since, spell.until or date.max) for spell in its if spell.status is SiteStatus.ACTIVE
            ),
        )
        if one.active_days(year.first, year.last):
            found.append(one)
    return found


def _joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    joined: list[Span] = []
    for since, until in spans:
        if joined and joined[-1][1] == since:
            joined[-1] = (joined[-1][0], until)
        else:
            joined.append((since, until))
    return tuple(joined)


def site_figures(session: Session, year: Year, sites: Sequence[SiteInYear]) -> dict[SiteFact, dict[int, Figure]]:
    """
    Return every fact of every site, by fact and by the site's id; a site without a row in a table has nothing there.

    Source: D0-R4, D0-R11 to D0-R16, D1-R5.
    """
    themes, in_time = _themes(session, year, sites)
    weeks, sessions, attendance, recorded = _activities(session, year, sites)
    inspection = _inspection(session, year)
    return {
        SiteFact.THEMES: themes,
        SiteFact.THEMES_IN_TIME: in_time,
        SiteFact.WEEKS: weeks,
        SiteFact.SESSIONS: sessions,
        SiteFact.ATTENDANCE: attendance,
        SiteFact.RECORDED_IN_TIME: recorded,
        SiteFact.INSPECTION: inspection,
        SiteFact.RECTIFICATIONS: _rectifications(session, year),
        SiteFact.SUBSIDY_SPENT: _subsidy(session, year, sites),
        SiteFact.PUBLICITY: _publicity(session, year),
        SiteFact.RATING: _confirmations(session, year),
    }


def nothing(fact: SiteFact) -> Figure:
    """Return the figure of a site that a fact's tables do not name: nothing was counted, or nothing was owed."""
    counted = fact in (SiteFact.SESSIONS, SiteFact.ATTENDANCE, SiteFact.PUBLICITY)
    return Figure(0, None if counted else 0, _NOTHING.get(fact, ""))


_NOTHING = {
    SiteFact.INSPECTION: "当年未被督查",
    SiteFact.RECTIFICATIONS: "当年未被督查",
    SiteFact.SUBSIDY_SPENT: "截至年末未拨付补贴",
    SiteFact.RATING: "当年没有须确认的服务",
    SiteFact.PUBLICITY: "当年宣传报道0篇",
}


def _themes(session: Session, year: Year, sites: Sequence[SiteInYear]) -> tuple[dict[int, Figure], dict[int, Figure]]:
    rows = session.execute(
        select(Theme.site_id, Theme.month, Theme.late).where(
            Theme.site_id.in_(sites_of_town(year.town)), Theme.month >= year.first, Theme.month <= year.last
        )
    )
    reported: dict[int, dict[date, bool]] = defaultdict(dict)
    for site_id, month, late in rows.tuples():
        reported[site_id][month] = late
    rule = year.scheme.monthly_theme
    months = [date(year.year, number, 1) for number in range(1, MONTHS + 1)] if rule else []
    owed_days = {month: (theme_asked(month, rule), theme_due(month, rule)) for month in months} if rule else {}
    all_, in_time = {}, {}
    for site in sites:
        owed = [month for month, days in owed_days.items() if year.over(days[1]) and site.active_throughout(*days)]
        its = [reported[site.id][month] for month in owed if month in reported[site.id]]
        timely = its.count(False)
        told = f"应报{len(owed)}个月，已报{len(its)}个月，其中按时{timely}个月" if owed else "当年没有应报主题的月份"
        all_[site.id] = Figure(len(its), len(owed), told)
        in_time[site.id] = Figure(timely, len(owed), told)
    return all_, in_time


@dataclass
class _Held:
    """What one site held."""

    weeks: Counter[date]
    sessions: int = 0
    attendance: int = 0
    in_time: int = 0


def _activities(session: Session, year: Year, sites: Sequence[SiteInYear]) -> tuple[dict[int, Figure], ...]:
    rule, mondays = year.scheme.weekly_activities, year.mondays()
    within = rule.record_within_days if rule else 0
    # A week that begins in the year may end in the next one: its activities are read, too.
    rows = session.execute(
        select(Activity.site_id, Activity.held_on, Activity.week, Activity.attendance, Activity.recorded_at).where(
            Activity.site_id.in_(sites_of_town(year.town)),
            Activity.held_on >= year.first,
            Activity.held_on < year.last + WEEK,
            Activity.voided_at.is_(None),
        )
    )
    in_time_until: dict[date, datetime] = {}
    held: dict[int, _Held] = defaultdict(lambda: _Held(Counter()))
    for site_id, held_on, week, attendance, recorded_at in rows.tuples():
        its = held[site_id]
        its.weeks[week] += 1
        if held_on > year.last:
            continue
        its.sessions += 1
        its.attendance += attendance
        if held_on not in in_time_until:
            in_time_until[held_on] = end_of(held_on + timedelta(days=within))
        its.in_time += recorded_at < in_time_until[held_on]
    weeks, sessions, attended, recorded = {}, {}, {}, {}
    for site in sites:
        its = held[site.id]
        owed = [each for each in mondays if site.active_throughout(each, sunday_of(each))] if rule else []
        done = sum(its.weeks[monday] >= (rule.at_least if rule else 1) for monday in owed)
        told = f"应开展{len(owed)}周，已开展{done}周" if owed else "当年没有应开展活动的整周"
        weeks[site.id] = Figure(done, len(owed), told)
        sessions[site.id] = Figure(its.sessions, None, f"当年活动{its.sessions}场")
        attended[site.id] = Figure(its.attendance, None, f"当年活动共{its.attendance}人次")
        recorded[site.id] = Figure(
            its.in_time,
            its.sessions if rule else 0,
            f"登记活动{its.sessions}场，其中活动后{within}日内登记{its.in_time}场"
            if its.sessions
            else "当年没有活动登记",
        )
    return weeks, sessions, attended, recorded


def _inspection(session: Session, year: Year) -> dict[int, Figure]:
    last = _visits(year).with_only_columns(Visit.inspection_id, func.max(Visit.round).label("round"))
    latest = last.group_by(Visit.inspection_id).subquery()
    its = aliased(Visit)
    rows = session.execute(
        select(Inspection.site_id, VisitFinding.finding, func.count(VisitFinding.id))
        .join(its, its.inspection_id == Inspection.id)
        .join(latest, (latest.c.inspection_id == its.inspection_id) & (latest.c.round == its.round))
        .join(VisitFinding, VisitFinding.visit_id == its.id)
        .group_by(Inspection.site_id, VisitFinding.finding)
    )
    found: dict[int, Counter[Finding]] = defaultdict(Counter)
    for site_id, finding, count in rows.tuples():
        found[site_id][finding] = count
    return {
        site_id: Figure(
            each[Finding.MET],
            each[Finding.MET] + each[Finding.NOT_MET],
            f"督查检查点符合{each[Finding.MET]}项、不符合{each[Finding.NOT_MET]}项（以当年最后一次检查为准）",
        )
        for site_id, each in found.items()
    }


def _visits(year: Year) -> Select[tuple[Visit]]:
    """Return the query of the year's visits to the town's sites, joined to their inspections."""
    return (
        select(Visit)
        .join(Inspection, Inspection.id == Visit.inspection_id)
        .where(
            Inspection.site_id.in_(sites_of_town(year.town)),
            Visit.visited_on >= year.first,
            Visit.visited_on <= year.last,
        )
    )


def _rectifications(session: Session, year: Year) -> dict[int, Figure]:
    asked = func.max(sql_case((Visit.rectify_by.is_not(None), 1), else_=0)).label("asked")
    each = (
        _visits(year)
        .with_only_columns(Inspection.site_id, asked)
        .group_by(Inspection.id, Inspection.site_id)
        .subquery()
    )
    rows = session.execute(select(each.c.site_id, func.count(), func.sum(each.c.asked)).group_by(each.c.site_id))
    return {
        site_id: Figure(count - int(asked), count, f"当年被督查{count}次，其中要求限期整改{int(asked)}次")
        for site_id, count, asked in rows.tuples()
    }


def _subsidy(session: Session, year: Year, sites: Sequence[SiteInYear]) -> dict[int, Figure]:
    rows = session.execute(
        select(LedgerAccount.case_id, LedgerAccount.level, func.sum(LedgerLine.amount_fen))
        .join(LedgerLine, LedgerLine.account_id == LedgerAccount.id)
        .join(LedgerEntry, LedgerEntry.id == LedgerLine.entry_id)
        .where(
            LedgerAccount.case_id.in_(select(Site.case_id).where(Site.id.in_(sites_of_town(year.town)))),
            LedgerAccount.level.in_((LedgerLevel.VILLAGE, LedgerLevel.SPENT)),
            LedgerEntry.booked_at < year.ends_at,
        )
        .group_by(LedgerAccount.case_id, LedgerAccount.level)
    )
    stands: dict[int, dict[LedgerLevel, int]] = defaultdict(dict)
    for case_id, level, fen in rows.tuples():
        stands[case_id][level] = int(fen)
    found = {}
    for site in sites:
        spent = stands[site.case_id].get(LedgerLevel.SPENT, 0)
        # What the village holds and what it has spent is what it was granted, whatever went back.
        granted = spent + stands[site.case_id].get(LedgerLevel.VILLAGE, 0)
        told = (
            f"截至年末到账{in_yuan(granted)}，已支出{in_yuan(spent)}"
            if granted
            else nothing(SiteFact.SUBSIDY_SPENT).told
        )
        found[site.id] = Figure(spent, granted, told)
    return found


def _publicity(session: Session, year: Year) -> dict[int, Figure]:
    rows = session.execute(
        select(PublicitySite.site_id, func.count(PublicityItem.id))
        .join(PublicityItem, PublicityItem.id == PublicitySite.item_id)
        .where(
            PublicitySite.site_id.in_(sites_of_town(year.town)),
            PublicityItem.published_on >= year.first,
            PublicityItem.published_on <= year.last,
            PublicityItem.voided_at.is_(None),
        )
        .group_by(PublicitySite.site_id)
    )
    return {site_id: Figure(count, None, f"当年宣传报道{count}篇") for site_id, count in rows.tuples()}


def _confirmations(session: Session, year: Year) -> dict[int, Figure]:
    by_person = func.sum(sql_case((Decision.verdict != Verdict.LAPSED, 1), else_=0))
    rows = session.execute(
        select(ServiceOrder.site_id, func.count(Decision.id), by_person)
        .join(WorkItem, WorkItem.case_id == ServiceOrder.case_id)
        .join(Decision, Decision.work_item_id == WorkItem.id)
        .where(
            ServiceOrder.site_id.in_(sites_of_town(year.town)),
            WorkItem.gate == Gate.SERVICE_CONFIRMATION,
            WorkItem.opened_at >= year.begins_at,
            WorkItem.opened_at < year.ends_at,
        )
        .group_by(ServiceOrder.site_id)
    )
    return {
        site_id: Figure(int(confirmed), count, f"当年送达的服务须确认{count}次，期限内确认{int(confirmed)}次")
        for site_id, count, confirmed in rows.tuples()
    }
