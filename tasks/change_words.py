"""What a change of a listed site comes to in words: for letters, pages and records."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import Case, Site
from models.inspection import Inspection
from models.ledger import LedgerAccount
from models.registry import Household
from models.service import ServiceOrder
from models.site_change import SiteChange
from models.work_item import Decision, WorkItem
from policies.life_words import ChangeKind
from policies.vocabulary import CaseStatus, Facility, Gate, LedgerLevel, UnitKind
from rules.money import in_capitals, in_yuan
from runtime.resources import edition_of
from tasks.mail import chinese_date, names_of


def called(case: Case, site: Site) -> str:
    """Return a site as letters name it: place, household, what its plaque says, number."""
    plaque = edition_of(case).for_sites.plaque_text
    return f"{placed(site.household)}的“{plaque}”（编号{site.number}）"


def placed(household: Household) -> str:
    """Return where a household is: village, group, head."""
    village = household.group.above(UnitKind.VILLAGE)
    group = household.group.name.removeprefix(village.name) or household.group.name
    return f"{village.name}{group}{household.head_name}户"


def asked(session: Session, case: Case, change: SiteChange) -> tuple[str, ...]:
    """Return what is asked for, line by line."""
    match change.kind:
        case ChangeKind.LEADER:
            return (_leader(change),)
        case ChangeKind.MOVE:
            return _move(case, change)
        case ChangeKind.SUSPENSION:
            return (_rest(change),)
        case ChangeKind.CLOSURE:
            left = balance(session, change.site)
            return (
                "注销客堂间，摘除标牌，不再开展活动",
                *((f"补贴结余{in_yuan(left)}（{in_capitals(left)}），注销后须退回",) if left else ()),
            )


def _leader(change: SiteChange) -> str:
    name = change.leader.display if change.leader else ""
    source = change.leader_source.label if change.leader_source else ""
    recommended = f"，由{change.recommended_by}推荐" if change.recommended_by else ""
    return f"新负责人为{name}（{source}）{recommended}" + ("，本人同意" if change.leader_agrees else "")


def _move(case: Case, change: SiteChange) -> tuple[str, ...]:
    place, details = change.household, change.details
    if place is None:
        return ()
    area = Decimal(details["area_square_metres"]).normalize()
    facilities = "、".join(Facility(code).label for code in details["facilities"]) or "无"
    lacking = names_of(details["deficiencies"], case)
    return (
        f"迁入{placed(place)}（户号{place.number}），户主自愿提供住宅",
        f"新址活动空间{area:f}平方米，志愿者{details['volunteers']}人，现有设施：{facilities}",
        *(f"提示：{message}" for message in details["warnings"].values()),
        *((f"布置时须补齐：{'、'.join(lacking)}",) if lacking else ()),
    )


def _rest(change: SiteChange) -> str:
    if change.rests_from is None or change.rests_until is None:
        return ""
    days = (change.rests_until - change.rests_from).days + 1
    return (
        f"自{chinese_date(change.rests_from)}至{chinese_date(change.rests_until)}暂停运行，共{days}日，"
        f"{chinese_date(change.rests_until + timedelta(days=1))}起恢复"
    )


def standing(site: Site) -> dict[str, str]:
    """Return what a change may change, as it stands: kept as ``before``."""
    return {
        "leader": site.leader.display,
        "household": f"{site.household.number} {placed(site.household)}",
        "status": site.status.label,
    }


LABELS = {"leader": "负责人", "household": "所在户", "status": "状态"}
CONCERNS = {
    ChangeKind.LEADER: "leader",
    ChangeKind.MOVE: "household",
    ChangeKind.SUSPENSION: "status",
    ChangeKind.CLOSURE: "status",
}
"""Which part of what stands a kind of change is about."""


def opinion(session: Session, case: Case) -> str:
    """Return what the village said, as a clause; that it has not spoken yet."""
    decision = session.scalars(
        select(Decision)
        .join(WorkItem, WorkItem.id == Decision.work_item_id)
        .where(WorkItem.case_id == case.id, WorkItem.gate == Gate.CHANGE_OPINION)
    ).one_or_none()
    if decision is None:
        return "村（居）委会尚未提出意见"
    who = f"（{decision.decided_by.display}）" if decision.decided_by else ""
    return f"村（居）委会{decision.verdict.label}{who}" + (f"，理由为“{decision.reason}”" if decision.reason else "")


def balance(session: Session, site: Site) -> int:
    """Return what the village's account holds of a site's subsidy, in fen; 0 when it never got one."""
    return (
        session.scalar(
            select(LedgerAccount.balance_fen).where(
                LedgerAccount.case_id == site.case_id, LedgerAccount.level == LedgerLevel.VILLAGE
            )
        )
        or 0
    )


def open_business(session: Session, site: Site, *, but: Case) -> tuple[str, ...]:
    """Return the open inspections, orders and other changes of a site, by number."""
    return tuple(
        f"{each.kind.label}{each.number}"
        for table in (Inspection, ServiceOrder, SiteChange)
        for each in _open_of(session, site, table)
        if each.id != but.id
    )


def open_orders(session: Session, site: Site) -> tuple[str, ...]:
    """Return the open orders of a site, as `open_business` names them."""
    return tuple(f"{each.kind.label}{each.number}" for each in _open_of(session, site, ServiceOrder))


def _open_of(
    session: Session, site: Site, table: type[Inspection] | type[ServiceOrder] | type[SiteChange]
) -> Sequence[Case]:
    return session.scalars(
        select(Case)
        .join(table, table.case_id == Case.id)
        .where(table.site_id == site.id, Case.status == CaseStatus.OPEN)
        .order_by(Case.id)
    ).all()
