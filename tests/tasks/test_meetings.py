"""Joint meetings: who is invited, what is refused, the regular ones, what is printed, and two at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from policies.errors import BadPolicy, Refused
from policies.vocabulary import CaseKind, CaseStatus, Door, Gate, Role, Verdict
from rules.meeting_periods import called_at, period_of
from tasks import meeting_records, meeting_resolutions, meeting_routine, meetings
from tasks.case_file import case_file
from tasks.catching_up import RECURRING
from tasks.meeting_commands import CallMeeting, PostponeMeeting, PostponeResolution, RecordMeeting
from tasks.meeting_routine import open_routine_meetings
from tasks.paperwork import DocumentKind, make_document
from tests.desks import OpenTown, variant
from tests.meetings import (
    EDITIONS,
    EXAMPLE,
    INVITED,
    XUHANG,
    call,
    change,
    complete,
    faults,
    hold,
    in_days,
    meeting,
    meeting_numbers,
    prolong,
    put_off,
    record,
    resolutions,
    roll,
    seats,
    settle,
    today,
)
from tests.papers import Paper
from tests.parlours import add_site
from tests.township import HEAD_OF_OFFICE, LIAISON, RESPONSIBLE, REVIEWER, STRANGER, Township, at


@pytest.fixture
def here(open_sqlite: OpenTown) -> Township:
    """The example's town on SQLite."""
    return settle(open_sqlite(EXAMPLE, EDITIONS[EXAMPLE]))


@pytest.fixture
def both(open_town: OpenTown) -> Township:
    """The example's town on each kind of database, before the year begins, with a parlour."""
    town = settle(open_town(EXAMPLE, "2026-01-06 09:00"))
    add_site(town)
    return town


@pytest.fixture
def quarter(open_sqlite: OpenTown) -> Township:
    """The example's town on SQLite in the first quarter, with a parlour that is listed in it."""
    town = settle(open_sqlite(EXAMPLE, "2026-01-06 09:00"))
    add_site(town)
    return town


def held(town: Township, decided: Any = ()) -> str:
    """A meeting that was held eight days from now."""
    number = call(town)
    town.clock.move_to(at(f"{in_days(town, 8)} 16:00"))
    hold(town, number, decided)
    return number


# -- who is invited --------------------------------------------------------------------------------------------------


def test_who_holds_two_roles_is_invited_once_and_for_the_first_of_them(here: Township) -> None:
    with here.resources.database.write() as session:
        session.execute(
            text(
                "INSERT INTO role_holdings (person_id, role, unit_id, since) SELECT p.id, 'office_reviewer', u.id, "
                "'2010-01-01' FROM people p, units u WHERE p.code = 'P011' AND u.code = 'Z'"
            )
        )
    number = call(here)
    assert [each[:2] for each in seats(here, number) if each[0] == LIAISON] == [(LIAISON, "Z")]
    assert here.told("meeting_invitation").count("李联络") == 1


def test_the_roll_is_frozen_when_the_meeting_is_called(here: Township) -> None:
    here.end_role("LLH", on=today(here))
    number = call(here)
    here.add_person("P013", "后来者", Role.LIAISON, "LH")
    change(here, number, place="四楼会议室")
    assert "LLH" not in roll(here, number)
    assert "P013" not in roll(here, number)
    assert "后来者" not in here.told("meeting_invitation")
    with pytest.raises(Refused, match=r"后来者\(P013\)不在会议 .* 的应到名单\(6人\)中;.*请写入“列席人员”"):
        record(here, number, attended=["P013"])


def test_a_meeting_is_called_far_enough_ahead_by_the_office_of_a_town(here: Township) -> None:
    with pytest.raises(
        Refused, match=r"会议须至少提前7日通知:今天是2026年4月7日,开会日期2026年4月13日太近,最早可定在2026年4月14日"
    ):
        call(here, days=6)
    with pytest.raises(Refused, match=r"周责任.*不能为朱家角镇召集联席会议:须由其社区办负责人、社区办审核员办理"):
        call(here, by=RESPONSIBLE)
    with pytest.raises(Refused, match="周荡村是村"):
        call(here, unit="ZD")
    with pytest.raises(Refused, match="没有单位“没有”"):
        call(here, unit="没有")
    with pytest.raises(Refused, match="过远"):
        call(here, days=800)
    assert meeting_numbers(here) == []
    assert call(here, days=7)


