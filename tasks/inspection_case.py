"""The inspection of one site: what the driver asks of its kind of case (D0-R11)."""

from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.case import Case
from models.site_life import SiteSpell
from models.work_item import Decision, WorkItem
from notifications.inspection_letters import SiteRectification
from notifications.letters import TaskWaiting
from policies.errors import Refused
from policies.vocabulary import CaseKind, CaseStatus, Door, Gate, Verdict
from tasks import inspection_revocation, items
from tasks.act import Act
from tasks.asks import show_again
from tasks.cases import deciders, policy_of, site_of
from tasks.commands import Decide
from tasks.inspection_points import (
    campaign_of,
    counted,
    follow_site,
    found_in,
    last_visit,
    not_met,
    rule_of,
    site_named_in_full,
    visits_of,
    waiting_at,
)
from tasks.mail import about, applicants, due_note, send, to_person, village_of

RE_INSPECT = "请复查整改情况，逐项登记检查结果和结论：合格、再次限期整改，或由社区办负责人作出拟撤牌。"
ELSEWHERE = {
    Gate.INSPECTION_VISIT: "请在案件页面的表单中逐项登记检查点,或运行“登记督查”、ketang inspection record",
    Gate.RE_INSPECTION: "请在案件页面的表单中逐项登记检查点,或运行“登记督查”、ketang inspection record",
    Gate.RECTIFICATION: "请在案件页面的表单中填写整改情况和证明材料,或运行 ketang inspection report",
}
"""Where the gates are decided whose decision needs more than a word."""


def last_day_of_visits(session: Session, case: Case) -> date:
    """Return the last day of the visits, as the campaign names it."""
    return campaign_of(session, case).until


def last_day_of_rectification(session: Session, case: Case) -> date | None:
    """Return the last day for putting right that the inspectors named at the last visit."""
    return last_visit(session, case).rectify_by


def ask(act: Act, case: Case, item: WorkItem) -> None:
    """Do what belongs to the opening of a gate, and ask those who decide, by letter."""
    follow_site(act, case)
    match item.gate:
        case Gate.RECTIFICATION:
            _ask_to_rectify(act, case, item)
        case Gate.RE_INSPECTION:
            _ask_to_look_again(act, case, item)
        case Gate.REVOCATION_NOTICE:
            inspection_revocation.publish(act, case, item)
        case _:
            return  # the first visit was asked for with the campaign's opening


def _ask_to_rectify(act: Act, case: Case, item: WorkItem) -> None:
    visits = visits_of(act.session, case)
    given = sum(visit.rectify_by is not None for visit in visits)
    reason = act.session.scalars(
        select(Decision.reason)
        .where(Decision.case_id == case.id, Decision.verdict == Verdict.RECTIFY)
        .order_by(Decision.id.desc())
    ).all()[0]
    letter = SiteRectification(
        **about(case),
        site=site_named_in_full(site_of(act.session, case)),
        visited_on=visits[-1].visited_on,
        points=tuple(each.in_words for each in not_met(case, visits[-1])),
        reason=reason,
        due_on=item.due_on,
        times_left=max(rule_of(case).rectifications_at_most - given, 0),
    )
    to = applicants(act.session, case) + village_of(act, case)
    send(act, case, letter, to, event=f"{item.gate.value}-{item.round}")


def _ask_to_look_again(act: Act, case: Case, item: WorkItem) -> None:
    visit = last_visit(act.session, case)
    letter = TaskWaiting(
        **about(case),
        gate=item.gate.label,
        what_to_do=RE_INSPECT,
        facts=(
            site_named_in_full(site_of(act.session, case)),
            *(each.in_words for each in not_met(case, visit)),
            f"整改报告：{visit.report or '期满未报告'}",
        ),
        due_on=item.due_on,
        due_note=due_note(item),
    )
    to = [to_person(each) for each in deciders(act.session, item, on=act.day)]
    send(act, case, letter, to, event=f"{item.gate.value}-{item.round}")


def check(act: Act, case: Case, item: WorkItem, command: Decide) -> list[str]:
    """
    Refuse a verdict that needs findings or a report; there are no warnings to acknowledge.

    Raises:
        Refused: says where it is given; an inspection is called off by a bare verdict.
    """
    if command.verdict is not Verdict.CALLED_OFF and item.gate in ELSEWHERE:
        raise Refused(policy_of(case, item.gate).where, f"“{item.gate.label}”{ELSEWHERE[item.gate]}")
    return []


def tell(act: Act, case: Case, item: WorkItem, decision: Decision) -> None:
    """Do nothing: a visit's result is told where it is recorded, the end of the case tells of one called off."""


def facts(session: Session, case: Case) -> tuple[tuple[str, str], ...]:
    """Return what a page says of it: the site, how it stands, and every visit with what it found."""
    site, campaign = site_of(session, case), campaign_of(session, case)
    since = session.scalar(select(func.max(SiteSpell.since)).where(SiteSpell.site_id == site.id))
    rows = [
        ("客堂间", site_named_in_full(site)),
        ("负责人", site.leader.display),
        ("名册状态", f"{site.status.label}(自{since})"),
        ("督查日期", f"{campaign.since}至{campaign.until}"),
    ]
    visits = visits_of(session, case)
    if not visits:
        rows.append(("检查点", "、".join(point.name for point in rule_of(case).checklist)))
    for visit in visits:
        found = found_in(case, visit)
        rows.append((f"第{visit.round}次检查", f"{visit.visited_on},检查人{visit.inspectors},{counted(found)}"))
        rows += [(f"第{visit.round}次·{each.name}", each.in_words.partition("：")[2]) for each in found]
        if visit.document is not None:
            rows.append((f"第{visit.round}次检查材料", visit.document.reference))
        if visit.rectify_by is not None:
            rows.append((f"第{visit.round}次整改", f"期限{visit.rectify_by};{visit.report or '尚无整改报告'}"))
    given = sum(visit.rectify_by is not None for visit in visits)
    rows.append(("限期整改", f"{given}次,至多{rule_of(case).rectifications_at_most}次"))
    return tuple(rows)


def after(act: Act, case: Case) -> None:
    """Let the campaign go on when this was the last inspection it waited for, else show it; the campaign is locked."""
    campaign = case.parent
    if campaign is None:
        return
    item = waiting_at(act.session, campaign, Gate.INSPECTIONS)
    if item is None:
        return
    running = act.session.scalar(
        select(func.count(Case.id)).where(
            Case.parent_id == campaign.id, Case.kind == CaseKind.INSPECTION, Case.status == CaseStatus.OPEN
        )
    )
    if running:
        show_again(act.session, campaign.number)
        return
    reason = f"最后一处 {case.number} 已办结"
    items.close(act, item, Verdict.COMPLETED, by=None, door=Door.SYSTEM, reason=reason)


def after_notice(act: Act, case: Case) -> None:
    """Let the matter that was noticed go on: `case` is the notice that ended; its parent is locked."""
    inspection_revocation.after_notice(act, case)
