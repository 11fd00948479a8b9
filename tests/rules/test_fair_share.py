"""Shares of what is delivered: exact against the mean, each thing counted on its own day."""

from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.fair_share import OrderFacts, SiteFacts, Span, compared, fair_shares, is_late, shown, tally

YEAR = Span(date(2026, 1, 1), date(2027, 1, 1))
TODAY = date(2026, 6, 30)


def site(number: str, village: str = "周荡村", *, active: bool = True) -> SiteFacts:
    return SiteFacts(number=number, label=number, village=village, active=active)


def order(at: str, **facts: Any) -> OrderFacts:
    known = {"item": "YL01", "provider": "卫生", "placed_on": date(2026, 3, 2), "answer_due_on": date(2026, 3, 9)}
    return OrderFacts(site=at, **{**known, **facts})


def delivered(at: str, *, rating: int | None = None, on: date = date(2026, 3, 20), **more: Any) -> OrderFacts:
    taken = date(2026, 3, 3)
    return order(at, taken_on=taken, promised_on=date(2026, 3, 20), delivered_on=on, rating=rating, **more)


def test_who_got_more_and_who_got_nothing_is_told_exactly() -> None:
    sites = [site("A"), site("B"), site("C", "柳河村")]
    orders = [
        delivered("A", rating=5),
        delivered("A", rating=4),
        delivered("A"),
        delivered("B", rating=4),
        order("C", declined_on=date(2026, 3, 5)),
    ]
    found = fair_shares(sites, orders, YEAR, as_of=TODAY)
    assert found.mean == Fraction(4, 3)
    assert [(each.site.number, each.tally.delivered, each.against_mean) for each in found.sites] == [
        ("A", 3, Fraction(5, 3)),
        ("B", 1, Fraction(-1, 3)),
        ("C", 0, Fraction(-4, 3)),
    ]
    assert found.sites[0].tally.average == Fraction(9, 2)
    assert [each.number for each in found.with_nothing] == ["C"]
    first, second = found.villages
    assert (first.village, first.sites) == ("周荡村", 2)
    assert (first.per_site, first.against_mean) == (Fraction(2), Fraction(2, 3))
    assert (second.tally.orders, second.tally.declined, second.tally.average) == (1, 1, None)
    assert found.providers[0][1].ratings == (5, 4, 4)


def test_a_site_that_no_longer_runs_shows_its_orders_but_does_not_move_the_mean() -> None:
    sites = [site("A"), site("B", active=False)]
    found = fair_shares(sites, [delivered("A"), delivered("B"), delivered("B")], YEAR, as_of=TODAY)
    assert found.mean == 1
    assert [(each.tally.delivered, each.against_mean) for each in found.sites] == [(1, 0), (2, None)]
    assert found.villages[0].tally.delivered == 3
    assert found.villages[0].per_site == 1
    assert found.with_nothing == ()


def test_without_an_active_site_there_is_no_mean() -> None:
    found = fair_shares([site("A", active=False)], [delivered("A")], YEAR, as_of=TODAY)
    assert (found.mean, found.villages[0].per_site, found.villages[0].against_mean) == (None, None, None)


def test_each_thing_counts_in_the_span_in_which_it_happened() -> None:
    march, april = Span(date(2026, 3, 1), date(2026, 4, 1)), Span(date(2026, 4, 1), date(2026, 5, 1))
    one = order(
        "A",
        placed_on=date(2026, 3, 31),
        answer_due_on=date(2026, 4, 8),
        taken_on=date(2026, 4, 1),
        promised_on=date(2026, 4, 30),
        delivered_on=date(2026, 4, 30),
        rating=3,
    )
    counted = [tally([one], span, as_of=TODAY) for span in (march, april)]
    assert [(each.orders, each.taken, each.delivered, each.ratings) for each in counted] == [
        (1, 0, 0, ()),
        (0, 1, 1, (3,)),
    ]


@pytest.mark.parametrize(
    ("facts", "late"),
    [
        ({}, True),
        ({"answer_due_on": TODAY}, False),
        ({"answer_due_on": TODAY - timedelta(days=1)}, True),
        ({"answer_due_on": None}, False),
        ({"taken_on": date(2026, 3, 9), "promised_on": TODAY}, False),
        ({"taken_on": date(2026, 3, 10), "promised_on": TODAY}, True),
        ({"declined_on": date(2026, 3, 9)}, False),
        ({"declined_on": date(2026, 3, 10)}, True),
        ({"ended_on": date(2026, 3, 9)}, False),
        ({"taken_on": date(2026, 3, 3), "promised_on": date(2026, 3, 20)}, True),
        ({"taken_on": date(2026, 3, 3), "promised_on": date(2026, 3, 20), "ended_on": date(2026, 3, 20)}, False),
        ({"taken_on": date(2026, 3, 3), "promised_on": date(2026, 3, 20), "delivered_on": date(2026, 3, 20)}, False),
        ({"taken_on": date(2026, 3, 3), "promised_on": date(2026, 3, 20), "delivered_on": date(2026, 3, 21)}, True),
        ({"taken_on": date(2026, 3, 3), "promised_on": date(2027, 3, 20), "delivered_on": date(2027, 3, 21)}, False),
    ],
)
def test_an_order_is_late_when_a_due_day_of_the_span_was_missed(facts: dict[str, Any], late: bool) -> None:
    assert is_late(order("A", **facts), YEAR, as_of=TODAY) is late


def test_items_and_providers_come_by_how_often_they_were_ordered() -> None:
    orders = [delivered("A", item="YL02"), order("A"), order("B"), order("B", provider="文体", item="WT01")]
    found = fair_shares([site("A")], orders, YEAR, as_of=TODAY)
    assert [(name, counted.orders, counted.late) for name, counted in found.items] == [
        ("YL01", 2, 2),
        ("YL02", 1, 0),
        ("WT01", 1, 1),
    ]
    assert [(name, counted.orders) for name, counted in found.providers] == [("卫生", 3), ("文体", 1)]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(14, 3), "4.7"),
        (Fraction(1, 20), "0.1"),
        (Fraction(49, 1000), "0.0"),
        (Fraction(-49, 1000), "0.0"),
        (Fraction(-4, 3), "-1.3"),
        (Fraction(5), "5.0"),
        (None, "—"),
    ],
)
def test_a_figure_is_shown_with_one_decimal(value: Fraction | None, text: str) -> None:
    assert shown(value) == text


def test_a_difference_is_told_in_words() -> None:
    assert [compared(each) for each in (Fraction(2, 3), Fraction(-4, 3), Fraction(0), None)] == [
        "高于平均0.7次",
        "低于平均1.3次",
        "与平均持平",
        "—",
    ]


@given(counts=st.lists(st.integers(min_value=0, max_value=6), min_size=1, max_size=8))
def test_the_differences_of_the_active_sites_make_nothing(counts: list[int]) -> None:
    sites = [site(str(number), f"村{number % 3}") for number in range(len(counts))]
    orders = [delivered(str(number)) for number, count in enumerate(counts) for _ in range(count)]
    found = fair_shares(sites, orders, YEAR, as_of=TODAY)
    assert sum((each.against_mean or Fraction(0) for each in found.sites), start=Fraction(0)) == 0
    assert sum(each.tally.delivered for each in found.villages) == sum(counts)
    assert len(found.with_nothing) == counts.count(0)
