"""The agenda that the system proposes for a regular meeting: composed of what is on record (D1-R4)."""

from sqlalchemy import Select, func, select

from models.case import Case, Site
from models.meeting import Resolution
from models.registry import Unit
from models.site_life import Activity, Theme
from policies.life_scheme import MonthlyTheme
from policies.load import LoadedEdition
from policies.vocabulary import CaseStatus, SiteStatus
from rules.duty import month_of, spoken_month
from rules.meeting_periods import Period
from tasks.act import Act
from tasks.duties import owing_theme
from tasks.mail import chinese_date

NAMED_AT_MOST = 10
"""How many sites a point of the agenda names, a technical default: the rest is counted."""


def compose(act: Act, town: Unit, loaded: LoadedEdition, *, last: Period) -> tuple[str, ...]:
    """
    Return the points of the agenda, in their order.

    Args:
        town: whose meeting it is.
        last: the period before the meeting's own, which is reported on.

    Returns:
        What was done in the last period, which themes are missing, what is still open of what was decided, and the
        points that every meeting has.
    """
    points = [_activities(act, town, last)]
    theme = loaded.edition.for_sites.monthly_theme
    if theme is not None:
        points.append(_themes(act, town, theme))
    points += _open_resolutions(act, town)
    points += ["各村(居)交流客堂间工作情况,提出需要协调解决的事项", "研究本期重点工作,议定事项、承办人和完成期限"]
    return tuple(points)


def _villages(town: Unit) -> Select[tuple[int]]:
    return select(Unit.id).where(Unit.parent_id == town.id)


def _activities(act: Act, town: Unit, last: Period) -> str:
    sessions, people = act.session.execute(
        select(func.count(Activity.id), func.coalesce(func.sum(Activity.attendance), 0))
        .join(Site, Site.id == Activity.site_id)
        .where(
            Site.village_id.in_(_villages(town)),
            Activity.held_on >= last.first,
            Activity.held_on <= last.last,
            Activity.voided_at.is_(None),
        )
    ).one()
    sites = act.session.scalar(
        select(func.count(Site.id)).where(Site.village_id.in_(_villages(town)), Site.status == SiteStatus.ACTIVE)
    )
    return f"通报{last.name}客堂间运行情况:现有运行的客堂间{sites}个,已登记活动{sessions}场、{people}人次"


def _themes(act: Act, town: Unit, theme: MonthlyTheme) -> str:
    """Say which parlours owe this month's theme and have not reported it; its due day lies in the month before."""
    month = month_of(act.day)
    owing = act.session.scalars(
        select(Site.number)
        .where(
            Site.id.in_(owing_theme(town.id, month, theme)),
            ~select(Theme.id).where(Theme.site_id == Site.id, Theme.month == month).exists(),
        )
        .order_by(Site.number)
    ).all()
    if not owing:
        return f"通报{spoken_month(month)}活动主题报送情况:应报的客堂间均已报送"
    listed = "、".join(owing[:NAMED_AT_MOST]) + ("等" if len(owing) > NAMED_AT_MOST else "")
    return f"通报{spoken_month(month)}活动主题报送情况:尚有{len(owing)}个客堂间未报({listed})"


def _open_resolutions(act: Act, town: Unit) -> list[str]:
    """Return a point for each thing that former meetings decided and that is not settled yet."""
    meeting = select(Case.id).where(Case.unit_id == town.id)
    open_still = act.session.scalars(
        select(Resolution)
        .join(Case, Case.id == Resolution.case_id)
        .where(Case.status == CaseStatus.OPEN, Resolution.meeting_case_id.in_(meeting))
        .order_by(Resolution.due_on, Resolution.id)
    )
    return [
        f"听取议定事项“{each.case.title}”的落实情况({each.responsible.name}承办,期限{chinese_date(each.due_on)})"
        for each in open_still
    ]
