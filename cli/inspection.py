"""``ketang inspection``: campaigns and the inspection of each site, by the same commands as the forms."""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import select

from cli.context import carry_on, find_sheet, opened, told
from cli.listing import show_case, show_line
from models.case import Case
from policies.errors import Refused
from policies.vocabulary import CaseKind, Door
from rules.sampling import lot
from runtime.resources import Resources
from tasks import campaigns, inspection_visits
from tasks.campaign_figures import draw_again, inspections_named
from tasks.case_file import case_file, waits_for
from tasks.drivers import Bulk
from tasks.inspection_commands import ConcludeCampaign, OpenCampaign, RecordVisit, ReportRectification
from tasks.inspection_sheets import bound_visits, finding_of
from tasks.listing import numbers_by

app = typer.Typer(no_args_is_help=True)

By = Annotated[str, typer.Option("--by", help="经办人:人员编号或姓名", metavar="人员")]
Campaign = Annotated[str, typer.Argument(help="督查的案件编号,例如 KTDC-2026-0001", metavar="督查编号")]
Inspection = Annotated[str, typer.Argument(help="单点督查的案件编号,例如 KTDD-2026-0001", metavar="案件编号")]
Several = list[str]
FOUND = "检查点的结果,写作 检查点=符合、检查点=不符合:情况 或 检查点=不适用:说明,逐项重复"


@app.command("open", help="开展一次督查:全部、按村(居)、随机抽查或指定客堂间。")
def open_campaign(
    by: By,
    title: Annotated[str, typer.Option(help="督查名称,例如 2026年上半年督查")],
    scope: Annotated[str, typer.Option(help="全部客堂间、按村(居)、随机抽查、指定客堂间")],
    since: Annotated[datetime, typer.Option(help="开始日期", formats=["%Y-%m-%d"])],
    until: Annotated[datetime, typer.Option(help="截止日期", formats=["%Y-%m-%d"])],
    town: Annotated[str, typer.Option(help="镇(街道)的编码或名称;只有一个时可不写")] = "",
    village: Annotated[Several, typer.Option(help="村(居)的编码或名称,可重复")] = [],  # noqa: B006 - typer copies it
    site: Annotated[Several, typer.Option(help="客堂间的编号,可重复")] = [],  # noqa: B006 - typer copies it
    size: Annotated[int | None, typer.Option(help="抽查数量")] = None,
    share: Annotated[str, typer.Option(help="抽查比例,例如 20% 或 1/5")] = "",
    seed: Annotated[str, typer.Option(help="抽签号;不写由系统给出,并记录在案")] = "",
    key: Annotated[str, typer.Option(help="同一标识只开展一次;留空则按名称和时间")] = "",
) -> None:
    with told(OpenCampaign), opened() as resources:
        at = resources.clock.now()
        command = OpenCampaign.model_validate(
            {
                "by": by,
                "unit": town,
                "title": title,
                "scope": scope,
                "villages": village,
                "sites": site,
                "size": size,
                "share": share,
                "seed": seed,
                "since": since.date(),
                "until": until.date(),
            }
        )
        opening = f"cli:{key or f'{title}:{at.isoformat()}'}"
        number = campaigns.open_campaign(resources, command, door=Door.CLI, key=opening, at=at)
        inspections = inspections_named(resources, number)
        typer.echo(f"已开展督查,编号 {number},受督查{len(inspections)}处:{inspections[0]}至{inspections[-1]}")
        for each in (number, *inspections):
            carry_on(resources, each)


@app.command("list", help="列出督查,新的在前;写督查编号则列出其各处。")
def list_inspections(
    campaign: Annotated[str, typer.Argument(help="督查编号;不写则列出各次督查", metavar="督查编号")] = "",
    everything: Annotated[bool, typer.Option("--all", help="包括已办结的")] = False,
) -> None:
    with opened() as resources:
        numbers = inspections_named(resources, campaign) if campaign else _campaigns(resources)
        left_out = 0

        def line_of(number: str) -> str:
            nonlocal left_out
            file = case_file(resources, number, at=resources.clock.now())
            if not everything and not campaign and file.outcome:
                left_out += 1
                return ""
            return f"{file.number}  {file.village}  {file.title}  {waits_for(file)}"

        for number in numbers:
            show_line(number, line_of)
        if left_out == len(numbers):
            typer.echo("没有督查。" if everything or campaign else "没有在办督查(加 --all 查看已办结的)。")


def _campaigns(resources: Resources) -> list[str]:
    with resources.database.read() as session:
        query = select(Case.number).where(Case.kind == CaseKind.CAMPAIGN).order_by(Case.id.desc())
        return numbers_by(session, query)


@app.command("show", help="查看一次督查,或一处的督查:检查结果、等待谁、办理记录。")
def show(number: Annotated[str, typer.Argument(help="督查或单点督查的案件编号", metavar="案件编号")]) -> None:
    with opened() as resources:
        show_case(resources, number)


