"""What the forms of a project's gates ask for."""

from datetime import date
from typing import Annotated, Any

from pydantic import Field, create_model
from sqlalchemy.orm import Session

from flows.fields import NOBODY, UNDECIDED, Builder, Fields, choice, text, verdict_fields
from flows.site_forms import work_fields
from models.case import Case
from policies.vocabulary import Gate, Verdict
from rules.money import in_yuan
from runtime.resources import edition_of
from tasks.case_file import Awaited
from tasks.cases import project_of
from tasks.plans import amount_as_typed
from tasks.project_plan import plan_of

LONGEST = 5000


def _plan_fields(session: Session, case: Case, awaited: Awaited) -> Fields:
    """Ask for the plan; a returned one starts from what was handed in before."""
    project, plan, funds = project_of(session, case), plan_of(session, case), edition_of(case).for_projects.funds
    names = {each.code: each.name for each in funds.categories}
    step: Any = create_model("PlanStepEntry", name=text("节点名称", longest=60), due_on=(date, Field(title="完成期限")))
    line: Any = create_model(
        "PlanMoneyEntry",
        name=text("分项名称", description="例如 花苗;各分项不得同名", longest=60),
        category=(choice(NOBODY, tuple(names.values())), Field(NOBODY, title="用途")),
        amount_yuan=text("金额(元)", description="例如 1280.50", longest=20),
    )
    steps = [step(name=each.name, due_on=each.due_on) for each in plan.milestones] if plan else []
    lines = [
        line(
            name=each.name,
            category=names.get(each.category, NOBODY),
            amount_yuan=amount_as_typed(each.amount_fen),
        )
        for each in (plan.lines if plan else ())
    ]
    granted = in_yuan(project.granted_fen or 0)
    return verdict_fields(awaited) | {
        "content": text("项目内容", default=plan.content if plan else project.content, longest=LONGEST),
        "expected_benefit": text(
            "预期效益", default=plan.expected_benefit if plan else project.expected_benefit, longest=LONGEST
        ),
        "milestones": (list[step], Field(steps, title="进度节点", description="按先后排列,逐个添加")),
        "lines": (
            list[line],
            Field(lines, title="预算分项", description=f"合计不超过核定金额{granted},可以少于核定金额"),
        ),
    }


def _work_or_stop_fields(session: Session, case: Case, awaited: Awaited) -> Fields:
    """Ask for date and proof of each point; the head of the office may give the project up instead."""
    return work_fields(session, case, awaited) | {
        "verdict": (
            choice(UNDECIDED, (Verdict.ABANDONED.label,)),
            Field(UNDECIDED, title="决定", description="确实无法继续时,由社区办负责人选择“终止实施”并写明理由"),
        ),
        "reason": text("理由", description="终止实施时必须填写"),
    }


def _acceptance_fields(session: Session, case: Case, awaited: Awaited) -> Fields:
    return verdict_fields(awaited) | {
        "proof": text(
            "依据材料",
            description="村务监督意见或验收单,资料文件夹(documents)内的文件名;验收合格时必须填写",
            longest=300,
        ),
    }


def _evaluation_fields(session: Session, case: Case, awaited: Awaited) -> Fields:
    panels = tuple(each.panel.label for each in edition_of(case).for_projects.evaluation.panels)
    entry: Any = create_model(
        "PanelEntryForm",
        panel=(choice(NOBODY, panels), Field(NOBODY, title="评估方")),
        answers=(Annotated[int, Field(ge=0, le=100_000)], Field(0, title="份数", description="问卷份数或评委人数")),
        points_total=(
            Annotated[int, Field(ge=0, le=10_000_000)],
            Field(0, title="总分", description="各份得分之和,每份0至100分"),
        ),
        comment=text("意见摘要"),
    )
    return {
        "panels": (
            list[entry],
            Field(default_factory=list, title="各方评估", description="再次登记同一方的,替换原来的"),
        ),
        "complete": (bool, Field(False, title="评估已收齐,办结", description="勾选后按权重计算得分和等次,不能再改")),
    }


BUILDERS: dict[Gate, Builder] = {
    Gate.PLAN: _plan_fields,
    Gate.FUNDING: _work_or_stop_fields,
    Gate.MILESTONE: _work_or_stop_fields,
    Gate.ACCEPTANCE: _acceptance_fields,
    Gate.EVALUATION: _evaluation_fields,
    Gate.SETTLEMENT: work_fields,
}
"""By gate; the others ask for a verdict."""
