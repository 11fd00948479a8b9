"""``ketang project``: micro-projects from their plan to what is left, by the same commands as the forms."""

from datetime import date, datetime
from typing import Annotated, Any

import typer
from sqlalchemy import select

from cli.context import carry_on, opened, told
from cli.listing import legible, show_case, show_line
from models.case import Case
from models.project import Project
from models.registry import Unit
from policies.errors import Refused
from policies.vocabulary import CaseKind, CaseStatus, Door, Gate, Verdict
from rules.money import in_capitals, in_yuan
from rules.periods import SHANGHAI
from runtime.resources import Resources
from tasks import decisions, evaluations, funds, plans, progress, works
from tasks.audit_rows import number_of
from tasks.case_file import case_file, waits_for
from tasks.cases import item_that_waits, load_case
from tasks.checklists import points
from tasks.commands import Decide, RecordWorks, WorkRecord
from tasks.ledger_commands import ReceiveMoney, receive_money
from tasks.ledger_figures import project_balance
from tasks.project_commands import (
    PanelEntry,
    PlanMoney,
    PlanStep,
    RecordEvaluation,
    RecordProgress,
    ReturnFunds,
    SpendOnProject,
    SubmitPlan,
)

app = typer.Typer(no_args_is_help=True)

Number = Annotated[str, typer.Argument(help="项目的案件编号,例如 WX-2026-0001", metavar="案件编号")]
By = Annotated[str, typer.Option("--by", help="办理人:人员编号或姓名", metavar="人员")]
Reason = Annotated[str, typer.Option("--reason", help="理由")]
Day = Annotated[datetime | None, typer.Option("--on", help="日期;不写为今天", formats=["%Y-%m-%d"])]
Proof = Annotated[str, typer.Option("--proof", help="凭证或证明材料:资料文件夹内的文件名")]
Amount = Annotated[str, typer.Option("--amount", help="金额(元)")]
Memo = Annotated[str, typer.Option("--memo", help="摘要")]
Several = list[str]


@app.command("list", help="列出微项目,新的在前:等待谁、核定多少、结余多少。")
def list_projects(
    everything: Annotated[bool, typer.Option("--all", help="包括已办结的")] = False,
    call: Annotated[str, typer.Option(help="只看这次征集的项目:征集的案件编号")] = "",
    village: Annotated[str, typer.Option(help="只看这个村(居)的编码")] = "",
) -> None:
    with opened() as resources:
        at = resources.clock.now()
        query = select(Project).join(Case, Case.id == Project.case_id).order_by(Case.id.desc())
        if not everything:
            query = query.where(Case.status == CaseStatus.OPEN)
        with resources.database.read() as session:
            if call:
                query = query.where(Project.call_case_id == load_case(session, call, lock=False).id)
            if village:
                query = query.join(Unit, Unit.id == Case.unit_id).where(Unit.code == village)
            ids = session.scalars(query.with_only_columns(Project.case_id)).all()
            projects = {number_of(session, case_id): case_id for case_id in ids}

            def line_of(number: str) -> str:
                file = case_file(resources, number, at=at)
                project = session.scalars(select(Project).where(Project.case_id == projects[number])).one()
                money = ""
                if project.granted_fen is not None:
                    left = project_balance(session, project.case)
                    money = f"核定{in_yuan(project.granted_fen)},结余{in_yuan(left)}  "
                return (
                    f"{file.number}  {file.village}  {file.title}  {project.standing.label}  {money}{waits_for(file)}"
                )

            for number in projects:
                show_line(number, line_of)
            if not projects:
                typer.echo("没有微项目。" if everything else "没有在办的微项目(加 --all 查看已办结的)。")


@app.command("show", help="查看一个项目:方案、预算和支出、进度、评估、办理记录。")
def show(number: Number) -> None:
    with opened() as resources:
        with legible(number):
            _case_of(resources, number)
        show_case(resources, number)


@app.command("plan", help="提交细化方案;没有写的部分保持上次的内容。")
def plan(
    number: Number,
    by: By,
    step: Annotated[Several, typer.Option("--step", help="进度节点,可重复:名称=完成期限,例如 整地=2026-05-01")] = [],  # noqa: B006 - typer copies it
    line: Annotated[
        Several, typer.Option("--line", help="预算分项,可重复:名称=用途=金额,例如 花苗=物资购置=1200")
    ] = [],  # noqa: B006 - typer copies it
    content: Annotated[str, typer.Option(help="项目内容")] = "",
    benefit: Annotated[str, typer.Option(help="预期效益")] = "",
) -> None:
    with told(SubmitPlan), opened() as resources:
        _case_of(resources, number)
        entered: dict[str, Any] = {
            "content": content,
            "expected_benefit": benefit,
            "milestones": [_step(each) for each in step],
            "lines": [_line(each) for each in line],
        }
        current = plans.details_of(resources, number)
        changes = {name: value for name, value in entered.items() if value}
        command = SubmitPlan.model_validate({**current, **changes, "case": number, "by": by})
        total = plans.submit_plan(resources, command, door=Door.CLI, at=resources.clock.now())
        typer.echo(f"已提交方案,预算合计{in_yuan(total)}({in_capitals(total)})")
        carry_on(resources, number)