@app.command("record", help="登记一处的检查和结论,现场督查和复查都用它。")
def record(
    number: Inspection,
    by: By,
    verdict: Annotated[str, typer.Option(help="结论:督查合格、限期整改、拟撤牌、取消")],
    inspectors: Annotated[str, typer.Option(help="检查人")] = "",
    found: Annotated[Several, typer.Option(help=FOUND)] = [],  # noqa: B006 - typer copies it
    on: Annotated[datetime | None, typer.Option(help="检查日期;不写为今天", formats=["%Y-%m-%d"])] = None,
    rectify_by: Annotated[datetime | None, typer.Option(help="整改期限", formats=["%Y-%m-%d"])] = None,
    reason: Annotated[str, typer.Option(help="理由")] = "",
    proof: Annotated[str, typer.Option(help="照片或记录:资料文件夹内的文件名")] = "",
    contact: Annotated[str, typer.Option(help="拟撤牌的公示联系方式")] = "",
    place: Annotated[str, typer.Option(help="拟撤牌的公示地点")] = "",
) -> None:
    with told(RecordVisit), opened() as resources:
        command = RecordVisit.model_validate(
            {
                "case": number,
                "by": by,
                "visited_on": _day(on),
                "inspectors": inspectors,
                "findings": [_found(each) for each in found],
                "verdict": verdict,
                "rectify_by": _day(rectify_by),
                "reason": reason,
                "proof": proof,
                "contact": contact,
                "place": place,
            }
        )
        decision = inspection_visits.record_visit(resources, command, door=Door.CLI, at=resources.clock.now())
        typer.echo(f"已登记,结论为“{decision.verdict.label}”")
        carry_on(resources, number)


@app.command("import", help="按督查表逐行登记各处的检查;有误的行单独列出,不影响其他行。")
def import_sheet(
    campaign: Campaign,
    sheet: Annotated[Path, typer.Argument(help="督查表(XLSX 或 CSV)", metavar="督查表")],
    by: By,
) -> None:
    with told(RecordVisit), opened() as resources:
        at, path = resources.clock.now(), find_sheet(resources.settings, sheet)
        bound = bound_visits(resources, campaign, path.parent, path.name, by=by, at=at)
        bulk = Bulk(resources, bound.rows, {}, at=at, known=bound.known)
        try:
            bulk.act()
        finally:
            for case in dict.fromkeys([*bulk.touched, *bound.unfinished]):
                carry_on(resources, case)
            bulk.leave()
        report = bulk.report
        before = [*bound.done_before, *report.done_before]
        again = f",此前已登记{len(before)}行" if before else ""
        typer.echo(f"已登记{report.done}处{again},未登记{len(report.refused)}行")
        for row, how in before:
            typer.echo(f"{row} {how}")
        for row, reason in report.refused:
            typer.secho(f"{row} {reason}", fg="red", err=True)
        if report.refused:
            raise typer.Exit(1)


@app.command("report", help="由负责人报告整改情况,附证明材料。")
def report(
    number: Inspection,
    by: Annotated[str, typer.Option("--by", help="客堂间负责人:人员编号或姓名", metavar="人员")],
    text: Annotated[str, typer.Option("--text", help="整改情况")],
    proof: Annotated[str, typer.Option(help="证明材料:资料文件夹内的文件名")],
) -> None:
    with told(ReportRectification), opened() as resources:
        command = ReportRectification(case=number, by=by, report=text, proof=proof)
        inspection_visits.report_rectification(resources, command, door=Door.CLI, at=resources.clock.now())
        typer.echo("已收到整改报告,待复查")
        carry_on(resources, number)


@app.command("conclude", help="各处都办结后填写督查总结,督查办结。")
def conclude(number: Campaign, by: By, summary: Annotated[str, typer.Option(help="督查总结")]) -> None:
    with told(ConcludeCampaign), opened() as resources:
        command = ConcludeCampaign(case=number, by=by, summary=summary)
        campaigns.conclude(resources, command, door=Door.CLI, at=resources.clock.now())
        typer.echo("已收到督查总结")
        carry_on(resources, number)


@app.command("draw", help="按抽签号重新计算随机抽查,核对受督查的客堂间与名单是否一致。")
def redraw(number: Campaign) -> None:
    with opened() as resources:
        drawn = draw_again(resources, number)
        for place, site in enumerate(drawn.ranked, start=1):
            mark = "抽中" if site in drawn.expected else ""
            typer.echo(f"{place}  {site}  {lot(site, seed=drawn.seed)}  {mark}")
        if drawn.expected != drawn.inspected:
            raise Refused("default", f"受督查的客堂间与抽签结果不一致:{'、'.join(drawn.differing)}")
        typer.echo(f"抽签号 {drawn.seed},{len(drawn.ranked)}处中抽取{len(drawn.expected)}处,与受督查的客堂间一致")


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


def _found(text: str) -> dict[str, str]:
    point, sign, found = text.partition("=")
    if not sign:
        raise Refused("default", f"“{text}”不是检查点的结果,请写作 检查点=符合 或 检查点=不符合:情况")
    return finding_of(point.strip(), found)
