"""
Who gets how much of what is delivered to sites, and how well items and providers serve (点单配送, D1-R5).

Pure: facts of orders in, exact figures out. Nothing is decided by them; the office reads them.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from math import floor


@dataclass(frozen=True)
class Span:
    """A span of days, half-open `[since, until)`."""

    since: date
    until: date

    def holds(self, day: date | None) -> bool:
        """Return whether a day lies in the span; what has not happened (None) does not."""
        return day is not None and self.since <= day < self.until


@dataclass(frozen=True)
class SiteFacts:
    """A site as a recipient of services."""

    number: str
    label: str
    """What people call it."""
    village: str
    active: bool
    """It was running on a day of the span; only such sites make the mean."""


@dataclass(frozen=True)
class OrderFacts:
    """What happened to one order, day by day; None: not (yet)."""

    site: str
    """The site's number."""
    item: str
    provider: str
    placed_on: date
    answer_due_on: date | None
    """By when the provider is to answer; None while it was not asked."""
    taken_on: date | None = None
    declined_on: date | None = None
    promised_on: date | None = None
    """What the provider promised first."""
    delivered_on: date | None = None
    ended_on: date | None = None
    """When it was withdrawn or given up."""
    rating: int | None = None


@dataclass(frozen=True)
class Tally:
    """What happened in the span: counts of orders, each by the day of what is counted."""

    orders: int
    taken: int
    declined: int
    late: int
    delivered: int
    ratings: tuple[int, ...]
    """Of what was delivered in the span, where the site rated it."""

    @property
    def average(self) -> Fraction | None:
        """The mean rating, exact; None when nothing was rated."""
        return Fraction(sum(self.ratings), len(self.ratings)) if self.ratings else None


@dataclass(frozen=True)
class SiteShare:
    """What one site ordered and got."""

    site: SiteFacts
    tally: Tally
    against_mean: Fraction | None
    """Deliveries above (+) or below (-) the mean of the town's active sites; None: the site is none of them."""


@dataclass(frozen=True)
class VillageShare:
    """What the sites of one village ordered and got."""

    village: str
    sites: int
    """Active ones."""
    tally: Tally
    per_site: Fraction | None
    """Deliveries to its active sites, for each of them; None without any."""
    against_mean: Fraction | None


@dataclass(frozen=True)
class Shares:
    """The figures of a town in a span."""

    mean: Fraction | None
    """Deliveries for each active site; None without any."""
    sites: tuple[SiteShare, ...]
    villages: tuple[VillageShare, ...]
    items: tuple[tuple[str, Tally], ...]
    """By item: how often it was ordered, declined, late, how it was rated; the most ordered first."""
    providers: tuple[tuple[str, Tally], ...]

    @property
    def with_nothing(self) -> tuple[SiteFacts, ...]:
        """The active sites to which nothing was delivered in the span."""
        return tuple(each.site for each in self.sites if each.site.active and not each.tally.delivered)


def is_late(order: OrderFacts, span: Span, *, as_of: date) -> bool:
    """
    Return whether a due day of the order that lies in `span` was missed: its answer's, or the promised one.

    An order that was ended before a due day can no longer miss it.

    Args:
        as_of: the day on which one looks; it is not over.
    """
    answered = order.taken_on or order.declined_on or order.ended_on or as_of
    answer_missed = order.answer_due_on is not None and answered > order.answer_due_on
    delivered = order.delivered_on or order.ended_on or as_of
    promise_missed = order.promised_on is not None and delivered > order.promised_on
    return (answer_missed and span.holds(order.answer_due_on)) or (promise_missed and span.holds(order.promised_on))


def tally(orders: Iterable[OrderFacts], span: Span, *, as_of: date) -> Tally:
    """Count what happened to `orders` in `span`, each happening by its own day."""
    known = list(orders)
    delivered = [each for each in known if span.holds(each.delivered_on)]
    return Tally(
        orders=sum(span.holds(each.placed_on) for each in known),
        taken=sum(span.holds(each.taken_on) for each in known),
        declined=sum(span.holds(each.declined_on) for each in known),
        late=sum(is_late(each, span, as_of=as_of) for each in known),
        delivered=len(delivered),
        ratings=tuple(each.rating for each in delivered if each.rating is not None),
    )


