"""What a person filled into a Resume form becomes the command that every door calls."""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

import orjson
from prefect.client.orchestration import SyncPrefectClient
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.input.run_input import keyset_from_base_key
from pydantic import ValidationError

from flows.forms import NOBODY, UNDECIDED
from models.work_item import Ask
from policies.errors import Refused
from policies.vocabulary import Answer, Door, Gate, Verdict
from runtime.resources import Resources
from tasks import applications, consents, decisions, works
from tasks.cases import Asked
from tasks.commands import Command, Decide, HouseholdAnswer, RecordAnswers, RecordWorks, Resubmit, Withdraw, WorkRecord
from tasks.faults import refusal_of

Filled = Mapping[str, Any]
COMMANDS: dict[Gate, type[Command]] = {
    Gate.HOUSEHOLD_CONSENT: HouseholdAnswer,
    Gate.PLAQUE: WorkRecord,
    Gate.SUBSIDY: WorkRecord,
    Gate.CORRECTION: Resubmit,
}
"""Whose titles name a faulty field of the form; elsewhere those of `Decide`."""


def apply(resources: Resources, number: str, gate: Gate, filled: Filled, asked: Asked, *, at: datetime) -> str:
    """
    Carry out what was filled in.

    Args:
        filled: the form's fields; those left out have their defaults.
        asked: the form; it is used up in the command's own transaction.

    Returns:
        Why nothing was done, in Chinese, or "" when it was: the same sentence stands in the next form.
    """
    try:
        _carry_out(resources, number, gate, filled, asked, at=at)
    except ValidationError as error:
        return str(refusal_of(error, COMMANDS.get(gate, Decide)))
    except Refused as refusal:
        return str(refusal)
    return ""


def _carry_out(resources: Resources, number: str, gate: Gate, filled: Filled, asked: Asked, *, at: datetime) -> None:
    by = str(filled.get("by", NOBODY))
    verdict = filled.get("verdict", UNDECIDED)
    if by == NOBODY:
        raise Refused("default", "未选择办理人,请在“办理人”中选择后再提交")
    if filled.get("withdraw") or verdict == Verdict.WITHDRAWN.label:
        command = Withdraw(case=number, by=by, reason=_reason(filled))
        decisions.withdraw(resources, command, door=Door.FORM, at=at, asked=asked)
        return
    match gate:
        case Gate.HOUSEHOLD_CONSENT:
            answers = RecordAnswers(case=number, by=by, answers=_answers(filled))
            consents.record_answers(resources, answers, door=Door.FORM, at=at, asked=asked)
        case Gate.PLAQUE | Gate.SUBSIDY:
            records = [WorkRecord.model_validate(dict(each)) for each in filled.get("works", [])]
            if not records:
                raise Refused("default", "未登记任何完成事项,请在“完成事项”中添加后再提交")
            works.record_works(
                resources, RecordWorks(case=number, by=by, works=records), door=Door.FORM, at=at, asked=asked
            )
        case Gate.CORRECTION if verdict == Verdict.RESUBMITTED.label:
            details = {name: value for name, value in filled.items() if name not in ("by", "verdict", "reason")}
            current = applications.details_of(resources, number)
            resubmission = Resubmit.model_validate(current | details | {"case": number, "by": by})
            applications.resubmit(resources, resubmission, door=Door.FORM, at=at, asked=asked)
        case _:
            if verdict == UNDECIDED:
                raise Refused("default", "未选择决定,请在“决定”中选择后再提交")
            decision = Decide(
                case=number,
                by=by,
                verdict=verdict,
                reason=filled.get("reason", ""),
                acknowledged=filled.get("acknowledged", []),
            )
            decisions.decide(resources, decision, door=Door.FORM, at=at, asked=asked)


def _reason(filled: Filled) -> str:
    reason = str(filled.get("reason") or filled.get("note") or "").strip()
    if not reason:
        raise Refused("default", "撤回申请须填写理由")
    return reason


def _answers(filled: Filled) -> list[HouseholdAnswer]:
    note = str(filled.get("note", ""))
    chosen = [(Answer.AGREE, each) for each in filled.get("agreeing", [])]
    chosen += [(Answer.OBJECT, each) for each in filled.get("objecting", [])]
    if not chosen:
        raise Refused("default", "未选择任何农户,请在“同意的农户”或“不同意的农户”中选择后再提交")
    return [
        HouseholdAnswer(household=each.partition(" ")[0], answer=answer.label, note=note) for answer, each in chosen
    ]


def answer_to(client: SyncPrefectClient, ask: Ask) -> Mapping[str, Any] | None:
    """Return what was filled into the form; None when nothing was (not yet, or it was only woken)."""
    try:
        text = client.read_flow_run_input(
            UUID(ask.flow_run_id), keyset_from_base_key(f"suspended-{ask.key}")["response"]
        )
    except ObjectNotFound:
        return None
    except PrefectHTTPStatusError as error:
        if error.response.status_code == HTTPStatus.NOT_FOUND:
            return None
        raise
    filled: Mapping[str, Any] = orjson.loads(text) if text else {}
    return filled or None
