"""The points of the gates that close when a list is done: works with date and proof, money on its way."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from models.case import WorkDone
from models.work_item import WorkItem
from policies.vocabulary import Gate, LedgerMove, Role
from runtime.resources import edition_of
from tasks.cases import application_of, change_of, policy_of
from tasks.project_plan import milestone_of

RECEIVED = "received"
REACHED = "reached"
_DONE = select(WorkDone).where(WorkDone.work_item_id == bindparam("item"))


@dataclass(frozen=True)
class Point:
    """One point of a checklist."""

    code: str
    name: str
    role: Role
    where: str
    move: LedgerMove | None = None
    """The movement of money that is booked with it."""


def points(session: Session, item: WorkItem) -> tuple[Point, ...]:
    """
    Return what must be done before `item` closes, in order.

    Source: D0-R10 (plaque, rules on the wall, bookshelf), D0-R3 (missing facilities are cured before the plaque),
    D0-R15 (district to town to village), D2-R9 (a project's steps), D2-R13 (its money, and what is left of it).
    """
    where = policy_of(item.case, item.gate).where
    match item.gate:
        case Gate.PLAQUE:
            return _works(item, application_of(session, item.case).deficiencies)
        case Gate.CHANGE_WORKS:
            return _works(item, change_of(session, item.case).details["deficiencies"])
        case Gate.SUBSIDY:
            return _subsidy(item)
        case Gate.FUNDING:
            return (
                Point(LedgerMove.TRANSFER.value, "镇拨付到村(居)委会", item.role, where, LedgerMove.TRANSFER),
                Point(RECEIVED, "村(居)委会确认到账", Role.VILLAGE_RESPONSIBLE, where),
            )
        case Gate.MILESTONE:
            return (Point(REACHED, milestone_of(session, item.case, item.round).name, item.role, where),)
        case Gate.SETTLEMENT:
            return (Point(LedgerMove.REFUND.value, "退回结余资金", Role.VILLAGE_RESPONSIBLE, where, LedgerMove.REFUND),)
        case _:
            return ()


def _works(item: WorkItem, deficiencies: Sequence[str]) -> tuple[Point, ...]:
    scheme = edition_of(item.case).for_sites
    lacking = set(deficiencies)
    cures = tuple(
        Point(f"cure_{each.code}", f"补齐:{each.name}", item.role, each.where)
        for each in scheme.standards
        if each.code in lacking
    )
    return cures + tuple(Point(work.code, work.name, item.role, work.where) for work in scheme.works)


def _subsidy(item: WorkItem) -> tuple[Point, ...]:
    subsidy = edition_of(item.case).for_sites.subsidy
    if subsidy is None:
        return ()
    return (
        Point(LedgerMove.GRANT.value, "区拨付到镇", item.role, subsidy.where, LedgerMove.GRANT),
        Point(LedgerMove.TRANSFER.value, "镇下拨到村(居)委会", item.role, subsidy.where, LedgerMove.TRANSFER),
        Point(RECEIVED, "村(居)委会确认到账", Role.VILLAGE_RESPONSIBLE, subsidy.where),
    )


def done(session: Session, item: WorkItem) -> dict[str, WorkDone]:
    """Return the points done so far, by code."""
    return {row.code: row for row in session.scalars(_DONE, {"item": item.id})}


def missing(session: Session, item: WorkItem) -> Sequence[Point]:
    """Return the points that are not done yet, in order."""
    finished = done(session, item)
    return [point for point in points(session, item) if point.code not in finished]
