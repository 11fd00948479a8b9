"""What inspectors found at a site and decided, and what its leader put right (D0-R11)."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from models.case import Case, Document, Site
from models.inspection import Visit, VisitFinding
from models.registry import Person
from models.work_item import Decision, WorkItem
from notifications.inspection_letters import InspectionResult
from policies.errors import Refused
from policies.life_scheme import CheckPoint
from policies.life_words import Finding
from policies.vocabulary import CaseKind, Door, Gate, SiteStatus, Verdict
from rules.periods import plan, shanghai_day
from rules.transitions import GIVEN_BY, check_door, check_verdict
from rules.window import spoken_day
from runtime.resources import Resources
from tasks import inspection_case, items
from tasks.act import Act
from tasks.asks import show_again
from tasks.cases import Asked, already_decided, check_authority, kept_of, person_of, policy_of, site_of
from tasks.deciding import deciding, item_to_decide
from tasks.documents import attach
from tasks.inspection_commands import PointFound, RecordVisit, ReportRectification
from tasks.inspection_points import (
    campaign_of,
    counted,
    follow_site,
    found_in,
    inspection_of,
    last_visit,
    load_of,
    not_met,
    rule_of,
    visits_of,
)
from tasks.living import keep
from tasks.mail import about, applicants, send, village_of

VISITING = (Gate.INSPECTION_VISIT, Gate.RE_INSPECTION)
"""Where a visit is recorded."""


def record_visit(
    resources: Resources, command: RecordVisit, *, door: Door, at: datetime, asked: Asked | None = None
) -> Decision:
    """
    Record a visit or a re-inspection with its findings and its verdict (D0-R11).

    Args:
        asked: the form or the sheet's row it came in on; None: by another door.

    Returns:
        The decision, committed.

    Raises:
        Refused: no visit is waited for, the person may not, the findings do not cover the checklist or do not bear
            the verdict, the days do not fit, the site stands no longer, or it was given time too often.
    """
    with deciding(resources, at=at) as act:
        case = load_of(act.session, command.case, CaseKind.INSPECTION, with_parent=True)
        item = item_to_decide(act, case, asked)
        if item.gate not in VISITING:
            raise _none_due(act, case, item)
        follow_site(act, case)
        by = person_of(act.session, command.by)
        check_authority(act.session, item, by, on=act.day, above=GIVEN_BY.get((item.gate, command.verdict)))
        check_verdict(item.gate, command.verdict, reason=command.reason)
        check_door(item.gate, command.verdict, door=door)
        if command.verdict is Verdict.CALLED_OFF:
            if command.findings:
                raise Refused("default", "取消督查时不登记检查点;请清空检查点,或改选其他结论")
            return items.close(
                act, item, command.verdict, by=by, door=door, reason=command.reason, details=kept_of(asked)
            )
        check_stands(act, case, item, command.verdict)
        rectify_by = _check(act, case, item, command)
        visit = _write(act, case, command, rectify_by=rectify_by, by=by)
        decision = items.close(
            act,
            item,
            command.verdict,
            by=by,
            door=door,
            reason=command.reason,
            details=kept_of(asked) | _details(case, visit, command),
        )
        if case.parent is not None:
            show_again(act.session, case.parent.number)  # whose page counts what is not met
        if decision.verdict is Verdict.RECTIFY:
            # Not left to the next run: the day is named now, and must not pass before the leader hears of it.
            round_ = items.next_round(act, case, Gate.RECTIFICATION)
            opened = items.create(act, case, Gate.RECTIFICATION, round_, last=rectify_by)
            inspection_case.ask(act, case, opened)
        else:
            _tell(act, case, item, visit, decision)
        return decision


def _none_due(act: Act, case: Case, item: WorkItem) -> Refused:
    """Return the refusal of a visit that nobody waits for; tells who recorded the last one."""
    last = act.session.scalars(
        select(Decision)
        .join(WorkItem, WorkItem.id == Decision.work_item_id)
        .where(WorkItem.case_id == case.id, WorkItem.gate.in_(VISITING))
        .order_by(Decision.id.desc())
        .limit(1)
    ).one()
    return Refused(
        policy_of(case, item.gate).where,
        f"{already_decided(last.work_item).reason};现处于“{item.gate.label}”环节,至{spoken_day(item.due_on)},"
        "不能登记检查;整改报告后或期满后再复查",
    )


def check_stands(act: Act, case: Case, item: WorkItem, verdict: Verdict) -> Site:
    """Refuse to go on with a site that was closed or revoked meanwhile: its inspection can only be called off."""
    site = site_of(act.session, case)
    act.session.refresh(site)
    if site.status in (SiteStatus.CLOSED, SiteStatus.REVOKED):
        raise Refused(
            policy_of(case, item.gate).where,
            f"客堂间 {site.number} 已是“{site.status.label}”,不能作出“{verdict.label}”;"
            f"请作出“{Verdict.CALLED_OFF.label}”并写明理由",
        )
    return site


def _check(act: Act, case: Case, item: WorkItem, command: RecordVisit) -> date | None:
    """Refuse a visit that does not fit; return the last day for putting right, None where nothing is to be."""
    if not command.inspectors:
        raise Refused(policy_of(case, item.gate).where, "未填写检查人,请填写到场检查的人")
    _check_day(act, case, item, command.visited_on or act.day)
    _check_points(case, command.findings)
    faulty = [each for each in command.findings if each.found is Finding.NOT_MET]
    names = "、".join(_point(case, each.point).name for each in faulty)
    where = policy_of(case, item.gate).where
    match command.verdict:
        case Verdict.PASSED if faulty:
            raise Refused(
                where,
                f"有{len(faulty)}项不符合,不能作出“{Verdict.PASSED.label}”:{names};"
                f"请作出“{Verdict.RECTIFY.label}”或“{Verdict.REVOKE.label}”",
            )
        case (Verdict.RECTIFY | Verdict.REVOKE) as verdict if not faulty:
            raise Refused(where, f"没有不符合的检查点,不能作出“{verdict.label}”;请登记不符合的检查点,或改选结论")
        case _:
            pass
    if command.verdict is Verdict.RECTIFY:
        return _rectify_by(act, case, command.rectify_by)
    if command.rectify_by is not None:
        raise Refused(where, f"“{command.verdict.label}”不填整改期限;须整改的请作出“{Verdict.RECTIFY.label}”")
    return None


def _check_day(act: Act, case: Case, item: WorkItem, day: date) -> None:
    earliest, told = campaign_of(act.session, case).since, "督查的开始日期"
    if earliest > act.day:
        raise Refused(
            policy_of(case, item.gate).where, f"督查自{spoken_day(earliest)}起,今天{spoken_day(act.day)}还不能登记检查"
        )
    if item.gate is Gate.RE_INSPECTION:
        # A sheet of the first visits that is read again must not count as a re-inspection.
        ended = act.session.scalars(
            select(Decision.effective_at)
            .join(WorkItem, WorkItem.id == Decision.work_item_id)
            .where(WorkItem.case_id == case.id, WorkItem.gate == Gate.RECTIFICATION)
            .order_by(Decision.id.desc())
        ).all()[0]
        earliest, told = shanghai_day(ended), "整改报告或期满的日期"
    if not earliest <= day <= act.day:
        raise Refused(
            policy_of(case, item.gate).where,
            f"检查日期{spoken_day(day)}须不早于{told}{spoken_day(earliest)}、不晚于今天{spoken_day(act.day)};请改正",
        )


def _point(case: Case, text: str) -> CheckPoint:
    checklist = rule_of(case).checklist
    found = next((point for point in checklist if text.strip() in (point.code, point.name)), None)
    if found is None:
        listed = "、".join(point.name for point in checklist)
        raise Refused(rule_of(case).where, f"检查表中没有检查点“{text}”,可填:{listed}")
    return found


def _check_points(case: Case, findings: list[PointFound]) -> None:
    rule = rule_of(case)
    codes = [_point(case, each.point).code for each in findings]
    faults = []
    if missing := [point.name for point in rule.checklist if point.code not in codes]:
        faults.append(f"尚未登记:{'、'.join(missing)}")
    if twice := [point.name for point in rule.checklist if codes.count(point.code) > 1]:
        faults.append(f"重复登记:{'、'.join(twice)}")
    unsaid = [each.point for each in findings if each.found is Finding.NOT_MET and not each.note]
    if unsaid:
        faults.append(f"不符合而未写明情况:{'、'.join(_point(case, each).name for each in unsaid)}")
    if faults:
        raise Refused(rule.where, f"检查点须逐项登记一次,不符合的须写明情况。{';'.join(faults)}")


def _rectify_by(act: Act, case: Case, named: date | None) -> date:
    """Return the last day for putting right: the one named, at the most the edition's period, counted from today."""
    rule, gate = rule_of(case), rule_of(case).gates.rectification
    given = sum(visit.rectify_by is not None for visit in visits_of(act.session, case))
    if given >= rule.rectifications_at_most:
        raise Refused(
            rule.where,
            f"已限期整改{given}次,至多{rule.rectifications_at_most}次,不能再作出“{Verdict.RECTIFY.label}”;"
            f"请作出“{Verdict.PASSED.label}”,或由社区办负责人作出“{Verdict.REVOKE.label}”",
        )
    latest = plan(gate, opened_at=act.at, calendar=act.resources.calendar).due_on
    if named is None:
        return latest
    if not act.day < named <= latest:
        raise Refused(
            gate.due.where,
            f"整改期限{spoken_day(named)}须晚于今天{spoken_day(act.day)}、不晚于{spoken_day(latest)}"
            f"(至多{gate.due.days}{gate.due.unit.label});请改正",
        )
    return named


