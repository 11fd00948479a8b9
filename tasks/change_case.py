"""Changes of a listed site: what the driver asks of their kind of case."""

from typing import Any

from sqlalchemy.orm import Session

from models.case import Case
from models.registry import Person
from models.site_change import SiteChange
from models.work_item import Decision, WorkItem
from notifications.change_letters import ChangeDecided
from notifications.letters import TaskWaiting
from policies.errors import Refused
from policies.life_words import ChangeKind
from policies.vocabulary import Gate, SiteStatus, Verdict
from runtime.resources import edition_of
from tasks import change_effects, change_rests
from tasks.act import Act
from tasks.cases import change_of, deciders, policy_of
from tasks.change_effects import check_running, lock
from tasks.change_words import CONCERNS, LABELS, asked, called, open_business, opinion, placed, standing
from tasks.checklists import missing, points
from tasks.commands import Decide
from tasks.history import SYSTEM
from tasks.mail import about, applicants, chinese_date, due_note, send, to_person, village_of
from tasks.site_asks import ask_households

WHAT_TO_DO: dict[Gate, str] = {
    Gate.CHANGE_OPINION: "请核实情况，提出“同意变更”或“不同意变更”的意见；不同意的，请写明理由。社区办将据此审核。",
    Gate.CHANGE_REVIEW: "请审核，予以批准，或写明理由不予批准。村（居）委会不同意的，社区办可以根据实际情况决定。",
    Gate.CHANGE_WORKS: "请在新址逐项完成布置，登记完成日期和证明材料；全部完成后，迁址即生效。",
    Gate.SUSPENSION: "暂停期满自动恢复运行，平时无须办理；客堂间要求提前恢复，或者取消尚未开始的暂停，选择“恢复运行”。",
}
"""What is asked at each gate, as sentences."""


def ask(act: Act, case: Case, item: WorkItem) -> None:
    """Do what belongs to the opening of a gate, and ask those who decide, by letter."""
    if item.gate is Gate.HOUSEHOLD_CONSENT:
        ask_households(act, case, item)
        return
    change = change_of(act.session, case)
    if item.gate is Gate.SUSPENSION and change_rests.begins_on(act.session, change) <= act.day:
        change_rests.begin_rest(act, case)
    facts = (f"客堂间：{called(case, change.site)}", f"申请理由：“{change.reason}”", *asked(act.session, case, change))
    if item.gate is Gate.CHANGE_REVIEW:
        facts += (opinion(act.session, case),)
    if item.gate is Gate.CHANGE_WORKS:
        facts += tuple(f"待完成：{point.name}" for point in points(act.session, item))
    letter = TaskWaiting(
        **about(case),
        gate=item.gate.label,
        what_to_do=WHAT_TO_DO[item.gate],
        facts=facts,
        due_on=item.due_on,
        due_note=due_note(item),
    )
    to = [to_person(each) for each in deciders(act.session, item, on=act.day)]
    send(act, case, letter, to, event=f"{item.gate.value}-{item.round}")


def check(act: Act, case: Case, item: WorkItem, command: Decide) -> list[str]:
    """
    Refuse a verdict that a rule forbids.

    Returns:
        The codes of the warnings that were acknowledged.
    """
    change = change_of(act.session, case)
    texts = set(command.acknowledged)
    given = [code for code, name in warnings_of(case, change) if texts & {code, name}]
    match item.gate, command.verdict:
        case Gate.CHANGE_REVIEW, Verdict.APPROVED:
            _check_approval(act, case, item, change, given)
        case Gate.CHANGE_WORKS, Verdict.COMPLETED:
            left = missing(act.session, item)
            names = "、".join(point.name for point in left)
            raise Refused(left[0].where, f"“{item.gate.label}”尚有未完成事项:{names};请逐项登记完成日期和证明材料")
        case _:
            pass
    return given


def warnings_of(case: Case, change: SiteChange) -> tuple[tuple[str, str], ...]:
    """Return what the reviewer of a move must acknowledge: code and name of each standard off the usual."""
    names = {standard.code: standard.name for standard in edition_of(case).for_sites.standards}
    return tuple((code, names.get(code, code)) for code in change.details.get("warnings", {}))


