"""The refined plan of a project: handed in by its leader, checked, and what follows when the office decides on it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from models.case import Case
from models.project import BudgetLine, Milestone, Plan, Project
from models.registry import Person
from models.work_item import Decision, WorkItem
from notifications.project_letters import PlanApproved, PlanReturned
from policies.errors import Refused
from policies.micro_scheme import MicroProjectScheme
from policies.vocabulary import Door, Firmness, Gate, Verdict
from rules.eligibility import Finding, refuse_if_any
from rules.money import fen_of, in_yuan
from rules.proposals import PlanLine, PlanMilestone, ProposalFacts, check_plan, examine_proposal
from runtime.resources import Resources, edition_of
from tasks import items
from tasks.act import Act
from tasks.cases import Asked, check_authority, load_case, person_of, project_of
from tasks.deciding import deciding, item_to_decide
from tasks.history import SYSTEM, append
from tasks.ledger_ceiling import check_within_received
from tasks.ledger_programme import open_budget_lines
from tasks.mail import about, applicants, chinese_date, due_of, send, village_of
from tasks.project_commands import PlanMoney, PlanStep, SubmitPlan
from tasks.project_plan import plan_of, total_of
from tasks.project_seal import plan_facts


def submit_plan(
    resources: Resources, command: SubmitPlan, *, door: Door, at: datetime, asked: Asked | None = None
) -> int:
    """
    Record the refined plan of this round and hand it to the office (D2-R9).

    Args:
        asked: the form it came in on; None: by another door.

    Returns:
        The sum of its budget, in fen.

    Raises:
        Refused: no plan is awaited, not the leader, a budget above what was granted, a category outside the edition
            or above its share, two lines of one name, something the edition forbids, too few steps, steps out of
            order or too late. Names every fault with its figures; nothing is recorded then.
    """
    with deciding(resources, at=at) as act:
        case = load_case(act.session, command.case)
        item = item_to_decide(act, case, asked, Gate.PLAN)
        person = person_of(act.session, command.by)
        check_authority(act.session, item, person, on=act.day)
        plan = _examined(act, case, command, person=person, round_=item.round)
        act.session.add(plan)
        act.session.flush()
        total = total_of(plan)
        append(
            act.session,
            case,
            kind="plan_submitted",
            actor=person.display,
            summary=f"提交细化方案(第{plan.round}轮):预算{len(plan.lines)}项合计{in_yuan(total)},"
            f"进度节点{len(plan.milestones)}个,至{chinese_date(plan.milestones[-1].due_on)}完成",
            at=act.at,
            data=plan_facts(plan),
        )
        items.close(act, item, Verdict.SUBMITTED, by=person, door=door)
        return total


def _examined(act: Act, case: Case, command: SubmitPlan, *, person: Person, round_: int) -> Plan:
    """Return the plan as it will be kept, if it meets the edition."""
    scheme, project = edition_of(case).for_projects, project_of(act.session, case)
    granted = project.granted_fen
    if granted is None:
        raise LookupError(f"project {case.number} plans without a granted sum")
    lines = _lines(command.lines, scheme)
    refuse_if_any((*_twice(lines, scheme), *_numbered(lines, scheme), *_forbidden(case, project, command, lines)))
    check_plan(
        lines,
        [PlanMilestone(name=each.name, due_on=each.due_on) for each in command.milestones],
        granted_fen=granted,
        scheme=scheme,
        on=act.day,
    )
    return Plan(
        case_id=case.id,
        round=round_,
        content=command.content,
        expected_benefit=command.expected_benefit,
        submitted_at=act.at,
        submitted_by_id=person.id,
        lines=[
            BudgetLine(seq=seq, category=line.category, name=line.name, amount_fen=line.amount_fen)
            for seq, line in enumerate(lines, start=1)
        ],
        milestones=[
            Milestone(seq=seq, name=step.name, due_on=step.due_on)
            for seq, step in enumerate(command.milestones, start=1)
        ],
    )


def _lines(entered: Sequence[PlanMoney], scheme: MicroProjectScheme) -> list[PlanLine]:
    codes = {each.name: each.code for each in scheme.funds.categories}
    return [
        PlanLine(category=codes.get(each.category, each.category), name=each.name, amount_fen=fen_of(each.amount_yuan))
        for each in entered
    ]


def _twice(lines: Sequence[PlanLine], scheme: MicroProjectScheme) -> list[Finding]:
    """Find names that two lines share: money could not be booked on one of them by its name."""
    names = [line.name for line in lines]
    return [
        Finding(
            code="line",
            name="预算分项",
            firmness=Firmness.REFUSE,
            message=f"预算分项“{name}”重复,请合并或改名",
            where=scheme.plan.where,
        )
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]


def _numbered(lines: Sequence[PlanLine], scheme: MicroProjectScheme) -> list[Finding]:
    """Find names that are only digits: money booked by a line's number would go to another line."""
    return [
        Finding(
            code="line",
            name="预算分项",
            firmness=Firmness.REFUSE,
            message=f"预算第{number}行的分项名称“{line.name}”只有数字,会与行号混淆,请写明用途,例如 花苗",
            where=scheme.plan.where,
        )
        for number, line in enumerate(lines, start=1)
        if line.name.strip().isdecimal()
    ]