def test_a_town_whose_edition_has_no_joint_meeting_calls_none(open_sqlite: OpenTown) -> None:
    town = settle(open_sqlite("zhujiajiao-2018", "2018-10-08 10:00"))
    with pytest.raises(Refused, match="没有规定联席会议"):
        call(town)


def test_the_same_key_calls_one_meeting(here: Township) -> None:
    assert call(here, key="甲") == call(here, key="甲") != call(here, key="乙")
    assert len(here.told("meeting_invitation")) == 2 * len(INVITED)


def test_the_same_key_at_once_calls_one_meeting(both: Township) -> None:
    with ThreadPoolExecutor(4) as pool:
        numbers = set(pool.map(lambda _: call_only(both), range(4)))
    assert len(numbers) == 1
    assert len(both.told("meeting_invitation")) == len(INVITED)
    assert faults(both) == []


def call_only(town: Township) -> str:
    """Call a meeting without carrying it."""
    fields = {
        "by": REVIEWER,
        "unit": "Z",
        "meets_on": in_days(town, 9),
        "place": "会议室",
        "chair": "丁主任",
        "agenda": ["一"],
    }
    command = CallMeeting.model_validate(fields)
    return meetings.call_meeting(town.resources, command, door=Door.CLI, key="同时", at=town.now())


# -- arrangements ----------------------------------------------------------------------------------------------------


def test_a_change_is_told_to_everybody_and_nothing_new_is_refused(here: Township) -> None:
    number = call(here)
    assert change(here, number, place="四楼会议室", begins="09:30") == ("开会时刻改为09:30", "地点改为四楼会议室")
    letter = here.entries("meeting_invitation")[-1].context
    assert (letter["change"], letter["begins"], letter["place"]) == (
        "开会时刻改为09:30、地点改为四楼会议室",
        "09:30",
        "四楼会议室",
    )
    assert len(here.told("meeting_invitation")) == 2 * len(INVITED)
    with pytest.raises(Refused, match="没有填写与现在不同的"):
        change(here, number, place="四楼会议室")
    with pytest.raises(Refused, match="不能为朱家角镇变更会议安排"):
        change(here, number, place="家里", by=LIAISON)
    with pytest.raises(Refused, match="须晚于原定的2026年4月15日"):
        put_off(here, number, days=7)
    here.clock.move_to(at("2026-04-14 09:00"))
    with pytest.raises(Refused, match="最早可定在2026年4月21日"):
        put_off(here, number, days=6)
    assert faults(here) == []


def test_holding_and_putting_off_need_more_than_a_word(here: Township) -> None:
    number = call(here)
    for verdict, reason in ((Verdict.HELD, ""), (Verdict.POSTPONED, "防汛")):
        with pytest.raises(Refused, match="请在案件页面的表单中选择"):
            here.decide(verdict, by=REVIEWER, reason=reason, number=number)


# -- what happened ---------------------------------------------------------------------------------------------------


