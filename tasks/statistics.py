"""
What the parlours of a town did in a period: sessions and attendance, themes, publicity, and what stands (D1-R7).

Called by `tasks.statistics_report`, the command line and the flow; read only. A fixed number of queries however many
parlours there are: the database sums, and what comes back is one line per day, village, category and parlour.

What counts: activities by the day on which they were held, whatever day they were recorded on, unless voided.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, aliased

from models.case import Site
from models.registry import Unit
from policies.edition import Edition
from policies.errors import Refused
from policies.vocabulary import BeautifulVillage, UnitKind
from rules.periods import shanghai_day
from rules.quota import shortfall, targets
from rules.statistics import NOTHING, Sum, usual_span
from runtime.resources import Resources
from tasks.statistics_figures import (
    NO_SUMS,
    CategoryLine,
    QuotaLine,
    SiteLine,
    Statistics,
    TargetLine,
    Three,
    VillageLine,
    Wanted,
)
from tasks.statistics_queries import View


def towns_with_sites(resources: Resources) -> list[str]:
    """Return the codes of the towns that have or had parlours."""
    village, town = aliased(Unit), aliased(Unit)
    query = (
        select(town.code)
        .join(village, village.parent_id == town.id)
        .join(Site, Site.village_id == village.id)
        .distinct()
        .order_by(town.code)
    )
    with resources.database.read() as session:
        return list(session.scalars(query))


def statistics(resources: Resources, wanted: Wanted, *, at: datetime) -> Statistics:
    """
    Return the figures of a town for a period.

    Source: D1-R7 (sessions and attendance), D0-R5 (targets), D1-R2 (quota), D0-R12 (themes), D0-R16 (publicity).

    Args:
        wanted: which period, town, village, category.
        at: the moment; its day stands on the report.

    Raises:
        Refused: no such town, village or category, or the town is not named and there are several.
    """
    with resources.database.read() as session:
        village = _village(session, wanted.village) if wanted.village else None
        town = _town(session, wanted.town, village)
        loaded = resources.editions.get(town.edition_id or "")
        edition = loaded.edition if loaded is not None and loaded.edition.site is not None else None
        names = _Names(resources, edition)
        category = names.category(wanted.category) if wanted.category else ""
        view = View(
            session,
            wanted.period,
            town_id=town.id,
            village_id=village.id if village else None,
            category=category,
        )
        sites = view.sites()
        sums = view.by_category()
        everywhere = view.towns_villages()
        return Statistics(
            town=town.name,
            town_code=town.code,
            scheme=edition.title if edition else "",
            plaque=edition.for_sites.plaque_text if edition else "客堂间",
            village=village.name if village else "",
            category=names.categories.get(category, category),
            period=wanted.period,
            by=wanted.by or usual_span(wanted.period.now),
            made_on=shanghai_day(at),
            by_day=view.by_day(),
            categories=_categories(sums, names, category),
            villages=_villages(view, sums, sites, names),
            sites=tuple(line for _, line in sites),
            targets=_targets(view, edition, everywhere),
            quota=edition.for_sites.quota if edition else None,
            quota_year=wanted.period.now.last.year,
            quotas=_quotas(view, edition, everywhere),
            themes=tuple(view.themes()),
            publicity=_publicity(view, names),
        )


class _Names:
    """Names of categories and channels: the town's edition's, and those of editions it used before."""

    def __init__(self, resources: Resources, edition: Edition | None) -> None:
        self.categories: dict[str, str] = {}
        self.channels: dict[str, str] = {}
        others = [loaded.edition for loaded in resources.editions.values() if loaded.edition.site is not None]
        for each in ([edition] if edition else []) + others:
            for known in each.for_sites.activity_categories:
                self.categories.setdefault(known.code, known.name)
            for known in each.for_sites.publicity_channels:
                self.channels.setdefault(known.code, known.name)
        scheme = edition.for_sites if edition else None
        self.own = {known.code: known.name for known in scheme.activity_categories} if scheme else {}
        self.own_channels = {known.code: known.name for known in scheme.publicity_channels} if scheme else {}

    def category(self, text: str) -> str:
        """Return the code of a category by its code or name, the town's own first."""
        wanted = text.strip()
        for code, name in (self.own | self.categories).items():
            if wanted in (code, name):
                return code
        known = "、".join((self.own or self.categories).values())
        raise Refused("default", f"没有活动类别“{text}”;可以统计:{known}")


def _categories(sums: Mapping[tuple[int, str], Three], names: _Names, only: str) -> tuple[CategoryLine, ...]:
    """Return the town's own categories in their order, also without activities, then others that occur."""
    own = [code for code in names.own if only in ("", code)]
    # By name, because two editions may call theirs the same.
    found = {names.categories.get(code, code): NO_SUMS for code in [*own, *sorted({code for _, code in sums})]}
    for (_, code), each in sums.items():
        found[names.categories.get(code, code)] += each
    return tuple(CategoryLine(name, each) for name, each in found.items())


