"""What a page says of a project, as labelled rows."""

from fractions import Fraction

from sqlalchemy.orm import Session

from models.case import Case
from models.project import Plan, Project
from rules.money import in_capitals, in_yuan
from rules.periods import SHANGHAI
from rules.scoring import shown
from runtime.resources import edition_of
from tasks.cases import project_of
from tasks.evaluations import answers_of, panel_texts
from tasks.ledger_figures import budget_lines
from tasks.progress import last_progress
from tasks.project_plan import milestones_done, plan_of, total_of

Rows = tuple[tuple[str, str], ...]


def of_project(session: Session, case: Case) -> Rows:
    """Return the facts of a project: what it is, where it stands, its plan, its money, how it was found."""
    project, kinds = project_of(session, case), {kind.code: kind.name for kind in edition_of(case).for_projects.kinds}
    plan = plan_of(session, case)
    rows = [
        ("提议人", project.leader.display),
        ("类别", kinds.get(project.kind, project.kind)),
        ("内容", plan.content if plan else project.content),
        ("受益人群", project.beneficiaries),
        ("预期效益", plan.expected_benefit if plan else project.expected_benefit),
        ("申请金额", in_yuan(project.amount_fen)),
        ("遴选情况", project.standing.label + (f":{project.standing_because}" if project.standing_because else "")),
    ]
    if project.granted_fen is not None:
        rows.append(("核定金额", f"{in_yuan(project.granted_fen)}({in_capitals(project.granted_fen)})"))
    if plan is not None:
        rows += _of_plan(session, case, plan)
    rows += _of_progress(session, case)
    rows += _of_evaluation(session, case, project)
    return tuple(rows)


def _of_plan(session: Session, case: Case, plan: Plan) -> list[tuple[str, str]]:
    """Return budget and steps: as planned while the plan waits for approval, as they stand after it."""
    names = {each.code: each.name for each in edition_of(case).for_projects.funds.categories}
    spent = {line.name: line for line in budget_lines(session, case)}
    rows = [("方案", f"第{plan.round}轮,{plan.submitted_at.astimezone(SHANGHAI):%Y-%m-%d}提交")]
    for line in plan.lines:
        told = f"{names.get(line.category, line.category)},{in_yuan(line.amount_fen)}"
        if (figures := spent.get(line.name)) is not None:
            told += f",已支出{in_yuan(figures.spent_fen)},尚余{in_yuan(figures.left_fen)}"
        rows.append((f"预算{line.seq} {line.name}", told))
    total = total_of(plan)
    rows.append(("预算合计", f"{in_yuan(total)}({in_capitals(total)})"))
    done = milestones_done(session, case)
    for step in plan.milestones:
        state = f"完成于{done[step.seq]}" if step.seq in done else "未完成"
        rows.append((f"节点{step.seq} {step.name}", f"期限{step.due_on},{state}"))
    return rows


def _of_progress(session: Session, case: Case) -> list[tuple[str, str]]:
    last = last_progress(session, case)
    return [] if last is None else [("最近进展", f"{last.happened_on},总体{last.percent}%:{last.summary}")]


def _of_evaluation(session: Session, case: Case, project: Project) -> list[tuple[str, str]]:
    """Return what the sides said once one of them did, and the result once there is one."""
    if not answers_of(session, case):
        return []
    rows = [(f"评估 {text.partition('：')[0]}", text.partition("：")[2]) for text in panel_texts(session, case)]
    if project.result:
        grades = {each.code: each.name for each in edition_of(case).for_projects.evaluation.grades}
        rows.append(("评估结果", f"{shown(Fraction(project.result))}分,{grades.get(project.grade, project.grade)}"))
    return rows
