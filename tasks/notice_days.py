"""
The last day of a notice that stands: by the calendar as it is known now, and moved (D2-R10).

What was published never changes.
"""

from datetime import date

from models.case import Case
from models.notice import Notice
from models.work_item import WorkItem
from rules.calendar import WorkCalendar
from rules.periods import shanghai_day
from runtime.resources import edition_of
from tasks import items
from tasks.act import Act
from tasks.cases import notice_of
from tasks.history import SYSTEM, append
from tasks.mail import chinese_date
from tasks.notice_mail import tell_prolonged
from tasks.notices import last_day_of


def last_by_the_calendar(case: Case, notice: Notice, calendar: WorkCalendar) -> date:
    """Return the last day of a notice by the calendar as it is known now."""
    if any(each["by"] != SYSTEM for each in notice.prolonged):
        return calendar.on_or_after(notice.ends_on)  # a day that somebody named
    period = edition_of(case).for_notices.gates.notice_period.due
    return last_day_of(period, shanghai_day(notice.published_at), calendar)


def follow(act: Act, item: WorkItem, last: date) -> None:
    """Let a notice, its case held locked, stand until the day that the calendar gives it."""
    reason = f"{item.due_on.year}年放假安排公布,末日依规定顺延"
    prolong(act, item, last, by=SYSTEM, actor=SYSTEM, reason=reason)


def prolong(act: Act, item: WorkItem, last: date, *, by: str, actor: str, reason: str) -> None:
    """Let a notice, its case held locked, stand until another last day: its timers move, its people are told."""
    notice, before = notice_of(act.session, item.case), item.due_on
    change = {
        "on": act.day.isoformat(),
        "from": before.isoformat(),
        "to": last.isoformat(),
        "by": by,
        "reason": reason,
    }
    notice.prolonged = [*notice.prolonged, change]
    notice.ends_on = last
    notice.changed_seq += 1
    items.prolong(act, item, last)
    append(
        act.session,
        item.case,
        kind="notice_prolonged",
        actor=actor,
        summary=f"公示由{chinese_date(before)}延期至{chinese_date(last)}24时,理由:{reason}",
        at=act.at,
        data={"notice": notice.id, **change},
    )
    tell_prolonged(act, notice)
