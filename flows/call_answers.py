"""What was filled into a form of a call becomes the command that every door calls."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flows.call_forms import END, PROLONG
from flows.fields import NOBODY, UNDECIDED
from flows.site_answers import Answering, Filled
from policies.errors import Refused
from policies.vocabulary import Door, Gate
from runtime.resources import Resources
from tasks import calls, screenings, surveys
from tasks.call_commands import ChangeWindow, CorrectSurvey, RecordSurvey, Screen, SelfCheck
from tasks.call_sheets import read_scores, read_survey, sheet_key
from tasks.cases import Asked
from tasks.commands import Command

REPORT = ("attainment", "problems", "next_steps")


def _window(resources: Resources, number: str, filled: Filled, asked: Asked, at: datetime) -> None:
    action, closes_on = filled.get("action", UNDECIDED), str(filled.get("closes_on", "")).strip()
    if action == UNDECIDED:
        raise Refused("default", "未选择事项,请选择“延长征集”或“提前结束征集”后再提交;到申报末日系统自动结束,无须填写")
    if (action == PROLONG) != bool(closes_on):
        raise Refused("default", f"“{PROLONG}”须填写新的申报末日,“{END}”须留空;请改正后再提交")
    command = ChangeWindow.model_validate(
        {"case": number, "by": filled["by"], "closes_on": closes_on or None, "reason": filled.get("reason", "")}
    )
    calls.change_window(resources, command, door=Door.FORM, at=at, asked=asked)


def _survey(resources: Resources, number: str, filled: Filled, asked: Asked, at: datetime) -> None:
    counts, corrections = _chosen(filled, "counts"), _chosen(filled, "corrections")
    if corrections:
        _correct(resources, number, filled, corrections, asked, at)
        return
    sheet, folder = str(filled.get("sheet", "")).strip(), resources.settings.documents_folder
    if sheet:
        counts += [each.model_dump() for each in read_survey(folder, sheet)]
    command = RecordSurvey.model_validate(
        {
            "case": number,
            "by": filled["by"],
            "channel": filled.get("channel", ""),
            "held_on": str(filled.get("held_on", "")).strip() or None,
            "counts": counts,
            "complete": bool(filled.get("complete")),
        }
    )
    door, digest = (Door.SHEET, sheet_key(folder, sheet)) if sheet else (Door.FORM, "")
    surveys.record_survey(resources, command, door=door, at=at, sheet=digest, asked=asked)


def _correct(
    resources: Resources,
    number: str,
    filled: Filled,
    corrections: list[dict[str, Any]],
    asked: Asked,
    at: datetime,
) -> None:
    if len(corrections) > 1 or filled.get("counts") or filled.get("sheet") or filled.get("complete"):
        raise Refused("default", "更正须单独提交,每次一项;请先只填写一项更正")
    (one,) = corrections
    count = {name: one[name] for name in ("project", "in_favour", "against", "indifferent") if name in one}
    command = CorrectSurvey.model_validate(
        {
            "case": number,
            "by": filled["by"],
            "entry": one.get("entry", 0),
            "count": count,
            "reason": one.get("reason", ""),
        }
    )
    surveys.correct_survey(resources, command, at=at, asked=asked)


def _screening(resources: Resources, number: str, filled: Filled, asked: Asked, at: datetime) -> None:
    sheet = str(filled.get("sheet", "")).strip()
    folder = resources.settings.documents_folder
    command = Screen.model_validate(
        {
            "case": number,
            "by": filled["by"],
            "joining": filled.get("joining", []),
            "interests": _chosen(filled, "interests"),
            "scores": [each.model_dump() for each in read_scores(resources, number, folder, sheet)] if sheet else [],
            "present": filled.get("present", []),
            "absent": filled.get("absent", []),
            "votes": _chosen(filled, "votes"),
            "complete": bool(filled.get("complete")),
        }
    )
    screenings.screen(resources, command, door=Door.SHEET if sheet else Door.FORM, at=at, asked=asked)


def _self_check(resources: Resources, number: str, filled: Filled, asked: Asked, at: datetime) -> None:
    told = {name: filled.get(name, "") for name in REPORT}
    command = SelfCheck.model_validate({"case": number, "by": filled["by"], **told})
    calls.self_check(resources, command, door=Door.FORM, at=at, asked=asked)


def _chosen(filled: Filled, name: str) -> list[dict[str, Any]]:
    """Return the records of a list, without those in which no project was chosen; their project is its number."""
    records: list[Mapping[str, Any]] = list(filled.get(name, []))
    return [
        dict(each) | {"project": str(each["project"]).partition("“")[0]}
        for each in records
        if each.get("project", NOBODY) != NOBODY
    ]


ANSWERS: dict[Gate, Answering] = {
    Gate.CALL_WINDOW: _window,
    Gate.SURVEY: _survey,
    Gate.SCREENING: _screening,
    Gate.SELF_CHECK: _self_check,
}
"""By gate; the others are a verdict."""
COMMANDS: dict[Gate, type[Command]] = {
    Gate.CALL_WINDOW: ChangeWindow,
    Gate.SURVEY: RecordSurvey,
    Gate.SCREENING: Screen,
    Gate.SELF_CHECK: SelfCheck,
}
"""Whose titles name a faulty field of the form."""
