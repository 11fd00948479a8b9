"""
A notice stands longer, by the office's word or by the calendar: its last day moves, and with it its timers (D2-R10).

What was published never changes.
"""

import logging
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from models.case import Case
from models.notice import Notice
from models.work_item import WorkItem
from policies.vocabulary import Gate, WorkItemStatus
from rules.calendar import WorkCalendar
from rules.notice_period import check_prolonging
from runtime.resources import Resources, edition_of
from tasks.act import acting
from tasks.audit_rows import read_or
from tasks.cases import Asked, notice_of
from tasks.deciding import deciding, item_to_decide
from tasks.history import SYSTEM
from tasks.notice_commands import ProlongNotice
from tasks.notice_days import follow, last_by_the_calendar, prolong
from tasks.objections import check_office, load_notice

log = logging.getLogger(__name__)


def prolong_notice(resources: Resources, command: ProlongNotice, *, at: datetime, asked: Asked | None = None) -> date:
    """
    Let a notice stand longer, within what its edition allows; its people are told, its page says so.

    A repeat is refused, because a last day is not later than itself.

    Returns:
        The new last day.

    Raises:
        Refused: the period is over, too often, too long, not later, or a day off.
    """
    with deciding(resources, at=at) as act:
        case = load_notice(act.session, command.case)
        item = item_to_decide(act, case, asked, Gate.NOTICE_PERIOD)
        person = check_office(act, case, command.by)
        notice = notice_of(act.session, case)
        check_prolonging(
            edition_of(case).for_notices.prolonging,
            times=sum(each["by"] != SYSTEM for each in notice.prolonged),
            last=item.due_on,
            new_last=command.until,
            calendar=resources.calendar,
        )
        prolong(act, item, command.until, by=person.name, actor=person.display, reason=command.reason)
        return command.until


def follow_calendar(resources: Resources, *, at: datetime) -> int:
    """
    Let notices that stand over a year whose arrangement has come out meanwhile end on a working day.

    The published day stays unless the law moves it: a last day that turns out to be off goes on to the next working
    day, and working days that turn out to be off are made up for; never to an earlier day. To be called before what
    is due is fired. Safe to repeat because only a day that moves is written. One that can not be moved is left to
    its lapse, which counts the day again, and records why it can not be.

    Source: Civil Code art. 203; the notice said that its last day was provisional.

    Returns:
        How many notices moved.
    """
    with resources.database.read() as session:
        moving = [
            (item.case.number, item.id)
            for item, notice in _standing(session)
            if _moves(item, notice, resources.calendar)
        ]
    moved = 0
    for number, item_id in moving:
        try:
            moved += _move_on(resources, number, item_id, at=at)
        except Exception:  # a broken notice must not stop the others, nor the deadlines that are fired next
            log.exception("the last day of case %s can not be moved", number)
    return moved


def _move_on(resources: Resources, number: str, item_id: int, *, at: datetime) -> bool:
    with acting(resources, at=at) as act:
        case = load_notice(act.session, number)
        item = act.session.get_one(WorkItem, item_id, populate_existing=True)
        last = last_by_the_calendar(case, notice_of(act.session, case), resources.calendar)
        if item.status is not WorkItemStatus.OPEN or last <= item.due_on:
            return False
        follow(act, item, last)
        return True


def _standing(session: Session) -> list[tuple[WorkItem, Notice]]:
    """Return the notices that stand; one that can not be read keeps no other from its day, its lapse tells of it."""
    query = (
        select(WorkItem, Notice)
        .join(Notice, Notice.case_id == WorkItem.case_id)
        .where(WorkItem.gate == Gate.NOTICE_PERIOD, WorkItem.status == WorkItemStatus.OPEN)
        .order_by(WorkItem.id)
    )
    whole = query.options(joinedload(WorkItem.case).joinedload(Case.edition))

    def one(item_id: int) -> list[tuple[WorkItem, Notice]]:
        alone = whole.where(WorkItem.id == item_id)
        return read_or(lambda: list(session.execute(alone).tuples()), list)

    def one_by_one() -> list[tuple[WorkItem, Notice]]:
        ids = session.scalars(query.with_only_columns(WorkItem.id)).all()
        return [found for each in ids for found in one(each)]

    return read_or(lambda: list(session.execute(whole).tuples()), one_by_one)


def _moves(item: WorkItem, notice: Notice, calendar: WorkCalendar) -> bool:
    """Return whether the calendar moves a notice's last day on; a broken notice must not stop the others."""
    try:
        return last_by_the_calendar(item.case, notice, calendar) > item.due_on
    except Exception:
        log.exception("the last day of case %s can not be counted", item.case.number)
        return False
