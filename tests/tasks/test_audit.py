"""The audit finds whatever was changed, removed or put in behind the product's back, and names the row."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

import runtime.resources
from models.history import APPEND_ONLY
from policies.errors import BadPolicy
from policies.vocabulary import Verdict
from rules.periods import SHANGHAI
from runtime.resources import edition_of
from tasks.act import acting
from tasks.cases import load_case
from tasks.documents import changed_documents
from tasks.history import SYSTEM, AuditFault, append, verify, verify_ledger
from tests.desks import Desk, OpenTown, opener
from tests.notices import Board
from tests.township import RESPONSIBLE, REVIEWER, Township


def list_two(town: Township) -> Township:
    """List a site with every kind of record, and open a second case beside it."""
    town.apply(volunteers=9)
    town.everybody_agrees()
    town.decide(Verdict.RETURNED, by=RESPONSIBLE, reason="请补充")
    town.resubmit(volunteers=9)
    town.decide(Verdict.FORWARDED, by=RESPONSIBLE)
    town.decide(Verdict.APPROVED, by=REVIEWER, acknowledged=["志愿者人数"])
    town.finish_works()
    town.finish_subsidy()
    town.spend("1280.50", key="1")
    first = town.number
    town.add_group("ZD02")
    town.apply(household="ZD02-001")
    town.number = first
    return town


@pytest.fixture
def listed(open_sqlite: OpenTown) -> Township:
    return list_two(open_sqlite("zhujiajiao-2018", "2018-10-08 10:00"))


@pytest.fixture
def on_both(both: Township) -> Township:
    return list_two(both)


@contextmanager
def forged(town: Township, *statements: str) -> Iterator[Connection]:
    """Run statements as somebody with the database's password would: the seals broken. Taken back afterwards."""
    engine = town.resources.database.engine
    sqlite = engine.dialect.name == "sqlite"
    with engine.connect() as connection:
        if sqlite:
            connection.exec_driver_sql("COMMIT")
            for pragma in ("foreign_keys = OFF", "ignore_check_constraints = ON"):
                connection.exec_driver_sql(f"PRAGMA {pragma}")
            connection.exec_driver_sql("BEGIN")
        else:
            connection.exec_driver_sql("SET session_replication_role = replica")  # no foreign keys, no triggers
        try:
            for table in APPEND_ONLY if sqlite else ():
                for verb in ("update", "delete"):
                    connection.exec_driver_sql(f"DROP TRIGGER {table}_no_{verb}")
            for statement in statements:
                connection.exec_driver_sql(statement)
            yield connection
        finally:
            connection.rollback()
            connection.invalidate()


def faults(town: Township, *statements: str) -> list[AuditFault]:
    with forged(town, *statements) as connection, Session(connection) as session:
        return list(verify(session))


def named(found: list[AuditFault]) -> set[tuple[str, int]]:
    return {(fault.table, fault.row) for fault in found}


def value(town: Township, query: str) -> Any:
    with town.resources.database.engine.connect() as connection:
        return connection.exec_driver_sql(query).scalar()


def rows_of(town: Township) -> list[int]:
    with town.resources.database.engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT id FROM history WHERE case_id = 1 ORDER BY seq")
        return [row for (row,) in found]


def test_untouched_records_are_clean_and_the_database_keeps_them_so(on_both: Township) -> None:
    assert faults(on_both) == []
    for table in sorted(set(APPEND_ONLY) - {"archived_cases"}):  # of which there are none here
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET id = id"):
            with on_both.resources.database.engine.connect() as connection:
                with pytest.raises(DBAPIError, match=f"{table} is append-only"):
                    connection.exec_driver_sql(statement)
                connection.rollback()
    assert faults(on_both) == []


HISTORY = ["case_id", "seq", "at", "kind", "actor", "summary", "data", "previous", "hash"]
DECISIONS = ["work_item_id", "case_id", "verdict", "reason", "decided_by_id", "door", "decided_at", "effective_at"]
ENTRIES = ["case_id", "key", "move", "memo", "document_id", "booked_at", "booked_by_id"]
LINES = ["entry_id", "account_id", "amount_fen"]
ACCOUNTS = ["case_id", "code", "name", "kind", "level", "source", "purpose", "cap_fen", "balance_fen"]
COLUMNS = [
    *(("history", column) for column in HISTORY),
    *(("decisions", column) for column in [*DECISIONS, "acknowledged", "details"]),
    *(("ledger_entries", column) for column in ENTRIES),
    *(("ledger_lines", column) for column in LINES),
    *(("ledger_accounts", column) for column in ACCOUNTS),
]
MAY_BE_EMPTY = {"reason", "memo", "acknowledged", "details", "document_id", "purpose"}
OF_CASE = {"ledger_lines": "entry_id IN (SELECT id FROM ledger_entries WHERE case_id = 1)"}
ANOTHER_ROW = {("history", "case_id")}
"""A row taken out of a case is told by the next row, which no longer follows."""


