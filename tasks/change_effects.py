"""
What a change does to a listed site, in the transaction of the decision that brings it about.

A rest, which begins and ends by time, is in `tasks.change_rests`.

Whoever calls holds the change's case locked. The site is locked after it, last of all; its own case tells of it.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from models.case import Case, Site
from models.registry import Person, RoleHolding, Unit
from models.site_change import SiteChange
from notifications.change_letters import SiteChanged
from notifications.outbox import Recipient
from policies.errors import Refused
from policies.life_words import ChangeKind
from policies.vocabulary import CaseStatus, Door, Gate, Role, SiteStatus, Verdict
from rules.money import in_capitals, in_yuan
from tasks import items
from tasks.act import Act
from tasks.cases import change_of, load_case, open_item, policy_of
from tasks.change_words import CONCERNS, LABELS, balance, called, open_business, open_orders, standing
from tasks.living import change_status, keep, lock_site
from tasks.mail import about, applicants, chinese_date, holders_of, send, to_household, to_person, village_of

RUNNING = (SiteStatus.ACTIVE, SiteStatus.SUSPENDED)


def lock(act: Act, change: SiteChange) -> Site:
    """Lock what a change touches beside its own case, the site last, and return the site as it stands."""
    if change.kind is ChangeKind.MOVE:
        # Applications for the household that it goes to take the village too.
        act.session.get(Unit, change.site.village_id, with_for_update={"of": Unit}, populate_existing=True)
    if change.kind is ChangeKind.CLOSURE:
        for number in _open_rests(act.session, change.site):
            load_case(act.session, number)
    lock_site(act.session, change.site)
    return change.site


def check_running(site: Site, *, where: str, then: str) -> None:
    """Refuse what a site can no longer do because it is closed or revoked; `then` says what to do next."""
    if site.status not in RUNNING:
        raise Refused(where, f"客堂间 {site.number} {site.status.label},不能再变更;{then}")


def change_leader(act: Act, case: Case, *, by: Person) -> None:
    """Let the new leader lead from today on (D0-R1); the roles of the registry follow."""
    change = change_of(act.session, case)
    site = lock(act, change)
    new, old = change.leader, site.leader
    if new is None:
        raise LookupError(f"change {case.number} names no leader")
    before = standing(site)
    site.leader_id = new.id
    act.session.flush()
    end_role(act, old, site.group_id)
    _give_role(act, new, site.group_id)
    summary = f"客堂间 {site.number} 的负责人由{old.display}改为{new.display},自{act.day}起(案件 {case.number})"
    keep(act, site.case, [site], actor=by.display, summary=summary, data={"by": case.number})
    put_in_effect(act, case, change, before, on=act.day, actor=by.display)
    others = open_business(act.session, site, but=case)
    duties = (
        "请原负责人（或者由村（居）委会代为）向新负责人移交活动记录、补贴使用凭证和设施物品",
        "请新负责人按规定报送月度主题、组织并登记每周活动",
        *((f"尚未办结的{'、'.join(others)}，由新负责人接续办理",) if others else ()),
    )
    tell(act, case, change, duties=duties, event="in-effect", also=[to_person(old)] if old.active else [])


def move(act: Act, case: Case, *, by: Person) -> None:
    """
    Let the site be in its new household: everything there is done (D0-R10).

    Raises:
        Refused: the site was closed or revoked meanwhile, or the household was struck off.
    """
    change = change_of(act.session, case)
    site = lock(act, change)
    place, where = change.household, policy_of(case, Gate.CHANGE_WORKS).where
    if place is None:
        raise LookupError(f"change {case.number} names no place")
    check_running(site, where=where, then=f"案件 {case.number} 请由申请人或社区办撤回")
    if not place.active:
        raise Refused(where, f"迁入的户号“{place.number}”已不在册,不能迁入;案件 {case.number} 请由申请人或社区办撤回")
    before, old, left = standing(site), site.household, site.group_id
    site.household_id, site.group_id = place.id, place.group_id  # of the same village
    act.session.flush()
    if left != place.group_id:
        end_role(act, site.leader, left)
        _give_role(act, site.leader, place.group_id)
    summary = f"客堂间 {site.number} 由户号{old.number}迁至户号{place.number},自{act.day}起(案件 {case.number})"
    keep(act, site.case, [site], actor=by.display, summary=summary, data={"by": case.number})
    put_in_effect(act, case, change, before, on=act.day, actor=by.display)
    duties = ("请负责人在新址张贴内部管理公约、活动规则和安全预案，并将活动地点的变更告知参加活动的村（居）民",)
    also = [to_household(each) for each in (old, place) if each.email]
    tell(act, case, change, duties=duties, event="in-effect", also=also)


def close_site(act: Act, case: Case, *, by: Person) -> None:
    """Strike the site off the register on its own request; a rest that runs ends with it."""
    change = change_of(act.session, case)
    site = lock(act, change)
    before = standing(site)
    for number in _open_rests(act.session, site):
        rest = load_case(act.session, number)
        item = open_item(act.session, rest)
        if item is not None and item.gate is Gate.SUSPENSION:
            told = f"客堂间已注销(案件 {case.number}),不再恢复"
            items.close(act, item, Verdict.ENDED, by=None, door=Door.SYSTEM, reason=told, details={"resumed": False})
    change_status(act, site, SiteStatus.CLOSED, on=act.day, because="申请注销", actor=by.display, by_case=case)
    end_role(act, site.leader, site.group_id)
    left, open_cases = balance(act.session, site), open_business(act.session, site, but=case)
    put_in_effect(
        act, case, change, before, on=act.day, actor=by.display, data={"left_fen": left, "open": list(open_cases)}
    )
    duties = [
        "请村（居）委会协助摘除标牌，收回书架等配发物品，活动记录交社区办归档",
        *left_behind(act.session, site, but=case),
    ]
    also = [*holders_of(act, case, Role.OFFICE_REVIEWER), *holders_of(act, case, Role.OFFICE_HEAD)]
    also += [to_household(site.household)] if site.household.email else []
    tell(act, case, change, duties=tuple(duties), event="in-effect", also=also)


def left_behind(session: Session, site: Site, *, but: Case) -> tuple[str, ...]:
    """Return what is to be done about the money and the open business of a site that has ended, as clauses."""
    duties = []
    if left := balance(session, site):
        duties.append(
            f"补贴结余{in_yuan(left)}（{in_capitals(left)}）属于专款，只能用于规定的用途：已经发生的支出请尽快登记，"
            "其余由村（居）委会按规定退回，社区办负责督促"
        )
    orders = open_orders(session, site)
    if others := tuple(each for each in open_business(session, site, but=but) if each not in orders):
        duties.append(f"尚未办结的{'、'.join(others)}，请经办单位据此办结")
    if orders:
        duties.append(
            f"尚未办结的{'、'.join(orders)}：尚未送达、不再需要的，请社区办审核员写明理由撤回"
            "（“催办、转办、撤回”，或者 ketang case withdraw），系统随即通知服务单位"
        )
    return tuple(duties)


def _open_rests(session: Session, site: Site) -> Sequence[str]:
    return session.scalars(
        select(Case.number)
        .join(SiteChange, SiteChange.case_id == Case.id)
        .where(
            SiteChange.site_id == site.id,
            SiteChange.kind == ChangeKind.SUSPENSION,
            Case.status == CaseStatus.OPEN,
        )
        .order_by(Case.id)
    ).all()


def put_in_effect(
    act: Act,
    case: Case,
    change: SiteChange,
    before: dict[str, str],
    *,
    on: date,
    actor: str,
    data: dict[str, Any] | None = None,
) -> None:
    """Note in the change's own case what it was before, and from when it is in effect."""
    change.before, change.effective_on, change.effective_at = before, on, act.at
    extra = "".join(
        [
            f",补贴结余{in_yuan(data['left_fen'])}须退回" if data and data.get("left_fen") else "",
            f",尚未办结:{'、'.join(data['open'])}" if data and data.get("open") else "",
        ]
    )
    summary = f"“{change.kind.label}”自{on}起生效{extra}"
    keep(act, case, [change], actor=actor, summary=summary, data=data)


