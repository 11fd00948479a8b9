"""``ketang inspection``: a campaign from its opening to the summary, by the same commands as the forms."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from openpyxl import Workbook
from typer.testing import CliRunner, Result

from cli import inspection
from policies.vocabulary import Gate, Outcome
from runtime.clock import machine_now
from tests.inspections import POINTS, inspections
from tests.parlours import add_site
from tests.township import LEADER, REVIEWER, SHANGHAI, Township, township


@pytest.fixture
def town(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Township]:
    """The example's town today: the command line has no other clock."""
    monkeypatch.setenv("KETANG_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("KETANG_HOME", str(tmp_path))
    # Prefect does not run here; that a case is woken afterwards is shown by the live tests.
    monkeypatch.setattr(inspection, "carry_on", lambda resources, number: None)
    now = f"{machine_now().astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    with township(sqlite_url, tmp_path, edition="example-2026", now=now) as town:
        yield town


def ketang_inspection(*words: str) -> Result:
    return CliRunner().invoke(inspection.app, list(words))


def test_a_campaign_goes_from_its_opening_to_the_summary(town: Township, tmp_path: Path) -> None:
    for _ in range(4):
        add_site(town, leader=LEADER)
    today = machine_now().astimezone(SHANGHAI).date()
    days = ("--since", f"{today}", "--until", f"{today + timedelta(days=20)}")
    refused = ketang_inspection("open", "--by", REVIEWER, "--title", "督查", "--scope", "抽签", *days)
    assert refused.exit_code == 1
    assert "督查范围" in refused.output
    told = ketang_inspection(
        "open", "--by", REVIEWER, "--title", "督查", "--scope", "随机抽查", "--size", "3", "--seed", "七号", *days
    )
    assert told.exit_code == 0, told.output
    campaign = next(word for word in told.stdout.replace(",", " ").split() if word.startswith("KTDC-"))
    numbers = inspections(town, campaign)
    assert f"受督查3处:{numbers[0]}至{numbers[2]}" in told.stdout
    drawn = ketang_inspection("draw", campaign)
    assert "抽签号 七号,4处中抽取3处,与受督查的客堂间一致" in drawn.stdout
    assert campaign in ketang_inspection("list").stdout
    assert numbers[2] in ketang_inspection("list", campaign).stdout

    found = [f"{point}=符合" for point in POINTS.values()]
    words = [word for each in found for word in ("--found", each)]
    visit = ("--by", REVIEWER, "--inspectors", "沈审核")
    refused = ketang_inspection("record", numbers[0], *visit, "--verdict", "督查合格", *words[2:])
    assert refused.exit_code == 1
    assert "尚未登记:活动资料记录和存档" in refused.output
    assert ketang_inspection("record", numbers[0], *visit, "--verdict", "督查合格", *words).exit_code == 0
    words[1] = "活动资料记录和存档=不符合:缺签到表"
    rectify = ("--verdict", "限期整改", "--reason", "补齐签到表")
    assert ketang_inspection("record", numbers[1], *visit, *rectify, *words).exit_code == 0
    book = Workbook()
    assert book.active is not None
    book.active.append(["案件编号", "检查日期", "检查人", *POINTS.values(), "结论"])
    book.active.append([numbers[2], today, "沈审核", *["符合"] * len(POINTS), "合格"])
    book.active.append([numbers[0], today, "沈审核", *["符合"] * len(POINTS), "合格"])
    book.save(tmp_path / "督查表.xlsx")
    imported = ketang_inspection("import", campaign, str(tmp_path / "督查表.xlsx"), "--by", REVIEWER)
    assert imported.exit_code == 1
    assert "已登记1处,未登记1行" in imported.output
    assert "第3行" in imported.output
    again = ketang_inspection("import", campaign, str(tmp_path / "督查表.xlsx"), "--by", REVIEWER)
    assert "已登记0处,此前已登记1行,未登记1行" in again.output
    assert f"第2行 案件 {numbers[2]} 已由表格“督查表.xlsx”于" in again.stdout

    for number in numbers:
        town.rehearsal.carry(number)
    assert town.gate(numbers[1]) is Gate.RECTIFICATION
    proof = ("--text", "签到表已补齐", "--proof", town.proof("签到表.jpg"))
    assert ketang_inspection("report", numbers[1], "--by", LEADER, *proof).exit_code == 0
    town.rehearsal.carry(numbers[1])
    words[1] = found[0]
    assert ketang_inspection("record", numbers[1], *visit, "--verdict", "督查合格", *words).exit_code == 0
    town.rehearsal.carry(numbers[1])
    assert "首次检查合格2处,整改后合格1处" in ketang_inspection("show", campaign).stdout
    done = ketang_inspection("conclude", campaign, "--by", REVIEWER, "--summary", "总体良好")
    assert done.exit_code == 0, done.output
    town.rehearsal.carry(campaign)
    assert town.case(campaign).outcome is Outcome.CONCLUDED
    assert "没有在办督查" in ketang_inspection("list").stdout
