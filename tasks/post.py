"""Letters of cases leave: delivered now, and what can not be delivered becomes a work item of the office."""

from datetime import datetime

from sqlalchemy import select

from models.case import Case
from models.outbox import OutboxEntry
from runtime.resources import Resources
from tasks.act import acting
from tasks.cases import load_case
from tasks.mail import report_undelivered
from tasks.outbox import DeliveryReport, deliver


def post_letters(resources: Resources, *, at: datetime, number: str | None = None) -> DeliveryReport:
    """
    Deliver the letters that are due, and report to the office each that will never arrive.

    Safe to repeat because a letter is claimed before it is sent and marked after it was.

    Args:
        number: only the letters of this case; None: all.
    """
    with resources.database.read() as session:
        case_id = None if number is None else load_case(session, number, lock=False).id
    report = deliver(
        resources.database,
        transport=resources.transport(),
        renderer=resources.renderer,
        at=at,
        case_id=case_id,
        link_of=lambda entry_case: _link(resources, entry_case),
    )
    for entry_id in report.dead:
        with resources.database.read() as session:
            entry_case = session.scalars(
                select(Case.number).join(OutboxEntry, OutboxEntry.case_id == Case.id).where(OutboxEntry.id == entry_id)
            ).one_or_none()
        if entry_case is None:
            continue
        with acting(resources, at=at) as act:
            case = load_case(act.session, entry_case)
            report_undelivered(act, case, act.session.get_one(OutboxEntry, entry_id))
    return report


def _link(resources: Resources, case_id: int | None) -> str:
    if case_id is None:
        return ""
    with resources.database.read() as session:
        return resources.link_of(session.scalar(select(Case.flow_run_id).where(Case.id == case_id)))
