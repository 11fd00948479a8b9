"""The audit compares a case's end, gates, rolls, applications and works with its history (D0-R8, D0-R9, D0-R10)."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from policies.vocabulary import Answer, Verdict
from tasks import applications, consents, due_days, history, items, site_asks, works
from tasks.history import verify
from tests.desks import OpenTown, publish_2027
from tests.tasks.test_audit import faults, list_two, named, one_byte_off, value
from tests.township import GROUP_HEAD, HEAD_OF_OFFICE, RESPONSIBLE, REVIEWER, SECOND_REVIEWER, Township


def objecting(town: Township) -> Township:
    """Let two households agree, one object, one say nothing."""
    town.apply()
    town.answer({"ZD01-001": Answer.AGREE, "ZD01-002": Answer.OBJECT, "ZD01-003": Answer.AGREE})
    return town


ROLLS = [
    ("UPDATE consents SET answer = 'agree' WHERE answer = 'object'", "户 ZD01-002 的答复:列 answer 现为“agree”"),
    ("UPDATE consents SET note = '已劝说' WHERE answer = 'object'", "户 ZD01-002 的答复:列 note 现为“已劝说”"),
    ("UPDATE consents SET door = 'sheet' WHERE answer = 'object'", "户 ZD01-002 的答复:列 door 现为“sheet”"),
    ("UPDATE consents SET recorded_by_id = 1 WHERE answer = 'object'", "户 ZD01-002 的答复:列 recorded_by_id"),
    (
        "UPDATE consents SET answer = 'agree', answered_at = '2018-10-08 02:00:00+00:00' WHERE answer IS NULL",
        "户 ZD01-004 的答复:列 answer 现为“agree”,办理记录为空",
    ),
    ("UPDATE consents SET answer = NULL, answered_at = NULL WHERE answer = 'object'", "列 answer 现为空"),
    ("DELETE FROM consents WHERE answer IS NULL", "户 ZD01-004 已被从名册中删除"),
    ("DELETE FROM consents WHERE answer = 'object'", "户 ZD01-002 已被从名册中删除"),
    ("UPDATE consents SET household_id = 5 WHERE answer IS NULL", "户 ZD02-001 不在冻结的名册内"),
    ("INSERT INTO consents (work_item_id, household_id, note) VALUES (1, 5, '')", "户 ZD02-001 不在冻结的名册内"),
    ("UPDATE households SET number = 'ZD01-009' WHERE number = 'ZD01-002'", "户 ZD01-002 已被从名册中删除"),
]


def test_no_answer_and_no_household_is_changed_unseen(both: Township) -> None:
    both.add_group("ZD02")
    objecting(both)
    assert faults(both) == []
    for statement, said in ROLLS:
        found = faults(both, statement)
        assert {(each.table, each.row) for each in found} == {("consents", 1)}, statement
        assert any(said in each.reason for each in found), (statement, found)


def test_an_answer_turned_behind_the_back_is_told_after_the_gate_closed_on_it_too(both: Township) -> None:
    objecting(both)
    with both.resources.database.write() as session:
        session.execute(text("UPDATE consents SET answer = 'agree' WHERE answer = 'object'"))
    both.answer({"ZD01-004": Answer.AGREE})
    with both.resources.database.read() as session:
        (fault,) = verify(session)
    assert str(fault) == (
        "案件 ZJJ-2018-0001:表 consents 第 1 行:户 ZD01-002 的答复:列 answer 现为“agree”,办理记录为“object”,已被改动"
    )


def test_an_answer_given_and_taken_back_and_given_again_is_as_it_was_told(both: Township) -> None:
    objecting(both)
    for answer in (Answer.AGREE, Answer.OBJECT, Answer.AGREE, Answer.OBJECT):
        both.answer({"ZD01-002": answer})
    assert faults(both) == []
    (fault,) = faults(both, "UPDATE consents SET answer = 'agree' WHERE answer = 'object'")
    assert "户 ZD01-002 的答复" in fault.reason


def test_an_answer_that_can_not_be_read_is_named_and_hides_no_other(town: Township) -> None:
    objecting(town)
    found = faults(
        town,
        "UPDATE consents SET answer = 'vielleicht' WHERE answer = 'object'",
        "UPDATE consents SET note = 'x' WHERE household_id = 1",
    )
    assert [each.reason for each in found] == [
        "户 ZD01-001 的答复:列 note 现为“x”,办理记录为空,已被改动",
        "登记簿第 2 行的户的答复无法读取,已被改动",
    ]


NOT_TOLD = {
    "work_items": {"id", "last_urged_at", "escalated_at", "refusal", "subject_id"},
    "site_applications": {"id"},
    "works_done": {"id"},
    "cases": {"id", "number", "kind", "opening_key", "title", "unit_id", "parent_id", "year"}
    | {"carried_seq", "history_seq", "history_head"}
    | {"flow_run_id", "run_attempt", "run_requested_at", "run_checked_at"},
    "documents": {"id", "case_id", "kind", "reference", "size", "added_at", "added_by_id"},
}
"""What no fact of the history says."""


def test_whatever_the_history_says_of_these_tables_is_changed_unseen_by_nobody(open_sqlite: OpenTown) -> None:
    town = list_two(open_sqlite("zhujiajiao-2018", "2018-10-08 10:00"))
    assert faults(town) == []
    for table, left_out in NOT_TOLD.items():
        row = value(town, f"SELECT MIN(id) FROM {table}")
        for column in value_columns(town, table) - left_out:
            before = value(town, f"SELECT {column} FROM {table} WHERE id = {row}")
            for changed in others(before):
                try:
                    found = faults(town, f"UPDATE {table} SET {column} = {changed} WHERE id = {row}")
                except IntegrityError:
                    continue  # a unique key stands in the way: so much the better
                assert any(each.table == table for each in found), f"{table}.{column}: {before!r} became {changed}"


def others(before: Any) -> list[str]:
    """Return SQL values that are not `before`; of what may be a yes or a no, the other."""
    if before in (0, 1):
        return [str(1 - before)]
    return one_byte_off(str(before)) if before not in ("", None) else ["'7'"]


def value_columns(town: Township, table: str) -> set[str]:
    with town.resources.database.engine.connect() as connection:
        return {row[1] for row in connection.exec_driver_sql(f"PRAGMA table_info({table})")}


ADDED = (
    "INSERT INTO site_applications SELECT 99, case_id, 9, submitted_at, leader_id, leader_source, recommended_by,"
    " leader_agrees, 99, area_square_metres, facilities, confirmations, speciality, combined_with, household_agrees,"
    " warnings, deficiencies FROM site_applications WHERE id = 1"
)


def test_rows_added_and_removed_are_told_on_both_databases(both: Township) -> None:
    town = list_two(both)
    assert faults(town) == []
    for statement, table, said in (
        (ADDED, "site_applications", "办理记录中没有第9轮申请,系另行添加"),
        ("DELETE FROM site_applications WHERE round = 2", "site_applications", "第2轮申请已被删除"),
        (
            "UPDATE site_applications SET volunteers = 30 WHERE round = 2",
            "site_applications",
            "第2轮申请:列 volunteers",
        ),
        ("UPDATE works_done SET code = 'nothing' WHERE id = 1", "works_done", "没有登记过事项“nothing”,系另行添加"),
        ("DELETE FROM works_done WHERE id = 1", "works_done", "已被删除"),
        ("UPDATE works_done SET done_on = '2018-01-02' WHERE id = 1", "works_done", "列 done_on 现为“2018-01-02”"),
        (
            "UPDATE work_items SET due_on = '2030-12-01' WHERE status = 'open'",
            "work_items",
            "列 due_on 现为“2030-12-01”",
        ),
        (
            "UPDATE work_items SET status = 'cancelled', closed_at = opened_at WHERE status = 'open'",
            "work_items",
            "列 status 现为“cancelled”,办理记录为“open”,已被改动",
        ),
        ("UPDATE documents SET sha256 = 'x' WHERE id = 1", "documents", "列 sha256 现为“x”"),
        ("UPDATE cases SET outcome = 'rejected' WHERE id = 1", "cases", "列 outcome 现为“rejected”,办理记录为“listed”"),
    ):
        found = faults(town, statement)
        assert {each.table for each in found} == {table}, (statement, found)
        assert any(said in each.reason for each in found), (statement, found)


def test_what_moves_a_day_or_hands_a_gate_over_is_told_and_stands(open_sqlite: OpenTown) -> None:
    town = open_sqlite("example-2026", "2026-12-10 10:00")
    town.set_email(GROUP_HEAD, None)
    town.apply()
    before = value(town, "SELECT due_on FROM work_items WHERE id = 1")
    publish_2027(town)
    assert town.sleep_until("2026-12-20 10:00").recomputed == 1
    town.everybody_agrees()
    town.decide(Verdict.FORWARDED, by=town.forwarder())
    town.hand_over(by=HEAD_OF_OFFICE, to=SECOND_REVIEWER)
    town.urge(by=RESPONSIBLE)
    assert faults(town) == []
    (gate,) = faults(town, "UPDATE work_items SET assignee_id = NULL WHERE gate = 'office_review'")
    assert "列 assignee_id 现为空,办理记录为" in gate.reason
    moved = faults(town, f"UPDATE work_items SET due_on = '{before}' WHERE id = 1")
    assert named(moved) == {("work_items", 1)}


NOT_YET_TOLD = {"by", "named", "lapses", "leader_agrees", "household_agrees", "village_id", "group_id", "household_id"}


def test_a_case_of_an_earlier_release_that_told_less_stays_sound(
    open_sqlite: OpenTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = history.append

    def tells_less(*args: Any, data: dict[str, Any], **more: Any) -> None:
        if "households" not in data:
            told(*args, data={name: each for name, each in data.items() if name not in NOT_YET_TOLD}, **more)

    for module in (applications, consents, due_days, items, site_asks, works):
        monkeypatch.setattr(module, "append", tells_less)
    town = list_two(open_sqlite("zhujiajiao-2018", "2018-10-08 10:00"))
    assert faults(town) == []
    (fault,) = faults(town, "UPDATE consents SET answer = 'object' WHERE household_id = 2")
    assert "户 ZD01-002 的答复:列 answer 现为“object”" in fault.reason


def test_a_closed_case_stands_with_its_withdrawn_gate(both: Township) -> None:
    objecting(both)
    both.withdraw()
    assert faults(both) == []
    both.add_group("ZD02")
    both.apply(household="ZD02-001")
    both.everybody_agrees()
    both.decide(Verdict.FORWARDED, by=RESPONSIBLE)
    both.decide(Verdict.REJECTED, by=REVIEWER, reason="选址不当")
    assert faults(both) == []
