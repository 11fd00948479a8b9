"""What was filled into a form of an inspection becomes the command that every door calls."""

from datetime import datetime
from typing import Any

from flows.fields import UNDECIDED
from flows.inspection_forms import FOUND, NOTE
from flows.site_answers import Answering, Filled
from policies.errors import Refused
from policies.vocabulary import Door, Gate
from runtime.resources import Resources
from tasks import campaigns, inspection_visits
from tasks.cases import Asked
from tasks.commands import Command
from tasks.inspection_commands import ConcludeCampaign, RecordVisit, ReportRectification

TEXTS = ("inspectors", "verdict", "reason", "proof", "contact", "place")
DAYS = ("visited_on", "rectify_by")


def _visit(resources: Resources, number: str, filled: Filled, asked: Asked, at: datetime) -> None:
    if filled.get("verdict", UNDECIDED) == UNDECIDED:
        raise Refused("default", "未选择结论,请逐项选择检查结果,在“结论”中选择后再提交")
    command = RecordVisit.model_validate(
        {
            "case": number,
            "by": filled["by"],
            "findings": _findings(filled),
            **{name: filled.get(name, "") for name in TEXTS},
            **{name: str(filled.get(name, "")).strip() or None for name in DAYS},
        }
    )
    inspection_visits.record_visit(resources, command, door=Door.FORM, at=at, asked=asked)


def _findings(filled: Filled) -> list[dict[str, Any]]:
    """Return the points for which something was chosen."""
    return [
        {"point": code, "found": found, "note": filled.get(f"{NOTE}{code}", "")}
        for name, found in filled.items()
        if (code := name.removeprefix(FOUND)) != name and found != UNDECIDED
    ]


def _report(resources: Resources, number: str, filled: Filled, asked: Asked, at: datetime) -> None:
    command = ReportRectification.model_validate(
        {"case": number, "by": filled["by"], "report": filled.get("report", ""), "proof": filled.get("proof", "")}
    )
    inspection_visits.report_rectification(resources, command, door=Door.FORM, at=at, asked=asked)


def _conclude(resources: Resources, number: str, filled: Filled, asked: Asked, at: datetime) -> None:
    command = ConcludeCampaign.model_validate(
        {"case": number, "by": filled["by"], "summary": filled.get("summary", "")}
    )
    campaigns.conclude(resources, command, door=Door.FORM, at=at, asked=asked)


ANSWERS: dict[Gate, Answering] = {
    Gate.INSPECTION_VISIT: _visit,
    Gate.RE_INSPECTION: _visit,
    Gate.RECTIFICATION: _report,
    Gate.CAMPAIGN_REPORT: _conclude,
}
"""By gate; at the others an answer is a verdict."""
COMMANDS: dict[Gate, type[Command]] = {
    Gate.INSPECTION_VISIT: RecordVisit,
    Gate.RE_INSPECTION: RecordVisit,
    Gate.RECTIFICATION: ReportRectification,
    Gate.CAMPAIGN_REPORT: ConcludeCampaign,
}
"""Whose titles name a faulty field of the form."""
