"""The evaluation of a finished project: what each side says, entered until it closes, and the result (D2-R11)."""

from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import Case
from models.project import PanelResult
from models.registry import Person
from models.work_item import Decision, WorkItem
from notifications.project_letters import ProjectEvaluated
from policies.vocabulary import Door, EvaluationPanel, Gate, Verdict
from rules.evaluation import PanelAnswer, Result, check_answer, evaluate
from rules.scoring import shown
from runtime.resources import Resources, edition_of
from tasks import items
from tasks.act import Act
from tasks.cases import Asked, check_authority, load_case, person_of, project_of
from tasks.deciding import deciding, item_to_decide
from tasks.history import append
from tasks.mail import about, applicants, send, village_of
from tasks.project_commands import PanelEntry, RecordEvaluation


def record_evaluation(
    resources: Resources,
    command: RecordEvaluation,
    *,
    complete: bool,
    door: Door,
    at: datetime,
    asked: Asked | None = None,
) -> tuple[EvaluationPanel, ...]:
    """
    Enter what sides say of the project, all of them or none; a later entry of a side replaces the earlier one.

    Args:
        complete: also close the evaluation with its result.
        asked: the form it came in on; None: by another door.

    Returns:
        The sides of the edition that have said nothing so far.

    Raises:
        Refused: no evaluation waits, a person who may not decide there, a side that the edition does not ask, points
            that can not be; with `complete`, also a missing side that the edition insists on.
    """
    with deciding(resources, at=at) as act:
        case = load_case(act.session, command.case)
        item = item_to_decide(act, case, asked, Gate.EVALUATION)
        person = person_of(act.session, command.by)
        check_authority(act.session, item, person, on=act.day)
        for entry in command.panels:
            _enter(act, case, entry, person)
        if complete:
            details = conclude(act, case)
            decision = items.close(act, item, Verdict.COMPLETED, by=person, door=door, details=details)
            tell(act, case, item, decision)
        said = answers_of(act.session, case)
        return tuple(each.panel for each in edition_of(case).for_projects.evaluation.panels if each.panel not in said)


def _enter(act: Act, case: Case, entry: PanelEntry, person: Person) -> None:
    evaluation = edition_of(case).for_projects.evaluation
    check_answer(entry.panel, PanelAnswer(answers=entry.answers, points_total=entry.points_total), evaluation)
    row = act.session.scalars(
        select(PanelResult).where(PanelResult.case_id == case.id, PanelResult.panel == entry.panel)
    ).one_or_none()
    replaced = "" if row is None else f",替换原来的{row.answers}份合计{row.points_total}分"
    if row is None:
        row = PanelResult(case_id=case.id, panel=entry.panel)
        act.session.add(row)
    row.answers, row.points_total, row.comment = entry.answers, entry.points_total, entry.comment
    row.recorded_at, row.recorded_by_id = act.at, person.id
    act.session.flush()
    append(
        act.session,
        case,
        kind="evaluation_entered",
        actor=person.display,
        summary=f"登记{entry.panel.label}:{entry.answers}份合计{entry.points_total}分{replaced}",
        at=act.at,
        data={
            "panel": entry.panel.value,
            "answers": entry.answers,
            "points_total": entry.points_total,
            "comment": entry.comment,
        },
    )


def answers_of(session: Session, case: Case) -> dict[EvaluationPanel, PanelAnswer]:
    """Return what each side has said of the project so far."""
    rows = session.scalars(select(PanelResult).where(PanelResult.case_id == case.id).order_by(PanelResult.id))
    return {row.panel: PanelAnswer(answers=row.answers, points_total=row.points_total) for row in rows}


def conclude(act: Act, case: Case) -> dict[str, Any]:
    """
    Weigh what the sides say, and keep result and grade on the project.

    Returns:
        What the decision keeps: the exact points, the grade's code, the sides that were missing, the worked sum.

    Raises:
        Refused: a side is missing and the edition does not do without it.
    """
    result = _result(act.session, case)
    project = project_of(act.session, case)
    project.result = f"{result.points.numerator}/{result.points.denominator}"
    project.grade = result.grade.code
    return {
        "result": project.result,
        "grade": project.grade,
        "missing": [panel.value for panel in result.missing],
        "reason": result.reason,
    }


def _result(session: Session, case: Case) -> Result:
    return evaluate(answers_of(session, case), edition_of(case).for_projects.evaluation)


def tell(act: Act, case: Case, item: WorkItem, decision: Decision) -> None:
    """Tell leader and village what the evaluation came to."""
    result = _result(act.session, case)
    letter = ProjectEvaluated(
        **about(case),
        points=shown(result.points),
        grade=result.grade.name,
        panels=panel_texts(act.session, case),
        reckoning=decision.details["reason"],
    )
    to = applicants(act.session, case) + village_of(act, case)
    send(act, case, letter, to, event=f"{item.gate.value}-{item.round}-decided")


def panel_texts(session: Session, case: Case) -> tuple[str, ...]:
    """Return what each side of the edition says, as letters and pages list it; also who says nothing yet."""
    said = answers_of(session, case)
    return tuple(
        f"{each.panel.label}：{_said(said.get(each.panel))}（权重{each.weight.numerator}/{each.weight.denominator}，"
        f"至少{each.answers_at_least}份）"
        for each in edition_of(case).for_projects.evaluation.panels
    )


def _said(answer: PanelAnswer | None) -> str:
    if answer is None:
        return "未登记"
    return f"{answer.answers}份，平均{shown(Fraction(answer.points_total, answer.answers))}分"
