"""撤牌: made known by a public notice first; when that is cleared, the site is revoked (D0-R11, D2-R10)."""

from collections.abc import Iterator

from sqlalchemy import select

from models.case import Case
from models.work_item import Decision, WorkItem
from notifications.inspection_letters import InspectionResult, SiteRevoked
from notifications.outbox import Recipient
from policies.vocabulary import Door, Gate, NoticeKind, Outcome, Role, SiteStatus, UnitKind, Verdict
from runtime.resources import edition_of
from tasks import items
from tasks.act import Act
from tasks.cases import site_of
from tasks.change_effects import end_role, left_behind
from tasks.history import SYSTEM, append
from tasks.inspection_points import (
    follow_site,
    inspection_of,
    last_visit,
    not_met,
    rule_of,
    site_named_in_full,
    visits_of,
    waiting_at,
)
from tasks.living import change_status, lock_site
from tasks.mail import about, applicants, chinese_date, holders_of, office_of, send, to_household, village_of
from tasks.notices import NoticeItem, open_notice

VERDICTS = {
    Outcome.CLEARED: Verdict.CLEARED,
    Outcome.AMENDED: Verdict.AMENDED,
    Outcome.RETRACTED: Verdict.RETRACTED,
}
"""What the end of a notice says to the inspection that waits for it."""


def publish(act: Act, case: Case, item: WorkItem) -> Case:
    """
    Publish the notice of a revocation; safe to repeat because a round publishes one.

    Args:
        case: the inspection, locked.
        item: the gate REVOCATION_NOTICE that opens.

    Returns:
        The notice's case.
    """
    town, decision = case.unit.above(UnitKind.TOWN), _decision(act, case)
    site = site_of(act.session, case)
    notice = open_notice(
        act,
        parent=case,
        unit=town,
        edition=case.edition,
        kind=NoticeKind.REVOCATION,
        title=f"拟对{site.village.name}客堂间 {site.number} 撤牌的公示",
        text="\n".join(paragraphs(act, case)),
        items=[NoticeItem(label=site_named_in_full(site), case_id=case.id)],
        contact=decision.details.get("contact") or office_of(case),
        place=decision.details.get("place") or f"{town.name}政务公开栏、{site.village.name}村（居）务公开栏",
        key=f"{case.number}:revocation:{item.round}",
        actor=SYSTEM,
    )
    append(
        act.session,
        case,
        kind="revocation_noticed",
        actor=SYSTEM,
        summary=f"拟撤牌开始公示:{notice.number}",
        at=act.at,
        data={"notice": notice.number, "round": item.round, "site": site.number},
    )
    return notice


def _decision(act: Act, case: Case) -> Decision:
    """Return the head's decision to revoke."""
    return act.session.scalars(
        select(Decision)
        .where(Decision.case_id == case.id, Decision.verdict == Verdict.REVOKE)
        .order_by(Decision.id.desc())
    ).all()[0]


def paragraphs(act: Act, case: Case) -> Iterator[str]:
    """Yield the notice's paragraphs: by which clause, which site, what was found and when, why, and what comes then."""
    site, visits, decision = site_of(act.session, case), visits_of(act.session, case), _decision(act, case)
    days = "、".join(chinese_date(visit.visited_on) for visit in visits)
    places = [each.where for each in not_met(case, visits[-1])] + [rule_of(case).where]
    clauses = "、".join(dict.fromkeys(where for where in places if where != "default"))
    yield (
        f"根据《{edition_of(case).title}》{f'（{clauses}）' if clauses else ''}，{office_of(case)}于{days}对"
        f"{site_named_in_full(site)}进行督查，负责人{site.leader.name}。最后一次检查，下列检查点不符合要求："
    )
    for number, each in enumerate(not_met(case, visits[-1]), start=1):
        clause = "" if each.where == "default" else f"（{each.where}）"
        yield f"{number}. {each.name}{clause}：{each.note.rstrip('。')}。"
    for visit in visits[:-1]:
        told = f"负责人报告：{visit.report}" if visit.report else "期满未报告整改情况"
        if visit.rectify_by is not None:
            yield f"{chinese_date(visit.visited_on)}曾要求于{chinese_date(visit.rectify_by)}前整改，{told}。"
    yield f"经社区办负责人决定，拟对该客堂间撤牌。理由：{decision.reason.rstrip('。')}。现予公示。"
    yield "对撤牌有异议的，请在公示期内按下列方式提出；公示无成立的异议，期满后撤牌。"


def after_notice(act: Act, case: Case) -> None:
    """
    Let the inspection go on when the notice of the revocation has ended: the site is revoked, or keeps its plaque.

    Args:
        case: the notice; the inspection it is about is locked.
    """
    inspection_case = case.parent
    if inspection_case is None or case.outcome is None:
        return
    item = waiting_at(act.session, inspection_case, Gate.REVOCATION_NOTICE)
    if item is None:
        return
    follow_site(act, inspection_case)
    verdict = VERDICTS[case.outcome]
    because = f":{case.because}" if case.because else ""
    reason = f"公示 {case.number} {case.outcome.label}{because}"
    if verdict is not Verdict.CLEARED:
        reason = f"公示 {case.number} 异议成立或撤销,不予撤牌{because}"
    items.close(act, item, verdict, by=None, door=Door.SYSTEM, reason=reason, details={"notice": case.number})
    if verdict is Verdict.CLEARED:
        _revoke(act, inspection_case, case)
        return
    letter = InspectionResult(
        **about(inspection_case),
        result=Outcome.KEPT.label,
        because=reason,
        lines=(),
        next_step="客堂间保留标牌，继续运行；检查中不符合的检查点仍请改正。",
    )
    to = applicants(act.session, inspection_case) + village_of(act, inspection_case)
    send(act, inspection_case, letter, to, event=f"{item.gate.value}-{item.round}-result")


def _revoke(act: Act, case: Case, notice: Case) -> None:
    """Take the plaque back from today, also of a site that was closed meanwhile: how it ended must stand."""
    site = inspection_of(act.session, case).site
    lock_site(act.session, site)
    decision = _decision(act, case)
    if site.status is not SiteStatus.REVOKED:
        because = f"督查 {case.number} 决定撤牌,公示 {notice.number} 通过"
        change_status(act, site, SiteStatus.REVOKED, on=act.day, because=because, actor=SYSTEM, by_case=case)
        end_role(act, site.leader, site.group_id)
    letter = SiteRevoked(
        **about(case),
        site=site_named_in_full(site),
        revoked_on=act.day,
        reason=decision.reason,
        points=tuple(each.in_words for each in not_met(case, last_visit(act.session, case))),
        notice=notice.number,
        duties=left_behind(act.session, site, but=case),
    )
    to = applicants(act.session, case) + village_of(act, case)
    to += holders_of(act, case, Role.OFFICE_REVIEWER) + holders_of(act, case, Role.OFFICE_HEAD)
    if site.household.email and site.household.email not in {each.address for each in to}:
        to.append(to_household(site.household))
    send(act, case, letter, _each_once(to), event="revoked")


def _each_once(to: list[Recipient]) -> list[Recipient]:
    return list({each.person_id or each.address: each for each in to}.values())
