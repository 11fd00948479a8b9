"""
When a gate is due, when its people are reminded, when it is late.

Periods follow Civil Code art. 201-203: the day a period starts is not counted, it ends with its last day, and a last
day on which offices do not work moves to the next working day. Days are Shanghai days; instants are UTC.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from policies.sections import GatePolicy
from policies.vocabulary import DayUnit, TimerKind
from rules.calendar import WorkCalendar

SHANGHAI = ZoneInfo("Asia/Shanghai")

OFFICE_OPENS = time(9)
"""Hour of the day, in Shanghai, at which reminders and escalations go out."""


@dataclass(frozen=True)
class PlannedTimer:
    """Something time will do to an open gate."""

    kind: TimerKind
    seq: int
    """1, 2, ... within the kind, the earliest first; the same when the gate is planned again."""
    fires_at: datetime
    """UTC."""
    due_at: datetime
    """The gate's due time it belongs to, UTC."""


@dataclass(frozen=True)
class Schedule:
    """What time holds for one gate."""

    due_on: date
    """Last day, Shanghai."""
    due_at: datetime
    """The end of that day, UTC: a decision is in time before it, not at it."""
    provisional: bool
    """A counted day lies in a year whose holidays are not published; plan again when they are."""
    timers: tuple[PlannedTimer, ...]
    """In the order in which they fire; at one instant the escalation precedes the lapse."""


def shanghai_day(at: datetime) -> date:
    """Return the day in Shanghai at the instant `at` (aware)."""
    if at.tzinfo is None:
        raise ValueError(f"naive datetime: {at!r}")
    return at.astimezone(SHANGHAI).date()


def end_of(day: date) -> datetime:
    """Return the UTC instant of the midnight that ends the Shanghai `day`; the day is the half-open time before it."""
    return _at(day + timedelta(days=1), time(0))


def due_on(starts_on: date, *, days: int, unit: DayUnit, calendar: WorkCalendar) -> date:
    """
    Return the last day of a period.

    Source: Civil Code art. 201 (start not counted), 203 (a last day off moves on).

    Args:
        starts_on: the Shanghai day on which the period starts; not counted.
        days: length, >= 1, in `unit`.
        unit: which days count.
        calendar: tells working days.
    """
    if days < 1:
        raise ValueError(f"a period has at least one day, not {days}")
    match unit:
        case DayUnit.WORKING_DAYS:
            return calendar.shift(starts_on, working_days=days)
        case DayUnit.CALENDAR_DAYS:
            return calendar.on_or_after(starts_on + timedelta(days=days))


def plan(policy: GatePolicy, *, opened_at: datetime, calendar: WorkCalendar) -> Schedule:
    """
    Work out everything time will do to a gate that opens at `opened_at`.

    Reminders go out at nine o'clock on their days; all lie after the opening, because a policy's reminders are
    shorter than its period. The escalation goes out at nine o'clock on its day, or when the period ends if it is due
    at once.

    Args:
        policy: the gate's policy.
        opened_at: aware; its Shanghai day starts the period and is not counted.
        calendar: tells working days.
    """
    unit = policy.due.unit
    last = due_on(shanghai_day(opened_at), days=policy.due.days, unit=unit, calendar=calendar)
    due_at = end_of(last)
    timers = [
        (TimerKind.REMINDER, seq, _at(_shift(last, -days, unit=unit, calendar=calendar), OFFICE_OPENS))
        for seq, days in enumerate(policy.remind.days_before, start=1)
    ]
    late_on = _shift(last, policy.escalate.after_days, unit=unit, calendar=calendar)
    timers.append((TimerKind.ESCALATION, 1, due_at if policy.escalate.after_days == 0 else _at(late_on, OFFICE_OPENS)))
    if policy.lapse is not None:
        timers.append((TimerKind.LAPSE, 1, due_at))
    return Schedule(
        due_on=last,
        due_at=due_at,
        provisional=not calendar.is_published(max(last, late_on)),
        timers=tuple(
            PlannedTimer(kind=kind, seq=seq, fires_at=fires_at, due_at=due_at)
            for kind, seq, fires_at in sorted(timers, key=lambda timer: timer[2])
        ),
    )


def _shift(day: date, days: int, *, unit: DayUnit, calendar: WorkCalendar) -> date:
    match unit:
        case DayUnit.WORKING_DAYS:
            return calendar.shift(day, working_days=days)
        case DayUnit.CALENDAR_DAYS:
            return day + timedelta(days=days)


def _at(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, tzinfo=SHANGHAI).astimezone(UTC)
