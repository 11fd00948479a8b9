"""D0-R4, D0-R13, D0-R18: activities are recorded with day, category and attendance; an idle week is told once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from models.registry import Unit
from models.site_life import Activity
from policies.errors import Refused
from policies.life_words import DutyKind
from policies.vocabulary import Door, SiteStatus, UnitKind
from tasks.activities import activities_between, record_activities, void_activity
from tasks.catching_up import catch_up
from tasks.documents import changed_documents
from tasks.life_commands import RecordActivities, VoidActivity
from tasks.life_sheets import read_activities
from tasks.week_reports import WeekRound, catch_up_weeks, report_weeks, week_of
from tests.desks import OpenTown
from tests.duties import add_many, change, counted, entry_of, faults, letter, marked, record
from tests.parlours import add_site, add_village, case_number, site_of
from tests.township import HEAD_OF_OFFICE, LEADER, REVIEWER, STRANGER, Township, at

EXAMPLE = "example-2026"


def monday(town: Township, day: str) -> list[WeekRound]:
    """Let the schedule come at 8:00 of a Monday."""
    town.clock.move_to(at(f"{day} 08:00"))
    return report_weeks(town.resources, at=town.now())


def void(town: Township, number: int, *, by: str = REVIEWER, reason: str = "登记重复") -> str:
    command = VoidActivity(by=by, activity=number, reason=reason)
    return void_activity(town.resources, command, door=Door.CLI, at=town.now())


def held(town: Township) -> list[Activity]:
    with town.resources.database.read() as session:
        return activities_between(session, first=date(2026, 1, 1), last=date(2026, 12, 31))


# -- recording --------------------------------------------------------------------------------------------------------


def test_an_activity_keeps_its_day_and_the_day_of_its_record(open_town: OpenTown) -> None:
    town = open_town(EXAMPLE, "2026-03-02 09:00")
    number = add_site(town)
    town.clock.move_to(at("2026-03-20 15:00"))
    photo = town.proof("灯谜会.jpg")
    (done,) = record(town, entry_of(number, "2026-03-08", photo=photo, summary="猜谜"))
    assert (done.late_days, str(done)) == (5, f"{number} 2026-03-08“灯谜会”登记号{done.id}(超过登记期限5日)")
    (kept,) = held(town)
    assert (kept.held_on, kept.week, kept.recorded_at) == (date(2026, 3, 8), date(2026, 3, 2), town.now())
    assert (kept.category, kept.attendance) == ("culture_sports", 30)
    assert kept.organiser == f"负责人{site_of(town, number).group_id}"
    assert "登记2026-03-08活动“灯谜会”(文体服务),参加30人" in town.history(case_number(number))[-1].summary
    assert faults(town) == []
    folder = town.resources.settings.documents_folder
    (folder / photo).write_bytes(b"changed")
    with town.resources.database.read() as session:
        assert len(list(changed_documents(session, folder=folder))) == 1


def test_the_same_key_records_once_and_the_same_activity_is_refused(open_sqlite: OpenTown) -> None:
    town = open_sqlite(EXAMPLE, "2026-03-02 09:00")
    number = add_site(town)
    two = (entry_of(number, "2026-03-02"), entry_of(number, "2026-03-02", title="歌会"))
    first = record(town, *two, key="run:1")
    again = record(town, *two, key="run:1")
    assert [each.id for each in first] == [each.id for each in again]
    assert [each.known for each in first + again] == [False, False, True, True]
    with pytest.raises(
        Refused, match=rf"“灯谜会”已经登记\(登记号{first[0].id},30人\);同日另有一场的,请在名称中写明场次"
    ):
        record(town, entry_of(number, "2026-03-02"), key="run:2")
    assert len(held(town)) == 2


def test_what_the_rules_refuse_is_told_with_the_value_and_what_to_do(open_sqlite: OpenTown) -> None:
    town = open_sqlite(EXAMPLE, "2026-03-02 09:00")
    number = add_site(town)
    change(town, number, SiteStatus.SUSPENDED, on=date(2026, 3, 10))
    town.clock.move_to(at("2026-03-20 09:00"))
    for on, reason in (
        ("2026-03-21", r"活动日期2026-03-21还没有到\(今天是2026-03-20\),请在活动举办之后登记"),
        ("2026-03-01", "在2026-03-01尚未列入名册,不能举办活动"),
        ("2026-03-10", "自2026-03-10起暂停运行,2026-03-10不能举办活动"),
    ):
        with pytest.raises(Refused, match=reason):
            record(town, entry_of(number, on))
    with pytest.raises(Refused, match="“打牌”不是本方案的活动类别,请从中选择:助老服务、助医服务、便民服务、文体服务"):
        record(town, entry_of(number, "2026-03-03", category="打牌"))
    with pytest.raises(Refused, match="资料文件夹中没有“无"):
        record(town, entry_of(number, "2026-03-03", photo="无.jpg"))
    for by in (STRANGER, LEADER):
        with pytest.raises(Refused, match="无权为客堂间"):
            record(town, entry_of(number, "2026-03-03"), by=by)
    assert held(town) == []
    # Before it rested, also when it is recorded while it rests.
    assert record(town, entry_of(number, "2026-03-09"))[0].late_days == 4


def test_a_sheet_is_taken_as_a_whole_or_not_at_all_and_only_once(open_sqlite: OpenTown, tmp_path: Path) -> None:
    town = open_sqlite(EXAMPLE, "2026-03-02 09:00")
    first, second = add_site(town), add_site(town)
    town.clock.move_to(at("2026-03-20 09:00"))
    sheet = tmp_path / "活动.csv"

    def taken(*lines: str, key: str = "sheet:1") -> list[bool]:
        head = "客堂间编号,活动日期,类别,活动名称,参加人数"
        sheet.write_text("\n".join([head, *lines]), encoding="utf-8")
        found = read_activities(tmp_path, sheet.name)
        done = record_activities(
            town.resources,
            RecordActivities(by=REVIEWER, activities=[entry for _, entry in found]),
            door=Door.SHEET,
            key=key,
            at=town.now(),
            rows=[row for row, _ in found],
        )
        return [each.known for each in done]

    with pytest.raises(Refused) as wrong:
        taken(
            f"{first},三月三日,文体服务,歌会,20",
            f"{first},2026-03-03,文体服务,歌会,",
            f"{first},2026-02-30,文体服务,歌会,二十",
        )
    told = wrong.value.reason
    assert "第2行:“活动日期”" in told
    assert "第3行:“参加人数”" in told
    assert "第4行:“活动日期”没有这一天,请写作 2026-03-05(现值:2026-02-30);“参加人数”" in told
    with pytest.raises(Refused) as wrong:
        taken(
            f"{first},2026-03-03,文体服务,歌会,20",
            f"{second},2026-03-21,打牌,歌会,20",
            "KT-1999-0001-S,2026-03-03,文体服务,歌会,20",
            f"{first},2026/3/3,助老服务,歌会,20",
        )
    told = wrong.value.reason
    assert "有4处有误,活动均未登记" in told
    assert "第3行“活动日期”:活动日期2026-03-21还没有到" in told
    assert "第3行“类别”:“打牌”不是本方案的活动类别" in told
    assert "第4行“客堂间编号”:名册中没有客堂间" in told
    assert "第5行“活动名称”" in told
    assert held(town) == []
    good = (f"{first},2026年3月3日,文体服务,歌会,20", f"{second},2026-03-03 00:00:00,elderly,理发,8")
    assert taken(*good) == [False, False]
    assert taken(*good) == [True, True]
    assert [(each.title, each.door) for each in held(town)] == [("歌会", Door.SHEET), ("理发", Door.SHEET)]
    # The same sheet, filled in further; but what differs, or stands in it twice, is no repetition.
    further = f"{first},2026-03-10,文体服务,歌会,25"
    assert taken(*good, further, key="sheet:2") == [True, True, False]
    for wrong_line in (f"{first},2026-03-10,文体服务,歌会,26", f"{first},2026-03-10,助老服务,歌会,25"):
        with pytest.raises(Refused, match="第2行“活动名称”"):
            taken(wrong_line, key="sheet:3")
    with pytest.raises(Refused, match="第3行“活动名称”"):
        taken(*[f"{first},2026-03-11,文体服务,歌会,25"] * 2, key="sheet:4")
    assert faults(town) == []


def test_a_voided_activity_counts_no_more_and_stays_on_record(open_sqlite: OpenTown) -> None:
    town = open_sqlite(EXAMPLE, "2026-03-02 09:00")
    number = add_site(town)
    (done,) = record(town, entry_of(number, "2026-03-02"))
    with pytest.raises(Refused, match="无权为客堂间"):
        void(town, done.id, by=STRANGER)
    with pytest.raises(Refused, match="没有登记号为999的活动"):
        void(town, 999)
    assert void(town, done.id, by=HEAD_OF_OFFICE) == f"{number} 2026-03-02“灯谜会”(登记号{done.id})"
    with pytest.raises(Refused, match=r"已于2026-03-02作废,理由:登记重复;不必再次作废"):
        void(town, done.id)
    assert held(town) == []
    with town.resources.database.read() as session:
        assert session.scalars(select(Activity.voided_because)).all() == ["登记重复"]
    assert record(town, entry_of(number, "2026-03-02"), key="again")[0].known is False
    assert faults(town) == []


def test_activities_are_read_by_days_and_villages(open_sqlite: OpenTown) -> None:
    town = open_sqlite(EXAMPLE, "2026-03-02 09:00")
    add_village(town, "DX", "淀西村")
    here, there = add_site(town), add_site(town, village="DX")
    town.clock.move_to(at("2026-03-20 09:00"))
    record(town, entry_of(there, "2026-03-05"), entry_of(here, "2026-03-04"), entry_of(here, "2026-03-10"))
    with town.resources.database.read() as session:
        village = session.scalars(select(Unit.id).where(Unit.code == "DX")).one()

        def between(first: int, last: int, *villages: int) -> list[tuple[str, int]]:
            found = activities_between(
                session,
                first=date(2026, 3, first),
                last=date(2026, 3, last),
                village_ids=villages if villages else None,
            )
            return [(each.site.number, each.held_on.day) for each in found]

        assert between(4, 10) == [(here, 4), (there, 5), (here, 10)]
        assert between(5, 9) == [(there, 5)]
        assert between(1, 31, village) == [(there, 5)]
        assert activities_between(session, first=date(2026, 3, 1), last=date(2026, 3, 31), village_ids=[]) == []


# -- weeks ------------------------------------------------------------------------------------------------------------


def test_a_week_without_activities_is_told_to_leader_and_village_once(open_town: OpenTown) -> None:
    town = open_town(EXAMPLE, "2026-03-02 09:00")
    idle, busy, voided = (add_site(town) for _ in range(3))
    town.clock.move_to(at("2026-03-08 20:00"))
    record(town, entry_of(busy, "2026-03-08"))
    (mistaken,) = record(town, entry_of(voided, "2026-03-04"))
    void(town, mistaken.id)
    assert report_weeks(town.resources, at=town.now()) == []
    (done,) = monday(town, "2026-03-09")
    assert str(done) == "朱家角镇2026年3月2日至3月8日活动通报:2个客堂间缺活动记录"
    assert report_weeks(town.resources, at=town.now()) == []
    listed = letter(town, "weeks_missing")
    assert (listed.to_name, listed.context["late_note"]) == ("周责任", "")
    assert [line.partition("（")[0] for line in listed.context["sites"]] == [idle, voided]
    assert listed.context["sites"][0].endswith("：2026年3月2日至3月8日（已记录0次）")
    assert len(town.told("week_missing")) == 2
    assert marked(town, DutyKind.ACTIVITY) == [("2026-03-02", "report", 1, 0, False)]
    # Recorded late, it counts in its week, but nobody is told twice.
    record(town, entry_of(idle, "2026-03-03"))
    with town.resources.database.read() as session:
        unit = session.scalars(select(Unit).where(Unit.kind == UnitKind.TOWN)).one()
        assert [line.recorded for line in week_of(session, unit, date(2026, 3, 2))] == [1, 1, 0]
    assert catch_up_weeks(town.resources, at("2026-03-15 23:00")) == ""
    assert faults(town) == []


def test_down_over_a_monday_the_sweep_tells_it_late(open_sqlite: OpenTown) -> None:
    town = open_sqlite(EXAMPLE, "2026-03-02 07:00")
    add_site(town)
    assert catch_up_weeks(town.resources, at("2026-03-09 08:59")) == ""
    town.clock.move_to(at("2026-03-10 07:30"))
    told = [each for each in catch_up(town.resources, at=town.now()) if "活动通报" in each]
    assert told == ["朱家角镇2026年3月2日至3月8日活动通报(迟1日):1个客堂间缺活动记录"]
    assert [each for each in catch_up(town.resources, at=town.now()) if "活动通报" in each] == []
    assert letter(town, "week_missing").context["late_note"] == "本函应于2026年3月9日发出，因系统停运推迟至今天"
    assert marked(town, DutyKind.ACTIVITY) == [("2026-03-02", "report", 1, 1, False)]


def test_three_mondays_missed_go_into_one_letter(open_sqlite: OpenTown) -> None:
    town = open_sqlite(EXAMPLE, "2026-03-02 07:00")
    number = add_site(town)
    monday(town, "2026-03-09")
    before = len(town.entries())
    town.clock.move_to(at("2026-03-24 09:00"))
    record(town, entry_of(number, "2026-03-18"))
    town.clock.move_to(at("2026-03-31 10:00"))
    (done,) = report_weeks(town.resources, at=town.now())
    assert (done.weeks, done.late_days) == ((date(2026, 3, 9), date(2026, 3, 16), date(2026, 3, 23)), 15)
    mine, villages = town.entries()[before:]
    assert (mine.letter.value, villages.letter.value) == ("week_missing", "weeks_missing")
    assert mine.context["weeks"] == "2026年3月9日至3月15日、2026年3月23日至3月29日"
    assert mine.context["late_note"] == "本函应于2026年3月16日发出，因系统停运推迟至今天"
    assert report_weeks(town.resources, at=town.now()) == []
    assert [late for *_, late, _ in marked(town, DutyKind.ACTIVITY)] == [0, 15, 8, 1]


def test_the_years_last_week_is_told_in_the_new_year(open_sqlite: OpenTown) -> None:
    town = open_sqlite(EXAMPLE, "2026-12-28 07:00")
    add_site(town)
    town.clock.move_to(at("2027-01-05 09:00"))
    (done,) = report_weeks(town.resources, at=town.now())
    assert str(done) == "朱家角镇2026年12月28日至2027年1月3日活动通报(迟1日):1个客堂间缺活动记录"


def test_a_week_is_owed_by_who_was_active_on_all_its_days(open_sqlite: OpenTown) -> None:
    town = open_sqlite(EXAMPLE, "2026-03-02 07:00")
    whole, resting = add_site(town), add_site(town)
    town.clock.move_to(at("2026-03-03 07:00"))
    add_site(town)
    change(town, resting, SiteStatus.SUSPENDED, on=date(2026, 3, 8))
    (done,) = monday(town, "2026-03-09")
    assert done.missing == 1
    (line,) = letter(town, "week_missing").context["sites"]
    assert line.startswith(whole)


def test_a_leader_of_two_sites_gets_one_letter_and_one_without_an_address_is_listed(open_sqlite: OpenTown) -> None:
    town = open_sqlite(EXAMPLE, "2026-03-02 07:00")
    both = [add_site(town, leader=LEADER), add_site(town, leader=LEADER)]
    silent = add_site(town, email=None)
    (done,) = monday(town, "2026-03-09")
    assert done.unreachable == 1
    assert [line.partition("（")[0] for line in letter(town, "week_missing", "陆负责").context["sites"]] == both
    (line,) = letter(town, "weeks_missing").context["unreachable"]
    assert line.endswith(f"（没有电子邮箱）：{silent}")


def test_where_nobody_owes_a_week_nobody_is_told(open_sqlite: OpenTown) -> None:
    town = open_sqlite(EXAMPLE, "2026-03-03 07:00")
    assert monday(town, "2026-03-09") == []
    add_site(town)
    assert monday(town, "2026-03-09") == []
    with counted(town) as seen:
        assert catch_up_weeks(town.resources, at("2026-03-12 12:00")) == ""
    assert len([each for each in seen if each.startswith("SELECT")]) <= 4
    assert town.entries() == []


def test_two_runs_at_once_report_a_week_once(open_town: OpenTown) -> None:
    town = open_town(EXAMPLE, "2026-03-02 07:00")
    add_site(town)
    town.clock.move_to(at("2026-03-09 08:00"))
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: report_weeks(town.resources, at=town.now()), range(2)))
    assert len([each for rounds in done for each in rounds]) == 1
    assert sorted(each.letter.value for each in town.entries()) == ["week_missing", "weeks_missing"]


def test_more_sites_cost_no_more_statements(open_sqlite: OpenTown) -> None:
    town = open_sqlite(EXAMPLE, "2026-03-02 07:00")
    spent = []
    for more, listed, day in ((99, "2026-03-02 07:00", "2026-03-09"), (199, "2026-03-09 08:30", "2026-03-16")):
        town.clock.move_to(at(listed))
        add_many(town, more)
        town.clock.move_to(at(f"{day} 08:00"))
        with counted(town) as seen:
            (done,) = report_weeks(town.resources, at=town.now())
        spent.append((done.missing, len(seen)))
    assert [missing for missing, _ in spent] == [100, 300]
    assert spent[1][1] <= spent[0][1] + 3
