"""A sheet of decisions that is tried again or handed in again: each of its rows counts once, and for its own round."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from flows import bulk, by_sheet, sending
from flows.bulk import decide_sheet, read_sheet
from flows.by_sheet import take
from models.case import Case
from models.work_item import Decision, RowHandedIn, WorkItem
from policies.errors import Refused, Temporary
from policies.vocabulary import Door, Gate, Verdict
from tasks.commands import Decide
from tasks.decisions import decide
from tasks.drivers import BulkReport
from tasks.history import verify
from tasks.sheet_rows import AGAIN, BoundSheet
from tests.broken import break_rows
from tests.desks import OpenTown
from tests.flows.test_two_at_once import at_once
from tests.projects import EDITIONS, Projects, confirmed
from tests.township import GROUP_HEAD, LEADER, RESPONSIBLE, REVIEWER, SECOND_REVIEWER, Township

T = TypeVar("T")
SHEET = "决定.csv"
LOST = OperationalError("UPDATE", {}, Exception("server closed the connection unexpectedly"))


def put(town: Township, rows: Sequence[Sequence[str]], name: str = SHEET) -> str:
    folder = town.resources.settings.documents_folder
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["案件编号,办理人,决定,理由", *(",".join(row) for row in rows)]
    (folder / name).write_text("\n".join(lines) + "\n", "utf-8")
    return name


def tried_again(step: Callable[[], T], *, name: str) -> T:
    """Carry out a step as the live driver does: what may pass is tried three times more."""
    for _ in range(3):
        try:
            return step()
        except (Temporary, OperationalError):
            continue
    return step()


def handed_in(town: Township, name: str = SHEET) -> BulkReport:
    sheet = read_sheet(town.resources, name, at=town.now())
    return take(town.resources, sheet, tried_again, step="逐行登记决定", at=town.now())


def decided(town: Township, number: str, gate: Gate) -> list[tuple[int, Verdict]]:
    """What was decided at a gate, round by round."""
    with town.resources.database.read() as session:
        query = (
            select(WorkItem.round, Decision.verdict)
            .join(Decision, Decision.work_item_id == WorkItem.id)
            .join(Case, Case.id == WorkItem.case_id)
            .where(Case.number == number, WorkItem.gate == gate)
            .order_by(WorkItem.round)
        )
        return [(round_, verdict) for round_, verdict in session.execute(query).all()]


def sound(town: Township) -> None:
    with town.resources.database.read() as session:
        assert list(verify(session)) == []


ONCE = [(1, Verdict.RECTIFY)]


@pytest.fixture
def project(open_town: OpenTown) -> Projects:
    """A project at its acceptance, whose rectification leads to another round; once per kind of database."""
    edition = "linping-2022"
    there = confirmed(open_town(edition, EDITIONS[edition]))
    there.to_gate(Gate.ACCEPTANCE)
    return there


def rectify(project: Projects) -> list[str]:
    return [project.number, project.acceptor(), Verdict.RECTIFY.label, "花池积水"]


def test_a_step_that_is_tried_again_decides_no_second_round(project: Projects, monkeypatch: pytest.MonkeyPatch) -> None:
    town = project.town
    put(town, [rectify(project)])
    real, left = sending.post_letters, [LOST]

    def post_letters(*args: Any, **rest: Any) -> Any:
        if left:
            raise left.pop()
        return real(*args, **rest)

    monkeypatch.setattr(sending, "post_letters", post_letters)
    report = handed_in(town)
    assert (report.done, report.done_before, report.refused, report.failures) == (1, [], [], [])
    assert decided(town, project.number, Gate.ACCEPTANCE) == ONCE
    assert town.gate(project.number) is Gate.ACCEPTANCE, "the next round waits"
    assert {entry.status.value for entry in town.entries()} == {"sent"}
    sound(town)


@pytest.mark.parametrize("committed", [True, False])
def test_a_row_whose_commit_was_not_answered_counts_once(
    project: Projects, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    town = project.town
    put(town, [rectify(project)])
    real, left = bulk.decide, [LOST]

    def decide(*args: Any, **rest: Any) -> Any:
        if committed or not left:
            real(*args, **rest)
        if left:
            raise left.pop()

    monkeypatch.setattr(bulk, "decide", decide)
    report = handed_in(town)
    assert (report.done, report.done_before, report.refused) == (1, [], [])
    assert list(report.carried) == [project.number]
    assert decided(town, project.number, Gate.ACCEPTANCE) == ONCE


def test_a_sheet_handed_in_again_tells_what_it_did_and_decides_no_later_round(project: Projects) -> None:
    town = project.town
    put(town, [rectify(project)])
    assert handed_in(town).done == 1
    town.clock.move_to(town.now() + timedelta(hours=1))
    put(town, [rectify(project)], "再次提交.csv")
    put(town, [rectify(project), ["XZ-2026-9999", REVIEWER, Verdict.APPROVED.label, ""]], "另一份.csv")
    for name in (SHEET, "再次提交.csv"):
        again = handed_in(town, name)
        ((row, how),) = again.done_before
        assert (row, again.done, again.refused) == ("第2行", 0, [])
        assert f"已由表格“{SHEET}”于2022-05-" in how
        assert how.endswith(f"现处于“{Gate.ACCEPTANCE.label}”,{AGAIN}")
        assert decided(town, project.number, Gate.ACCEPTANCE) == ONCE
    put(town, [["XZ-2026-9999", REVIEWER, Verdict.APPROVED.label, ""], rectify(project)])
    mended = handed_in(town)
    assert [row for row, _ in mended.done_before] == ["第3行"], "a sheet of that name of which other rows were mended"
    assert [row for row, _ in mended.refused] == ["第2行"]
    assert decided(town, project.number, Gate.ACCEPTANCE) == ONCE
    other = handed_in(town, "另一份.csv")
    assert (other.done, other.done_before) == (1, []), "another sheet is meant for what waits now"
    assert decided(town, project.number, Gate.ACCEPTANCE) == [*ONCE, (2, Verdict.RECTIFY)]
    sound(town)


def test_two_runs_of_a_sheet_at_once_decide_one_round(project: Projects) -> None:
    town = project.town
    put(town, [rectify(project)])
    first, second = (read_sheet(town.resources, SHEET, at=town.now()) for _ in range(2))
    assert take(town.resources, first, step="", at=town.now()).done == 1
    report = take(town.resources, second, step="", at=town.now())
    assert (report.done, len(report.done_before), report.refused) == (0, 1, [])
    assert decided(town, project.number, Gate.ACCEPTANCE) == ONCE


def test_two_runs_that_read_a_sheet_at_once_write_each_row_down_once(open_town: OpenTown) -> None:
    town = open_town("example-2026", "2026-03-02 10:00")
    numbers = [town.apply()]
    for group in ("ZD02", "ZD03", "ZD04"):
        town.add_group(group)
        numbers.append(town.apply(household=f"{group}-001"))
    put(town, [[number, RESPONSIBLE, Verdict.FORWARDED.label, ""] for number in numbers])
    read = partial(read_sheet, town.resources, SHEET, at=town.now())
    for sheet in at_once([read, read, read]):
        assert isinstance(sheet, BoundSheet)
        assert len(sheet.rows) == len(numbers)
    with town.resources.database.read() as session:
        assert session.scalar(select(func.count(RowHandedIn.id))) == len(numbers)


def test_a_row_that_was_not_reached_decides_only_the_round_that_waited_then(
    open_town: OpenTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = open_town("example-2026", "2026-03-02 10:00")
    town.add_group("ZD02")
    reached, by_hand, untouched = (
        town.apply(household=household) for household in ("ZD01-001", "ZD02-001", "ZD01-002")
    )
    for number in (reached, by_hand, untouched):
        town.everybody_agrees(number=number)
    put(town, [[number, RESPONSIBLE, Verdict.FORWARDED.label, ""] for number in (reached, by_hand, untouched)])
    town.clock.move_to(town.now() + timedelta(hours=1))
    real = bulk.decide

    def killed(resources: Any, command: Any, **rest: Any) -> Any:
        if command.case != reached:
            raise KeyboardInterrupt
        return real(resources, command, **rest)

    monkeypatch.setattr(bulk, "decide", killed)
    with pytest.raises(KeyboardInterrupt):
        handed_in(town)
    monkeypatch.undo()
    town.clock.move_to(town.now() + timedelta(hours=1))
    town.number = by_hand
    town.decide(Verdict.RETURNED, by=RESPONSIBLE, reason="面积有误")
    town.resubmit(by=LEADER)
    assert town.gate() is Gate.VILLAGE_FORWARD
    assert town.gate(reached) is None, "decided, and not carried yet"

    again = handed_in(town)

    assert again.done == 1
    assert [row for row, _ in again.done_before] == ["第2行"]
    assert sorted(again.carried) == [reached, untouched], "carried is also what was left where it was decided"
    ((row, reason),) = again.refused
    assert row == "第3行"
    assert "已由周责任(P010)于2026-03-02 12:00办理,结果为" in reason
    assert "此行于2026-03-02 11:00第一次提交,只用于当时的环节;要在现在的环节办理的,请另填一份表" in reason
    assert decided(town, by_hand, Gate.VILLAGE_FORWARD) == [(1, Verdict.RETURNED)]
    sound(town)


@pytest.mark.parametrize("unreadable", [False, True], ids=["sound", "beside a past gate that can not be read"])
def test_a_row_that_was_refused_is_put_right_in_the_same_sheet_while_its_gate_waits(
    open_sqlite: OpenTown, unreadable: bool
) -> None:
    town = open_sqlite("example-2026", "2026-03-02 10:00")
    town.add_group("ZD02")
    ready, wrong = town.apply(), town.apply(household="ZD02-001")
    for number in (ready, wrong):
        town.everybody_agrees(number=number)
    put(town, [[ready, RESPONSIBLE, Verdict.FORWARDED.label, ""], [wrong, RESPONSIBLE, Verdict.RETURNED.label, ""]])
    town.clock.move_to(town.now() + timedelta(hours=1))
    ((row, reason),) = handed_in(town).refused
    assert row == "第3行"
    assert reason.startswith(f"案件 {wrong}:“村(居)委会上报”作出“退回补正”须写明理由")
    if unreadable:
        of_case = f"(SELECT id FROM cases WHERE number = '{ready}')"
        break_rows(town, f"UPDATE work_items SET gate = 'tor' WHERE gate = 'household_consent' AND case_id = {of_case}")
    put(town, [[number, RESPONSIBLE, Verdict.FORWARDED.label, ""] for number in (ready, wrong)])
    again = handed_in(town)
    assert (again.done, [row for row, _ in again.done_before], again.refused) == (1, ["第2行"], [])
    assert town.gate(wrong) is Gate.OFFICE_REVIEW


FOR_THEN = "第一次提交,只用于当时的环节;要在现在的环节办理的,请另填一份表并换一个文件名"


def reviewed_again(town: Township) -> None:
    """Somebody returns the file by hand, it comes back, and another round of the review waits."""
    town.decide(Verdict.RETURNED, by=SECOND_REVIEWER, reason="面积有误")
    town.resubmit(by=LEADER)
    assert town.gate() is Gate.OFFICE_REVIEW


@pytest.mark.parametrize("put_right", [True, False], ids=["put right", "as it was"])
def test_a_row_that_was_refused_decides_no_later_round(open_town: OpenTown, put_right: bool) -> None:
    town = open_town("example-2026", "2026-03-02 10:00")
    number = town.apply(volunteers=1)
    town.to_gate(Gate.OFFICE_REVIEW)
    put(town, [[number, GROUP_HEAD, Verdict.APPROVED.label, ""]])
    assert "无权办理" in handed_in(town).refused[0][1]
    reviewed_again(town)
    by = REVIEWER if put_right else GROUP_HEAD
    put(town, [[number, by, Verdict.APPROVED.label, "同意" if put_right else ""]])

    for _ in range(2):
        again = handed_in(town)
        ((row, reason),) = again.refused
        assert (row, again.done, again.done_before) == ("第2行", 0, [])
        assert f"案件 {number} 的“社区办审核”已由施审核(P002)于2026-03-02 10:00办理,结果为“退回补正”" in reason
        assert FOR_THEN in reason
    assert decided(town, number, Gate.OFFICE_REVIEW) == [(1, Verdict.RETURNED)]

    town.clock.move_to(town.now() + timedelta(hours=1))
    put(town, [[number, REVIEWER, Verdict.REJECTED.label, "面积不足"]], "另一份.csv")
    assert handed_in(town, "另一份.csv").done == 1
    assert decided(town, number, Gate.OFFICE_REVIEW) == [(1, Verdict.RETURNED), (2, Verdict.REJECTED)]
    sound(town)


def test_a_row_that_came_too_early_or_too_late_is_for_no_gate_that_comes_after(open_sqlite: OpenTown) -> None:
    town = open_sqlite("example-2026", "2026-03-02 10:00")
    number = town.apply()
    town.to_gate(Gate.VILLAGE_FORWARD)
    town.decide(Verdict.RETURNED, by=RESPONSIBLE, reason="面积有误")
    put(town, [[number, RESPONSIBLE, Verdict.FORWARDED.label, ""]])
    assert f"无权办理案件 {number} 的“补正”" in handed_in(town).refused[0][1]
    town.resubmit(by=LEADER)
    assert town.gate() is Gate.VILLAGE_FORWARD
    ((_, reason),) = handed_in(town).refused
    assert f"案件 {number} 的“补正”已由陆负责(" in reason
    assert FOR_THEN in reason
    assert decided(town, number, Gate.VILLAGE_FORWARD) == [(1, Verdict.RETURNED)]


def test_a_row_handed_in_between_two_gates_is_for_the_one_before(open_sqlite: OpenTown) -> None:
    town = open_sqlite("example-2026", "2026-03-02 10:00")
    number = town.apply()
    town.to_gate(Gate.VILLAGE_FORWARD)
    command = Decide(case=number, by=RESPONSIBLE, verdict=Verdict.RETURNED.label, reason="面积有误")
    decide(town.resources, command, door=Door.CLI, at=town.now())
    put(town, [[number, RESPONSIBLE, Verdict.FORWARDED.label, ""]])
    assert "已由周责任(P010)" in handed_in(town).refused[0][1]
    town.rehearsal.carry(number)
    town.resubmit(by=LEADER)
    assert town.gate() is Gate.VILLAGE_FORWARD
    assert FOR_THEN in handed_in(town).refused[0][1]
    assert decided(town, number, Gate.VILLAGE_FORWARD) == [(1, Verdict.RETURNED)]


def test_a_sheet_whose_name_is_used_again_decides_the_next_gate_of_what_it_decided(open_sqlite: OpenTown) -> None:
    town = open_sqlite("example-2026", "2026-03-02 10:00")
    number = town.apply()
    town.to_gate(Gate.VILLAGE_FORWARD)
    put(town, [[number, RESPONSIBLE, Verdict.FORWARDED.label, ""]])
    assert handed_in(town).done == 1
    put(town, [[number, REVIEWER, Verdict.REJECTED.label, "面积不足"]])
    assert handed_in(town).done == 1
    assert decided(town, number, Gate.OFFICE_REVIEW) == [(1, Verdict.REJECTED)]


def test_a_second_row_of_a_case_that_its_sheet_decided_waits_for_no_later_round(open_sqlite: OpenTown) -> None:
    town = open_sqlite("example-2026", "2026-03-02 10:00")
    number = town.apply()
    town.to_gate(Gate.VILLAGE_FORWARD)
    put(
        town,
        [
            [number, RESPONSIBLE, Verdict.RETURNED.label, "面积有误"],
            [number, RESPONSIBLE, Verdict.FORWARDED.label, ""],
        ],
    )
    assert [row for row, _ in handed_in(town).refused] == ["第3行"]
    town.resubmit(by=LEADER)
    again = handed_in(town)
    assert ([row for row, _ in again.done_before], [row for row, _ in again.refused]) == (["第2行"], ["第3行"])
    assert decided(town, number, Gate.VILLAGE_FORWARD) == [(1, Verdict.RETURNED)]


def test_a_sheet_that_is_faulty_itself_is_for_the_gates_that_waited_too(open_sqlite: OpenTown) -> None:
    town = open_sqlite("example-2026", "2026-03-02 10:00")
    town.add_group("ZD02")
    sound_one, faulty = town.apply(household="ZD02-001"), town.apply()
    for number in (sound_one, faulty):
        town.everybody_agrees(number=number)
        town.decide(Verdict.FORWARDED, by=RESPONSIBLE, number=number)
    put(town, [[sound_one, REVIEWER, Verdict.APPROVED.label, ""], [faulty.lower(), REVIEWER, "同意", ""]])
    with pytest.raises(Refused) as refusal:
        handed_in(town)
    told = f"第3行(案件 {faulty}):“决定”填的是“同意”,现处于“社区办审核”,可选:批准、退回补正、不予批准、撤回申请"
    assert refusal.value.reason.endswith(f"有1行有误,均未办理:{told}")
    put(town, [["KT-2026-9999", REVIEWER, "同意", ""]], "无此案.csv")
    with pytest.raises(Refused, match=r"第2行\(案件 KT-2026-9999\):“决定”“同意”不在可选项之内,请从中选择:") as listed:
        handed_in(town, "无此案.csv")
    assert not [each for each in ("逾期", "期满结束", "未获全体同意") if each in listed.value.reason]
    assert decided(town, sound_one, Gate.OFFICE_REVIEW) == []
    town.number = sound_one
    reviewed_again(town)
    put(town, [[sound_one, REVIEWER, Verdict.APPROVED.label, ""], [faulty, REVIEWER, Verdict.REJECTED.label, "无"]])
    again = handed_in(town)
    assert (again.done, [row for row, _ in again.refused]) == (1, ["第2行"])
    assert FOR_THEN in again.refused[0][1]


def test_the_person_is_the_same_by_code_and_by_name(open_town: OpenTown) -> None:
    town = open_town("example-2026", "2026-03-02 10:00")
    number = town.apply()
    town.to_gate(Gate.VILLAGE_FORWARD)
    put(town, [[number.lower(), RESPONSIBLE, Verdict.RETURNED.label, "面积有误"]])
    assert handed_in(town).done == 1
    town.resubmit(by=LEADER)
    put(town, [[number, "周责任", Verdict.RETURNED.label, "面积有误"]])
    again = handed_in(town)
    assert (again.done, [row for row, _ in again.done_before], again.refused) == (0, ["第2行"], [])
    assert decided(town, number, Gate.VILLAGE_FORWARD) == [(1, Verdict.RETURNED)]


def test_a_case_that_can_not_be_read_keeps_no_other_row_from_being_bound(open_sqlite: OpenTown) -> None:
    town = open_sqlite("example-2026", "2026-03-02 10:00")
    town.add_group("ZD02")
    numbers = [town.apply(), town.apply(household="ZD02-001")]
    for number in numbers:
        town.everybody_agrees(number=number)
    put(town, [[number, RESPONSIBLE, Verdict.FORWARDED.label, ""] for number in numbers])
    break_rows(
        town,
        "UPDATE work_items SET gate = 'tor' WHERE status = 'open'"
        f" AND case_id = (SELECT id FROM cases WHERE number = '{numbers[0]}')",
    )
    report = decide_sheet(town.resources, SHEET, at=town.now())
    assert report.done == 1
    ((row, reason),) = report.refused
    assert row == "第2行"
    assert f"案件 {numbers[0]} 的记录无法读取,已被改动,不能办理;请运行 ketang audit verify {numbers[0]}" in reason
    assert town.gate(numbers[1]) is Gate.OFFICE_REVIEW


def test_rows_that_the_database_kept_from_being_done_are_told(
    open_sqlite: OpenTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = open_sqlite("example-2026", "2026-03-02 10:00")
    number = town.apply()
    town.everybody_agrees()
    put(town, [[number, RESPONSIBLE, Verdict.FORWARDED.label, ""]])

    def away(*_: Any, **__: Any) -> None:
        raise LOST

    monkeypatch.setattr(bulk, "decide", away)
    report = handed_in(town)
    assert (report.done, report.refused) == (0, [("第2行", f"案件 {number}:{by_sheet.AWAY}")])
    monkeypatch.undo()
    assert handed_in(town).done == 1
