"""Deadlines: what time does to a gate, on which day, and that it does it once."""

from collections import Counter
from datetime import date
from typing import Any

import pytest

from flows import deadline_sweep
from flows.deadline_sweep import sweep_directly
from policies.errors import Refused
from policies.vocabulary import Answer, CaseStatus, Door, Gate, TimerKind, Verdict
from rules.periods import SHANGHAI
from tasks import due_days
from tasks.deadlines import fire_due, recompute_provisional
from tests.desks import OpenTown, publish_2027, variant
from tests.township import LEADER, RESPONSIBLE, REVIEWER, Township, at

HEAD, VILLAGE = "顾组长", "周责任"


def planned(town: Township) -> list[tuple[TimerKind, str]]:
    return [(each.kind, f"{each.fires_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}") for each in town.timers()]


def test_reminders_escalation_and_lapse_come_on_their_day_and_once(both: Township) -> None:
    town = both
    town.apply()
    town.answer({"ZD01-001": Answer.AGREE, "ZD01-003": Answer.OBJECT})
    assert planned(town) == [
        (TimerKind.REMINDER, "2018-10-31 09:00"),
        (TimerKind.REMINDER, "2018-11-04 09:00"),
        (TimerKind.REMINDER, "2018-11-06 09:00"),
        (TimerKind.ESCALATION, "2018-11-08 00:00"),
        (TimerKind.LAPSE, "2018-11-08 00:00"),
    ]
    for day, days_left in (("2018-10-31", 7), ("2018-11-04", 3), ("2018-11-06", 1)):
        before = town.letters()
        assert town.sleep_until(f"{day} 08:59").reminders == 0
        assert town.letters() == before
        assert town.sleep_until(f"{day} 09:00").reminders == 1
        assert town.sleep_until(f"{day} 09:05").reminders == 0
        assert town.letters() == [*before, ("reminder", HEAD)]
        text = town.entries("reminder")[-1].sent_text
        assert f"距到期还有{days_left}日" in text
        assert "ZD01-003 户主3" in text
        assert "ZD01-002 户主2" in text
        assert "ZD01-001" not in text
        assert "推迟" not in text

    before = town.letters()
    assert town.sleep_until("2018-11-07 23:59").lapses == 0
    assert town.letters() == before
    counts = town.sleep_until("2018-11-08 00:00")
    assert (counts.escalations, counts.lapses, counts.reminders) == (1, 1, 0)
    assert town.letters()[len(before) :][0] == ("escalation", VILLAGE)
    told = town.entries("escalation")[0].sent_text
    assert "2018年11月7日" in told
    assert "系统已按规定记为“未获全体同意”" in told
    assert town.gate() is Gate.CORRECTION
    again = town.sleep_until("2018-11-08 00:05")
    assert (again.escalations, again.lapses) == (0, 0)


def test_a_late_review_stays_open_and_is_reported_to_the_head_of_the_office(town: Township) -> None:
    town.to_gate(Gate.OFFICE_REVIEW)
    assert planned(town) == [
        (TimerKind.REMINDER, "2018-10-17 09:00"),
        (TimerKind.REMINDER, "2018-10-19 09:00"),
        (TimerKind.ESCALATION, "2018-10-23 09:00"),
    ]
    town.pass_until("2018-10-23 08:59")
    assert town.told("reminder") == ["沈审核", "施审核"] * 2
    assert town.told("escalation") == []
    town.pass_until("2018-12-01 09:00")
    assert town.told("escalation") == ["丁主任"]
    assert "沈审核(P001)、施审核(P002)" in town.entries("escalation")[0].sent_text
    assert town.gate() is Gate.OFFICE_REVIEW
    town.decide(Verdict.APPROVED, by=REVIEWER)
    assert town.gate() is Gate.PLAQUE, "late is not too late where the edition lets nothing lapse"


def test_a_gate_that_was_decided_reminds_nobody(town: Township) -> None:
    town.to_gate(Gate.PLAQUE)
    town.finish_works()
    town.finish_subsidy()
    before = of_the_case(town)
    town.pass_until("2019-06-01 09:00")
    assert of_the_case(town) == before