def tell(
    act: Act,
    case: Case,
    change: SiteChange,
    *,
    duties: tuple[str, ...],
    event: str,
    also: Sequence[Recipient] = (),
    on: date | None = None,
    changes: tuple[str, ...] = (),
) -> None:
    """Tell leader, applicant and village, and `also`, what is different from which day on."""
    site, since = change.site, on or act.day
    act.session.refresh(site)
    part = CONCERNS[change.kind]
    late = (
        f"本次变更应于{chinese_date(since)}办理，系统于{chinese_date(act.day)}补办，效力自{chinese_date(since)}起算。"
        if since < act.day
        else ""
    )
    letter = SiteChanged(
        **about(case),
        site=called(case, site),
        kind=_happened(change, event),
        effective_on=since,
        changes=changes or (f"{LABELS[part]}：由“{change.before[part]}”改为“{standing(site)[part]}”",),
        duties=duties,
        late_note=late,
    )
    leader = [to_person(site.leader)] if site.leader.active else []
    to = [*applicants(act.session, case), *leader, *village_of(act, case), *also]
    send(act, case, letter, to, event=f"{event}-{since.isoformat()}")


def _happened(change: SiteChange, event: str) -> str:
    if change.kind is ChangeKind.SUSPENSION:
        return "暂停运行" if event == "in-effect" else "恢复运行"
    return change.kind.label


def _leads_another(session: Session, person: Person, group_id: int) -> bool:
    return (
        session.scalars(
            select(Site.id).where(Site.leader_id == person.id, Site.group_id == group_id, Site.status.in_(RUNNING))
        ).first()
        is not None
    )


def end_role(act: Act, person: Person, group_id: int) -> None:
    """Let somebody no longer hold the role of a leader in a group, unless they lead another site there."""
    if _leads_another(act.session, person, group_id):
        return
    mine = (
        RoleHolding.person_id == person.id,
        RoleHolding.role == Role.SITE_LEADER,
        RoleHolding.unit_id == group_id,
    )
    # A role that began today was never held for a day.
    act.session.execute(delete(RoleHolding).where(*mine, RoleHolding.since >= act.day))
    act.session.execute(
        update(RoleHolding)
        .where(*mine, (RoleHolding.until.is_(None)) | (RoleHolding.until > act.day))
        .values(until=act.day)
    )


def _give_role(act: Act, person: Person, group_id: int) -> None:
    """Let somebody hold the role of a leader in a group from today on."""
    known = act.session.scalars(
        select(RoleHolding).where(
            RoleHolding.person_id == person.id,
            RoleHolding.role == Role.SITE_LEADER,
            RoleHolding.unit_id == group_id,
        )
    ).one_or_none()
    if known is None:
        act.session.add(RoleHolding(person_id=person.id, role=Role.SITE_LEADER, unit_id=group_id, since=act.day))
    elif known.since > act.day or (known.until is not None and known.until <= act.day):
        known.since, known.until = act.day, None
    else:
        known.until = None
    act.session.flush()
