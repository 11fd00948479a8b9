"""D0-R4, D0-R12, D0-R13, D0-R16 at the edges: editions that follow each other, sheets as offices fill them in."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest
from openpyxl import Workbook
from pydantic import ValidationError
from sqlalchemy import select

from models.registry import Unit
from policies.errors import Refused
from policies.load import LoadedEdition
from policies.vocabulary import Door, SiteStatus, UnitKind
from tasks.activities import RecordedActivity, record_activities, void_activity
from tasks.catching_up import catch_up
from tasks.commands import Decide
from tasks.life_commands import RecordActivities, RecordPublicity, ReportThemes, VoidActivity
from tasks.life_sheets import ACTIVITY_HEADS, PUBLICITY_HEADS, THEME_HEADS, read_activities, read_publicity, read_themes
from tasks.publicity import RecordedItem, record_publicity
from tasks.sheets import read_decisions
from tasks.theme_rounds import ask_for_themes
from tasks.themes import submit_themes
from tasks.week_reports import report_weeks
from tests.desks import OpenTown, variant
from tests.duties import change, entry_of, report
from tests.parlours import add_site
from tests.township import REVIEWER, Township, at

EXAMPLE = "example-2026"
EVENING = at("2026-03-05 19:30").replace(tzinfo=None)
"""As a sheet keeps a day with its time."""


def put(town: Township, *lines: tuple[object, ...]) -> str:
    """Put a sheet into the documents folder, over what was there; return its name."""
    book = Workbook()
    for line in lines:
        book.worksheets[0].append(list(line))
    folder = town.resources.settings.documents_folder
    folder.mkdir(parents=True, exist_ok=True)
    book.save(folder / "表.xlsx")
    return "表.xlsx"


def use(town: Township, loaded: LoadedEdition) -> None:
    """Let the town use another edition from now on."""
    town.resources = replace(town.resources, editions={**town.resources.editions, loaded.edition.id: loaded})
    with town.resources.database.write() as session:
        session.scalars(select(Unit).where(Unit.kind == UnitKind.TOWN)).one().edition_id = loaded.edition.id


def following(day: str) -> LoadedEdition:
    """The example's edition, in force again from a later day."""
    return variant(EXAMPLE, "example-next", ("from: 2026-01-01", f"from: {day}"))


# -- editions that follow each other ----------------------------------------------------------------------------------


@pytest.mark.parametrize("begins", ["2027-01-01", "2027-01-04"])
def test_the_week_in_which_an_edition_follows_another_is_reported(open_sqlite: OpenTown, begins: str) -> None:
    town = open_sqlite(EXAMPLE, "2026-12-14 09:00")
    add_site(town)
    town.clock.move_to(at("2026-12-28 08:00"))
    report_weeks(town.resources, at=town.now())
    town.clock.move_to(at(f"{begins} 07:00"))
    use(town, following(begins))
    for day, week in (("2027-01-04", "2026-12-28"), ("2027-01-11", "2027-01-04")):
        town.clock.move_to(at(f"{day} 08:00"))
        (told,) = report_weeks(town.resources, at=town.now())
        assert [f"{each}" for each in told.weeks] == [week]
    assert len(town.told("week_missing")) == 3


def test_a_month_that_was_asked_for_is_carried_on_by_the_edition_that_follows(open_sqlite: OpenTown) -> None:
    town = open_sqlite(EXAMPLE, "2026-12-01 09:00")
    add_site(town)
    town.clock.move_to(at("2026-12-15 08:00"))
    ask_for_themes(town.resources, at=town.now())
    use(town, following("2026-12-20"))
    for day, step in (("2026-12-22", "提醒"), ("2026-12-24", "提醒"), ("2026-12-26", "督办")):
        town.clock.move_to(at(f"{day} 08:00"))
        (told,) = ask_for_themes(town.resources, at=town.now())
        assert told.step == step


def test_a_month_is_asked_for_late_by_an_edition_that_came_after_its_day(open_sqlite: OpenTown) -> None:
    town = open_sqlite(EXAMPLE, "2026-11-02 09:00")
    add_site(town)
    for day in ("2026-11-15", "2026-11-22", "2026-11-24", "2026-11-26"):
        town.clock.move_to(at(f"{day} 08:00"))
        assert len(ask_for_themes(town.resources, at=town.now())) == 1
    use(town, following("2026-12-18"))
    town.clock.move_to(at("2026-12-19 08:00"))  # nothing ran on the 15th
    (told,) = ask_for_themes(town.resources, at=town.now())
    assert (told.month, told.step, told.late_days) == (date(2027, 1, 1), "通知", 4)


def test_a_parlour_listed_on_the_day_of_asking_is_asked(open_sqlite: OpenTown) -> None:
    town = open_sqlite(EXAMPLE, "2026-03-15 07:00")
    add_site(town)
    town.clock.move_to(at("2026-03-15 08:00"))
    (told,) = ask_for_themes(town.resources, at=town.now())
    assert (told.month, told.step, told.owing, told.missing) == (date(2026, 4, 1), "通知", 1, 1)


