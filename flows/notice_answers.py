"""What was filled into a form of public notices becomes the command that every door calls."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flows import notice_forms
from flows.fields import NOBODY, UNDECIDED
from flows.site_answers import Answering, Filled
from policies.errors import Refused
from policies.vocabulary import Door, Gate, Verdict
from runtime.resources import Resources
from tasks import decisions, notice_changes, notice_review, objections
from tasks.cases import Asked
from tasks.commands import Command, Decide
from tasks.notice_commands import (
    AnswerObjection,
    HandleObjection,
    HandleObjections,
    ObjectionEntry,
    ProlongNotice,
)


class FormFields(ObjectionEntry, HandleObjection, AnswerObjection, ProlongNotice):
    """Every field of the two forms: their titles name a faulty one."""


def _during_the_period(resources: Resources, number: str, filled: Filled, asked: Asked, at: datetime) -> None:
    by = str(filled["by"])
    match filled.get("action", UNDECIDED):
        case notice_forms.RECORD:
            objection = ObjectionEntry.model_validate(
                {"case": number, "by": by, "channel": _chosen(filled, "channel", "提出方式")}
                | _given(filled, "name", "contact", "content", "against", "received_at")
            )
            objections.record_objection(
                resources, objection, door=Door.FORM, key=f"ask:{asked.ask}", at=at, asked=asked
            )
        case notice_forms.HANDLE:
            handling = HandleObjections(case=number, by=by, handled=[_handling(filled)])
            objections.handle_objections(resources, handling, door=Door.FORM, at=at, asked=asked)
        case notice_forms.ANSWER:
            answering = HandleObjections(case=number, by=by, answered=[_answering(filled)])
            objections.handle_objections(resources, answering, door=Door.FORM, at=at, asked=asked)
        case notice_forms.PROLONG:
            prolonging = ProlongNotice.model_validate(
                {"case": number, "by": by, "until": filled.get("until", ""), "reason": filled.get("reason", "")}
            )
            notice_changes.prolong_notice(resources, prolonging, at=at, asked=asked)
        case notice_forms.RETRACT:
            retraction = Decide.model_validate(
                {"case": number, "by": by, "verdict": Verdict.RETRACTED.label, "reason": filled.get("reason", "")}
            )
            decisions.decide(resources, retraction, door=Door.FORM, at=at, asked=asked)
        case _:
            raise Refused("default", "未选择办理事项,请在“办理事项”中选择后再提交")


def _in_review(resources: Resources, number: str, filled: Filled, asked: Asked, at: datetime) -> None:
    by, verdict = str(filled["by"]), filled.get("verdict", UNDECIDED)
    handled = [_handling(each) for each in filled.get("handled", [])]
    answered = [_answering(each) for each in filled.get("answered", [])]
    decision = None
    if verdict != UNDECIDED:
        decision = Decide(case=number, by=by, verdict=verdict, reason=filled.get("reason", ""))
    elif not handled and not answered:
        raise Refused("default", "没有处理任何异议,也未选择决定,请填写后再提交")
    handling = None
    if handled or answered:
        handling = HandleObjections(case=number, by=by, handled=handled, answered=answered)
    notice_review.review_notice(
        resources, number, handling=handling, verdict=decision, door=Door.FORM, at=at, asked=asked
    )


def _handling(filled: Mapping[str, Any]) -> HandleObjection:
    return HandleObjection.model_validate(
        {
            "objection": _seq(filled),
            "finding": _chosen(filled, "finding", "认定"),
            "reasons": filled.get("reasons", ""),
        }
    )


def _answering(filled: Mapping[str, Any]) -> AnswerObjection:
    return AnswerObjection.model_validate({"objection": _seq(filled)} | _given(filled, "how", "answered_at"))


def _seq(filled: Mapping[str, Any]) -> int:
    found = re.match(r"第(\d+)件", _chosen(filled, "objection", "异议序号"))
    if found is None:
        raise Refused("default", "“异议序号”须从所列的异议中选择")
    return int(found[1])


def _chosen(filled: Mapping[str, Any], name: str, title: str) -> str:
    value = str(filled.get(name, NOBODY))
    if value == NOBODY:
        raise Refused("default", f"未选择{title},请在“{title}”中选择后再提交")
    return value


def _given(filled: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return the fields that were filled in; an empty one has its default."""
    return {name: filled[name] for name in names if str(filled.get(name, "")).strip()}


ANSWERS: dict[Gate, Answering] = {
    Gate.NOTICE_PERIOD: _during_the_period,
    Gate.OBJECTION_REVIEW: _in_review,
}
"""By gate; the others are a verdict."""
COMMANDS: dict[Gate, type[Command]] = {Gate.NOTICE_PERIOD: FormFields, Gate.OBJECTION_REVIEW: FormFields}
"""Whose titles name a faulty field of the form."""
