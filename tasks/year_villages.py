"""The facts by which a year's villages are evaluated, taken from the tables in a fixed number of queries (D0-R14)."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import case as sql_case
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.case import Case, Site
from models.meeting import Meeting, MeetingAttendance, Resolution
from models.registry import Unit
from models.site_life import SiteSpell
from policies.life_words import MeetingSeat, VillageFact
from policies.vocabulary import BeautifulVillage, Outcome, SiteStatus, UnitKind
from rules.grading import FULL_TENTHS, Figure, round_half_up, spoken_points
from rules.quota import targets
from tasks.year_figures import Year, sites_of_town

NOTHING = {
    VillageFact.SITES: "当年没有参加考核的客堂间",
    VillageFact.TARGET: "没有建设目标",
    VillageFact.MEETINGS: "当年没有须出席的联席会议",
    VillageFact.RESOLUTIONS: "当年没有到期的议定事项",
}
"""What is told of a village that owed nothing."""


def villages_of(session: Session, town: Unit) -> list[Unit]:
    """Return a town's villages, by code."""
    query = select(Unit).where(Unit.parent_id == town.id, Unit.kind == UnitKind.VILLAGE)
    return list(session.scalars(query.order_by(Unit.code)))


def village_figures(
    session: Session, year: Year, points: Mapping[int, Sequence[int]]
) -> dict[VillageFact, dict[int, Figure]]:
    """
    Return every fact of every village, by fact and by the village's id; who owed nothing is left out.

    Source: D0-R5, D1-R4.

    Args:
        points: of each village's evaluated sites, in tenths.
    """
    return {
        VillageFact.SITES: {village: _average(its) for village, its in points.items() if its},
        VillageFact.TARGET: _targets(session, year),
        VillageFact.MEETINGS: _meetings(session, year),
        VillageFact.RESOLUTIONS: _resolutions(session, year),
    }


def _average(points: Sequence[int]) -> Figure:
    mean = Figure(sum(points), FULL_TENTHS * len(points)).share(None)
    spoken = spoken_points(round_half_up(FULL_TENTHS * mean)) if mean is not None else ""
    return Figure(sum(points), FULL_TENTHS * len(points), f"所辖客堂间{len(points)}个，平均{spoken}分")


def _targets(session: Session, year: Year) -> dict[int, Figure]:
    groups = session.execute(
        select(Unit.parent_id, Unit.id, Unit.beautiful_village).where(
            Unit.kind == UnitKind.GROUP,
            Unit.parent_id.in_(select(Unit.id).where(Unit.parent_id == year.town.id, Unit.kind == UnitKind.VILLAGE)),
        )
    ).tuples()
    listed = set(
        session.scalars(
            select(Site.group_id)
            .join(SiteSpell, SiteSpell.site_id == Site.id)
            .where(
                Site.id.in_(sites_of_town(year.town)),
                SiteSpell.since <= year.last,
                (SiteSpell.until.is_(None)) | (SiteSpell.until > year.last),
                SiteSpell.status.in_((SiteStatus.ACTIVE, SiteStatus.SUSPENDED)),
            )
        )
    )
    grades: dict[int, Counter[BeautifulVillage]] = defaultdict(Counter)
    built: dict[int, Counter[BeautifulVillage]] = defaultdict(Counter)
    for village, group, grade in groups:
        if village is not None:
            grades[village][grade] += 1
            built[village][grade] += group in listed
    found = {}
    for village, its in grades.items():
        wanted = targets(year.scheme.targets, groups=its)
        owed = sum(wanted.values())
        # More than the target at one grade does not make up for too few at another.
        done = sum(min(built[village][grade], number) for grade, number in wanted.items())
        if owed:
            found[village] = Figure(done, owed, f"年末建设目标{owed}个组，已建成计入{done}个组")
    return found


def _meetings(session: Session, year: Year) -> dict[int, Figure]:
    rows = session.execute(
        select(MeetingAttendance.unit_id, MeetingAttendance.seat, func.count(MeetingAttendance.id))
        .join(Meeting, Meeting.id == MeetingAttendance.meeting_id)
        .where(
            Meeting.unit_id == year.town.id,
            Meeting.held_on >= year.first,
            Meeting.held_on <= year.last,
            MeetingAttendance.unit_id != year.town.id,
        )
        .group_by(MeetingAttendance.unit_id, MeetingAttendance.seat)
    )
    seats: dict[int, Counter[MeetingSeat | None]] = defaultdict(Counter)
    for unit_id, seat, count in rows.tuples():
        seats[unit_id][seat] = count
    return {
        unit_id: Figure(
            its[MeetingSeat.ATTENDED],
            its.total(),
            f"联席会议应到{its.total()}人次，出席{its[MeetingSeat.ATTENDED]}人次、请假{its[MeetingSeat.LEAVE]}人次",
        )
        for unit_id, its in seats.items()
    }


def _resolutions(session: Session, year: Year) -> dict[int, Figure]:
    in_time = func.sum(sql_case((Resolution.done_on <= Resolution.due_on, 1), else_=0))
    rows = session.execute(
        select(Case.unit_id, func.count(Resolution.id), in_time)
        .join(Case, Case.id == Resolution.case_id)
        .join(Unit, Unit.id == Case.unit_id)
        .where(
            Unit.parent_id == year.town.id,
            Unit.kind == UnitKind.VILLAGE,
            Resolution.due_on >= year.first,
            Resolution.due_on <= year.last,
            (Case.outcome.is_(None)) | (Case.outcome != Outcome.ABANDONED),
        )
        .group_by(Case.unit_id)
    )
    return {
        unit_id: Figure(int(done), count, f"当年到期的议定事项{count}件，按期落实{int(done)}件")
        for unit_id, count, done in rows.tuples()
    }
