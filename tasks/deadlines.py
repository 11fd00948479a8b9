"""What time does to open work items: reminders, escalations, lapses, and due days recomputed when a calendar is out."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, bindparam, delete, func, literal_column, select, update
from sqlalchemy.orm import Session

from models.case import Case
from models.sweep import SweepBeat
from models.work_item import Timer, WorkItem
from policies.vocabulary import Gate, TimerKind, WorkItemStatus
from rules.periods import SHANGHAI
from runtime.homelock import find_running
from runtime.resources import Resources
from tasks import meeting_mail
from tasks.act import Act, acting
from tasks.audit_rows import UNREADABLE, is_of_value, number_of, read_or
from tasks.cases import deciders, load_case
from tasks.due_days import counted_anew, moved_on, reschedule
from tasks.escalations import escalate_due, pending, reminder, take, told_reminded
from tasks.firing import DueCase, fire_together
from tasks.history import SYSTEM, append
from tasks.in_brief import in_brief
from tasks.lapses import lapse
from tasks.mail import send, to_person
from tasks.rolls import count_answers, households_of

log = logging.getLogger(__name__)
BATCH = 500
SWEEP = "deadline_sweep"
SILENT_AFTER = timedelta(minutes=15)
"""Three passes missed."""


@dataclass
class SweepCounts:
    """What one pass did."""

    reminders: int = 0
    merged_reminders: int = 0
    escalations: int = 0
    lapses: int = 0
    recomputed: int = 0
    failures: list[str] = field(default_factory=list)

    def add(self, other: "SweepCounts") -> None:
        """Add what became of some of them."""
        self.reminders += other.reminders
        self.merged_reminders += other.merged_reminders
        self.escalations += other.escalations
        self.lapses += other.lapses
        self.recomputed += other.recomputed


def fire_due(resources: Resources, *, at: datetime) -> SweepCounts:
    """
    Fire every timer whose moment has come, each once, case by case in the order in which they were due.

    Reminders and escalations many at a time (`tasks.firing`), one transaction for all of them. What that leaves, and
    everything when it breaks, work item by work item, each in its own transaction: one that fails is recorded on its
    timer and the pass goes on.
    It is tried again by every pass, however often: a deadline is never given up, and the pass keeps saying so.
    Safe to repeat, and to run twice at once, because a timer is taken by a conditional UPDATE.
    """
    counts = SweepCounts()
    tried: set[int] = set()
    while due := _due_items(resources, at, tried):
        tried |= {each.item_id for each in due}
        done = _fire_together(resources, due, counts, at=at)
        for each in due:
            if each.item_id not in done:
                _fire_alone(resources, each, counts, at=at)
    return counts


# No column, or SQLite would group along the index of all timers by their items.
_ITEM = Timer.work_item_id + literal_column("0")
_FIRST = (
    select(_ITEM.label("work_item_id"), func.min(Timer.fires_at).label("fires_at"))
    .where(Timer.fired_at.is_(None), Timer.fires_at <= bindparam("now"))
    # By item, because those that failed before have several timers each and must not fill the batch.
    .group_by(_ITEM)
    .order_by(func.min(Timer.fires_at), _ITEM)
    # Here, before anything is joined: PostgreSQL takes every timer that ever fired for due, and would read all items.
    .limit(bindparam("most"))
    .subquery()
)
_DUE = (
    select(_FIRST.c.work_item_id, Case.id, Case.number)
    .join(WorkItem, WorkItem.id == _FIRST.c.work_item_id)
    .join(Case, Case.id == WorkItem.case_id)
    .order_by(_FIRST.c.fires_at, _FIRST.c.work_item_id)
)


def _due_items(resources: Resources, at: datetime, tried: set[int]) -> list[DueCase]:
    with resources.database.read() as session:
        found = _items_by(session, _DUE, {"now": at, "most": BATCH + len(tried)})
    return [each for each in found if each.item_id not in tried]


def _items_by(session: Session, query: Select[Any], given: Mapping[str, Any] | None = None) -> list[DueCase]:
    """
    Return the work items of a query; one whose case's number is no text is among them, and fails by itself.

    Args:
        query: selects the ids of a work item and of its case, and the number of that.
        given: what the query is asked with.
    """

    def one_by_one() -> list[DueCase]:
        ids = session.execute(query.with_only_columns(*query.selected_columns[:2]), given).all()
        return [DueCase(item_id, case_id, number_of(session, case_id)) for item_id, case_id in ids]

    return read_or(lambda: [DueCase(*row) for row in session.connection().execute(query, given)], one_by_one)


def _fire_together(resources: Resources, due: Sequence[DueCase], counts: SweepCounts, *, at: datetime) -> set[int]:
    """Fire what goes together; return the work items that are done: of what is fired at once, all or none."""
    try:
        with acting(resources, at=at) as act:
            fired = fire_together(act, due)
    except Exception as error:  # each is tried by itself, where what is broken is found and recorded
        if len(due) > 1 and isinstance(error, UNREADABLE) and is_of_value(error):
            # One row that somebody has tampered with shall not make hundreds of others slow, pass after pass.
            halves = due[: len(due) // 2], due[len(due) // 2 :]
            return set().union(*(_fire_together(resources, half, counts, at=at) for half in halves))
        log.exception("%d work items can not be done together", len(due))
        return set()
    counts.reminders += fired.reminders
    counts.merged_reminders += fired.merged_reminders
    counts.escalations += fired.escalations
    counts.lapses += len(fired.ends)
    return fired.items


def _fire_alone(resources: Resources, due: DueCase, counts: SweepCounts, *, at: datetime) -> None:
    alone = SweepCounts()
    try:
        with acting(resources, at=at) as act:
            load_case(act.session, due.number)
            withheld = _fire_item(act, due.item_id, alone)
    except Exception as error:  # noqa: BLE001 - one broken item must not stop the others; recorded on its row
        counts.failures.append(f"{due.number}:{in_brief(error)}")
        _record_failure(resources, due.item_id, error, due_by=at)
    else:
        counts.add(alone)
        if withheld is not None:
            counts.failures.append(f"{due.number}:期限未能重算,期满处理推迟到下次巡检:{in_brief(withheld)}")
            _record_failure(resources, due.item_id, withheld, due_by=at)


def _record_failure(resources: Resources, item_id: int, error: Exception, *, due_by: datetime | None = None) -> None:
    pending_ones = (Timer.work_item_id == item_id, Timer.fired_at.is_(None))
    with resources.database.write() as session:
        session.execute(
            update(Timer)
            .where(*pending_ones, *([Timer.fires_at <= due_by] if due_by else []))
            .values(failures=Timer.failures + 1, last_error=in_brief(error)[:500])
        )


def _fire_item(act: Act, item_id: int, counts: SweepCounts) -> Exception | None:
    """Fire what is due of a work item; return why it does not lapse although its period seems over, None: nothing."""
    item = act.session.get_one(WorkItem, item_id, populate_existing=True)
    if item.status is not WorkItemStatus.OPEN:
        act.session.execute(delete(Timer).where(Timer.work_item_id == item_id, Timer.fired_at.is_(None)))
        return None
    due, withheld = _due_timers(act, item_id), None
    if any(timer.kind is TimerKind.LAPSE for timer in due):
        # What time decides nobody can take back, and a household may still be entitled to answer; a letter that comes
        # a few days early does no harm. So by an estimate, where the true day can not be told now, people are reminded
        # and their superiors told, but nothing lapses.
        try:
            moves_on = moved_on(act, item)
        except Exception as error:
            log.exception("the due day of work item %d can not be counted", item_id)
            withheld, due = error, [timer for timer in due if timer.kind is not TimerKind.LAPSE]
        else:
            if moves_on is not None:
                moves_on()
                counts.recomputed += 1
                due = _due_timers(act, item_id)
    reminders = [timer for timer in due if timer.kind is TimerKind.REMINDER and take(act, timer)]
    if act.at >= item.due_at:
        counts.merged_reminders += len(reminders)  # the escalation tells them: "due soon" would be untrue now
    elif reminders:
        _remind(act, item, reminders[-1])
        counts.reminders += 1
        counts.merged_reminders += len(reminders) - 1
    if any(timer.kind is TimerKind.LAPSE and take(act, timer) for timer in due):
        counts.escalations += lapse(act, item)
        counts.lapses += 1
    else:
        counts.escalations += escalate_due(act, item)
    return withheld


def _due_timers(act: Act, item_id: int) -> list[Timer]:
    return [timer for timer in pending(act, item_id) if timer.fires_at <= act.at]


def _remind(act: Act, item: WorkItem, timer: Timer) -> None:
    to = deciders(act.session, item, on=act.day)
    waiting: tuple[str, ...] = ()
    if item.gate is Gate.HOUSEHOLD_CONSENT:
        counted = count_answers(act.session, item)
        waiting = households_of(act.session, item, [*counted.missing, *counted.objecting])
    letter = reminder(item, timer, waiting_for=waiting, at=act.at)
    send(act, item.case, letter, [to_person(each) for each in to], event=f"timer-{timer.id}")
    if item.gate is Gate.MEETING:
        meeting_mail.remind(act, item, besides=to, event=f"timer-{timer.id}", late_note=letter.late_note)
    told = told_reminded(item, timer, [each.display for each in to])
    append(act.session, item.case, actor=SYSTEM, at=act.at, **told)


def recompute_provisional(resources: Resources, *, at: datetime) -> int:
    """
    Compute anew the due day of every open work item that was counted over an unpublished year.

    To be called before `fire_due`, so that reminders go out by the arrangement that is out now, not by the estimate.
    Safe to repeat because only a changed due day, or one that became final, is written. One that can not be computed
    does not stop the others; why stands on its timers.

    Returns:
        How many work items changed.
    """
    query = (
        select(WorkItem.id, Case.id, Case.number)
        .join(Case, Case.id == WorkItem.case_id)
        .where(
            WorkItem.status == WorkItemStatus.OPEN,
            WorkItem.provisional,
            ~WorkItem.due_named,
            # True of all; without it SQLite would rather walk along all that is open.
            WorkItem.due_on > date.min,
        )
    )
    with resources.database.read() as session:
        waiting = _items_by(session, query)
    changed = 0
    for each in waiting:
        try:
            with acting(resources, at=at) as act:
                load_case(act.session, each.number)
                changed += _recompute(act, each.item_id)
        except Exception as error:  # noqa: BLE001 - one broken item must not stop the others; recorded on its row
            _record_failure(resources, each.item_id, error)
    return changed


def _recompute(act: Act, item_id: int) -> bool:
    item = act.session.get_one(WorkItem, item_id, populate_existing=True)
    schedule = counted_anew(item, calendar=act.resources.calendar)
    if schedule is None:
        return False
    reschedule(act, item, schedule)
    return True


def beat(resources: Resources, *, started_at: datetime, finished_at: datetime, counts: SweepCounts) -> None:
    """Leave the mark by which a sweep that no longer runs is noticed."""
    with resources.database.write() as session:
        session.merge(
            SweepBeat(
                name=SWEEP,
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


def sweep_silence(resources: Resources, *, at: datetime) -> str:
    """
    Return a warning in Chinese when the sweep has not run as it should; empty when it has.

    A deadline that nobody watches is the failure that is seen last, so it is told wherever cases are listed.
    """
    with resources.database.read() as session:
        last = session.get(SweepBeat, SWEEP)
    if last is not None and at - last.started_at <= SILENT_AFTER:
        return ""
    moment = f"{last.started_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}" if last is not None else ""
    silence = f"自{moment}以来没有运行" if moment else "还没有运行过"
    if find_running(resources.settings.home) is not None:
        return f"注意:期限巡检{silence};客堂刚启动的,五分钟内会运行,过后仍是这样的,请查看 ketang up 的窗口和日志"
    return f"注意:期限巡检{silence},到期提醒和期满处理会推迟;请检查 ketang up 是否在运行,刚启动的请稍候五分钟"
