"""What time does to open work items: reminders, escalations, lapses, and due days recomputed when a calendar is out."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import CursorResult, delete, select, update

from models.case import Case
from models.sweep import SweepBeat
from models.work_item import Timer, WorkItem
from notifications.letters import Escalation, Reminder
from policies.vocabulary import Gate, TimerKind, WorkItemStatus
from rules.periods import SHANGHAI, plan
from runtime.resources import Resources
from tasks.act import Act, acting
from tasks.cases import deciders, entitled, load_case, local_day, policy_of
from tasks.history import SYSTEM, append
from tasks.lapses import lapse
from tasks.mail import about, chinese_date, due_note, send, to_person
from tasks.rolls import count_answers, households_of

BATCH = 500
GIVE_UP_AFTER = 20
"""Failures after which a timer is left alone; every one is recorded, and the case's file shows it."""


@dataclass
class SweepCounts:
    """What one pass did."""

    reminders: int = 0
    merged_reminders: int = 0
    escalations: int = 0
    lapses: int = 0
    recomputed: int = 0
    failures: list[str] = field(default_factory=list)


def fire_due(resources: Resources, *, at: datetime) -> SweepCounts:
    """
    Fire every timer whose moment has come, each once, in the order in which they were due.

    Work item by work item, each in its own transaction: one that fails is recorded on its timer and the pass goes on.
    Safe to repeat, and to run twice at once, because a timer is taken by a conditional UPDATE.
    """
    counts = SweepCounts()
    tried: set[int] = set()
    while due := _due_items(resources, at, tried):
        for item_id, number in due:
            tried.add(item_id)
            try:
                with acting(resources, at=at) as act:
                    load_case(act.session, number)
                    _fire_item(act, item_id, counts)
            except Exception as error:  # noqa: BLE001 - one broken item must not stop the others; recorded on its row
                counts.failures.append(f"{number}:{type(error).__name__}:{error}")
                _record_failure(resources, item_id, at, error)
    return counts


def _due_items(resources: Resources, at: datetime, tried: set[int]) -> list[tuple[int, str]]:
    with resources.database.read() as session:
        rows = session.execute(
            select(Timer.work_item_id, Case.number)
            .join(WorkItem, WorkItem.id == Timer.work_item_id)
            .join(Case, Case.id == WorkItem.case_id)
            .where(Timer.fired_at.is_(None), Timer.fires_at <= at, Timer.failures < GIVE_UP_AFTER)
            .order_by(Timer.fires_at, Timer.id)
            .limit(BATCH + len(tried))
        )
        return list(dict.fromkeys((item_id, number) for item_id, number in rows if item_id not in tried))


def _record_failure(resources: Resources, item_id: int, at: datetime, error: Exception) -> None:
    with resources.database.write() as session:
        session.execute(
            update(Timer)
            .where(Timer.work_item_id == item_id, Timer.fired_at.is_(None), Timer.fires_at <= at)
            .values(failures=Timer.failures + 1, last_error=f"{type(error).__name__}: {error}"[:500])
        )


def _fire_item(act: Act, item_id: int, counts: SweepCounts) -> None:
    item = act.session.get_one(WorkItem, item_id, populate_existing=True)
    if item.status is not WorkItemStatus.OPEN:
        act.session.execute(delete(Timer).where(Timer.work_item_id == item_id, Timer.fired_at.is_(None)))
        return
    due = [timer for timer in _pending(act, item_id) if timer.fires_at <= act.at]
    if any(timer.kind is TimerKind.LAPSE for timer in due):
        # Time has decided: a reminder of it now would only mislead, the lapse's own letter tells what was missed.
        taken = [timer for timer in due if _take(act, timer)]
        if any(timer.kind is TimerKind.LAPSE for timer in taken):
            lapse(act, item)
            counts.lapses += 1
        return
    reminders = [timer for timer in due if timer.kind is TimerKind.REMINDER and _take(act, timer)]
    if act.at >= item.due_at:
        counts.merged_reminders += len(reminders)  # the escalation tells them: "due soon" would be untrue now
    elif reminders:
        _remind(act, item, reminders[-1])
        counts.reminders += 1
        counts.merged_reminders += len(reminders) - 1
    for timer in due:
        if timer.kind is TimerKind.ESCALATION and _take(act, timer):
            _escalate(act, item, timer)
            counts.escalations += 1


def _pending(act: Act, item_id: int) -> Iterator[Timer]:
    return iter(
        act.session.scalars(
            select(Timer)
            .where(Timer.work_item_id == item_id, Timer.fired_at.is_(None))
            .order_by(Timer.fires_at, Timer.id)
            .execution_options(populate_existing=True)
        ).all()
    )


def _take(act: Act, timer: Timer) -> bool:
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


