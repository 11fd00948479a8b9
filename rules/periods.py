"""
When a gate is due, when its people are reminded, when it is late.

Periods follow Civil Code art. 201-203: the day a period starts is not counted unless the policy counts it, it ends
with its last day, and a last day on which offices do not work moves to the next working day. A last day that somebody
named is kept as named. Days are Shanghai days; instants are UTC.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from policies.notice_scheme import NoticePeriod
from policies.sections import Timing
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


def due_on(starts_on: date, *, days: int, unit: DayUnit, calendar: WorkCalendar, start_counted: bool = False) -> date:
    """
    Return the last day of a period.

    Source: Civil Code art. 201 (start not counted), 203 (a last day off moves on); D2-R10 (the start may count).

    Args:
        starts_on: the Shanghai day on which the period starts.
        days: length, >= 1, in `unit`.
        unit: which days count.
        calendar: tells working days.
        start_counted: whether `starts_on` is the first day; of working days it is so only if it is one itself.
    """
    if days < 1:
        raise ValueError(f"a period has at least one day, not {days}")
    match unit:
        case DayUnit.WORKING_DAYS:
            counted = start_counted and calendar.is_working_day(starts_on)
            return calendar.shift(starts_on, working_days=days - counted)
        case DayUnit.CALENDAR_DAYS:
            return calendar.on_or_after(starts_on + timedelta(days=days - start_counted))


def plan(timing: Timing, *, opened_at: datetime, calendar: WorkCalendar) -> Schedule:
    """
    Work out everything time will do to a gate that opens at `opened_at`.

    Reminders go out at nine o'clock on their days; one whose time is past when the gate opens is left out. The
    escalation goes out at nine o'clock on its day, or when the period ends if it is due at once. A gate without
    reminders or escalation has none.

    Args:
        timing: the gate's policy.
        opened_at: aware; its Shanghai day starts the period.
        calendar: tells working days.
    """
    last = due_on(
        shanghai_day(opened_at),
        days=timing.due.days,
        unit=timing.due.unit,
        calendar=calendar,
        start_counted=isinstance(timing.due, NoticePeriod) and timing.due.start_counted,
    )
    late_on = _late_on(timing, last, calendar)
    return Schedule(
        due_on=last,
        due_at=end_of(last),
        provisional=not calendar.is_published(max(last, late_on or last)),
        timers=_timers(timing, last=last, opened_at=opened_at, calendar=calendar),
    )


def plan_until(timing: Timing, *, opened_at: datetime, last: date, calendar: WorkCalendar) -> Schedule:
    """
    Work out everything time will do to a gate whose last day is named elsewhere: a call's, a milestone's, a notice's.

    The same timers as `plan` makes, relative to `last`, with the same numbers. `last` is kept even if offices do not
    work on it, and is never provisional: no arrangement of holidays moves a day that somebody named.

    Args:
        timing: the gate's policy; its `due.days` is not used, its unit counts the reminders.
        opened_at: aware; reminders that should have gone out before are left out, while an escalation or a lapse that
            is already due stays, to be done at once.
        last: the last day, Shanghai; may lie before the opening.
        calendar: tells working days.
    """
    return Schedule(
        due_on=last,
        due_at=end_of(last),
        provisional=False,
        timers=_timers(timing, last=last, opened_at=opened_at, calendar=calendar),
    )


def _timers(timing: Timing, *, last: date, opened_at: datetime, calendar: WorkCalendar) -> tuple[PlannedTimer, ...]:
    unit, due_at = timing.due.unit, end_of(last)
    reminders = enumerate(timing.remind.days_before if timing.remind else (), start=1)
    timers = [
        (TimerKind.REMINDER, seq, fires_at)
        for seq, days in reminders
        if (fires_at := _at(_shift(last, -days, unit=unit, calendar=calendar), OFFICE_OPENS)) > opened_at
    ]
    late_on = _late_on(timing, last, calendar)
    if late_on is not None:
        timers.append((TimerKind.ESCALATION, 1, due_at if late_on == last else _at(late_on, OFFICE_OPENS)))
    if timing.lapse is not None:
        timers.append((TimerKind.LAPSE, 1, due_at))
    return tuple(
        PlannedTimer(kind=kind, seq=seq, fires_at=fires_at, due_at=due_at)
        for kind, seq, fires_at in sorted(timers, key=lambda timer: timer[2])
    )


def _late_on(timing: Timing, last: date, calendar: WorkCalendar) -> date | None:
    if timing.escalate is None:
        return None
    return _shift(last, timing.escalate.after_days, unit=timing.due.unit, calendar=calendar)


def _shift(day: date, days: int, *, unit: DayUnit, calendar: WorkCalendar) -> date:
    match unit:
        case DayUnit.WORKING_DAYS:
            return calendar.shift(day, working_days=days)
        case DayUnit.CALENDAR_DAYS:
            return day + timedelta(days=days)


def _at(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, tzinfo=SHANGHAI).astimezone(UTC)
