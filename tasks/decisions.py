"""Decisions of people: one command for every door; authority, rule, record and letters in one transaction."""

from datetime import datetime

from models.case import Case
from models.registry import Person, Unit
from models.work_item import Decision, WorkItem
from notifications.letters import Approved, Rejected, Returned
from policies.errors import Refused
from policies.vocabulary import Door, Gate, Verdict
from rules.quota import check_quota
from rules.transitions import check_door, check_verdict
from runtime.resources import Resources, edition_of
from tasks import items
from tasks.act import Act, acting
from tasks.applications import approved_in_year
from tasks.cases import (
    Asked,
    application_of,
    check_authority,
    item_asked,
    load_case,
    person_of,
    policy_of,
)
from tasks.checklists import missing
from tasks.commands import Decide, Withdraw
from tasks.lapses import lapse_if_over
from tasks.mail import about, applicants, due_of, names_of, send, village_of


def decide(resources: Resources, command: Decide, *, door: Door, at: datetime, asked: Asked | None = None) -> Decision:
    """
    Take a decision at the gate that waits (D0-R9).

    Args:
        asked: the form it came in on; None: by another door.

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
    lapse_if_over(resources, command.case, at=at)
    with acting(resources, at=at) as act:
        case = load_case(act.session, command.case)
        item = item_asked(act.session, case, asked, at=at)
        person = person_of(act.session, command.by)
        check_authority(act.session, item, person, on=act.day)
        check_verdict(item.gate, command.verdict, reason=command.reason)
        check_door(item.gate, command.verdict, door=door)
        match item.gate, command.verdict:
            case Gate.OFFICE_REVIEW, Verdict.APPROVED:
                _check_approval(act, case, item, command)
            case ((Gate.VILLAGE_FORWARD | Gate.OFFICE_REVIEW), Verdict.RETURNED):
                _check_returns(act, case, item)
            case ((Gate.PLAQUE | Gate.SUBSIDY), Verdict.COMPLETED):
                _check_complete(act, item)
            case Gate.CORRECTION, Verdict.RESUBMITTED:
                raise Refused("default", "补正须提交更正后的申请内容,请在补正表单中填写后提交")
            case _:
                pass
        decision = items.close(
            act,
            item,
            command.verdict,
            by=person,
            door=door,
            reason=command.reason,
            acknowledged=_codes(command, case, act),
        )
        _tell(act, case, item, decision, person)
        return decision


def _codes(command: Decide, case: Case, act: Act) -> list[str]:
    names = {standard.name: standard.code for standard in edition_of(case).for_sites.standards}
    given = {names.get(text, text) for text in command.acknowledged}
    return [code for code in application_of(act.session, case).warnings if code in given]


def _check_approval(act: Act, case: Case, item: WorkItem, command: Decide) -> None:
    scheme = edition_of(case).for_sites
    act.session.get(Unit, case.village_id, with_for_update={"of": Unit}, populate_existing=True)
    check_quota(
        scheme.quota,
        taken=approved_in_year(act.session, case.village, edition_of(case), case.year, but=case.id),
        village=case.village.name,
        year=case.year,
    )
    application = application_of(act.session, case)
    unseen = [code for code in application.warnings if code not in _codes(command, case, act)]
    if unseen:
        wheres = {standard.code: standard.where for standard in scheme.standards}
        raise Refused(
            wheres.get(unseen[0], policy_of(case, item.gate).where),
            f"批准前须逐条确认已知悉以下提示:{'、'.join(names_of(unseen, case))}",
        )


def _check_returns(act: Act, case: Case, item: WorkItem) -> None:
    limit = edition_of(case).for_sites.returns
    taken = items.next_round(act, case, Gate.CORRECTION) - 1
    if taken >= limit.at_most:
        raise Refused(
            limit.where,
            f"案件 {case.number} 已退回补正{taken}次,达到上限{limit.at_most}次,不能再退回;请作出其他决定",
        )


def _check_complete(act: Act, item: WorkItem) -> None:
    """Refuse: a checklist closes with its last point, so while it waits something is missing."""
    left = missing(act.session, item)
    names = "、".join(point.name for point in left)
    raise Refused(left[0].where, f"“{item.gate.label}”尚有未完成事项:{names};请逐项登记完成日期和证明材料")


def _tell(act: Act, case: Case, item: WorkItem, decision: Decision, person: Person) -> None:
    event = f"{item.gate.value}-{item.round}-decided"
    to = applicants(act.session, case) + village_of(act, case)
    match decision.verdict:
        case Verdict.RETURNED:
            returned = Returned(
                **about(case), by=person.name, reason=decision.reason, due_on=due_of(case, Gate.CORRECTION, act)
            )
            send(act, case, returned, to, event=event)
        case Verdict.REJECTED:
            send(act, case, Rejected(**about(case), by=person.name, reason=decision.reason), to, event=event)
        case Verdict.APPROVED:
            scheme, application = edition_of(case).for_sites, application_of(act.session, case)
            approved = Approved(
                **about(case),
                by=person.name,
                works=tuple(work.name for work in scheme.works),
                deficiencies=names_of(application.deficiencies, case),
            )
            send(act, case, approved, to, event=event)
        case _:
            pass


def withdraw(
    resources: Resources, command: Withdraw, *, door: Door, at: datetime, asked: Asked | None = None
) -> Decision:
    """
    Let the applicant withdraw at the gate that waits; the case ends with its next pass.

    Raises:
        Refused: not the leader of the application, nothing waits, or money has already moved.
    """
    lapse_if_over(resources, command.case, at=at)
    with acting(resources, at=at) as act:
        case = load_case(act.session, command.case)
        item = item_asked(act.session, case, asked, at=at)
        person = person_of(act.session, command.by)
        leader = application_of(act.session, case).leader
        if person.id != leader.id:
            raise Refused(
                policy_of(case, item.gate).where,
                f"只有申请的负责人{leader.display}可以撤回申请,{person.display}不能撤回",
            )
        check_verdict(item.gate, Verdict.WITHDRAWN, reason=command.reason)
        return items.close(act, item, Verdict.WITHDRAWN, by=person, door=door, reason=command.reason)
