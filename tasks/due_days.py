"""
A due day counted over an unpublished year, counted anew: what time decides by it is decided on the right day.

Called by the sweep before anything is fired, and again by whatever lets time decide: the sweep may have come to grief.
"""

from models.work_item import WorkItem
from policies.vocabulary import WorkItemStatus
from rules.calendar import WorkCalendar
from rules.periods import Schedule, plan
from tasks.act import Act
from tasks.cases import policy_of
from tasks.escalations import pending
from tasks.history import SYSTEM, append
from tasks.mail import chinese_date


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
        data={"work_item": item.id, "before": before.isoformat(), "due_on": item.due_on.isoformat()},
    )
