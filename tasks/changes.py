"""A change of a listed site is asked for: by its leader, or by the village or the office in the leader's stead."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import Case, Site
from models.registry import Household, Person, Unit
from models.site_change import SiteChange
from notifications.change_letters import ChangeReceived
from policies.errors import Refused
from policies.life_scheme import SiteChanges
from policies.life_words import ChangeKind
from policies.site_scheme import SiteScheme
from policies.vocabulary import CaseKind, CaseStatus, Door, Firmness, Gate, Role, SiteStatus, UnitKind
from rules.eligibility import PlaceFacts, examine_leader, examine_place, refuse_if_any
from runtime.resources import Resources
from tasks.act import Act, acting
from tasks.applications import confirmed, household_named, refuse_second
from tasks.cases import person_of
from tasks.change_commands import OF_KIND, ApplyForChange
from tasks.change_effects import check_running
from tasks.change_words import asked, called
from tasks.living import check_may_record, keep, lock_site, open_case, scheme_for, site_named
from tasks.mail import about, applicants, due_of, send, village_of
from tasks.openings import opened_by

ABLE = (Role.VILLAGE_RESPONSIBLE, Role.LIAISON, Role.OFFICE_REVIEWER, Role.OFFICE_HEAD)
"""Who may apply beside the leader, who may have died or be away."""


def apply_for_change(resources: Resources, command: ApplyForChange, *, door: Door, key: str, at: datetime) -> str:
    """
    Open the case of a site's change (D0-R1, D0-R3, D0-R8).

    Args:
        door: by which door it came.
        key: what opened it; the same key opens one case, however often it is tried.

    Returns:
        The case's number.

    Raises:
        Refused: no such site, it is closed or revoked, such a change is open already, not somebody who may apply, or
            what is asked for is against a rule; names clause and value.
    """
    with acting(resources, at=at) as act:
        session = act.session
        if (known := opened_by(session, key)) is not None:
            return known.number
        site = site_named(session, command.site)
        if command.kind is ChangeKind.MOVE:
            # As applications do, so that no two come to the same household; the site is locked last.
            session.get(Unit, site.village_id, with_for_update={"of": Unit}, populate_existing=True)
        lock_site(session, site)
        # Asked again under the lock: the same key may have come in twice at once.
        if (known := opened_by(session, key)) is not None:
            return known.number
        loaded = scheme_for(resources, site, act)
        scheme, policy = loaded.edition.for_sites, loaded.edition.for_sites.changes
        if policy is None:
            raise Refused("default", f"《{loaded.edition.title}》没有规定客堂间的变更,不能受理;请向社区办了解办法")
        by = person_of(session, command.by)
        check_may_record(session, site, by, roles=ABLE, deed="申请变更", on=act.day)
        check_running(site, where=policy.where, then="如需恢复,请重新申请创建")
        _check_alone(session, site, command.kind, policy)
        _check_fields(command, policy)
        fields = _fields(act, command, site, scheme, policy)
        place: Household | None = fields.pop("household", None)
        leader: Person | None = fields.pop("leader", None)
        case = open_case(
            act,
            kind=CaseKind.SITE_CHANGE,
            loaded=loaded,
            prefix=policy.case_prefix,
            key=key,
            title=f"{site.case.title} {command.kind.label}",
            # Of a move the new group: its head registers the answers of its households.
            unit=place.group if place is not None else site.group,
            actor=by.display,
            door=door,
            summary=f"{by.display}申请客堂间 {site.number}{command.kind.label}:{command.reason}",
            place=place,
            data={"site": site.number, "kind": command.kind.value},
        )
        change = SiteChange(
            case_id=case.id,
            site_id=site.id,
            kind=command.kind,
            reason=command.reason,
            applied_by_id=by.id,
            leader_id=leader.id if leader is not None else None,
            household_id=place.id if place is not None else None,
            before={},
            **({"details": {}} | fields),
        )
        session.add(change)
        session.flush()
        told = ";".join(asked(session, case, change))
        keep(act, case, [change], actor=by.display, summary=f"申请内容:{told}")
        _tell_received(act, case, change)
        return case.number


def _check_alone(session: Session, site: Site, kind: ChangeKind, policy: SiteChanges) -> None:
    running = session.scalars(
        select(Case.number)
        .join(SiteChange, SiteChange.case_id == Case.id)
        .where(SiteChange.site_id == site.id, SiteChange.kind == kind, Case.status == CaseStatus.OPEN)
    ).first()
    if running is not None:
        raise Refused(
            policy.where,
            f"客堂间 {site.number} 已有在办的“{kind.label}”(案件 {running}),不能重复申请;"
            "请在该案件中办理,或撤回后再申请",
        )
    if kind is ChangeKind.SUSPENSION and site.status is SiteStatus.SUSPENDED:
        raise Refused(policy.where, f"客堂间 {site.number} 已暂停运行,不能再申请暂停;请待恢复后再申请")


def _check_fields(command: ApplyForChange, policy: SiteChanges) -> None:
    """Refuse what was filled in for another kind of change: it would be lost in silence."""
    fields = type(command).model_fields
    for kind, names in OF_KIND.items():
        strange = [name for name in names if kind is not command.kind and getattr(command, name)]
        if strange:
            titles = "、".join(fields[name].title or name for name in strange)
            raise Refused(
                policy.where,
                f"申请的是“{command.kind.label}”,却填写了“{kind.label}”的内容:{titles};请清空,或另行申请“{kind.label}”",
            )


def _fields(act: Act, command: ApplyForChange, site: Site, scheme: SiteScheme, policy: SiteChanges) -> dict[str, Any]:
    match command.kind:
        case ChangeKind.LEADER:
            return _leader(act.session, command, site, scheme)
        case ChangeKind.MOVE:
            return _place(act.session, command, site, scheme)
        case ChangeKind.SUSPENSION:
            return _rest(act, command, policy)
        case ChangeKind.CLOSURE:
            return {}


def _leader(session: Session, command: ApplyForChange, site: Site, scheme: SiteScheme) -> dict[str, Any]:
    """Hold the new leader against the leader's rule (D0-R1)."""
    rule = scheme.leader
    if not command.leader or command.leader_source is None:
        lacking = "新负责人" if not command.leader else "新负责人来源"
        raise Refused(rule.where, f"更换负责人须填写新负责人及其来源,“{lacking}”为空;请填写后再申请")
    new = person_of(session, command.leader)
    check_other_leader(site, new, where=rule.where)
    refuse_if_any(
        examine_leader(
            rule, source=command.leader_source, recommended_by=command.recommended_by, agrees=command.leader_agrees
        )
    )
    return {
        "leader": new,
        "leader_source": command.leader_source,
        "recommended_by": command.recommended_by,
        "leader_agrees": command.leader_agrees,
    }


