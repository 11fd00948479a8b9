"""
A due day counted over an unpublished year, counted anew: what time decides by it is decided on the right day.

Called by the sweep before anything is fired, and again by whatever lets time decide: the sweep may have come to grief.
"""

from collections.abc import Callable
from functools import partial

from models.work_item import WorkItem
from policies.vocabulary import Gate, WorkItemStatus
from rules.calendar import WorkCalendar
from rules.periods import Schedule, plan
from tasks.act import Act
from tasks.cases import notice_of, policy_of
from tasks.escalations import pending
from tasks.history import SYSTEM, append
from tasks.mail import chinese_date
from tasks.notice_days import follow, last_by_the_calendar


def is_over(act: Act, item: WorkItem) -> bool:
    """
    Return whether the day of an open work item is over, having given it the day that the calendar gives it now.

    Args:
        item: of a case that the caller holds locked.
    """
    if act.at >= item.due_at and (moves_on := moved_on(act, item)) is not None:
        moves_on()
    return act.at >= item.due_at


def moved_on(act: Act, item: WorkItem) -> Callable[[], None] | None:
    """Return what gives an open work item the due day that the calendar gives it now; None: it has it."""
    if item.gate is Gate.NOTICE_PERIOD:
        last = last_by_the_calendar(item.case, notice_of(act.session, item.case), act.resources.calendar)
        return partial(follow, act, item, last) if last > item.due_on else None
    schedule = counted_anew(item, calendar=act.resources.calendar)
    return partial(reschedule, act, item, schedule) if schedule is not None else None


def counted_anew(item: WorkItem, *, calendar: WorkCalendar) -> Schedule | None:
    """Return the schedule of an open work item by the calendar as it is now; None: it stands as it was counted."""
    if item.status is not WorkItemStatus.OPEN or not item.provisional or item.due_named:
        return None
    schedule = plan(policy_of(item.case, item.gate), opened_at=item.opened_at, calendar=calendar)
    stands = (schedule.due_on, schedule.provisional) == (item.due_on, item.provisional)
    return None if stands else schedule


def reschedule(act: Act, item: WorkItem, schedule: Schedule) -> None:
    """
    Give an open work item the due day that was counted anew; its timers that have fired stay.

    Args:
        item: of a case that the caller holds locked.
        schedule: from `counted_anew`.
    """
    before = item.due_on
    item.due_on, item.due_at, item.provisional = schedule.due_on, schedule.due_at, schedule.provisional
    fires = {(timer.kind, timer.seq): timer.fires_at for timer in schedule.timers}
    for timer in pending(act, item.id):
        timer.fires_at = fires.get((timer.kind, timer.seq), timer.fires_at)
    state = "暂定" if schedule.provisional else "确定"
    append(
        act.session,
        item.case,
        kind="due_day_recomputed",
        actor=SYSTEM,
        summary=f"放假安排公布,“{item.gate.label}”的期限由{chinese_date(before)}(暂定)"
        f"重算为{chinese_date(item.due_on)}({state})",
        at=act.at,
        data={
            "work_item": item.id,
            "before": before.isoformat(),
            "due_on": item.due_on.isoformat(),
            "provisional": item.provisional,
        },
    )
