"""Timers, taken once each, and what a late gate tells the higher role: used by the sweep and by a lapse."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import CursorResult, select, update

from models.work_item import Timer, WorkItem
from notifications.letters import Escalation
from policies.vocabulary import TimerKind
from tasks.act import Act
from tasks.cases import deciders, entitled, local_day, policy_of
from tasks.history import SYSTEM, append
from tasks.mail import about, chinese_date, send, to_person


def pending(act: Act, item_id: int) -> Sequence[Timer]:
    """Return the timers of a work item that have not fired, in the order in which they are due."""
    return act.session.scalars(
        select(Timer)
        .where(Timer.work_item_id == item_id, Timer.fired_at.is_(None))
        .order_by(Timer.fires_at, Timer.id)
        .execution_options(populate_existing=True)
    ).all()


def take(act: Act, timer: Timer) -> bool:
    """Mark a timer as fired; False when somebody else has fired it."""
    taken = act.session.execute(
        update(Timer).where(Timer.id == timer.id, Timer.fired_at.is_(None)).values(fired_at=act.at)
    )
    assert isinstance(taken, CursorResult)  # noqa: S101 - an UPDATE always gives one; the stubs do not know
    return taken.rowcount == 1


def late_note(fires_at: datetime, at: datetime) -> str:
    """Return what a letter says when it goes out on a later day than it should have; empty when it is in time."""
    if local_day(fires_at) == local_day(at):
        return ""
    return f"本函应于{chinese_date(local_day(fires_at))}发出,因系统停运推迟至今天"


def escalate_due(act: Act, item: WorkItem, *, decided: str = "") -> int:
    """
    Report the late gate to the higher role, if its escalation is due.

    Args:
        decided: what time decides at this very moment; empty: the gate stays open.

    Returns:
        How many escalations went out.
    """
    fired = 0
    for timer in pending(act, item.id):
        if timer.kind is TimerKind.ESCALATION and timer.fires_at <= act.at and take(act, timer):
            _escalate(act, item, timer, decided)
            fired += 1
    return fired


def _escalate(act: Act, item: WorkItem, timer: Timer, decided: str) -> None:
    policy = policy_of(item.case, item.gate).escalate
    if policy is None:
        raise LookupError(f"gate {item.gate} of case {item.case.number} is reported to nobody")
    above = entitled(act.session, item.case, policy.to, on=act.day)
    letter = Escalation(
        **about(item.case),
        gate=item.gate.label,
        due_on=item.due_on,
        days_late=max((act.day - item.due_on).days, 0),
        responsible=tuple(each.display for each in deciders(act.session, item, on=act.day)),
        late_note=late_note(timer.fires_at, act.at),
        decided=decided,
    )
    send(act, item.case, letter, [to_person(each) for each in above], event=f"timer-{timer.id}")
    item.escalated_at = act.at
    names = "、".join(each.display for each in above) or "(登记簿中尚无人担任)"
    tell_fired(act, item, timer, "escalated", f"“{item.gate.label}”逾期,已报{policy.to.label}督办:{names}")


def tell_fired(act: Act, item: WorkItem, timer: Timer, kind: str, summary: str) -> None:
    """Put into the history that a timer has fired, and when it should have."""
    append(
        act.session,
        item.case,
        kind=kind,
        actor=SYSTEM,
        summary=summary,
        at=act.at,
        data={"work_item": item.id, "timer": timer.id, "should_fire_at": timer.fires_at.isoformat()},
    )
