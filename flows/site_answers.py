"""What was filled into a form of a parlour's case becomes the command that every door calls."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from flows.fields import UNDECIDED
from policies.errors import Refused
from policies.vocabulary import Answer, Door, Gate, Verdict
from runtime.resources import Resources
from tasks import applications, consents, decisions, works
from tasks.cases import Asked
from tasks.commands import Command, Decide, HouseholdAnswer, RecordAnswers, RecordWorks, Resubmit, WorkRecord

Filled = Mapping[str, Any]
"""The form's fields; those left out have their defaults."""
Answering = Callable[[Resources, str, Filled, Asked, datetime], None]
"""Carries out what was filled in for a case, on the form it came in on; who decides was chosen, nobody withdrew."""


def decide(resources: Resources, number: str, filled: Filled, asked: Asked, at: datetime) -> None:
    """Take the verdict that was chosen."""
    verdict = filled.get("verdict", UNDECIDED)
    if verdict == UNDECIDED:
        raise Refused("default", "未选择决定,请在“决定”中选择后再提交")
    command = Decide(
        case=number,
        by=str(filled["by"]),
        verdict=verdict,
        reason=filled.get("reason", ""),
        acknowledged=filled.get("acknowledged", []),
    )
    decisions.decide(resources, command, door=Door.FORM, at=at, asked=asked)


def record_works(resources: Resources, number: str, filled: Filled, asked: Asked, at: datetime) -> None:
    """Record the points of a checklist."""
    records = [WorkRecord.model_validate(dict(each)) for each in filled.get("works", [])]
    if not records:
        raise Refused("default", "未登记任何完成事项,请在“完成事项”中添加后再提交")
    command = RecordWorks(case=number, by=str(filled["by"]), works=records)
    works.record_works(resources, command, door=Door.FORM, at=at, asked=asked)


def _consent(resources: Resources, number: str, filled: Filled, asked: Asked, at: datetime) -> None:
    note = str(filled.get("note", ""))
    chosen = [(Answer.AGREE, each) for each in filled.get("agreeing", [])]
    chosen += [(Answer.OBJECT, each) for each in filled.get("objecting", [])]
    if not chosen:
        raise Refused("default", "未选择任何农户,请在“同意的农户”或“不同意的农户”中选择后再提交")
    answers = [
        HouseholdAnswer(household=each.partition(" ")[0], answer=answer.label, note=note) for answer, each in chosen
    ]
    command = RecordAnswers(case=number, by=str(filled["by"]), answers=answers)
    consents.record_answers(resources, command, door=Door.FORM, at=at, asked=asked)


def _correct(resources: Resources, number: str, filled: Filled, asked: Asked, at: datetime) -> None:
    if filled.get("verdict", UNDECIDED) != Verdict.RESUBMITTED.label:
        decide(resources, number, filled, asked, at)
        return
    details = {name: value for name, value in filled.items() if name not in ("by", "verdict", "reason")}
    current = applications.details_of(resources, number)
    command = Resubmit.model_validate(current | details | {"case": number, "by": str(filled["by"])})
    applications.resubmit(resources, command, door=Door.FORM, at=at, asked=asked)


ANSWERS: dict[Gate, Answering] = {
    Gate.HOUSEHOLD_CONSENT: _consent,
    Gate.PLAQUE: record_works,
    Gate.SUBSIDY: record_works,
    Gate.CORRECTION: _correct,
}
"""By gate; the others are a verdict."""
COMMANDS: dict[Gate, type[Command]] = {
    Gate.HOUSEHOLD_CONSENT: HouseholdAnswer,
    Gate.PLAQUE: WorkRecord,
    Gate.SUBSIDY: WorkRecord,
    Gate.CORRECTION: Resubmit,
}
"""Whose titles name a faulty field of the form."""
