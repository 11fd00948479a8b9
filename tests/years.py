"""A township with parlours and a year of records, and what its office does about the yearly evaluation."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from sqlalchemy import select

from models.case import Site
from models.evaluation import EvaluationResult, YearEvaluation
from models.registry import Person
from models.site_life import Activity, Theme
from policies.vocabulary import Door, SiteStatus, Verdict
from rules.duty import monday_of
from tasks.act import acting
from tasks.history import verify
from tasks.living import change_status, keep, lock_site, site_named
from tasks.year_commands import OpenEvaluation
from tasks.year_evaluation import open_evaluation
from tasks.year_results import results_of
from tests.township import HEAD_OF_OFFICE, REVIEWER, Township

MONDAYS = [date(2026, 1, 5) + timedelta(weeks=week) for week in range(52)]
"""Of 2026."""
MONTHS = [date(2026, month, 1) for month in range(1, 13)]


def record_themes(town: Township, number: str, months: Iterable[date], *, late: Iterable[date] = ()) -> None:
    """Let a site have reported the themes of these months."""
    behind = set(late)
    with acting(town.resources, at=town.now()) as act:
        site = site_named(act.session, number)
        case = lock_site(act.session, site)
        rows = [
            Theme(
                site_id=site.id,
                month=month,
                title="编织",
                plan="",
                recorded_at=act.at,
                recorded_by_id=site.leader_id,
                door=Door.CLI,
                late=month in behind,
            )
            for month in months
        ]
        act.session.add_all(rows)
        keep(act, case, rows, actor="试验", summary="登记主题")


def record_activities(
    town: Township,
    number: str,
    days: Iterable[date],
    *,
    attendance: int = 20,
    after_days: int = 1,
    voided: bool = False,
) -> None:
    """Let a site have held an activity on each of these days, recorded so many days later."""
    with acting(town.resources, at=town.now()) as act:
        site = site_named(act.session, number)
        case = lock_site(act.session, site)
        rows = [
            Activity(
                site_id=site.id,
                key=f"{number}:{day}:{after_days}:{voided}:{attendance}",
                held_on=day,
                week=monday_of(day),
                category="elderly",
                title="编织",
                attendance=attendance,
                organiser="",
                summary="",
                recorded_at=datetime.fromisoformat(f"{day + timedelta(days=after_days)}T12:00:00+08:00"),
                recorded_by_id=site.leader_id,
                door=Door.CLI,
                voided_at=act.at if voided else None,
                voided_by_id=site.leader_id if voided else None,
            )
            for day in days
        ]
        act.session.add_all(rows)
        keep(act, case, rows, actor="试验", summary="登记活动")


def set_status(town: Township, number: str, status: SiteStatus, on: date) -> None:
    """Let a site be in another status from a day on."""
    with acting(town.resources, at=town.now()) as act:
        site = site_named(act.session, number)
        lock_site(act.session, site)
        change_status(act, site, status, on=on, because="试验", actor="试验", by_case=None)


def open_year(town: Township, year: int = 2026, *, by: str = REVIEWER, key: str = "") -> str:
    """Open the evaluation of a year and carry it to its first gate."""
    command = OpenEvaluation(town="Z", year=year, by=by)
    number = open_evaluation(town.resources, command, door=Door.CLI, key=key or f"test:{year}", at=town.now())
    town.number = number
    town.rehearsal.carry(number)
    return number


def approve(town: Township) -> None:
    """Let the head of the office approve the figures: the notice is published."""
    town.decide(Verdict.APPROVED, by=HEAD_OF_OFFICE)


def recompute(town: Township, reason: str = "补登了记录") -> None:
    """Let the head of the office have the figures computed anew."""
    town.decide(Verdict.RECOMPUTED, by=HEAD_OF_OFFICE, reason=reason)


def results(town: Township, *, sites: bool | None = True, round_: int | None = None) -> list[EvaluationResult]:
    """The results by rank."""
    with town.resources.database.read() as session:
        evaluation = session.scalars(select(YearEvaluation)).one()
        found = results_of(session, evaluation, sites=sites, round_=round_)
        for each in found:
            _ = (each.village.lineage(), [score.explained for score in each.scores])
        return found


def scores(town: Township, number: str, *, round_: int | None = None) -> dict[str, tuple[int, int | None, int]]:
    """What was counted, of how much, and the tenths of a site's criteria, by their code."""
    (result,) = [each for each in results(town, round_=round_) if each.site and each.site.number == number]
    return {score.code: (score.counted, score.out_of, score.points_tenths) for score in result.scores}


def faults(town: Township) -> list[str]:
    """What the audit finds."""
    with town.resources.database.read() as session:
        return [str(each) for each in verify(session)]


def leader_of(town: Township, number: str) -> str:
    """The name of a site's leader."""
    with town.resources.database.read() as session:
        query = select(Person.name).join(Site, Site.leader_id == Person.id).where(Site.number == number)
        return session.scalars(query).one()
