"""D0-R4, D0-R12: every active site owes a theme a month; asked, reminded, reported once, also after a standstill."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from models.site_life import Theme
from models.work_item import WorkItem
from policies.errors import Refused
from policies.life_words import DutyKind
from policies.vocabulary import Door, LetterStatus, SiteStatus
from tasks import duties
from tasks.catching_up import catch_up
from tasks.life_commands import ReportThemes
from tasks.life_sheets import read_themes
from tasks.theme_rounds import ask_for_themes, catch_up_themes
from tasks.themes import months_running, submit_themes, themes_of
from tests.desks import OpenTown
from tests.duties import add_many, change, counted, faults, letter, marked, report
from tests.parlours import add_site, add_village, case_number, site_of
from tests.township import HEAD_OF_OFFICE, LEADER, LIAISON, RESPONSIBLE, REVIEWER, STRANGER, Township, at

EXAMPLE = "example-2026"


def morning(town: Township, day: str) -> list[str]:
    """Let the schedule come at 8:00 of a day."""
    town.clock.move_to(at(f"{day} 08:00"))
    return [str(each) for each in ask_for_themes(town.resources, at=town.now())]


def settled(open_town: OpenTown, now: str = "2026-03-02 09:00") -> Township:
    town = open_town(EXAMPLE, now)
    town.sites = [add_site(town), add_site(town)]  # type: ignore[attr-defined]
    return town


def sites(town: Township) -> list[str]:
    listed: list[str] = town.sites  # type: ignore[attr-defined]
    return listed


def leader_name(town: Township, number: str) -> str:
    return f"负责人{site_of(town, number).group_id}"


def themes_caught_up(town: Township) -> list[str]:
    """What the sweep made up for; the weeks are another matter."""
    return [each for each in catch_up(town.resources, at=town.now()) if "主题" in each]


def test_a_month_is_asked_reminded_and_reported_by_the_days_of_the_edition(open_town: OpenTown) -> None:
    town = settled(open_town)
    first, second = sites(town)
    assert morning(town, "2026-03-14") == []
    assert town.entries() == []
    (told,) = morning(town, "2026-03-15")
    assert told == "朱家角镇2026年4月主题通知:应报2个,未报2个"
    assert sorted(town.told("theme_asked")) == sorted([leader_name(town, first), leader_name(town, second)])
    assert morning(town, "2026-03-15") == []
    assert report(town, first, "2026-04").late is False
    morning(town, "2026-03-22")
    morning(town, "2026-03-24")
    assert town.told("theme_missing") == [leader_name(town, second)] * 2
    assert "已逾期" not in str(letter_of_second(town))
    (told,) = morning(town, "2026-03-26")
    assert "督办:应报2个,未报1个" in told
    listed = letter(town, "themes_missing")
    assert (listed.to_name, listed.context["late_note"], listed.context["unreachable"]) == ("周责任", "", [])
    (line,) = listed.context["sites"]
    assert line.startswith(f"{second}（周荡村")
    assert leader_name(town, second) in line
    assert marked(town, DutyKind.THEME) == [
        ("2026-04-01", "ask", 1, 0, False),
        ("2026-04-01", "remind", 1, 0, False),
        ("2026-04-01", "remind", 2, 0, False),
        ("2026-04-01", "escalate", 1, 0, False),
    ]
    assert report(town, second, "2026-04").late is True
    assert faults(town) == []


def letter_of_second(town: Township) -> dict[str, object]:
    return town.entries("theme_missing")[-1].context


def test_down_over_the_due_day_is_caught_up_once_and_told_as_late(open_sqlite: OpenTown) -> None:
    town = settled(open_sqlite)
    first, second = sites(town)
    morning(town, "2026-03-15")
    report(town, first, "2026-04")
    town.clock.move_to(at("2026-03-28 10:20"))
    (told,) = themes_caught_up(town)
    assert "督办(迟2日,合并错过的2步):应报2个,未报1个" in told
    assert themes_caught_up(town) == []
    assert morning(town, "2026-03-29") == []
    # The leader's reminders were missed with it, so that the leader hears too, once.
    reminded = letter(town, "theme_missing")
    assert reminded.to_name == leader_name(town, second)
    assert "应于2026年3月25日前报送，已逾期3日" in reminded.context["sites"][0]
    late = "本函应于2026年3月26日发出，因系统停运推迟至今天"
    assert (reminded.context["late_note"], letter(town, "themes_missing").context["late_note"]) == (late, late)
    assert marked(town, DutyKind.THEME) == [
        ("2026-04-01", "ask", 1, 0, False),
        ("2026-04-01", "remind", 1, 6, True),
        ("2026-04-01", "remind", 2, 4, True),
        ("2026-04-01", "escalate", 1, 2, False),
    ]


def test_the_sweep_waits_an_hour_for_the_schedule(open_sqlite: OpenTown) -> None:
    town = settled(open_sqlite)
    assert catch_up_themes(town.resources, at("2026-03-15 08:59")) == ""
    assert town.entries() == []
    assert "通知:应报2个" in catch_up_themes(town.resources, at("2026-03-15 09:00"))
    assert town.told("theme_asked")
    assert letter(town, "theme_asked", leader_name(town, sites(town)[0])).context["late_note"] == ""


def test_down_over_new_year_the_theme_of_january_is_asked_for_late(open_sqlite: OpenTown) -> None:
    town = settled(open_sqlite, "2026-11-02 09:00")
    for day in ("2026-11-15", "2026-11-22", "2026-11-24", "2026-11-26"):
        morning(town, day)
    before = len(town.entries())
    town.clock.move_to(at("2027-01-04 09:30"))
    (told,) = themes_caught_up(town)
    assert "2027年1月主题督办(迟9日,合并错过的3步)" in told
    assert themes_caught_up(town) == []
    new = [each.letter.value for each in town.entries()[before:]]
    assert sorted(each for each in new if each.startswith("theme")) == [
        "theme_missing",
        "theme_missing",
        "themes_missing",
    ]
    assert report(town, sites(town)[0], "2027-01").late is True


def test_two_months_missed_go_into_one_letter_and_a_month_gone_is_only_named(open_sqlite: OpenTown) -> None:
    town = settled(open_sqlite, "2026-01-02 09:00")
    town.clock.move_to(at("2026-03-27 12:00"))
    told = [str(each) for each in ask_for_themes(town.resources, at=town.now())]
    assert [each[:14] for each in told] == ["朱家角镇2026年3月主题督", "朱家角镇2026年4月主题督"]
    assert len(town.told("theme_missing")) == 2
    assert len(town.told("themes_missing")) == 1
    mine = letter(town, "theme_missing", leader_name(town, sites(town)[0])).context
    assert mine["months"] == "2026年3月、2026年4月"
    assert len(mine["sites"]) == 2
    assert "2026年2月的主题也在停运期间错过" in mine["late_note"]
    gone = [each for each in marked(town, DutyKind.THEME) if each[0] == "2026-02-01"]
    assert len(gone) == 4
    assert all(merged for *_, merged in gone)
    assert ask_for_themes(town.resources, at=town.now()) == []


def test_a_leader_of_two_sites_gets_one_letter(open_sqlite: OpenTown) -> None:
    town = settled(open_sqlite)
    both = [add_site(town, leader=LEADER), add_site(town, leader=LEADER)]
    morning(town, "2026-03-15")
    assert [line.partition("（")[0] for line in letter(town, "theme_asked", "陆负责").context["sites"]] == both
    report(town, both[0], "2026-04", by=LEADER)
    morning(town, "2026-03-22")
    (line,) = letter(town, "theme_missing", "陆负责").context["sites"]
    assert line.startswith(both[1])


def test_who_rests_or_is_freshly_listed_owes_nothing(open_sqlite: OpenTown) -> None:
    town = settled(open_sqlite)
    resting, running = sites(town)
    change(town, resting, SiteStatus.SUSPENDED, on=date(2026, 3, 10))
    town.clock.move_to(at("2026-03-16 07:00"))
    fresh = add_site(town)
    (told,) = morning(town, "2026-03-16")
    assert "应报1个,未报1个" in told
    assert town.told("theme_asked") == [leader_name(town, running)]
    with pytest.raises(Refused, match=r"自2026-03-10起暂停运行"):
        report(town, resting, "2026-04")
    with pytest.raises(Refused, match=r"2026年4月的主题已于2026-03-15开始征集,不须报送;请自2026年5月起报送"):
        report(town, fresh, "2026-04")
    assert report(town, fresh, "2026-05").changed is False


def test_who_was_active_until_the_due_day_and_rests_now_is_not_urged(open_sqlite: OpenTown) -> None:
    town = settled(open_sqlite)
    resting, running = sites(town)
    town.clock.move_to(at("2026-03-26 07:00"))
    change(town, resting, SiteStatus.SUSPENDED, on=date(2026, 3, 26))
    (told,) = morning(town, "2026-03-26")
    assert "应报2个,未报1个" in told
    (line,) = letter(town, "themes_missing").context["sites"]
    assert line.startswith(running)


def test_a_town_without_sites_is_not_asked_and_costs_next_to_nothing(open_sqlite: OpenTown) -> None:
    town = open_sqlite(EXAMPLE, "2026-03-26 10:00")
    with counted(town) as seen:
        assert catch_up_themes(town.resources, town.now()) == ""
    assert len([each for each in seen if each.startswith("SELECT")]) <= 3
    assert (town.entries(), marked(town, DutyKind.THEME)) == ([], [])


def test_nothing_due_costs_next_to_nothing(open_sqlite: OpenTown) -> None:
    town = settled(open_sqlite)
    morning(town, "2026-03-15")
    with counted(town) as seen:
        assert catch_up_themes(town.resources, at("2026-03-16 12:00")) == ""
    assert len([each for each in seen if each.startswith("SELECT")]) <= 3


def test_two_runs_at_once_tell_everybody_once(open_town: OpenTown) -> None:
    town = settled(open_town)
    town.clock.move_to(at("2026-03-28 08:00"))
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: ask_for_themes(town.resources, at=town.now()), range(2)))
    assert len([each for rounds in done for each in rounds]) == 1
    assert len(town.entries()) == 3
    assert len(marked(town, DutyKind.THEME)) == 4


def test_a_run_that_died_between_two_batches_repeats_nothing_and_loses_nothing(
    open_town: OpenTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = settled(open_town)
    add_site(town)
    town.clock.move_to(at("2026-03-28 08:00"))
    monkeypatch.setattr(duties, "BATCH", 1)
    write, batches = duties.enqueue_many, []

    def dying(*args: object, **words: object) -> object:
        batches.append(words)
        if len(batches) == 3:
            raise RuntimeError("killed")
        return write(*args, **words)  # type: ignore[arg-type]

    monkeypatch.setattr(duties, "enqueue_many", dying)
    with pytest.raises(RuntimeError, match="killed"):
        ask_for_themes(town.resources, at=town.now())
    assert (len(town.entries()), marked(town, DutyKind.THEME)) == (2, [])
    monkeypatch.setattr(duties, "enqueue_many", write)
    assert len(ask_for_themes(town.resources, at=town.now())) == 1
    assert sorted(each.letter.value for each in town.entries()) == ["theme_missing"] * 3 + ["themes_missing"]


def test_more_sites_cost_no_more_statements(open_sqlite: OpenTown) -> None:
    town = open_sqlite(EXAMPLE, "2026-03-02 09:00")
    spent = []
    for more, day in ((99, "2026-03-15"), (199, "2026-04-15")):
        add_many(town, more)
        town.clock.move_to(at(f"{day} 08:00") - timedelta(days=1))
        ask_for_themes(town.resources, at=town.now())  # what another month had to tell is not counted
        town.clock.move_to(at(f"{day} 08:00"))
        with counted(town) as seen:
            (done,) = ask_for_themes(town.resources, at=town.now())
        spent.append((done.missing, len(seen)))
    assert [missing for missing, _ in spent] == [100, 300]
    assert spent[1][1] <= spent[0][1] + 3  # one batch more: BEGIN, INSERT, and the letters' keys


def test_leaders_without_an_address_are_listed_to_the_village_and_make_no_work_items(open_sqlite: OpenTown) -> None:
    town = open_sqlite(EXAMPLE, "2026-03-02 09:00")
    add_site(town)
    silent = [add_site(town, email=None) for _ in range(3)]
    (told,) = morning(town, "2026-03-15")
    assert "3名负责人收不到邮件,已列表告知村(居)" in told
    dead = [each for each in town.entries("theme_asked") if each.status is LetterStatus.DEAD]
    assert len(dead) == 3
    listed = letter(town, "themes_missing")
    assert (listed.to_name, listed.context["sites"]) == ("周责任", [])
    assert [line.rpartition("：")[2] for line in listed.context["unreachable"]] == silent
    with town.resources.database.read() as session:
        assert session.scalars(select(WorkItem)).all() == []


def test_where_a_village_has_nobody_the_office_hears(open_sqlite: OpenTown) -> None:
    town = settled(open_sqlite)
    add_village(town, "LH", "柳河村", people=False)
    add_village(town, "DX", "淀西村")
    orphans = [add_site(town, village="LH"), add_site(town, village="LH")]
    other = add_site(town, village="DX")
    for day in ("2026-03-15", "2026-03-26"):
        morning(town, day)
    told = {each.to_name: each.context["sites"] for each in town.entries("themes_missing")}
    assert set(told) == {"周责任", "淀西村村(", "沈审核", "施审核"}
    assert [line.partition("（")[0] for line in told["沈审核"]] == orphans
    assert told["沈审核"] == told["施审核"]
    assert [line.partition("（")[0] for line in told["淀西村村("]] == [other]


def test_a_list_too_long_to_read_is_cut_and_says_where_the_rest_is(
    open_sqlite: OpenTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duties, "LONGEST_LIST", 1)
    town = settled(open_sqlite)
    for day in ("2026-03-15", "2026-03-26"):
        morning(town, day)
    first, rest = letter(town, "themes_missing").context["sites"]
    assert first.startswith(sites(town)[0])
    assert rest == "另有1个，全部名单见流程台的表格，或用命令 ketang theme missing 查看"


# -- reporting a theme ------------------------------------------------------------------------------------------------


def test_a_theme_may_change_until_its_month_begins(open_sqlite: OpenTown) -> None:
    town = settled(open_sqlite)
    number = sites(town)[0]
    assert str(report(town, number, "2026-04", "清明诗会")) == f"{number} 2026年4月主题“清明诗会”已登记"
    kept = len(town.history(case_number(number)))
    assert report(town, number, "2026-04", "清明诗会").changed is False
    assert len(town.history(case_number(number))) == kept
    town.clock.move_to(at("2026-03-31 20:00"))
    changed = report(town, number, "2026-04", "端午诗会")
    assert (changed.changed, changed.late) == (True, False)
    assert town.history(case_number(number))[-1].summary == "2026年4月主题由“清明诗会”改为“端午诗会”"
    town.clock.move_to(at("2026-04-01 08:00"))
    with pytest.raises(Refused, match="主题“端午诗会”已于2026-03-02报送,该月已经开始,不能再改为“重阳诗会”"):
        report(town, number, "2026-04", "重阳诗会")
    assert faults(town) == []


def test_a_late_theme_is_taken_as_late_until_its_month_is_over(open_sqlite: OpenTown) -> None:
    town = settled(open_sqlite)
    number, other = sites(town)
    town.clock.move_to(at("2026-03-25 23:59"))
    assert report(town, number, "2026-04").late is False
    town.clock.move_to(at("2026-04-30 23:59"))
    assert report(town, other, "2026-04").late is True
    assert "逾期:应于2026年3月25日前报送" in town.history(case_number(other))[-1].summary
    town.clock.move_to(at("2026-05-01 00:00"))
    with pytest.raises(Refused, match=r"2026年4月已经过去,其主题不能再报送;现在可以报送2026年5月及以后的主题"):
        report(town, other, "2026-04", "补报")
    with pytest.raises(Refused, match="2027年6月距今超过12个月"):
        report(town, other, "2027-06")


def test_leader_village_and_office_may_report_and_nobody_else(open_sqlite: OpenTown) -> None:
    town = settled(open_sqlite)
    number = sites(town)[0]
    add_village(town, "DX", "淀西村")
    leader = f"S{site_of(town, number).group_id}"
    for month, by in enumerate((leader, RESPONSIBLE, LIAISON, REVIEWER, HEAD_OF_OFFICE), 4):
        report(town, number, f"2026-{month:02d}", by=by)
    for by in (STRANGER, LEADER, "RDX"):
        with pytest.raises(Refused, match="无权为客堂间"):
            report(town, number, "2026-10", by=by)
    town.end_role(LIAISON, date(2026, 3, 2))
    with pytest.raises(Refused, match="须由负责人"):
        report(town, number, "2026-10", by=LIAISON)


def test_a_sheet_is_taken_as_a_whole_or_not_at_all(open_sqlite: OpenTown, tmp_path: Path) -> None:
    town = settled(open_sqlite)
    first, second = sites(town)
    sheet = tmp_path / "主题.csv"

    def taken(*lines: str) -> list[str]:
        sheet.write_text("\n".join(["客堂间编号,月份,主题,计划", *lines]), encoding="utf-8")
        found = read_themes(tmp_path, sheet.name)
        command = ReportThemes(by=REVIEWER, themes=[entry for _, entry in found])
        rows = [row for row, _ in found]
        return [str(each) for each in submit_themes(town.resources, command, door=Door.SHEET, at=town.now(), rows=rows)]

    with pytest.raises(Refused) as wrong:
        taken(f"{first},2026年4月,清明诗会,", f"{second},四月,清明诗会,", f"{second},2026-04,,")
    assert "第3行:“月份”不是一个月份,请写作 2026-03(现值:四月)" in wrong.value.reason
    assert "第4行:“主题”" in wrong.value.reason
    with pytest.raises(Refused) as wrong:
        taken(f"{first},2026/4,清明诗会,", "KT-1999-0001-S,2026-04,诗会,", f"{second},2026-02,诗会,")
    assert "第3行“客堂间编号”:名册中没有客堂间“KT-1999-0001-S”" in wrong.value.reason
    assert "第4行“月份”:2026年2月已经过去" in wrong.value.reason
    with town.resources.database.read() as session:
        assert session.scalars(select(Theme)).all() == []
    good = (f"{second},2026-04-01,清明诗会,三场", f"{first},2026年04月,春耕,")
    assert len(taken(*good)) == len(taken(*good)) == 2
    with town.resources.database.read() as session:
        assert {(each.title, each.door, each.month) for each in session.scalars(select(Theme))} == {
            ("清明诗会", Door.SHEET, date(2026, 4, 1)),
            ("春耕", Door.SHEET, date(2026, 4, 1)),
        }
    assert faults(town) == []


def test_personal_numbers_are_refused(open_sqlite: OpenTown) -> None:
    town = settled(open_sqlite)
    with pytest.raises(ValueError, match="请勿填写手机号"):
        report(town, sites(town)[0], "2026-04", "请打13800001234")


def test_the_table_shows_who_has_and_who_has_not(open_sqlite: OpenTown) -> None:
    town = settled(open_sqlite)
    first, second = sites(town)
    report(town, first, "2026-04", "清明诗会")
    town.clock.move_to(at("2026-03-26 10:00"))
    add_site(town)  # owes nothing yet
    report(town, second, "2026-04", "补报")
    policy = town.edition().for_sites.monthly_theme
    with town.resources.database.read() as session:
        unit = duties.town_named(session, "朱家角镇")
        assert unit is not None
        lines = themes_of(session, unit, date(2026, 4, 1), policy)
        assert [(line.owed.number, line.standing, line.theme) for line in lines] == [
            (first, "已报", "清明诗会"),
            (second, "逾期报送", "补报"),
        ]
        assert themes_of(session, unit, date(2026, 3, 1), policy) == []
    assert months_running(policy, on=date(2026, 3, 14)) == [date(2026, 3, 1)]
    assert months_running(policy, on=date(2026, 3, 15)) == [date(2026, 3, 1), date(2026, 4, 1)]


def test_a_town_by_an_edition_without_themes_is_left_alone(open_sqlite: OpenTown) -> None:
    town = open_sqlite("xuhang-2013", "2013-05-06 10:00")
    number = add_site(town)
    assert ask_for_themes(town.resources, at=at("2013-06-26 08:00")) == []
    assert town.entries() == []
    with pytest.raises(Refused, match="没有规定月度主题"):
        report(town, number, "2013-06")