def of_the_case(town: Township) -> list[tuple[str, str]]:
    """Letters of the application itself; what a listed parlour owes each month, week and year is told beside it."""
    case = town.case()
    return [(row.letter.value, row.to_name) for row in town.entries() if row.case_id == case.id]


def test_a_sweep_that_was_down_for_a_week_lapses_with_the_true_date_and_says_it_is_late(both: Township) -> None:
    town = both
    town.apply()
    town.pass_until("2018-10-30 12:00")
    due_at = town.item().due_at
    counts = town.sleep_until("2018-11-14 12:00")

    assert (counts.reminders, counts.merged_reminders, counts.escalations, counts.lapses) == (0, 3, 1, 1)
    (lapse,) = town.decisions()
    assert lapse.effective_at == due_at == at("2018-11-08 00:00")
    assert lapse.decided_at == at("2018-11-14 12:00")
    assert "至2018年11月7日期满" in lapse.reason
    assert "系统于156小时后补记,效力自期满之时起算" in lapse.reason
    (escalation,) = town.entries("escalation")
    assert "2018年11月7日" in escalation.sent_text
    assert "本函应于2018年11月8日发出,因系统停运推迟至今天" in escalation.sent_text
    assert town.told("reminder") == [], "that something is due soon would be untrue by now"
    assert town.item().due_on == date(2018, 12, 14), "the applicant has the whole period for the correction"
    again = town.sleep_until("2018-11-14 12:05")
    assert (again.reminders, again.escalations, again.lapses) == (0, 0, 0)


def test_a_reminder_that_comes_days_late_says_so_and_counts_from_today(town: Township) -> None:
    town.to_gate(Gate.OFFICE_REVIEW)
    counts = town.sleep_until("2018-10-18 15:00")
    assert (counts.reminders, counts.merged_reminders) == (1, 0)
    text = town.entries("reminder")[0].sent_text
    assert "距到期还有4日" in text
    assert "本函应于2018年10月17日发出,因系统停运推迟至今天" in text
    counts = town.sleep_until("2018-10-26 15:00")
    assert (counts.reminders, counts.merged_reminders, counts.escalations) == (0, 1, 1)
    text = town.entries("escalation")[0].sent_text
    assert "已逾期4日" in text
    assert "本函应于2018年10月23日发出" in text


def test_who_comes_after_the_due_day_finds_the_lapse_written_first(both: Township) -> None:
    town = both
    town.apply()
    town.clock.move_to(at("2018-11-08 08:30"))
    with pytest.raises(Refused, match="已于2018年11月7日期满,系统已按规定作出“未获全体同意”,不能再办理"):
        town.answer({f"ZD01-{number:03d}": Answer.AGREE for number in range(1, 5)})
    (lapse,) = town.decisions()
    assert (lapse.verdict, lapse.door) == (Verdict.NOT_CARRIED, Door.LAPSE)
    assert lapse.effective_at == at("2018-11-08 00:00")
    assert town.told("escalation") == [VILLAGE], "as if the sweep had come by"
    town.sleep_until("2018-11-08 08:31")
    assert town.gate() is Gate.CORRECTION
    assert len(town.decisions()) == 1


@pytest.mark.parametrize("act", ["resubmit", "withdraw"])
def test_a_correction_that_comes_after_its_due_day_is_too_late(town: Township, act: str) -> None:
    town.to_gate(Gate.VILLAGE_FORWARD)
    town.decide(Verdict.RETURNED, by=RESPONSIBLE, reason="请补充")
    last = town.item().due_at
    assert town.item().due_on == date(2018, 11, 7)
    town.clock.move_to(last)
    with pytest.raises(Refused, match="“补正”已于2018年11月7日期满,系统已按规定作出“逾期”"):
        getattr(town, act)(by=LEADER)
    town.rehearsal.sweep()
    assert town.case().status is CaseStatus.CLOSED


def test_the_last_minute_of_the_due_day_is_in_time(town: Township) -> None:
    town.apply()
    town.clock.move_to(at("2018-11-07 23:59"))
    town.everybody_agrees()
    assert town.gate() is Gate.VILLAGE_FORWARD


