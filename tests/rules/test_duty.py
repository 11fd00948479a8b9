"""Months, weeks and the steps of a duty: which fall due when, and what a standstill merges."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.life_scheme import MonthlyTheme
from policies.life_words import DutyStep
from rules.duty import (
    late_days,
    monday_of,
    month_of,
    months_from,
    months_on,
    round_of,
    spoken_month,
    spoken_week,
    sunday_of,
    theme_asked,
    theme_due,
    theme_steps,
    week_steps,
    weeks_from,
)

POLICY = MonthlyTheme.model_validate(
    {
        "due_day_of_month_before": 25,
        "ask_days_before": 10,
        "source": "default",
        "remind": {"days_before": [3, 1], "source": "default"},
        "escalate": {"to": "village_responsible", "after_days": 1, "source": "default"},
    }
)
ASK, FIRST, SECOND, ESCALATE = (
    (DutyStep.ASK, 1),
    (DutyStep.REMIND, 1),
    (DutyStep.REMIND, 2),
    (DutyStep.ESCALATE, 1),
)
MARCH = date(2026, 3, 1)
DAYS = st.dates(date(2000, 1, 1), date(2100, 1, 1))


def test_the_theme_of_january_falls_due_in_december() -> None:
    january = date(2027, 1, 1)
    assert (theme_asked(january, POLICY), theme_due(january, POLICY)) == (date(2026, 12, 15), date(2026, 12, 25))


def test_the_steps_of_a_month_come_in_the_order_in_which_they_fall_due() -> None:
    assert [(each.step, each.seq, each.due_on.isoformat()) for each in theme_steps(MARCH, POLICY)] == [
        (*ASK, "2026-02-15"),
        (*FIRST, "2026-02-22"),
        (*SECOND, "2026-02-24"),
        (*ESCALATE, "2026-02-26"),
    ]


@pytest.mark.parametrize(
    ("on", "done", "told", "merged", "leaders"),
    [
        (date(2026, 2, 14), [], None, [], False),
        (date(2026, 2, 15), [], ASK, [], True),
        (date(2026, 2, 15), [ASK], None, [], False),
        (date(2026, 2, 23), [ASK], FIRST, [], True),
        (date(2026, 2, 25), [ASK], SECOND, [FIRST], True),
        (date(2026, 2, 26), [ASK, FIRST, SECOND], ESCALATE, [], False),
        (date(2026, 2, 26), [ASK, FIRST], ESCALATE, [SECOND], True),
        (date(2026, 3, 3), [], ESCALATE, [ASK, FIRST, SECOND], True),
        # A reminder that the edition got later, and that the done escalation has overtaken.
        (date(2026, 3, 3), [ASK, FIRST, ESCALATE], None, [SECOND], False),
    ],
)
def test_only_the_latest_step_is_told_and_stands_for_those_missed(
    on: date,
    done: list[tuple[DutyStep, int]],
    told: tuple[DutyStep, int] | None,
    merged: list[tuple[DutyStep, int]],
    leaders: bool,
) -> None:
    round_ = round_of(theme_steps(MARCH, POLICY), done=done, on=on)
    if told is None and not merged:
        assert round_ is None
        return
    assert round_ is not None
    assert (round_.told and (round_.told.step, round_.told.seq)) == told
    assert [(each.step, each.seq) for each in round_.merged] == merged
    assert round_.tells_leaders is leaders
    assert round_.escalates is (told == ESCALATE)


def test_lateness_is_counted_in_calendar_days() -> None:
    (report,) = week_steps(date(2026, 3, 2))
    assert report.due_on == date(2026, 3, 9)
    assert [late_days(report, on=date(2026, 3, day)) for day in (8, 9, 10, 30)] == [0, 0, 1, 21]


def test_the_whole_weeks_between_two_days() -> None:
    assert list(weeks_from(date(2026, 12, 22), date(2027, 1, 5))) == [date(2026, 12, 28)]
    assert list(weeks_from(date(2026, 12, 28), date(2027, 1, 3))) == []
    assert list(months_from(date(2026, 11, 30), date(2027, 1, 1))) == [
        date(2026, 11, 1),
        date(2026, 12, 1),
        date(2027, 1, 1),
    ]


def test_weeks_and_months_are_said_as_people_say_them() -> None:
    assert spoken_month(MARCH) == "2026年3月"
    assert spoken_week(date(2026, 3, 2)) == "2026年3月2日至3月8日"
    assert spoken_week(date(2026, 12, 28)) == "2026年12月28日至2027年1月3日"


@given(day=DAYS)
def test_a_day_lies_in_its_week_and_its_month(day: date) -> None:
    monday = monday_of(day)
    assert monday.weekday() == 0
    assert monday <= day <= sunday_of(monday) == monday + timedelta(days=6)
    assert month_of(day) <= day < months_on(month_of(day), 1)


@given(day=DAYS, count=st.integers(-60, 60))
def test_months_on_and_back_again_is_the_same_month(day: date, count: int) -> None:
    assert months_on(months_on(month_of(day), count), -count) == month_of(day)


@given(day=DAYS, weeks=st.integers(0, 30))
def test_no_week_between_is_left_out_or_counted_twice(day: date, weeks: int) -> None:
    found = list(weeks_from(day, day + timedelta(weeks=weeks)))
    assert found == [found[0] + timedelta(weeks=n) for n in range(len(found))] if found else True
    assert weeks - 1 <= len(found) <= weeks
