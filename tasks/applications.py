"""A household applies for a site; the applicant hands in a corrected application."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from models.case import Case, Site, SiteApplication
from models.registry import Household, Unit
from models.work_item import Decision, WorkItem
from notifications.letters import ApplicationReceived
from policies.edition import Edition
from policies.errors import Refused
from policies.site_scheme import SiteScheme
from policies.vocabulary import (
    CaseKind,
    CaseStatus,
    CombinedWith,
    Door,
    Facility,
    Firmness,
    Gate,
    Outcome,
    SiteStatus,
    UnitKind,
    Verdict,
)
from rules.eligibility import ApplicationFacts, Finding, examine, refuse_if_any
from rules.quota import check_quota
from rules.window import open_phase
from runtime.resources import Resources, edition_of
from tasks import items
from tasks.act import Act, acting
from tasks.cases import Asked, application_of, check_authority, load_case, person_of
from tasks.commands import ApplyForSite, Resubmit, SiteDetails
from tasks.deciding import deciding, item_to_decide
from tasks.history import append, place_facts
from tasks.mail import about_site, applicants, due_of, names_of, send, village_of, warnings_of
from tasks.openings import edition_in_use, next_number, opened_by, publish

# Built once: to build these cost an application more than to ask them.
_RUNNING = select(Case.number).where(
    Case.household_id == bindparam("household"), Case.kind == bindparam("kind"), Case.status == CaseStatus.OPEN
)
_LISTED = select(Site.number).where(
    Site.household_id == bindparam("household"), Site.status.in_((SiteStatus.ACTIVE, SiteStatus.SUSPENDED))
)
_APPROVED = (
    select(func.count(func.distinct(Case.id)))
    .select_from(Case)
    .join(WorkItem, WorkItem.case_id == Case.id)
    .join(Decision, Decision.work_item_id == WorkItem.id)
    .where(
        Case.village_id == bindparam("village"),
        Case.edition_id == bindparam("edition"),
        Case.year == bindparam("year"),
        Case.id.is_distinct_from(bindparam("but")),
        WorkItem.gate == Gate.OFFICE_REVIEW,
        Decision.verdict == Verdict.APPROVED,
        (Case.outcome.is_(None)) | (Case.outcome == Outcome.LISTED),
    )
)


def apply_for_site(resources: Resources, command: ApplyForSite, *, door: Door, key: str, at: datetime) -> str:
    """
    Open the case of a household's application (D0-R1…R9, D1-R1, D1-R2).

    Args:
        door: by which door it came.
        key: what opened it, e.g. the id of the Prefect run; the same key opens one case, however often it is tried.

    Returns:
        The case's number.

    Raises:
        Refused: a rule says no; names every clause and value that stands against it.
        BadPolicy: the town's policy file was changed after it was published.
    """
    with acting(resources, at=at) as act:
        if (known := opened_by(act.session, key)) is not None:
            return known.number
        household = household_named(act.session, command.household)
        town = household.group.above(UnitKind.TOWN)
        village = act.session.get_one(
            Unit, household.group.above(UnitKind.VILLAGE).id, with_for_update={"of": Unit}, populate_existing=True
        )
        # Asked again under the lock: the same key may have come in twice at once.
        if (known := opened_by(act.session, key)) is not None:
            return known.number
        loaded = edition_in_use(resources, town, at)
        scheme = loaded.edition.for_sites
        open_phase(scheme, on=act.day)
        if not command.household_agrees:
            raise Refused(scheme.gates.household_consent.rule.where, "未勾选“户主自愿”:须户主自愿提供住宅方可申请")
        refuse_second(act.session, household)
        check_quota(
            scheme.quota,
            taken=approved_in_year(act.session, village, loaded.edition, act.day.year),
            village=village.name,
            year=act.day.year,
        )
        leader = person_of(act.session, command.leader)
        findings = _examined(command, scheme)
        published = publish(act.session, loaded, at=at)
        case = Case(
            number=next_number(act.session, scheme.case_prefix, act.day.year),
            kind=CaseKind.SITE,
            edition_id=published.id,
            edition_sha256=published.sha256,
            opening_key=key,
            title=f"{scheme.plaque_text}·{household.head_name}户",
            unit_id=household.group_id,
            village_id=village.id,
            group_id=household.group_id,
            household_id=household.id,
            year=act.day.year,
            opened_at=at,
        )
        act.session.add(case)
        act.session.flush()
        application = _application(case, 1, command, leader.id, findings, at)
        act.session.add(application)
        act.session.flush()
        append(
            act.session,
            case,
            kind="case_opened",
            actor=leader.display,
            summary=f"{household.group.name}{household.number}户申请创建“{scheme.plaque_text}”,负责人{leader.name}",
            at=at,
            data={
                "door": door.value,
                "edition": published.id,
                "sha256": published.sha256,
                **place_facts(case),
                **_told(application),
            },
        )
        _tell_received(act, case, application, Gate.HOUSEHOLD_CONSENT)
        return case.number


def household_named(session: Session, number: str) -> Household:
    """Return the household of that number; Refused: there is none, or it was struck off the register."""
    household = session.scalars(select(Household).where(Household.number == number.strip())).one_or_none()
    if household is None:
        raise Refused("default", f"登记簿中没有户号“{number}”,请核对户号")
    if not household.active:
        raise Refused("default", f"户号“{number}”已不在册,不能申请")
    return household


def refuse_second(session: Session, household: Household) -> None:
    """Refuse a household that has a site, applies for one, or is to take one in; the village is held locked."""
    running = session.scalars(_RUNNING, {"household": household.id, "kind": CaseKind.SITE}).first()
    if running is not None:
        raise Refused("default", f"户号“{household.number}”已有在办申请 {running},请在该案件中办理")
    listed = session.scalars(_LISTED, {"household": household.id}).first()
    if listed is not None:
        raise Refused("default", f"户号“{household.number}”已建成客堂间 {listed},不能重复申请")
    moving = session.scalars(_RUNNING, {"household": household.id, "kind": CaseKind.SITE_CHANGE}).first()
    if moving is not None:
        raise Refused("default", f"户号“{household.number}”已有客堂间拟迁入(案件 {moving}),请在该案件办结后再申请")


def approved_in_year(session: Session, village: Unit, edition: Edition, year: int, *, but: int | None = None) -> int:
    """Return how many sites of the village were approved in that year under the edition, `but` one case (D1-R2)."""
    given = {"village": village.id, "edition": edition.id, "year": year, "but": but}
    return session.scalar(_APPROVED, given) or 0


def confirmed(texts: Sequence[str], scheme: SiteScheme) -> frozenset[str]:
    """Return the codes of the standards that an applicant confirms by name or code; Refused: no such standard."""
    codes = {standard.name: standard.code for standard in scheme.standards}
    known = set(codes.values())
    given = set()
    for text in texts:
        code = codes.get(text, text)
        if code not in known:
            choices = "、".join(each.name for each in scheme.standards if each.kind == "confirmation") or "(本政策无)"
            raise Refused("default", f"“{text}”不是本政策须确认的标准,可填:{choices}")
        given.add(code)
    return frozenset(given)


def _examined(details: SiteDetails, scheme: SiteScheme) -> tuple[Finding, ...]:
    findings = examine(
        ApplicationFacts(
            volunteers=details.volunteers,
            area_square_metres=details.area_square_metres,
            facilities=frozenset(details.facilities),
            confirmations=confirmed(details.confirmations, scheme),
            leader_source=details.leader_source,
            recommended_by=details.recommended_by,
            leader_agrees=details.leader_agrees,
        ),
        scheme,
    )
    refuse_if_any(findings)
    return findings


def _application(
    case: Case, round_: int, details: SiteDetails, leader_id: int, findings: tuple[Finding, ...], at: datetime
) -> SiteApplication:
    return SiteApplication(
        case_id=case.id,
        round=round_,
        submitted_at=at,
        leader_id=leader_id,
        leader_source=details.leader_source,
        recommended_by=details.recommended_by,
        leader_agrees=details.leader_agrees,
        volunteers=details.volunteers,
        area_square_metres=details.area_square_metres,
        facilities=[each.value for each in details.facilities],
        confirmations=list(details.confirmations),
        speciality=details.speciality,
        combined_with=[each.value for each in details.combined_with],
        household_agrees=details.household_agrees,
        warnings=[each.code for each in findings if each.firmness is Firmness.WARN],
        deficiencies=[each.code for each in findings if each.firmness is Firmness.CURE],
    )


def _told(application: SiteApplication) -> dict[str, object]:
    return {
        "round": application.round,
        "leader": application.leader_id,
        "leader_source": application.leader_source.value,
        "recommended_by": application.recommended_by,
        "leader_agrees": application.leader_agrees,
        "household_agrees": application.household_agrees,
        "volunteers": application.volunteers,
        "area_square_metres": str(application.area_square_metres),
        "facilities": application.facilities,
        "confirmations": application.confirmations,
        "speciality": application.speciality,
        "combined_with": application.combined_with,
        "warnings": application.warnings,
        "deficiencies": application.deficiencies,
    }


NEXT_STEP = {
    Gate.HOUSEHOLD_CONSENT: "由村(居)民小组长征求本组各户意见",
    Gate.VILLAGE_FORWARD: "由村(居)委会上报镇社区办",
    Gate.OFFICE_REVIEW: "由镇社区办审核",
}


def _tell_received(act: Act, case: Case, application: SiteApplication, gate: Gate) -> None:
    letter = ApplicationReceived(
        **about_site(case),
        submitted_on=act.day,
        next_step=NEXT_STEP[gate],
        due_on=due_of(case, gate, act),
        warnings=warnings_of(application, case),
        deficiencies=names_of(application.deficiencies, case),
    )
    to = applicants(act.session, case) + village_of(act, case)
    send(act, case, letter, to, event=f"application-{application.round}")


def _returned_from(act: Act, case: Case) -> Gate:
    """Return the gate that sent the file back: there it goes again."""
    last = act.session.scalars(
        select(WorkItem)
        .join(Decision)
        .where(WorkItem.case_id == case.id, Decision.verdict.in_((Verdict.RETURNED, Verdict.NOT_CARRIED)))
        .order_by(Decision.id.desc())
    ).first()
    return last.gate if last else Gate.HOUSEHOLD_CONSENT


def resubmit(resources: Resources, command: Resubmit, *, door: Door, at: datetime, asked: Asked | None = None) -> None:
    """
    Take in the corrected application: a new round (D0-R9).

    Args:
        asked: the form it came in on; None: by another door.

    Raises:
        Refused: not at the correction gate, its period is over, not the leader of the application, or a standard is
            still not met.
    """
    with deciding(resources, at=at) as act:
        case = load_case(act.session, command.case)
        item = item_to_decide(act, case, asked, Gate.CORRECTION)
        person = person_of(act.session, command.by)
        check_authority(act.session, item, person, on=act.day)
        if not command.household_agrees:
            raise Refused(
                edition_of(case).for_sites.gates.household_consent.rule.where,
                "未勾选“户主自愿”:须户主自愿提供住宅方可申请",
            )
        leader = person_of(act.session, command.leader)
        findings = _examined(command, edition_of(case).for_sites)
        application = _application(case, application_of(act.session, case).round + 1, command, leader.id, findings, at)
        act.session.add(application)
        act.session.flush()
        items.close(act, item, Verdict.RESUBMITTED, by=person, door=door, details=_told(application))
        _tell_received(act, case, application, _returned_from(act, case))


def details_of(resources: Resources, number: str) -> dict[str, Any]:
    """Return the application as it stands, as the fields of a resubmission: what a form leaves out stays as it is."""
    with resources.database.read() as session:
        application = application_of(session, load_case(session, number, lock=False))
        return {
            "household_agrees": application.household_agrees,
            "leader": application.leader.code,
            "leader_source": application.leader_source.label,
            "recommended_by": application.recommended_by,
            "leader_agrees": application.leader_agrees,
            "volunteers": application.volunteers,
            "area_square_metres": application.area_square_metres,
            "facilities": [Facility(code).label for code in application.facilities],
            "confirmations": list(application.confirmations),
            "speciality": application.speciality,
            "combined_with": [CombinedWith(code).label for code in application.combined_with],
        }
