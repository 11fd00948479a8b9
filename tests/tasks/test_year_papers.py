"""What comes out of a year's evaluation on paper and as a table: the report, the register, the list on the screen."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

from cli import evaluation as cli
from policies.errors import Refused
from policies.life_words import SiteFact
from tasks.paperwork import DocumentKind, make_document
from tasks.register_rows import Wanted
from tasks.registers import RegisterKind, make_register
from tests.desks import OpenTown
from tests.papers import Paper
from tests.parlours import add_site, add_village
from tests.township import Township, at
from tests.years import MONDAYS, MONTHS, leader_of, open_year, record_activities, record_themes


@pytest.fixture
def evaluated(open_sqlite: OpenTown) -> tuple[Township, str, str]:
    """A year that waits for its review: a good site of one village, an idle one of another."""
    town = open_sqlite("example-2026", "2026-01-01 09:00")
    add_village(town, "LH", "柳河村")
    good, idle = add_site(town), add_site(town, village="LH")
    record_themes(town, good, MONTHS)
    record_activities(town, good, [*MONDAYS, *[date(2026, month, 21) for month in range(1, 9)]])
    town.clock.move_to(at("2027-01-11 09:00"))
    open_year(town)
    return town, good, idle


def test_the_report_ranks_explains_and_says_that_it_is_not_final(evaluated: tuple[Township, str, str]) -> None:
    town, good, idle = evaluated
    paper = Paper(make_document(town.resources, DocumentKind.EVALUATION, town.number, at=town.now()))
    ranked = paper.table("计入以奖代拨")
    assert [row[:2] + row[4:] for row in ranked] == [
        ["1", good, "94.1分", "优秀", "2,000.00元"],
        ["2", idle, "0分", "不合格", "0.00元"],
    ]
    assert "未经公示确定" in paper.text
    assert "应开展52周，已开展52周" in paper.text
    assert "本项10分按比例分摊到其他各项" in paper.text
    assert "人民币贰仟元整" in paper.text
    told = ["1", "月月有主题", "20分", f"{SiteFact.THEMES.label}，按比例计分", "系统默认规定"]
    assert told in paper.table("客堂间考核项目")


def test_an_evaluation_that_was_not_computed_has_no_report(open_sqlite: OpenTown) -> None:
    town = open_sqlite("example-2026", "2026-01-01 09:00")
    add_site(town)
    town.apply()
    with pytest.raises(Refused, match="没有年度考核结果可印"):
        make_document(town.resources, DocumentKind.EVALUATION, town.number, at=town.now())


def test_the_register_has_each_result_once_and_sums_no_amount_twice(
    evaluated: tuple[Township, str, str], tmp_path: Path
) -> None:
    town, good, idle = evaluated
    path = tmp_path / "年度考核台账.xlsx"
    assert make_register(town.resources, RegisterKind.EVALUATIONS, out=path, wanted=Wanted(year=2026)) == 4
    heads, *rows, last = [[cell.value for cell in row] for row in load_workbook(path).worksheets[0].iter_rows()]
    assert [row[heads.index("客堂间编号")] for row in rows] == [good, idle, None, None]
    assert [row[heads.index("得分")] for row in rows[:2]] == [94.1, 0]
    assert (rows[0][heads.index("负责人")] or "").startswith(leader_of(town, good))
    assert last[heads.index("客堂间计入以奖代拨(元)")] == last[heads.index("村(居)以奖代拨(元)")] == Decimal(2000)
    other = tmp_path / "柳河.xlsx"
    assert make_register(town.resources, RegisterKind.EVALUATIONS, out=other, wanted=Wanted(village="LH")) == 2
    none = tmp_path / "无.xlsx"
    assert make_register(town.resources, RegisterKind.EVALUATIONS, out=none, wanted=Wanted(year=2025)) == 0


def test_the_command_lists_the_ranking_and_explains_one_result(
    evaluated: tuple[Township, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    town, good, idle = evaluated
    settings = town.resources.settings
    monkeypatch.setenv("KETANG_HOME", str(settings.home))
    monkeypatch.setenv("KETANG_DATABASE_URL", settings.database_url)

    def run(*words: str) -> str:
        return CliRunner().invoke(cli.app, [*words]).output

    told = run("results", town.number)
    assert told.index(f"第1名 {good}") < told.index(f"第2名 {idle}")
    assert "拟计入以奖代拨合计2,000.00元" in told
    one = run("results", town.number, "--of", good)
    assert "周周有活动：应开展52周，已开展52周" in one
    assert idle not in one
    assert "没有“KT-1999-0001-S”的结果" in run("results", town.number, "--of", "KT-1999-0001-S")
    assert "第7次计算不存在" in run("results", town.number, "--round", "7")
    assert town.number in run("list")
    assert f"第1名 {good}" in run("show", town.number)
    assert "2199年尚未结束" in run("open", "--town", "Z", "--year", "2199", "--by", "P001")
