"""
A listed site's rest (暂停运行): it begins on its day, and ends by time, early, or not at all.

Called by the decision's transaction, by time, and by each sweep; what every change shares is in `tasks.change_effects`.
"""

import logging
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from models.case import Case, Site
from models.registry import Person
from models.site_change import SiteChange
from models.site_life import SiteSpell
from models.work_item import Decision, WorkItem
from policies.life_words import ChangeKind
from policies.vocabulary import CaseStatus, Gate, SiteStatus, WorkItemStatus
from runtime.resources import Resources
from tasks.act import Act, acting
from tasks.cases import change_of, load_case, local_day, open_item
from tasks.change_effects import lock, put_in_effect, tell
from tasks.change_words import standing
from tasks.history import SYSTEM
from tasks.in_brief import in_brief
from tasks.listing import numbers_by
from tasks.living import change_status
from tasks.mail import chinese_date

log = logging.getLogger(__name__)


def begins_on(session: Session, change: SiteChange) -> date:
    """Return the first day of an approved rest: the one applied for, or that of an approval which came later."""
    approved = session.scalars(
        select(Decision.decided_at)
        .join(WorkItem, WorkItem.id == Decision.work_item_id)
        .where(WorkItem.case_id == change.case_id, WorkItem.gate == Gate.CHANGE_REVIEW)
    ).one()
    return max(change.rests_from or date.min, local_day(approved))


def begin_rest(act: Act, case: Case) -> bool:
    """
    Let a site rest from its day on, however late it is written.

    Returns:
        Whether it rests: not, when it was closed or revoked meanwhile.
    """
    change = change_of(act.session, case)
    site = lock(act, change)
    if site.status is not SiteStatus.ACTIVE or change.effective_on is not None:
        return change.effective_on is not None
    before, on = standing(site), begins_on(act.session, change)
    change_status(act, site, SiteStatus.SUSPENDED, on=on, because=change.reason, actor=SYSTEM, by_case=case)
    put_in_effect(act, case, change, before, on=on, actor=SYSTEM)
    until = chinese_date(change.rests_until) if change.rests_until else ""
    duties = (
        f"暂停至{until}，期间不报送月度主题，也不登记每周活动；未使用的补贴不得挪作他用",
        "需要提前恢复的，请负责人告知社区办",
    )
    tell(act, case, change, duties=duties, event="in-effect", on=on)
    return True


def end_rest_by_time(act: Act, item: WorkItem) -> tuple[str, dict[str, Any]]:
    """
    Let a site work again on the day after its rest; a rest that nobody saw begin is written whole.

    Returns:
        Why it ended, in Chinese, and what else the decision keeps.
    """
    case = item.case
    change = change_of(act.session, case)
    resumes_on = item.due_on + timedelta(days=1)
    if change.effective_on is None:
        begin_rest(act, case)
    resumed = _resume(act, case, change, on=resumes_on, actor=SYSTEM)
    if not resumed:
        return _not_resumed(change), {"resumed": False}
    return f"暂停至{chinese_date(item.due_on)}期满,自{chinese_date(resumes_on)}起恢复运行", {"resumed": True}


def resume_early(act: Act, case: Case, *, by: Person) -> dict[str, Any]:
    """
    Let a site work again before its rest is over; one that has not begun is called off.

    Returns:
        What the decision keeps: whether the site was at rest, and else why nothing had to be done.
    """
    change = change_of(act.session, case)
    if _resume(act, case, change, on=act.day, actor=by.display):
        return {"resumed": True}
    return {"resumed": False, "because": _not_resumed(change)}


def _not_resumed(change: SiteChange) -> str:
    site = change.site
    if site.status is SiteStatus.ACTIVE:
        return f"暂停尚未开始即取消,客堂间 {site.number} 照常运行"
    return f"客堂间 {site.number} {site.status.label},不再恢复"


def _resume(act: Act, case: Case, change: SiteChange, *, on: date, actor: str) -> bool:
    site = lock(act, change)
    last = act.session.scalars(select(SiteSpell).where(SiteSpell.site_id == site.id, SiteSpell.until.is_(None))).one()
    if site.status is not SiteStatus.SUSPENDED or last.case_id != case.id:
        return False
    because = "暂停期满" if on > (change.rests_until or on) else "提前恢复"
    before = standing(site)["status"]
    change_status(act, site, SiteStatus.ACTIVE, on=on, because=because, actor=actor, by_case=case)
    duties = ("请负责人自恢复之日起按规定报送月度主题、组织并登记每周活动",)
    told = (f"状态：由“{before}”恢复为“{site.status.label}”（{because}）",)
    tell(act, case, change, duties=duties, event="resumed", on=on, changes=told)
    return True


def begin_due_rests(resources: Resources, at: datetime) -> str:
    """
    Begin every approved rest whose first day has come: called by each sweep.

    Nothing is written ahead of its day, so that a site's last spell is always what it is now: whoever closes or revokes
    it before that day has nothing to undo. A beginning written late counts from its day.

    Safe to repeat because a rest begins once. Costs one query when there is none.

    Returns:
        What was begun, and what could not be: the next sweep tries again; "" when nothing was due.
    """
    today = local_day(at)
    begin = (
        SiteChange.kind == ChangeKind.SUSPENSION,
        SiteChange.effective_on.is_(None),
        SiteChange.rests_from <= today,
    )
    query = (
        select(Case.number)
        .join(SiteChange, SiteChange.case_id == Case.id)
        .join(Site, Site.id == SiteChange.site_id)
        .where(
            # These first: joined only, SQLite would rather begin with all the cases that are open.
            Case.id.in_(select(SiteChange.case_id).where(*begin)),
            Site.status == SiteStatus.ACTIVE,
            Case.status == CaseStatus.OPEN,
            exists().where(
                WorkItem.case_id == Case.id,
                WorkItem.gate == Gate.SUSPENSION,
                WorkItem.status == WorkItemStatus.OPEN,
            ),
        )
        .order_by(SiteChange.rests_from, Case.id)
    )
    with resources.database.read() as session:
        due = numbers_by(session, query)
    begun, failures = [], []
    for number in due:
        try:
            with acting(resources, at=at) as act:
                case = load_case(act.session, number)
                item = open_item(act.session, case)
                # The end of the rest, when it is over too, writes it whole.
                if item is None or at >= item.due_at:
                    continue
                if begin_rest(act, case):
                    begun.append(number)
        except Exception as error:  # one broken case must not keep the others from resting; the sweep tells it
            log.exception("the rest of case %s can not begin", number)
            failures.append(f"{number}({in_brief(error)})")
    told = [f"客堂间暂停{len(begun)}处:{'、'.join(begun)}"] if begun else []
    if failures:
        told.append(f"客堂间到日未能暂停,下次巡检再办:{'、'.join(failures)}")
    return ";".join(told)