def _write(act: Act, case: Case, command: RecordVisit, *, rectify_by: date | None, by: Person) -> Visit:
    inspection = inspection_of(act.session, case)
    round_ = len(visits_of(act.session, case)) + 1
    document = _filed(act, case, command.proof, "inspection", by) if command.proof else None
    visit = Visit(
        inspection_id=inspection.id,
        round=round_,
        visited_on=command.visited_on or act.day,
        inspectors=command.inspectors,
        rectify_by=rectify_by,
        document_id=document.id if document else None,
        recorded_at=act.at,
    )
    by_code = {_point(case, each.point).code: each for each in command.findings}
    visit.findings = [
        VisitFinding(code=point.code, finding=by_code[point.code].found, note=by_code[point.code].note)
        for point in rule_of(case).checklist
    ]
    act.session.add(visit)
    act.session.flush()
    keep(
        act,
        case,
        [visit, *visit.findings],
        actor=by.display,
        summary=f"第{round_}次检查:{visit.visited_on},检查人{visit.inspectors},{counted(found_in(case, visit))}"
        + (f",附“{document.reference}”" if document else ""),
    )
    return visit


def _filed(act: Act, case: Case, reference: str, kind: str, by: Person) -> Document:
    folder = act.resources.settings.documents_folder
    return attach(act.session, case, folder=folder, reference=reference, kind=kind, by=by, at=act.at)


