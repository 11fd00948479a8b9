"""The instants at which time decides: for whoever wants to be there on time."""

from datetime import datetime, timedelta

from sqlalchemy import select

from models.case import Case
from models.work_item import WorkItem
from policies.vocabulary import WorkItemStatus
from runtime.resources import Resources


def due_instants(
    resources: Resources, *, at: datetime, number: str | None = None, within: timedelta | None = None
) -> list[datetime]:
    """
    Return the instants to come at which an open gate lapses, each once, the earliest first.

    Args:
        at: now; what is over by then is the sweep's business.
        number: only of this case; None: of all.
        within: no further ahead than this; None: however far.
    """
    query = (
        select(WorkItem.due_at)
        .where(WorkItem.status == WorkItemStatus.OPEN, WorkItem.lapses, WorkItem.due_at > at)
        .distinct()
        .order_by(WorkItem.due_at)
    )
    if number is not None:
        query = query.join(Case, Case.id == WorkItem.case_id).where(Case.number == number)
    if within is not None:
        query = query.where(WorkItem.due_at <= at + within)
    with resources.database.read() as session:
        return list(session.scalars(query))