LAPSING = (
    "escalate: {to: office_reviewer, after_days: 1, source: default}",
    "escalate: {to: office_reviewer, after_days: 0, source: default}\n"
    "      lapse: {verdict: returned, source: default}",
)


def test_a_village_that_never_acts_returns_the_file_where_the_edition_says_so(open_sqlite: OpenTown) -> None:
    town = open_sqlite(variant("example-2026", "strict-2026", LAPSING), "2026-03-02 10:00")
    town.to_gate(Gate.VILLAGE_FORWARD)
    town.pass_until("2026-03-10 09:00")
    assert town.gate() is Gate.CORRECTION
    assert (town.decisions()[-1].verdict, town.decisions()[-1].door) == (Verdict.RETURNED, Door.LAPSE)
    assert town.told("returned") == ["陆负责", "户主1"]
    assert "至2026年3月9日期满未办理" in town.entries("returned")[0].sent_text
    town.resubmit()
    assert (town.gate(), town.item().round) == (Gate.VILLAGE_FORWARD, 2)


def test_where_the_edition_lets_nothing_lapse_a_silent_village_is_reported(open_sqlite: OpenTown) -> None:
    town = open_sqlite("xuhang-2013", "2013-03-04 10:00")
    town.apply()
    town.pass_until("2013-04-10 09:00")
    assert town.told("escalation") == ["李联络"], "Xuhang reports to its liaison, who hears of the lapse too"
    assert "李联络" in town.told("consent_missing")
    town.resubmit()
    town.everybody_agrees()
    town.pass_until("2013-06-01 09:00")
    assert town.gate() is Gate.VILLAGE_FORWARD
    assert town.told("escalation")[1:] == ["沈审核", "施审核"]


HOLIDAYS = [
    pytest.param("2018-09-28 10:00", "zhujiajiao-2018", date(2018, 10, 10), id="national-day-2018"),
    pytest.param("2018-09-27 23:59", "zhujiajiao-2018", date(2018, 10, 9), id="the-day-before"),
]


@pytest.mark.parametrize(("now", "edition", "due_on"), HOLIDAYS)
def test_working_days_pass_over_national_day_and_count_make_up_days(
    open_sqlite: OpenTown, now: str, edition: str, due_on: date
) -> None:
    town = open_sqlite(edition, now)
    town.to_gate(Gate.VILLAGE_FORWARD)
    assert town.item().due_on == due_on


def test_a_review_over_spring_festival_2019_counts_the_make_up_weekend(town: Township) -> None:
    town.to_gate(Gate.VILLAGE_FORWARD)
    town.pass_until("2019-01-28 10:00")
    town.decide(Verdict.FORWARDED, by=RESPONSIBLE)
    assert town.item().due_on == date(2019, 2, 14)


def test_a_last_day_on_a_holiday_moves_to_the_next_working_day(open_sqlite: OpenTown) -> None:
    town = open_sqlite("zhujiajiao-2018", "2018-09-01 10:00")
    town.apply()
    assert town.item().due_on == date(2018, 10, 8), "30 days end on 1 October"
    assert planned(town)[-1] == (TimerKind.LAPSE, "2018-10-09 00:00")


def test_a_period_into_an_unpublished_year_is_provisional_until_the_calendar_is_out(open_town: OpenTown) -> None:
    town = open_town("example-2026", "2026-12-10 10:00")
    town.apply()
    item = town.item()
    assert (item.due_on, item.provisional) == (date(2027, 1, 11), True)
    assert "该日期为暂定" in town.entries("consent_asked")[0].sent_text
    assert recompute_provisional(town.resources, at=town.now()) == 0

    publish_2027(town)
    counts = town.sleep_until("2026-12-20 10:00")
    assert counts.recomputed == 1
    item = town.item()
    assert (item.due_on, item.provisional) == (date(2027, 1, 12), False)
    assert planned(town)[0] == (TimerKind.REMINDER, "2027-01-05 09:00")
    assert planned(town)[-1] == (TimerKind.LAPSE, "2027-01-13 00:00")
    assert "由2027年1月11日(暂定)重算为2027年1月12日(确定)" in town.history()[-1].summary
    assert town.sleep_until("2026-12-20 10:05").recomputed == 0


