"""Regular meetings: which period a day lies in, when its meeting is called, and for which day."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.load import load_calendar
from rules.calendar import WorkCalendar
from rules.meeting_periods import before, called_at, earliest_day, moment, period_of, proposed_at
from rules.periods import SHANGHAI

LENGTHS = (1, 2, 3, 4, 6, 12)


@pytest.fixture(scope="module")
def calendar() -> WorkCalendar:
    return WorkCalendar(load_calendar())


@pytest.mark.parametrize(
    ("months", "day", "first", "last", "name"),
    [
        (1, date(2026, 2, 28), date(2026, 2, 1), date(2026, 2, 28), "2026年2月"),
        (1, date(2024, 2, 29), date(2024, 2, 1), date(2024, 2, 29), "2024年2月"),
        (2, date(2026, 4, 30), date(2026, 3, 1), date(2026, 4, 30), "2026年3月至4月"),
        (3, date(2026, 1, 1), date(2026, 1, 1), date(2026, 3, 31), "2026年第1季度"),
        (3, date(2026, 3, 31), date(2026, 1, 1), date(2026, 3, 31), "2026年第1季度"),
        (3, date(2026, 12, 31), date(2026, 10, 1), date(2026, 12, 31), "2026年第4季度"),
        (4, date(2026, 8, 31), date(2026, 5, 1), date(2026, 8, 31), "2026年5月至8月"),
        (6, date(2026, 6, 30), date(2026, 1, 1), date(2026, 6, 30), "2026年上半年"),
        (6, date(2026, 7, 1), date(2026, 7, 1), date(2026, 12, 31), "2026年下半年"),
        (12, date(2026, 7, 1), date(2026, 1, 1), date(2026, 12, 31), "2026年度"),
    ],
)
def test_a_day_lies_in_the_period_counted_from_january(
    months: int, day: date, first: date, last: date, name: str
) -> None:
    period = period_of(day, every_months=months)
    assert (period.first, period.last, period.name) == (first, last, name)


@given(day=st.dates(date(2000, 1, 1), date(2100, 1, 1)), months=st.sampled_from(LENGTHS))
def test_periods_follow_each_other_without_gap_or_overlap(day: date, months: int) -> None:
    period = period_of(day, every_months=months)
    last = before(period, every_months=months)
    assert period.first <= day <= period.last
    assert last.last + timedelta(days=1) == period.first
    assert period_of(period.last, every_months=months) == period
    assert period.first.month % months == 1 % months


@pytest.mark.parametrize("months", [0, 5, 7, 24])
def test_a_year_that_does_not_divide_has_no_periods(months: int) -> None:
    with pytest.raises(ValueError, match="does not divide"):
        period_of(date(2026, 1, 1), every_months=months)


@pytest.mark.parametrize(
    ("day", "called"),
    [
        (date(2026, 3, 1), "2026-01-04 08:00"),  # a Sunday on which people work, after the New Year's holiday
        (date(2026, 4, 20), "2026-04-01 08:00"),
        (date(2026, 11, 1), "2026-10-08 08:00"),  # after the National Day's holiday
    ],
)
def test_a_meeting_is_called_in_the_morning_of_the_first_working_day(
    day: date, called: str, calendar: WorkCalendar
) -> None:
    at = called_at(period_of(day, every_months=3), calendar)
    assert at.tzinfo is UTC
    assert f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}" == called


@pytest.mark.parametrize("months", LENGTHS)
def test_a_year_has_as_many_meetings_as_periods(months: int, calendar: WorkCalendar) -> None:
    days = [date(2026, 1, 1) + timedelta(days=offset) for offset in range(365)]
    called = {called_at(period_of(day, every_months=months), calendar) for day in days}
    assert len(called) == 12 // months
    assert all(calendar.is_working_day(at.astimezone(SHANGHAI).date()) for at in called)


@given(day=st.dates(date(2020, 1, 1), date(2026, 12, 31)), ahead=st.integers(1, 60))
def test_the_proposed_day_is_a_working_day_and_leaves_time_to_invite(day: date, ahead: int) -> None:
    calendar = WorkCalendar(load_calendar())
    at = proposed_at(day, invite_days_before=ahead, calendar=calendar).astimezone(SHANGHAI)
    assert calendar.is_working_day(at.date())
    assert at.date() > earliest_day(day, invite_days_before=ahead)
    assert (at.hour, at.minute) == (14, 0)


def test_a_time_of_the_day_is_meant_in_shanghai() -> None:
    assert moment(date(2026, 4, 1), datetime(2026, 1, 1, 8, 0).time()) == datetime(2026, 4, 1, 0, 0, tzinfo=UTC)  # noqa: DTZ001
