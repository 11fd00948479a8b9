"""A confirmed delivery becomes an activity of its site, when the leader asked for it (D0-R13, D1-R5)."""

from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from models.case import Case
from models.history import HistoryRow
from models.work_item import Decision
from policies.errors import Refused
from policies.vocabulary import Verdict
from runtime.resources import Resources, edition_of
from tasks.act import acting
from tasks.activities import record_activities
from tasks.cases import load_case
from tasks.history import SYSTEM, append
from tasks.life_commands import ActivityEntry, RecordActivities
from tasks.order_case import last
from tasks.service_rows import order_of

NOTED = "order_as_activity"
LONGEST = 60


def may_become_activity(session: Session, case: Case) -> bool:
    """Return whether the category of what was ordered is one of the activities of the order's edition."""
    category = order_of(session, case).item.category
    return category in {each.code for each in edition_of(case).for_sites.activity_categories}


def record_as_activity(resources: Resources, number: str, *, at: datetime) -> None:
    """
    Record a confirmed delivery as an activity of its site; what stands against it is noted in the order's history.

    Safe to repeat because an order records one activity, and what came of it is noted once.
    """
    with resources.database.read() as session:
        case = load_case(session, number, lock=False)
        if _noted(session, case):
            return
        confirmed = last(session, case, Verdict.CONFIRMED)
        if confirmed is None:
            raise LookupError(f"order {number} was not confirmed")
        command, door = _command(session, case, confirmed), confirmed.door
    try:
        (recorded,) = record_activities(resources, command, door=door, key=f"order:{number}", at=at)
        told = f"已登记为客堂间活动:{recorded}"
    except Refused as refusal:
        told = f"未能登记为客堂间活动,请另行登记:{refusal}"
    with acting(resources, at=at) as act:
        case = load_case(act.session, number)
        if not _noted(act.session, case):
            append(act.session, case, kind=NOTED, actor=SYSTEM, summary=told, at=at, data={})


def _noted(session: Session, case: Case) -> bool:
    noted = exists().where(HistoryRow.case_id == case.id, HistoryRow.kind == NOTED)
    return bool(session.scalar(select(noted)))


def _command(session: Session, case: Case, confirmed: Decision) -> RecordActivities:
    order = order_of(session, case)
    by = confirmed.decided_by or order.site.leader
    if order.delivered_on is None or order.served is None:
        raise LookupError(f"order {case.number} was not delivered")
    provider = order.item.provider.name
    entry = ActivityEntry(
        site=order.site.number,
        held_on=order.delivered_on,
        category=order.item.category,
        title=order.item.name,
        attendance=order.served,
        organiser=provider if len(provider) <= LONGEST else "",
        summary=f"点单配送 {case.number}" + (f",{order.comment}" if order.comment else ""),
        photo=order.document.reference if order.document else "",
    )
    return RecordActivities(by=by.code, activities=[entry])
