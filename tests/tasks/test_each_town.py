"""What recurs is done town by town: what one town did or could not do is no matter of another."""

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from prefect.client.schemas.objects import StateType
from sqlalchemy import select, text

from flows import deadline_sweep, sending
from flows.deadline_sweep import sweep_directly
from flows.step import ended
from models.case import Case
from models.registry import Person, RoleHolding, Unit
from models.sweep import SweepBeat
from policies.load import LoadedEdition
from policies.vocabulary import BeautifulVillage, CaseKind, Door, Role, UnitKind
from tasks import meeting_routine
from tasks.catching_up import RECURRING, catch_up
from tasks.deadlines import SWEEP
from tasks.each_town import SomeFailed, serve_each
from tasks.meeting_routine import open_routine_meetings
from tasks.theme_rounds import ask_for_themes
from tasks.week_reports import report_weeks
from tasks.year_commands import OpenEvaluation
from tasks.year_evaluation import open_evaluation
from tasks.year_routine import open_due
from tests.broken import break_rows
from tests.desks import OpenTown, variant
from tests.half_year import add_town
from tests.meetings import call
from tests.parlours import add_site
from tests.township import REVIEWER, Township, at

EXAMPLE = "example-2026"
AFTER_NEW_YEAR = "2027-01-11 09:30"
"""A Monday on which each duty is due."""


