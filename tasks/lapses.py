"""The decision that time takes: written at the end of the due day, by the sweep or by whoever comes too late."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from models.work_item import WorkItem
from notifications.letters import Returned
from policies.vocabulary import Door, Gate
from tasks import change_rests, items, notice_ending, service_ending, survey_answers
from tasks.act import Act
from tasks.cases import policy_of
from tasks.escalations import escalate_due
from tasks.mail import about_site, applicants, chinese_date, due_of, send
from tasks.rolls import tell_missing

ENDINGS: dict[Gate, Callable[[Act, WorkItem], tuple[str, dict[str, Any]]]] = {
    Gate.NOTICE_PERIOD: notice_ending.end_period,
    Gate.CALL_WINDOW: survey_answers.end_window,
    Gate.SURVEY: survey_answers.end_survey,
    Gate.SERVICE_CONFIRMATION: service_ending.end_confirmation,
    Gate.SUSPENSION: change_rests.end_rest_by_time,
}
"""What the end of a period does in its matter; returns why it ended, in Chinese, and what else the decision keeps."""


def lapse(act: Act, item: WorkItem) -> int:
    """
    Write the lapse that the edition provides for `item`, whose due day is over, and the escalation due with it.

    It counts from the end of the due day, however late it is written; a late one says so.

    Source: D0-R8 (returned with the list of missing and objecting households), the gate's `lapse` in the edition.

    Returns:
        How many escalations went out.
    """
    provided = policy_of(item.case, item.gate).lapse
    if provided is None:
        raise LookupError(f"gate {item.gate} of case {item.case.number} does not lapse")
    escalated = escalate_due(act, item, decided=provided.verdict.label)
    reason = f"至{chinese_date(item.due_on)}期满未办理"
    details: dict[str, Any] = {"clause": provided.where}
    if item.gate is Gate.HOUSEHOLD_CONSENT:
        details |= tell_missing(act, item, closed=True)
        reason = f"至{chinese_date(item.due_on)}期满,未获全体农户同意"
    if item.gate in ENDINGS:
        reason, told = ENDINGS[item.gate](act, item)
        details |= told
    reason += say_late(details, due_at=item.due_at, at=act.at)
    items.close(
        act,
        item,
        provided.verdict,
        by=None,
        door=Door.LAPSE,
        reason=reason,
        details=details,
        effective_at=item.due_at,
    )
    if item.gate is Gate.VILLAGE_FORWARD:
        due_on = due_of(item.case, Gate.CORRECTION, act)
        returned = Returned(**about_site(item.case), by="系统(期限届满)", reason=reason, due_on=due_on)
        send(
            act,
            item.case,
            returned,
            applicants(act.session, item.case),
            event=f"returned-{item.gate.value}-{item.round}",
        )
    return escalated


def say_late(details: dict[str, Any], *, due_at: datetime, at: datetime) -> str:
    """Note in a lapse's details that it is written late; return what its reason says of that, empty when it is not."""
    late_hours = int((at - due_at).total_seconds() // 3600)
    if late_hours < 1:
        return ""
    details["recorded_late_hours"] = late_hours
    return f"(系统于{late_hours}小时后补记,效力自期满之时起算)"
