"""The figures of a town's services in a span of days, gathered from the records for `rules.fair_share`. Read only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, joinedload

from models.case import Case, Site
from models.registry import Unit
from models.service import ServiceItem, ServiceOrder
from models.site_life import SiteSpell
from models.work_item import WorkItem
from policies.errors import Refused
from policies.vocabulary import Gate, SiteStatus, UnitKind, Verdict
from rules.fair_share import OrderFacts, Shares, SiteFacts, Span, compared, fair_shares, shown
from rules.periods import SHANGHAI
from runtime.resources import Resources
from tasks.cases import load_case, local_day

MOST_NAMED = 20
"""Sites that a sentence names; the table shows them all."""
GATES = (Gate.SERVICE_OFFER, Gate.SERVICE_DELIVERY)


@dataclass(frozen=True)
class TownShares:
    """A town's figures."""

    town: str
    town_code: str
    span: Span
    shares: Shares


def shares_of(
    resources: Resources, *, town: str = "", since: date | None = None, until: date | None = None, at: datetime
) -> TownShares:
    """
    Return who got how much of a town's services in a span, and how its items and providers served.

    Args:
        town: code or name; empty: the only one that has a listed site, else the first.
        since: first day; None: the year's first day.
        until: last day, counted; None: the year's last day.

    Raises:
        Refused: no such town, or the span ends before it begins.
    """
    today = local_day(at)
    first = since or (until or today).replace(month=1, day=1)
    last = until or date(first.year, 12, 31)
    if last < first:
        raise Refused("default", f"末日{last}早于首日{first},请改正起止日期")
    span = Span(first, date.fromordinal(last.toordinal() + 1))
    with resources.database.read() as session:
        place = _town(session, town)
        sites = list(
            session.scalars(
                select(Site)
                .join(Unit, Unit.id == Site.village_id)
                .where(Unit.parent_id == place.id)
                .options(joinedload(Site.village), joinedload(Site.household), joinedload(Site.group))
                .order_by(Unit.code, Site.id)
            )
        )
        orders = _orders(session, place, span)
        ordering = {order.site for order in orders}
        active = _active(session, place, span)
        known = [
            _site(site, active=site.id in active) for site in sites if site.id in active or site.number in ordering
        ]
        return TownShares(place.name, place.code, span, fair_shares(known, orders, span, as_of=today))


def town_of(resources: Resources, number: str) -> str:
    """Return the code of the town of a case."""
    with resources.database.read() as session:
        return load_case(session, number, lock=False).unit.above(UnitKind.TOWN).code


def _town(session: Session, text: str) -> Unit:
    towns = session.scalars(select(Unit).where(Unit.kind == UnitKind.TOWN).order_by(Unit.code)).all()
    found = [each for each in towns if text.strip() in (each.code, each.name)] if text else _with_sites(session, towns)
    if not found:
        choices = "、".join(f"{each.name}({each.code})" for each in towns) or "(登记簿中尚无镇、街道)"
        raise Refused("default", f"登记簿中没有镇(街道)“{text}”,可填:{choices}")
    return found[0]


def _with_sites(session: Session, towns: Sequence[Unit]) -> list[Unit]:
    above = set(session.scalars(select(Unit.parent_id).join(Site, Site.village_id == Unit.id).distinct()))
    return [each for each in towns if each.id in above] or list(towns)


def _active(session: Session, town: Unit, span: Span) -> set[int]:
    """Return the ids of the town's sites that were running on a day of the span."""
    return set(
        session.scalars(
            select(Site.id)
            .join(Unit, Unit.id == Site.village_id)
            .where(
                Unit.parent_id == town.id,
                exists().where(
                    SiteSpell.site_id == Site.id,
                    SiteSpell.status == SiteStatus.ACTIVE,
                    SiteSpell.since < span.until,
                    (SiteSpell.until.is_(None)) | (SiteSpell.until > span.since),
                ),
            )
        )
    )


def _site(site: Site, *, active: bool) -> SiteFacts:
    group = site.group.name.removeprefix(site.village.name)
    return SiteFacts(
        number=site.number,
        label=f"{site.number} {site.village.name}{group}{site.household.head_name}户",
        village=site.village.name,
        active=active,
    )


