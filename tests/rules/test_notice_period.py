"""How long a notice stands, in words, and how far it may be prolonged."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.errors import Refused
from policies.load import load_calendar
from policies.notice_scheme import NoticePeriod, Prolonging
from policies.vocabulary import DayUnit
from rules.calendar import WorkCalendar
from rules.notice_period import check_prolonging, period_in_words
from rules.periods import due_on

CALENDAR = WorkCalendar(load_calendar())


def period(days: int, unit: DayUnit, *, start_counted: bool) -> NoticePeriod:
    return NoticePeriod(days=days, unit=unit, start_counted=start_counted, source="default")


def prolonging(times: int, days: int) -> Prolonging:
    return Prolonging(times_at_most=times, days_at_most=days, source="default")


@pytest.mark.parametrize(
    ("days", "unit", "start_counted", "published", "words"),
    [
        (10, DayUnit.CALENDAR_DAYS, False, date(2022, 3, 4), "公示期10日,自公布次日(2022年3月5日)起算,按自然日计算"),
        (7, DayUnit.CALENDAR_DAYS, True, date(2022, 3, 5), "公示期7日,自公布当日(2022年3月5日)起算,当日计入,按自然日"),
        (5, DayUnit.WORKING_DAYS, False, date(2022, 3, 4), "公示期5个工作日,自公布次日(2022年3月5日)起算,按工作日计算"),
        (5, DayUnit.WORKING_DAYS, True, date(2022, 3, 4), "公示期5个工作日,自公布当日(2022年3月4日)起算,当日计入"),
        (
            5,
            DayUnit.WORKING_DAYS,
            True,
            date(2022, 3, 5),
            "公示期5个工作日,公布当日(2022年3月5日)不是工作日,自其后首个工作日",
        ),
    ],
)
def test_the_words_say_how_the_days_were_counted(
    days: int, unit: DayUnit, start_counted: bool, published: date, words: str
) -> None:
    rule = period(days, unit, start_counted=start_counted)
    last = due_on(published, days=days, unit=unit, calendar=CALENDAR, start_counted=start_counted)
    told = period_in_words(rule, published_on=published, last=last, calendar=CALENDAR)
    assert told.startswith(words)
    assert told.endswith(f"至{last.year}年{last.month}月{last.day}日24时止")


@given(
    last=st.dates(date(2022, 1, 1), date(2026, 11, 30)),
    added=st.integers(-5, 40),
    times=st.integers(0, 4),
)
def test_what_is_allowed_is_later_near_a_working_day_and_not_too_often(last: date, added: int, times: int) -> None:
    wanted = last + timedelta(days=added)
    allowed = 0 < added <= 10 and times < 2 and CALENDAR.is_working_day(wanted)
    try:
        check_prolonging(prolonging(2, 10), times=times, last=last, new_last=wanted, calendar=CALENDAR)
    except Refused:
        assert not allowed
    else:
        assert allowed


def test_an_edition_may_forbid_prolonging() -> None:
    with pytest.raises(Refused, match="本政策不许延期"):
        check_prolonging(
            prolonging(0, 10), times=0, last=date(2022, 3, 14), new_last=date(2022, 3, 16), calendar=CALENDAR
        )