def _check_approval(act: Act, case: Case, item: WorkItem, change: SiteChange, given: list[str]) -> None:
    """Refuse to approve what can no longer come into effect; the site stays locked until it does."""
    where, scheme = policy_of(case, item.gate).where, edition_of(case).for_sites
    site = lock(act, change)
    check_running(site, where=where, then=f"案件 {case.number} 请不予批准,并写明理由")
    match change.kind:
        case ChangeKind.LEADER if change.leader is not None:
            if change.leader_id == site.leader_id or not change.leader.active:
                now = "已是负责人" if change.leader_id == site.leader_id else "已不在册"
                raise Refused(
                    scheme.leader.where, f"新负责人{change.leader.display}{now},不能批准;请不予批准并写明理由"
                )
        case ChangeKind.MOVE if change.household is not None:
            if not change.household.active:
                where = scheme.gates.household_consent.rule.where
                raise Refused(where, f"迁入的户号“{change.household.number}”已不在册,不能批准;请不予批准并写明理由")
            wheres = {standard.code: standard.where for standard in scheme.standards}
            unseen = [(code, name) for code, name in warnings_of(case, change) if code not in given]
            if unseen:
                names = "、".join(name for _, name in unseen)
                raise Refused(wheres.get(unseen[0][0], where), f"批准前须逐条确认已知悉以下提示:{names}")
        case ChangeKind.SUSPENSION if change.rests_until is not None:
            if change.rests_until < act.day:
                raise Refused(
                    where, f"申请的暂停期已于{change.rests_until}届满,不能再批准;请不予批准,仍需暂停的另行申请"
                )
            if site.status is not SiteStatus.ACTIVE:
                raise Refused(where, f"客堂间 {site.number} {site.status.label},不能再批准暂停;请不予批准")
        case _:
            pass


def details(act: Act, case: Case, item: WorkItem, command: Decide, person: Person) -> dict[str, Any]:
    """Return what a decision keeps beside its verdict; a rest that is broken off ends in its transaction."""
    if (item.gate, command.verdict) == (Gate.SUSPENSION, Verdict.RESUMED):
        return change_rests.resume_early(act, case, by=person)
    if item.gate in (Gate.CHANGE_OPINION, Gate.CHANGE_REVIEW):
        return {"kind": change_of(act.session, case).kind.value}
    return {}


def tell(act: Act, case: Case, item: WorkItem, decision: Decision) -> None:
    """Tell of the review; another leader and the end of a site come into effect with the approval."""
    if item.gate is not Gate.CHANGE_REVIEW or decision.verdict is Verdict.WITHDRAWN:
        return
    change, by = change_of(act.session, case), decision.decided_by
    approved = decision.verdict is Verdict.APPROVED
    letter = ChangeDecided(
        **about(case),
        site=called(case, change.site),
        kind=change.kind.label,
        approved=approved,
        by=by.name if by else SYSTEM,
        opinion=opinion(act.session, case),
        reason=decision.reason,
        asked=asked(act.session, case, change),
        next_step=_next_step(case, change) if approved else "",
    )
    to = applicants(act.session, case) + village_of(act, case)
    to += [to_person(change.leader)] if change.leader is not None else []
    send(act, case, letter, to, event=f"{item.gate.value}-{item.round}-decided")
    if not approved or by is None:
        return
    match change.kind:
        case ChangeKind.LEADER:
            change_effects.change_leader(act, case, by=by)
        case ChangeKind.CLOSURE:
            change_effects.close_site(act, case, by=by)
        case ChangeKind.MOVE | ChangeKind.SUSPENSION:
            pass  # with the last of the works; with its first day


def _next_step(case: Case, change: SiteChange) -> str:
    match change.kind:
        case ChangeKind.LEADER | ChangeKind.CLOSURE:
            return "变更自批准之日起生效，详见另函。"
        case ChangeKind.MOVE:
            works = "、".join(work.name for work in edition_of(case).for_sites.works)
            return f"下一步由社区办在新址组织完成{works}，完成之日起迁址生效；在此以前，请在原址照常开展活动。"
        case ChangeKind.SUSPENSION:
            return "自暂停首日起（批准在后的，自批准之日起）暂停运行，期满自动恢复；在此以前，请照常开展活动。"


def facts(session: Session, case: Case) -> tuple[tuple[str, str], ...]:
    """Return what a page says of it, as labelled rows."""
    change = change_of(session, case)
    site, part = change.site, CONCERNS[change.kind]
    before = change.before or standing(site)
    rows = [
        ("客堂间", f"{site.number} {placed(site.household)},{site.status.label}"),
        ("变更事项", change.kind.label),
        ("申请人", change.applied_by.display),
        ("变更理由", change.reason),
        (f"变更前的{LABELS[part]}", before[part]),
        *(("申请内容", each) for each in asked(session, case, change)),
        ("村(居)委会意见", opinion(session, case)),
        ("生效", f"自{chinese_date(change.effective_on)}起" if change.effective_on else "尚未生效"),
    ]
    if change.kind is ChangeKind.CLOSURE and (others := open_business(session, site, but=case)):
        rows.append(("尚未办结的事项", "、".join(others)))
    return tuple(rows)


def after(act: Act, case: Case) -> None:
    """Do nothing: what a change does was done with the decision, or on the day, that brought it about."""
