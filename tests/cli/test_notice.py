"""``ketang notice``: from publication to the result by the command line, without Prefect at hand."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from cli import notice
from cli.ledger import audit
from policies.vocabulary import Outcome
from tests.notices import LINPING, Board
from tests.township import REVIEWER, township


@pytest.fixture
def board(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Board]:
    """A township in which notices are published by the command line; its clock is the machine's."""
    monkeypatch.setenv("KETANG_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("KETANG_HOME", str(tmp_path))
    monkeypatch.setattr(notice, "carry_on", lambda resources, number: None)
    with township(sqlite_url, tmp_path, edition="zhujiajiao-2018", now="2026-03-02 10:00") as town:
        yield Board(town)


def ketang_notice(*words: str) -> Result:
    return CliRunner().invoke(notice.app, list(words))


def done(*words: str) -> str:
    result = ketang_notice(*words)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(*words: str) -> str:
    result = ketang_notice(*words)
    assert result.exit_code == 1, result.output
    return result.stderr


def published(tmp_path: Path) -> str:
    content = tmp_path / "内容.txt"
    content.write_text("拟在老街安装路灯二十盏。\n施工期间请绕行。", encoding="utf-8")
    told = done(
        *("publish", "--unit", "Z", "--edition", LINPING, "--by", REVIEWER, "--title", "老街路灯"),
        *("--file", str(content), "--contact", "社区办", "--place", "公开栏", "--item", "东段", "--item", "西段"),
    )
    return told.split()[-1]


def test_a_notice_goes_its_way_by_the_command_line(board: Board, tmp_path: Path) -> None:
    assert "没有在办的公示" in done("list")
    number = published(tmp_path)
    told = done(
        *("object", number, "--by", REVIEWER, "--channel", "来电", "--content", "太亮", "--name", "王五"),
        *("--contact", "13812345678", "--against", "东段", "--key", "7"),
    )
    assert told == "已登记异议第1件\n"
    assert "异议1件" in done("list")
    shown = done("show", number)
    assert "13812345678" not in shown
    assert "联系方式:138" in shown
    assert "异议不成立,待答复" in done(
        *("handle", number, "1", "--by", REVIEWER, "--finding", "异议不成立", "--reasons", "亮度合规")
    )
    assert "异议均已处理并答复" in done("answer", number, "1", "--by", REVIEWER, "--how", "电话告知")
    assert "已重写1页和目录" in done("pages")
    assert "老街路灯" in (tmp_path / "notices" / "index.html").read_text(encoding="utf-8")
    assert done("retract", number, "--by", REVIEWER, "--reason", "方案作废") == "已撤销公示\n"
    assert "核对无误:1件公示" in done("verify")


def test_an_objection_keyed_in_after_the_clearing_stays_on_the_list_until_it_is_answered(board: Board) -> None:
    number = board.publish(LINPING)
    board.town.pass_until("2026-03-30 09:00")
    assert board.outcome() is Outcome.CLEARED
    assert "没有在办的公示" in done("list")
    received = ("--received", "2026-03-03 09:00", "--by", REVIEWER, "--content", "太亮")
    assert done("object", number, "--channel", "来电", *received) == "已登记异议第1件\n"
    assert "公示通过  至2026-03-1224时  异议1件(待处理或待答复1件)" in done("list")
    assert "待处理;公示办结后补登" in done("show", number)
    done("handle", number, "1", "--by", REVIEWER, "--finding", "异议不成立", "--reasons", "亮度合规")
    assert "待处理或待答复1件" in done("list")
    assert "异议均已处理并答复" in done("answer", number, "1", "--by", REVIEWER, "--how", "电话告知")
    assert "没有在办的公示" in done("list")
    assert "异议1件  " in done("list", "--all")


def test_refusals_name_the_field_and_the_rule(board: Board, tmp_path: Path) -> None:
    number = published(tmp_path)
    assert "“提出方式”" in refused("object", number, "--by", REVIEWER, "--channel", "短信", "--content", "太亮")
    assert "没有第1件异议" in refused("answer", number, "1", "--by", REVIEWER, "--how", "电话")
    assert "须晚于现末日" in refused("prolong", number, "--by", REVIEWER, "--until", "2022-03-14", "--reason", "暴雨")
    assert "没有编号为“GS-1”的案件" in refused("show", "GS-1")


def test_a_changed_notice_is_named_by_both_commands(board: Board) -> None:
    number = board.publish("example-micro-2026")
    with board.town.resources.database.write() as session:
        session.execute(text("UPDATE notices SET text = '别的'"))
    told = refused("verify", number)
    assert f"案件 {number}:表 notices 第 1 行:公示内容与公布时的摘要" in told
    audited = CliRunner().invoke(audit, [])  # an application with one command takes no name
    assert audited.exit_code == 1
    assert f"案件 {number}:表 notices 第 1 行:公示内容与公布时的摘要" in audited.stderr
