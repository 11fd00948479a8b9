"""What was filled into a form of a project becomes the command that every door calls."""

from datetime import datetime

from flows.fields import UNDECIDED
from flows.site_answers import Answering, Filled, decide, record_works
from policies.errors import Refused
from policies.vocabulary import Door, Gate, Verdict
from runtime.resources import Resources
from tasks import decisions, evaluations, plans
from tasks.cases import Asked
from tasks.commands import Command, Decide, WorkRecord
from tasks.project_commands import PlanDetails, RecordEvaluation, SubmitPlan


def _plan(resources: Resources, number: str, filled: Filled, asked: Asked, at: datetime) -> None:
    if filled.get("verdict", UNDECIDED) != Verdict.SUBMITTED.label:
        decide(resources, number, filled, asked, at)
        return
    entered = {name: filled[name] for name in PlanDetails.model_fields if name in filled}
    current = plans.details_of(resources, number)
    command = SubmitPlan.model_validate({**current, **entered, "case": number, "by": str(filled["by"])})
    plans.submit_plan(resources, command, door=Door.FORM, at=at, asked=asked)


def _work_or_stop(resources: Resources, number: str, filled: Filled, asked: Asked, at: datetime) -> None:
    if filled.get("verdict", UNDECIDED) == UNDECIDED:
        record_works(resources, number, filled, asked, at)
        return
    if filled.get("works"):
        raise Refused("default", "不能同时登记完成事项和终止实施,请只填写其中一项后再提交")
    decide(resources, number, filled, asked, at)


def _acceptance(resources: Resources, number: str, filled: Filled, asked: Asked, at: datetime) -> None:
    verdict = filled.get("verdict", UNDECIDED)
    if verdict == UNDECIDED:
        raise Refused("default", "未选择决定,请在“决定”中选择后再提交")
    command = Decide(
        case=number,
        by=str(filled["by"]),
        verdict=verdict,
        reason=filled.get("reason", ""),
        proof=filled.get("proof", ""),
    )
    decisions.decide(resources, command, door=Door.FORM, at=at, asked=asked)


def _evaluation(resources: Resources, number: str, filled: Filled, asked: Asked, at: datetime) -> None:
    by, panels, complete = str(filled["by"]), filled.get("panels", []), bool(filled.get("complete"))
    if panels:
        command = RecordEvaluation.model_validate({"case": number, "by": by, "panels": panels})
        evaluations.record_evaluation(resources, command, complete=complete, door=Door.FORM, at=at, asked=asked)
        return
    if not complete:
        raise Refused("default", "未登记任何一方的评估,请在“各方评估”中添加,或勾选“评估已收齐,办结”后再提交")
    done = Decide(case=number, by=by, verdict=Verdict.COMPLETED.label)
    decisions.decide(resources, done, door=Door.FORM, at=at, asked=asked)


ANSWERS: dict[Gate, Answering] = {
    Gate.PLAN: _plan,
    Gate.FUNDING: _work_or_stop,
    Gate.MILESTONE: _work_or_stop,
    Gate.ACCEPTANCE: _acceptance,
    Gate.EVALUATION: _evaluation,
    Gate.SETTLEMENT: record_works,
}
"""By gate; the others are a verdict."""
COMMANDS: dict[Gate, type[Command]] = {
    Gate.PLAN: SubmitPlan,
    Gate.FUNDING: WorkRecord,
    Gate.MILESTONE: WorkRecord,
    Gate.EVALUATION: RecordEvaluation,
    Gate.SETTLEMENT: WorkRecord,
}
"""Whose titles name a faulty field of the form."""
