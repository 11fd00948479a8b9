"""A case whose own row can not be read keeps no other from its turn: not in lists, the sweep, archives or registers."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import httpx
import openpyxl
import pytest
from typer.testing import CliRunner

from cli import case as case_app
from cli import ledger as ledger_app
from flows import deadline_sweep, waking
from flows.close_out import close_due
from flows.waking import Woken
from models.sweep import SweepBeat
from policies.vocabulary import CaseKind, Gate
from tasks.asks import CaseRun, UnreadableRun, runs_behind, runs_to_check
from tasks.deadlines import SWEEP, fire_due, recompute_provisional
from tasks.register_rows import Wanted
from tasks.registers import RegisterKind, make_register
from tests.archives import Ended
from tests.broken import break_rows
from tests.desks import OpenTown, keep, publish_2027
from tests.notices import Board
from tests.tasks.test_broken_items import four_cases
from tests.tasks.test_firing import counted_together
from tests.township import Township, at

UNREADABLE = {
    "kind": "'sait'",
    "status": "'offen'",
    "year": "'zwei'",
    "opened_at": "'gestern'",
    "title": "CAST(x'e5a4' AS TEXT)",
    "run_requested_at": "7",
    "decision_seq": "'x'",
}
ASKED_BY_RUNS = ("decision_seq",)
"""Of a case that no decision moved, only this makes it seem so, and its run is asked for."""


def shown(garbage: str) -> str:
    """Return what stands in a column, as an audit shows it."""
    return r"\xe5\xa4" if garbage.startswith("CAST") else garbage.strip("'")


@pytest.fixture
def several(open_sqlite: OpenTown) -> tuple[Township, list[str], Callable[[], None]]:
    """Four cases whose consent lapses on 8 November; how to let them stand so again."""
    town = open_sqlite("zhujiajiao-2018", "2018-10-08 10:00")
    numbers = four_cases(town)
    town.clock.move_to(at("2018-11-09 09:00"))
    return town, numbers, keep(town)


def broken_one_by_one(
    town: Township, number: str, bring_back: Callable[[], None], columns: Mapping[str, str]
) -> Iterator[str]:
    """Break one column of a case after the other, the rest being sound; yield its name."""
    for column, garbage in columns.items():
        bring_back()
        break_rows(town, f"UPDATE cases SET {column} = {garbage} WHERE number = '{number}'")
        yield column


def test_the_period_of_all_others_ends_and_they_are_carried_on(
    several: tuple[Township, list[str], Callable[[], None]],
) -> None:
    town, (broken, *others), bring_back = several
    for column in broken_one_by_one(town, broken, bring_back, UNREADABLE):
        counts, report, _ = close_due(town.resources, at=town.now())
        assert counts.lapses == (4 if column == "year" else 3), "no deadline asks for the year"
        assert set(report.carried) >= set(others), column
        assert [town.gate(number) for number in others] == [Gate.CORRECTION] * 3
        told = [failure for failure in counts.failures if broken in failure]
        assert (counts.failures, bool(told)) == (told, column != "year"), column
        carried_on = f"案件 {broken}:无法读取,已被改动:列 {column} 现为“{shown(UNREADABLE[column])}”,流程无法续办"
        assert any(carried_on in each for each in told) == (column in ASKED_BY_RUNS), column


def test_a_number_that_is_no_text_stops_no_due_day_from_being_computed(open_sqlite: OpenTown) -> None:
    town = open_sqlite("example-2026", "2026-12-10 10:00")
    town.add_group("ZD02")
    first, second = town.apply(), town.apply(household="ZD02-001")
    publish_2027(town)
    break_rows(town, f"UPDATE cases SET number = CAST(x'e5a4' AS TEXT) WHERE number = '{first}'")
    assert recompute_provisional(town.resources, at=town.now()) == 1
    assert not town.item(second).provisional


def test_a_number_that_is_no_text_stops_no_deadline(several: tuple[Township, list[str], Callable[[], None]]) -> None:
    town, (broken, *others), _ = several
    break_rows(town, f"UPDATE cases SET number = CAST(x'e5a4' AS TEXT) WHERE number = '{broken}'")
    counts, report, _ = close_due(town.resources, at=town.now())
    assert counts.lapses == 3
    assert set(report.carried) == set(others)
    (failure,) = counts.failures
    assert r"没有编号为“\xe5\xa4”的案件" in failure


def test_the_runs_of_all_others_are_looked_after(several: tuple[Township, list[str], Callable[[], None]]) -> None:
    town, (broken, *others), bring_back = several
    for column in ("kind", "run_requested_at", "decision_seq"):
        bring_back()
        break_rows(
            town,
            f"UPDATE cases SET {column} = {UNREADABLE[column]} WHERE number = '{broken}'",
            f"UPDATE cases SET carried_seq = -1 WHERE number = '{others[0]}'",
        )
        checked = runs_to_check(town.resources, at=town.now(), limit=10)
        assert [run.number for run in checked if isinstance(run, CaseRun)] == others, column
        (unreadable,) = (run for run in checked if isinstance(run, UnreadableRun))
        assert f"案件 {broken}:无法读取,已被改动:列 {column} 现为" in str(unreadable)
        behind = runs_behind(town.resources, limit=10)
        assert [run.number for run in behind if isinstance(run, CaseRun)] == others[:1], column


@pytest.fixture
def at_the_desk(
    several: tuple[Township, list[str], Callable[[], None]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Township, list[str], Callable[[], None]]:
    monkeypatch.setenv("KETANG_DATABASE_URL", str(several[0].resources.database.engine.url))
    monkeypatch.setenv("KETANG_HOME", str(tmp_path))
    return several


def test_a_list_shows_all_others_and_says_how_to_find_the_fault(
    at_the_desk: tuple[Township, list[str], Callable[[], None]],
) -> None:
    town, (broken, *others), bring_back = at_the_desk
    for column in broken_one_by_one(town, broken, bring_back, UNREADABLE):
        listed = CliRunner().invoke(case_app.app, ["list", "--all"])
        assert listed.exit_code == 0, column
        lines = {line.split("  ")[0]: line for line in listed.stdout.splitlines()}
        assert {broken, *others} <= lines.keys(), column
        if column in ("year", "decision_seq"):  # of which a list shows nothing
            continue
        how = f"案件 {broken} 的记录无法读取,已被改动;请运行 ketang audit verify {broken}"
        assert how in lines[broken], column
        shown = CliRunner().invoke(case_app.app, ["show", broken])
        assert shown.exit_code == 1, column
        assert f"未办理:{how}" in shown.stderr, column


def test_what_a_list_can_not_show_the_audit_names(at_the_desk: tuple[Township, list[str], Callable[[], None]]) -> None:
    town, (broken, *others), bring_back = at_the_desk
    for column in ("unit_id", "village_id", "household_id"):
        bring_back()
        break_rows(town, f"UPDATE cases SET {column} = 999 WHERE number = '{broken}'")
        lines = CliRunner().invoke(case_app.app, ["list", "--all"]).stdout.splitlines()
        assert {broken, *others} <= {line.split("  ")[0] for line in lines}, column
        found = CliRunner().invoke(ledger_app.audit, [broken])
        assert (found.exit_code, f"列 {column} 现为“999”" in found.stderr) == (1, True), column


def test_the_audit_of_the_command_line_names_it_alone_and_among_all(
    at_the_desk: tuple[Township, list[str], Callable[[], None]],
) -> None:
    town, (broken, *_), _ = at_the_desk
    break_rows(town, f"UPDATE cases SET opened_at = 'gestern' WHERE number = '{broken}'")
    for words in ([], [broken]):
        found = CliRunner().invoke(ledger_app.audit, words)
        assert found.exit_code == 1
        (fault,) = found.stderr.splitlines()
        assert fault.startswith(f"案件 {broken}:表 cases 第 1 行:无法读取,已被改动:列 opened_at 现为“gestern”;")
    assert CliRunner().invoke(ledger_app.audit, ["ZJJ-2018-0002"]).exit_code == 0


def test_the_register_of_cases_has_all_others_and_a_line_for_it(
    several: tuple[Township, list[str], Callable[[], None]], tmp_path: Path
) -> None:
    town, (broken, *others), _ = several
    break_rows(town, f"UPDATE cases SET kind = 'sait' WHERE number = '{broken}'")
    path = tmp_path / "台账.xlsx"
    assert make_register(town.resources, RegisterKind.CASES, out=path, wanted=Wanted()) == 4
    rows = {row[0]: row for row in openpyxl.load_workbook(path).worksheets[0].iter_rows(values_only=True)}
    assert f"请运行 ketang audit verify {broken}" in rows[broken][11]
    assert all(rows[number][1] == CaseKind.SITE.label for number in others)


def test_the_register_of_notices_and_objections_has_all_others_too(open_sqlite: OpenTown, tmp_path: Path) -> None:
    town = open_sqlite("example-micro-2026", "2026-03-02 10:00")
    board = Board(town)
    numbers = []
    for key in range(2):
        numbers.append(board.publish(key=str(key), title=f"第{key}件"))
        board.object(key=str(key))
    broken, other = numbers
    break_rows(town, f"UPDATE cases SET opened_at = 'gestern' WHERE number = '{broken}'")
    for kind in (RegisterKind.NOTICES, RegisterKind.OBJECTIONS):
        path = tmp_path / f"{kind.label}.xlsx"
        assert make_register(town.resources, kind, out=path, wanted=Wanted()) == 2
        rows = {row[0]: row for row in openpyxl.load_workbook(path).worksheets[0].iter_rows(values_only=True)}
        assert f"请运行 ketang audit verify {broken}" in str(rows[broken][-1]), kind
        assert rows[other][1] == "第1件"


IN_A_REGISTER = [
    ("cases", "title = x'0102'"),
    ("cases", "title = CAST(x'e5a4' AS TEXT)"),
    ("cases", "because = x'00ff'"),
    ("cases", "unit_id = 999"),
    ("cases", "opened_at = 'gestern'"),
    ("work_items", "gate = 'xx'"),
    ("work_items", "due_on = 'gestern'"),
]


def test_whatever_stands_in_a_row_of_the_register_all_others_are_whole(
    several: tuple[Township, list[str], Callable[[], None]], tmp_path: Path
) -> None:
    town, (broken, *others), bring_back = several
    whole = rows_by_number(town, RegisterKind.CASES, tmp_path / "whole.xlsx")
    for n, (table, change) in enumerate(IN_A_REGISTER):
        bring_back()
        of_case = f"(SELECT id FROM cases WHERE number = '{broken}')"
        break_rows(town, f"UPDATE {table} SET {change} WHERE {'id' if table == 'cases' else 'case_id'} = {of_case}")
        rows = rows_by_number(town, RegisterKind.CASES, tmp_path / f"{n}.xlsx")
        assert f"请运行 ketang audit verify {broken}" in str(rows[broken][11]), change
        assert [rows[number] for number in others] == [whole[number] for number in others], change


def test_a_gate_of_which_nobody_can_read_whose_it_is_keeps_no_case_from_the_register(
    several: tuple[Township, list[str], Callable[[], None]], tmp_path: Path
) -> None:
    town, (broken, *others), _ = several
    whole = rows_by_number(town, RegisterKind.CASES, tmp_path / "whole.xlsx")
    of_case = f"(SELECT id FROM cases WHERE number = '{broken}')"
    break_rows(town, f"UPDATE work_items SET case_id = CAST(x'e5a4' AS TEXT) WHERE case_id = {of_case}")
    rows = rows_by_number(town, RegisterKind.CASES, tmp_path / "others.xlsx")
    assert rows.keys() == whole.keys()
    assert [rows[number] for number in others] == [whole[number] for number in others]


def rows_by_number(town: Township, kind: RegisterKind, path: Path) -> dict[Any, tuple[Any, ...]]:
    assert make_register(town.resources, kind, out=path, wanted=Wanted()) is not None
    return {row[0]: row for row in openpyxl.load_workbook(path).worksheets[0].iter_rows(values_only=True)}


def test_a_finding_that_can_not_be_read_breaks_the_line_of_its_notice_only(
    open_sqlite: OpenTown, tmp_path: Path
) -> None:
    town = open_sqlite("example-micro-2026", "2026-03-02 10:00")
    board = Board(town)
    numbers = []
    for key in range(2):
        numbers.append(board.publish(key=str(key), title=f"第{key}件"))
        board.object(key=str(key))
    broken, other = numbers
    break_rows(town, "UPDATE objections SET finding = 'xx' WHERE id = 1")
    for kind in (RegisterKind.NOTICES, RegisterKind.OBJECTIONS):
        rows = rows_by_number(town, kind, tmp_path / f"{kind.value}.xlsx")
        assert f"请运行 ketang audit verify {broken}" in str(rows[broken][-1]), kind
        assert rows[other][1] == "第1件"
        assert rows[other][9] in (1, "待处理")


def test_an_archive_takes_all_others_and_says_why_it_stays(open_sqlite: OpenTown, tmp_path: Path) -> None:
    ended = Ended(open_sqlite("zhujiajiao-2018", "2018-10-08 10:00"))
    bring_back = keep(ended.town)
    whole = ended.make(tmp_path / "whole", dry_run=True).going
    broken, *others = whole
    columns = {**UNREADABLE, "edition_sha256": f"'{'0' * 64}'"}
    for column in broken_one_by_one(ended.town, broken, bring_back, columns):
        made = ended.make(tmp_path / column, dry_run=True)
        assert made.going == others, column
        assert any(number == broken for _, number, _ in made.left), column


OUT_OF_PLACE = {
    "status = 'offen'": "列 status 现为“offen”",
    "status = 'open'": "列 status 现为“open”,而列 outcome 现为",
    "closed_at = NULL": "列 closed_at 现为空",
    "closed_at = 'zzz'": "列 closed_at 现为“zzz”",
    "closed_at = x'01'": "列 closed_at 现为“",
    "closed_at = '2199-01-01 00:00:00.000000'": "列 closed_at 现为“2199-01-01T00:00:00+00:00”,办理记录为",
    "parent_id = 999": "列 parent_id 现为“999”,没有这样的案件",
    "parent_id = id": "所属案件须先于此案立案",
    "unit_id = 999": "列 unit_id 现为“999”,没有这样的单位",
    "kind = 'sait'": "列 kind 现为“sait”",
}


def test_a_closed_case_that_no_longer_seems_so_is_told_among_those_left(open_sqlite: OpenTown, tmp_path: Path) -> None:
    ended = Ended(open_sqlite("zhujiajiao-2018", "2018-10-08 10:00"))
    bring_back = keep(ended.town)
    whole = ended.make(tmp_path, dry_run=True)
    broken, *others = whole.going
    for change, reason in OUT_OF_PLACE.items():
        bring_back()
        break_rows(ended.town, f"UPDATE cases SET {change} WHERE number = '{broken}'")
        for asked in ({}, {"town": "Z", "kinds": (CaseKind.SITE,)}):
            made = ended.make(tmp_path, dry_run=True, **asked)
            if not asked:
                assert made.going == others, change
            assert broken not in made.going
            (cause,) = (cause for _, number, cause in made.left if number == broken)
            assert reason in cause, change


def test_a_file_is_taken_out_but_for_the_case_that_was_tampered_with_since(
    open_sqlite: OpenTown, tmp_path: Path
) -> None:
    ended = Ended(open_sqlite("zhujiajiao-2018", "2018-10-08 10:00"))
    path = ended.written(tmp_path)
    broken, *others = ended.make(tmp_path, dry_run=True).going
    break_rows(ended.town, f"UPDATE cases SET opened_at = 'gestern' WHERE number = '{broken}'")
    removed = ended.remove(path)
    assert removed.cases == others
    ((number, cause),) = removed.left
    assert number == broken
    assert f"请运行 ketang audit verify {broken}" in cause


def test_the_others_are_still_reminded_together(open_sqlite: OpenTown, monkeypatch: pytest.MonkeyPatch) -> None:
    town = open_sqlite("zhujiajiao-2018", "2018-10-08 10:00")
    broken, *others = four_cases(town)
    town.clock.move_to(at("2018-10-31 09:00"))
    break_rows(town, f"UPDATE cases SET kind = 'sait' WHERE number = '{broken}'")
    done = counted_together(monkeypatch)
    counts = fire_due(town.resources, at=town.now())
    assert counts.reminders == len(others) == sum(done)
    assert max(done) == 2, "the other half"


class Engine:
    """Prefect as `flows.waking` asks it, without any run: notes which are started."""

    def __init__(self) -> None:
        self.started: list[str] = []

    def read_flow_runs(self, **_: Any) -> list[Any]:
        return []

    def read_deployment_by_name(self, _: str) -> Any:
        return SimpleNamespace(id=uuid4())

    def create_flow_run_from_deployment(self, _: Any, *, name: str, **__: Any) -> Any:
        self.started.append(name)
        return SimpleNamespace(id=uuid4())


def test_a_run_whose_id_can_not_be_one_is_replaced_and_stops_no_other(
    several: tuple[Township, list[str], Callable[[], None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    town, (broken, *others), _ = several
    break_rows(town, f"UPDATE cases SET flow_run_id = 'gestern' WHERE number = '{broken}'")
    engine = Engine()
    monkeypatch.setattr(waking, "reached", lambda: nullcontext(engine))
    failures: list[str] = []
    counts = waking.wake_all(town.resources, at=town.now(), failures=failures)
    assert sorted(engine.started) == [broken, *others]
    assert (counts[Woken.REPLACED], counts[Woken.STARTED]) == (1, 3)
    assert failures == []


NO_RUN = {"flow_run_id": "x'0102'", "run_attempt": "'abc'", "kind": "'sait'", "run_requested_at": "7"}


def test_the_sweep_wakes_all_others_and_ends_failed_with_the_number(
    several: tuple[Township, list[str], Callable[[], None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    town, (broken, *others), bring_back = several
    scheduled: list[int] = []
    monkeypatch.setattr(deadline_sweep, "schedule_close_outs", lambda *_, **__: scheduled.append(1))
    for column in broken_one_by_one(town, broken, bring_back, NO_RUN):
        engine = Engine()
        monkeypatch.setattr(waking, "reached", lambda engine=engine: nullcontext(engine))
        scheduled.clear()
        counts, _ = deadline_sweep.sweep_directly(town.resources)
        assert sorted(engine.started) == others, column
        assert scheduled == [1]
        (failure,) = (each for each in counts.failures if "流程无法续办" in each)
        assert f"案件 {broken}:无法读取,已被改动:列 {column} 现为“" in failure
        with town.resources.database.read() as session:
            beat = session.get_one(SweepBeat, SWEEP)
        assert failure in beat.counts["failures"]


def test_a_case_whose_waking_breaks_stops_no_other(
    several: tuple[Township, list[str], Callable[[], None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    town, (broken, *others), _ = several
    engine = Engine()

    def create(deployment: Any, *, name: str, **rest: Any) -> Any:
        if name == broken:
            raise AssertionError("no such thing")
        return Engine.create_flow_run_from_deployment(engine, deployment, name=name, **rest)

    monkeypatch.setattr(engine, "create_flow_run_from_deployment", create)
    monkeypatch.setattr(waking, "reached", lambda: nullcontext(engine))
    failures: list[str] = []
    waking.wake_all(town.resources, at=town.now(), failures=failures)
    assert engine.started == others
    assert failures == [f"{broken}:AssertionError:no such thing"]


def test_a_prefect_that_goes_away_ends_the_waking_of_all(
    several: tuple[Township, list[str], Callable[[], None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    town, _, _ = several
    engine = Engine()

    def away(*_: Any, **__: Any) -> Any:
        raise httpx.ConnectError("away")

    monkeypatch.setattr(engine, "create_flow_run_from_deployment", away)
    monkeypatch.setattr(waking, "reached", lambda: nullcontext(engine))
    failures: list[str] = []
    with pytest.raises(httpx.ConnectError):
        waking.wake_all(town.resources, at=town.now(), failures=failures)
    assert failures == []


def test_asking_to_wake_what_can_not_be_read_is_refused_in_chinese(
    at_the_desk: tuple[Township, list[str], Callable[[], None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    town, (broken, *_), bring_back = at_the_desk
    monkeypatch.setattr(waking, "reached", lambda: nullcontext(Engine()))
    for column in broken_one_by_one(town, broken, bring_back, NO_RUN):
        asked = CliRunner().invoke(case_app.app, ["wake", broken])
        assert asked.exit_code == 1, column
        assert asked.stderr.startswith(f"未办理:案件 {broken}"), column
        assert "已被改动" in asked.stderr
        assert f"请运行 ketang audit verify {broken}" in asked.stderr
        assert waking.wake(town.resources, broken, at=town.now()) is Woken.UNREADABLE, column