def _step(text: str) -> PlanStep:
    name, _, day = text.rpartition("=")
    try:
        due_on = date.fromisoformat(day.strip())
    except ValueError as error:
        raise Refused("default", f"进度节点“{text}”须写作 名称=完成期限,例如 整地=2026-05-01") from error
    return PlanStep(name=name, due_on=due_on)


def _line(text: str) -> PlanMoney:
    parts = text.rsplit("=", 2)
    if len(parts) != 3:
        raise Refused("default", f"预算分项“{text}”须写作 名称=用途=金额,例如 花苗=物资购置=1200")
    return PlanMoney(name=parts[0], category=parts[1].strip(), amount_yuan=parts[2])


@app.command("fund", help="登记资金拨付的一项:镇拨付到村(居)委会,或村(居)委会确认到账。")
def fund(
    number: Number,
    by: By,
    point: Annotated[str, typer.Option(help="事项:镇拨付到村(居)委会、村(居)委会确认到账")],
    proof: Proof,
    on: Day = None,
) -> None:
    _record(number, Gate.FUNDING, by=by, point=point, proof=proof, on=on)


@app.command("receive", help="登记进入一次征集的项目资金专户的钱:区级拨款、镇级配套、社会捐赠。")
def receive(
    call: Annotated[str, typer.Argument(help="征集的案件编号", metavar="征集编号")],
    by: By,
    source: Annotated[str, typer.Option(help="资金来源,政策规定的来源之一")],
    amount: Amount,
    memo: Memo,
    proof: Proof,
    giver: Annotated[str, typer.Option("--from", help="拨款单位或捐赠人")] = "",
) -> None:
    with told(ReceiveMoney), opened() as resources:
        at = resources.clock.now()
        command = ReceiveMoney(
            case=call, by=by, source=source, source_name=giver, amount_yuan=amount, memo=memo, proof=proof
        )
        stands = receive_money(resources, command, at=at, key=f"cli:{at.isoformat()}")
        typer.echo(f"已登记到账;专户余额{in_yuan(stands)}({in_capitals(stands)})")


@app.command("return", help="一次征集的项目全部办结后,把项目资金专户的结余按来源退回。")
def return_funds(
    call: Annotated[str, typer.Argument(help="征集的案件编号", metavar="征集编号")],
    by: By,
    proof: Proof,
    memo: Memo = "征集结束,退回结余",
) -> None:
    with told(ReturnFunds), opened() as resources:
        at = resources.clock.now()
        command = ReturnFunds(case=call, by=by, memo=memo, proof=proof)
        amount = funds.return_funds(resources, command, at=at, key=f"cli:{at.isoformat()}")
        typer.echo(f"已退回来源{in_yuan(amount)}({in_capitals(amount)})")


@app.command("spend", help="登记项目的一笔支出(专款专用,不得超过预算分项和余额)。")
def spend(
    number: Number,
    by: By,
    line: Annotated[str, typer.Option(help="预算分项:名称或序号")],
    amount: Amount,
    memo: Memo,
    proof: Proof,
    on: Day = None,
) -> None:
    with told(SpendOnProject), opened() as resources:
        at = resources.clock.now()
        command = SpendOnProject(
            case=number, by=by, line=line, amount_yuan=amount, memo=memo, proof=proof, spent_on=_day(on, at)
        )
        left = funds.spend(resources, command, at=at, key=f"cli:{at.isoformat()}")
        typer.echo(f"已登记支出;项目余额{in_yuan(left)}({in_capitals(left)})")
        carry_on(resources, number)


@app.command("progress", help="登记项目进展。")
def record_progress(
    number: Number,
    by: By,
    summary: Annotated[str, typer.Option(help="进展情况")],
    percent: Annotated[int, typer.Option(help="总体进度,0至100")],
    proof: Annotated[str, typer.Option("--proof", help="材料:资料文件夹内的文件名")] = "",
    on: Day = None,
) -> None:
    with told(RecordProgress), opened() as resources:
        at = resources.clock.now()
        command = RecordProgress(
            case=number, by=by, happened_on=_day(on, at), summary=summary, percent=percent, proof=proof
        )
        progress.record_progress(resources, command, at=at)
        typer.echo(f"已登记进展,总体{percent}%")


@app.command("stop", help="终止实施:评估以前的任何环节,由社区办负责人写明理由;已拨的资金随后清退。")
def stop(number: Number, by: By, reason: Annotated[str, typer.Option(help="终止实施的理由")]) -> None:
    _decide(number, by=by, verdict=Verdict.ABANDONED, reason=reason)


