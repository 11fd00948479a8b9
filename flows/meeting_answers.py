"""What the forms of the gates of meetings become."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from pydantic import ValidationError

from flows.fields import UNDECIDED
from flows.meeting_forms import ACTIONS, ARRANGE, CALL_OFF, HOLD, PUT_OFF, RECORD
from flows.site_answers import Answering, Filled, decide
from policies.errors import Refused
from policies.vocabulary import Door, Gate, Verdict
from runtime.resources import Resources
from tasks import decisions, meeting_records, meeting_resolutions, meetings
from tasks.cases import Asked
from tasks.commands import Command, Decide
from tasks.faults import refusal_of
from tasks.meeting_commands import (
    ChangeMeeting,
    CompleteResolution,
    PostponeMeeting,
    PostponeResolution,
    RecordMeeting,
)

C = TypeVar("C", bound=Command)
TITLES = {
    "meets_on": "新的开会日期",
    "begins": "开会时刻",
    "place": "地点",
    "chair": "主持人",
    "agenda": "议程",
    "held_on": "召开日期",
    "attended": "出席",
    "on_leave": "请假",
    "absent": "缺席",
    "rest_absent": "其余均缺席",
    "guests": "列席人员",
    "minutes": "会议纪要",
    "proof": "纪要文件",
    "resolutions": "议定事项",
    "nothing_decided": "无议定事项",
}
FOLLOWED = {"done_on": "完成日期", "result": "落实结果", "proof": "证明材料", "due_on": "新的完成期限"}
ARRANGED = ("begins", "place", "chair", "agenda")
RECORDED = ("held_on", "attended", "on_leave", "absent", "rest_absent", "guests", "minutes", "proof")
DECIDED = ("resolutions", "nothing_decided")
BELONGS = {
    ARRANGE: ARRANGED,
    RECORD: RECORDED,
    HOLD: (*RECORDED, *DECIDED),
    PUT_OFF: ("meets_on", "begins"),
    CALL_OFF: (),
}
"""Which fields go with which action: what is filled in beside it would silently be lost."""


def _meeting(resources: Resources, number: str, filled: Filled, asked: Asked, at: datetime) -> None:
    action, by = str(filled.get("action", UNDECIDED)), str(filled["by"])
    if action not in ACTIONS:
        raise Refused("default", "未选择事项,请在“事项”中选择后再提交")
    given = {name: _trimmed(filled[name]) for name in TITLES if name in filled and _trimmed(filled[name])}
    if stray := [TITLES[name] for name in given if name not in BELONGS[action]]:
        raise Refused("default", f"“{action}”不用填写{'、'.join(stray)};请清空后再提交,或改选事项")
    about = {"case": number, "by": by}
    if action == ARRANGE:
        change = _read(ChangeMeeting, about | given)
        meetings.change_meeting(resources, change, door=Door.FORM, at=at, asked=asked)
    elif action == PUT_OFF:
        if "meets_on" not in given:
            raise Refused("default", "延期须填写新的开会日期,例如 2026-04-15")
        later = _read(PostponeMeeting, about | given | {"reason": _reason(filled, action)})
        meetings.postpone_meeting(resources, later, door=Door.FORM, at=at, asked=asked)
    elif action == CALL_OFF:
        off = Decide(case=number, by=by, verdict=Verdict.CALLED_OFF.label, reason=_reason(filled, action))
        decisions.decide(resources, off, door=Door.FORM, at=at, asked=asked)
    else:
        record = _read(RecordMeeting, about | given | {"complete": action == HOLD})
        meeting_records.record_meeting(resources, record, door=Door.FORM, at=at, asked=asked)


def _read(command: type[C], fields: Mapping[str, Any]) -> C:
    """Return the command that was filled in; a fault names the field by this command's title."""
    try:
        return command.model_validate(fields)
    except ValidationError as error:
        raise refusal_of(error, command) from error


def _trimmed(value: Any) -> Any:
    """Return what was filled in, without blank texts, blank lines of a list and blank records."""
    match value:
        case str():
            return value.strip()
        case Mapping():
            kept = {name: _trimmed(each) for name, each in value.items()}
            return kept if any(kept.values()) else None
        case Sequence():
            return [each for each in map(_trimmed, value) if each]
        case _:
            return value


def _reason(filled: Filled, deed: str) -> str:
    reason = str(filled.get("reason", "")).strip()
    if not reason:
        raise Refused("default", f"{deed}须写明理由,理由一栏为空;请填写后再提交")
    return reason


def _follow_up(resources: Resources, number: str, filled: Filled, asked: Asked, at: datetime) -> None:
    verdict, about = filled.get("verdict", UNDECIDED), {"case": number, "by": str(filled["by"])}
    given = {
        name: each for name in ("done_on", "result", "proof", "due_on") if (each := _trimmed(filled.get(name, "")))
    }
    if verdict == Verdict.COMPLETED.label:
        _only(given, ("done_on", "result", "proof"), verdict)
        _needs(given, ("done_on", "result"), verdict)
        done = _read(CompleteResolution, about | given)
        meeting_resolutions.complete_resolution(resources, done, door=Door.FORM, at=at, asked=asked)
        return
    if verdict == Verdict.POSTPONED.label:
        _only(given, ("due_on",), verdict)
        _needs(given, ("due_on",), verdict)
        later = _read(PostponeResolution, about | given | {"reason": _reason(filled, verdict)})
        meeting_resolutions.postpone_resolution(resources, later, door=Door.FORM, at=at, asked=asked)
        return
    if verdict != UNDECIDED:
        _only(given, (), str(verdict))
    decide(resources, number, filled, asked, at)


def _only(given: Mapping[str, Any], names: Sequence[str], verdict: str) -> None:
    if stray := [FOLLOWED[name] for name in given if name not in names]:
        raise Refused("default", f"“{verdict}”不用填写{'、'.join(stray)};请清空后再提交,或改选决定")


def _needs(given: Mapping[str, Any], names: Sequence[str], verdict: str) -> None:
    if lacking := [FOLLOWED[name] for name in names if name not in given]:
        raise Refused("default", f"“{verdict}”须填写{'、'.join(lacking)};请填写后再提交")


COMMANDS: dict[Gate, type[Command]] = {Gate.MEETING: RecordMeeting, Gate.FOLLOW_UP: CompleteResolution}
"""Whose titles name a faulty field of the form."""
ANSWERS: dict[Gate, Answering] = {Gate.MEETING: _meeting, Gate.FOLLOW_UP: _follow_up}
"""By gate; at the others an answer is a verdict."""
