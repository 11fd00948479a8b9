"""``ketang ledger``: what it shows of a programme, what it finds, and the workbook it writes."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from cli import ledger
from policies.vocabulary import SourceKind
from tests.broken import break_rows
from tests.programme import CALL, FIRST, Programme
from tests.township import RESPONSIBLE, REVIEWER, township


@pytest.fixture
def money(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Programme]:
    """A project that has spent 5,000.00 of the 10,001.00 it got, 9,999.00 being left in the pool."""
    monkeypatch.setenv("KETANG_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("KETANG_HOME", str(tmp_path))
    with township(sqlite_url, tmp_path, edition="linping-2022", now="2022-04-01 10:00") as town:
        money = Programme(town)
        money.receive(1_000_000, name="临平区民政局")
        money.receive(1_000_000, source=SourceKind.DONATION, name="=甲公司")
        money.budget(("material", "材料费", 600_000))
        money.grant(1_000_100)
        money.spend(500_000)
        yield money


def ketang_ledger(*words: str) -> Result:
    return CliRunner().invoke(ledger.app, list(words))


def test_a_call_shows_its_programme_from_the_sources_to_the_projects(money: Programme) -> None:
    shown = ketang_ledger("show", CALL)
    assert shown.exit_code == 0
    for line in (
        f"2022-04-01  区拨付到镇  区级拨款(临平区民政局) {CALL} → 镇级专户(临平区民政局) {CALL},10,000.00元  到账",
        f"余额  镇级专户(=甲公司) {CALL}:9,999.00元",
        f"项目资金 {CALL}",
        "  区级试点资金(临平区民政局):到账10,000.00元,已退回0.00元",
        "  合计:到账20,000.00元,已退回0.00元,下拨项目10,001.00元,已支出5,000.00元,专户余额9,999.00元",
        f"  项目 {FIRST}:下拨10,001.00元,退回0.00元,已支出5,000.00元,结余5,001.00元",
    ):
        assert line in shown.stdout.splitlines(), shown.stdout
    assert "镇下拨到村" in shown.stdout, "a call shows what it gave to projects"


def test_a_project_shows_its_lines_and_nothing_of_others(money: Programme) -> None:
    shown = ketang_ledger("show", FIRST).stdout
    assert f"支出  材料费 {FIRST}:5,000.00元,预算上限6,000.00元" in shown
    assert f"余额  村级专账(=甲公司) {FIRST}:1.00元" in shown
    assert "项目资金" not in shown
    unknown = ketang_ledger("show", "LP-2022-0099")
    assert unknown.exit_code == 1
    assert "没有编号为“LP-2022-0099”的案件" in unknown.stderr
    assert f"项目资金 {CALL}" in ketang_ledger("show").stdout


def test_an_empty_ledger_says_so(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KETANG_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("KETANG_HOME", str(tmp_path))
    assert ketang_ledger("show").stdout == "台账为空。\n"
    assert ketang_ledger("verify").stdout.startswith("核对无误:0笔分录、0个科目")


def test_verify_is_content_until_a_line_is_changed(money: Programme) -> None:
    sound = ketang_ledger("verify")
    assert sound.exit_code == 0
    assert sound.stdout.startswith("核对无误:4笔分录、7个科目,借贷相等")
    with money.resources.database.engine.begin() as connection:
        connection.execute(text("DROP TRIGGER ledger_lines_no_update"))
        connection.execute(text("UPDATE ledger_lines SET amount_fen = 400000 WHERE amount_fen = 500000"))
    wrong = ketang_ledger("verify")
    assert wrong.exit_code == 1
    assert f"案件 {FIRST}:表 ledger_entries 第 4 行:借贷不平:各行合计 -100000 分,应为零" in wrong.stderr
    assert "表 ledger_lines 第" in wrong.stderr
    assert "核对无误" not in wrong.stdout


def rows(file: Path, sheet: str) -> list[dict[str, Any]]:
    table = openpyxl.load_workbook(file)[sheet].iter_rows(values_only=True)
    heads = [str(head) for head in next(table)]
    return [dict(zip(heads, row, strict=True)) for row in table]


def test_the_workbook_balances_line_by_line(money: Programme, tmp_path: Path) -> None:
    money.give_back()
    file = tmp_path / "台账.xlsx"
    assert f"已导出台账:{file}" in ketang_ledger("export", str(file)).stdout
    *entries, sums = rows(file, "流水")
    assert len(entries) == 2 + 2 + 4 + 2 + 4
    debits, credits = ([row[head] or 0 for row in entries] for head in ("借方(元)", "贷方(元)"))
    assert sum(debits) == sum(credits) == sums["借方(元)"] == sums["贷方(元)"] == 40_002
    assert sums["日期"] == "合计"
    spent = next(row for row in entries if row["用途"] == "材料费")
    assert (f"{spent['日期']:%Y-%m-%d}", spent["凭证号"], spent["案件"]) == ("2022-04-01", "记-000004", FIRST)
    assert (spent["借方(元)"], spent["贷方(元)"], spent["方向"], spent["余额(元)"]) == (5000, None, "借", 5000)
    assert (spent["摘要"], spent["经办人"]) == ("购置", "沈审核(P001)")
    donated = [row for row in entries if row["资金来源"] == "社会捐赠:=甲公司"]
    assert [row["余额(元)"] for row in donated] == [10_000, 10_000, 9_999, 1, 10_000, 0]
    assert [row["方向"] for row in donated] == ["贷", "借", "借", "借", "借", "平"]


def test_the_accounts_stand_in_figures_and_in_capitals(money: Programme, tmp_path: Path) -> None:
    file = tmp_path / "台账.xlsx"
    ketang_ledger("export", str(file))
    accounts = {row["科目编码"]: row for row in rows(file, "科目")}
    line = accounts[f"spent:{FIRST}:material"]
    assert (line["预算上限(元)"], line["余额(元)"], line["余额(大写)"]) == (6000, 5000, "人民币伍仟元整")
    pool = accounts[f"town:{CALL}:donation:1"]
    assert (pool["借方合计(元)"], pool["贷方合计(元)"], pool["余额(元)"]) == (10_000, 1, 9_999)
    assert pool["余额(大写)"] == "人民币玖仟玖佰玖拾玖元整"
    balances = money.accounts()
    for code, row in accounts.items():
        sign = {"借": 1, "贷": -1, "平": 0}[row["方向"]]
        assert sign * Decimal(str(row["余额(元)"])) * 100 == balances[code]


def test_names_that_look_like_formulas_stay_text_and_no_file_is_overwritten(money: Programme, tmp_path: Path) -> None:
    file = tmp_path / "台账.xlsx"
    ketang_ledger("export", str(file))
    cells = [cell for sheet in openpyxl.load_workbook(file) for row in sheet.iter_rows() for cell in row]
    assert not [cell.value for cell in cells if cell.data_type == "f"]
    again = ketang_ledger("export", str(file))
    assert again.exit_code == 1
    assert "已有文件" in again.stderr


UNREADABLE = {
    "an entry": ("ledger_entries", "move", "'grand'", "id = 4", "记-000004"),
    "who booked it": ("people", "name", "CAST(x'e5a4' AS TEXT)", "code = 'P001'", ""),
    "a line": ("ledger_lines", "amount_fen", "'viel'", "amount_fen = 500000", "记-000004"),
    "a line of nobody knows what": ("ledger_lines", "account_id", "'x'", "amount_fen = 500000", "记-000004"),
    "an account": ("ledger_accounts", "kind", "'purse'", "level = 'spent'", ""),
    "a source": ("ledger_accounts", "source", "'lottery:1'", "level = 'donor'", ""),
    "a case": ("cases", "kind", "'sait'", f"number = '{FIRST}'", ""),
}
"""Table, column, what stands there, of which rows; and the entry that the workbook names."""


@pytest.mark.parametrize("what", UNREADABLE)
def test_one_row_that_can_not_be_read_is_named_and_all_others_are_exported(
    money: Programme, tmp_path: Path, what: str
) -> None:
    table, column, garbage, where, voucher = UNREADABLE[what]
    with money.resources.database.engine.begin() as connection:
        row = connection.execute(text(f"SELECT id FROM {table} WHERE {where}")).scalar()
        for trigger in ("ledger_lines_no_update", "ledger_entries_no_update"):
            connection.execute(text(f"DROP TRIGGER {trigger}"))
    break_rows(money.town, f"UPDATE {table} SET {column} = {garbage} WHERE {where}")
    file = tmp_path / "台账.xlsx"
    done = ketang_ledger("export", str(file))
    assert done.exit_code == 1
    shown = r"\xe5\xa4" if garbage.startswith("CAST") else garbage.strip("'")
    told = f"表 {table} 第 {row} 行:"
    assert told in done.stderr
    assert f"列 {column} 现为“{shown}”" in done.stderr
    assert f"其余的已写入 {file}" in done.stderr
    assert "已导出台账" not in done.stdout
    unread = rows(file, "无法读取")
    named = next(each for each in unread if each["表"] == table)
    assert ((named["凭证号"] or ""), named["行"]) == (voucher, str(row))
    assert f"列 {column} 现为“{shown}”" in named["哪一列,现为何值"]
    *lines, total = rows(file, "流水")
    assert len(lines) == (9 if what.startswith("a line") else 10)
    assert total["摘要"] == f"不完整,不能核对:有{len(unread)}处无法读取"
    accounts = rows(file, "科目")
    assert len(accounts) == (6 if what == "an account" else 7)
    unsure = [each["科目编码"] for each in accounts if each["核对"] == "有流水无法读取,不能核对"]
    assert len(unsure) == {"a line": 1, "a line of nobody knows what": 7}.get(what, 0)
    assert all(each["核对"] == "与流水合计相符" for each in accounts if each["科目编码"] not in unsure)


def test_a_line_whose_entry_is_gone_is_exported_and_told(money: Programme, tmp_path: Path) -> None:
    with money.resources.database.engine.begin() as connection:
        connection.execute(text("DROP TRIGGER ledger_lines_no_update"))
    break_rows(money.town, "UPDATE ledger_lines SET entry_id = 777 WHERE amount_fen = 500000")
    file = tmp_path / "台账.xlsx"
    assert "记-000777  表 ledger_lines 第" in ketang_ledger("export", str(file)).stderr
    gone = next(row for row in rows(file, "流水") if row["凭证号"] == "记-000777")
    assert (gone["借方(元)"], gone["事由"]) == (5000, "(无法读取)")


def test_what_does_not_balance_is_told_in_the_workbook(money: Programme, tmp_path: Path) -> None:
    with money.resources.database.engine.begin() as connection:
        connection.execute(text("DROP TRIGGER ledger_lines_no_update"))
    memo = "UPDATE ledger_entries SET memo = char(7) || memo"
    with money.resources.database.engine.begin() as connection:
        connection.execute(text("DROP TRIGGER ledger_entries_no_update"))
    break_rows(money.town, "UPDATE ledger_lines SET amount_fen = 400000 WHERE amount_fen = 500000", memo)
    file = tmp_path / "台账.xlsx"
    assert ketang_ledger("export", str(file)).exit_code == 0
    *lines, total = rows(file, "流水")
    assert total["摘要"] == "借贷不平,请运行 ketang ledger verify"
    assert lines[-1]["摘要"] == "□购置", "signs that no workbook takes keep nothing out of it"
    spent = next(row for row in rows(file, "科目") if row["科目编码"].startswith("spent"))
    assert spent["核对"] == "与流水合计相差1,000.00元,请运行 ketang ledger verify"


def test_money_is_booked_from_the_command_line(money: Programme) -> None:
    proof = money.town.proof("回单.pdf")
    common = ["--amount", "1,000", "--memo", "第二批", "--proof", proof]
    came = ketang_ledger("receive", CALL, "--by", REVIEWER, "--source", "镇街配套资金", *common)
    assert came.stdout == "已登记到账;专户余额10,999.00元(人民币壹万零玖佰玖拾玖元整)\n"
    refused = ketang_ledger("spend", FIRST, "--by", RESPONSIBLE, "--purpose", "材料费", *common)
    assert refused.exit_code == 1
    assert "的资金尚未到账" in refused.stderr, "a project spends by the rules of its procedure"
