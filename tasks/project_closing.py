"""
What the end of a call, a project or a notice does to the cases beside it, and how a call's proposals are settled.

Whatever changes a case and its parent locks the parent first; here the call is always locked already.
"""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import Case
from models.notice import Notice, Objection
from models.project import Project
from models.work_item import WorkItem
from notifications.call_letters import ProposalResult
from policies.vocabulary import (
    CaseKind,
    CaseStatus,
    Door,
    Gate,
    ObjectionFinding,
    Outcome,
    ProjectStanding,
    Verdict,
    WorkItemStatus,
)
from rules.money import in_yuan
from tasks import items, selection
from tasks.act import Act
from tasks.call_projects import RANKED, named, projects_of, stand, standing, told, waiting_item
from tasks.cases import load_case
from tasks.mail import about, applicants, chinese_date, due_of, send

VERDICTS = {
    Outcome.CLEARED: Verdict.CLEARED,
    Outcome.AMENDED: Verdict.AMENDED,
    Outcome.RETRACTED: Verdict.RETRACTED,
}
"""What the end of a notice says to the call that waits for it."""


def confirm(act: Act, case: Case, item: WorkItem) -> None:
    """
    Settle every proposal of a call whose notice was cleared: confirmed with its amount, or not and why (D2-R9).

    Called in the transaction that opens the gate PROJECTS; with nothing confirmed that gate closes at once.
    """
    confirmed = []
    for project in projects_of(act.session, case):
        if project.standing is ProjectStanding.WITHDRAWN:
            continue
        if project.standing is ProjectStanding.SELECTED:
            _confirm(act, project)
            confirmed.append(project.case.number)
        else:
            _dismiss(act, project, told(project))
    if not confirmed:
        items.close(act, item, Verdict.COMPLETED, by=None, door=Door.SYSTEM, reason="没有确认入选的项目")


def _confirm(act: Act, project: Project) -> None:
    case = load_case(act.session, project.case.number)
    because = project.standing_because
    project.granted_fen = project.amount_fen
    stand(act, project, ProjectStanding.CONFIRMED, because)
    details = {"granted_fen": project.amount_fen, "rank": project.rank}
    _close(act, case, Verdict.SELECTED, f"{because},核定{in_yuan(project.amount_fen)}", details)
    due = chinese_date(due_of(case, Gate.PLAN, act))
    letter = ProposalResult(
        **about(case),
        selected=True,
        amount_fen=project.amount_fen,
        because=because,
        next_step=f"请于{due}前细化项目内容、实施步骤、资金预算和预期效益，提交方案；届时另行通知。",
    )
    send(act, case, letter, applicants(act.session, case), event="result")


def _dismiss(act: Act, project: Project, because: str) -> None:
    case = load_case(act.session, project.case.number)
    if not _close(act, case, Verdict.NOT_SELECTED, because, {"standing": project.standing.value}):
        return
    letter = ProposalResult(**about(case), selected=False, amount_fen=0, because=because, next_step="")
    send(act, case, letter, applicants(act.session, case), event="result")


def _close(act: Act, case: Case, verdict: Verdict, reason: str, details: dict[str, Any]) -> bool:
    """Close a proposal's gate SELECTION while it waits; return whether it did."""
    item = waiting_item(act, case)
    if item is None:
        return False
    items.close(act, item, verdict, by=None, door=Door.SYSTEM, reason=reason, details=details)
    return True


def after_call(act: Act, case: Case) -> None:
    """Tell every proposal that still waits that the call ended without it."""
    outcome = case.outcome.label if case.outcome else ""
    ended = f"征集 {case.number} 已办结:{outcome}" + (f",{case.because}" if case.because else "")
    for project in projects_of(act.session, case):
        open_still = project.standing in (ProjectStanding.PROPOSED, ProjectStanding.SELECTED)
        _dismiss(act, project, ended if open_still else told(project))


def after_project(act: Act, case: Case) -> None:
    """Let the call go on when this was the last project that it waited for."""
    call = case.parent
    if call is None:
        return
    item = _waiting(act.session, call, Gate.PROJECTS)
    if item is None:
        return
    running = [
        each.case.number
        for each in standing(act.session, call, ProjectStanding.CONFIRMED)
        if each.case.status is CaseStatus.OPEN
    ]
    if not running:
        items.close(
            act, item, Verdict.COMPLETED, by=None, door=Door.SYSTEM, reason=f"最后一个项目 {case.number} 已办结"
        )


def after_notice(act: Act, case: Case) -> None:
    """
    Let the matter that was noticed go on: cleared, amended or retracted (D2-R10).

    Amended: the proposals against which an objection was upheld are out, and what the budget then reaches is selected
    anew; the call notices it again.
    """
    call = case.parent
    if call is None or call.kind is not CaseKind.CALL or case.outcome is None:
        return
    item = _waiting(act.session, call, Gate.SELECTION_NOTICE)
    if item is None:
        return
    verdict = VERDICTS[case.outcome]
    details: dict[str, object] = {"notice": case.number}
    if verdict is Verdict.AMENDED:
        details["out"] = _take_out(act, call, case)
        details["selected"] = selection.reselect(act, call)
    because = f":{case.because}" if case.because else ""
    items.close(
        act,
        item,
        verdict,
        by=None,
        door=Door.SYSTEM,
        reason=f"公示 {case.number} {case.outcome.label}{because}",
        details=details,
    )


def _take_out(act: Act, call: Case, notice_case: Case) -> list[str]:
    upheld = act.session.scalars(
        select(Objection)
        .join(Notice)
        .where(Notice.case_id == notice_case.id, Objection.finding == ObjectionFinding.UPHELD)
        .order_by(Objection.seq)
    ).all()
    out = []
    for project in standing(act.session, call, *RANKED):
        against = [each for each in upheld if each.against_case_id == project.case_id]
        if against:
            reasons = ";".join(f"第{each.seq}号异议成立:{each.reasons}" for each in against)
            stand(act, project, ProjectStanding.UPHELD_AGAINST, f"公示 {notice_case.number} {reasons}")
            out.append(named(project))
    return out


def _waiting(session: Session, case: Case, gate: Gate) -> WorkItem | None:
    return session.scalars(
        select(WorkItem).where(
            WorkItem.case_id == case.id, WorkItem.gate == gate, WorkItem.status == WorkItemStatus.OPEN
        )
    ).one_or_none()