def fair_shares(sites: Sequence[SiteFacts], orders: Sequence[OrderFacts], span: Span, *, as_of: date) -> Shares:
    """
    Return who got how much of what was delivered in `span`, against the mean of the active sites.

    Source: D1-R5 (按需配送); the text says nothing of shares, the figures only show them.

    Args:
        sites: of one town, each once; also those not active now whose orders are to be shown.
        orders: theirs; orders of other sites count for items and providers only.
        span: the days.
        as_of: the day on which one looks, by which an open order is late.

    Returns:
        Exact figures, sites and villages in the order in which they came, items and providers by orders.
    """
    by_site = _grouped(orders, lambda order: order.site)
    counted = {site.number: tally(by_site.get(site.number, ()), span, as_of=as_of) for site in sites}
    active = [site for site in sites if site.active]
    mean = _mean([counted[site.number].delivered for site in active])
    return Shares(
        mean=mean,
        sites=tuple(
            SiteShare(
                site,
                counted[site.number],
                counted[site.number].delivered - mean if mean is not None and site.active else None,
            )
            for site in sites
        ),
        villages=tuple(
            _of_village(village, sites, by_site, counted, mean, span=span, as_of=as_of)
            for village in dict.fromkeys(site.village for site in sites)
        ),
        items=_ranked(_grouped(orders, lambda order: order.item), span, as_of=as_of),
        providers=_ranked(_grouped(orders, lambda order: order.provider), span, as_of=as_of),
    )


def _of_village(
    village: str,
    sites: Sequence[SiteFacts],
    by_site: dict[str, list[OrderFacts]],
    counted: dict[str, Tally],
    mean: Fraction | None,
    *,
    span: Span,
    as_of: date,
) -> VillageShare:
    own = [site for site in sites if site.village == village]
    active = [site for site in own if site.active]
    per_site = _mean([counted[site.number].delivered for site in active])
    return VillageShare(
        village=village,
        sites=len(active),
        tally=tally((order for site in own for order in by_site.get(site.number, ())), span, as_of=as_of),
        per_site=per_site,
        against_mean=per_site - mean if per_site is not None and mean is not None else None,
    )


def _mean(counts: Sequence[int]) -> Fraction | None:
    return Fraction(sum(counts), len(counts)) if counts else None


def _grouped(orders: Iterable[OrderFacts], key: Callable[[OrderFacts], str]) -> dict[str, list[OrderFacts]]:
    groups: dict[str, list[OrderFacts]] = {}
    for order in orders:
        groups.setdefault(key(order), []).append(order)
    return groups


def _ranked(groups: dict[str, list[OrderFacts]], span: Span, *, as_of: date) -> tuple[tuple[str, Tally], ...]:
    counted = [(name, tally(orders, span, as_of=as_of)) for name, orders in groups.items()]
    return tuple(sorted(counted, key=lambda each: (-each[1].orders, -each[1].delivered, each[0])))


def shown(value: Fraction | None) -> str:
    """Return a figure with one decimal, half rounded away from zero, e.g. ``4.7``; ``—`` when there is none."""
    if value is None:
        return "—"
    tenths = floor(abs(value) * 10 + Fraction(1, 2))
    sign = "-" if value < 0 and tenths else ""
    return f"{sign}{tenths // 10}.{tenths % 10}"


def compared(difference: Fraction | None) -> str:
    """Return how a count lies to the mean, in words, e.g. ``高于平均0.7次``; ``—`` when it is not compared."""
    if difference is None:
        return "—"
    if difference == 0:
        return "与平均持平"
    return f"{'高于' if difference > 0 else '低于'}平均{shown(abs(difference))}次"
