"""``ketang policy``: what people see and with which status it ends."""

import json
import shutil
from pathlib import Path

from typer.testing import CliRunner

from cli.policy import app
from policies.load import EDITIONS, edition_schema, load_all

run = CliRunner()


def test_list_names_every_edition_with_its_town_and_hash() -> None:
    result = run.invoke(app, ["list"])
    assert result.exit_code == 0
    for edition_id, loaded in load_all().items():
        (line,) = [line for line in result.stdout.splitlines() if edition_id in line]
        assert loaded.edition.township in line
        assert loaded.sha256[:12] in line


def test_show_gives_each_rule_with_its_clause_and_marks_ours() -> None:
    result = run.invoke(app, ["show", "zhujiajiao-2018"])
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert any({"10人以上30人以下;不符合:提示,由审核员确认", "二、2"} <= set(line) for line in lines)
    assert any({"2018年9月1日至11月30日,受理申请", "五、2"} <= set(line) for line in lines)
    assert any({"10,000.00元,限用于设施添置、报刊订阅", "六、2"} <= set(line) for line in lines)
    assert any({"社区办审核", "10个工作日", "五、2(期限:默认)"} <= set(line) for line in lines)
    assert "本组全部农户的 1/1 同意方为通过(五、2)" in result.stdout


def test_show_leaves_out_what_an_edition_does_not_have() -> None:
    result = run.invoke(app, ["show", "xuhang-2013"])
    assert result.exit_code == 0
    assert "补贴" not in result.stdout
    assert "每村(居)每年2至4个" in result.stdout


def test_show_of_projects_gives_each_rule_with_its_clause() -> None:
    result = run.invoke(app, ["show", "linping-2022"])
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert any({"环境整治", "每个项目至多10,000.00元", "三、(二)3(1)(上限:默认)"} <= set(line) for line in lines)
    vote = "应到人数的2/3以上到会,赞成超过全体应到人数的1/2"
    assert any({"会议表决", vote, "二、(一)2"} <= set(line) for line in lines)
    assert any({"区财政试点补助", "每期至多30,000.00元", "三、(二)3(3)"} <= set(line) for line in lines)
    assert any({"公示期", "10日,首日不计", "期满结束", "公告(期限:公告)"} <= set(line) for line in lines)
    assert any({"遴选结果", "150日", "—", "继续待办"} <= set(line) for line in lines)
    assert "征集号 LPZ-年份-序号 · 项目号 LPX-年份-序号 · 公示号 LPG-年份-序号" in result.stdout
    assert "农户同意" not in result.stdout


def test_show_of_other_projects_gives_what_they_ask_and_leaves_out_what_they_do_not() -> None:
    result = run.invoke(app, ["show", "example-micro-2026"])
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert any({"环境美化", "每个项目至多20,000.00元"} <= set(line) for line in lines)
    assert any({"营利活动", "含“营利”“有偿经营”“商业推广”"} <= set(line) for line in lines)
    assert any({"社情民意调研", "每个项目至少10份意见,赞成3/5以上"} <= set(line) for line in lines)
    assert any({"提议人", "村(居)民代表、村(居)民小组长、联络员"} <= set(line) for line in lines)
    assert any({"至多为预算的1/10"} <= set(line) for line in lines)
    assert "会议表决" not in result.stdout


def test_show_of_an_unknown_edition_names_the_known_ones() -> None:
    result = run.invoke(app, ["show", "nowhere-2000"])
    assert result.exit_code == 1
    assert "nowhere-2000" in result.stderr
    assert "zhujiajiao-2018" in result.stderr


def test_check_of_a_sound_file_gives_its_hash() -> None:
    result = run.invoke(app, ["check", str(EDITIONS / "xuhang-2013.yaml")])
    assert result.exit_code == 0
    assert load_all()["xuhang-2013"].sha256 in result.stdout


def test_check_of_an_unsound_file_lists_every_fault_and_fails(tmp_path: Path) -> None:
    text = (EDITIONS / "xuhang-2013.yaml").read_text(encoding="utf-8")
    bad = tmp_path / "xuhang-2013.yaml"
    bad.write_text(
        text.replace("    at_most: 3\n", "    at_most: 0\n").replace("case_prefix: XH\n", "case_prefix: xh\n"), "utf-8"
    )
    result = run.invoke(app, ["check", str(bad)])
    assert result.exit_code == 1
    assert f"政策文件 {bad} 的 site.case_prefix 有误" in result.stderr
    assert f"政策文件 {bad} 的 site.returns.at_most 有误:不得小于1(现值:0)" in result.stderr
    assert "共2处错误" in result.stderr


def test_list_of_a_folder_with_an_unsound_file_fails(tmp_path: Path) -> None:
    shutil.copy(EDITIONS / "xuhang-2013.yaml", tmp_path / "another-name.yaml")
    result = run.invoke(app, ["list", "--folder", str(tmp_path)])
    assert result.exit_code == 1
    assert "another-name" in result.stderr


def test_schema_prints_the_schema() -> None:
    result = run.invoke(app, ["schema"])
    assert result.exit_code == 0
    assert json.loads(result.stdout) == edition_schema()