def test_a_meeting_is_not_held_before_everything_is_there(here: Township) -> None:
    number = call(here)
    with pytest.raises(Refused, match="召开日期2026年4月15日还没有到"):
        record(here, number, held_on=date(2026, 4, 15))
    here.clock.move_to(at("2026-04-15 16:00"))
    with pytest.raises(Refused, match="早于召集会议的2026年4月7日"):
        record(here, number, held_on=date(2026, 4, 6))
    with pytest.raises(Refused, match="没有填写任何新的签到"):
        record(here, number)
    with pytest.raises(Refused, match="既登记为“出席”,又登记为“请假”"):
        record(here, number, attended=[REVIEWER], on_leave=[REVIEWER])
    with pytest.raises(Refused, match="议定事项须在会议办结时一并填写"):
        record(here, number, held_on=today(here), nothing_decided=True)
    with pytest.raises(Refused) as refused:
        record(here, number, complete=True)
    for lacking in ("召开日期", "7人的签到", "会议纪要", "议定事项"):
        assert lacking in refused.value.reason
    with pytest.raises(Refused, match="应到名单中无人出席"):
        hold(here, number, attended=[], rest_absent=True)
    with pytest.raises(Refused, match="请只保留一项"):
        hold(here, number, [("更换音响", RESPONSIBLE, today(here))], nothing_decided=True)
    with pytest.raises(Refused, match="第1项议定事项的完成期限2026年4月14日早于会议召开的2026年4月15日"):
        hold(here, number, [("更换音响", RESPONSIBLE, date(2026, 4, 14))])
    with pytest.raises(Refused, match="没有在职人员“无此人”"):
        hold(here, number, [("更换音响", "无此人", today(here))])
    assert meeting(here, number).held_on is None, "a refused meeting leaves nothing behind"
    assert {seat for _, _, seat in seats(here, number)} == {None}
    assert resolutions(here, number) == []
    assert here.gate(number) is Gate.MEETING


def test_minutes_may_be_a_file_and_a_sign_in_may_be_corrected(here: Township) -> None:
    number = call(here)
    here.clock.move_to(at("2026-04-15 16:00"))
    with pytest.raises(Refused, match=r"资料文件夹中没有“纪要\.pdf”"):
        record(here, number, proof="纪要.pdf")
    assert record(here, number, held_on=today(here), proof=here.proof("纪要.pdf"))
    record(here, number, attended=[LIAISON])
    left = record(here, number, on_leave=[LIAISON], attended=[REVIEWER], rest_absent=True)
    assert left == ()
    assert {code: seat for code, _, seat in seats(here, number)}[LIAISON] == "leave"
    record(here, number, complete=True, nothing_decided=True)
    assert here.gate(number) is None
    assert here.entries("meeting_minutes")[0].context["document"] == "纪要.pdf"
    assert faults(here) == []
    with pytest.raises(Refused, match="已办结"):
        record(here, number, minutes="再补")


# -- what was decided ------------------------------------------------------------------------------------------------


def test_only_the_responsible_and_the_office_report_what_is_done(here: Township) -> None:
    number = held(here, [("更换音响", RESPONSIBLE, date(2026, 4, 30))])
    [each] = resolutions(here, number)
    task = each.case.number
    with pytest.raises(Refused, match="须由承办人或社区办审核员办理"):
        complete(here, task, by=STRANGER)
    with pytest.raises(Refused, match="还没有到"):
        complete(here, task, by=RESPONSIBLE, on=date(2026, 4, 16))
    with pytest.raises(Refused, match="早于会议召开的2026年4月15日"):
        complete(here, task, by=RESPONSIBLE, on=date(2026, 4, 14))
    with pytest.raises(Refused, match="登记落实须写明完成日期"):
        here.decide(Verdict.COMPLETED, by=RESPONSIBLE, number=task)
    with pytest.raises(Refused, match="须由社区办负责人办理"):
        prolong(here, task, until=date(2026, 5, 8), by=RESPONSIBLE)
    with pytest.raises(Refused, match="须晚于原期限2026年4月30日"):
        prolong(here, task, until=date(2026, 4, 30))
    complete(here, task, by=RESPONSIBLE, proof=here.proof("音响.jpg"))
    assert here.decisions(task)[-1].details["reference"] == "音响.jpg"
    assert here.case(number).status is CaseStatus.CLOSED
    assert faults(here) == []


def test_what_is_given_to_nobody_in_office_any_more_falls_to_the_office(here: Township) -> None:
    number = held(here, [("更换音响", RESPONSIBLE, date(2026, 4, 30))])
    [each] = resolutions(here, number)
    with here.resources.database.write() as session:
        session.execute(text("UPDATE people SET active = false WHERE code = 'P010'"))
    complete(here, each.case.number, by=REVIEWER)
    assert here.case(number).status is CaseStatus.CLOSED


