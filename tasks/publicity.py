"""What was published about parlours, by the channels of the edition (D0-R16): recorded, voided, listed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from models.case import Site
from models.registry import Person, Unit
from models.site_life import PublicityItem
from policies.errors import Refused
from policies.sections import Category
from policies.site_scheme import SiteScheme
from policies.vocabulary import Door, UnitKind
from runtime.resources import Resources
from tasks.act import Act, acting
from tasks.cases import local_day, person_of
from tasks.life_commands import KEEPERS, PublicityEntry, RecordPublicity, VoidPublicity
from tasks.living import check_may_record, keep, lock_site, scheme_for, site_named
from tasks.row_faults import RowFaults


@dataclass(frozen=True)
class RecordedItem:
    """What became of an entry."""

    id: int
    """By which it can be voided."""
    title: str
    sites: tuple[str, ...]
    """The sites' numbers."""
    known: bool
    """It was recorded before."""

    def __str__(self) -> str:
        known = "(此前已登记,未重复登记)" if self.known else ""
        return f"“{self.title}”登记号{self.id},涉及{'、'.join(self.sites)}{known}"


def record_publicity(
    resources: Resources,
    command: RecordPublicity,
    *,
    door: Door,
    key: str,
    at: datetime,
    rows: Sequence[int] | None = None,
) -> list[RecordedItem]:
    """
    Record what was published about sites: all items, or none when one is faulty (D0-R16).

    Safe to repeat because the same key records the same entries only once; of a sheet, what stands on record just so is
    passed over. Each site's case tells of it.

    Args:
        door: by which door it came.
        key: what records them, at most 90 characters.
        rows: of a sheet, the number of each entry's row.

    Returns:
        What became of each entry, in their order.

    Raises:
        Refused: by nobody who may; a channel that the edition does not have (with the choices); a day to come; sites of
            different towns; the same item twice. Every fault is told, of a sheet by row and column.
    """
    with acting(resources, at=at) as act:
        by = person_of(act.session, command.by)
        faults = RowFaults(len(command.items), rows)
        found: dict[int, list[Site]] = {}
        for index, entry in enumerate(command.items):
            with faults.at(index, "客堂间"):
                named = [site_named(act.session, each) for each in entry.sites]
                found[index] = list({site.id: site for site in named}.values())
        _lock(act.session, (site for sites in found.values() for site in sites))
        recorded: list[RecordedItem] = []
        new: set[int] = set()
        for index, sites in found.items():
            named_key = f"{key}:{rows[index] if rows is not None else index + 1}"
            known = act.session.scalars(select(PublicityItem).where(PublicityItem.key == named_key)).one_or_none()
            if known is not None:
                recorded.append(_told(known, known=True))
                continue
            entry = command.items[index]
            twin = _twin(act, sites, entry)
            if rows is not None and twin is not None and twin.id not in new and _same(twin, sites, entry):
                # A sheet that an office goes on filling in holds what was recorded from it before.
                recorded.append(_told(twin, known=True))
                continue
            if (channel := _examined(act, sites, by, entry, twin, faults, index)) is not None:
                recorded.append(_keep(act, sites, by, entry, channel, key=named_key, door=door))
                new.add(recorded[-1].id)
        faults.refuse_if_any("宣传报道")
        return recorded


def _lock(session: Session, sites: Iterable[Site]) -> None:
    for site in sorted({each.id: each for each in sites}.values(), key=lambda each: each.case_id):
        lock_site(session, site)


def _examined(
    act: Act,
    sites: Sequence[Site],
    by: Person,
    entry: PublicityEntry,
    twin: PublicityItem | None,
    faults: RowFaults,
    index: int,
) -> Category | None:
    scheme: SiteScheme | None = None
    channel: Category | None = None
    dated = single = False
    with faults.at(index, "客堂间"):
        towns = {site.group.above(UnitKind.TOWN).name for site in sites}
        if len(towns) > 1:
            raise Refused("default", f"所填客堂间分属{'、'.join(sorted(towns))},请按镇(街道)分别登记")
        scheme = scheme_for(act.resources, sites[0], act).edition.for_sites
        for site in sites:
            check_may_record(act.session, site, by, roles=KEEPERS, deed="登记宣传报道", on=act.day)
    if scheme is not None:
        with faults.at(index, "宣传渠道"):
            channel = channel_named(scheme, entry.channel)
    with faults.at(index, "刊发日期"):
        if entry.published_on > act.day:
            raise Refused("default", f"刊发日期{entry.published_on}还没有到(今天是{act.day}),请在刊发之后登记")
        dated = True
    if channel is not None:
        with faults.at(index, "标题"):
            _check_single(entry, twin, channel)
            single = True
    return channel if scheme is not None and dated and single else None