def one_byte_off(text: str) -> list[str]:
    """Return SQL values that differ from `text` in one sign: the first, the middle, the last."""
    changed = []
    for place in sorted({0, len(text) // 2, len(text) - 1}):
        sign = text[place]
        other = {"9": "8", "z": "y", "Z": "Y"}.get(sign, chr(ord(sign) + 1))
        changed.append((text[:place] + other + text[place + 1 :]).replace("'", "''"))
    return [f"'{each}'" for each in changed]


def test_a_moment_told_in_shanghai_time_is_sealed_as_it_is_read_back(on_both: Township) -> None:
    at = on_both.now().astimezone(SHANGHAI)
    with acting(on_both.resources, at=at) as act:
        case = load_case(act.session, on_both.number)
        append(act.session, case, kind="noted", actor=SYSTEM, summary="备注", at=at, data={})
    with on_both.resources.database.read() as session:
        assert list(verify(session, number=on_both.number)) == []


def test_one_changed_byte_in_any_column_is_found_and_named(listed: Township) -> None:
    tried: set[tuple[str, str]] = set()
    for table, column in COLUMNS:
        filled = f"AND {column} NOT IN ('', '[]', '{{}}')" if column in MAY_BE_EMPTY else ""
        rows = f"FROM {table} WHERE {OF_CASE.get(table, 'case_id = 1')} {filled}"
        middle = value(listed, f"SELECT COUNT(*) {rows}") // 2
        row = value(listed, f"SELECT id {rows} ORDER BY id LIMIT 1 OFFSET {middle}")
        before = value(listed, f"SELECT {column} FROM {table} WHERE id = {row}")
        for changed in one_byte_off(str(before)) if before not in ("", None) else ["'7'"]:
            try:
                found = faults(listed, f"UPDATE {table} SET {column} = {changed} WHERE id = {row}")
            except IntegrityError:
                continue  # a unique key stands in the way: so much the better
            tried.add((table, column))
            assert found, f"{table}.{column}: {before!r} became {changed} unseen"
            if (table, column) not in ANOTHER_ROW:
                assert (table, row) in named(found), f"{table}.{column}: {before!r} became {changed}: {found}"
            assert re.search(r"案件 ZJJ-2018-000[12]:表 [a-z_]+ 第 [0-9]+ 行:", str(found[0]))
    with_unique_key = {("history", "seq"), ("decisions", "work_item_id"), ("ledger_lines", "entry_id")}
    assert set(COLUMNS) - tried <= with_unique_key


GARBAGE = [
    ("history", "at", "'gestern'"),
    ("history", "seq", "'x'"),
    ("history", "summary", "CAST(x'e5a4' AS TEXT)"),
    ("decisions", "verdict", "'approvee'"),
    ("decisions", "details", "'{'"),
    ("decisions", "effective_at", "'2018-13-01 00:00:00.000000'"),
    ("decisions", "decided_by_id", "'x'"),
    ("ledger_lines", "amount_fen", "'viel'"),
    ("ledger_lines", "account_id", "'x'"),
    ("ledger_lines", "account_id", "777"),
    ("ledger_lines", "entry_id", "777"),
    ("ledger_accounts", "balance_fen", "'viel'"),
    ("ledger_accounts", "kind", "'purse'"),
    ("ledger_entries", "move", "'grand'"),
]


def test_a_row_so_damaged_that_it_can_not_be_read_is_named_too(listed: Township) -> None:
    for table, column, garbage in GARBAGE:
        row = value(listed, f"SELECT MAX(id) FROM {table} WHERE {OF_CASE.get(table, 'case_id = 1')}")
        found = faults(listed, f"UPDATE {table} SET {column} = {garbage} WHERE id = {row}")
        assert (table, row) in named(found), f"{table}.{column} = {garbage}: {found}"


def test_changed_and_removed_and_swapped_rows_are_named_on_both_databases(on_both: Township) -> None:
    town, rows = on_both, rows_of(on_both)
    last = {table: value(town, f"SELECT MAX(id) FROM {table} WHERE case_id = 1") for table in ("decisions", "history")}
    entry = value(town, "SELECT MAX(id) FROM ledger_entries WHERE case_id = 1")
    line = value(town, f"SELECT MAX(id) FROM ledger_lines WHERE entry_id = {entry}")
    account = value(town, "SELECT id FROM ledger_accounts WHERE level = 'village'")
    spent = value(town, "SELECT id FROM ledger_accounts WHERE level = 'spent'")
    for expected, *statements in (
        (("history", rows[7]), f"UPDATE history SET data = replace(data, '1', '2') WHERE id = {rows[7]}"),
        (("decisions", last["decisions"]), f"UPDATE decisions SET reason = 'x' WHERE id = {last['decisions']}"),
        (("decisions", 777), f"UPDATE decisions SET id = 777, work_item_id = 9999 WHERE id = {last['decisions']}"),
        (("ledger_entries", entry), f"UPDATE ledger_entries SET memo = 'x' WHERE id = {entry}"),
        (
            ("ledger_accounts", account),
            f"UPDATE ledger_accounts SET balance_fen = balance_fen + 1 WHERE id = {account}",
        ),
        (("ledger_lines", line), f"UPDATE ledger_lines SET amount_fen = amount_fen - 1 WHERE id = {line}"),
        (("ledger_entries", entry), f"DELETE FROM ledger_lines WHERE id = {line}"),
        (("ledger_lines", line), f"DELETE FROM ledger_entries WHERE id = {entry}"),
        (("ledger_accounts", spent), f"UPDATE ledger_accounts SET cap_fen = 99999999 WHERE id = {spent}"),
        (("history", rows[6]), f"DELETE FROM history WHERE id = {rows[5]}"),
        (("history", rows[-2]), f"DELETE FROM history WHERE id = {rows[-1]}"),
        (("history", 0), "DELETE FROM history WHERE case_id = 1"),
        (
            ("history", rows[4]),
            f"UPDATE history SET seq = -1 WHERE id = {rows[3]}",
            f"UPDATE history SET seq = 4 WHERE id = {rows[4]}",
            f"UPDATE history SET seq = 5 WHERE id = {rows[3]}",
        ),
        (("cases", 1), "UPDATE cases SET edition_sha256 = 'x' WHERE id = 1"),
    ):
        assert expected in named(faults(town, *statements)), statements
    assert faults(town) == []


def test_the_reason_says_what_is_missing(listed: Township) -> None:
    rows = rows_of(listed)
    (gap,) = faults(listed, f"DELETE FROM history WHERE id = {rows[5]}")
    assert "序号应为 6,现为 7,其间有记录被删除" in gap.reason
    (tail,) = faults(listed, f"DELETE FROM history WHERE id = {rows[-1]}")
    assert f"应有 {len(rows)} 条记录,现有 {len(rows) - 1} 条" in tail.reason


def test_a_removed_decision_or_movement_of_money_is_missed(on_both: Township) -> None:
    decision = value(on_both, "SELECT MAX(id) FROM decisions WHERE case_id = 1")
    (fault,) = faults(on_both, f"DELETE FROM decisions WHERE id = {decision}")
    assert fault.table == "history"
    assert "在表 decisions 中没有对应的行" in fault.reason
    spending = "SELECT id FROM ledger_entries WHERE move = 'spending'"
    (fault,) = faults(
        on_both,
        f"DELETE FROM ledger_lines WHERE entry_id IN ({spending})",
        "DELETE FROM ledger_entries WHERE move = 'spending'",
        "UPDATE ledger_accounts SET balance_fen = balance_fen + 128050 WHERE level = 'village'",
        "UPDATE ledger_accounts SET balance_fen = balance_fen - 128050 WHERE level = 'spent'",
    )
    assert fault.table == "history"
    assert "在表 ledger_entries 中没有对应的行" in fault.reason


def test_an_edition_changed_in_the_database_is_found_and_never_applied(
    listed: Township, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = "UPDATE editions SET text = CAST(replace(text, 'amount_yuan: 10000', 'amount_yuan: 90000') AS BLOB)"
    assert named(faults(listed, change)) == {("cases", 1), ("cases", 2)}
    with forged(listed, change) as connection, Session(connection) as session:
        case = load_case(session, listed.number, lock=False)
        # Who has read the true text goes on by it: it is known by the digest that the case is pinned to.
        subsidy = edition_of(case).for_sites.subsidy
        assert subsidy is not None
        assert subsidy.amount_yuan == 10000
        monkeypatch.setattr(runtime.resources, "_PINNED", {})
        with pytest.raises(BadPolicy, match=r"与立案时的摘要 .* 不符,已被改动"):
            edition_of(case)


def test_only_the_case_asked_for_is_examined(listed: Township) -> None:
    change = "UPDATE history SET actor = 'x' WHERE case_id = 2"
    with forged(listed, change) as connection, Session(connection) as session:
        assert list(verify(session, number="ZJJ-2018-0001")) == []
        assert len(list(verify(session, number="ZJJ-2018-0002"))) == 1


NOT_OF_A_CASE = [
    ("kind", "'sait'", "sait"),
    ("status", "'offen'", "offen"),
    ("outcome", "'gut'", "gut"),
    ("opened_at", "'gestern'", "gestern"),
    ("closed_at", "'2018-13-01 00:00:00.000000'", "2018-13-01 00:00:00.000000"),
    ("run_checked_at", "7", "7"),
    ("year", "'zwei'", "zwei"),
    ("unit_id", "'x'", "x"),
    ("history_seq", "'x'", "x"),
    ("title", "CAST(x'e5a4' AS TEXT)", r"\xe5\xa4"),
    ("title", "x'00ff'", r"\x00\xff"),
    ("because", "CAST(zeroblob(100) AS BLOB)", r"\x00" * 15 + "……"),
    ("edition_sha256", "x'ff' || '13912345678'", "139****5678"),
]


def test_a_case_that_can_not_be_read_is_named_with_column_and_value_and_stops_no_other(listed: Township) -> None:
    changed_other = "UPDATE history SET actor = 'x' WHERE case_id = 2"
    for column, garbage, shown in NOT_OF_A_CASE:
        broken, other = faults(listed, f"UPDATE cases SET {column} = {garbage} WHERE id = 1", changed_other)
        assert (broken.case_number, broken.table, broken.row) == ("ZJJ-2018-0001", "cases", 1), column
        assert f"无法读取,已被改动:列 {column} 现为“" in broken.reason
        assert shown in broken.reason
        assert broken.reason.endswith("请对照备份更正;此案的其余记录,更正后才能核对")
        assert other.case_number == "ZJJ-2018-0002", column


def test_several_unreadable_values_are_named_together(listed: Township) -> None:
    (fault,) = faults(listed, "UPDATE cases SET kind = 'sait', year = 'zwei' WHERE id = 1")
    assert "列 kind 现为“sait”、列 year 现为“zwei”;" in fault.reason


def test_what_a_server_keeps_against_its_rules_is_named_too(postgresql_desk: Desk, tmp_path: Path) -> None:
    with opener(postgresql_desk, tmp_path) as open_town:
        town = list_two(open_town("zhujiajiao-2018", "2018-10-08 10:00"))
        for column, garbage, shown in (
            ("kind", "'sait'", "列 kind 现为“sait”"),
            ("opened_at", "'infinity'", "列 opened_at 现为“infinity”"),
            ("title", "NULL", "列 title 现为空"),
            ("opened_at", "NULL", "列 opened_at 现为空"),
        ):
            found = faults(
                town,
                "ALTER TABLE cases DROP CONSTRAINT ck_cases_case_kind, ALTER title DROP NOT NULL",
                "ALTER TABLE cases ALTER opened_at DROP NOT NULL",
                f"UPDATE cases SET {column} = {garbage} WHERE id = 1",
                "UPDATE history SET at = 'infinity' WHERE case_id = 2",
            )
            assert named(found) >= {("cases", 1)}, column
            assert shown in found[0].reason
            assert [each.case_number for each in found] == ["ZJJ-2018-0001", "ZJJ-2018-0002"]
            assert "列 at 现为“infinity”" in found[1].reason
        decision = "UPDATE decisions SET door = NULL WHERE id = 1"
        (missing, *_) = faults(town, "ALTER TABLE decisions ALTER door DROP NOT NULL", decision)
        assert (missing.table, missing.row) == ("decisions", 1)
        assert "列 door 现为空" in missing.reason


def test_a_case_that_refers_to_nothing_is_told_and_stops_no_other(listed: Township) -> None:
    changed_other = "UPDATE history SET actor = 'x' WHERE case_id = 2"
    first, *others = faults(listed, "UPDATE cases SET edition_id = 'nowhere' WHERE id = 1", changed_other)
    assert first.reason == "列 edition_id 现为“nowhere”,没有公布过这样的政策"
    assert named(others) == {("history", others[0].row)}
    found = faults(listed, "UPDATE editions SET text = 'abc'", changed_other)
    assert named(found) >= {("editions", 0)}
    assert {each.case_number for each in found if each.table == "history"} == {"ZJJ-2018-0002"}


OUT_OF_PLACE = [
    ("unit_id = 999", "列 unit_id 现为“999”,没有这样的单位"),
    ("village_id = 999", "列 village_id 现为“999”,没有这样的单位"),
    ("group_id = NULL", "列 group_id 现为空,客堂间创建案件须有单位"),
    ("household_id = 999", "列 household_id 现为“999”,没有这样的户"),
    ("parent_id = 999", "列 parent_id 现为“999”,没有这样的案件"),
    ("parent_id = id", "列 parent_id 现为“2”,所属案件须先于此案立案"),
    ("status = 'closed'", "列 status 现为“closed”,而列 outcome 现为空"),
    ("closed_at = '2018-10-09 00:00:00'", "列 status 现为“open”,而列 closed_at 现为“2018-10-09 00:00:00+00:00”"),
]


def test_a_case_out_of_its_place_is_told_with_the_column(listed: Township) -> None:
    for change, reason in OUT_OF_PLACE:
        found = faults(listed, f"UPDATE cases SET {change} WHERE id = 2")
        assert named(found) == {("cases", 2)}, change
        assert found[0].reason == reason


@pytest.mark.parametrize("row", [1, 2])
def test_a_gate_or_timer_that_can_not_be_read_is_named(listed: Township, row: int) -> None:
    last = value(listed, f"SELECT MAX(id) FROM work_items WHERE case_id = {row}")
    for column, garbage in (("gate", "'xx'"), ("due_on", "'gestern'"), ("round", "'x'"), ("closed_at", "7")):
        (fault,) = faults(listed, f"UPDATE work_items SET {column} = {garbage} WHERE id = {last}")
        assert (fault.case_number, fault.table, fault.row) == (f"ZJJ-2018-000{row}", "work_items", last), column
        assert f"列 {column} 现为“" in fault.reason


def test_a_timer_that_can_not_be_read_is_named(listed: Township) -> None:
    timer = value(listed, "SELECT MAX(id) FROM timers")
    (fault,) = faults(listed, f"UPDATE timers SET fires_at = 'bald' WHERE id = {timer}")
    assert (fault.case_number, fault.table, fault.row) == ("ZJJ-2018-0002", "timers", timer)


def test_what_can_not_be_examined_is_told_of_its_case_and_keeps_no_other_from_it(open_sqlite: OpenTown) -> None:
    town = open_sqlite("example-micro-2026", "2026-03-02 10:00")
    board = Board(town)
    first, second = (board.publish(key=str(key), title=f"第{key}件") for key in range(2))
    change = "UPDATE notices SET text = 'x' WHERE id = 2"
    for garbage in ("5", "[5]", "[{}]", '[{"from": 5}]', '[{"from": "gestern"}]'):
        found = faults(town, f"UPDATE notices SET prolonged = '{garbage}' WHERE id = 1", change)
        assert [(each.case_number, each.table) for each in found] == [(first, "notices"), (second, "notices")]
        assert found[0].reason == "列 prolonged 无法读取,已被改动"
        assert "公布后被改动" in found[1].reason
    found = faults(town, "UPDATE units SET beautiful_village = 'x' WHERE code = 'Z'", change)
    assert found[0].reason.startswith("核对中断,此案有记录已被改动(LookupError:")
    lost, broken, other = faults(town, f"UPDATE cases SET unit_id = 999 WHERE number = '{first}'", change)
    assert lost.reason == "列 unit_id 现为“999”,没有这样的单位"
    assert broken.reason.startswith("核对中断,此案有记录已被改动(AttributeError:")
    assert other.case_number == second


def test_the_ledgers_audit_goes_on_after_a_case_that_can_not_be_read(listed: Township) -> None:
    change = ("UPDATE cases SET status = 'offen' WHERE id = 1", "UPDATE ledger_lines SET entry_id = 777 WHERE id = 1")
    with forged(listed, *change) as connection, Session(connection) as session:
        broken, *others = verify_ledger(session)
    assert "列 status 现为“offen”" in broken.reason
    assert ("ledger_lines", 1) in named(others)


def test_documents_that_can_not_be_read_are_named_among_the_others(listed: Township, tmp_path: Path) -> None:
    with (
        forged(listed, "UPDATE documents SET size = 'gross' WHERE id = 1") as connection,
        Session(connection) as session,
    ):
        broken, *gone = changed_documents(session, folder=tmp_path / "nowhere")
    assert broken.startswith("案件 ZJJ-2018-0001:表 documents 第 1 行:无法读取,已被改动:列 size 现为“gross”")
    assert gone
    assert all("已不在资料文件夹中" in each for each in gone)
