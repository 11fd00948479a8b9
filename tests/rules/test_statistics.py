"""D1-R7: periods as offices name them, their stretches, and sums that lose nothing."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.errors import Refused
from rules.statistics import (
    Period,
    PeriodChoice,
    Span,
    Sum,
    added,
    by_span,
    change,
    chosen,
    in_percent,
    one_decimal,
    stretches,
    usual_span,
)

days = st.dates(date(2001, 1, 1), date(2060, 12, 31))
periods = st.builds(lambda first, length: Period(first, first + timedelta(days=length)), days, st.integers(0, 1500))
ON = date(2026, 8, 17)


def period(first: str, last: str) -> Period:
    return Period(date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize(
    ("choice", "now", "before", "year_before"),
    [
        ("本月", "2026-08-01 2026-08-17", "2026-07-01 2026-07-17", "2025-08-01 2025-08-17"),
        ("上月", "2026-07-01 2026-07-31", "2026-06-01 2026-06-30", "2025-07-01 2025-07-31"),
        ("本季", "2026-07-01 2026-08-17", "2026-04-01 2026-05-17", "2025-07-01 2025-08-17"),
        ("上季", "2026-04-01 2026-06-30", "2026-01-01 2026-03-31", "2025-04-01 2025-06-30"),
        ("上半年", "2026-01-01 2026-06-30", "2025-07-01 2025-12-31", "2025-01-01 2025-06-30"),
        ("全年", "2026-01-01 2026-08-17", "2025-01-01 2025-08-17", "2025-01-01 2025-08-17"),
        ("上年", "2025-01-01 2025-12-31", "2024-01-01 2024-12-31", "2024-01-01 2024-12-31"),
    ],
)
def test_a_period_is_compared_with_as_much_of_the_one_before_and_of_the_year_before(
    choice: str, now: str, before: str, year_before: str
) -> None:
    word = PeriodChoice.by_label(choice)
    assert word is not None
    found = chosen(word, on=ON)
    assert (found.now, found.before, found.year_before) == tuple(
        period(*text.split()) for text in (now, before, year_before)
    )


def test_the_month_after_new_year_and_a_leap_day_have_a_month_and_a_year_before() -> None:
    january = chosen(PeriodChoice.LAST_MONTH, on=date(2026, 1, 1))
    assert january.now == period("2025-12-01", "2025-12-31")
    leap = chosen(PeriodChoice.CUSTOM, on=ON, first=date(2024, 2, 1), last=date(2024, 2, 29))
    assert (leap.before, leap.year_before) == (period("2024-01-01", "2024-01-31"), period("2023-02-01", "2023-02-28"))
    assert chosen(PeriodChoice.THIS_MONTH, on=date(2026, 3, 31)).before == period("2026-02-01", "2026-02-28")


def test_own_days_are_compared_with_whole_months_or_with_as_many_days_before() -> None:
    months = chosen(PeriodChoice.CUSTOM, on=ON, first=date(2026, 3, 1), last=date(2026, 5, 31))
    assert months.before == period("2025-12-01", "2026-02-28")
    some = chosen(PeriodChoice.CUSTOM, on=ON, first=date(2026, 3, 2), last=date(2026, 3, 11))
    assert some.before == period("2026-02-20", "2026-03-01")
    assert some.year_before == period("2025-03-02", "2025-03-11")


@pytest.mark.parametrize(
    ("choice", "first", "last", "told"),
    [
        (PeriodChoice.CUSTOM, None, date(2026, 1, 1), "起始日和截止日都须填写"),
        (PeriodChoice.CUSTOM, date(2026, 2, 1), date(2026, 1, 31), "截止日2026-01-31早于起始日2026-02-01"),
        (PeriodChoice.CUSTOM, date(1026, 2, 1), date(2026, 1, 31), "过长或过早"),
        (PeriodChoice.LAST_MONTH, date(2026, 2, 1), None, "要自己填写日期,期间请选“自定”"),
    ],
)
def test_days_that_do_not_fit_are_refused_with_what_to_do(
    choice: PeriodChoice, first: date | None, last: date | None, told: str
) -> None:
    with pytest.raises(Refused, match=told):
        chosen(choice, on=ON, first=first, last=last)


@given(periods, st.sampled_from(Span))
def test_stretches_cover_the_period_without_gap_or_overlap(whole: Period, span: Span) -> None:
    parts = [each.period for each in stretches(whole, span)]
    assert (parts[0].first, parts[-1].last) == (whole.first, whole.last)
    assert all(left.last + timedelta(days=1) == right.first for left, right in pairwise(parts))
    assert len({each.label for each in stretches(whole, span)}) == len(parts)
    if span is Span.WEEK:
        assert all(each.first.weekday() == 0 for each in parts[1:])


@given(periods, st.sampled_from(Span), st.data())
def test_no_session_is_lost_or_counted_twice_however_the_period_is_cut(
    whole: Period, span: Span, data: st.DataObject
) -> None:
    length = (whole.last - whole.first).days
    offsets = data.draw(st.dictionaries(st.integers(-40, length + 40), st.integers(0, 5000), max_size=40))
    sums = {whole.first + timedelta(days=offset): Sum(1, people) for offset, people in offsets.items()}
    inside = [each for day, each in sums.items() if whole.first <= day <= whole.last]
    assert added(each for _, each in by_span(sums, whole, span)) == added(inside)


def test_parts_of_a_month_a_quarter_and_a_year_say_so() -> None:
    whole = period("2026-05-20", "2027-01-15")
    assert [each.label for each in stretches(whole, Span.QUARTER)] == [
        "2026年第二季度(05-20至06-30)",
        "2026年第三季度",
        "2026年第四季度",
        "2027年第一季度(01-01至01-15)",
    ]
    months = stretches(whole, Span.MONTH)
    assert (months[0].label, months[0].short) == ("2026年5月(20日至31日)", "26/5")
    assert [each.label for each in stretches(whole, Span.HALF_YEAR)][1:2] == ["2026年下半年"]
    assert [each.label for each in stretches(whole, Span.YEAR)] == ["2026年(05-20至12-31)", "2027年(01-01至01-15)"]
    assert stretches(whole, Span.WEEK)[0].label == "2026-05-20至05-24"
    assert stretches(period("2026-01-01", "2026-06-30"), Span.MONTH)[3].short == "4月"


def test_a_period_is_named_as_an_office_names_it() -> None:
    named = {
        ("2026-01-01", "2026-06-30"): "2026年1月至6月",
        ("2026-02-01", "2026-02-28"): "2026年2月",
        ("2026-01-01", "2026-12-31"): "2026年",
        ("2025-01-01", "2026-12-31"): "2025年至2026年",
        ("2025-12-01", "2026-02-28"): "2025年12月至2026年2月",
        ("2026-03-02", "2026-03-11"): "2026年3月2日至3月11日",
        ("2026-03-02", "2026-03-02"): "2026年3月2日",
    }
    assert {(f"{each.first}", f"{each.last}"): each.text for each in (period(*key) for key in named)} == named


def test_a_month_reads_by_weeks_a_year_by_months_and_ten_years_by_years() -> None:
    spans = [
        usual_span(period("2020-01-01", last)) for last in ("2020-01-31", "2021-12-31", "2027-12-31", "2029-12-31")
    ]
    assert spans == [Span.WEEK, Span.MONTH, Span.QUARTER, Span.YEAR]


def test_an_average_is_exact_and_rounded_only_where_it_is_shown() -> None:
    average = Sum(83, 9261).average
    assert average == Fraction(9261, 83)
    assert one_decimal(average) == Decimal("111.6")
    assert Sum().average is None
    assert (one_decimal(Fraction(1, 20)), one_decimal(Fraction(-1, 20))) == (Decimal("0.1"), Decimal("-0.1"))
    assert one_decimal(Fraction(2**60 * 10 + 1, 10)) == Decimal(2**60 * 10 + 1).scaleb(-1), "beyond what a float keeps"


def test_a_change_needs_something_to_compare_with() -> None:
    assert change(83, 0) is None
    assert (in_percent(change(83, 80), signed=True), in_percent(change(60, 80), signed=True)) == ("+3.8%", "-25.0%")
    assert in_percent(None) == "—"
    assert in_percent(change(80, 80), signed=True) == "0.0%"
