"""``ketang call``: a call is opened, filled and prolonged from the command line."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli import call
from policies.vocabulary import Gate, Verdict
from runtime.clock import machine_now
from tests.calls import EXAMPLE, PANEL, CallTown, call_town
from tests.township import REVIEWER, SHANGHAI

NUMBER = re.compile(r"(ZJ|WXM)-\d{4}-\d{4}")


@pytest.fixture
def town(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CallTown]:
    """The example's town today: the command line has no other clock."""
    monkeypatch.setenv("KETANG_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("KETANG_HOME", str(tmp_path))
    # Prefect does not run here; that a case is woken afterwards is shown by the live tests.
    monkeypatch.setattr(call, "carry_on", lambda resources, number: None)
    with call_town(sqlite_url, tmp_path, edition=EXAMPLE) as town:
        yield town


def ketang_call(*words: str) -> Result:
    return CliRunner().invoke(call.app, list(words))


def opened(days: int = 20) -> str:
    """Open a call today, for so many days; its number."""
    today = machine_now().astimezone(SHANGHAI).date()
    words = [
        "open",
        "--by",
        REVIEWER,
        "--edition",
        EXAMPLE,
        "--unit",
        "Z",
        "--title",
        "冬季微项目",
        "--purpose",
        "小事",
    ]
    words += ["--opens-on", f"{today}", "--closes-on", f"{today + timedelta(days=days - 1)}", "--budget", "10000"]
    words += ["--contact", "社区办", "--place", "公开栏"]
    for member in PANEL[:3]:
        words += ["--panel", member]
    told = ketang_call(*words)
    assert told.exit_code == 0, told.output
    found = NUMBER.search(told.stdout)
    assert found is not None
    return found[0]


def test_a_call_is_opened_filled_shown_and_prolonged(town: CallTown, tmp_path: Path) -> None:
    number = opened()
    assert number in ketang_call("list").stdout
    words = ("--proposer", "DZD1", "--village", "ZD", "--title", "长廊", "--kind", "环境美化", "--amount", "3000")
    more = ("--content", "修坐凳", "--beneficiaries", "老人", "--expected-benefit", "歇脚")
    assert ketang_call("propose", number, *words, *more).exit_code == 0
    refused = ketang_call("propose", number, *words, *more)
    assert refused.exit_code == 1
    assert "已申报同名项目" in refused.output

    sheet = tmp_path / "申报.csv"
    sheet.write_text(
        "提议人,村(居),项目名称,项目类别,项目内容,受益对象,预期效益,申请金额\n"
        "DLH1,LH,路灯,环境美化,装灯,全村,看得见,2500\n",
        encoding="utf-8",
    )
    for _ in range(2):
        assert "已登记1个项目" in ketang_call("import", number, str(sheet)).stdout
    assert list(town.standings()) == ["长廊", "路灯"]

    both = ketang_call("prolong", number, "--by", REVIEWER, "--reason", "农忙")
    assert (both.exit_code, "二者取一" in both.output) == (1, True)
    early = ketang_call("prolong", number, "--by", REVIEWER, "--reason", "齐了", "--end")
    assert (early.exit_code, "征集期为1日" in early.output) == (1, True)
    later = town.case(number).opened_at.astimezone(SHANGHAI).date() + timedelta(days=25)
    told = ketang_call("prolong", number, "--by", REVIEWER, "--reason", "农忙", "--until", f"{later}")
    assert f"申报末日改为{later}" in told.stdout
    assert "征集期由" in ketang_call("show", number).stdout


def test_points_and_a_wrong_word_are_told_in_chinese(town: CallTown) -> None:
    number = opened()
    assert (
        "请写作 标准=分数" in ketang_call("score", number, "--by", REVIEWER, "--project", "x", "--points", "25").output
    )
    refused = ketang_call(
        "score", number, "--by", REVIEWER, "--project", "x", "--member", "P041", "--points", "受益面=5"
    )
    assert (refused.exit_code, "征集申报" in refused.output) == (1, True)
    assert "请写作 项目编号=赞成/反对/弃权" in ketang_call("meeting", number, "--by", REVIEWER, "--vote", "x=1").output


def test_survey_and_screening_are_keyed_in_from_the_command_line(
    town: CallTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.open_call()
    number = town.propose("长廊")
    town.end_window()
    # The command line has the machine's clock, set back to where this town's stands.
    monkeypatch.setenv("KETANG_CLOCK_OFFSET_SECONDS", str(int((town.now() - machine_now()).total_seconds())))

    def by_office(*words: str) -> str:
        told = ketang_call(words[0], town.number, "--by", REVIEWER, *words[1:])
        return told.stdout if told.exit_code == 0 else f"{told.exit_code}:{told.output}"

    of = ("--project", number)
    told = by_office("survey", *of, "--for", "8", "--against", "1", "--channel", "入户")
    assert "尚缺" in told
    assert "至少须10份" in told
    assert "已更正第1号登记" in by_office(
        "survey", *of, "--for", "9", "--against", "1", "--correct", "1", "--reason", "抄错"
    )
    assert "份数已够" in by_office("survey", "--complete")
    town.rehearsal.carry(town.number)

    points = ("--points", "受益面=50", "--points", "可行性=30", "--points", "节俭程度=20")
    assert "尚未评分" in by_office("score", *of, "--member", PANEL[0], *points)
    assert "已经齐全" in by_office("score", *of, "--member", PANEL[1], *points)
    assert "已经齐全" in by_office("interest", *of, "--member", PANEL[2], "--reason", "亲属")
    assert "筛选已完成" in by_office("screen")
    (decision,) = [each for each in town.decisions() if each.work_item.gate is Gate.SCREENING]
    assert (decision.verdict, decision.details["selected"]) == (Verdict.COMPLETED, [number])