def _details(case: Case, visit: Visit, command: RecordVisit) -> dict[str, Any]:
    details: dict[str, Any] = {"visit": visit.id, "not_met": [each.code for each in not_met(case, visit)]}
    if visit.rectify_by is not None:
        details["rectify_by"] = visit.rectify_by.isoformat()
    if command.verdict is Verdict.REVOKE:
        details |= {"contact": command.contact, "place": command.place}
    return details


def _tell(act: Act, case: Case, item: WorkItem, visit: Visit, decision: Decision) -> None:
    """Tell leader and village the result; time for putting right has a letter of its own."""
    next_step = ""
    if decision.verdict is Verdict.REVOKE:
        next_step = "将先行公示，对撤牌有异议的，请在公示期内向社区办提出；公示无成立的异议，期满后撤牌。"
    letter = InspectionResult(
        **about(case),
        result=decision.verdict.label,
        because=decision.reason.rstrip("。"),
        lines=tuple(each.in_words for each in found_in(case, visit)),
        next_step=next_step,
    )
    to = applicants(act.session, case) + village_of(act, case)
    send(act, case, letter, to, event=f"{item.gate.value}-{item.round}-result")


def report_rectification(
    resources: Resources, command: ReportRectification, *, door: Door, at: datetime, asked: Asked | None = None
) -> Decision:
    """
    Take the leader's report of what was put right, with its proof; a re-inspection follows (D0-R11).

    Args:
        asked: the form it came in on; None: by another door.

    Raises:
        Refused: nothing is to be put right, its last day is over, not the site's leader, no such file.
    """
    with deciding(resources, at=at) as act:
        case = load_of(act.session, command.case, CaseKind.INSPECTION)
        item = item_to_decide(act, case, asked, Gate.RECTIFICATION)
        by = person_of(act.session, command.by)
        check_authority(act.session, item, by, on=act.day)
        document = _filed(act, case, command.proof, "rectification", by)
        visit = last_visit(act.session, case)
        visit.report = command.report
        keep(act, case, [visit], actor=by.display, summary=f"报告第{item.round}次整改,附“{document.reference}”")
        return items.close(
            act,
            item,
            Verdict.REPORTED,
            by=by,
            door=door,
            reason=command.report,
            details={
                "visit": visit.id,
                "document": document.id,
                "reference": document.reference,
                "sha256": document.sha256,
            },
        )
