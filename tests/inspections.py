"""The acts of a campaign of inspections in a township of parlours, the clock moved: for tests."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from models.case import Case
from policies.vocabulary import CaseKind, Door, Gate, Verdict
from tasks import campaigns, inspection_visits, objections
from tasks.commands import Decide
from tasks.decisions import decide
from tasks.history import verify
from tasks.inspection_commands import ConcludeCampaign, OpenCampaign, RecordVisit, ReportRectification
from tasks.notice_commands import HandleObjections, RecordObjection
from tests.township import REVIEWER, SHANGHAI, Township

POINTS = {
    "activity_archive": "活动资料记录和存档",
    "subsidy_spending": "补贴资金专款专用、凭证齐全",
    "management_pact": "内部管理公约经村(居)民讨论并公开",
    "activity_rules": "活动规则经村(居)民讨论并公开",
    "safety_plan": "安全预案经村(居)民讨论并公开",
}
"""The checklist of the example edition."""


def today(town: Township) -> date:
    return town.now().astimezone(SHANGHAI).date()


def open_campaign(town: Township, *, key: str = "c1", carried: bool = True, **changes: Any) -> str:
    """Open a campaign over all sites for 30 days, and carry it and its inspections to their gates if wanted."""
    fields: dict[str, Any] = {
        "by": REVIEWER,
        "title": "春季督查",
        "scope": "全部客堂间",
        "since": today(town),
        "until": today(town) + timedelta(days=30),
    }
    command = OpenCampaign.model_validate(fields | changes)
    number = campaigns.open_campaign(town.resources, command, door=Door.CLI, key=key, at=town.now())
    for each in (number, *inspections(town, number)) if carried else ():
        town.rehearsal.carry(each)
    return number


def inspections(town: Township, campaign: str) -> list[str]:
    """The numbers of a campaign's inspections, in their order."""
    with town.resources.database.read() as session:
        above = session.scalars(select(Case).where(Case.number == campaign)).one()
        query = select(Case.number).where(Case.parent_id == above.id, Case.kind == CaseKind.INSPECTION)
        return list(session.scalars(query.order_by(Case.id)))


def visit_of(number: str, verdict: Verdict, faults: Mapping[str, str], **changes: Any) -> RecordVisit:
    """What is recorded of a visit: `faults` by code of the point, with what was found; the other points are met."""
    findings = [
        {"point": code, "found": "不符合" if code in faults else "符合", "note": faults.get(code, "")}
        for code in POINTS
    ]
    fields = {"case": number, "by": REVIEWER, "inspectors": "沈审核、施审核", "findings": findings}
    return RecordVisit.model_validate(fields | {"verdict": verdict.label} | changes)


def visit(
    town: Township, number: str, verdict: Verdict, faults: Mapping[str, str] | None = None, **changes: Any
) -> Any:
    """Record a visit and carry the case on."""
    command = visit_of(number, verdict, faults or {}, **changes)
    decision = inspection_visits.record_visit(town.resources, command, door=Door.CLI, at=town.now())
    town.rehearsal.carry(number)
    return decision


def report(town: Township, number: str, *, by: str, text: str = "公约已上墙") -> None:
    """Let the leader report what was put right."""
    command = ReportRectification(case=number, by=by, report=text, proof=town.proof("公约.jpg"))
    inspection_visits.report_rectification(town.resources, command, door=Door.CLI, at=town.now())
    town.rehearsal.carry(number)


def conclude(town: Township, number: str, *, by: str = REVIEWER) -> None:
    """Let the office sum the campaign up."""
    command = ConcludeCampaign(case=number, by=by, summary="总体良好,档案不全是主要问题")
    campaigns.conclude(town.resources, command, door=Door.CLI, at=town.now())
    town.rehearsal.carry(number)


def notice_of(town: Township, inspection: str) -> Case:
    """The notice of an inspection's revocation."""
    with town.resources.database.read() as session:
        above = session.scalars(select(Case).where(Case.number == inspection)).one()
        return session.scalars(select(Case).where(Case.parent_id == above.id, Case.kind == CaseKind.NOTICE)).one()


def object_against(town: Township, notice: str, finding: str) -> None:
    """Object against a notice in writing, and let the office find and answer by letter."""
    fields = {"case": notice, "by": REVIEWER, "channel": "书面", "name": "王某", "contact": "wang@example.com"}
    command = RecordObjection.model_validate(fields | {"content": "活动一直在办"})
    seq = objections.record_objection(town.resources, command, door=Door.CLI, key=notice, at=town.now())
    handled = [{"objection": seq, "finding": finding, "reasons": "经核实"}]
    handle = HandleObjections.model_validate({"case": notice, "by": REVIEWER, "handled": handled})
    objections.handle_objections(town.resources, handle, door=Door.CLI, at=town.now())


def end_period(town: Township, notice: str) -> None:
    """Let the period of a notice pass."""
    item = town.item(notice)
    assert item is not None
    assert item.gate is Gate.NOTICE_PERIOD
    town.rehearsal.move_to(item.due_at)


def review(town: Township, notice: str, verdict: Verdict) -> None:
    """Decide over the objections against a notice."""
    command = Decide(case=notice, by=REVIEWER, verdict=verdict.label, reason="按认定办理")
    decide(town.resources, command, door=Door.CLI, at=town.now())
    town.rehearsal.carry(notice)


def sound(town: Township) -> None:
    """Nothing was changed behind the product's back, and every letter was written once."""
    with town.resources.database.read() as session:
        assert list(verify(session)) == []
    keys = [entry.dedup_key for entry in town.entries()]
    assert len(set(keys)) == len(keys)
