"""Gates: opened once, with what belongs to their opening: rolls that are frozen, letters that ask for the decision."""

from collections.abc import Callable
from datetime import date, datetime
from typing import cast

from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.orm import Session

from models.case import Case
from models.work_item import WorkItem
from policies.errors import Refused
from policies.vocabulary import CaseKind, CaseStatus, Gate
from runtime.resources import Resources
from tasks import (
    call_asks,
    campaign_case,
    change_case,
    evaluation_case,
    inspection_case,
    meeting_case,
    notice_asks,
    order_case,
    project_asks,
    resolution_case,
    site_asks,
)
from tasks.act import Act, acting
from tasks.cases import call_of, change_of, load_case, local_day, meeting_of, notice_of, resolution_of
from tasks.items import create
from tasks.project_plan import milestone_of

_ITEM_AT = select(WorkItem).where(
    WorkItem.case_id == bindparam("in_case"), WorkItem.gate == bindparam("gate"), WorkItem.round == bindparam("round")
)

_CASES = cast("Table", Case.__table__)
_CARRIED = (
    update(_CASES)
    .where(_CASES.c.number == bindparam("in_case"), _CASES.c.carried_seq < bindparam("seen"))
    .values(carried_seq=bindparam("seen"))
)


def item_at(session: Session, case_id: int, gate: Gate, round_: int) -> WorkItem | None:
    """Return the work item of `gate` in that round, or None while it was never opened."""
    return session.scalars(_ITEM_AT, {"in_case": case_id, "gate": gate, "round": round_}).one_or_none()


def open_gate(resources: Resources, number: str, gate: Gate, round_: int, *, seen: int, at: datetime) -> int:
    """
    Open `gate` for the case and ask those who decide, by letter.

    Safe to repeat because a gate is opened once per round: the second call finds the first one's work item.

    Args:
        seen: the decisions, by their count, after which the case comes to this gate.

    Returns:
        The work item's id.
    """
    with acting(resources, at=at) as act:
        case = load_case(act.session, number)
        known = item_at(act.session, case.id, gate, round_)
        if known is not None:
            return known.id
        if case.status is CaseStatus.CLOSED:
            raise Refused("default", f"案件 {number} 已办结,不能再开启环节")
        item = create(act, case, gate, round_, last=last_day(act, case, gate, round_))
        ASKING[case.kind](act, case, item)
        note_carried(act.session, number, seen)
        return item.id


def note_carried(session: Session, number: str, seen: int) -> None:
    """Note which decisions the case was carried on with; a later one makes the sweep wake it again."""
    session.connection().execute(_CARRIED, {"in_case": number, "seen": seen})


ASKING: dict[CaseKind, Callable[[Act, Case, WorkItem], None]] = {
    CaseKind.SITE: site_asks.ask,
    CaseKind.CALL: call_asks.ask,
    CaseKind.PROJECT: project_asks.ask_project,
    CaseKind.NOTICE: notice_asks.ask,
    CaseKind.CAMPAIGN: campaign_case.ask,
    CaseKind.INSPECTION: inspection_case.ask,
    CaseKind.ANNUAL_EVALUATION: evaluation_case.ask,
    CaseKind.JOINT_MEETING: meeting_case.ask,
    CaseKind.RESOLUTION: resolution_case.ask,
    CaseKind.SERVICE_ORDER: order_case.ask,
    CaseKind.SITE_CHANGE: change_case.ask,
}
"""What happens in the transaction that opens a gate: rolls are frozen, letters ask those who decide."""


def last_day(act: Act, case: Case, gate: Gate, round_: int) -> date | None:
    """Return the last day that the matter itself names for a gate; None: it is counted by the edition."""
    match gate:
        case Gate.CALL_WINDOW:
            return call_of(act.session, case).closes_on
        case Gate.NOTICE_PERIOD:
            return notice_of(act.session, case).ends_on
        case Gate.MILESTONE:
            return milestone_of(act.session, case, round_).due_on
        case Gate.SERVICE_DELIVERY:
            return order_case.promised_day(act, case)
        case Gate.INSPECTION_VISIT:
            return inspection_case.last_day_of_visits(act.session, case)
        case Gate.RECTIFICATION:
            return inspection_case.last_day_of_rectification(act.session, case)
        case Gate.SUSPENSION:
            return change_of(act.session, case).rests_until
        case Gate.MEETING:
            return local_day(meeting_of(act.session, case).meets_at)
        case Gate.FOLLOW_UP:
            return resolution_of(act.session, case).due_on
        case _:
            return None