@pytest.fixture
def no_prefect(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here nothing carries the cases that are opened."""
    monkeypatch.setattr(deadline_sweep, "wake_all", lambda *_, **__: Counter())
    monkeypatch.setattr(deadline_sweep, "schedule_close_outs", lambda *_, **__: None)


def two_towns(opened: Township, *, edition: str = EXAMPLE) -> Township:
    """Add a town that comes first in every list, with an office; list a parlour in it and one in the other."""
    add_town(opened, "A", "安镇", edition=edition, village="AV")
    with opened.resources.database.write() as session:
        unit = session.scalars(select(Unit).where(Unit.code == "A")).one()
        reviewer = session.scalars(select(Person).where(Person.code == REVIEWER)).one()
        session.add(
            RoleHolding(person_id=reviewer.id, role=Role.OFFICE_REVIEWER, unit_id=unit.id, since=date(2010, 1, 1))
        )
    add_site(opened, village="AV")
    add_site(opened)
    return opened


def with_own_edition(open_town: OpenTown) -> Township:
    """Two towns in December; the first has an edition of its own."""
    town = open_town(EXAMPLE, "2026-12-01 09:00")
    know(town, variant(EXAMPLE, "own-2026"))
    return two_towns(town, edition="own-2026")


def know(town: Township, loaded: LoadedEdition) -> None:
    town.resources = replace(town.resources, editions={**town.resources.editions, loaded.edition.id: loaded})


def rewrite_edition(town: Township) -> None:
    """Let somebody change the first town's edition after it was published: nothing can be opened by it."""
    know(town, variant(EXAMPLE, "own-2026", ("every_months: 3\n", "every_months: 3  # 每季度\n")))


def change(town: Township, statement: str) -> None:
    with town.resources.database.engine.begin() as connection:
        connection.execute(text(statement))


def opened_in(town: Township, kind: CaseKind) -> list[str]:
    """The towns in which a case of a kind was opened."""
    with town.resources.database.read() as session:
        query = select(Unit.code).join(Case, Case.unit_id == Unit.id).where(Case.kind == kind).order_by(Case.id)
        return list(session.scalars(query))


def written_by(town: Township, *kinds: str) -> list[set[str]]:
    """The towns that wrote letters of these kinds."""
    return [{str(each.context["township"]) for each in town.entries(kind)} for kind in kinds]


def sweep(town: Township, moment: str) -> tuple[list[str], list[str]]:
    """Sweep at a moment; return what was done, and what failed."""
    town.clock.move_to(at(moment))
    counts, told = sweep_directly(town.resources)
    return told, counts.failures


# -- a town that is broken ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("no_prefect")
def test_a_town_whose_edition_can_not_be_used_keeps_no_other_waiting(open_town: OpenTown) -> None:
    town = with_own_edition(open_town)
    rewrite_edition(town)
    told, failures = sweep(town, AFTER_NEW_YEAR)
    assert opened_in(town, CaseKind.JOINT_MEETING) == opened_in(town, CaseKind.ANNUAL_EVALUATION) == ["Z"]
    assert written_by(town, "theme_missing", "week_missing") == [{"安镇", "朱家角镇"}] * 2, (
        "they need no edition's text"
    )
    assert {each.status.value for each in town.entries()} == {"sent"}
    assert [each.partition(":")[0] for each in failures] == [
        "安镇的例行联席会议未能办理,下次巡检再办",
        "安镇的年度考核未能办理,下次巡检再办",
    ]
    assert all("公布后不得改动" in each for each in failures)
    assert any(each.startswith("补办例行联席会议1次:") for each in told)
    assert any(each.startswith("补开年度考核1件:") for each in told)


@pytest.mark.usefixtures("no_prefect")
def test_a_town_with_a_row_that_can_not_be_read_keeps_no_other_waiting(open_sqlite: OpenTown) -> None:
    town = with_own_edition(open_sqlite)
    garbage = "UPDATE site_spells SET since = '0000-00-00' WHERE site_id = (SELECT min(id) FROM sites)"
    change(town, garbage)
    for _ in range(2):  # told by every sweep, until it is put right
        _, failures = sweep(town, AFTER_NEW_YEAR)
        assert [each.partition("未能办理")[0] for each in failures] == [
            "安镇的月度主题",
            "安镇的每周活动检查",
            "安镇的年度考核",
        ]
    assert opened_in(town, CaseKind.ANNUAL_EVALUATION) == ["Z"]
    assert written_by(town, "theme_missing", "week_missing") == [{"朱家角镇"}] * 2
    assert {each.status.value for each in town.entries()} == {"sent"}
    change(town, garbage.replace("0000-00-00", "2026-12-01"))
    assert sweep(town, "2027-01-11 09:35")[1] == []
    assert opened_in(town, CaseKind.ANNUAL_EVALUATION) == ["Z", "A"]
    assert written_by(town, "theme_missing", "week_missing") == [{"安镇", "朱家角镇"}] * 2


NO_TEXT = "CAST(x'e5a4' AS TEXT)"
OF_A_TOWN = {"beautiful_village": "'schön'", "name": NO_TEXT, "kind": "'stadt'", "parent_id": NO_TEXT}
"""By what nobody can read the row of a town; on a server, too, that was talked out of its rules."""


@pytest.mark.usefixtures("no_prefect")
@pytest.mark.parametrize("column", OF_A_TOWN)
def test_a_town_whose_own_row_can_not_be_read_keeps_no_other_waiting(open_sqlite: OpenTown, column: str) -> None:
    town = with_own_edition(open_sqlite)
    break_rows(town, f"UPDATE units SET {column} = {OF_A_TOWN[column]} WHERE code = 'A'")
    garbage = r"\xe5\xa4" if OF_A_TOWN[column] == NO_TEXT else OF_A_TOWN[column].strip("'")
    shown = garbage if column == "name" else "安镇"
    for _ in range(2):  # told by every sweep, until it is put right
        _, failures = sweep(town, AFTER_NEW_YEAR)
        assert [each.partition("未能办理")[0] for each in failures] == [
            f"{shown}(A)的{duty}"
            for duty in (
                ("各项例行事项",)
                if column == "kind"
                else ("年度建设数量通报", "月度主题", "每周活动检查", "例行联席会议", "年度考核")
            )
        ]
        where = f"登记簿中的单位无法读取,已被改动:表 units 第 {unit_id(town, 'A')} 行:列 {column} 现为“{garbage}”"
        assert all(f"未能办理,下次巡检再办:{where};请对照备份更正" in each for each in failures)
    assert opened_in(town, CaseKind.JOINT_MEETING) == opened_in(town, CaseKind.ANNUAL_EVALUATION) == ["Z"]
    assert written_by(town, "theme_missing", "week_missing") == [{"朱家角镇"}] * 2
    right = {"name": "'安镇'", "kind": "'town'", "beautiful_village": "'none'", "parent_id": "NULL"}
    break_rows(town, f"UPDATE units SET {column} = {right[column]} WHERE code = 'A'")
    assert sweep(town, "2027-01-11 09:35")[1] == []
    assert opened_in(town, CaseKind.JOINT_MEETING) == ["Z", "A"]


@pytest.mark.usefixtures("no_prefect")
def test_a_town_whose_edition_is_not_there_is_told_by_every_sweep(open_town: OpenTown) -> None:
    town = with_own_edition(open_town)
    change(town, "UPDATE units SET edition_id = 'weg' WHERE code = 'A'")
    for _ in range(2):  # until it is put right
        _, failures = sweep(town, AFTER_NEW_YEAR)
        assert [each.partition("、")[0] for each in failures] == [
            f"安镇的{duty}未能办理,下次巡检再办:安镇登记的适用政策“weg”不存在,请在登记簿中改为:{EXAMPLE}"
            for duty in ("年度建设数量通报", "各项例行事项")
        ]
    assert opened_in(town, CaseKind.JOINT_MEETING) == opened_in(town, CaseKind.ANNUAL_EVALUATION) == ["Z"]
    change(town, "UPDATE units SET edition_id = NULL WHERE code = 'A'")
    assert sweep(town, AFTER_NEW_YEAR)[1] == [], "a town without one takes no part"


def unit_id(town: Township, code: str) -> int:
    with town.resources.database.read() as session:
        return session.scalars(select(Unit.id).where(Unit.code == code)).one()


@pytest.mark.usefixtures("no_prefect")
def test_a_district_that_can_not_be_read_is_named_for_the_towns_in_it_only(open_town: OpenTown) -> None:
    town = with_own_edition(open_town)
    with town.resources.database.write() as session:
        session.add(Unit(code="D9", kind=UnitKind.DISTRICT, name="安区"))
    postgresql = town.resources.database.engine.dialect.name == "postgresql"
    break_rows(
        town,
        *(["ALTER TABLE units DROP CONSTRAINT ck_units_beautiful_village"] if postgresql else []),
        f"UPDATE units SET parent_id = {unit_id(town, 'D9')} WHERE code = 'A'",
        "UPDATE units SET beautiful_village = 'schön' WHERE code = 'D9'",
    )
    try:
        _, failures = sweep(town, AFTER_NEW_YEAR)
    finally:
        if postgresql:
            break_rows(
                town,
                "UPDATE units SET beautiful_village = 'none'",
                "ALTER TABLE units ADD CONSTRAINT ck_units_beautiful_village "
                f"CHECK (beautiful_village IN ({', '.join(repr(each.value) for each in BeautifulVillage)}))",
            )
    assert len(failures) == 5
    assert all(each.startswith("安镇(A)的") for each in failures)
    assert all(f"表 units 第 {unit_id(town, 'D9')} 行:列 beautiful_village 现为“schön”" in each for each in failures)
    assert opened_in(town, CaseKind.JOINT_MEETING) == ["Z"]


@pytest.mark.usefixtures("no_prefect")
@pytest.mark.parametrize("duty", RECURRING)
def test_a_duty_that_fails_as_a_whole_stops_no_other_and_no_letter(
    open_sqlite: OpenTown, duty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> str:
        raise LookupError("no such table")

    town = two_towns(open_sqlite(EXAMPLE, "2026-12-01 09:00"))
    monkeypatch.setitem(RECURRING, duty, broken)
    told, failures = sweep(town, AFTER_NEW_YEAR)
    assert failures == [f"{duty}未能办理,下次巡检再办:LookupError:no such table"]
    done = {
        "月度主题": any("主题督办" in each for each in told),
        "每周活动检查": any("活动通报" in each for each in told),
        "例行联席会议": any("例行联席会议2次" in each for each in told),
        "年度考核": any("年度考核2件" in each for each in told),
    }
    assert [each for each in done if not done[each]] == [each for each in done if each == duty]
    assert {each.status.value for each in town.entries()} == {"sent"}
    with pytest.raises(SomeFailed, match=f"{duty}未能办理"):
        catch_up(town.resources, at=town.now())


def breaking(monkeypatch: pytest.MonkeyPatch, parts: Iterable[str], broken: str) -> list[str]:
    """Break one part of the sweep; return the list that gets each of these parts when it is called."""
    called: list[str] = []

    def noted(name: str, whole: Any) -> Any:
        def run(*args: Any, **named: Any) -> Any:
            called.append(name)
            if name == broken:
                raise LookupError("no such table")
            return whole(*args, **named)

        return run

    for name in parts:
        module = deadline_sweep if hasattr(deadline_sweep, name) else sending
        monkeypatch.setattr(module, name, noted(name, getattr(module, name)))
    return called


PARTS = {
    "recompute_provisional": "重算暂定期限",
    "follow_calendar": "公示末日顺延",
    "fire_due": "提醒、督办、期满",
    "report_shortfalls": "年度建设数量",
}
"""Of the sweep, before what recurs; each with its name in Chinese."""


@pytest.mark.usefixtures("no_prefect")
@pytest.mark.parametrize("part", PARTS)
def test_a_part_of_the_sweep_that_fails_as_a_whole_stops_no_other_and_no_letter(
    open_sqlite: OpenTown, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = two_towns(open_sqlite(EXAMPLE, "2026-12-01 09:00"))
    called = breaking(monkeypatch, PARTS, part)
    told, failures = sweep(town, AFTER_NEW_YEAR)
    assert failures == [f"{PARTS[part]}未能办理,下次巡检再办:LookupError:no such table"]
    assert called == list(PARTS)
    assert any("例行联席会议2次" in each for each in told)
    assert any("主题督办" in each for each in told)
    assert {each.status.value for each in town.entries()} == {"sent"}
    with town.resources.database.read() as session:
        assert session.get_one(SweepBeat, SWEEP).counts["failures"] == failures


AFTERWARDS = {
    "catch_up": "例行事项补办",
    "post_letters": "寄出信函",
    "pages_wait": "查看公示页面",
    "write_pages": "更新公示页面",
    "wake_all": "续办案件",
    "schedule_close_outs": "续办案件",
}
"""Of the sweep, from what recurs on; each with its name in Chinese."""


@pytest.mark.usefixtures("no_prefect")
@pytest.mark.parametrize("part", AFTERWARDS)
def test_a_part_that_fails_after_the_deadlines_stops_no_other_and_the_sweep_is_seen(
    open_sqlite: OpenTown, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = two_towns(open_sqlite(EXAMPLE, "2026-12-01 09:00"))
    monkeypatch.setattr(sending, "pages_wait", lambda _: True)
    called = breaking(monkeypatch, AFTERWARDS, part)
    told, failures = sweep(town, AFTER_NEW_YEAR)
    assert failures == [f"{AFTERWARDS[part]}未能办理,下次巡检再办:LookupError:no such table"]
    assert called == [each for each in AFTERWARDS if (part, each) != ("wake_all", "schedule_close_outs")]
    assert any(each.startswith("寄出") for each in told) == (part != "post_letters"), "what was not done is not told"
    assert {each.status.value for each in town.entries()} <= {"queued" if part == "post_letters" else "sent"}
    with town.resources.database.read() as session:
        assert session.get_one(SweepBeat, SWEEP).counts["failures"] == failures


def test_a_prefect_that_is_away_ends_the_sweep(open_sqlite: OpenTown) -> None:
    town = two_towns(open_sqlite(EXAMPLE, "2026-12-01 09:00"))

    def away(step: Any, *, name: str) -> Any:
        raise ConnectionError(name)

    with pytest.raises(ConnectionError, match="重算暂定期限"):
        deadline_sweep.sweep_once(town.resources, away)
    with town.resources.database.read() as session:
        assert session.get(SweepBeat, SWEEP) is None, "nobody shall think that it has swept"


def test_who_takes_no_failures_is_told_when_all_others_were_served(open_sqlite: OpenTown) -> None:
    town = with_own_edition(open_sqlite)
    rewrite_edition(town)
    moment = at(AFTER_NEW_YEAR)
    with pytest.raises(SomeFailed, match=r"^安镇的例行联席会议未能办理[^；]*$"):
        open_routine_meetings(town.resources, at=moment)
    with pytest.raises(SomeFailed, match=r"^安镇的年度考核未能办理[^；]*$"):
        open_due(town.resources, at=moment)
    change(town, "UPDATE site_spells SET since = '0000-00-00' WHERE site_id = (SELECT min(id) FROM sites)")
    with pytest.raises(SomeFailed, match=r"^安镇的月度主题未能办理[^；]*$"):
        ask_for_themes(town.resources, at=moment)
    with pytest.raises(SomeFailed, match=r"^安镇的每周活动检查未能办理[^；]*$"):
        report_weeks(town.resources, at=moment)
    assert opened_in(town, CaseKind.JOINT_MEETING) == opened_in(town, CaseKind.ANNUAL_EVALUATION) == ["Z"]
    assert written_by(town, "theme_missing", "week_missing") == [{"朱家角镇"}] * 2


def test_a_town_that_lost_its_edition_meanwhile_is_passed_over(
    open_sqlite: OpenTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = two_towns(open_sqlite(EXAMPLE, "2026-12-01 09:00"))

    def taken_away(duty: str, due: Iterable[Any], *more: Any, **named: Any) -> list[Any]:
        assert len(list(due)) == 2
        change(town, "UPDATE units SET edition_id = NULL WHERE code = 'A'")
        return serve_each(duty, due, *more, **named)

    monkeypatch.setattr(meeting_routine, "serve_each", taken_away)
    assert len(open_routine_meetings(town.resources, at=at(AFTER_NEW_YEAR))) == 1
    assert opened_in(town, CaseKind.JOINT_MEETING) == ["Z"]


def test_a_failure_is_in_the_log_with_its_traceback(open_sqlite: OpenTown, caplog: pytest.LogCaptureFixture) -> None:
    town = with_own_edition(open_sqlite)
    rewrite_edition(town)
    failures: list[str] = []
    with caplog.at_level(logging.ERROR):
        open_due(town.resources, at=at(AFTER_NEW_YEAR), failures=failures)
    assert len(failures) == 1
    assert any("安镇" in each.getMessage() and each.exc_info for each in caplog.records)


def test_a_run_in_which_a_town_failed_ends_in_failed_and_says_what_was_done() -> None:
    state = ended("已召集1次会议", ["安镇的例行联席会议未能办理"])
    assert (state.type, state.message) == (
        StateType.FAILED,
        "已召集1次会议;以下事项处理失败:安镇的例行联席会议未能办理",
    )
    assert ended("已召集1次会议", []).type is StateType.COMPLETED


# -- a town that has done it already -----------------------------------------------------------------------------------


def test_the_years_evaluations_of_two_towns_open_both(open_sqlite: OpenTown) -> None:
    town = two_towns(open_sqlite(EXAMPLE, "2026-03-02 09:00"))
    town.clock.move_to(at("2027-01-10 08:00"))
    assert len(open_due(town.resources, at=town.now())) == 2
    assert opened_in(town, CaseKind.ANNUAL_EVALUATION) == ["A", "Z"]
    assert open_due(town.resources, at=town.now()) == []


def test_an_evaluation_opened_by_hand_leaves_that_of_the_other_town_due(open_sqlite: OpenTown) -> None:
    town = two_towns(open_sqlite(EXAMPLE, "2026-03-02 09:00"))
    town.clock.move_to(at("2027-01-05 09:00"))
    by_hand = OpenEvaluation(town="A", year=2026, by=REVIEWER)
    open_evaluation(town.resources, by_hand, door=Door.CLI, key="hand", at=town.now())
    town.clock.move_to(at("2027-01-10 08:00"))
    assert len(open_due(town.resources, at=town.now())) == 1
    assert opened_in(town, CaseKind.ANNUAL_EVALUATION) == ["A", "Z"]


def test_a_meeting_called_by_hand_leaves_that_of_the_other_town_due(open_sqlite: OpenTown) -> None:
    town = two_towns(open_sqlite(EXAMPLE, "2026-03-02 09:00"))
    town.clock.move_to(at("2026-03-25 09:00"))
    call(town, unit="A", days=14)
    town.clock.move_to(at("2026-04-01 08:00"))
    (number,) = open_routine_meetings(town.resources, at=town.now())
    assert town.case(number).opening_key == "Z:meeting:2026-04-01"
