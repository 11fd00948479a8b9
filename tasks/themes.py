"""A parlour's theme of a month: reported, changed until the month begins, listed (D0-R4, D0-R12)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import Site
from models.registry import Person, Unit
from models.site_life import SiteSpell, Theme, spell_on
from policies.errors import Refused
from policies.life_scheme import MonthlyTheme
from policies.vocabulary import Door, SiteStatus
from rules.duty import month_of, months_on, spoken_month, theme_asked, theme_due
from rules.window import spoken_day
from runtime.resources import Resources
from tasks.act import Act, acting
from tasks.cases import local_day, person_of
from tasks.duties import OWED_COLUMNS, Owed, owing_theme, with_leaders
from tasks.life_commands import KEEPERS, ReportThemes, ThemeEntry
from tasks.living import check_active, check_may_record, keep, lock_site, scheme_for, site_named
from tasks.row_faults import RowFaults

AHEAD = 12
"""Months ahead for which a theme is taken: further on, the month is mistyped."""


@dataclass(frozen=True)
class ReportedTheme:
    """What became of an entry."""

    site: str
    """The site's number."""
    month: date
    title: str
    late: bool
    """First reported after the due day."""
    changed: bool
    """It replaced another one."""

    def __str__(self) -> str:
        after = ",逾期报送" if self.late else ""
        return (
            f"{self.site} {spoken_month(self.month)}主题“{self.title}”{'已更改' if self.changed else '已登记'}{after}"
        )


def submit_themes(
    resources: Resources, command: ReportThemes, *, door: Door, at: datetime, rows: Sequence[int] | None = None
) -> list[ReportedTheme]:
    """
    Report themes of sites for months: all of them, or none when one is faulty (D0-R12).

    Safe to repeat because the same theme changes nothing. A theme may be replaced until its month begins; after its due
    day the first one is still taken, as late, until its month is over.

    Args:
        door: by which door it came.
        rows: of a sheet, the number of each entry's row.

    Returns:
        What became of each entry, in their order.

    Raises:
        Refused: by nobody who may; the site owes none; the month is over, or has begun with another theme. Every fault
            is told, of a sheet by row and column.
    """
    with acting(resources, at=at) as act:
        by = person_of(act.session, command.by)
        faults = RowFaults(len(command.themes), rows)
        found: dict[int, Site] = {}
        for index, entry in enumerate(command.themes):
            with faults.at(index, "客堂间编号"):
                found[index] = site_named(act.session, entry.site)
        for site in sorted({each.id: each for each in found.values()}.values(), key=lambda each: each.case_id):
            lock_site(act.session, site)
        reported: list[ReportedTheme] = []
        first: dict[tuple[int, date], int] = {}
        for index, site in found.items():
            entry, policy = command.themes[index], None
            above = first.setdefault((site.id, entry.month), index)
            with faults.at(index, "主题"):
                _check_agrees(site, entry, command.themes[above], faults.named(above))
            with faults.at(index, "客堂间编号"):
                policy = _policy(act, site)
                check_may_record(act.session, site, by, roles=KEEPERS, deed="报送月度主题", on=act.day)
            if policy is not None:
                with faults.at(index, "月份"):
                    _check_month(act, site, entry.month, policy)
                    reported.append(_report(act, site, by, entry, policy, door))
        faults.refuse_if_any("月度主题")
        return reported


def _check_agrees(site: Site, entry: ThemeEntry, above: ThemeEntry, where: str) -> None:
    """Refuse another theme for the site and month of an entry above: it is not for the order of rows to choose."""
    if (entry.title, entry.plan) != (above.title, above.plan):
        raise Refused(
            "default",
            f"客堂间 {site.number} {spoken_month(entry.month)}的主题“{entry.title}”与{where}的“{above.title}”"
            "或其计划不同,一个月只报一个主题,请只留一项",
        )


def _policy(act: Act, site: Site) -> MonthlyTheme:
    edition = scheme_for(act.resources, site, act).edition
    if edition.for_sites.monthly_theme is None:
        raise Refused("default", f"客堂间 {site.number} 适用的《{edition.title}》没有规定月度主题,不须报送")
    return edition.for_sites.monthly_theme


