"""Work items: opened with their due time and timers, closed by exactly one decision."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, cast

from sqlalchemy import Table, bindparam, delete, func, insert, select, update
from sqlalchemy.orm.attributes import set_committed_value

from models.case import Case
from models.outbox import OutboxEntry
from models.registry import Person
from models.work_item import Decision, Timer, WorkItem
from policies.vocabulary import Door, Gate, TimerKind, Verdict, WorkItemStatus
from rules.periods import PlannedTimer, plan, plan_until
from tasks.act import Act
from tasks.cases import already_decided, policy_of
from tasks.history import SYSTEM, append, decision_facts

_ITEMS, _TIMERS = cast("Table", WorkItem.__table__), cast("Table", Timer.__table__)
_CASES = cast("Table", Case.__table__)
_ADD_TIMER = insert(_TIMERS)
_LEAVE = (
    update(_ITEMS)
    .where(_ITEMS.c.id == bindparam("item"), _ITEMS.c.status == WorkItemStatus.OPEN)
    .values(status=bindparam("status"), closed_at=bindparam("closed_at"))
)
_COUNT = update(_CASES).where(_CASES.c.id == bindparam("in_case")).values(decision_seq=bindparam("count"))
_DROP_TIMERS = delete(_TIMERS).where(_TIMERS.c.work_item_id == bindparam("item"), _TIMERS.c.fired_at.is_(None))


def create(
    act: Act, case: Case, gate: Gate, round_: int, *, subject: OutboxEntry | None = None, last: date | None = None
) -> WorkItem:
    """
    Open a work item at `gate`: who decides, due when, what time will do.

    Args:
        case: locked.
        round_: the n-th time at this gate, from 1.
        subject: of an undelivered letter, the letter.
        last: the last day, when the matter itself names it (a call's window, a milestone); None: by the policy.
    """
    policy = policy_of(case, gate)
    calendar = act.resources.calendar
    if last is None:
        schedule = plan(policy, opened_at=act.at, calendar=calendar)
    else:
        schedule = plan_until(policy, opened_at=act.at, last=last, calendar=calendar)
    item = WorkItem(
        case_id=case.id,
        gate=gate,
        round=round_,
        role=policy.decided_by,
        opened_at=act.at,
        due_on=schedule.due_on,
        due_at=schedule.due_at,
        provisional=schedule.provisional,
        due_named=last is not None,
        lapses=policy.lapse is not None,
        subject_id=subject.id if subject else None,
    )
    act.session.add(item)
    act.session.flush()
    set_committed_value(item, "case", case)
    _add_timers(act, item, schedule.timers, fired={})
    append(
        act.session,
        case,
        kind="gate_opened",
        actor=SYSTEM,
        summary=f"开启“{gate.label}”(第{round_}轮),由{item.role.label}办理,期限至{item.due_on:%Y-%m-%d}"
        + ("(暂定)" if item.provisional else ""),
        at=act.at,
        data={
            "work_item": item.id,
            "gate": gate.value,
            "round": round_,
            "role": item.role.value,
            "due_on": item.due_on.isoformat(),
            "provisional": item.provisional,
            "named": item.due_named,
            "lapses": item.lapses,
            "clause": policy.due.where,
        },
    )
    return item


def _add_timers(act: Act, item: WorkItem, timers: Sequence[PlannedTimer], *, fired: Mapping[TimerKind, int]) -> None:
    """Keep what time will do to a work item; numbered after the timers of that kind that have fired."""
    rows = [
        {
            "work_item_id": item.id,
            "kind": timer.kind,
            "seq": fired.get(timer.kind, 0) + timer.seq,
            "fires_at": timer.fires_at,
        }
        for timer in timers
    ]
    if rows:
        act.session.connection().execute(_ADD_TIMER, rows)


def prolong(act: Act, item: WorkItem, last: date) -> None:
    """
    Give an open work item, its case held locked, a later last day that is named.

    Its timers are planned anew; those that have fired stay, their letters are out, and the new day is reminded of too.
    """
    schedule = plan_until(policy_of(item.case, item.gate), opened_at=act.at, last=last, calendar=act.resources.calendar)
    item.due_on, item.due_at = schedule.due_on, schedule.due_at
    act.session.execute(delete(Timer).where(Timer.work_item_id == item.id, Timer.fired_at.is_(None)))
    last_of = select(Timer.kind, func.max(Timer.seq)).where(Timer.work_item_id == item.id).group_by(Timer.kind)
    _add_timers(act, item, schedule.timers, fired=dict(act.session.execute(last_of).tuples().all()))


def close(
    act: Act,
    item: WorkItem,
    verdict: Verdict,
    *,
    by: Person | None,
    door: Door,
    reason: str = "",
    acknowledged: Sequence[str] = (),
    details: dict[str, Any] | None = None,
    effective_at: datetime | None = None,
) -> Decision:
    """
    Close `item` with a decision, if it still waits.

    Args:
        by: who decided; None when time or the system did.
        effective_at: when it counts from; None: now. A lapse counts from its due time.

    Raises:
        Refused: somebody else was first; says who.
    """
    if not _leave(act, item, WorkItemStatus.CLOSED):
        act.session.refresh(item)
        raise already_decided(item)
    decision = Decision(
        work_item_id=item.id,
        case_id=item.case_id,
        verdict=verdict,
        reason=reason,
        decided_by_id=by.id if by else None,
        door=door,
        decided_at=act.at,
        effective_at=effective_at or act.at,
        acknowledged=list(acknowledged),
        details=details or {},
    )
    act.session.add(decision)
    act.session.flush()
    if item.gate is not Gate.UNDELIVERED_LETTER:
        count = item.case.decision_seq + 1
        act.session.connection().execute(_COUNT, {"in_case": item.case_id, "count": count})
        set_committed_value(item.case, "decision_seq", count)
    append(
        act.session,
        item.case,
        kind="decision_taken",
        actor=by.display if by else SYSTEM,
        summary=decided(item, verdict, reason),
        at=act.at,
        data=decision_facts(decision),
    )
    set_committed_value(item, "decision", decision)
    return decision


def decided(item: WorkItem, verdict: Verdict, reason: str) -> str:
    """Return a decision as the history tells it."""
    because = f",理由:{reason}" if reason else ""
    return f"“{item.gate.label}”(第{item.round}轮):{verdict.label}{because}"


def cancel(act: Act, item: WorkItem) -> None:
    """Take back a work item that nobody needs to decide any more: its case came to an end elsewhere."""
    _leave(act, item, WorkItemStatus.CANCELLED)


def _leave(act: Act, item: WorkItem, status: WorkItemStatus) -> bool:
    """Let `item` wait no longer, and time do nothing to it any more; False when it had left off waiting before."""
    act.session.flush()
    connection = act.session.connection()
    left = connection.execute(_LEAVE, {"item": item.id, "status": status, "closed_at": act.at}).rowcount == 1
    connection.execute(_DROP_TIMERS, {"item": item.id})
    if left:
        set_committed_value(item, "status", status)
        set_committed_value(item, "closed_at", act.at)
    return left


def next_round(act: Act, case: Case, gate: Gate) -> int:
    """Return the number of the next round at `gate`, from 1."""
    last = act.session.scalar(
        select(func.max(WorkItem.round)).where(WorkItem.case_id == case.id, WorkItem.gate == gate)
    )
    return (last or 0) + 1
