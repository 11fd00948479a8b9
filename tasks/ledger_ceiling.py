"""How far the plans of a call's projects may go: never beyond what the programme received (D2-R13)."""

from sqlalchemy import select

from models.case import Case
from models.ledger import LedgerAccount
from models.project import Project
from models.work_item import Decision, WorkItem
from policies.errors import Refused
from policies.vocabulary import Gate, LedgerLevel, Verdict
from rules.money import in_yuan
from tasks.act import Act
from tasks.cases import policy_of, project_of
from tasks.ledger_figures import programme
from tasks.ledger_posting import locked


def check_within_received(act: Act, case: Case) -> None:
    """
    Refuse to approve a project's plan while the programme has received less than its projects are to have (D2-R13).

    What went back to the sources was not received; a project that was stopped counts with what it did not give back.

    Args:
        case: the project; locked, its granted sum known.

    Raises:
        Refused: names what was received, what is approved, this one, and what is missing.
    """
    call, granted = case.parent, project_of(act.session, case).granted_fen
    if call is None or granted is None:
        raise LookupError(f"project {case.number} has a plan without a call or a granted sum")
    # Who approves another project's plan at the same time waits here, and then reads this approval.
    locked(act.session, (LedgerAccount.case_id == call.id) & (LedgerAccount.level == LedgerLevel.TOWN))
    money = programme(act.session, call)
    came = money.received_fen - money.returned_fen
    kept = {each.number: each.granted_fen - each.returned_fen for each in money.projects}
    stopped = select(Decision.case_id).where(Decision.verdict == Verdict.ABANDONED)
    approved = (
        select(Case.number, Project.granted_fen, Case.id.in_(stopped))
        .join(Project, Project.case_id == Case.id)
        .join(WorkItem, WorkItem.case_id == Case.id)
        .join(Decision, Decision.work_item_id == WorkItem.id)
        .where(
            Case.parent_id == call.id,
            Case.id != case.id,
            WorkItem.gate == Gate.PLAN_REVIEW,
            Decision.verdict == Verdict.APPROVED,
        )
    )
    before = sum(
        kept.get(number, 0) if ended else fen or 0 for number, fen, ended in act.session.execute(approved).tuples()
    )
    if before + granted > came:
        raise Refused(
            policy_of(case, Gate.FUNDING).where,
            f"项目 {case.number} 核定{in_yuan(granted)},征集 {call.number} 已到账{in_yuan(came)},"
            f"已批准方案的项目共{in_yuan(before)},尚差{in_yuan(before + granted - came)}:"
            "各项目预算之和不得超过到账资金;请先登记资金到账,再批准方案",
        )