def check_other_leader(site: Site, new: Person, *, where: str) -> None:
    """Refuse a new leader who leads the site already."""
    if new.id == site.leader_id:
        raise Refused(where, f"{new.display}现在就是客堂间 {site.number} 的负责人,无须更换;请核对人员编号")


def _place(session: Session, command: ApplyForChange, site: Site, scheme: SiteScheme) -> dict[str, Any]:
    """Hold the new place against the standards of an application (D0-R2, D0-R3), the household against the register."""
    consent = scheme.gates.household_consent.rule.where
    if not command.household:
        raise Refused(consent, "迁址须填写迁入户号,现为空;请填写登记簿中的户号")
    place = household_named(session, command.household)
    check_place(site, place, where=consent)
    refuse_second(session, place)
    if not command.household_agrees:
        raise Refused(consent, "未勾选“迁入户户主自愿”:须户主自愿提供住宅方可迁入")
    if not command.area_square_metres:
        raise Refused(consent, "迁址须填写新址的活动空间面积,现为0平方米;请以平方米为单位填写")
    facts = PlaceFacts(
        volunteers=command.volunteers,
        area_square_metres=command.area_square_metres,
        facilities=frozenset(command.facilities),
        confirmations=confirmed(command.confirmations, scheme),
    )
    findings = examine_place(facts, scheme)
    refuse_if_any(findings)
    details = {
        "volunteers": command.volunteers,
        "area_square_metres": str(command.area_square_metres),
        "facilities": [each.value for each in command.facilities],
        "confirmations": sorted(facts.confirmations),
        "warnings": {each.code: each.message.partition(";")[0] for each in findings if each.firmness is Firmness.WARN},
        "deficiencies": [each.code for each in findings if each.firmness is Firmness.CURE],
    }
    return {"household": place, "details": details}


def check_place(site: Site, place: Household, *, where: str) -> None:
    """Refuse a household that a site can not move into: its own, another village's, or struck off."""
    if place.id == site.household_id:
        raise Refused(where, f"客堂间 {site.number} 现在就在户号“{place.number}”,无须迁址;请核对迁入户号")
    if not place.active:
        raise Refused(where, f"户号“{place.number}”已不在册,不能迁入;请核对户号")
    village = place.group.above(UnitKind.VILLAGE)
    if village.id != site.village_id:
        raise Refused(
            where,
            f"户号“{place.number}”属于{village.name},客堂间 {site.number} 属于{site.village.name},"
            "只能在本村(居)内迁址;迁往外村(居)的,请注销后由该户重新申请",
        )


def _rest(act: Act, command: ApplyForChange, policy: SiteChanges) -> dict[str, Any]:
    first, last = command.rests_from, command.rests_until
    if first is None or last is None:
        raise Refused(policy.where, "申请暂停运行须填写暂停首日和暂停末日;请填写后再申请")
    if first < act.day:
        raise Refused(policy.where, f"暂停首日{first}早于今天({act.day});请填写今天或以后的日期")
    if last < first:
        raise Refused(policy.where, f"暂停末日{last}早于暂停首日{first};请核对日期")
    days = (last - first).days + 1
    if days > policy.suspended_days_at_most:
        raise Refused(
            policy.where,
            f"申请暂停{days}日({first}至{last}),最长{policy.suspended_days_at_most}日;请缩短暂停期,或申请注销",
        )
    return {"rests_from": first, "rests_until": last}


def _tell_received(act: Act, case: Case, change: SiteChange) -> None:
    letter = ChangeReceived(
        **about(case),
        site=called(case, change.site),
        kind=change.kind.label,
        applied_by=change.applied_by.display,
        submitted_on=act.day,
        reason=change.reason,
        asked=asked(act.session, case, change),
        next_step="由村（居）委会提出意见，再由社区办审核",
        due_on=due_of(case, Gate.CHANGE_OPINION, act),
    )
    send(act, case, letter, applicants(act.session, case) + village_of(act, case), event="received")
