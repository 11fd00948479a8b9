"""``ketang notice``: public notices, from publication to their result; and the pages of the notice board."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import select

from cli.context import carry_on, opened, told
from cli.listing import legible, show_case, show_line
from models.case import Case
from models.notice import Notice, Objection
from policies.vocabulary import CaseKind, CaseStatus, Door, Verdict
from tasks import decisions, notice_changes, notices, objections
from tasks.audit_rows import number_of
from tasks.commands import Decide
from tasks.deadlines import sweep_silence
from tasks.history import verify
from tasks.notice_commands import (
    AnswerObjection,
    HandleObjection,
    HandleObjections,
    ProlongNotice,
    PublishNotice,
    RecordObjection,
)
from tasks.notice_mail import objections_of
from tasks.notice_pages import state_of, write_pages
from tasks.objections import load_notice, waiting_of

app = typer.Typer(no_args_is_help=True)

Number = Annotated[str, typer.Argument(help="公示的案件编号,例如 LPG-2022-0001", metavar="案件编号")]
By = Annotated[str, typer.Option("--by", help="经办人:社区办的人员编号或姓名", metavar="人员")]
Reason = Annotated[str, typer.Option("--reason", help="理由")]
Seq = Annotated[int, typer.Argument(help="异议序号", metavar="异议序号")]
MINUTES = ["%Y-%m-%d %H:%M", "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]


@app.command("publish", help="发布公示。内容发布后不能改动,只能延期或撤销。")
def publish(
    unit: Annotated[str, typer.Option(help="公示单位:镇或村(居)的编码或名称")],
    edition: Annotated[str, typer.Option(help="按哪份政策计算公示期,例如 linping-2022")],
    by: By,
    title: Annotated[str, typer.Option(help="公示标题")],
    contact: Annotated[str, typer.Option(help="联系方式:科室和办公地点,不写个人电话")],
    place: Annotated[str, typer.Option(help="公示地点,例如 镇政务公开栏")],
    text: Annotated[str, typer.Option(help="公示内容")] = "",
    file: Annotated[Path | None, typer.Option(help="公示内容的文本文件(UTF-8)", exists=True, dir_okay=False)] = None,
    item: Annotated[list[str], typer.Option(help="可单独提出异议的事项,可重复")] = [],  # noqa: B006 - typer copies it
    key: Annotated[str, typer.Option(help="同一标识只发布一次;留空则按时间")] = "",
) -> None:
    with told(PublishNotice), opened() as resources:
        at = resources.clock.now()
        command = PublishNotice.model_validate(
            {
                "unit": unit,
                "edition": edition,
                "by": by,
                "title": title,
                "text": file.read_text(encoding="utf-8") if file else text,
                "items": item,
                "contact": contact,
                "place": place,
            }
        )
        opening = f"cli:{key or f'notice:{at.isoformat()}'}"
        number = notices.publish_notice(resources, command, door=Door.CLI, key=opening, at=at)
        typer.echo(f"已发布公示,案件编号 {number}")
        carry_on(resources, number)


@app.command("list", help="列出公示,新的在前;办结后补登的异议还没有办完的,也列出。")
def list_notices(everything: Annotated[bool, typer.Option("--all", help="包括已结束的")] = False) -> None:
    with opened() as resources:
        query = select(Notice.case_id).join(Case, Case.id == Notice.case_id).order_by(Notice.id.desc())
        if not everything:
            waits = (Objection.notice_id == Notice.id) & Objection.answered_at.is_(None)
            query = query.where((Case.status == CaseStatus.OPEN) | select(Objection.id).where(waits).exists())
        with resources.database.read() as session:
            found = {number_of(session, case_id): case_id for case_id in session.scalars(query).all()}

            def line_of(number: str) -> str:
                notice = session.scalars(select(Notice).where(Notice.case_id == found[number])).one()
                case, count = notice.case, len(objections_of(session, notice))
                waiting = len(waiting_of(session, notice))
                return (
                    f"{case.number}  {state_of(case, notice)}  至{notice.ends_on}24时  异议{count}件"
                    f"{f'(待处理或待答复{waiting}件)' if waiting else ''}  "
                    f"{case.unit.name}  {case.title}  {resources.settings.notices_folder / notice.page}"
                )

            for number in found:
                show_line(number, line_of)
        if not found:
            typer.echo("没有公示。" if everything else "没有在办的公示(加 --all 查看已结束的)。")
        if found and (silence := sweep_silence(resources, at=resources.clock.now())):
            typer.secho(silence, fg="red", err=True)


@app.command("show", help="查看一件公示:内容、公示期、异议、办理记录。")
def show(number: Number) -> None:
    with opened() as resources:
        with legible(number), resources.database.read() as session:
            load_notice(session, number)
        show_case(resources, number)


@app.command("object", help="登记异议。联系方式可以是电话,显示时会遮掩。")
def object_(
    number: Number,
    by: By,
    channel: Annotated[str, typer.Option(help="提出方式:书面、来电、来访、网络")],
    content: Annotated[str, typer.Option(help="异议内容")],
    name: Annotated[str, typer.Option(help="异议人;留空为匿名")] = "",
    contact: Annotated[str, typer.Option(help="联系方式:电子邮箱、电话或地址")] = "",
    against: Annotated[str, typer.Option(help="公示事项的序号、名称或案件编号;留空为整个公示")] = "",
    received: Annotated[
        datetime | None, typer.Option(help="收到时间,例如 2026-03-04 09:30;留空为现在", formats=MINUTES)
    ] = None,
    key: Annotated[str, typer.Option(help="同一标识只登记一次;留空则按时间")] = "",
) -> None:
    with told(RecordObjection), opened() as resources:
        at = resources.clock.now()
        command = RecordObjection.model_validate(
            {
                "case": number,
                "by": by,
                "channel": channel,
                "content": content,
                "name": name,
                "contact": contact,
                "against": against,
                "received_at": received,
            }
        )
        recording = f"cli:{key or f'{number}:{at.isoformat()}'}"
        seq = objections.record_objection(resources, command, door=Door.CLI, key=recording, at=at)
        typer.echo(f"已登记异议第{seq}件")
        carry_on(resources, number)


@app.command("handle", help="处理异议:认定成立或不成立,写明理由;留有电子邮箱的,系统自动答复。")
def handle(
    number: Number,
    objection: Seq,
    by: By,
    finding: Annotated[str, typer.Option(help="异议成立,或 异议不成立")],
    reasons: Annotated[str, typer.Option(help="认定理由")],
) -> None:
    with told(HandleObjection), opened() as resources:
        handling = HandleObjection.model_validate({"objection": objection, "finding": finding, "reasons": reasons})
        command = HandleObjections(case=number, by=by, handled=[handling])
        left = objections.handle_objections(resources, command, door=Door.CLI, at=resources.clock.now())
        _still(left)
        carry_on(resources, number)


@app.command("answer", help="登记已用其他方式告知异议人:怎样、何时。")
def answer(
    number: Number,
    objection: Seq,
    by: By,
    how: Annotated[str, typer.Option(help="告知方式,例如 当面告知、电话告知")],
    when: Annotated[
        datetime | None, typer.Option(help="告知时间,例如 2026-03-04 09:30;留空为现在", formats=MINUTES)
    ] = None,
) -> None:
    with told(AnswerObjection), opened() as resources:
        answering = AnswerObjection.model_validate({"objection": objection, "how": how, "answered_at": when})
        command = HandleObjections(case=number, by=by, answered=[answering])
        left = objections.handle_objections(resources, command, door=Door.CLI, at=resources.clock.now())
        _still(left)
        carry_on(resources, number)


@app.command("contact", help="查阅异议人的联系方式(不遮掩),以便答复;查阅会记入办理记录。")
def contact(number: Number, objection: Seq, by: By) -> None:
    with told(RecordObjection), opened() as resources:
        typer.echo(objections.contact_of(resources, number, objection, by=by, at=resources.clock.now()))


@app.command("prolong", help="公示延期,须写明理由;次数和天数以政策为限。")
def prolong(
    number: Number,
    by: By,
    until: Annotated[datetime, typer.Option(help="新的末日,须为工作日", formats=["%Y-%m-%d"])],
    reason: Reason,
) -> None:
    with told(ProlongNotice), opened() as resources:
        command = ProlongNotice(case=number, by=by, until=until.date(), reason=reason)
        last = notice_changes.prolong_notice(resources, command, at=resources.clock.now())
        typer.echo(f"已延期至{last}")
        carry_on(resources, number)


@app.command("retract", help="撤销公示,须写明理由;内容须改动的,撤销后另行公示。")
def retract(number: Number, by: By, reason: Reason) -> None:
    with told(Decide), opened() as resources:
        command = Decide(case=number, by=by, verdict=Verdict.RETRACTED, reason=reason)
        decisions.decide(resources, command, door=Door.CLI, at=resources.clock.now())
        typer.echo("已撤销公示")
        carry_on(resources, number)


@app.command("pages", help="按数据库重写全部公示网页和目录。公布的内容不会因此改动。")
def pages() -> None:
    with opened() as resources:
        report = write_pages(resources, everything=True)
        for failure in report.failures:
            typer.secho(failure, fg="red", err=True)
        if report.failures:
            raise typer.Exit(1)
        typer.echo(f"已重写{report.written}页和目录:{resources.settings.notices_folder}")


@app.command("verify", help="核对公示:公布的内容、末日、延期和异议有无被改动;有改动即指出,退出码为 1。")
def verify_notices(number: Annotated[str, typer.Argument(help="案件编号;不写为全部")] = "") -> None:
    with opened() as resources, resources.database.read() as session:
        if number:
            numbers = [load_notice(session, number).number]
        else:
            numbers = list(session.scalars(select(Case.number).where(Case.kind == CaseKind.NOTICE).order_by(Case.id)))
        faults = [str(fault) for each in numbers for fault in verify(session, number=each)]
    for fault in faults:
        typer.secho(fault, fg="red", err=True)
    if faults:
        raise typer.Exit(1)
    typer.echo(f"核对无误:{len(numbers)}件公示的内容、期限和异议均未被改动。")


def _still(left: tuple[str, ...]) -> None:
    typer.echo("已登记;" + (f"尚待办理:{';'.join(left)}" if left else "异议均已处理并答复"))