def _check_month(act: Act, site: Site, month: date, policy: MonthlyTheme) -> None:
    said, today = spoken_month(month), act.day
    if months_on(month, 1) <= today:
        raise Refused(
            policy.where,
            f"{said}已经过去,其主题不能再报送;现在可以报送{spoken_month(month_of(today))}及以后的主题",
        )
    if month > months_on(month_of(today), AHEAD):
        raise Refused("default", f"{said}距今超过{AHEAD}个月,请核对月份;到时再报送")
    check_active(act.session, site, on=today, deed="报送月度主题")
    asked, due = theme_asked(month, policy), theme_due(month, policy)
    if today < asked:
        return
    covered = act.session.scalars(
        select(SiteSpell.id).where(
            SiteSpell.site_id == site.id,
            SiteSpell.status == SiteStatus.ACTIVE,
            SiteSpell.since <= asked,
            (SiteSpell.until.is_(None)) | (SiteSpell.until > min(today, due)),
        )
    ).first()
    if covered is None:
        now = spell_on(act.session, site, today)
        since = now.since if now is not None else today
        owed = month
        while theme_asked(owed, policy) < since:
            owed = months_on(owed, 1)
        raise Refused(
            policy.where,
            f"客堂间 {site.number} 自{since}起正常运行,{said}的主题已于{asked}开始征集,不须报送;"
            f"请自{spoken_month(owed)}起报送",
        )


def _report(act: Act, site: Site, by: Person, entry: ThemeEntry, policy: MonthlyTheme, door: Door) -> ReportedTheme:
    said = spoken_month(entry.month)
    theme = act.session.scalars(select(Theme).where(Theme.site_id == site.id, Theme.month == entry.month)).one_or_none()
    if theme is not None and (theme.title, theme.plan) == (entry.title, entry.plan):
        return ReportedTheme(site.number, entry.month, theme.title, theme.late, changed=False)
    if theme is not None and act.day >= entry.month:
        raise Refused(
            policy.where,
            f"客堂间 {site.number} {said}的主题“{theme.title}”已于{local_day(theme.recorded_at)}报送,"
            f"该月已经开始,不能再改为“{entry.title}”",
        )
    if theme is None:
        late = act.day > theme_due(entry.month, policy)
        theme = Theme(
            site_id=site.id,
            month=entry.month,
            title=entry.title,
            plan=entry.plan,
            recorded_at=act.at,
            recorded_by_id=by.id,
            door=door,
            late=late,
        )
        act.session.add(theme)
        summary = f"报送{said}主题“{entry.title}”"
        if late:
            summary += f",逾期:应于{spoken_day(theme_due(entry.month, policy))}前报送"
        changed = False
    else:
        summary = f"{said}主题由“{theme.title}”改为“{entry.title}”" if theme.title != entry.title else f"修改{said}计划"
        theme.title, theme.plan, theme.changed_at = entry.title, entry.plan, act.at
        changed = True
    keep(act, site.case, [theme], actor=by.display, summary=summary, data={"door": door.value})
    return ReportedTheme(site.number, entry.month, theme.title, theme.late, changed=changed)


@dataclass(frozen=True)
class ThemeLine:
    """A parlour and its theme of a month, as lists show it."""

    owed: Owed
    theme: str
    """Empty: none is reported."""
    reported_on: date | None
    late: bool

    @property
    def standing(self) -> str:
        """In one word how it stands."""
        if not self.theme:
            return "未报"
        return "逾期报送" if self.late else "已报"


def themes_of(session: Session, town: Unit, month: date, policy: MonthlyTheme) -> list[ThemeLine]:
    """Return every parlour of a town that owes a theme for the month or has reported one, by village and number."""
    reported = select(Theme.id).where(Theme.site_id == Site.id, Theme.month == month)
    ids = (
        select(Site.id)
        .join(Unit, Unit.id == Site.village_id)
        .where(Unit.parent_id == town.id, Site.id.in_(owing_theme(town.id, month, policy)) | reported.exists())
    )
    query = with_leaders(ids, Theme.title, Theme.recorded_at, Theme.late).outerjoin(
        Theme, (Theme.site_id == Site.id) & (Theme.month == month)
    )
    width = len(OWED_COLUMNS)
    return [
        ThemeLine(
            owed=Owed(*row[:width]),
            theme=row[width] or "",
            reported_on=local_day(row[width + 1]) if row[width + 1] is not None else None,
            late=bool(row[width + 2]),
        )
        for row in session.execute(query)
    ]


def months_running(policy: MonthlyTheme, *, on: date) -> list[date]:
    """Return the months whose themes are asked for on that day: this one, and the next from its day of asking on."""
    this = month_of(on)
    return [month for month in (this, months_on(this, 1)) if theme_asked(month, policy) <= on]