def _remind(act: Act, item: WorkItem, timer: Timer) -> None:
    to = deciders(act.session, item, on=act.day)
    waiting: tuple[str, ...] = ()
    if item.gate is Gate.HOUSEHOLD_CONSENT:
        counted = count_answers(act.session, item)
        waiting = households_of(act.session, item, [*counted.missing, *counted.objecting])
    letter = Reminder(
        **about(item.case),
        gate=item.gate.label,
        due_on=item.due_on,
        days_left=(item.due_on - act.day).days,
        due_note=due_note(item),
        late_note=late_note(timer.fires_at, act.at),
        waiting_for=waiting,
    )
    send(act, item.case, letter, [to_person(each) for each in to], event=f"timer-{timer.id}")
    _tell(act, item, timer, "reminded", f"提醒办理“{item.gate.label}”:{'、'.join(each.display for each in to)}")


def _escalate(act: Act, item: WorkItem, timer: Timer) -> None:
    policy = policy_of(item.case, item.gate).escalate
    above = entitled(act.session, item.case, policy.to, on=act.day)
    letter = Escalation(
        **about(item.case),
        gate=item.gate.label,
        due_on=item.due_on,
        days_late=max((act.day - item.due_on).days, 0),
        responsible=tuple(each.display for each in deciders(act.session, item, on=act.day)),
        late_note=late_note(timer.fires_at, act.at),
    )
    send(act, item.case, letter, [to_person(each) for each in above], event=f"timer-{timer.id}")
    item.escalated_at = act.at
    names = "、".join(each.display for each in above) or "(登记簿中尚无人担任)"
    _tell(act, item, timer, "escalated", f"“{item.gate.label}”逾期,已报{policy.to.label}督办:{names}")


def _tell(act: Act, item: WorkItem, timer: Timer, kind: str, summary: str) -> None:
    append(
        act.session,
        item.case,
        kind=kind,
        actor=SYSTEM,
        summary=summary,
        at=act.at,
        data={"work_item": item.id, "timer": timer.id, "should_fire_at": timer.fires_at.isoformat()},
    )


def recompute_provisional(resources: Resources, *, at: datetime) -> int:
    """
    Compute anew the due day of every open work item that was counted over an unpublished year.

    Safe to repeat because only a changed due day, or one that became final, is written.

    Returns:
        How many work items changed.
    """
    with resources.database.read() as session:
        waiting = session.execute(
            select(WorkItem.id, Case.number)
            .join(Case, Case.id == WorkItem.case_id)
            .where(WorkItem.status == WorkItemStatus.OPEN, WorkItem.provisional)
        ).all()
    changed = 0
    for item_id, number in waiting:
        with acting(resources, at=at) as act:
            case = load_case(act.session, number)
            item = act.session.get_one(WorkItem, item_id, populate_existing=True)
            schedule = plan(policy_of(case, item.gate), opened_at=item.opened_at, calendar=resources.calendar)
            if item.status is not WorkItemStatus.OPEN or (schedule.due_on, schedule.provisional) == (
                item.due_on,
                item.provisional,
            ):
                continue
            before = item.due_on
            item.due_on, item.due_at, item.provisional = schedule.due_on, schedule.due_at, schedule.provisional
            fires = {(timer.kind, timer.seq): timer.fires_at for timer in schedule.timers}
            for timer in _pending(act, item_id):
                timer.fires_at = fires.get((timer.kind, timer.seq), timer.fires_at)
            state = "暂定" if schedule.provisional else "确定"
            append(
                act.session,
                case,
                kind="due_day_recomputed",
                actor=SYSTEM,
                summary=f"放假安排公布,“{item.gate.label}”的期限由{chinese_date(before)}(暂定)"
                f"重算为{chinese_date(item.due_on)}({state})",
                at=at,
                data={"work_item": item.id, "before": before.isoformat(), "due_on": item.due_on.isoformat()},
            )
            changed += 1
    return changed


def beat(resources: Resources, name: str, *, started_at: datetime, finished_at: datetime, counts: SweepCounts) -> None:
    """Leave the mark by which a sweep that no longer runs is noticed."""
    with resources.database.write() as session:
        session.merge(
            SweepBeat(
                name=name,
                started_at=started_at,
                finished_at=finished_at,
                counts={
                    "reminders": counts.reminders,
                    "escalations": counts.escalations,
                    "lapses": counts.lapses,
                    "recomputed": counts.recomputed,
                    "failures": counts.failures[:20],
                },
            )
        )


def last_beat(resources: Resources, name: str) -> SweepBeat | None:
    """Return the mark of the last pass of a sweep; None when it has never run."""
    with resources.database.read() as session:
        return session.get(SweepBeat, name)


def shown_moment(moment: datetime) -> str:
    """Return a moment as people read it, Asia/Shanghai."""
    return f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
