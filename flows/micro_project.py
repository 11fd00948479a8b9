"""
Residents' micro-projects: a call from its opening to the self-check report, and each project from proposal to archive.

Reads in the order of the policy document (征集 → 遴选 → 公示 → 实施 → 评估, D2-R9). A call is a case and every proposal
is a case of its own that waits for the call; the numbers stand in the edition pinned to them. What a gate's opening or
a case's end does to other cases happens in its transaction (tasks.project_asks, tasks.project_closing). Re-entrant:
every line may run many times.
"""

from itertools import count
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.carry import carry
from flows.forms import titled
from policies.vocabulary import Gate, Outcome, Verdict
from tasks.procedure import CaseHandle, Ending, await_decision


def call(case: CaseHandle) -> Ending:
    """Carry one call to its end (D2-R9, D2-R10, D2-R11)."""
    # 征集: proposals come in until the last day; a late one is refused.
    window = await_decision(case, Gate.CALL_WINDOW)
    if window.verdict is Verdict.WITHDRAWN:
        return Ending(Outcome.WITHDRAWN, window.reason)
    if not window.details["proposals"]:
        return Ending(Outcome.NO_PROJECTS, "征集结束,没有有效申报")

    # 社情民意调研: what residents think of each proposal.
    if case.edition.for_projects.survey is not None:
        survey = await_decision(case, Gate.SURVEY)
        if survey.verdict is Verdict.WITHDRAWN:
            return Ending(Outcome.WITHDRAWN, survey.reason)

    # 协商筛选: scored, voted, ranked within the budget.
    screening = await_decision(case, Gate.SCREENING)
    if screening.verdict is Verdict.WITHDRAWN:
        return Ending(Outcome.WITHDRAWN, screening.reason)
    selected = screening.details["selected"]

    # 公示: what is to be carried out is made known; an upheld objection changes the list, which is noticed again.
    for round_ in count(1):
        if not selected:
            return Ending(Outcome.NO_PROJECTS, "没有项目入选")
        notice = await_decision(case, Gate.SELECTION_NOTICE, round_)
        if notice.verdict is Verdict.CLEARED:
            break
        if notice.verdict is Verdict.RETRACTED:
            return Ending(Outcome.WITHDRAWN, notice.reason)
        selected = notice.details["selected"]

    # 确定, 实施: each confirmed project goes on by itself; the call waits for the last of them.
    await_decision(case, Gate.PROJECTS)

    # 评估: the office sums up in its self-check report (自查报告).
    await_decision(case, Gate.SELF_CHECK)
    return Ending(Outcome.CONCLUDED)


def project(case: CaseHandle) -> Ending:
    """Carry one proposal to its end: not selected, or carried out, accepted, evaluated and settled (D2-R9, D2-R11)."""
    selection = await_decision(case, Gate.SELECTION)
    if selection.verdict is Verdict.WITHDRAWN:
        return Ending(Outcome.WITHDRAWN, selection.reason)
    if selection.verdict is Verdict.NOT_SELECTED:
        return Ending(Outcome.NOT_SELECTED, selection.reason)

    # Content, steps, budget and expected benefit are refined; the office approves or returns the plan.
    for round_ in count(1):
        plan = await_decision(case, Gate.PLAN, round_)
        if plan.verdict is Verdict.ABANDONED:
            return Ending(Outcome.WITHDRAWN, plan.reason)
        review = await_decision(case, Gate.PLAN_REVIEW, round_)
        if review.verdict is Verdict.ABANDONED:
            return Ending(Outcome.WITHDRAWN, review.reason)
        if review.verdict is Verdict.APPROVED:
            break

    # The money comes from the dedicated ledger, and is spent against the plan's lines. From here on a project that is
    # stopped gives back what it has.
    funding = await_decision(case, Gate.FUNDING)
    if funding.verdict is Verdict.ABANDONED:
        return _stopped(case, funding.reason)

    # Step by step, each by the day the plan names.
    for step in range(1, review.details["milestones"] + 1):
        milestone = await_decision(case, Gate.MILESTONE, step)
        if milestone.verdict is Verdict.ABANDONED:
            return _stopped(case, milestone.reason)

    # Acceptance; what is not good enough is put right and looked at again.
    for round_ in count(1):
        acceptance = await_decision(case, Gate.ACCEPTANCE, round_)
        if acceptance.verdict is Verdict.ABANDONED:
            return _stopped(case, acceptance.reason)
        if acceptance.verdict is Verdict.ACCEPTED:
            break

    # Residents, experts and a third party evaluate; unspent money goes back.
    await_decision(case, Gate.EVALUATION)
    await_decision(case, Gate.SETTLEMENT)
    return Ending(Outcome.COMPLETED)


def _stopped(case: CaseHandle, reason: str) -> Ending:
    """Let a project that the head of the office has stopped give back its money, and end (D2-R13)."""
    await_decision(case, Gate.SETTLEMENT)
    return Ending(Outcome.WITHDRAWN, reason)


@flow(name="call-lifecycle", flow_run_name="{case_number}")
def call_lifecycle(case_number: str = titled("案件编号")) -> State[Any]:
    """
    微项目征集办理:由系统为每次征集自动启动,在每个环节等待办理人,一般无须手工运行.

    Args:
        case_number: 案件编号,例如 WXZ-2026-0001
    """
    return carry(case_number, call)


@flow(name="project-lifecycle", flow_run_name="{case_number}")
def project_lifecycle(case_number: str = titled("案件编号")) -> State[Any]:
    """
    微项目办理:由系统为每个申报项目自动启动,在每个环节等待办理人,一般无须手工运行.

    Args:
        case_number: 案件编号,例如 WX-2026-0001
    """
    return carry(case_number, project)
