"""Which sites a campaign inspects: all, those of villages, a random sample, or those named one by one (D0-R11)."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import Case, Site
from models.inspection import Inspection
from models.registry import Unit, below
from models.site_life import SiteSpell
from policies.errors import Refused
from policies.life_words import CampaignScope
from policies.vocabulary import CaseStatus, SiteStatus, UnitKind
from rules.sampling import draw, share_of, size_of_sample
from tasks.inspection_commands import OpenCampaign
from tasks.living import site_named


@dataclass(frozen=True)
class Selection:
    """The sites of a campaign, and how they came to be chosen."""

    sites: tuple[Site, ...]
    """By number."""
    drawn_from: tuple[Site, ...]
    """By number; of a sample, more than were drawn."""
    left_out: tuple[str, ...]
    """Those that stand in the scope but are not inspected, each with why."""
    villages: tuple[Unit, ...]
    seed: str
    """Of a random sample; empty otherwise."""


def select_sites(session: Session, command: OpenCampaign, town: Unit, *, seed: str) -> Selection:
    """
    Choose the sites; only active ones without an inspection under way are inspected.

    Args:
        town: locked, so that no other campaign takes the same site.
        seed: what a random sample is drawn by.

    Raises:
        Refused: nothing can be inspected, or the scope does not fit what was filled in; names the value.
    """
    _check_filled(command)
    villages = _villages(session, command.villages, town)
    if command.scope is CampaignScope.NAMED:
        named = _named(session, command.sites, town)
        return Selection(sites=named, drawn_from=named, left_out=(), villages=(), seed="")
    query = select(Site).where(Site.status.in_((SiteStatus.ACTIVE, SiteStatus.SUSPENDED))).order_by(Site.number)
    within = [each.id for each in villages] if villages else below(session, town)
    standing = session.scalars(query.where(Site.village_id.in_(within))).all()
    hindered = _hindrances(session, standing)
    able = tuple(site for site in standing if site.id not in hindered)
    left_out = tuple(hindered[site.id] for site in standing if site.id in hindered)
    if not able:
        told = f";{';'.join(left_out)}" if left_out else ""
        raise Refused("default", f"{command.scope.label}范围内没有可以督查的运行中客堂间{told};请改变督查范围")
    if command.scope is not CampaignScope.SAMPLE:
        return Selection(sites=able, drawn_from=able, left_out=left_out, villages=villages, seed="")
    share = share_of(command.share) if command.share else None
    size = size_of_sample(len(able), size=command.size, share=share)
    drawn = set(draw([site.number for site in able], size=size, seed=seed))
    taken = tuple(site for site in able if site.number in drawn)
    return Selection(sites=taken, drawn_from=able, left_out=left_out, villages=villages, seed=seed)


def _check_filled(command: OpenCampaign) -> None:
    """Refuse what was filled in for another scope: it would silently not count."""
    scope = command.scope
    needless = [
        title
        for title, filled, fits in (
            ("村(居)", command.villages, (CampaignScope.VILLAGES, CampaignScope.SAMPLE)),
            ("客堂间", command.sites, (CampaignScope.NAMED,)),
            ("抽查数量", command.size, (CampaignScope.SAMPLE,)),
            ("抽查比例", command.share, (CampaignScope.SAMPLE,)),
            ("抽签号", command.seed, (CampaignScope.SAMPLE,)),
        )
        if filled and scope not in fits
    ]
    if needless:
        raise Refused("default", f"督查范围为“{scope.label}”时不填{'、'.join(needless)};请改正督查范围或清空")
    if scope is CampaignScope.VILLAGES and not command.villages:
        raise Refused("default", f"督查范围为“{scope.label}”时须填写村(居)的编码或名称")
    if scope is CampaignScope.NAMED and not command.sites:
        raise Refused("default", f"督查范围为“{scope.label}”时须填写客堂间的编号")


def _villages(session: Session, names: Sequence[str], town: Unit) -> tuple[Unit, ...]:
    known = session.scalars(
        select(Unit).where(Unit.parent_id == town.id, Unit.kind == UnitKind.VILLAGE).order_by(Unit.code)
    ).all()
    found = {name: [each for each in known if name.strip() in (each.code, each.name)] for name in names}
    if wrong := [name for name, units in found.items() if len(units) != 1]:
        listed = "、".join(f"{each.code}({each.name})" for each in known) or "(无)"
        raise Refused("default", f"{town.name}没有村(居)“{'、'.join(wrong)}”,可填:{listed}")
    wanted = {units[0].id for units in found.values()}
    return tuple(each for each in known if each.id in wanted)


def _named(session: Session, names: Sequence[str], town: Unit) -> tuple[Site, ...]:
    sites = {site.id: site for site in (site_named(session, name) for name in names)}
    chosen = sorted(sites.values(), key=lambda site: site.number)
    faults = list(_hindrances(session, chosen).values())
    faults += [
        f"{site.number} 属于{site.village.above(UnitKind.TOWN).name}"
        for site in chosen
        if site.village.above(UnitKind.TOWN).id != town.id
    ]
    if faults:
        raise Refused("default", f"不能列入{town.name}的督查:{';'.join(faults)};请改正所填的客堂间")
    return tuple(chosen)


def _hindrances(session: Session, sites: Sequence[Site]) -> dict[int, str]:
    """Return by site why it can not be inspected now; those that can are left out."""
    ids = [site.id for site in sites]
    since: dict[int, object] = {}
    under_way: dict[int, str] = {}
    for start in range(0, len(ids), 500):  # a statement takes only so many values
        page = ids[start : start + 500]
        spells = select(SiteSpell.site_id, SiteSpell.since).where(
            SiteSpell.site_id.in_(page), SiteSpell.until.is_(None)
        )
        since |= dict(session.execute(spells).tuples().all())
        running = (
            select(Inspection.site_id, Case.number)
            .join(Case, Case.id == Inspection.case_id)
            .where(Inspection.site_id.in_(page), Case.status == CaseStatus.OPEN)
        )
        under_way |= dict(session.execute(running).tuples().all())
    told: dict[int, str] = {}
    for site in sites:
        if site.status is not SiteStatus.ACTIVE:
            told[site.id] = f"{site.number} 自{since.get(site.id, '')}起{site.status.label}"
        elif site.id in under_way:
            told[site.id] = f"{site.number} 另有在办督查 {under_way[site.id]}"
    return told