def test_two_who_declare_a_meeting_held_at_once_decide_it_once(both: Township) -> None:
    number = call(both)
    both.clock.move_to(at(f"{in_days(both, 8)} 16:00"))
    record(both, number, held_on=today(both), attended=list(INVITED), minutes="会议听取了汇报。")
    entry = {"text": "更换音响", "responsible": RESPONSIBLE, "due_on": in_days(both, 9)}
    command = RecordMeeting.model_validate({"case": number, "by": REVIEWER, "resolutions": [entry], "complete": True})

    def declare(_: int) -> str:
        try:
            meeting_records.record_meeting(both.resources, command, door=Door.CLI, at=both.now())
        except Refused as refusal:
            return refusal.reason
        return ""

    with ThreadPoolExecutor(3) as pool:
        told = sorted(pool.map(declare, range(3)))
    assert told[0] == ""
    assert all("已由沈审核(P001)于" in each for each in told[1:])
    assert len(resolutions(both, number)) == 1
    assert len(both.told("meeting_minutes")) == len(INVITED)
    assert faults(both) == []


def test_who_has_no_address_is_told_by_the_office_and_holds_nothing_up(here: Township) -> None:
    here.set_email(LIAISON, None)
    number = held(here, [("更换音响", LIAISON, date(2026, 4, 30))])
    [each] = resolutions(here, number)
    assert here.gate(each.case.number) is Gate.FOLLOW_UP
    assert {case for case in (number, each.case.number) if _undelivered(here, case)} == {number, each.case.number}
    complete(here, each.case.number, by=LIAISON)
    assert here.case(number).status is CaseStatus.CLOSED


def _undelivered(town: Township, number: str) -> tuple[str, ...]:
    return case_file(town.resources, number, at=town.now()).undelivered


@pytest.mark.parametrize(
    ("statement", "table"),
    [
        ("UPDATE meetings SET minutes = '没有此事'", "meetings"),
        ("UPDATE meeting_attendances SET seat = 'absent' WHERE id = 1", "meeting_attendances"),
        ("UPDATE resolutions SET due_on = '2027-01-01'", "resolutions"),
        ("DELETE FROM resolutions", "resolutions"),
    ],
)
def test_a_record_changed_behind_the_products_back_is_found(here: Township, statement: str, table: str) -> None:
    held(here, [("更换音响", RESPONSIBLE, date(2026, 4, 30))])
    assert faults(here) == []
    with here.resources.database.write() as session:
        session.execute(text(statement))
    assert [f"表 {table} " in each for each in faults(here)] == [True]


# -- the regular ones ------------------------------------------------------------------------------------------------


def test_a_regular_meeting_is_called_once_a_quarter_for_towns_with_older_parlours(quarter: Township) -> None:
    quarter.clock.move_to(at("2026-03-31 09:00"))
    assert open_routine_meetings(quarter.resources, at=quarter.now()) == [], "the parlour is not older than the quarter"
    quarter.clock.move_to(at("2026-04-01 07:59"))
    assert open_routine_meetings(quarter.resources, at=quarter.now()) == []
    quarter.clock.move_to(at("2026-04-01 08:00"))
    [number] = open_routine_meetings(quarter.resources, at=quarter.now())
    assert open_routine_meetings(quarter.resources, at=quarter.now()) == []
    assert meeting_routine.catch_up(quarter.resources, at("2026-04-01 10:00")) == ""
    case, planned = quarter.case(number), meeting(quarter, number)
    assert (case.title, case.opening_key) == ("2026年第2季度联席会议", "Z:meeting:2026-04-01")
    assert (planned.period, planned.meets_at) == (date(2026, 4, 1), at("2026-04-15 14:00"))
    assert (planned.place, planned.chair) == ("", "")
    assert planned.agenda[0] == "通报2026年第1季度客堂间运行情况:现有运行的客堂间1个,已登记活动0场、0人次"
    assert planned.agenda[1].startswith("通报2026年4月活动主题报送情况:尚有1个客堂间未报(KT-2026-0001-S)")
    letter = quarter.entries("meeting_invitation")[0].context
    assert (letter["place"], letter["late_note"]) == ("", "")
    assert set(quarter.told("task_waiting")) == {"沈审核", "施审核"}
    quarter.rehearsal.carry(number)
    with pytest.raises(Refused, match="还缺:地点、主持人"):
        hold(quarter, number, held_on=today(quarter))
    assert change(quarter, number, place="三楼会议室", chair="丁主任") == ("地点定为三楼会议室", "主持人定为丁主任")
    quarter.clock.move_to(at("2026-04-15 16:00"))
    hold(quarter, number, [("更换音响", RESPONSIBLE, date(2026, 9, 30))])
    quarter.clock.move_to(at("2026-07-01 08:00"))
    [next_one] = open_routine_meetings(quarter.resources, at=quarter.now())
    assert "听取议定事项“更换音响”的落实情况(周责任承办,期限2026年9月30日)" in meeting(quarter, next_one).agenda
    assert faults(quarter) == []


