"""Timers, taken once each, and what they tell: those who decide before the day, the higher role after it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypedDict

from sqlalchemy import CursorResult, select, update

from models.work_item import Timer, WorkItem
from notifications.letters import Escalation, Reminder
from policies.sections import Escalation as ReportedTo
from policies.sections import Window
from policies.vocabulary import Role, TimerKind
from tasks.act import Act
from tasks.cases import deciders, entitled, local_day, policy_of
from tasks.history import SYSTEM, append
from tasks.mail import about, chinese_date, due_note, send, to_person


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
    policy = reported_to(item)
    above = entitled(act.session, item.case, policy.to, on=act.day)
    responsible = [each.display for each in deciders(act.session, item, on=act.day)]
    letter = escalation(item, timer, responsible=responsible, at=act.at, decided=decided)
    send(act, item.case, letter, [to_person(each) for each in above], event=f"timer-{timer.id}")
    item.escalated_at = act.at
    told = told_escalated(item, timer, [each.display for each in above], role=policy.to)
    append(act.session, item.case, actor=SYSTEM, at=act.at, **told)


def reported_to(item: WorkItem) -> ReportedTo:
    """Return to whom a late gate is reported; LookupError when that is nobody."""
    policy = policy_of(item.case, item.gate).escalate
    if policy is None:
        raise LookupError(f"gate {item.gate} of case {item.case.number} is reported to nobody")
    return policy


def reminder(item: WorkItem, timer: Timer, *, waiting_for: tuple[str, ...], at: datetime) -> Reminder:
    """Return the letter by which those who decide are reminded of `item`."""
    return Reminder(
        **about(item.case),
        gate=item.gate.label,
        due_on=item.due_on,
        days_left=(item.due_on - local_day(at)).days,
        due_note=due_note(item),
        late_note=late_note(timer.fires_at, at),
        waiting_for=waiting_for,
        ends_itself=isinstance(policy_of(item.case, item.gate), Window),
    )


def escalation(
    item: WorkItem, timer: Timer, *, responsible: Sequence[str], at: datetime, decided: str = ""
) -> Escalation:
    """Return the letter by which the late `item` is reported to the higher role."""
    return Escalation(
        **about(item.case),
        gate=item.gate.label,
        due_on=item.due_on,
        days_late=max((local_day(at) - item.due_on).days, 0),
        responsible=tuple(responsible),
        late_note=late_note(timer.fires_at, at),
        decided=decided,
    )


class Fact(TypedDict):
    """What the history keeps of a timer that has fired, as `tasks.history.append` takes it."""

    kind: str
    summary: str
    data: dict[str, Any]


def told_reminded(item: WorkItem, timer: Timer, to: Sequence[str]) -> Fact:
    """Return the fact that those who decide were reminded."""
    return Fact(kind="reminded", summary=f"提醒办理“{item.gate.label}”:{'、'.join(to)}", data=_fired(item, timer))


def told_escalated(item: WorkItem, timer: Timer, to: Sequence[str], *, role: Role) -> Fact:
    """Return the fact that the late gate was reported to the higher role."""
    names = "、".join(to) or "(登记簿中尚无人担任)"
    summary = f"“{item.gate.label}”逾期,已报{role.label}督办:{names}"
    return Fact(kind="escalated", summary=summary, data=_fired(item, timer))


def _fired(item: WorkItem, timer: Timer) -> dict[str, Any]:
    return {"work_item": item.id, "timer": timer.id, "should_fire_at": timer.fires_at.isoformat()}
