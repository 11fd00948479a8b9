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

from flows import (
    call_answers,
    change_answers,
    evaluation_answers,
    inspection_answers,
    meeting_answers,
    notice_answers,
    project_answers,
    service_answers,
    site_answers,
)
from flows.fields import NOBODY, UNDECIDED
from flows.site_answers import Filled
from models.work_item import Ask
from policies.errors import Refused
from policies.vocabulary import Door, Gate, Verdict
from runtime.resources import Resources
from tasks import decisions
from tasks.cases import Asked
from tasks.commands import Command, Decide, Withdraw
from tasks.faults import refusal_of

COMMANDS: dict[Gate, type[Command]] = {
    **site_answers.COMMANDS,
    **call_answers.COMMANDS,
    **project_answers.COMMANDS,
    **notice_answers.COMMANDS,
    **inspection_answers.COMMANDS,
    **evaluation_answers.COMMANDS,
    **meeting_answers.COMMANDS,
    **service_answers.COMMANDS,
    **change_answers.COMMANDS,
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
    ANSWERS.get(gate, site_answers.decide)(resources, number, filled, asked, at)


ANSWERS: dict[Gate, site_answers.Answering] = {
    **site_answers.ANSWERS,
    **call_answers.ANSWERS,
    **project_answers.ANSWERS,
    **notice_answers.ANSWERS,
    **inspection_answers.ANSWERS,
    **evaluation_answers.ANSWERS,
    **meeting_answers.ANSWERS,
    **service_answers.ANSWERS,
    **change_answers.ANSWERS,
}
"""What an answer becomes, by gate; at the others it is a verdict."""


def _reason(filled: Filled) -> str:
    reason = str(filled.get("reason") or filled.get("note") or "").strip()
    if not reason:
        raise Refused("default", "撤回申请须填写理由")
    return reason


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