def test_an_edition_without_themes_has_none_on_its_agenda(open_sqlite: OpenTown) -> None:
    town = settle(open_sqlite(XUHANG, "2014-03-31 09:00"))
    add_site(town)
    town.clock.move_to(at("2014-04-01 08:00"))
    [number] = open_routine_meetings(town.resources, at=town.now())
    agenda = meeting(town, number).agenda
    assert agenda[0].startswith("通报2014年第1季度客堂间运行情况")
    assert not [point for point in agenda if "主题" in point]
    assert number.startswith("XHLX-2014-")


def test_after_a_standstill_the_quarters_meeting_is_called_once_and_late(quarter: Township) -> None:
    quarter.clock.move_to(at("2026-04-01 08:30"))
    quarter.rehearsal.sweep()
    assert meeting_numbers(quarter) == [], "the schedule has an hour"
    quarter.sleep_until("2026-04-09 10:00")
    quarter.sleep_until("2026-04-09 10:05")
    assert RECURRING["例行联席会议"] is meeting_routine.catch_up
    [number] = meeting_numbers(quarter)
    assert meeting(quarter, number).meets_at == at("2026-04-23 14:00")
    late = "本次会议应于2026年4月1日召集，现予补办。"
    assert {each.context["late_note"] for each in quarter.entries("meeting_invitation")} == {late}
    assert late in quarter.history(number)[0].summary
    assert open_routine_meetings(quarter.resources, at=quarter.now()) == []


def test_a_whole_quarter_that_was_missed_is_told_and_not_made_up_for(quarter: Township) -> None:
    quarter.sleep_until("2026-07-01 10:00")
    [number] = meeting_numbers(quarter)
    assert quarter.case(number).title == "2026年第3季度联席会议"
    assert "2026年第2季度没有召集过联席会议" in quarter.entries("task_waiting")[-1].context["facts"]


def test_a_town_without_parlours_or_with_a_meeting_of_its_own_is_given_none(here: Township) -> None:
    here.sleep_until("2026-07-10 10:00")
    assert meeting_numbers(here) == []
    add_site(here)
    here.clock.move_to(at("2026-09-20 10:00"))
    own = call(here, days=15)
    here.clock.move_to(at("2026-10-08 10:00"))
    assert open_routine_meetings(here.resources, at=here.now()) == []
    here.decide(Verdict.CALLED_OFF, by=REVIEWER, reason="人员不齐", number=own)
    here.clock.move_to(at("2026-10-12 10:00"))
    assert len(open_routine_meetings(here.resources, at=here.now())) == 1
    # Nothing stood still: the meeting of its own was called off too late for the first day.
    late = "本次会议应于2026年10月8日召集，现予补办。"
    assert here.entries("meeting_invitation")[-1].context["late_note"] == late


def test_two_runs_at_once_call_one_regular_meeting(both: Township) -> None:
    both.clock.move_to(at("2026-04-01 08:00"))
    with ThreadPoolExecutor(4) as pool:
        called = list(pool.map(lambda _: open_routine_meetings(both.resources, at=both.now()), range(4)))
    assert sorted(map(len, called)) == [0, 0, 0, 1]
    assert len(meeting_numbers(both)) == 1
    assert len(both.told("meeting_invitation")) == len(INVITED)
    assert faults(both) == []


