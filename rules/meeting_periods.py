"""
When a regular meeting belongs to which period, when it is called, and for which day.

Periods are whole months counted from January, so that every office names them alike (a quarter begins in January,
April, July, October). Days are Shanghai days; instants are UTC.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from rules.calendar import WorkCalendar
from rules.periods import SHANGHAI

CALLED_AT = time(8)
"""Hour of the day, in Shanghai, at which a regular meeting is called; a technical default."""
MEETS_AT = time(14)
"""Hour of the day, in Shanghai, for which a regular meeting is proposed; a technical default."""
SPARE_DAYS = 7
"""Calendar days that the office has, beyond the notice that is owed, to settle place and chair; a technical default."""
MONTHS = 12


@dataclass(frozen=True)
class Period:
    """Whole months of one year."""

    first: date
    """Its first day."""
    last: date
    """Its last day."""

    @property
    def name(self) -> str:
        """What people call it, e.g. ``2026年第2季度``, ``2026年5月``, ``2026年上半年``, ``2026年1月至2月``."""
        year, begins, ends = self.first.year, self.first.month, self.last.month
        match ends - begins + 1:
            case 12:
                return f"{year}年度"
            case 6:
                return f"{year}年{'上' if begins == 1 else '下'}半年"
            case 3:
                return f"{year}年第{(begins + 2) // 3}季度"
            case 1:
                return f"{year}年{begins}月"
            case _:
                return f"{year}年{begins}月至{ends}月"


def period_of(day: date, *, every_months: int) -> Period:
    """
    Return the period that `day` lies in.

    Source: policy `joint_meeting.every_months` (D1-R4).

    Args:
        every_months: length in months; divides a year: 1, 2, 3, 4, 6 or 12.
    """
    if every_months < 1 or MONTHS % every_months:
        raise ValueError(f"a year does not divide into periods of {every_months} months")
    begins = (day.month - 1) // every_months * every_months + 1
    after = begins + every_months
    until = date(day.year + 1, 1, 1) if after > MONTHS else date(day.year, after, 1)
    return Period(first=date(day.year, begins, 1), last=until - timedelta(days=1))


def before(period: Period, *, every_months: int) -> Period:
    """Return the period before."""
    return period_of(period.first - timedelta(days=1), every_months=every_months)


def called_at(period: Period, calendar: WorkCalendar) -> datetime:
    """Return the instant, UTC, at which the meeting of `period` is called: in the morning of its first working day."""
    return moment(calendar.on_or_after(period.first), CALLED_AT)


def earliest_day(called_on: date, *, invite_days_before: int) -> date:
    """
    Return the earliest day on which a meeting called on `called_on` may be held.

    Source: policy `joint_meeting.invite_days_before` (calendar days).
    """
    return called_on + timedelta(days=invite_days_before)


def proposed_at(called_on: date, *, invite_days_before: int, calendar: WorkCalendar) -> datetime:
    """Return when a regular meeting is proposed, UTC: a working day far enough ahead, in the afternoon."""
    soonest = earliest_day(called_on, invite_days_before=invite_days_before) + timedelta(days=SPARE_DAYS)
    return moment(calendar.on_or_after(soonest), MEETS_AT)


def moment(day: date, clock: time) -> datetime:
    """Return the instant, UTC, at which it is `clock` in Shanghai on `day`."""
    return datetime.combine(day, clock, SHANGHAI).astimezone(UTC)
