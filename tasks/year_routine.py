"""
The yearly routine: the evaluation of the year before opens by itself on the edition's day (D0-R14).

Called by the scheduled flow on its day, and by the sweep when that day was missed. An evaluation exists once for a town
and a year, so that whoever comes first opens it and nobody opens it again.
"""

from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from models.case import Case
from models.evaluation import YearEvaluation
from models.registry import Unit
from models.site_life import SiteSpell
from policies.life_scheme import AnnualEvaluation
from policies.load import LoadedEdition
from policies.vocabulary import Door, SiteStatus
from rules.periods import SHANGHAI, shanghai_day
from rules.window import spoken_day
from runtime.resources import Resources
from tasks.act import acting
from tasks.duties import listed_by
from tasks.each_town import Unreadable, serve_each
from tasks.living import Town, there_is, towns_named
from tasks.year_evaluation import open_in
from tasks.year_figures import Year, sites_in_year
from tasks.year_results import evaluation_of, rules_of

OPENS_AT = time(8)
"""Hour in Shanghai at which a year's evaluation opens by itself."""
MISSED_AFTER = timedelta(hours=1)
"""So long the sweep leaves it to the scheduled flow."""


def open_due(
    resources: Resources, *, at: datetime, missed_by: timedelta = timedelta(0), failures: list[str] | None = None
) -> list[str]:
    """
    Open the evaluation of the year before in every town whose day has come.

    Safe to repeat, and to run twice at once, because a town's year is evaluated once. A town without sites in that
    year is passed over in silence.

    Args:
        missed_by: only what has been due for so long.
        failures: gets the towns in which it can not be opened, in Chinese; None: they are raised in the end.

    Returns:
        The numbers of the cases opened now.
    """
    year = shanghai_day(at).year - 1

    def serve(town: Town) -> str:
        with resources.database.read() as session:
            if not _had_sites(session, town, year, at):
                return ""
        return _open(resources, town.unit.id, year, at=at, missed_by=missed_by)

    with resources.database.read() as session:
        due = _due(resources, session, year, at - missed_by)
    return [number for number in serve_each("年度考核", due, serve, failures=failures) if number]


def _open(resources: Resources, town_id: int, year: int, *, at: datetime, missed_by: timedelta) -> str:
    with acting(resources, at=at) as act:
        act.session.get_one(Unit, town_id, with_for_update={"of": Unit}, populate_existing=True)
        # Asked again under the lock: the flow and the sweep may have come at once.
        town = next((town for _, town in _due(resources, act.session, year, at - missed_by, only=town_id)), None)
        if isinstance(town, Unreadable):
            raise town
        if town is None or not _had_sites(act.session, town, year, at):
            return ""
        moment = opens_at(_rules(town), year)
        case = open_in(
            act,
            town.unit,
            town.loaded,
            year,
            by=None,
            door=Door.SYSTEM,
            key=routine_key(town.unit, year),
            due=moment,
            late=late_note(moment, at),
        )
        return case.number


def catch_up(resources: Resources, at: datetime, failures: list[str] | None = None) -> str:
    """Open what the scheduled flow missed; return what was opened, in Chinese, or ""."""
    opened = open_due(resources, at=at, missed_by=MISSED_AFTER, failures=failures)
    return f"补开年度考核{len(opened)}件:{'、'.join(opened)}" if opened else ""


def _due(
    resources: Resources, session: Session, year: int, at: datetime, *, only: int | None = None
) -> list[tuple[str, Town | Unreadable]]:
    """
    Return the towns whose evaluation of the year was due by `at` and is not open yet, and that had a site by its end.

    Args:
        only: this town; None: any.
    """
    # Asked by every sweep: what is over for all towns at once is not asked town by town.
    if not _any_site(session, year):
        return []

    def having(loaded: LoadedEdition) -> ColumnElement[bool] | None:
        rules = loaded.edition.for_sites.evaluation
        if rules is None or at < opens_at(rules, year):
            return None
        in_operation = listed_by(date(year, 12, 31), SiteSpell.status == SiteStatus.ACTIVE)
        owing = and_(~_opened(year), in_operation)
        return owing if only is None else and_(Unit.id == only, owing)

    return towns_named(resources, session, on=shanghai_day(at), having=having)


def _had_sites(session: Session, town: Town, year: int, at: datetime) -> bool:
    return bool(sites_in_year(session, Year(town=town.unit, year=year, at=at, scheme=town.scheme)))


def _any_site(session: Session, year: int) -> bool:
    """Return whether any town had a site in operation by the end of the year."""
    active = select(SiteSpell.id).where(SiteSpell.status == SiteStatus.ACTIVE, SiteSpell.since <= date(year, 12, 31))
    return session.scalars(active.limit(1)).first() is not None


def _opened(year: int) -> ColumnElement[bool]:
    """Return the condition that the year of the town `Unit` is evaluated already."""
    opened = select(YearEvaluation.id).where(YearEvaluation.unit_id == Unit.id, YearEvaluation.year == year)
    return there_is(opened.correlate(Unit))


def _rules(town: Town) -> AnnualEvaluation:
    if town.scheme.evaluation is None:
        raise LookupError(f"{town.loaded.edition.id} has no evaluation")
    return town.scheme.evaluation


def routine_key(town: Unit, year: int) -> str:
    """Return what the routine opens a year's evaluation by."""
    return f"evaluation:{town.code}:{year}"


def opens_at(rules: AnnualEvaluation, year: int) -> datetime:
    """Return when the evaluation of a year opens by itself."""
    month, day = (int(part) for part in rules.opens.split("-"))
    return datetime.combine(date(year + 1, month, day), OPENS_AT, SHANGHAI)


def late_note(due: datetime, at: datetime) -> str:
    """Return how a late opening is told; empty when it was opened on its day."""
    days = (shanghai_day(at) - shanghai_day(due)).days
    if days < 1:
        return ""
    return f"按政策应于{spoken_day(shanghai_day(due))}自动开启,因系统停运,迟{days}日补办"


def late_of(session: Session, case: Case) -> str:
    """Return how late the routine opened this evaluation, as letters say it; empty when it was not late."""
    year = evaluation_of(session, case).year
    if case.opening_key != routine_key(case.unit, year):
        return ""
    return late_note(opens_at(rules_of(case), year), case.opened_at)
