"""What the rules of a parlour's case say to a verdict, and who is told of it (D0-R9, D1-R2)."""

from models.case import Case
from models.registry import Unit
from models.work_item import Decision, WorkItem
from notifications.letters import Approved, Rejected, Returned
from policies.errors import Refused
from policies.vocabulary import Gate, Verdict
from rules.quota import check_quota
from runtime.resources import edition_of
from tasks import items
from tasks.act import Act
from tasks.applications import approved_in_year
from tasks.cases import application_of, policy_of
from tasks.checklists import missing
from tasks.commands import Decide
from tasks.history import SYSTEM
from tasks.mail import about_site, applicants, due_of, names_of, send, village_of


def check(act: Act, case: Case, item: WorkItem, command: Decide) -> list[str]:
    """
    Refuse a verdict that a rule forbids.

    Returns:
        The codes of the warnings that were acknowledged.
    """
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
    return _codes(command, case, act)


def _codes(command: Decide, case: Case, act: Act) -> list[str]:
    if not command.acknowledged:
        return []
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


def tell(act: Act, case: Case, item: WorkItem, decision: Decision) -> None:
    """Tell applicant and village what was decided; of a return not the one who decided it."""
    by = decision.decided_by.name if decision.decided_by else SYSTEM
    event = f"{item.gate.value}-{item.round}-decided"
    theirs, village = applicants(act.session, case), village_of(act, case)
    to = theirs + village
    match decision.verdict:
        case Verdict.RETURNED:
            # Who returned it knows, and has nothing to correct.
            to = theirs + [each for each in village if each.person_id != decision.decided_by_id]
            returned = Returned(
                **about_site(case), by=by, reason=decision.reason, due_on=due_of(case, Gate.CORRECTION, act)
            )
            send(act, case, returned, to, event=event)
        case Verdict.REJECTED:
            send(act, case, Rejected(**about_site(case), by=by, reason=decision.reason), to, event=event)
        case Verdict.APPROVED:
            scheme, application = edition_of(case).for_sites, application_of(act.session, case)
            approved = Approved(
                **about_site(case),
                by=by,
                works=tuple(work.name for work in scheme.works),
                deficiencies=names_of(application.deficiencies, case),
            )
            send(act, case, approved, to, event=event)
        case _:
            pass
