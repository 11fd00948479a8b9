"""What the rules of projects say to a verdict, and what follows from it."""

from typing import Any

from models.case import Case
from models.registry import Person
from models.work_item import Decision, WorkItem
from notifications.project_letters import ProjectStopped, RectificationAsked
from policies.errors import Refused
from policies.vocabulary import Gate, Verdict
from tasks import evaluations, plans
from tasks.act import Act
from tasks.cases import policy_of
from tasks.checklists import missing
from tasks.commands import Decide
from tasks.documents import attach
from tasks.history import SYSTEM
from tasks.ledger_figures import project_balance
from tasks.mail import about, applicants, due_of, send, village_of


def check_project(act: Act, case: Case, item: WorkItem, command: Decide) -> list[str]:
    """Refuse a verdict that a rule of a project forbids; it has no warnings to acknowledge."""
    match item.gate, command.verdict:
        case Gate.PLAN, Verdict.SUBMITTED:
            raise Refused(
                policy_of(case, item.gate).where,
                "提交方案须填写项目内容、预期效益、进度节点和预算分项,请在“细化方案”表单中填写后提交",
            )
        case Gate.PLAN_REVIEW, Verdict.RETURNED:
            plans.check_returns(case, item)
        case ((Gate.FUNDING | Gate.MILESTONE | Gate.SETTLEMENT), Verdict.COMPLETED):
            left = missing(act.session, item)
            names = "、".join(point.name for point in left)
            raise Refused(left[0].where, f"“{item.gate.label}”尚有未完成事项:{names};请逐项登记完成日期和证明材料")
        case Gate.ACCEPTANCE, Verdict.ACCEPTED if not command.proof:
            raise Refused(
                policy_of(case, item.gate).where,
                "验收合格须附依据材料(村务监督意见或验收单),请把文件放入资料文件夹,在“依据材料”中填写文件名",
            )
        case _:
            pass
    return []


def details(act: Act, case: Case, item: WorkItem, command: Decide, person: Person) -> dict[str, Any]:
    """Return what the decision at a project's gate keeps beside its verdict, done in the decision's transaction."""
    match item.gate, command.verdict:
        case Gate.PLAN_REVIEW, Verdict.APPROVED:
            return plans.approve(act, case, person)
        case Gate.ACCEPTANCE, (Verdict.ACCEPTED | Verdict.RECTIFY) if command.proof:
            document = attach(
                act.session,
                case,
                folder=act.resources.settings.documents_folder,
                reference=command.proof,
                kind="acceptance",
                by=person,
                at=act.at,
            )
            return {"document": document.id, "reference": document.reference, "sha256": document.sha256}
        case Gate.EVALUATION, Verdict.COMPLETED:
            return evaluations.conclude(act, case)
        case _:
            return {}


def tell_project(act: Act, case: Case, item: WorkItem, decision: Decision) -> None:
    """Tell leader and village what was decided in their project."""
    by = decision.decided_by.name if decision.decided_by else SYSTEM
    event = f"{item.gate.value}-{item.round}-decided"
    to = applicants(act.session, case) + village_of(act, case)
    match item.gate, decision.verdict:
        case ((Gate.PLAN_REVIEW | Gate.FUNDING | Gate.MILESTONE | Gate.ACCEPTANCE), Verdict.ABANDONED):
            left = project_balance(act.session, case)
            stopped = ProjectStopped(**about(case), by=by, reason=decision.reason, left_fen=left)
            send(act, case, stopped, to, event=event)
        case Gate.PLAN_REVIEW, _:
            plans.tell(act, case, item, decision)
        case Gate.ACCEPTANCE, Verdict.RECTIFY:
            due_on = due_of(case, Gate.ACCEPTANCE, act)
            asked = RectificationAsked(**about(case), by=by, reason=decision.reason, due_on=due_on)
            send(act, case, asked, to, event=event)
        case Gate.EVALUATION, Verdict.COMPLETED:
            evaluations.tell(act, case, item, decision)
        case _:
            pass
