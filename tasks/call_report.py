"""The figures of a call's self-check report (自查报告), computed from the records; and the report as it was given."""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import Case
from models.work_item import Decision, WorkItem
from policies.vocabulary import Gate, Outcome, ProjectStanding
from rules.money import in_yuan
from runtime.resources import edition_of
from tasks.call_projects import projects_of
from tasks.ledger_figures import programme


@dataclass(frozen=True)
class CallFigures:
    """What became of a call; amounts in fen."""

    proposals: int
    """Filed, also those withdrawn."""
    withdrawn: int
    """Before they were confirmed."""
    selected: int
    """Confirmed."""
    completed: int
    """Carried out, accepted and evaluated."""
    abandoned: int
    """Confirmed, and given up later."""
    by_grade: tuple[tuple[str, int], ...]
    """Name of each of the edition's grades, from the best down, and how many completed projects got it."""
    budget_fen: int
    """Granted by the decision, all confirmed projects together."""
    received_fen: int
    granted_fen: int
    """Paid to projects by the ledger, less what they gave back."""
    spent_fen: int
    returned_fen: int
    """Back to the sources."""

    def as_data(self) -> dict[str, Any]:
        """Return the figures as JSON values, for the record."""
        return asdict(self) | {"by_grade": [list(each) for each in self.by_grade]}

    def rows(self) -> tuple[tuple[str, str], ...]:
        """Return the figures as labelled rows."""
        grades = "、".join(f"{name}{count}个" for name, count in self.by_grade)
        return (
            ("申报", f"{self.proposals}个,其中撤回{self.withdrawn}个"),
            ("确认入选", f"{self.selected}个,核定{in_yuan(self.budget_fen)}"),
            ("完成", f"{self.completed}个({grades});终止{self.abandoned}个"),
            (
                "资金",
                f"到账{in_yuan(self.received_fen)},拨付{in_yuan(self.granted_fen)},"
                f"支出{in_yuan(self.spent_fen)},退回{in_yuan(self.returned_fen)}",
            ),
        )


def figures(session: Session, call_case: Case) -> CallFigures:
    """Return the figures of a call as they stand now."""
    projects, money = projects_of(session, call_case), programme(session, call_case)
    confirmed = [each for each in projects if each.standing is ProjectStanding.CONFIRMED]
    done = [each for each in confirmed if each.case.outcome is Outcome.COMPLETED]
    grades = Counter(each.grade for each in done)
    return CallFigures(
        proposals=len(projects),
        withdrawn=sum(each.standing is ProjectStanding.WITHDRAWN for each in projects),
        selected=len(confirmed),
        completed=len(done),
        abandoned=sum(each.case.outcome is Outcome.WITHDRAWN for each in confirmed),
        by_grade=tuple(
            (grade.name, grades[grade.code]) for grade in edition_of(call_case).for_projects.evaluation.grades
        ),
        budget_fen=sum(each.granted_fen or 0 for each in confirmed),
        received_fen=money.received_fen,
        granted_fen=money.granted_fen,
        spent_fen=money.spent_fen,
        returned_fen=money.returned_fen,
    )


def report_of(session: Session, call_case: Case) -> dict[str, Any] | None:
    """Return the report as the office gave it (attainment, problems, next_steps, figures), or None before."""
    decision = session.scalars(
        select(Decision)
        .join(WorkItem, WorkItem.id == Decision.work_item_id)
        .where(WorkItem.case_id == call_case.id, WorkItem.gate == Gate.SELF_CHECK)
    ).one_or_none()
    return dict(decision.details) if decision is not None else None