def test_a_town_that_comes_to_duties_by_another_edition_owes_nothing_for_before(open_sqlite: OpenTown) -> None:
    town = open_sqlite("xuhang-2013", "2013-05-06 10:00")
    add_site(town)
    town.clock.move_to(at("2026-06-20 10:00"))
    use(town, town.resources.editions[EXAMPLE])
    told: list[str] = []
    for day in ("2026-06-20 10:00", "2026-06-22 09:30", "2026-06-26 09:30", "2026-06-29 09:30"):
        town.clock.move_to(at(day))
        told += [each for each in catch_up(town.resources, at=town.now()) if "主题" in each or "活动" in each]
    assert told == ["朱家角镇2026年6月22日至6月28日活动通报:1个客堂间缺活动记录"]
    town.clock.move_to(at("2026-07-15 09:30"))
    assert "朱家角镇2026年8月主题通知:应报1个,未报1个" in catch_up(town.resources, at=town.now())
    assert town.told("theme_missing") == []


# -- sheets -----------------------------------------------------------------------------------------------------------


def test_two_themes_of_one_month_in_a_sheet_are_refused(open_sqlite: OpenTown) -> None:
    town = open_sqlite(EXAMPLE, "2026-03-02 09:00")
    number = add_site(town)

    def brought(*titles: str) -> int:
        name = put(town, tuple(THEME_HEADS), *((number, "2026-04", title, "") for title in titles))
        found = read_themes(town.resources.settings.documents_folder, name)
        command = ReportThemes(by=REVIEWER, themes=[entry for _, entry in found])
        rows = [row for row, _ in found]
        return len(submit_themes(town.resources, command, door=Door.SHEET, at=town.now(), rows=rows))

    with pytest.raises(Refused, match=r"第3行“主题”.*2026年4月的主题“歌会”与第2行的“诗会”或其计划不同"):
        brought("诗会", "歌会")
    assert brought("诗会", "诗会") == 2


def test_a_month_that_a_spreadsheet_cut_short_is_refused(open_sqlite: OpenTown) -> None:
    town = open_sqlite(EXAMPLE, "2026-03-02 09:00")
    folder = town.resources.settings.documents_folder
    name = put(town, tuple(THEME_HEADS), ("KT-1", 2026.10, "诗会", ""))
    with pytest.raises(Refused, match=r"“2026\.1”可能是1月,也可能是被表格截短的10月"):
        read_themes(folder, name)
    for month in ("2026.04", 2026.4, "2026年4月", EVENING.replace(month=4)):
        put(town, tuple(THEME_HEADS), ("KT-1", month, "诗会", ""))
        ((_, entry),) = read_themes(folder, name)
        assert entry.month == date(2026, 4, 1)


def test_days_are_read_as_offices_write_them_and_refused_in_chinese(open_sqlite: OpenTown) -> None:
    town = open_sqlite(EXAMPLE, "2026-03-02 09:00")
    folder = town.resources.settings.documents_folder
    for cell in ("2026年3月5日", "2026/3/5", "2026.3.5", date(2026, 3, 5), EVENING):
        name = put(town, tuple(ACTIVITY_HEADS), ("KT-1", cell, "文体服务", "诗会", 30.0, "", "", ""))
        ((_, entry),) = read_activities(folder, name)
        assert (entry.held_on, entry.attendance) == (date(2026, 3, 5), 30)
    for faulty in (46086, "20260305", "3月5日", "2026-2-30"):
        put(town, tuple(ACTIVITY_HEADS), ("KT-1", faulty, "文体服务", "诗会", 30, "", "", ""))
        with pytest.raises(Refused, match=r"第2行:“活动日期”[^a-z]*请写作 2026-03-05\(现值"):
            read_activities(folder, name)


def test_a_sheet_of_publicity_may_go_on_being_filled_in(open_sqlite: OpenTown) -> None:
    town = open_sqlite(EXAMPLE, "2026-03-02 09:00")
    number, other = add_site(town), add_site(town)
    channel = town.resources.editions[EXAMPLE].edition.for_sites.publicity_channels[0].name
    first = (channel, date(2026, 3, 1), "开张", "", number)

    def brought(key: str, *lines: tuple[object, ...]) -> list[RecordedItem]:
        found = read_publicity(town.resources.settings.documents_folder, put(town, tuple(PUBLICITY_HEADS), *lines))
        command = RecordPublicity(by=REVIEWER, items=[entry for _, entry in found])
        rows = [row for row, _ in found]
        return record_publicity(town.resources, command, door=Door.SHEET, key=key, at=town.now(), rows=rows)

    assert [each.known for each in brought("a", first)] == [False]
    assert [each.known for each in brought("b", first, (channel, date(2026, 3, 2), "诗会", "", number))] == [
        True,
        False,
    ]
    with pytest.raises(Refused, match=r"第2行“标题”.*已经登记\(登记号1\)"):
        brought("c", (*first[:4], f"{number}、{other}"))
    twice = (channel, date(2026, 3, 2), "歌会", "", number)
    with pytest.raises(Refused, match=r"第3行“标题”.*“歌会”已经登记"):
        brought("d", twice, twice)