@pytest.mark.parametrize("months", [2, 4])
def test_other_lengths_of_the_period_call_as_often(months: int, open_sqlite: OpenTown) -> None:
    edition = variant(EXAMPLE, "variant-2026", ("    every_months: 3\n", f"    every_months: {months}\n"))
    town = settle(open_sqlite(edition, "2026-01-06 09:00"))
    add_site(town)
    called = 0
    for month in range(1, 13):
        moment = called_at(period_of(date(2026, month, 1), every_months=months), town.resources.calendar)
        at_eight = max(moment, at(f"2026-{month:02d}-09 08:00"))
        called += len(open_routine_meetings(town.resources, at=at_eight))
    assert called == 12 // months - 1, "the parlour is younger than the first period"


def test_an_edition_that_does_not_divide_the_year_or_lets_time_hold_a_meeting_is_refused() -> None:
    with pytest.raises(BadPolicy, match="every_months 须为1、2、3、4、6或12"):
        variant(EXAMPLE, "variant-2026", ("    every_months: 3\n", "    every_months: 5\n"))
    late = "        escalate: {to: office_head, after_days: 1, source: default}\n      resolutions:\n"
    at_once = late.replace("after_days: 1", "after_days: 0").replace(
        "      resolutions:", "        lapse: {verdict: held, source: default}\n      resolutions:"
    )
    with pytest.raises(BadPolicy, match="meeting 不能因期限届满而作出决定"):
        variant(EXAMPLE, "variant-2026", (late, at_once))


# -- what is printed -------------------------------------------------------------------------------------------------


def printed(town: Township, kind: DocumentKind, number: str) -> Paper:
    return Paper(make_document(town.resources, kind, number, at=town.now()))


def test_the_sheet_to_sign_lists_the_roll_and_the_minutes_what_was_decided(here: Township) -> None:
    number = call(here)
    sheet = printed(here, DocumentKind.SIGN_IN, number)
    assert sheet.paragraphs[0] == "春季联席会议议程和签到表"
    assert sheet.value("时间") == "2026年4月15日14:00"
    assert [row[2] for row in sheet.table("签名")] == list(roll(here, number))
    assert "1. 通报一季度活动情况" in sheet.text
    with pytest.raises(Refused, match="没有会议纪要可印;还缺:召开日期、7人的签到"):
        printed(here, DocumentKind.MINUTES, number)
    here.clock.move_to(at("2026-04-15 16:00"))
    rest = [code for code in INVITED if code != LIAISON]
    hold(
        here, number, [("更换音响", RESPONSIBLE, date(2026, 4, 30))], attended=rest, on_leave=[LIAISON], guests="金老师"
    )
    paper = printed(here, DocumentKind.MINUTES, number)
    assert paper.paragraphs[0] == "春季联席会议纪要"
    assert paper.table("承办人") == [["1", "更换音响", "周责任", "周荡村", "2026年4月30日（办理中）"]]
    assert "实到6人" in paper.text
    assert "请假：李联络" in paper.text
    assert "列席：金老师" in paper.text
    with pytest.raises(Refused, match="可以打印"):
        printed(here, DocumentKind.VOTE, number)


def test_a_meetings_case_is_none_of_anything_else(here: Township) -> None:
    number = held(here, [("更换音响", RESPONSIBLE, date(2026, 4, 30))])
    [each] = resolutions(here, number)
    assert here.case(each.case.number).kind is CaseKind.RESOLUTION
    with pytest.raises(Refused, match="是“议定事项”,不是联席会议"):
        record(here, each.case.number, minutes="误填")
    with pytest.raises(Refused, match="是“联席会议”,不是议定事项"):
        complete(here, number, by=HEAD_OF_OFFICE)


# -- machines that were off ------------------------------------------------------------------------------------------


def test_a_machine_that_was_off_over_the_meetings_day_invites_nobody_to_it(quarter: Township) -> None:
    quarter.clock.move_to(at("2026-10-08 08:00"))
    [number] = open_routine_meetings(quarter.resources, at=quarter.now())
    quarter.rehearsal.carry(number)
    quarter.pass_until("2026-10-19 10:00")
    assert meeting(quarter, number).meets_at == at("2026-10-22 14:00")
    before = len(quarter.told("meeting_invitation"))
    quarter.sleep_until("2026-10-27 08:00")
    assert quarter.told("escalation") == ["丁主任"]
    assert change(quarter, number, place="三楼会议室", chair="丁主任") == ("地点定为三楼会议室", "主持人定为丁主任")
    hold(quarter, number, held_on=date(2026, 10, 22))
    assert len(quarter.told("meeting_invitation")) == before
    assert quarter.case(number).status is CaseStatus.CLOSED
    assert faults(quarter) == []


