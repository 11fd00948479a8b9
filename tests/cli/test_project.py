"""``ketang project``: a project from its plan to what is left, typed; and how a faulty line is told."""

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli import case, context, project
from policies.vocabulary import Gate, Outcome, Verdict
from tests.projects import CATEGORIES, EDITIONS, PROPOSER, Projects, confirmed
from tests.township import HEAD_OF_OFFICE, RESPONSIBLE, REVIEWER, township

EDITION = "linping-2022"
MATERIAL = CATEGORIES[EDITION][0]


@pytest.fixture
def projects(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Projects]:
    """A confirmed project that waits for its plan; the command line looks at the same moment."""
    with township(sqlite_url, tmp_path, edition=EDITION, now=EDITIONS[EDITION]) as town:
        there = confirmed(town)
        monkeypatch.setattr(context, "open_resources", lambda: nullcontext(town.resources))
        # No Prefect here: the case is carried on as its run would.
        monkeypatch.setattr(project, "carry_on", lambda _resources, _number: there.carry())
        for name in ("回单.pdf", "照片.jpg", "发票.jpg", "验收单.pdf"):
            town.proof(name)
        yield there


def ketang_project(*words: str) -> Result:
    return CliRunner().invoke(project.app, list(words))


def said(*words: str) -> str:
    """What a command that succeeds says."""
    done = ketang_project(*words)
    assert done.exit_code == 0, done.output
    return done.stdout.strip()


def refused(*words: str) -> str:
    """What a command that is refused says."""
    done = ketang_project(*words)
    assert done.exit_code == 1, done.output
    return done.stderr.strip()


def test_a_project_is_carried_by_the_command_line_alone(projects: Projects) -> None:
    number, town = projects.number, projects.town
    steps = ("--step", f"整地={projects.day(10)}", "--step", f"栽种={projects.day(30)}")
    plan = said("plan", number, "--by", PROPOSER, *steps, "--line", f"花苗={MATERIAL}=1,200.50")
    assert plan == "已提交方案,预算合计1,200.50元(人民币壹仟贰佰元伍角)"
    projects.decide(Verdict.RETURNED, reason="花苗偏贵")
    cheaper = said("plan", number, "--by", PROPOSER, "--line", f"花苗={MATERIAL}=1000")
    assert cheaper == "已提交方案,预算合计1,000.00元(人民币壹仟元整)", "what is not written stays as it was"
    projects.decide(Verdict.APPROVED)

    came = said("receive", projects.call, "--by", REVIEWER, "--source", "社会捐赠", "--from", "某某公司",
                "--amount", "500", "--memo", "捐款", "--proof", "回单.pdf")  # fmt: skip
    assert came == "已登记到账;专户余额20,500.00元(人民币贰万零伍佰元整)"
    granted = said("fund", number, "--by", REVIEWER, "--point", "镇拨付到村(居)委会", "--proof", "回单.pdf")
    assert granted == "已登记“镇拨付到村(居)委会”;尚缺:村(居)委会确认到账"
    said("fund", number, "--by", RESPONSIBLE, "--point", "村(居)委会确认到账", "--proof", "回单.pdf")
    spent = said("spend", number, "--by", RESPONSIBLE, "--line", "花苗", "--amount", "1000", "--memo", "月季",
                 "--proof", "发票.jpg")  # fmt: skip
    assert spent == "已登记支出;项目余额4,000.00元(人民币肆仟元整)"
    assert said("progress", number, "--by", PROPOSER, "--summary", "已整地", "--percent", "50") == (
        "已登记进展,总体50%"
    )
    assert said("milestone", number, "--by", PROPOSER, "--proof", "照片.jpg") == "已登记“整地”;本环节办结"
    said("milestone", number, "--by", PROPOSER, "--proof", "照片.jpg")
    assert said("accept", number, "--by", REVIEWER, "--rectify", "--reason", "积水") == "已作出决定:限期整改"
    assert said("accept", number, "--by", REVIEWER, "--proof", "验收单.pdf") == "已作出决定:验收合格"
    first = said("evaluate", number, "--by", REVIEWER, "--panel", "居民评议=10=900")
    assert first == "已登记1方评估;尚未登记:专家评议、第三方评估"
    assert said("evaluate", number, "--by", REVIEWER, "--complete") == "已作出决定:已完成"
    everything = CliRunner().invoke(case.app, ["list", "--village", "ZD"]).stdout
    assert f"{number}  周荡村  楼道口的花园  等待结余清退" in everything, "also among all other cases"
    listed = said("list")
    assert f"{number}  周荡村  楼道口的花园  确认入选  核定5,000.00元,结余4,000.00元  等待结余清退" in listed
    assert said("settle", number, "--by", RESPONSIBLE, "--proof", "回单.pdf") == "已登记“退回结余资金”;本环节办结"
    assert town.case(number).outcome is Outcome.COMPLETED
    page = said("show", number)
    assert "| 评估结果 | 90.00分,优秀 |" in page
    assert said("list") == "没有在办的微项目(加 --all 查看已办结的)。"
    assert "已完成归档" in said("list", "--all", "--call", projects.call)


def test_a_line_that_can_not_be_read_is_told_with_how_to_write_it(projects: Projects) -> None:
    number = projects.number
    assert "须写作 名称=完成期限" in refused("plan", number, "--by", PROPOSER, "--step", "整地=明天")
    assert "须写作 名称=用途=金额" in refused("plan", number, "--by", PROPOSER, "--line", "花苗=100")
    assert "“进度节点”" in refused("plan", number, "--by", PROPOSER, "--line", f"花苗={MATERIAL}=100")
    assert "须写作 评估方=份数=总分" in refused("evaluate", number, "--by", REVIEWER, "--panel", "居民评议=好")
    assert "是“微项目征集”,不是“微项目”" in refused("show", projects.call)
    assert "现处于“细化方案”环节,不能办理“结余清退”" in refused(
        "settle", number, "--by", RESPONSIBLE, "--proof", "回单.pdf"
    )
    assert "资金尚未到账" in refused(
        "spend", number, "--by", RESPONSIBLE, "--line", "花苗", "--amount", "1", "--memo", "无", "--proof", "发票.jpg"
    )
    assert projects.town.gate() is Gate.PLAN


def test_the_head_of_the_office_gives_a_project_up_by_the_command_line(projects: Projects) -> None:
    projects.to_gate(Gate.MILESTONE)
    told = said("milestone", projects.number, "--by", HEAD_OF_OFFICE, "--abandon", "--reason", "改建停车场")
    assert told == "已作出决定:终止实施"
    assert "尚有1个项目未办结" in refused("return", projects.call, "--by", REVIEWER, "--proof", "回单.pdf")
    said("settle", projects.number, "--by", RESPONSIBLE, "--proof", "回单.pdf")
    assert (projects.left(), projects.pool()) == (0, 2_000_000)