def _villages(
    view: View,
    sums: Mapping[tuple[int, str], Three],
    sites: Sequence[tuple[int, SiteLine]],
    names: _Names,
) -> tuple[VillageLine, ...]:
    themes = view.themes_by_village()
    lines: dict[int, list[SiteLine]] = {}
    for village_id, line in sites:
        lines.setdefault(village_id, []).append(line)
    did: dict[int, dict[str, Three]] = {}
    for (village_id, code), each in sums.items():
        did.setdefault(village_id, {})[code] = each
    return tuple(
        VillageLine(
            code=village.code,
            name=village.name,
            running=sum(line.running for line in lines.get(village.id, ())),
            ran=sum(line.ran for line in lines.get(village.id, ())),
            idle=sum(line.ran and not line.sums.sessions for line in lines.get(village.id, ())),
            themes=themes.get(village.id, 0),
            sums=sum(did.get(village.id, {}).values(), start=NO_SUMS),
            by_category=_by_name(did.get(village.id, {}), names),
        )
        for village in view.villages()
    )


def _by_name(sums: Mapping[str, Three], names: _Names) -> dict[str, Sum]:
    """Return the period's sums by the category's name."""
    found: dict[str, Sum] = {}
    for code, each in sums.items():
        name = names.categories.get(code, code)
        found[name] = found.get(name, NOTHING) + each.now
    return found


def _targets(view: View, edition: Edition | None, villages: Sequence[Unit]) -> tuple[TargetLine, ...]:
    scheme = edition.for_sites.targets if edition else None
    if scheme is None:
        return ()
    groups, standing = view.groups(), view.standing()
    lines = []
    for village in villages:
        grades = {grade: groups.get((village.id, grade), 0) for grade in BeautifulVillage}
        wanted = targets(scheme, groups=grades)
        lines += [
            TargetLine(
                village=village.name,
                grade=grade.label,
                groups=grades[grade],
                target=wanted.get(grade, 0),
                stands=standing.get((village.id, grade), 0),
            )
            for grade in BeautifulVillage
            if grades[grade]
        ]
    return tuple(sorted(lines, key=lambda line: not line.target))


def _quotas(view: View, edition: Edition | None, villages: Sequence[Unit]) -> tuple[QuotaLine, ...]:
    quota = edition.for_sites.quota if edition else None
    if edition is None or quota is None:
        return ()
    built = view.approved(edition, view.period.now.last.year)
    return tuple(
        QuotaLine(each.name, built.get(each.id, 0), shortfall(quota, built=built.get(each.id, 0))) for each in villages
    )


def _publicity(view: View, names: _Names) -> tuple[tuple[str, int], ...]:
    """Return the town's own channels, also those without items, then others that occur."""
    found = view.publicity()
    codes = [*names.own_channels, *(code for code in found if code not in names.own_channels)]
    return tuple((names.channels.get(code, code), found.get(code, 0)) for code in codes)


def _village(session: Session, text: str) -> Unit:
    return _one_unit(session, text, UnitKind.VILLAGE)


def _town(session: Session, text: str, village: Unit | None) -> Unit:
    if village is not None:
        town = village.above(UnitKind.TOWN)
        if text and text.strip() not in (town.code, town.name):
            raise Refused("default", f"{village.name}属于{town.name},不属于“{text}”;请改填其中一项")
        return town
    if text:
        return _one_unit(session, text, UnitKind.TOWN)
    place = aliased(Unit)
    listed = select(place.parent_id).join(Site, Site.village_id == place.id)
    towns = session.scalars(
        select(Unit).where(Unit.kind == UnitKind.TOWN, Unit.id.in_(listed)).order_by(Unit.code)
    ).all()
    if not towns:
        raise Refused("default", "名册中还没有客堂间,没有可以统计的活动;客堂间列入名册以后再统计")
    if len(towns) > 1:
        raise Refused(
            "default", f"名册中有{len(towns)}个镇(街道),请写明统计哪一个:{'、'.join(each.name for each in towns)}"
        )
    return towns[0]


def _one_unit(session: Session, text: str, kind: UnitKind) -> Unit:
    wanted = text.strip()
    found = session.scalars(
        select(Unit)
        .where(Unit.kind == kind, or_(Unit.code == wanted, Unit.name == wanted))
        .order_by(Unit.code != wanted, Unit.code)
    ).all()
    if not found:
        raise Refused("default", f"登记簿中没有{kind.label}“{text}”;请用 ketang registry show 查看编码")
    if len(found) > 1 and found[0].code != wanted:
        raise Refused("default", f"“{text}”有{len(found)}处同名,请改填编码:{'、'.join(each.code for each in found)}")
    return found[0]