def estimated(open_town: OpenTown) -> Township:
    """Open a gate until 11 January by the estimate, until the 12th by the arrangement that has come out since."""
    town = open_town("example-2026", "2026-12-10 10:00")
    town.apply()
    publish_2027(town)
    return town


def test_what_is_not_over_by_the_arrangement_does_not_lapse_by_the_estimate(open_sqlite: OpenTown) -> None:
    """The arrangement came out while the system was down, and the estimated due day has passed meanwhile."""
    town = estimated(open_sqlite)
    counts = town.sleep_until("2027-01-12 10:00")
    assert (counts.recomputed, counts.lapses) == (1, 0)
    assert town.gate() is Gate.HOUSEHOLD_CONSENT
    assert "今日到期" in town.entries("reminder")[-1].sent_text
    town.everybody_agrees()
    assert town.gate() is Gate.VILLAGE_FORWARD


def fails(*_: Any, **__: Any) -> Any:
    raise ArithmeticError("no calendar")


def test_nothing_lapses_by_the_estimate_when_the_recomputing_breaks_as_a_whole(
    open_town: OpenTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = estimated(open_town)
    town.clock.move_to(at("2027-01-12 10:00"))
    monkeypatch.setattr(deadline_sweep, "recompute_provisional", fails)
    monkeypatch.setattr(deadline_sweep, "wake_all", lambda *_, **__: Counter())
    monkeypatch.setattr(deadline_sweep, "schedule_close_outs", lambda *_, **__: None)
    counts, _ = sweep_directly(town.resources)
    assert counts.failures == ["重算暂定期限未能办理,下次巡检再办:ArithmeticError:no calendar"]
    assert (counts.recomputed, counts.lapses) == (1, 0)
    assert (town.item().due_on, town.item().provisional) == (date(2027, 1, 12), False)
    assert "今日到期" in town.entries("reminder")[-1].sent_text
    town.everybody_agrees()
    assert town.gate() is Gate.VILLAGE_FORWARD


def test_what_can_not_be_counted_anew_is_reported_but_does_not_lapse(
    open_town: OpenTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = estimated(open_town)
    with monkeypatch.context() as broken:
        broken.setattr(due_days, "plan", fails)
        town.clock.move_to(at("2027-01-05 09:00"))
        assert fire_due(town.resources, at=town.now()).reminders == 1
        town.clock.move_to(at("2027-01-14 10:00"))
        for _ in range(2):  # told by every sweep
            counts = fire_due(town.resources, at=town.now())
            assert counts.lapses == 0
            (told,) = counts.failures
            assert told.startswith(f"{town.number}:期限未能重算,期满处理推迟到下次巡检:ArithmeticError")
        assert town.gate() is Gate.HOUSEHOLD_CONSENT
        assert len(town.told("escalation")) == 1
        (waiting,) = (timer for timer in town.timers() if timer.fired_at is None)
        assert (waiting.kind, waiting.failures) == (TimerKind.LAPSE, 2)
    assert fire_due(town.resources, at=town.now()).lapses == 1
    assert town.decisions()[-1].effective_at == at("2027-01-13 00:00"), "by the arrangement, not by the estimate"


def test_who_answers_on_the_true_last_day_is_in_time_though_no_sweep_has_come(open_town: OpenTown) -> None:
    town = estimated(open_town)
    town.clock.move_to(at("2027-01-12 10:00"))
    town.everybody_agrees()
    assert town.gate() is Gate.VILLAGE_FORWARD
    assert "由2027年1月11日(暂定)重算为2027年1月12日(确定)" in "".join(row.summary for row in town.history())


def test_a_fired_timer_stays_fired(town: Township) -> None:
    town.apply()
    town.clock.move_to(at("2018-11-04 09:00"))
    assert fire_due(town.resources, at=town.now()).reminders == 1
    stands = town.state()
    assert fire_due(town.resources, at=town.now()).reminders == 0
    assert town.state() == stands
