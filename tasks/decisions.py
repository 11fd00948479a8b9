"""Decisions of people: one command for every door; authority, rule, record and letters in one transaction."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from models.case import Case
from models.registry import Person
from models.work_item import Decision, WorkItem
from policies.errors import Refused
from policies.vocabulary import CaseKind, Door, Gate, Verdict
from rules.transitions import ALSO_GIVEN_BY, GIVEN_BY, check_door, check_verdict
from runtime.resources import Resources
from tasks import (
    call_decisions,
    campaign_case,
    change_case,
    evaluation_case,
    inspection_case,
    items,
    meeting_case,
    notice_decisions,
    order_case,
    project_decisions,
    proposals,
    resolution_case,
    site_decisions,
)
from tasks.act import Act
from tasks.cases import (
    Asked,
    check_authority,
    entitled,
    kept_of,
    leader_of,
    load_case,
    load_with_parent,
    person_of,
    policy_of,
)
from tasks.commands import Decide, Withdraw
from tasks.deciding import deciding, item_to_decide


def decide(resources: Resources, command: Decide, *, door: Door, at: datetime, asked: Asked | None = None) -> Decision:
    """
    Take a decision at the gate that waits (D0-R9).

    Args:
        asked: the form or the sheet's row it came in on; None: by another door.

    Returns:
        The decision, committed.

    Raises:
        Refused: nothing waits, somebody was first, the person may not, the verdict does not fit the gate, a reason or
            an acknowledgement is missing, the quota is used up, the file was returned too often.
    """
    if command.verdict is Verdict.WITHDRAWN:
        if not command.reason:
            raise Refused("default", "撤回申请须填写理由")
        withdrawal = Withdraw(case=command.case, by=command.by, reason=command.reason)
        return withdraw(resources, withdrawal, door=door, at=at, asked=asked)
    with deciding(resources, at=at) as act:
        case = load_case(act.session, command.case)
        item = item_to_decide(act, case, asked)
        person = person_of(act.session, command.by)
        given = (item.gate, command.verdict)
        check_authority(act.session, item, person, on=act.day, above=GIVEN_BY.get(given), also=ALSO_GIVEN_BY.get(given))
        check_verdict(item.gate, command.verdict, reason=command.reason)
        check_door(item.gate, command.verdict, door=door)
        acknowledged = CHECKS[case.kind](act, case, item, command)
        decision = items.close(
            act,
            item,
            command.verdict,
            by=person,
            door=door,
            reason=command.reason,
            acknowledged=acknowledged,
            details=kept_of(asked)
            | (DETAILS[case.kind](act, case, item, command, person) if case.kind in DETAILS else {}),
        )
        TELL[case.kind](act, case, item, decision)
        return decision


CHECKS: dict[CaseKind, Callable[[Act, Case, WorkItem, Decide], list[str]]] = {
    CaseKind.SITE: site_decisions.check,
    CaseKind.CALL: call_decisions.check,
    CaseKind.PROJECT: project_decisions.check_project,
    CaseKind.NOTICE: notice_decisions.check,
    CaseKind.CAMPAIGN: campaign_case.check,
    CaseKind.INSPECTION: inspection_case.check,
    CaseKind.ANNUAL_EVALUATION: evaluation_case.check,
    CaseKind.JOINT_MEETING: meeting_case.check,
    CaseKind.RESOLUTION: resolution_case.check,
    CaseKind.SERVICE_ORDER: order_case.check,
    CaseKind.SITE_CHANGE: change_case.check,
}
"""What the rules of each kind of case say to a verdict; returns the codes of acknowledged warnings."""
DETAILS: dict[CaseKind, Callable[[Act, Case, WorkItem, Decide, Person], dict[str, Any]]] = {
    CaseKind.PROJECT: project_decisions.details,
    CaseKind.SITE_CHANGE: change_case.details,
}
"""What a decision keeps beside its verdict, done in its transaction; of the other kinds nothing."""


def _tell_project(act: Act, case: Case, item: WorkItem, decision: Decision) -> None:
    """Do what follows from a verdict in a project: while it waits for its call, the call is concerned."""
    told = proposals.tell_withdrawn if item.gate is Gate.SELECTION else project_decisions.tell_project
    told(act, case, item, decision)


TELL: dict[CaseKind, Callable[[Act, Case, WorkItem, Decision], None]] = {
    CaseKind.SITE: site_decisions.tell,
    CaseKind.CALL: call_decisions.tell,
    CaseKind.PROJECT: _tell_project,
    CaseKind.NOTICE: notice_decisions.tell,
    CaseKind.CAMPAIGN: campaign_case.tell,
    CaseKind.INSPECTION: inspection_case.tell,
    CaseKind.ANNUAL_EVALUATION: evaluation_case.tell,
    CaseKind.JOINT_MEETING: meeting_case.tell,
    CaseKind.RESOLUTION: resolution_case.tell,
    CaseKind.SERVICE_ORDER: order_case.tell,
    CaseKind.SITE_CHANGE: change_case.tell,
}
"""What follows from a verdict in its transaction: letters, books, other cases."""


def withdraw(
    resources: Resources, command: Withdraw, *, door: Door, at: datetime, asked: Asked | None = None
) -> Decision:
    """
    Let the applicant withdraw at the gate that waits, or the office where it may too; the case ends with its next pass.

    Raises:
        Refused: not the leader of the application, nothing waits, or money has already moved.
    """
    with deciding(resources, at=at) as act:
        # A proposal's call hears of it, and whatever changes both takes the call first.
        case = load_with_parent(act.session, command.case)
        item = item_to_decide(act, case, asked)
        person = person_of(act.session, command.by)
        leader = leader_of(act.session, case)
        if leader is None:
            # An office's own case: who may decide in it may also take it back.
            check_authority(act.session, item, person, on=act.day)
        elif person.id != leader.id:
            _check_withdraws_for_others(act, case, item, person, leader)
        check_verdict(item.gate, Verdict.WITHDRAWN, reason=command.reason)
        decision = items.close(
            act, item, Verdict.WITHDRAWN, by=person, door=door, reason=command.reason, details=kept_of(asked)
        )
        TELL[case.kind](act, case, item, decision)
        return decision


def _check_withdraws_for_others(act: Act, case: Case, item: WorkItem, person: Person, leader: Person) -> None:
    """Refuse unless the gate lets the person's role withdraw beside the applicant; tells who may."""
    role = ALSO_GIVEN_BY.get((item.gate, Verdict.WITHDRAWN))
    if role is not None and person.id in {each.id for each in entitled(act.session, case, role, on=act.day)}:
        return
    able = f"申请的负责人{leader.display}" + (f"或{role.label}" if role else "")
    raise Refused(policy_of(case, item.gate).where, f"只有{able}可以撤回申请,{person.display}不能撤回")