@app.command("milestone", help="登记当前进度节点完成;或由社区办负责人终止实施(--abandon)。")
def milestone(
    number: Number,
    by: By,
    proof: Annotated[str, typer.Option("--proof", help="证明材料:资料文件夹内的文件名")] = "",
    on: Day = None,
    abandon: Annotated[bool, typer.Option("--abandon", help="终止实施,须写明理由")] = False,
    reason: Reason = "",
) -> None:
    if abandon:
        _decide(number, by=by, verdict=Verdict.ABANDONED, reason=reason)
        return
    _record(number, Gate.MILESTONE, by=by, point="", proof=proof, on=on)


@app.command("accept", help="验收:合格(须附依据材料),或写明理由限期整改(--rectify)。")
def accept(
    number: Number,
    by: By,
    proof: Annotated[str, typer.Option("--proof", help="依据材料:村务监督意见或验收单,资料文件夹内的文件名")] = "",
    rectify: Annotated[bool, typer.Option("--rectify", help="限期整改")] = False,
    reason: Reason = "",
) -> None:
    verdict = Verdict.RECTIFY if rectify else Verdict.ACCEPTED
    _decide(number, by=by, verdict=verdict, reason=reason, proof=proof)


@app.command("evaluate", help="登记各方评估;全部登记后加 --complete 办结,得出得分和等次。")
def evaluate(
    number: Number,
    by: By,
    panel: Annotated[Several, typer.Option("--panel", help="一方的评估,可重复:评估方=份数=总分")] = [],  # noqa: B006 - typer copies it
    complete: Annotated[bool, typer.Option("--complete", help="评估已收齐,办结")] = False,
) -> None:
    if not panel:
        if not complete:
            raise typer.BadParameter("请写 --panel 或 --complete")
        _decide(number, by=by, verdict=Verdict.COMPLETED)
        return
    with told(PanelEntry), opened() as resources:
        command = RecordEvaluation(case=number, by=by, panels=[_panel(each) for each in panel])
        left = evaluations.record_evaluation(
            resources, command, complete=complete, door=Door.CLI, at=resources.clock.now()
        )
        missing = f";尚未登记:{'、'.join(each.label for each in left)}" if left else ""
        typer.echo(f"已登记{len(panel)}方评估{missing}" + (";已办结" if complete else ""))
        carry_on(resources, number)


def _panel(text: str) -> PanelEntry:
    parts = [part.strip() for part in text.split("=")]
    if len(parts) != 3 or not (parts[1].isdecimal() and parts[2].isdecimal()):
        raise Refused("default", f"评估“{text}”须写作 评估方=份数=总分,例如 居民评议=12=1080")
    return PanelEntry.model_validate({"panel": parts[0], "answers": int(parts[1]), "points_total": int(parts[2])})


@app.command("settle", help="登记结余资金已退回项目资金专户。")
def settle(number: Number, by: By, proof: Proof, on: Day = None) -> None:
    _record(number, Gate.SETTLEMENT, by=by, point="", proof=proof, on=on)


def _record(number: str, gate: Gate, *, by: str, point: str, proof: str, on: datetime | None) -> None:
    """Record a point of the list that waits at `gate`; the only one when none is named."""
    with told(WorkRecord), opened() as resources:
        at = resources.clock.now()
        with resources.database.read() as session:
            item = item_that_waits(session, load_case(session, number, lock=False), gate)
            point = point or points(session, item)[0].name
        record = WorkRecord(point=point, done_on=_day(on, at), proof=proof)
        command = RecordWorks(case=number, by=by, works=[record])
        left = works.record_works(resources, command, door=Door.CLI, at=at)
        typer.echo(f"已登记“{point}”;" + (f"尚缺:{'、'.join(left)}" if left else "本环节办结"))
        carry_on(resources, number)


def _decide(number: str, *, by: str, verdict: Verdict, reason: str = "", proof: str = "") -> None:
    with told(Decide), opened() as resources:
        command = Decide.model_validate(
            {"case": number, "by": by, "verdict": verdict.label, "reason": reason, "proof": proof}
        )
        decision = decisions.decide(resources, command, door=Door.CLI, at=resources.clock.now())
        typer.echo(f"已作出决定:{decision.verdict.label}")
        carry_on(resources, number)


def _day(on: datetime | None, at: datetime) -> date:
    return (on or at.astimezone(SHANGHAI)).date()


def _case_of(resources: Resources, number: str) -> None:
    """Refuse a case that is no project."""
    with resources.database.read() as session:
        case = load_case(session, number, lock=False)
        if case.kind is not CaseKind.PROJECT:
            raise Refused(
                "default",
                f"案件 {case.number} 是“{case.kind.label}”,不是“{CaseKind.PROJECT.label}”;请用 ketang case show 查看",
            )
