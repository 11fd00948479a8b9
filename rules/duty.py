"""
What a listed parlour owes again and again, and which steps of it fall due when: themes by month, activities by week.

Pure: days in Asia/Shanghai, no clock. Used by `tasks.duties`; it decides nothing about a single site.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from policies.life_scheme import MonthlyTheme
from policies.life_words import DutyStep

WEEK = timedelta(days=7)
TO_LEADERS = frozenset({DutyStep.ASK, DutyStep.REMIND})
"""The steps of a month that are told to leaders; the others go to who is above them."""


@dataclass(frozen=True)
class Step:
    """
    One step of a period.

    Args:
        step: which.
        seq: the n-th reminder; else 1.
        due_on: the day it falls due.
    """

    step: DutyStep
    seq: int
    due_on: date


@dataclass(frozen=True)
class Round:
    """
    What is to be done about a period now.

    Args:
        told: the latest step that is due and was not done; None: it was overtaken, nothing is told.
        merged: the missed steps before it, which it stands for.
    """

    told: Step | None
    merged: tuple[Step, ...]

    @property
    def tells_leaders(self) -> bool:
        """Whether leaders hear: of the step itself, or because a step that was theirs was missed."""
        return self.told is not None and any(each.step in TO_LEADERS for each in (self.told, *self.merged))

    @property
    def escalates(self) -> bool:
        """Whether the role above hears who has not answered."""
        return self.told is not None and self.told.step is DutyStep.ESCALATE


def month_of(day: date) -> date:
    """Return the first day of the month of `day`."""
    return day.replace(day=1)


def months_on(month: date, count: int) -> date:
    """Return the first day of the month that is `count` months after `month`, before it if negative."""
    year, index = divmod(month.year * 12 + month.month - 1 + count, 12)
    return date(year, index + 1, 1)


def months_from(first: date, last: date) -> Iterator[date]:
    """Yield the first days of the months from that of `first` to that of `last`, both included."""
    month = month_of(first)
    while month <= last:
        yield month
        month = months_on(month, 1)


def monday_of(day: date) -> date:
    """Return the Monday of the week of `day`; a week is Monday to Sunday (D0-R13)."""
    return day - timedelta(days=day.weekday())


def sunday_of(monday: date) -> date:
    """Return the last day of the week that begins on `monday`."""
    return monday + WEEK - timedelta(days=1)


def weeks_from(first: date, last: date) -> Iterator[date]:
    """Yield the Mondays of the whole weeks that begin on or after `first` and are over before `last`."""
    monday = monday_of(first + WEEK - timedelta(days=1))
    while monday + WEEK <= last:
        yield monday
        monday += WEEK


def theme_due(month: date, policy: MonthlyTheme) -> date:
    """
    Return the day by which the theme of `month` is due.

    Source: D0-R12; policy `monthly_theme.due_day_of_month_before`.

    Args:
        month: its first day.
    """
    return months_on(month, -1).replace(day=policy.due_day_of_month_before)


def theme_asked(month: date, policy: MonthlyTheme) -> date:
    """Return the day on which the leaders are asked for the theme of `month`; who is active from it on owes one."""
    return theme_due(month, policy) - timedelta(days=policy.ask_days_before)


def theme_steps(month: date, policy: MonthlyTheme) -> tuple[Step, ...]:
    """
    Return the steps of a theme month in the order in which they fall due: ask, reminders, escalation.

    Source: D0-R12; policy `monthly_theme`, calendar days.
    """
    due = theme_due(month, policy)
    reminders = enumerate(sorted(policy.remind.days_before, reverse=True), start=1)
    return (
        Step(DutyStep.ASK, 1, theme_asked(month, policy)),
        *(Step(DutyStep.REMIND, seq, due - timedelta(days=days)) for seq, days in reminders),
        Step(DutyStep.ESCALATE, 1, due + timedelta(days=policy.escalate.after_days)),
    )


def week_steps(monday: date) -> tuple[Step, ...]:
    """Return the one step of a week: it is reported on the Monday after it (D0-R13)."""
    return (Step(DutyStep.REPORT, 1, monday + WEEK),)


def spoken_month(month: date) -> str:
    """Return a month as people say it: ``2026年3月``."""
    return f"{month.year}年{month.month}月"


def spoken_week(monday: date) -> str:
    """Return a week as people say it, its last day included: ``2026年3月2日至3月8日``."""
    last = sunday_of(monday)
    until = f"{last.month}月{last.day}日" if last.year == monday.year else f"{last.year}年{last.month}月{last.day}日"
    return f"{monday.year}年{monday.month}月{monday.day}日至{until}"


def round_of(steps: Sequence[Step], *, done: Collection[tuple[DutyStep, int]], on: date) -> Round | None:
    """
    Return what is to be done about a period on the day `on`; None: nothing.

    Args:
        steps: of the period, in the order in which they fall due.
        done: steps that were done before, with their numbers.
    """
    due = [each for each in steps if each.due_on <= on]
    open_ = [each for each in due if (each.step, each.seq) not in done]
    if not open_:
        return None
    # A step that a change of edition put before one that was done has been overtaken.
    if open_[-1] is not due[-1]:
        return Round(told=None, merged=tuple(open_))
    return Round(told=open_[-1], merged=tuple(open_[:-1]))


def late_days(step: Step, *, on: date) -> int:
    """Return by how many calendar days a step is late that is done on the day `on`; 0: in time."""
    return max((on - step.due_on).days, 0)
