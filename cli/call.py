"""``ketang call``: calls of micro-projects from their opening to the screening, by the same commands as the forms."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.context import carry_on, find_sheet, opened, told
from cli.listing import MOST, Everything, Most, show_case, show_cases
from policies.errors import Refused
from policies.vocabulary import CaseKind, Door
from runtime.resources import Resources
from tasks import calls, proposals, screenings, surveys
from tasks.call_commands import (
    ChangeWindow,
    CorrectSurvey,
    OpenCall,
    Proposal,
    RecordSurvey,
    Screen,
    SelfCheck,
    SurveyCount,
)
from tasks.call_sheets import read_proposals, read_scores, read_survey, sheet_key

app = typer.Typer(no_args_is_help=True)

Number = Annotated[str, typer.Argument(help="征集的案件编号,例如 ZJ-2026-0001", metavar="征集编号")]
By = Annotated[str, typer.Option("--by", help="经办人:人员编号或姓名", metavar="人员")]
Reason = Annotated[str, typer.Option("--reason", help="理由")]
Sheet = Annotated[Path | None, typer.Option(help="表格文件(XLSX 或 CSV)", metavar="文件")]
Project = Annotated[str, typer.Option(help="项目编号", metavar="项目编号")]
Complete = Annotated[bool, typer.Option("--complete", help="登记后办结本环节")]
Several = list[str]
VOTE = "表决结果,写作 项目编号=赞成/反对/弃权,例如 WXM-2026-0001=18/1/0,可重复"


@app.command("open", help="开启一次征集。")
def open_call(
    by: By,
    edition: Annotated[str, typer.Option(help="适用政策的编号,例如 example-micro-2026")],
    unit: Annotated[str, typer.Option(help="征集单位的编码:镇(街道)或村(居)")],
    title: Annotated[str, typer.Option(help="征集名称")],
    purpose: Annotated[str, typer.Option(help="征集内容")],
    opens_on: Annotated[datetime, typer.Option(help="申报首日", formats=["%Y-%m-%d"])],
    closes_on: Annotated[datetime, typer.Option(help="申报末日", formats=["%Y-%m-%d"])],
    budget: Annotated[str, typer.Option(help="预算总额(元)")],
    panel: Annotated[Several, typer.Option(help="评审组成员,可重复")],
    contact: Annotated[str, typer.Option(help="联系方式:科室和办公地点")],
    place: Annotated[str, typer.Option(help="公示地点")],
    kind: Annotated[Several, typer.Option(help="征集类别,可重复;不写为全部")] = [],  # noqa: B006 - typer copies it
    key: Annotated[str, typer.Option(help="同一标识只开启一次;留空则按名称和时间")] = "",
) -> None:
    with told(OpenCall), opened() as resources:
        at = resources.clock.now()
        command = OpenCall.model_validate(
            {
                "by": by,
                "edition": edition,
                "unit": unit,
                "title": title,
                "purpose": purpose,
                "kinds": kind,
                "opens_on": opens_on.date(),
                "closes_on": closes_on.date(),
                "budget_yuan": budget,
                "panel": panel,
                "contact": contact,
                "place": place,
            }
        )
        opening = f"cli:{key or f'{title}:{at.isoformat()}'}"
        number = calls.open_call(resources, command, door=Door.CLI, key=opening, at=at)
        typer.echo(f"已开启征集,案件编号 {number}")
        carry_on(resources, number)


@app.command("list", help="列出征集,新的在前。")
def list_calls(everything: Everything = False, most: Most = MOST) -> None:
    show_cases(CaseKind.CALL, what="征集", everything=everything, most=most)


@app.command("show", help="查看一次征集:申报项目、等待谁、尚缺什么、办理记录。")
def show(number: Number) -> None:
    with opened() as resources:
        show_case(resources, number)


@app.command("propose", help="登记一个项目的申报。")
def propose(
    number: Number,
    proposer: Annotated[str, typer.Option(help="提议人:人员编号")],
    village: Annotated[str, typer.Option(help="村(居)的编码或名称")],
    title: Annotated[str, typer.Option(help="项目名称")],
    kind: Annotated[str, typer.Option(help="项目类别")],
    amount: Annotated[str, typer.Option(help="申请金额(元)")],
    content: Annotated[str, typer.Option(help="项目内容")] = "",
    beneficiaries: Annotated[str, typer.Option(help="受益对象")] = "",
    expected_benefit: Annotated[str, typer.Option(help="预期效益")] = "",
    key: Annotated[str, typer.Option(help="同一标识只登记一次;留空则按名称和时间")] = "",
) -> None:
    with told(Proposal), opened() as resources:
        at = resources.clock.now()
        proposal = Proposal.model_validate(
            {
                "proposer": proposer,
                "village": village,
                "title": title,
                "kind": kind,
                "content": content,
                "beneficiaries": beneficiaries,
                "expected_benefit": expected_benefit,
                "amount_yuan": amount,
            }
        )
        filing = f"cli:{key or f'{title}:{at.isoformat()}'}"
        project = proposals.propose(resources, number, proposal, door=Door.CLI, key=filing, at=at)
        typer.echo(f"已收到申报,项目编号 {project}")
        carry_on(resources, project)


@app.command("import", help="由申报表批量登记申报;一处有误则全部不登记,同一份表只登记一次。")
def import_sheet(
    number: Number,
    sheet: Annotated[Path, typer.Argument(help="申报表(XLSX 或 CSV)", metavar="申报表")],
) -> None:
    with told(Proposal), opened() as resources:
        folder, name = _place(resources, sheet)
        rows = read_proposals(folder, name)
        filed = proposals.import_proposals(
            resources, number, rows, sheet=name, key=f"{number}:{sheet_key(folder, name)}", at=resources.clock.now()
        )
        typer.echo(f"已登记{len(filed)}个项目:{filed[0]}至{filed[-1]}")
        for project in filed:
            carry_on(resources, project)


@app.command("survey", help="登记社情民意调研:一个项目,或由调研表;更正某一号登记用 --correct。")
def survey(
    number: Number,
    by: By,
    project: Project = "",
    in_favour: Annotated[int, typer.Option("--for", help="赞成份数")] = 0,
    against: Annotated[int, typer.Option(help="反对份数")] = 0,
    indifferent: Annotated[int, typer.Option(help="无所谓份数")] = 0,
    sheet: Sheet = None,
    channel: Annotated[str, typer.Option(help="调研方式,例如 入户走访")] = "",
    on: Annotated[datetime | None, typer.Option(help="调研日期;不写为今天", formats=["%Y-%m-%d"])] = None,
    correct: Annotated[int, typer.Option(help="以这些份数更正第几号登记", min=0)] = 0,
    reason: Reason = "",
    complete: Complete = False,
) -> None:
    with told(RecordSurvey), opened() as resources:
        count = {"project": project, "in_favour": in_favour, "against": against, "indifferent": indifferent}
        at = resources.clock.now()
        if correct:
            command = {"case": number, "by": by, "entry": correct, "count": count, "reason": reason}
            surveys.correct_survey(resources, CorrectSurvey.model_validate(command), at=at)
            typer.echo(f"已更正第{correct}号登记")
        else:
            counts = [SurveyCount.model_validate(count)] if project else []
            if sheet is not None:
                counts += read_survey(*_place(resources, sheet))
            entry = RecordSurvey(
                case=number,
                by=by,
                channel=channel,
                held_on=on.date() if on else None,
                counts=counts,
                complete=complete,
            )
            door, digest = (Door.SHEET, sheet_key(*_place(resources, sheet))) if sheet else (Door.CLI, "")
            left = surveys.record_survey(resources, entry, door=door, at=at, sheet=digest)
            typer.echo(f"已登记{len(counts)}个项目的意见;" + (f"尚缺:{';'.join(left)}" if left else "份数已够"))
        carry_on(resources, number)


@app.command("score", help="登记评分:一名评审对一个项目,或由评分表。")
def score(
    number: Number,
    by: By,
    project: Project = "",
    member: Annotated[str, typer.Option(help="评审人", metavar="人员")] = "",
    points: Annotated[Several, typer.Option(help="一项得分,写作 标准=分数,可重复")] = [],  # noqa: B006 - typer copies it
    sheet: Sheet = None,
    complete: Complete = False,
) -> None:
    with opened() as resources:
        scores: list[Any] = []
        if project:
            scores.append({"project": project, "member": member, "points": dict(_pair(each) for each in points)})
        if sheet is not None:
            scores += [each.model_dump() for each in read_scores(resources, number, *_place(resources, sheet))]
        _screen(resources, {"case": number, "by": by, "scores": scores, "complete": complete}, sheet=sheet)


@app.command("interest", help="登记回避:一名评审与一个项目有利害关系,不为它评分。")
def interest(
    number: Number,
    by: By,
    project: Project,
    member: Annotated[str, typer.Option(help="评审人", metavar="人员")],
    reason: Reason,
) -> None:
    with opened() as resources:
        entry = {"project": project, "member": member, "reason": reason}
        _screen(resources, {"case": number, "by": by, "interests": [entry]})


@app.command("join", help="增补评审:回避后评审不足时,向评审组加人。")
def join(
    number: Number, by: By, member: Annotated[Several, typer.Option(help="增补的评审,可重复", metavar="人员")]
) -> None:
    with opened() as resources:
        _screen(resources, {"case": number, "by": by, "joining": member})


@app.command("meeting", help="登记会议的签到和表决;签到不等于表决。")
def meeting(
    number: Number,
    by: By,
    present: Annotated[Several, typer.Option(help="到会代表,可重复")] = [],  # noqa: B006 - typer copies it
    absent: Annotated[Several, typer.Option(help="撤销误签,可重复")] = [],  # noqa: B006 - typer copies it
    vote: Annotated[Several, typer.Option(help=VOTE)] = [],  # noqa: B006 - typer copies it
    complete: Complete = False,
) -> None:
    with opened() as resources:
        votes = [_vote(each) for each in vote]
        fields = {"case": number, "by": by, "present": present, "absent": absent, "votes": votes, "complete": complete}
        _screen(resources, fields)


@app.command("screen", help="完成筛选:评分和表决齐全后,在预算内按名次确定拟入选项目并公示。")
def complete_screening(number: Number, by: By) -> None:
    with opened() as resources:
        _screen(resources, {"case": number, "by": by, "complete": True})


@app.command("prolong", help="延长征集,或以 --end 提前结束。")
def prolong(
    number: Number,
    by: By,
    reason: Reason,
    until: Annotated[datetime | None, typer.Option(help="新的申报末日", formats=["%Y-%m-%d"])] = None,
    end: Annotated[bool, typer.Option("--end", help="现在提前结束征集")] = False,
) -> None:
    with told(ChangeWindow), opened() as resources:
        if end == (until is not None):
            raise Refused("default", "请写 --until(新的申报末日)或 --end(提前结束),二者取一")
        closes_on = until.date() if until else None
        command = ChangeWindow(case=number, by=by, closes_on=closes_on, reason=reason)
        calls.change_window(resources, command, door=Door.CLI, at=resources.clock.now())
        typer.echo(f"申报末日改为{closes_on}" if closes_on else "征集已提前结束")
        carry_on(resources, number)


@app.command("report", help="填写自查报告,征集办结。")
def report(
    number: Number,
    by: By,
    attainment: Annotated[str, typer.Option(help="达成情况")],
    problems: Annotated[str, typer.Option(help="存在的问题")],
    next_steps: Annotated[str, typer.Option(help="下一步打算")],
) -> None:
    with told(SelfCheck), opened() as resources:
        command = SelfCheck(case=number, by=by, attainment=attainment, problems=problems, next_steps=next_steps)
        calls.self_check(resources, command, door=Door.CLI, at=resources.clock.now())
        typer.echo("已收到自查报告")
        carry_on(resources, number)


def _screen(resources: Resources, fields: dict[str, Any], *, sheet: Path | None = None) -> None:
    with told(Screen):
        command = Screen.model_validate(fields)
        door = Door.SHEET if sheet else Door.CLI
        left = screenings.screen(resources, command, door=door, at=resources.clock.now())
    if command.complete:
        typer.echo("筛选已完成")
    else:
        typer.echo("已登记;" + (f"尚缺:{';'.join(left)}" if left else "已经齐全,可以完成筛选"))
    carry_on(resources, command.case)


def _place(resources: Resources, sheet: Path) -> tuple[Path, str]:
    path = find_sheet(resources.settings, sheet)
    return path.parent, path.name


def _pair(text: str) -> tuple[str, str]:
    name, sign, points = text.rpartition("=")
    if not sign:
        raise Refused("default", f"“{text}”不是一项得分,请写作 标准=分数,例如 可行性=25")
    return name.strip(), points.strip()


def _vote(text: str) -> dict[str, str]:
    project, sign, counts = text.rpartition("=")
    parts = counts.split("/")
    if not sign or len(parts) != 3:
        raise Refused("default", f"“{text}”不是表决结果,请写作 项目编号=赞成/反对/弃权,例如 WXM-2026-0001=18/1/0")
    return {"project": project, "in_favour": parts[0], "against": parts[1], "abstained": parts[2]}
