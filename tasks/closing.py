"""The end of a case: the site is listed, the case is closed with its outcome."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select

from models.case import Case, Site
from models.site_life import SiteSpell
from models.work_item import WorkItem
from notifications.letters import CaseClosed
from policies.vocabulary import CaseKind, CaseStatus, Gate, Outcome, WorkItemStatus
from runtime.resources import Resources, edition_of
from tasks import (
    campaign_case,
    change_case,
    evaluation_case,
    inspection_case,
    meeting_case,
    notice_ending,
    order_case,
    project_closing,
    resolution_case,
)
from tasks.act import Act, acting
from tasks.cases import application_of, load_case, load_with_parent
from tasks.history import SYSTEM, append
from tasks.items import cancel
from tasks.living import keep
from tasks.mail import about, concerned, send

TOLD = frozenset({(CaseKind.SITE, Outcome.REJECTED), (CaseKind.INSPECTION, Outcome.PASSED)})
"""Ends that follow at once on a decision whose own letter has told the very same people."""


def list_site(resources: Resources, number: str, *, at: datetime) -> str:
    """
    List the parlour as an active site: from now on it owes themes and activities (D0-R4, D0-R10).

    Safe to repeat because a case lists one site.

    Returns:
        The site's number.
    """
    with acting(resources, at=at) as act:
        case = load_case(act.session, number)
        known = act.session.scalars(select(Site).where(Site.case_id == case.id)).one_or_none()
        if known is not None:
            return known.number
        application = application_of(act.session, case)
        site = Site(
            case_id=case.id,
            number=f"{case.number}-S",
            village_id=case.village_id,
            group_id=case.group_id,
            household_id=case.household_id,
            leader_id=application.leader_id,
            speciality=application.speciality,
            activated_at=at,
        )
        act.session.add(site)
        act.session.flush()
        spell = SiteSpell(site_id=site.id, status=site.status, since=act.day, case_id=case.id)
        act.session.add(spell)
        plaque = edition_of(case).for_sites.plaque_text
        keep(act, case, [site, spell], actor=SYSTEM, summary=f"{plaque}(编号 {site.number})列入名册,开始运行")
        return site.number


def close_case(resources: Resources, number: str, outcome: Outcome, because: str, *, at: datetime) -> None:
    """
    Close the case with its outcome and tell those concerned.

    Safe to repeat because a closed case stays as it was closed.
    """
    with acting(resources, at=at) as act:
        case = load_with_parent(act.session, number)
        if case.status is CaseStatus.CLOSED:
            return
        case.status, case.outcome, case.because, case.closed_at = CaseStatus.CLOSED, outcome, because, at
        open_items = act.session.scalars(
            select(WorkItem).where(
                WorkItem.case_id == case.id,
                WorkItem.status == WorkItemStatus.OPEN,
                WorkItem.gate != Gate.UNDELIVERED_LETTER,
            )
        )
        for item in open_items:
            cancel(act, item)
        append(
            act.session,
            case,
            kind="case_closed",
            actor=SYSTEM,
            summary=f"办结:{outcome.label}" + (f",{because}" if because else ""),
            at=at,
            data={"outcome": outcome.value, "because": because},
        )
        if case.kind is CaseKind.NOTICE:
            notice_ending.end_notice(act, case)  # whose own letter says how
        elif (case.kind, outcome) not in TOLD:
            closed = CaseClosed(**about(case), outcome=outcome.label, because=because, closed_on=act.day)
            send(act, case, closed, concerned(act, case), event="closed")
        CLOSING[case.kind](act, case)


def _nothing_else(act: Act, case: Case) -> None:
    """Do nothing: no other case waits for this one."""


def _after_notice(act: Act, case: Case) -> None:
    """Let what was noticed go on; a free notice is about nothing."""
    if case.parent is not None:
        NOTICED[case.parent.kind](act, case)


NOTICED: dict[CaseKind, Callable[[Act, Case], None]] = {
    CaseKind.CALL: project_closing.after_notice,
    CaseKind.INSPECTION: inspection_case.after_notice,
    CaseKind.ANNUAL_EVALUATION: evaluation_case.after_notice,
}
"""What the end of a notice does to the case it is about."""
CLOSING: dict[CaseKind, Callable[[Act, Case], None]] = {
    CaseKind.SITE: _nothing_else,
    CaseKind.CALL: project_closing.after_call,
    CaseKind.PROJECT: project_closing.after_project,
    CaseKind.NOTICE: _after_notice,
    CaseKind.CAMPAIGN: campaign_case.after,
    CaseKind.INSPECTION: inspection_case.after,
    CaseKind.ANNUAL_EVALUATION: evaluation_case.after,
    CaseKind.JOINT_MEETING: meeting_case.after,
    CaseKind.RESOLUTION: resolution_case.after,
    CaseKind.SERVICE_ORDER: order_case.after,
    CaseKind.SITE_CHANGE: change_case.after,
}
"""What the end of a case does to the cases beside it, in the same transaction."""