def test_several_sites_in_a_cell_are_told_apart_however_they_are_divided(open_sqlite: OpenTown) -> None:
    town = open_sqlite(EXAMPLE, "2026-03-02 09:00")
    folder = town.resources.settings.documents_folder
    one, two = "KT-2026-0001-S", "KT-2026-0002-S"
    for between in ("、", ",", "\uff0c", "\uff1b", "\n", " ", "\u3000"):
        name = put(town, tuple(PUBLICITY_HEADS), ("镇级网站", date(2026, 3, 1), "开张", "", f"{one}{between}{two}"))
        ((_, entry),) = read_publicity(folder, name)
        assert entry.sites == [one, two], repr(between)
    put(town, tuple(PUBLICITY_HEADS), ("镇级网站", date(2026, 3, 1), "开张", "", f"{one} 周荡村5组张三户"))
    ((_, entry),) = read_publicity(folder, name)
    assert entry.sites == [f"{one} 周荡村5组张三户"]


def test_what_was_voided_does_not_come_back_by_its_sheet(open_sqlite: OpenTown) -> None:
    town = open_sqlite(EXAMPLE, "2026-03-09 09:00")
    number = add_site(town, since=at("2026-03-02 09:00"))

    def brought(key: str, *lines: tuple[object, ...]) -> list[RecordedActivity]:
        folder = town.resources.settings.documents_folder
        found = read_activities(folder, put(town, tuple(ACTIVITY_HEADS), *lines))
        command = RecordActivities(by=REVIEWER, activities=[entry for _, entry in found])
        rows = [row for row, _ in found]
        return record_activities(town.resources, command, door=Door.SHEET, key=key, at=town.now(), rows=rows)

    first = (number, date(2026, 3, 4), "文体服务", "诗会", 30, "", "", "")
    (done,) = brought("a", first)
    void = VoidActivity(by=REVIEWER, activity=done.id, reason="没有举办")
    void_activity(town.resources, void, door=Door.CLI, at=town.now())
    with pytest.raises(
        Refused, match=rf"第2行“活动名称”.*\(登记号{done.id}\)登记后已作废,理由:没有举办;请从表中删去该行"
    ):
        brought("b", first, (number, date(2026, 3, 5), "文体服务", "歌会", 30, "", "", ""))
    corrected = (*first[:4], 25, "", "", "")
    assert [each.known for each in brought("c", corrected)] == [False]
    assert [each.known for each in brought("d", corrected)] == [True]


def test_warnings_in_a_sheet_of_decisions_are_divided_by_either_semicolon(open_sqlite: OpenTown) -> None:
    town = open_sqlite(EXAMPLE, "2026-03-02 09:00")
    heads = ("案件编号", "办理人", "决定", "理由", "已知悉的提示")
    name = put(town, heads, ("KT-2026-0001", REVIEWER, "批准", "", "甲\uff1b乙;丙、丁"))
    ((_, _, command),) = read_decisions(town.resources.settings.documents_folder, name)
    assert isinstance(command, Decide)
    assert command.acknowledged == ["甲", "乙", "丙", "丁"]


# -- odd days and numbers ---------------------------------------------------------------------------------------------


def test_who_was_suspended_and_resumed_on_one_day_owes_as_before(open_sqlite: OpenTown) -> None:
    town = open_sqlite(EXAMPLE, "2026-03-02 09:00")
    number = add_site(town)
    town.clock.move_to(at("2026-03-18 09:00"))
    change(town, number, SiteStatus.SUSPENDED, on=date(2026, 3, 18))
    change(town, number, SiteStatus.ACTIVE, on=date(2026, 3, 18))
    town.clock.move_to(at("2026-03-23 08:00"))
    (week,) = report_weeks(town.resources, at=town.now())
    (theme,) = ask_for_themes(town.resources, at=town.now())
    assert (week.missing, theme.missing) == (1, 1)
    assert report(town, number, "2026-04").late is False


def test_months_and_numbers_out_of_the_calendar_and_the_database_are_refused(open_sqlite: OpenTown) -> None:
    town = open_sqlite(EXAMPLE, "2026-03-02 09:00")
    for month in ("9999-12", "0001-01"):
        with pytest.raises(ValidationError, match="不是一个月份"):
            report(town, add_site(town), month)
    with pytest.raises(ValidationError, match="less_than_equal"):
        VoidActivity(by=REVIEWER, activity=2**63, reason="没有举办")


def test_a_sheet_that_comes_twice_at_once_is_recorded_once(open_town: OpenTown) -> None:
    town = open_town(EXAMPLE, "2026-03-04 09:00")
    sites = [add_site(town, since=at("2026-03-02 09:00")) for _ in range(3)]
    entries = [entry_of(number, "2026-03-03") for number in sites]

    def brought(way: int) -> list[bool]:
        ordered = entries if way else entries[::-1]
        command = RecordActivities(by=REVIEWER, activities=ordered)
        done = record_activities(
            town.resources, command, door=Door.SHEET, key=f"sheet:{way}", at=town.now(), rows=[2, 3, 4]
        )
        return [each.known for each in done]

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(brought, range(2))) == [[False] * 3, [True] * 3]