def test_a_reminder_that_comes_late_on_the_day_reaches_only_who_holds_the_meeting(here: Township) -> None:
    number = call(here)
    here.pass_until("2026-04-10 10:00")
    before = len(here.told("meeting_invitation")), len(here.told("reminder"))
    here.sleep_until("2026-04-15 15:00")
    after = len(here.told("meeting_invitation")), len(here.told("reminder"))
    assert (after[0] - before[0], after[1] - before[1]) == (0, 2)
    with pytest.raises(Refused, match="没有填写与现在不同的"):
        change(here, number, begins="14:00")
    assert change(here, number, begins="13:30") == ("开会时刻改为13:30",), "as it was, for the minutes"
    assert change(here, number, begins="16:00") == ("开会时刻改为16:00",)
    assert len(here.told("meeting_invitation")) == after[0] + len(INVITED), "it is still to come"
    with pytest.raises(Refused, match="开会时刻14:30已经过去,来不及通知参会人员;请填写较晚的时刻,或办理延期"):
        change(here, number, begins="14:30")


def test_who_is_invited_hears_of_a_delay_before_any_run_goes_on(here: Township) -> None:
    number = call(here)
    before = len(here.told("meeting_invitation"))
    later = PostponeMeeting(case=number, by=REVIEWER, meets_on=in_days(here, 20), reason="防汛")
    meetings.postpone_meeting(here.resources, later, door=Door.CLI, at=here.now())
    assert len(here.told("meeting_invitation")) == before + len(INVITED)
    item = here.item(number)
    assert item is not None
    assert (item.gate, item.round, item.due_on) == (Gate.MEETING, 2, in_days(here, 20))
    here.rehearsal.carry(number)
    assert len(here.told("meeting_invitation")) == before + len(INVITED)
    assert faults(here) == []


def test_a_meeting_that_could_only_be_held_in_the_next_quarter_is_left_to_it(quarter: Township) -> None:
    quarter.sleep_until("2026-06-22 10:00")
    assert meeting_numbers(quarter) == []
    quarter.sleep_until("2026-07-01 10:00")
    [number] = meeting_numbers(quarter)
    assert quarter.case(number).title == "2026年第3季度联席会议"
    assert "2026年第2季度没有召集过联席会议" in quarter.entries("task_waiting")[-1].context["facts"]


def test_who_is_responsible_hears_of_a_delay_before_any_run_goes_on(here: Township) -> None:
    number = held(here, [("更换音响", RESPONSIBLE, date(2026, 5, 8))])
    [each] = resolutions(here, number)
    fields = {"case": each.case.number, "by": HEAD_OF_OFFICE, "due_on": date(2026, 6, 8), "reason": "供货推迟"}
    later = PostponeResolution.model_validate(fields)
    meeting_resolutions.postpone_resolution(here.resources, later, door=Door.CLI, at=here.now())
    item = here.item(each.case.number)
    assert item is not None
    assert (item.gate, item.round, item.due_on) == (Gate.FOLLOW_UP, 2, date(2026, 6, 8))
    assert here.told("resolution_assigned") == ["周责任"] * 2
    here.rehearsal.carry(each.case.number)
    assert here.told("resolution_assigned") == ["周责任"] * 2
    assert faults(here) == []


def test_who_came_and_has_left_since_is_recorded_as_having_come(here: Township) -> None:
    number = call(here)
    here.clock.move_to(at(f"{in_days(here, 8)} 16:00"))
    with here.resources.database.write() as session:
        session.execute(text("UPDATE people SET active = false WHERE code = 'P011'"))
    record(here, number, held_on=today(here), attended=["李联络(P011)"], rest_absent=True)
    assert (LIAISON, "ZD", "attended") in seats(here, number)
    assert faults(here) == []
