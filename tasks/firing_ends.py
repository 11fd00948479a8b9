"""
Notices whose period ends at the same instant: what `tasks.lapses` writes for each, written for all together.

Only those against which nobody objected, as nearly all are; the others go on by what was objected, one by one.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, cast

from sqlalchemy import Connection, Table, bindparam, delete, insert, select, update

from models.base import Instant
from models.case import Case
from models.given import given_as_ids, given_ids
from models.notice import Notice, Objection
from models.work_item import Decision, Timer, WorkItem
from policies.sections import Timing
from policies.vocabulary import Door, TimerKind, WorkItemStatus
from tasks.act import Act
from tasks.escalations import Fact
from tasks.firing_facts import DueItem
from tasks.history import decision_facts
from tasks.items import decided
from tasks.lapses import say_late
from tasks.notice_days import last_by_the_calendar
from tasks.notice_ending import how_it_ended

_CASES, _ITEMS, _TIMERS, _NOTICES, _DECISIONS = (
    cast("Table", each.__table__) for each in (Case, WorkItem, Timer, Notice, Decision)
)


class Unopposed(NamedTuple):
    """A notice against which nobody objected, as `Notice`."""

    ends_on: date
    published_at: datetime
    prolonged: list[dict[str, Any]]


class End(NamedTuple):
    """The end of a notice's period: what is decided by it."""

    item_id: int
    case_id: int
    due_at: datetime
    decision: dict[str, Any]


def unopposed(connection: Connection, cases: Collection[int]) -> dict[int, Unopposed]:
    """Return the notices of these cases against which nobody objected, by their case's id."""
    if not cases:
        return {}
    query = select(Notice.case_id, Notice.ends_on, Notice.published_at, Notice.prolonged).where(
        Notice.case_id.in_(given_ids(connection.dialect.name)),
        ~select(Objection.id).where(Objection.notice_id == Notice.id).exists(),
    )
    found = connection.execute(query, given_as_ids(cases)).all()
    return {case_id: Unopposed(*notice) for case_id, *notice in found}


def end_of(act: Act, item: DueItem, policy: Timing, notices: Mapping[int, Unopposed]) -> tuple[End, Fact] | None:
    """Return the end of this period and the fact of it for the history; None when it needs a hand of its own."""
    notice, provided = notices.get(item.case.id), policy.lapse
    if notice is None or provided is None or any(each.kind is TimerKind.ESCALATION for each in item.timers):
        return None
    as_notice = cast("Notice", notice)
    if last_by_the_calendar(cast("Case", item.case), as_notice, act.resources.calendar) > item.due_on:
        return None
    reason, told = how_it_ended(as_notice, [], ended_at=item.due_at, at=act.at)
    details: dict[str, Any] = {"clause": provided.where} | told
    reason += say_late(details, due_at=item.due_at, at=act.at)
    decision = {
        "work_item_id": item.id,
        "case_id": item.case.id,
        "verdict": provided.verdict,
        "reason": reason,
        "decided_by_id": None,
        "door": Door.LAPSE,
        "decided_at": act.at,
        "effective_at": item.due_at,
        "acknowledged": [],
        "details": details,
    }
    fact = Fact(
        kind="decision_taken",
        summary=decided(cast("WorkItem", item), provided.verdict, reason),
        data=decision_facts(Decision(**decision)),
    )
    return End(item.id, item.case.id, item.due_at, decision), fact


def write_ends(act: Act, ends: Sequence[End]) -> None:
    """
    Close these gates by time, in the caller's transaction, which holds their cases.

    Raises:
        RuntimeError: one of them was closed by somebody who does not hold its case.
    """
    if not ends:
        return
    connection = act.session.connection()
    these, at = given_ids(connection.dialect.name), bindparam("at", type_=Instant())
    items, cases = [each.item_id for each in ends], [each.case_id for each in ends]
    closed = connection.execute(
        update(_ITEMS)
        .where(_ITEMS.c.id.in_(these), _ITEMS.c.status == WorkItemStatus.OPEN)
        .values(status=WorkItemStatus.CLOSED, closed_at=at),
        given_as_ids(items, at=act.at),
    )
    if closed.rowcount != len(ends):
        raise RuntimeError(f"{len(ends) - closed.rowcount} gates were closed by somebody else")
    connection.execute(
        delete(_TIMERS).where(_TIMERS.c.work_item_id.in_(these), _TIMERS.c.fired_at.is_(None)), given_as_ids(items)
    )
    # In the order in which their pages are written, so that neither waits for the other.
    connection.execute(
        select(_NOTICES.c.id).where(_NOTICES.c.case_id.in_(these)).order_by(_NOTICES.c.id).with_for_update(),
        given_as_ids(cases),
    )
    for instant in sorted({each.due_at for each in ends}):
        connection.execute(
            update(_NOTICES)
            .where(_NOTICES.c.case_id.in_(these))
            .values(closed_at=at, changed_seq=_NOTICES.c.changed_seq + 1),
            given_as_ids([each.case_id for each in ends if each.due_at == instant], at=instant),
        )
    connection.execute(insert(_DECISIONS), [each.decision for each in ends])
    connection.execute(
        update(_CASES).where(_CASES.c.id.in_(these)).values(decision_seq=_CASES.c.decision_seq + 1),
        given_as_ids(cases),
    )