def channel_named(scheme: SiteScheme, text: str) -> Category:
    """Return the channel of the edition that `text` names by code or name; Refused with the choices."""
    wanted = text.strip()
    found = next((each for each in scheme.publicity_channels if wanted in (each.code, each.name)), None)
    if found is None:
        choices = "、".join(each.name for each in scheme.publicity_channels) or "(本方案没有列出渠道)"
        clauses = ";".join(dict.fromkeys(each.where for each in scheme.publicity_channels)) or "default"
        raise Refused(clauses, f"“{wanted}”不是本方案的宣传渠道,请从中选择:{choices}")
    return found


def _twin(act: Act, sites: Sequence[Site], entry: PublicityEntry) -> PublicityItem | None:
    """Return the item of the sites' town that has the entry's channel, day and title; None also for no such channel."""
    town = sites[0].group.above(UnitKind.TOWN)
    loaded = act.resources.editions.get(town.edition_id or "")
    channels = loaded.edition.site.publicity_channels if loaded is not None and loaded.edition.site is not None else ()
    return act.session.scalars(
        select(PublicityItem).where(
            PublicityItem.unit_id == town.id,
            PublicityItem.channel.in_([each.code for each in channels if entry.channel in (each.code, each.name)]),
            PublicityItem.published_on == entry.published_on,
            PublicityItem.title == entry.title,
            PublicityItem.voided_at.is_(None),
        )
    ).first()


def _same(twin: PublicityItem, sites: Sequence[Site], entry: PublicityEntry) -> bool:
    """Return whether what is on record says the same as the entry, not only its channel, day and title."""
    return twin.reference == entry.reference and {each.id for each in twin.sites} == {each.id for each in sites}


def _check_single(entry: PublicityEntry, twin: PublicityItem | None, channel: Category) -> None:
    if twin is not None:
        raise Refused(
            "default",
            f"{entry.published_on}刊于{channel.name}的“{entry.title}”已经登记(登记号{twin.id});"
            "要补充涉及的客堂间,请先作废原登记再重新登记",
        )


def _keep(
    act: Act, sites: Sequence[Site], by: Person, entry: PublicityEntry, channel: Category, *, key: str, door: Door
) -> RecordedItem:
    item = PublicityItem(
        unit_id=sites[0].group.above(UnitKind.TOWN).id,
        key=key,
        channel=channel.code,
        published_on=entry.published_on,
        title=entry.title,
        reference=entry.reference,
        recorded_at=act.at,
        recorded_by_id=by.id,
        sites=list(sites),
    )
    act.session.add(item)
    numbers = [site.number for site in sites]
    for site in sorted(sites, key=lambda each: each.case_id):
        keep(
            act,
            site.case,
            [item],
            actor=by.display,
            summary=f"登记宣传报道:{entry.published_on}{channel.name}“{entry.title}”",
            data={"door": door.value, "sites": numbers},
        )
    return _told(item, known=False)


def _told(item: PublicityItem, *, known: bool) -> RecordedItem:
    numbers = tuple(site.number for site in sorted(item.sites, key=lambda each: each.id))
    return RecordedItem(id=item.id, title=item.title, sites=numbers, known=known)


def void_publicity(resources: Resources, command: VoidPublicity, *, door: Door, at: datetime) -> str:
    """
    Let an item that was recorded by mistake count no more; it stays on record with the reason (D0-R16).

    Returns:
        Which one it was, in Chinese.

    Raises:
        Refused: there is none of that number, it was voided before, or the person may not.
    """
    with acting(resources, at=at) as act:
        by = person_of(act.session, command.by)
        item = act.session.get(PublicityItem, command.item)
        if item is None:
            raise Refused("default", f"没有登记号为{command.item}的宣传报道,请用 ketang publicity list 核对")
        _lock(act.session, item.sites)
        act.session.refresh(item)
        for site in item.sites:
            check_may_record(act.session, site, by, roles=KEEPERS, deed="作废宣传报道", on=act.day)
        named = f"{item.published_on}“{item.title}”(登记号{item.id})"
        if item.voided_at is not None:
            raise Refused(
                "default", f"{named}已于{local_day(item.voided_at)}作废,理由:{item.voided_because};不必再次作废"
            )
        item.voided_at, item.voided_because = act.at, command.reason
        for site in sorted(item.sites, key=lambda each: each.case_id):
            keep(
                act,
                site.case,
                [item],
                actor=by.display,
                summary=f"作废宣传报道“{item.title}”的登记,理由:{command.reason}",
                data={"door": door.value},
            )
        return named


def publicity_between(
    session: Session, *, first: date, last: date, town: Unit | None = None, voided: bool = False
) -> list[PublicityItem]:
    """
    Return what was published from the first day to the last, both included, by day, each with its sites.

    Args:
        town: of this town only; None: of all.
        voided: also what was voided.
    """
    query = (
        select(PublicityItem)
        .where(PublicityItem.published_on >= first, PublicityItem.published_on <= last)
        .options(selectinload(PublicityItem.sites), selectinload(PublicityItem.unit))
        .order_by(PublicityItem.published_on, PublicityItem.id)
    )
    if town is not None:
        query = query.where(PublicityItem.unit_id == town.id)
    if not voided:
        query = query.where(PublicityItem.voided_at.is_(None))
    return list(session.scalars(query))
