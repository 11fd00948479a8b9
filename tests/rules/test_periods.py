"""Periods: tables around real holidays, and what holds for every period."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.load import load_calendar, parse_calendar
from policies.notice_scheme import NoticeWindow
from policies.sections import GatePolicy, Timing
from policies.vocabulary import DayUnit, TimerKind
from rules.calendar import WorkCalendar
from rules.periods import SHANGHAI, due_on, end_of, plan, plan_until, shanghai_day

CALENDAR = WorkCalendar(load_calendar())
WORKING, CALENDAR_DAYS = DayUnit.WORKING_DAYS, DayUnit.CALENDAR_DAYS


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2018-09-29", True),  # Saturday, make-up workday
        ("2018-09-30", True),  # Sunday, make-up workday
        ("2018-10-01", False),
        ("2018-10-05", False),  # Friday, exchanged
        ("2018-10-06", False),
        ("2018-10-08", True),
        ("2018-12-29", True),  # Saturday, make-up for 2018-12-31
        ("2018-12-31", False),
        ("2022-01-29", True),  # Saturday, make-up
        ("2022-01-30", True),  # Sunday, make-up
        ("2022-01-31", False),
        ("2022-02-04", False),
        ("2022-02-07", True),
        ("2026-01-02", False),
        ("2026-01-04", True),  # Sunday, make-up
        ("2026-02-14", True),
        ("2026-02-16", False),
        ("2026-02-23", False),
        ("2026-02-28", True),
        ("2026-05-05", False),
        ("2026-05-09", True),
        ("2026-09-20", True),
        ("2026-10-07", False),
        ("2026-10-10", True),
        ("2026-10-11", False),
    ],
)
def test_offices_work_as_the_state_council_arranged(day: str, works: bool) -> None:
    assert CALENDAR.is_working_day(date.fromisoformat(day)) is works


@pytest.mark.parametrize(
    ("starts_on", "days", "unit", "expected"),
    [
        # 国庆 2018: 29 and 30 September are worked, 1 to 7 October are off
        ("2018-09-28", 1, WORKING, "2018-09-29"),
        ("2018-09-28", 2, WORKING, "2018-09-30"),
        ("2018-09-28", 3, WORKING, "2018-10-08"),
        ("2018-09-28", 10, WORKING, "2018-10-17"),
        ("2018-10-03", 1, WORKING, "2018-10-08"),  # started in the holidays
        ("2018-09-28", 1, CALENDAR_DAYS, "2018-09-29"),  # a worked Saturday does not move
        ("2018-09-21", 10, CALENDAR_DAYS, "2018-10-08"),
        ("2018-09-08", 30, CALENDAR_DAYS, "2018-10-08"),
        ("2018-09-07", 30, CALENDAR_DAYS, "2018-10-08"),  # ends on Sunday 7 October
        ("2018-09-30", 30, CALENDAR_DAYS, "2018-10-30"),
        ("2018-12-01", 30, CALENDAR_DAYS, "2019-01-02"),  # 31 December and 1 January are off
        # 春节 2022: 29 and 30 January are worked, 31 January to 6 February are off
        ("2022-01-28", 1, WORKING, "2022-01-29"),
        ("2022-01-28", 3, WORKING, "2022-02-07"),
        ("2022-01-24", 10, WORKING, "2022-02-10"),
        ("2022-01-02", 30, CALENDAR_DAYS, "2022-02-07"),
        # 2026: 14 and 28 February are worked, 15 to 23 February are off
        ("2026-02-13", 1, WORKING, "2026-02-14"),
        ("2026-02-13", 2, WORKING, "2026-02-24"),
        ("2026-02-13", 6, WORKING, "2026-02-28"),
        ("2026-02-13", 7, WORKING, "2026-03-02"),
        ("2026-01-20", 30, CALENDAR_DAYS, "2026-02-24"),
        ("2026-09-18", 5, WORKING, "2026-09-24"),  # 20 September is worked, 25 September is off
        ("2026-01-31", 28, CALENDAR_DAYS, "2026-02-28"),  # a worked Saturday
    ],
)
def test_a_period_ends_on(starts_on: str, days: int, unit: DayUnit, expected: str) -> None:
    start = date.fromisoformat(starts_on)
    assert due_on(start, days=days, unit=unit, calendar=CALENDAR) == date.fromisoformat(expected)


def test_a_period_has_at_least_a_day() -> None:
    with pytest.raises(ValueError, match="at least one day"):
        due_on(date(2026, 1, 5), days=0, unit=WORKING, calendar=CALENDAR)


days_around = st.dates(date(2014, 1, 1), date(2026, 6, 30))
lengths = st.integers(1, 90)


@given(days_around, lengths, st.sampled_from(DayUnit), st.booleans())
def test_a_period_never_ends_on_a_day_off(start: date, days: int, unit: DayUnit, counted: bool) -> None:
    assert CALENDAR.is_working_day(due_on(start, days=days, unit=unit, calendar=CALENDAR, start_counted=counted))


@pytest.mark.parametrize(
    ("starts_on", "days", "unit", "counted", "not_counted"),
    [
        ("2022-03-04", 10, CALENDAR_DAYS, "2022-03-14", "2022-03-14"),  # 13 March is a Sunday
        ("2022-03-07", 5, CALENDAR_DAYS, "2022-03-11", "2022-03-14"),
        ("2026-03-02", 1, CALENDAR_DAYS, "2026-03-02", "2026-03-03"),
        ("2026-03-07", 1, CALENDAR_DAYS, "2026-03-09", "2026-03-09"),  # a Saturday on which offices are closed
        ("2026-03-02", 5, WORKING, "2026-03-06", "2026-03-09"),
        ("2026-03-02", 1, WORKING, "2026-03-02", "2026-03-03"),
        ("2026-03-07", 5, WORKING, "2026-03-13", "2026-03-13"),  # a start on a day off is never the first working day
        ("2026-02-28", 5, WORKING, "2026-03-05", "2026-03-06"),  # a worked Saturday counts
    ],
)
def test_the_start_day_counts_when_the_policy_says_so(
    starts_on: str, days: int, unit: DayUnit, counted: str, not_counted: str
) -> None:
    start = date.fromisoformat(starts_on)
    ends = [
        due_on(start, days=days, unit=unit, calendar=CALENDAR, start_counted=each).isoformat() for each in (True, False)
    ]
    assert ends == [counted, not_counted]


@given(days_around, lengths, st.sampled_from(DayUnit))
def test_counting_the_start_gains_at_most_that_one_day(start: date, days: int, unit: DayUnit) -> None:
    counted = due_on(start, days=days, unit=unit, calendar=CALENDAR, start_counted=True)
    assert counted <= due_on(start, days=days, unit=unit, calendar=CALENDAR)
    if days > 1:
        assert counted >= due_on(start, days=days - 1, unit=unit, calendar=CALENDAR)


@given(days_around, lengths)
def test_working_days_are_counted_one_by_one(start: date, days: int) -> None:
    last = due_on(start, days=days, unit=WORKING, calendar=CALENDAR)
    counted = [start + timedelta(days=n) for n in range(1, (last - start).days + 1)]
    assert sum(CALENDAR.is_working_day(day) for day in counted) == days


@given(days_around, lengths)
def test_a_calendar_period_moves_only_over_days_off(start: date, days: int) -> None:
    last = due_on(start, days=days, unit=CALENDAR_DAYS, calendar=CALENDAR)
    nominal = start + timedelta(days=days)
    assert last >= nominal
    skipped = [nominal + timedelta(days=n) for n in range((last - nominal).days)]
    assert not any(CALENDAR.is_working_day(day) for day in skipped)


@given(days_around, lengths, st.sampled_from(DayUnit))
def test_a_longer_period_never_ends_earlier(start: date, days: int, unit: DayUnit) -> None:
    shorter, longer = (due_on(start, days=n, unit=unit, calendar=CALENDAR) for n in (days, days + 1))
    assert shorter <= longer


@given(st.dates(date(2014, 1, 1), date(2026, 12, 31)), st.integers(-60, 60))
def test_shifting_there_and_back_by_working_days_returns_to_a_working_day(day: date, days: int) -> None:
    day = CALENDAR.on_or_after(day)
    assert CALENDAR.shift(CALENDAR.shift(day, working_days=days), working_days=-days) == day


def test_a_day_ends_at_midnight_in_shanghai() -> None:
    assert end_of(date(2018, 10, 8)) == datetime(2018, 10, 8, 16, tzinfo=UTC)
    assert end_of(date(2018, 10, 8)).tzinfo is UTC
    assert shanghai_day(end_of(date(2018, 10, 8))) == date(2018, 10, 9), "half-open: the end is the next day"


def test_a_naive_time_is_no_time() -> None:
    with pytest.raises(ValueError, match="naive"):
        shanghai_day(datetime(2018, 10, 8, 16))  # noqa: DTZ001


def gate(*, days: int, unit: DayUnit, remind: list[int], after: int, lapse: str | None = None) -> GatePolicy:
    ours = {"source": "default"}
    return GatePolicy.model_validate(
        ours
        | {
            "decided_by": "office_reviewer",
            "due": ours | {"days": days, "unit": unit},
            "remind": ours | {"days_before": remind},
            "escalate": ours | {"to": "office_head", "after_days": after},
            "lapse": lapse and ours | {"verdict": lapse},
        }
    )


def shanghai(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def in_words(policy: Timing, opened_at: datetime) -> list[tuple[TimerKind, int, str]]:
    schedule = plan(policy, opened_at=opened_at, calendar=CALENDAR)
    assert all(timer.due_at == schedule.due_at for timer in schedule.timers)
    return [
        (timer.kind, timer.seq, timer.fires_at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M"))
        for timer in schedule.timers
    ]


def test_a_review_of_ten_working_days_over_the_national_holidays() -> None:
    policy = gate(days=10, unit=WORKING, remind=[3, 1], after=1)
    opened_at = shanghai("2018-09-28 10:00")
    schedule = plan(policy, opened_at=opened_at, calendar=CALENDAR)
    assert (schedule.due_on, schedule.due_at) == (date(2018, 10, 17), datetime(2018, 10, 17, 16, tzinfo=UTC))
    assert not schedule.provisional
    assert in_words(policy, opened_at) == [
        (TimerKind.REMINDER, 1, "2018-10-12 09:00"),
        (TimerKind.REMINDER, 2, "2018-10-16 09:00"),
        (TimerKind.ESCALATION, 1, "2018-10-18 09:00"),
    ]


def test_reminders_count_make_up_workdays_backwards_too() -> None:
    policy = gate(days=5, unit=WORKING, remind=[4, 3, 2], after=2)
    assert in_words(policy, shanghai("2018-09-26 23:59")) == [
        (TimerKind.REMINDER, 1, "2018-09-27 09:00"),
        (TimerKind.REMINDER, 2, "2018-09-28 09:00"),
        (TimerKind.REMINDER, 3, "2018-09-29 09:00"),
        (TimerKind.ESCALATION, 1, "2018-10-10 09:00"),
    ]


def test_an_escalation_without_delay_precedes_the_lapse_at_the_end_of_the_due_day() -> None:
    policy = gate(days=30, unit=CALENDAR_DAYS, remind=[7, 3, 1], after=0, lapse="not_carried")
    assert in_words(policy, shanghai("2018-09-07 08:00")) == [
        (TimerKind.REMINDER, 1, "2018-10-01 09:00"),
        (TimerKind.REMINDER, 2, "2018-10-05 09:00"),
        (TimerKind.REMINDER, 3, "2018-10-07 09:00"),
        (TimerKind.ESCALATION, 1, "2018-10-09 00:00"),
        (TimerKind.LAPSE, 1, "2018-10-09 00:00"),
    ]


def test_the_day_of_opening_is_the_day_in_shanghai() -> None:
    policy = gate(days=3, unit=WORKING, remind=[1], after=1)
    late_on_monday_in_utc = datetime(2026, 3, 2, 16, 30, tzinfo=UTC)  # Tuesday 00:30 in Shanghai
    assert plan(policy, opened_at=late_on_monday_in_utc, calendar=CALENDAR).due_on == date(2026, 3, 6)
    before = datetime(2026, 3, 2, 15, 59, tzinfo=UTC)
    assert plan(policy, opened_at=before, calendar=CALENDAR).due_on == date(2026, 3, 5)


@given(
    st.datetimes(datetime(2015, 1, 1), datetime(2026, 3, 1), timezones=st.just(SHANGHAI)),  # noqa: DTZ001
    st.integers(2, 60),
    st.sampled_from(DayUnit),
    st.data(),
)
def test_whatever_is_planned_lies_after_the_opening_and_in_order(
    opened_at: datetime, days: int, unit: DayUnit, data: st.DataObject
) -> None:
    before = data.draw(st.lists(st.integers(1, days - 1), min_size=1, max_size=4, unique=True))
    policy = gate(days=days, unit=unit, remind=sorted(before, reverse=True), after=data.draw(st.integers(0, 5)))
    schedule = plan(policy, opened_at=opened_at, calendar=CALENDAR)
    times = [timer.fires_at for timer in schedule.timers]
    assert times == sorted(times)
    assert all(opened_at < time for time in times)
    for timer in schedule.timers:
        is_reminder = timer.kind is TimerKind.REMINDER
        assert (timer.fires_at < schedule.due_at) is is_reminder
    assert [timer.kind for timer in schedule.timers].count(TimerKind.ESCALATION) == 1


class TestAYearNotYetPublished:
    """A period that reaches beyond the published years is provisional and planned again."""

    policy = gate(days=10, unit=WORKING, remind=[3, 1], after=1)

    @pytest.mark.parametrize(
        ("opened", "provisional"),
        [
            ("2026-11-02 09:00", False),
            ("2026-12-16 09:00", False),  # due on 30 December, escalated on 31 December
            ("2026-12-17 09:00", True),  # due on 31 December, but the escalation lies in 2027
            ("2026-12-18 09:00", True),
            ("2027-03-01 09:00", True),
        ],
    )
    def test_is_provisional(self, opened: str, provisional: bool) -> None:
        assert plan(self.policy, opened_at=shanghai(opened), calendar=CALENDAR).provisional is provisional

    def test_is_estimated_by_the_statutory_days_until_then(self) -> None:
        assert not CALENDAR.is_published(date(2027, 1, 1))
        assert not CALENDAR.is_working_day(date(2027, 10, 1))
        assert CALENDAR.is_working_day(date(2027, 1, 4))

    def test_is_final_once_the_arrangement_is_written_out(self) -> None:
        facts = parse_calendar(
            b"published_through: 2027\n"
            b"years: [{year: 2027, source: default, holidays: [2027-01-01, 2027-01-04], workdays: [2027-01-30]}]\n",
            "calendar.yaml",
        )
        published = WorkCalendar(facts)
        before = plan(self.policy, opened_at=shanghai("2026-12-28 09:00"), calendar=CALENDAR)
        after = plan(self.policy, opened_at=shanghai("2026-12-28 09:00"), calendar=published)
        assert (before.due_on, before.provisional) == (date(2027, 1, 12), True)
        assert (after.due_on, after.provisional) == (date(2027, 1, 13), False)
        assert published.is_working_day(date(2027, 1, 30))
        assert not published.is_working_day(date(2027, 1, 4))


def notice(*, days: int, unit: DayUnit, start_counted: bool, remind: list[int]) -> NoticeWindow:
    ours = {"source": "default"}
    return NoticeWindow.model_validate(
        ours
        | {
            "decided_by": "office_reviewer",
            "due": ours | {"days": days, "unit": unit, "start_counted": start_counted},
            "remind": ours | {"days_before": remind},
            "lapse": ours | {"verdict": "ended"},
        }
    )


def test_d2_r10_the_texts_own_notice_of_ten_days_ends_with_the_fourteenth_of_march() -> None:
    policy = notice(days=10, unit=CALENDAR_DAYS, start_counted=False, remind=[1])
    schedule = plan(policy, opened_at=shanghai("2022-03-04 10:45"), calendar=CALENDAR)
    assert (schedule.due_on, schedule.due_at) == (date(2022, 3, 14), datetime(2022, 3, 14, 16, tzinfo=UTC))


def test_a_notice_of_five_working_days_whose_start_counts_ends_within_the_week() -> None:
    policy = notice(days=5, unit=WORKING, start_counted=True, remind=[3, 1])
    assert in_words(policy, shanghai("2026-03-02 16:00")) == [
        (TimerKind.REMINDER, 1, "2026-03-03 09:00"),
        (TimerKind.REMINDER, 2, "2026-03-05 09:00"),
        (TimerKind.LAPSE, 1, "2026-03-07 00:00"),
    ]


@pytest.mark.parametrize(
    ("days", "start_counted", "remind", "sound"),
    [(5, True, 3, True), (5, True, 4, False), (5, False, 4, True), (5, False, 5, False), (2, True, 1, False)],
)
def test_a_notice_reminds_after_its_first_day(days: int, start_counted: bool, remind: int, sound: bool) -> None:
    if sound:
        notice(days=days, unit=WORKING, start_counted=start_counted, remind=[remind])
        return
    with pytest.raises(ValueError, match="提醒"):
        notice(days=days, unit=WORKING, start_counted=start_counted, remind=[remind])


def test_a_gate_that_only_waits_has_a_due_day_and_no_timers() -> None:
    ours = {"source": "default"}
    waiting = Timing.model_validate(
        ours | {"decided_by": "office_reviewer", "due": ours | {"days": 30, "unit": CALENDAR_DAYS}}
    )
    schedule = plan(waiting, opened_at=shanghai("2026-03-02 10:00"), calendar=CALENDAR)
    assert (schedule.due_on, schedule.timers) == (date(2026, 4, 1), ())


class TestALastDayNamedElsewhere:
    """A call's window, a milestone, a prolonged notice."""

    policy = gate(days=30, unit=CALENDAR_DAYS, remind=[7, 3, 1], after=0, lapse="ended")

    def in_words(self, policy: Timing, opened: str, last: str) -> list[tuple[TimerKind, int, str]]:
        schedule = plan_until(policy, opened_at=shanghai(opened), last=date.fromisoformat(last), calendar=CALENDAR)
        assert (schedule.due_on, schedule.due_at) == (date.fromisoformat(last), end_of(date.fromisoformat(last)))
        return [
            (timer.kind, timer.seq, timer.fires_at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M"))
            for timer in schedule.timers
        ]

    def test_is_kept_though_offices_are_closed_and_the_timers_hang_on_it(self) -> None:
        assert self.in_words(self.policy, "2026-03-02 10:00", "2026-03-22") == [  # a Sunday
            (TimerKind.REMINDER, 1, "2026-03-15 09:00"),
            (TimerKind.REMINDER, 2, "2026-03-19 09:00"),
            (TimerKind.REMINDER, 3, "2026-03-21 09:00"),
            (TimerKind.ESCALATION, 1, "2026-03-23 00:00"),
            (TimerKind.LAPSE, 1, "2026-03-23 00:00"),
        ]

    @pytest.mark.parametrize(
        ("opened", "left"),
        [("2026-03-15 08:59", [1, 2, 3]), ("2026-03-15 09:00", [2, 3]), ("2026-03-21 09:01", [])],
    )
    def test_leaves_out_reminders_that_are_past_and_keeps_the_numbers(self, opened: str, left: list[int]) -> None:
        found = self.in_words(self.policy, opened, "2026-03-22")
        assert [seq for kind, seq, _ in found if kind is TimerKind.REMINDER] == left

    def test_that_is_past_at_the_opening_still_ends_the_gate_and_is_reported(self) -> None:
        assert self.in_words(self.policy, "2026-03-25 10:00", "2026-03-22") == [
            (TimerKind.ESCALATION, 1, "2026-03-23 00:00"),
            (TimerKind.LAPSE, 1, "2026-03-23 00:00"),
        ]

    def test_counts_reminders_in_the_units_of_the_gate(self) -> None:
        policy = gate(days=5, unit=WORKING, remind=[3, 1], after=1)
        assert self.in_words(policy, "2018-09-20 10:00", "2018-10-08") == [
            (TimerKind.REMINDER, 1, "2018-09-28 09:00"),
            (TimerKind.REMINDER, 2, "2018-09-30 09:00"),
            (TimerKind.ESCALATION, 1, "2018-10-09 09:00"),
        ]

    def test_is_never_provisional(self) -> None:
        schedule = plan_until(
            self.policy, opened_at=shanghai("2026-12-20 10:00"), last=date(2027, 2, 6), calendar=CALENDAR
        )
        assert not schedule.provisional

    @given(
        st.datetimes(datetime(2015, 1, 1), datetime(2026, 3, 1), timezones=st.just(SHANGHAI)),  # noqa: DTZ001
        st.integers(2, 60),
        st.sampled_from(DayUnit),
    )
    def test_that_the_period_itself_would_give_makes_the_same_schedule(
        self, opened_at: datetime, days: int, unit: DayUnit
    ) -> None:
        policy = gate(days=days, unit=unit, remind=[1], after=1)
        planned = plan(policy, opened_at=opened_at, calendar=CALENDAR)
        assert plan_until(policy, opened_at=opened_at, last=planned.due_on, calendar=CALENDAR) == planned
