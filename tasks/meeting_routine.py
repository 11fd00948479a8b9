"""
Regular joint meetings: called by the system once a period, in the morning of its first working day (D1-R4).

Called by the scheduled flow, and by the sweep when the flow did not come.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session, aliased

from models.case import Case, Site
from models.meeting import Meeting
from models.registry import Unit
from models.work_item import WorkItem
from policies.load import LoadedEdition
from policies.vocabulary import Door, Gate, Outcome, SiteStatus
from rules.meeting_periods import MEETS_AT, Period, before, called_at, moment, period_of, proposed_at
from rules.periods import shanghai_day
from runtime.resources import Resources
from tasks import meeting_agenda, meeting_mail, meetings
from tasks.act import acting
from tasks.each_town import serve_each
from tasks.history import SYSTEM
from tasks.living import Town, there_is, towns, towns_named
from tasks.mail import chinese_date
from tasks.openings import opened_by

GRACE = timedelta(hours=1)
"""How long the sweep leaves it to the schedule."""


def open_routine_meetings(
    resources: Resources, *, at: datetime, grace: timedelta = timedelta(), failures: list[str] | None = None
) -> list[str]:
    """
    Call the regular meeting of the period for every town that owes one and whose moment has come.

    Source: policy `joint_meeting.every_months` (D1-R4). A town owes one when a parlour of it was listed before the
    period began and still is in the register, unless its office called a meeting for a day of the period by itself.
    A period that is over, or whose meeting could no longer be held in it, is not made up for: two meetings would follow
    each other in the next one, whose letter says what was missed.

    Safe to repeat, and to run twice at once: a period's meeting has one key, asked for again under the town's lock.

    Args:
        grace: only what was due so long ago: what the sweep leaves to the schedule.
        failures: gets the towns in which it can not be called, in Chinese; None: they are raised in the end.

    Returns:
        The numbers of the meetings that were called now.
    """

    def owing(loaded: LoadedEdition) -> ColumnElement[bool] | None:
        period = _due(resources, loaded, at, grace)
        return None if period is None else and_(~_called(period), _owing(period))

    with resources.database.read() as session:
        found = towns_named(resources, session, on=shanghai_day(at), having=owing)

    def serve(town: Town) -> str:
        period = _due(resources, town.loaded, at, grace)
        return "" if period is None else _call(resources, town.unit.id, period, at)

    numbers = serve_each("例行联席会议", found, serve, failures=failures)
    return [number for number in numbers if number]


def catch_up(resources: Resources, at: datetime, failures: list[str] | None = None) -> str:
    """Call the regular meetings that the schedule missed by an hour; return what was called, in Chinese."""
    called = open_routine_meetings(resources, at=at, grace=GRACE, failures=failures)
    return f"补办例行联席会议{len(called)}次:{'、'.join(called)}" if called else ""


def key_of(town: Unit, period: Period) -> str:
    """Return what opens a town's meeting of a period, e.g. ``Z:meeting:2026-04-01``."""
    return town.code + _ending(period)


def _ending(period: Period) -> str:
    return f":meeting:{period.first.isoformat()}"


def _due(resources: Resources, loaded: LoadedEdition, at: datetime, grace: timedelta) -> Period | None:
    """Return the period whose meeting the towns of an edition are to call by now; None: there is none to call."""
    rule = loaded.edition.for_sites.joint_meeting
    if rule is None:
        return None
    today, calendar = shanghai_day(at), resources.calendar
    period = period_of(today, every_months=rule.every_months)
    proposed = proposed_at(today, invite_days_before=rule.invite_days_before, calendar=calendar)
    if shanghai_day(proposed) > period.last:
        return None
    return period if called_at(period, calendar) + grace <= at else None


def _called(period: Period) -> ColumnElement[bool]:
    """Return the condition that the meeting of the period was called by the routine for the town `Unit`."""
    return there_is(select(Case.id).where(Case.opening_key == Unit.code + _ending(period)).correlate(Unit))


def _call(resources: Resources, unit_id: int, period: Period, at: datetime) -> str:
    with acting(resources, at=at) as act:
        unit = act.session.get_one(Unit, unit_id, with_for_update={"of": Unit}, populate_existing=True)
        # Asked again under the lock: the flow and the sweep may have come at once.
        if opened_by(act.session, key_of(unit, period)) is not None or not _owes(act.session, unit, period):
            return ""
        town = next(towns(resources, act.session, on=act.day, having=lambda _: Unit.id == unit_id), None)
        rule = town.scheme.joint_meeting if town is not None else None
        # Somebody may have given the town another edition, or taken it away, in between.
        if town is None or rule is None:
            return ""
        last = before(period, every_months=rule.every_months)
        calendar = resources.calendar
        due_at = called_at(period, calendar)
        late_days = (act.day - shanghai_day(due_at)).days
        late_note = f"本次会议应于{chinese_date(shanghai_day(due_at))}召集，现予补办。" if late_days > 0 else ""
        case = meetings.summon(
            act,
            unit,
            town.loaded,
            title=f"{period.name}联席会议",
            meets_at=proposed_at(act.day, invite_days_before=rule.invite_days_before, calendar=calendar),
            place="",
            chair="",
            agenda=meeting_agenda.compose(act, unit, town.loaded, last=last),
            key=key_of(unit, period),
            actor=SYSTEM,
            door=Door.SYSTEM,
            period=period.first,
            late_note=late_note,
        )
        item = act.session.scalars(
            select(WorkItem).where(WorkItem.case_id == case.id, WorkItem.gate == Gate.MEETING)
        ).one()
        facts = [f"会期由系统拟定，不合适的可以办理延期（不早于召集后{rule.invite_days_before}日）"]
        if late_note:
            facts.append(late_note)
        if _missed(act.session, unit, last):
            facts.append(f"{last.name}没有召集过联席会议")
        meeting_mail.ask_to_settle(act, item, facts=tuple(facts))
        return case.number


def _owes(session: Session, town: Unit, period: Period) -> bool:
    """Return whether the town has a parlour older than the period, and its office has called no meeting in it."""
    return session.scalar(select(Unit.id).where(Unit.id == town.id, _owing(period))) is not None


def _owing(period: Period) -> ColumnElement[bool]:
    """Return the condition that the town `Unit` owes a meeting of the period, whether it was called or not."""
    village = aliased(Unit)
    begins, ends = moment(period.first, MEETS_AT.min), moment(period.last + timedelta(days=1), MEETS_AT.min)
    older = (
        select(Site.id)
        .join(village, village.id == Site.village_id)
        .where(
            village.parent_id == Unit.id,
            Site.status.in_((SiteStatus.ACTIVE, SiteStatus.SUSPENDED)),
            Site.activated_at < begins,
        )
        .correlate(Unit)
    )
    by_hand = (
        select(Meeting.id)
        .join(Case, Case.id == Meeting.case_id)
        .where(
            Meeting.unit_id == Unit.id,
            Meeting.period.is_(None),
            Meeting.meets_at >= begins,
            Meeting.meets_at < ends,
            (Case.outcome.is_(None)) | (Case.outcome != Outcome.CALLED_OFF),
        )
        .correlate(Unit)
    )
    return and_(there_is(older), ~there_is(by_hand))


def _missed(session: Session, town: Unit, last: Period) -> bool:
    """Return whether the town owed a meeting in the last period and none was called."""
    return _owes(session, town, last) and opened_by(session, key_of(town, last)) is None
