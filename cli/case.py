"""``ketang case``: the same commands as the forms, from the command line; and the case file."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.context import carry_on, find_sheet, opened, told
from cli.listing import MOST, Most, legible, say_if_more, show_case, show_line
from policies.vocabulary import Answer, Door
from tasks import applications, consents, decisions, listing, office_acts, works
from tasks.asks import run_of
from tasks.case_file import case_file, waits_for
from tasks.cases import load_case
from tasks.commands import (
    ApplyForSite,
    Decide,
    HandOver,
    HouseholdAnswer,
    RecordAnswers,
    RecordWorks,
    Resubmit,
    Urge,
    Withdraw,
    WorkRecord,
)
from tasks.deadlines import sweep_silence
from tasks.sheets import read_answers

app = typer.Typer(no_args_is_help=True)

Number = Annotated[str, typer.Argument(help="案件编号,例如 KT-2026-0001", metavar="案件编号")]
By = Annotated[str, typer.Option("--by", help="办理人:人员编号或姓名", metavar="人员")]
Reason = Annotated[str, typer.Option("--reason", help="理由")]
Several = list[str]


@app.command("list", help="列出案件,新的在前。")
def list_cases(
    everything: Annotated[bool, typer.Option("--all", help="包括已办结的")] = False,
    village: Annotated[str, typer.Option(help="只看这个村(居)的编码")] = "",
    most: Most = MOST,
) -> None:
    with opened() as resources:
        at = resources.clock.now()

        def line_of(number: str) -> str:
            file = case_file(resources, number, at=at)
            where = f"{file.village}{file.group}  {file.household or file.title}"
            return f"{file.number}  {where}  {waits_for(file)}"

        listed = listing.list_cases(resources, most=most, village=village, everything=everything)
        for number in listed.numbers:
            show_line(number, line_of)
        if not listed.numbers:
            typer.echo("没有案件。" if everything else "没有在办案件(加 --all 查看已办结的)。")
        say_if_more(listed)
        if listed.numbers and (silence := sweep_silence(resources, at=at)):
            typer.secho(silence, fg="red", err=True)


@app.command("show", help="查看一个案件的案卷:情况、等待谁、办理记录。")
def show(number: Number) -> None:
    with opened() as resources:
        show_case(resources, number)


@app.command("apply", help="登记客堂间申请。")
def apply(
    household: Annotated[str, typer.Option(help="户号")],
    leader: Annotated[str, typer.Option(help="负责人:人员编号")],
    leader_source: Annotated[str, typer.Option(help="负责人来源,例如 党员骨干")],
    recommended_by: Annotated[str, typer.Option(help="推荐组织")],
    volunteers: Annotated[int, typer.Option(help="志愿者人数")],
    area: Annotated[str, typer.Option(help="活动空间面积(平方米)")],
    speciality: Annotated[str, typer.Option(help="特色主题")],
    facility: Annotated[Several, typer.Option(help="现有设施,可重复")] = [],  # noqa: B006 - typer copies it
    confirm: Annotated[Several, typer.Option(help="须书面确认的标准,可重复")] = [],  # noqa: B006 - typer copies it
    combined_with: Annotated[Several, typer.Option(help="结合建设,可重复")] = [],  # noqa: B006 - typer copies it
    household_agrees: Annotated[bool, typer.Option(help="户主自愿")] = False,
    leader_agrees: Annotated[bool, typer.Option(help="负责人本人同意")] = False,
    key: Annotated[str, typer.Option(help="同一标识只受理一次;留空则按户号和时间")] = "",
) -> None:
    with told(ApplyForSite), opened() as resources:
        at = resources.clock.now()
        command = ApplyForSite.model_validate(
            {
                "household": household,
                "household_agrees": household_agrees,
                "leader": leader,
                "leader_source": leader_source,
                "recommended_by": recommended_by,
                "leader_agrees": leader_agrees,
                "volunteers": volunteers,
                "area_square_metres": area,
                "facilities": facility,
                "confirmations": confirm,
                "speciality": speciality,
                "combined_with": combined_with,
            }
        )
        number = applications.apply_for_site(
            resources, command, door=Door.CLI, key=f"cli:{key or f'{household}:{at.isoformat()}'}", at=at
        )
        typer.echo(f"已受理,案件编号 {number}")
        carry_on(resources, number)


@app.command("consent", help="登记农户的答复:逐户,或由答复表。")
def consent(
    number: Number,
    by: By,
    agree: Annotated[Several, typer.Option(help="同意的户号,可重复")] = [],  # noqa: B006 - typer copies it
    object_: Annotated[Several, typer.Option("--object", help="不同意的户号,可重复")] = [],  # noqa: B006 - as above
    sheet: Annotated[Path | None, typer.Option(help="答复表(XLSX 或 CSV),表头:户号、答复、备注")] = None,
    note: Annotated[str, typer.Option(help="备注")] = "",
) -> None:
    with told(RecordAnswers), opened() as resources:
        answers = [
            HouseholdAnswer(household=each, answer=answer.label, note=note)
            for answer, households in ((Answer.AGREE, agree), (Answer.OBJECT, object_))
            for each in households
        ]
        if sheet is not None:
            path = find_sheet(resources.settings, sheet)
            answers += read_answers(path.parent, path.name)
        command = RecordAnswers(case=number, by=by, answers=answers)
        door = Door.SHEET if sheet else Door.CLI
        counted = consents.record_answers(resources, command, door=door, at=resources.clock.now())
        typer.echo(
            f"已登记{len(answers)}户;现同意{counted.agreeing}户、不同意{len(counted.objecting)}户、"
            f"未答复{len(counted.missing)}户(共{counted.entitled}户)"
        )
        carry_on(resources, number)


@app.command("decide", help="在当前环节作出决定。")
def decide(
    number: Number,
    by: By,
    verdict: Annotated[str, typer.Option(help="决定,例如 同意上报、批准、退回补正、不予批准")],
    reason: Reason = "",
    acknowledge: Annotated[Several, typer.Option(help="已知悉的提示,可重复")] = [],  # noqa: B006 - typer copies it
    proof: Annotated[str, typer.Option(help="依据材料:资料文件夹内的文件名;项目验收合格时必须填写")] = "",
) -> None:
    with told(Decide), opened() as resources:
        command = Decide.model_validate(
            {
                "case": number,
                "by": by,
                "verdict": verdict,
                "reason": reason,
                "acknowledged": acknowledge,
                "proof": proof,
            }
        )
        decision = decisions.decide(resources, command, door=Door.CLI, at=resources.clock.now())
        typer.echo(f"已作出决定:{decision.verdict.label}")
        carry_on(resources, number)


@app.command("work", help="登记一项完成事项(挂牌与布置、补贴拨付、资金拨付、进度节点、结余清退)。")
def work(
    number: Number,
    by: By,
    point: Annotated[str, typer.Option(help="事项,案卷中列有待完成的各项")],
    proof: Annotated[str, typer.Option(help="证明材料:资料文件夹内的文件名")],
    done_on: Annotated[datetime, typer.Option(help="完成日期", formats=["%Y-%m-%d"])],
) -> None:
    with told(WorkRecord), opened() as resources:
        record = WorkRecord(point=point, done_on=done_on.date(), proof=proof)
        command = RecordWorks(case=number, by=by, works=[record])
        left = works.record_works(resources, command, door=Door.CLI, at=resources.clock.now())
        typer.echo("已登记;" + (f"尚缺:{'、'.join(left)}" if left else "本环节全部完成"))
        carry_on(resources, number)


@app.command("resubmit", help="提交补正后的申请;未写的项目保持原样。")
def resubmit(
    number: Number,
    by: By,
    leader: Annotated[str | None, typer.Option(help="负责人:人员编号")] = None,
    volunteers: Annotated[int | None, typer.Option(help="志愿者人数")] = None,
    area: Annotated[str | None, typer.Option(help="活动空间面积(平方米)")] = None,
    speciality: Annotated[str | None, typer.Option(help="特色主题")] = None,
    facility: Annotated[Several, typer.Option(help="现有设施,可重复;写了就替换原来的")] = [],  # noqa: B006 - copied
) -> None:
    with told(Resubmit), opened() as resources:
        changes = {
            "leader": leader,
            "volunteers": volunteers,
            "area_square_metres": area,
            "speciality": speciality,
            "facilities": facility or None,
        }
        command = Resubmit.model_validate(
            applications.details_of(resources, number)
            | {name: value for name, value in changes.items() if value is not None}
            | {"case": number, "by": by}
        )
        applications.resubmit(resources, command, door=Door.CLI, at=resources.clock.now())
        typer.echo("已提交补正")
        carry_on(resources, number)


@app.command("withdraw", help="撤回申请:由申请的负责人;尚未送达的点单、新址布置中的迁址,社区办审核员也可以。")
def withdraw(number: Number, by: By, reason: Reason) -> None:
    with told(Withdraw), opened() as resources:
        command = Withdraw(case=number, by=by, reason=reason)
        decisions.withdraw(resources, command, door=Door.CLI, at=resources.clock.now())
        typer.echo("已撤回")
        carry_on(resources, number)


@app.command("urge", help="催办当前办理人(有间隔限制)。")
def urge(number: Number, by: By, message: Annotated[str, typer.Option(help="附言")] = "") -> None:
    with told(Urge), opened() as resources:
        command = Urge(case=number, by=by, message=message)
        names = office_acts.urge(resources, command, at=resources.clock.now())
        typer.echo(f"已催办:{'、'.join(names)}")
        carry_on(resources, number)


@app.command("handover", help="转办给担任同一职务的他人。")
def hand_over(
    number: Number, by: By, to: Annotated[str, typer.Option(help="转给:人员编号或姓名")], reason: Reason
) -> None:
    with told(HandOver), opened() as resources:
        command = HandOver(case=number, by=by, to=to, reason=reason)
        office_acts.hand_over(resources, command, at=resources.clock.now())
        typer.echo(f"已转办给{to}")
        carry_on(resources, number)


@app.command("settle", help="处理一封未送达的信函:重新寄送,或写明已怎样告知。")
def settle(
    number: Number,
    by: By,
    letter: Annotated[int, typer.Option(help="未送达信函号,案卷中列有")],
    verdict: Annotated[str, typer.Option(help="重新寄送,或 已用其他方式告知")],
    reason: Reason = "",
) -> None:
    with told(Decide), opened() as resources:
        command = Decide.model_validate({"case": number, "by": by, "verdict": verdict, "reason": reason})
        office_acts.settle_undelivered(resources, command, entry=letter, door=Door.CLI, at=resources.clock.now())
        typer.echo(f"信函{letter}:{command.verdict.label}")


@app.command("wake", help="请流程引擎继续办理一个案件(平时由系统自动进行)。")
def wake_case(number: Number) -> None:
    with opened() as resources:
        with legible(number), resources.database.read() as session:
            load_case(session, number, lock=False)
        run_of(resources, number)
        carry_on(resources, number)