def _orders(session: Session, town: Unit, span: Span) -> list[OrderFacts]:
    """Return the orders of the town's sites to which something happened in the span, or may have."""
    begins = datetime.combine(span.since, time(0), tzinfo=SHANGHAI)
    ends = datetime.combine(span.until, time(0), tzinfo=SHANGHAI)
    wanted = (
        select(ServiceOrder.case_id)
        .join(Case, Case.id == ServiceOrder.case_id)
        .join(Site, Site.id == ServiceOrder.site_id)
        .join(Unit, Unit.id == Site.village_id)
        .where(Unit.parent_id == town.id, Case.opened_at < ends)
        .where((Case.closed_at.is_(None)) | (Case.closed_at >= begins))
    )
    orders = session.scalars(
        select(ServiceOrder)
        .where(ServiceOrder.case_id.in_(wanted))
        .options(joinedload(ServiceOrder.case), joinedload(ServiceOrder.site), joinedload(ServiceOrder.item))
        .order_by(ServiceOrder.id)
    ).all()
    gates: dict[int, list[WorkItem]] = {}
    for item in session.scalars(
        select(WorkItem)
        .where(WorkItem.case_id.in_(wanted), WorkItem.gate.in_(GATES))
        .options(joinedload(WorkItem.decision))
        .order_by(WorkItem.id)
    ):
        gates.setdefault(item.case_id, []).append(item)
    return [_facts(order, gates.get(order.case_id, [])) for order in orders]


def _facts(order: ServiceOrder, items: Sequence[WorkItem]) -> OrderFacts:
    days: dict[Verdict, date] = {}
    promised_on = answer_due_on = None
    for item in items:
        if item.gate is Gate.SERVICE_OFFER:
            answer_due_on = item.due_on
        if item.decision is None:
            continue
        days[item.decision.verdict] = local_day(item.decision.decided_at)
        if item.decision.verdict is Verdict.TAKEN:
            promised_on = date.fromisoformat(item.decision.details["promised_on"])
    return OrderFacts(
        site=order.site.number,
        item=_item(order.item),
        provider=f"{order.item.provider.name}({order.item.provider.code})",
        placed_on=local_day(order.case.opened_at),
        answer_due_on=answer_due_on,
        taken_on=days.get(Verdict.TAKEN),
        declined_on=days.get(Verdict.DECLINED),
        promised_on=promised_on,
        delivered_on=order.delivered_on,
        ended_on=days.get(Verdict.WITHDRAWN) or days.get(Verdict.FAILED),
        rating=order.rating,
    )


def _item(item: ServiceItem) -> str:
    return f"{item.code} {item.name}"


def site_table(found: TownShares) -> list[dict[str, str | int]]:
    """Return a row for each site and each village, as the Prefect UI and the command line show them."""
    rows: list[dict[str, str | int]] = [
        {
            "村(居)": each.site.village,
            "客堂间": each.site.label,
            "点单": each.tally.orders,
            "接单": each.tally.taken,
            "不予接单": each.tally.declined,
            "送达": each.tally.delivered,
            "平均评价": shown(each.tally.average),
            "与平均比较": compared(each.against_mean),
        }
        for each in found.shares.sites
    ]
    return rows + [
        {
            "村(居)": each.village,
            "客堂间": f"合计(运行中{each.sites}处)",
            "点单": each.tally.orders,
            "接单": each.tally.taken,
            "不予接单": each.tally.declined,
            "送达": each.tally.delivered,
            "平均评价": shown(each.tally.average),
            "与平均比较": f"每处{shown(each.per_site)}次,{compared(each.against_mean)}",
        }
        for each in found.shares.villages
    ]


def item_table(found: TownShares) -> list[dict[str, str | int]]:
    """Return a row for each provider and each item that was ordered."""
    named = [("服务单位", *each) for each in found.shares.providers]
    named += [("服务项目", *each) for each in found.shares.items]
    return [
        {
            "种类": kind,
            "名称": name,
            "点单": tally.orders,
            "接单": tally.taken,
            "不予接单": tally.declined,
            "逾期": tally.late,
            "送达": tally.delivered,
            "评价": f"{len(tally.ratings)}次",
            "平均评价": shown(tally.average),
        }
        for kind, name, tally in named
    ]


def told(found: TownShares) -> str:
    """Return in one sentence how evenly a town's services came to its sites."""
    shares = found.shares
    last = date.fromordinal(found.span.until.toordinal() - 1)
    if shares.mean is None:
        return f"{found.town}{found.span.since}至{last}没有运行中的客堂间"
    active = sum(each.site.active for each in shares.sites)
    nothing = shares.with_nothing
    sentence = f"{found.town}{found.span.since}至{last}:运行中的客堂间{active}处,平均每处送达{shown(shares.mean)}次"
    if not nothing:
        return f"{sentence},每处都得到过服务"
    named = "、".join(site.label for site in nothing[:MOST_NAMED]) + ("等" if len(nothing) > MOST_NAMED else "")
    return f"{sentence};{len(nothing)}处没有得到服务:{named}"
