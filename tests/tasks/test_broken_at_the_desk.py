"""A case that somebody has tampered with is told in Chinese by every command that shows it, and hides no other."""

from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner

from cli import call, change, evaluation, inspection, meeting, notice, service
from policies.vocabulary import CaseKind
from tasks.register_rows import Wanted
from tasks.registers import RegisterKind, make_register
from tests.broken import break_rows
from tests.desks import OpenTown, keep
from tests.inspections import inspections, open_campaign
from tests.notices import Board
from tests.parlours import add_site, add_village
from tests.services import services_in
from tests.township import Township, at
from tests.years import open_year

At = Callable[[Township], None]
NO_TEXT = "CAST(x'e5a4' AS TEXT)"
"""Bytes that are no text; lists show them as `NO_TEXT_SHOWN`."""
NO_TEXT_SHOWN = r"\xe5\xa4"


@pytest.fixture
def sit_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> At:
    """A function after which the commands work on a township."""

    def sit(town: Township) -> None:
        monkeypatch.setenv("KETANG_DATABASE_URL", str(town.resources.database.engine.url))
        monkeypatch.setenv("KETANG_HOME", str(tmp_path))

    return sit


def test_every_command_that_shows_a_case_says_how_to_find_the_fault(open_sqlite: OpenTown, sit_at: At) -> None:
    town = open_sqlite("zhujiajiao-2018", "2018-10-08 10:00")
    sit_at(town)
    town.add_group("ZD02")
    first, second = town.apply(), town.apply(household="ZD02-001")
    break_rows(town, f"UPDATE cases SET opened_at = 'gestern' WHERE number = '{first}'")
    for app, kind in {
        call: CaseKind.CALL,
        change: CaseKind.SITE_CHANGE,
        evaluation: CaseKind.ANNUAL_EVALUATION,
        meeting: CaseKind.JOINT_MEETING,
        notice: CaseKind.NOTICE,
    }.items():
        # The case can be read; what a case of that kind has is not there.
        break_rows(town, f"UPDATE cases SET kind = '{kind.value}' WHERE number = '{second}'")
        for number in (first, second):
            shown = CliRunner().invoke(app.app, ["show", number])
            told = f"未办理:案件 {number} 的记录无法读取,已被改动;请运行 ketang audit verify {number}"
            assert (shown.exit_code, told in shown.stderr) == (1, True), (app.__name__, number, shown)


def test_an_order_whose_number_is_no_text_hides_no_other(open_sqlite: OpenTown, sit_at: At) -> None:
    there = services_in(open_sqlite)
    sit_at(there.town)
    broken, other = there.place(key="1"), there.place(key="2", item="YL02", wished_on=there.day(11))
    break_rows(there.town, f"UPDATE cases SET number = {NO_TEXT} WHERE number = '{broken}'")
    lines = listed(service, "list")
    assert lines.keys() == {other, NO_TEXT_SHOWN}
    assert "没有编号为" in lines[NO_TEXT_SHOWN]
    assert "血压检测" in lines[other]


def test_a_campaign_or_an_inspection_whose_number_is_no_text_hides_no_other(open_sqlite: OpenTown, sit_at: At) -> None:
    town = open_sqlite("example-2026", "2026-03-02 09:00")
    sit_at(town)
    add_site(town)
    first = open_campaign(town, key="1", title="第1次督查")
    add_site(town), add_site(town)
    second = open_campaign(town, key="2", title="第2次督查")
    one, other = inspections(town, second)
    break_rows(town, f"UPDATE cases SET number = {NO_TEXT} WHERE number = '{first}'")
    campaigns = listed(inspection, "list")
    assert list(campaigns) == [second, NO_TEXT_SHOWN]
    assert "第2次督查" in campaigns[second]
    break_rows(town, f"UPDATE cases SET number = {NO_TEXT} || 2 WHERE number = '{one}'")
    inspected = listed(inspection, "list", second)
    assert list(inspected) == [f"{NO_TEXT_SHOWN}2", other]
    assert "等待现场督查" in inspected[other]


def test_a_notice_that_can_not_be_read_hides_no_other(open_sqlite: OpenTown, sit_at: At) -> None:
    board = Board(open_sqlite("example-micro-2026", "2026-03-02 10:00"))
    sit_at(board.town)
    broken, other = (board.publish(key=key, title=f"第{key}件") for key in ("1", "2"))
    for table, tampered in (("notices", "ends_on = 'gestern'"), ("cases", f"number = {NO_TEXT}")):
        of_case = f"(SELECT id FROM cases WHERE number = '{broken}')"
        break_rows(
            board.town, f"UPDATE {table} SET {tampered} WHERE {'case_id' if table == 'notices' else 'id'} = {of_case}"
        )
        lines = listed(notice, "list")
        assert "第2件" in lines[other]
        (told,) = (line for number, line in lines.items() if number != other)
        assert "的记录无法读取,已被改动" in told, table


IN_AN_EVALUATION = {
    "evaluation_results SET rank = 'erster' WHERE id = 1": 3,
    "evaluation_results SET village_id = 999 WHERE id = 1": 3,
    f"criterion_scores SET explained = {NO_TEXT} WHERE result_id = 1": 3,
    f"criterion_scores SET code = {NO_TEXT} WHERE id = 1": 3,
    "evaluation_results SET site_id = 999 WHERE id = 1": 3,
    "year_evaluations SET round = 'x'": 0,
    "year_evaluations SET computed_at = 'gestern'": 0,
    "cases SET title = x'0102' WHERE kind = 'annual_evaluation'": 4,
    "cases SET edition_sha256 = 'x' WHERE kind = 'annual_evaluation'": 0,
}
"""What is broken, and how many rows of the register can still be read."""


def test_the_register_of_evaluations_keeps_every_result_that_can_be_read(open_sqlite: OpenTown, tmp_path: Path) -> None:
    town = open_sqlite("example-2026", "2026-01-01 09:00")
    add_village(town, "LH", "柳河村")
    add_site(town), add_site(town, village="LH")
    town.clock.move_to(at("2027-01-11 09:00"))
    number = open_year(town)
    whole = register_of(town, tmp_path / "whole.xlsx")
    assert len(whole) == 4
    bring_back = keep(town)
    for n, (tampered, readable) in enumerate(IN_AN_EVALUATION.items()):
        bring_back()
        break_rows(town, f"UPDATE {tampered}")
        rows = register_of(town, tmp_path / f"{n}.xlsx")
        told = [row for row in rows if f"请运行 ketang audit verify {number}" in str(row[-1])]
        left = [row for row in rows if row not in told]
        assert (len(left), [row for row in left if row not in whole]) == (readable, []), tampered
        assert (len(told) > 0) == (readable < 4), tampered


def register_of(town: Township, path: Path) -> list[tuple[object, ...]]:
    """The rows of the register of evaluations, without its head and its sums."""
    assert make_register(town.resources, RegisterKind.EVALUATIONS, out=path, wanted=Wanted()) is not None
    return list(openpyxl.load_workbook(path).worksheets[0].iter_rows(values_only=True))[1:-1]


def listed(app: object, *words: str) -> dict[str, str]:
    """The lines of a list by the numbers with which they begin."""
    result = CliRunner().invoke(app.app, [*words])  # type: ignore[attr-defined]
    assert result.exit_code == 0, result
    return {line.split("  ")[0]: line for line in result.stdout.splitlines()}