def _forbidden(case: Case, project: Project, command: SubmitPlan, lines: Sequence[PlanLine]) -> list[Finding]:
    """Find what no project may be for, in the plan's words: a plan must not bring in what the proposal left out."""
    scheme = edition_of(case).for_projects
    codes = {each.code for each in scheme.prohibited}
    facts = ProposalFacts(
        title=case.title,
        content="\n".join((command.content, *(step.name for step in command.milestones))),
        beneficiaries=project.beneficiaries,
        expected_benefit=command.expected_benefit,
        kind=project.kind,
        amount_fen=project.amount_fen,
        proposer_roles=frozenset(scheme.proposers.roles),
        budget=tuple(line.name for line in lines),
    )
    return [found for found in examine_proposal(facts, scheme) if found.code in codes]


def details_of(resources: Resources, number: str) -> Mapping[str, Any]:
    """Return the plan as it stands, as a command takes it: the start of a corrected one; the proposal before any."""
    with resources.database.read() as session:
        case = load_case(session, number, lock=False)
        plan, project = plan_of(session, case), project_of(session, case)
        if plan is None:
            return {"content": project.content, "expected_benefit": project.expected_benefit}
        names = {each.code: each.name for each in edition_of(case).for_projects.funds.categories}
        return {
            "content": plan.content,
            "expected_benefit": plan.expected_benefit,
            "milestones": [PlanStep(name=each.name, due_on=each.due_on) for each in plan.milestones],
            "lines": [
                PlanMoney(
                    name=each.name,
                    category=names.get(each.category, each.category),
                    amount_yuan=amount_as_typed(each.amount_fen),
                )
                for each in plan.lines
            ],
        }


def amount_as_typed(fen: int) -> str:
    """Return an amount as people type it into a form, e.g. ``1280.50``."""
    return f"{fen // 100}.{fen % 100:02d}"


def check_returns(case: Case, item: WorkItem) -> None:
    """
    Refuse a return beyond the edition's limit (D0-R9).

    Raises:
        Refused: names the figures.
    """
    limit = edition_of(case).for_projects.returns
    taken = item.round - 1
    if taken >= limit.at_most:
        raise Refused(
            limit.where,
            f"案件 {case.number} 的方案已退回{taken}次,达到上限{limit.at_most}次,不能再退回;"
            "请予批准,或请项目负责人就未尽事项当面说明",
        )


def approve(act: Act, case: Case, person: Person | None) -> dict[str, Any]:
    """
    Open the plan's budget lines in the ledger (D2-R9, D2-R13).

    Returns:
        What the decision keeps: how many steps the plan has, its sum in fen.

    Raises:
        Refused: the programme has received less than the projects with an approved plan and this one are granted.
    """
    plan = plan_of(act.session, case)
    if plan is None:
        raise LookupError(f"project {case.number} has no plan to approve")
    check_within_received(act, case)
    where = edition_of(case).for_projects.plan.where
    lines = [(str(line.seq), line.name, line.amount_fen) for line in plan.lines]
    open_budget_lines(act, case, lines, by=person, where=where)
    return {"milestones": len(plan.milestones), "total_fen": total_of(plan)}


def tell(act: Act, case: Case, item: WorkItem, decision: Decision) -> None:
    """Tell leader and village what the office said to the plan."""
    by = decision.decided_by.name if decision.decided_by else SYSTEM
    plan = plan_of(act.session, case)
    letter: PlanReturned | PlanApproved
    if decision.verdict is Verdict.RETURNED:
        letter = PlanReturned(
            **about(case),
            by=by,
            reason=decision.reason,
            due_on=due_of(case, Gate.PLAN, act),
            returns_left=max(edition_of(case).for_projects.returns.at_most - item.round, 0),
        )
    elif plan is not None:
        letter = PlanApproved(
            **about(case), by=by, total_fen=total_of(plan), lines=line_texts(case, plan), milestones=step_texts(plan)
        )
    else:
        return
    to = applicants(act.session, case) + village_of(act, case)
    send(act, case, letter, to, event=f"{item.gate.value}-{item.round}-decided")


def line_texts(case: Case, plan: Plan) -> tuple[str, ...]:
    """Return the budget as letters list it, line by line."""
    names = {each.code: each.name for each in edition_of(case).for_projects.funds.categories}
    return tuple(
        f"{line.name}（{names.get(line.category, line.category)}）{in_yuan(line.amount_fen)}" for line in plan.lines
    )


def step_texts(plan: Plan) -> tuple[str, ...]:
    """Return the steps as letters list them."""
    return tuple(f"{step.name}，{chinese_date(step.due_on)}前" for step in plan.milestones)
