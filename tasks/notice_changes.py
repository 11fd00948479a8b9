"""A notice stands longer: its last day moves, and with it its timers; what was published never changes (D2-R10)."""

from datetime import date, datetime

from sqlalchemy import delete, func, select

from models.work_item import Timer, WorkItem
from policies.vocabulary import Gate
from rules.notice_period import check_prolonging
from rules.periods import plan_until
from runtime.resources import Resources, edition_of
from tasks.act import Act, acting
from tasks.cases import Asked, item_asked, notice_of, policy_of
from tasks.history import append
from tasks.lapses import lapse_if_over
from tasks.mail import chinese_date
from tasks.notice_commands import ProlongNotice
from tasks.notice_mail import tell_prolonged
from tasks.objections import check_office, load_notice


def prolong_notice(resources: Resources, command: ProlongNotice, *, at: datetime, asked: Asked | None = None) -> date:
    """
    Let a notice stand longer, within what its edition allows; its people are told, its page says so.

    A repeat is refused, because a last day is not later than itself.

    Returns:
        The new last day.

    Raises:
        Refused: the period is over, too often, too long, not later, or a day off.
    """
    lapse_if_over(resources, command.case, at=at)
    with acting(resources, at=at) as act:
        case = load_notice(act.session, command.case)
        item = item_asked(act.session, case, asked, Gate.NOTICE_PERIOD, at=at)
        person = check_office(act, case, command.by)
        notice, before = notice_of(act.session, case), item.due_on
        check_prolonging(
            edition_of(case).for_notices.prolonging,
            times=len(notice.prolonged),
            last=before,
            new_last=command.until,
            calendar=resources.calendar,
        )
        change = {
            "on": act.day.isoformat(),
            "from": before.isoformat(),
            "to": command.until.isoformat(),
            "by": person.name,
            "reason": command.reason,
        }
        notice.prolonged = [*notice.prolonged, change]
        notice.ends_on = command.until
        notice.changed_seq += 1
        _move(act, item, command.until)
        append(
            act.session,
            case,
            kind="notice_prolonged",
            actor=person.display,
            summary=f"公示由{chinese_date(before)}延期至{chinese_date(command.until)}24时,理由:{command.reason}",
            at=at,
            data={"notice": notice.id, **change},
        )
        tell_prolonged(act, notice)
        return command.until


def _move(act: Act, item: WorkItem, last: date) -> None:
    """Give an open work item another last day; timers that have fired stay, the others are planned anew."""
    schedule = plan_until(policy_of(item.case, item.gate), opened_at=act.at, last=last, calendar=act.resources.calendar)
    item.due_on, item.due_at = schedule.due_on, schedule.due_at
    act.session.execute(delete(Timer).where(Timer.work_item_id == item.id, Timer.fired_at.is_(None)))
    fired = dict(
        act.session.execute(
            select(Timer.kind, func.max(Timer.seq)).where(Timer.work_item_id == item.id).group_by(Timer.kind)
        )
        .tuples()
        .all()
    )
    act.session.add_all(
        Timer(work_item_id=item.id, kind=timer.kind, seq=fired.get(timer.kind, 0) + timer.seq, fires_at=timer.fires_at)
        for timer in schedule.timers
    )
    act.session.flush()
