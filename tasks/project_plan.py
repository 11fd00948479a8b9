"""The plan of a project as it stands: its latest round, with its steps and its budget. Read only."""

from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from models.case import Case, WorkDone
from models.project import Milestone, Plan
from models.work_item import WorkItem
from policies.vocabulary import Gate


def plan_of(session: Session, case: Case) -> Plan | None:
    """Return the plan that was handed in last, with its lines and steps; None before the first (D2-R9)."""
    return session.scalars(
        select(Plan)
        .where(Plan.case_id == case.id)
        .order_by(Plan.round.desc())
        .options(selectinload(Plan.lines), selectinload(Plan.milestones))
        .limit(1)
    ).one_or_none()


def total_of(plan: Plan) -> int:
    """Return the sum of a plan's budget, in fen."""
    return sum(line.amount_fen for line in plan.lines)


def milestone_of(session: Session, case: Case, seq: int) -> Milestone:
    """Return a step of the plan that was approved: of its latest round."""
    latest = select(func.max(Plan.round)).where(Plan.case_id == case.id).scalar_subquery()
    return session.scalars(
        select(Milestone).join(Plan).where(Plan.case_id == case.id, Plan.round == latest, Milestone.seq == seq)
    ).one()


def milestones_done(session: Session, case: Case) -> dict[int, date]:
    """Return the days on which steps were finished, by their number."""
    rows = session.execute(
        select(WorkItem.round, WorkDone.done_on)
        .join(WorkDone, WorkDone.work_item_id == WorkItem.id)
        .where(WorkItem.case_id == case.id, WorkItem.gate == Gate.MILESTONE)
    )
    return dict(rows.tuples().all())
