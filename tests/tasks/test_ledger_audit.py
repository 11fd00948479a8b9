"""The audit of a programme's money names what somebody changed behind the product's back, on both databases."""

from pathlib import Path

import openpyxl
import pytest
from sqlalchemy.orm import Session

from policies.errors import Refused
from tasks.history import verify, verify_ledger
from tasks.ledger_book import export_ledger
from tests.broken import break_rows
from tests.programme import CALL, FIRST, SECOND, Programme
from tests.tasks.test_audit import forged
from tests.township import Township

TAMPERED = {
    "an amount": (
        "UPDATE ledger_lines SET amount_fen = amount_fen - 100 WHERE amount_fen = 500000",
        "ledger_lines",
        "与办理记录不符,已被改动",
    ),
    "an entry out of balance": (
        "UPDATE ledger_lines SET amount_fen = amount_fen + 1 WHERE amount_fen = 500000",
        "ledger_entries",
        "借贷不平:各行合计 1 分,应为零",
    ),
    "a balance": (
        "UPDATE ledger_accounts SET balance_fen = balance_fen + 1 WHERE level = 'town'",
        "ledger_accounts",
        "余额 200001 分,与流水合计 200000 分不符",
    ),
    "a raised cap": (
        "UPDATE ledger_accounts SET cap_fen = 900000 WHERE purpose = 'material'",
        "ledger_accounts",
        "上限 900000 分与办理记录中的 600000 分不符",
    ),
    "a cap taken away": (
        "UPDATE ledger_accounts SET cap_fen = NULL WHERE purpose = 'labour'",
        "ledger_accounts",
        "上限 (无)与办理记录中的 300000 分不符",
    ),
    "another purpose": (
        "UPDATE ledger_accounts SET name = '宴请' WHERE purpose = 'material'",
        "ledger_accounts",
        "名称应为“材料费",
    ),
    "another giver": (
        "UPDATE ledger_accounts SET name = '某人' WHERE level = 'district'",
        "ledger_accounts",
        "名称与办理记录不符,已被改动",
    ),
    "another case's money": (
        f"UPDATE ledger_accounts SET case_id = (SELECT id FROM cases WHERE number = '{SECOND}') "
        "WHERE level = 'village'",
        "ledger_accounts",
        "与其层级、来源、用途不符,已被改动",
    ),
    "a line of nobody": (
        "UPDATE ledger_lines SET entry_id = 777 WHERE amount_fen = 500000",
        "ledger_lines",
        "所属的分录或案件已不存在",
    ),
    "one line less": (
        "DELETE FROM ledger_lines WHERE amount_fen = 500000",
        "ledger_entries",
        "应有 2 行,现有 1 行",
    ),
    "an entry less": (
        "DELETE FROM ledger_entries WHERE move = 'spending'",
        "history",
        "在表 ledger_entries 中没有对应的行",
    ),
    "an unused budget line less": (
        "DELETE FROM ledger_accounts WHERE purpose = 'labour'",
        "ledger_accounts",
        "已被删除或改动",
    ),
    "an entry more": (
        "INSERT INTO ledger_entries (case_id, key, move, memo, booked_at, booked_by_id) "
        "SELECT case_id, 'forged', move, memo, booked_at, booked_by_id FROM ledger_entries WHERE move = 'spending'",
        "ledger_entries",
        "与办理记录不符,已被改动",
    ),
    "a history retold": (
        "UPDATE history SET summary = '支出:办公用品' WHERE kind = 'money_moved'",
        "history",
        "内容与其摘要不符,已被改动",
    ),
}


@pytest.fixture
def spent(both: Township) -> Programme:
    """A project that has spent 5,000.00 of the 8,000.00 it got."""
    money = Programme(both)
    money.receive(1_000_000)
    money.budget(("material", "材料费", 600_000), ("labour", "劳务费", 300_000))
    money.grant(800_000)
    money.spend(500_000)
    return money


def test_untouched_money_is_clean(spent: Programme) -> None:
    assert spent.faults() == []


def test_whatever_is_changed_in_the_ledger_is_named_by_both_audits(spent: Programme) -> None:
    for what, (statement, table, told) in TAMPERED.items():
        with forged(spent.town, statement) as connection, Session(connection) as session:
            for audit in (verify, verify_ledger):
                faults = list(audit(session))
                found = [fault for fault in faults if fault.table == table and told in fault.reason]
                assert found, f"{what}: {[str(fault) for fault in faults]}"
                session.expire_all()
    assert spent.faults() == []


def test_a_ledger_emptied_altogether_is_missed(spent: Programme) -> None:
    empty = [f"DELETE FROM {table}" for table in ("ledger_lines", "ledger_entries", "ledger_accounts")]
    with forged(spent.town, *empty) as connection, Session(connection) as session:
        told = {fault.case_number for fault in verify_ledger(session)}
    assert told == {CALL, FIRST}


def test_a_balance_below_zero_is_told_where_no_check_stood_in_the_way(town: Township) -> None:
    money = Programme(town)
    money.receive(1_000)
    statement = "UPDATE ledger_accounts SET balance_fen = -5 WHERE level = 'town'"
    with forged(town, statement) as connection, Session(connection) as session:
        assert any("专户科目的余额不得为 -5 分" in str(fault) for fault in verify_ledger(session))


def test_the_workbook_is_whole_or_names_what_is_missing_on_both_databases(spent: Programme, tmp_path: Path) -> None:
    export_ledger(spent.resources.database, tmp_path / "whole.xlsx")
    sqlite = spent.resources.database.engine.dialect.name == "sqlite"
    drop = ["DROP TRIGGER ledger_entries_no_update"] if sqlite else []
    garbage = "gestern" if sqlite else "infinity"
    break_rows(spent.town, *drop, f"UPDATE ledger_entries SET booked_at = '{garbage}' WHERE move = 'spending'")
    with pytest.raises(Refused, match=rf"记-000003  表 ledger_entries 第 3 行:.*列 booked_at 现为“{garbage}”"):
        export_ledger(spent.resources.database, tmp_path / "in_part.xlsx")
    whole, in_part = (openpyxl.load_workbook(tmp_path / f"{name}.xlsx") for name in ("whole", "in_part"))
    assert [whole.sheetnames, in_part.sheetnames] == [["流水", "科目"], ["流水", "科目", "无法读取"]]
    assert whole["流水"].max_row == in_part["流水"].max_row
