"""
The office opens a campaign of inspections and sums it up (D0-R11).

A campaign is a town's case; the inspection of each site is a case whose parent it is. All of them are opened in one
transaction, with the gates that wait, so that their days are sure from the first moment, whatever carries them.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import Case, Site
from models.inspection import Campaign, Inspection
from models.registry import Person, Unit, holders
from models.work_item import Decision
from notifications.inspection_letters import InspectionAnnounced
from policies import life_scheme
from policies.errors import Refused
from policies.life_words import CampaignScope
from policies.load import LoadedEdition
from policies.vocabulary import CaseKind, Door, Gate, Role, UnitKind, Verdict
from rules.window import spoken_day
from runtime.resources import Resources
from tasks import items
from tasks.act import Act, acting
from tasks.campaign_figures import figures, tell_results
from tasks.cases import Asked, check_authority, holds_any, person_of
from tasks.deciding import deciding, item_to_decide
from tasks.inspection_commands import ConcludeCampaign, OpenCampaign
from tasks.inspection_points import inspections_in, load_of, rule_of, site_named_in_full
from tasks.inspection_selection import Selection, select_sites
from tasks.living import keep, open_case
from tasks.mail import about, holders_of, send, to_person
from tasks.openings import edition_in_use, opened_by

OFFICE = {Role.OFFICE_REVIEWER, Role.OFFICE_HEAD}


def open_campaign(resources: Resources, command: OpenCampaign, *, door: Door, key: str, at: datetime) -> str:
    """
    Open a campaign and the inspection of each of its sites, and announce it (D0-R11).

    Suspended sites and those with an inspection under way are left out and named in the record; where the sites are
    named one by one, they are refused.

    Args:
        door: by which door it came.
        key: what opened it; the same key opens one campaign, however often it is tried.

    Returns:
        The campaign's number.

    Raises:
        Refused: the town's edition knows no inspections, the person is not the office's, or the days, the scope, the
            sample or a site do not fit; names the value.
    """
    with acting(resources, at=at) as act:
        if (known := opened_by(act.session, key)) is not None:
            return known.number
        town = _town(act.session, command.unit)
        # Two campaigns at once must not take the same site, and the same key may have come in twice.
        act.session.get_one(Unit, town.id, with_for_update={"of": Unit}, populate_existing=True)
        if (known := opened_by(act.session, key)) is not None:
            return known.number
        loaded = edition_in_use(resources, town, at)
        rule = _rule(loaded, town)
        by = person_of(act.session, command.by)
        if not holds_any(act.session, by, OFFICE, town.lineage(), on=act.day):
            able = "、".join(role.label for role in Role if role in OFFICE)
            raise Refused(rule.where, f"{by.display}不能为{town.name}开展督查:须由其{able}办理;请改由他们办理")
        _check_days(command, rule, act)
        seed = command.seed or hashlib.sha256(key.encode()).hexdigest()[:16]
        chosen = select_sites(act.session, command, town, seed=seed)
        case = _open(act, command, loaded, town, chosen, door=door, key=key, by=by)
        items.create(act, case, Gate.INSPECTIONS, 1)
        for site in chosen.sites:
            _open_inspection(act, case, command, loaded, site, door=door, by=by)
        _announce(act, case, command)
        return case.number


def _town(session: Session, text: str) -> Unit:
    towns = session.scalars(select(Unit).where(Unit.kind == UnitKind.TOWN).order_by(Unit.code)).all()
    wanted = text.strip()
    found = [each for each in towns if wanted in ("", each.code, each.name)]
    if len(found) == 1:
        return found[0]
    listed = "、".join(f"{each.code}({each.name})" for each in towns) or "(无)"
    if not wanted:
        raise Refused("default", f"登记簿中有{len(towns)}个镇(街道),请填写开展督查的镇(街道):{listed}")
    raise Refused("default", f"登记簿中没有镇(街道)“{text}”,可填:{listed}")


def _rule(loaded: LoadedEdition, town: Unit) -> life_scheme.Inspection:
    rule = loaded.edition.for_sites.inspection
    if rule is None:
        raise Refused(
            "default", f"{town.name}适用的《{loaded.edition.title}》没有规定督查,不能开展督查;请核对登记簿中的适用政策"
        )
    return rule


def _check_days(command: OpenCampaign, rule: life_scheme.Inspection, act: Act) -> None:
    if command.since < act.day:
        raise Refused(rule.where, f"开始日期{spoken_day(command.since)}已经过去,须为{spoken_day(act.day)}或以后;请改正")
    if command.until < command.since:
        raise Refused(rule.where, f"截止日期{spoken_day(command.until)}早于开始日期{spoken_day(command.since)};请改正")


def _open(
    act: Act,
    command: OpenCampaign,
    loaded: LoadedEdition,
    town: Unit,
    chosen: Selection,
    *,
    door: Door,
    key: str,
    by: Person,
) -> Case:
    days = f"{spoken_day(command.since)}至{spoken_day(command.until)}"
    case = open_case(
        act,
        kind=CaseKind.CAMPAIGN,
        loaded=loaded,
        prefix=_rule(loaded, town).campaign_prefix,
        key=key,
        title=command.title,
        unit=town,
        actor=by.display,
        door=door,
        summary=f"{town.name}开展督查“{command.title}”,{days},{command.scope.label},共{len(chosen.sites)}处",
    )
    row = Campaign(
        case_id=case.id,
        scope=command.scope,
        villages=[each.code for each in chosen.villages],
        seed=chosen.seed,
        drawn_from=[site.number for site in chosen.drawn_from],
        since=command.since,
        until=command.until,
    )
    act.session.add(row)
    keep(
        act,
        case,
        [row],
        actor=by.display,
        summary=_told(chosen, command.scope),
        data={
            "sites": [site.number for site in chosen.sites],
            "left_out": list(chosen.left_out),
            "size": command.size,
            "share": command.share,
        },
    )
    return case


def _told(chosen: Selection, scope: CampaignScope) -> str:
    told = f"受督查的客堂间{len(chosen.sites)}处:{_numbers(chosen.sites)}"
    if scope is CampaignScope.SAMPLE:
        told += f";从{len(chosen.drawn_from)}处中以抽签号“{chosen.seed}”抽取"
    if chosen.left_out:
        told += f";未列入{len(chosen.left_out)}处:{';'.join(chosen.left_out)}"
    return told


def _numbers(sites: Sequence[Site]) -> str:
    return "、".join(site.number for site in sites)


def _open_inspection(
    act: Act, campaign_case: Case, command: OpenCampaign, loaded: LoadedEdition, site: Site, *, door: Door, by: Person
) -> None:
    case = open_case(
        act,
        kind=CaseKind.INSPECTION,
        loaded=loaded,
        prefix=rule_of(campaign_case).case_prefix,
        key=f"{campaign_case.number}:{site.number}",
        title=f"{site.case.title}({site.number})",
        unit=site.group,
        actor=by.display,
        door=door,
        summary=f"客堂间 {site.number} 列入督查“{command.title}”,负责人{site.leader.display}",
        parent=campaign_case,
    )
    row = Inspection(case_id=case.id, campaign_case_id=campaign_case.id, site_id=site.id)
    act.session.add(row)
    keep(act, case, [row], actor=by.display, summary=f"检查点{len(rule_of(case).checklist)}项,依据督查所适用的政策")
    items.create(act, case, Gate.INSPECTION_VISIT, 1, last=command.until)


def _announce(act: Act, case: Case, command: OpenCampaign) -> None:
    """Write to each leader and each village's responsible members, one letter each; and ask the office to visit."""
    concerned: dict[int, tuple[Person, list[str]]] = {}
    responsible: dict[int, list[Person]] = {}
    lines = list[str]()
    for inspection in inspections_in(act.session, case):
        site = inspection.site
        if site.village_id not in responsible:
            responsible[site.village_id] = holders(
                act.session, role=Role.VILLAGE_RESPONSIBLE, unit_id=site.village_id, on=act.day
            )
        line = f"{inspection.case.number} {site_named_in_full(site)}"
        lines.append(line)
        people = {each.id: each for each in (site.leader, *responsible[site.village_id])}
        for person in people.values():
            concerned.setdefault(person.id, (person, []))[1].append(line)
    letter = InspectionAnnounced(
        **about(case),
        since=command.since,
        until=command.until,
        sites=tuple(lines),
        checklist=tuple(point.name for point in rule_of(case).checklist),
        for_office=True,
    )
    for person, theirs in concerned.values():
        told = letter.model_copy(update={"sites": tuple(theirs), "for_office": False})
        send(act, case, told, [to_person(person)], event="announced")
    send(act, case, letter, holders_of(act, case, Role.OFFICE_REVIEWER), event="visits")


def conclude(
    resources: Resources, command: ConcludeCampaign, *, door: Door, at: datetime, asked: Asked | None = None
) -> Decision:
    """
    Take the office's summary of a campaign with the figures of this moment, and tell the villages; it ends with it.

    Args:
        asked: the form it came in on; None: by another door.

    Raises:
        Refused: the campaign does not wait for it, or the person may not.
    """
    with deciding(resources, at=at) as act:
        case = load_of(act.session, command.case, CaseKind.CAMPAIGN)
        item = item_to_decide(act, case, asked, Gate.CAMPAIGN_REPORT)
        by = person_of(act.session, command.by)
        check_authority(act.session, item, by, on=act.day)
        decision = items.close(
            act,
            item,
            Verdict.COMPLETED,
            by=by,
            door=door,
            reason=command.summary,
            details={"figures": figures(act.session, case).as_data()},
        )
        tell_results(act, case)
        return decision
