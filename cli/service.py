"""``ketang service``: the catalogue, orders from it, who got how much, by the same commands as the forms."""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import select

from cli.context import carry_on, find_sheet, opened, told
from cli.listing import show_case, show_line
from models.case import Case, Site
from models.service import ServiceOrder
from policies.vocabulary import CaseStatus, Door, Verdict
from tasks import service_catalogue, service_decisions, service_orders, service_shares, services
from tasks.call_sheets import sheet_key
from tasks.case_file import case_file, waits_for
from tasks.commands import Decide
from tasks.decisions import decide
from tasks.listing import numbers_by
from tasks.service_commands import ConfirmOrder, DeliverOrder, OrderRow, PlaceOrder, TakeOrder
from tasks.service_sheets import read_orders, write_sheet

app = typer.Typer(no_args_is_help=True)

Number = Annotated[str, typer.Argument(help="点单的案件编号,例如 KTPS-2026-0001", metavar="案件编号")]
By = Annotated[str, typer.Option("--by", help="办理人:人员编号或姓名", metavar="人员")]
Reason = Annotated[str, typer.Option("--reason", help="理由")]
Day = Annotated[datetime | None, typer.Option("--on", help="日期", formats=["%Y-%m-%d"])]
Town = Annotated[str, typer.Option("--town", help="镇(街道)的编码或名称", metavar="镇")]


@app.command("catalogue-import", help="由表格(XLSX 或 CSV)导入服务目录;一处有误则全部不导入,全部错误按行、列列出。")
def catalogue_import(
    sheet: Annotated[Path, typer.Argument(help="服务目录(XLSX 或 CSV)", metavar="服务目录")],
    by: By,
) -> None:
    with opened() as resources:
        path = find_sheet(resources.settings, sheet)
        report = services.import_catalogue(resources, path.parent, path.name, by=by, at=resources.clock.now())
        typer.echo(f"已导入服务目录:{report}")


@app.command("catalogue", help="列出服务目录:项目、提供单位、今年还可点几次;--out 导出为可再导入的表格。")
def catalogue(
    town: Town = "",
    everything: Annotated[bool, typer.Option("--all", help="包括停供的")] = False,
    out: Annotated[Path | None, typer.Option("--out", help="导出为 XLSX 文件", metavar="FILE.xlsx")] = None,
) -> None:
    with opened() as resources:
        if out is not None:
            rows = service_catalogue.catalogue_rows(resources)
            write_sheet(out, rows, title="服务目录")
            typer.echo(f"已导出服务目录:{out}(共{len(rows) - 1}项)")
            return
        listed = service_catalogue.catalogue(resources, town=town, everything=everything, at=resources.clock.now())
        for each in listed:
            state = "" if each.active else "  已停供"
            typer.echo(
                f"{each.code}  {each.name}  {each.category}  {each.provider}  联系人{each.contact}  "
                f"{each.capacity}{state}  {each.description}"
            )
        typer.echo(f"共{len(listed)}项。" if listed else "服务目录为空;请用 ketang service catalogue-import 导入。")


@app.command("order", help="点单:一张,或由点单表(--sheet)批量登记;一处有误则全部不登记。")
def order(
    by: By,
    site: Annotated[str, typer.Option(help="客堂间的编号或户号")] = "",
    item: Annotated[str, typer.Option(help="服务项目的编码或名称")] = "",
    wished: Annotated[datetime | None, typer.Option("--on", help="希望日期", formats=["%Y-%m-%d"])] = None,
    people: Annotated[int, typer.Option(help="预计人数")] = 0,
    note: Annotated[str, typer.Option(help="说明:时段、对象、场地的要求")] = "",
    sheet: Annotated[Path | None, typer.Option(help="点单表(XLSX 或 CSV)", metavar="文件")] = None,
    key: Annotated[str, typer.Option(help="同一标识只登记一次;留空则按内容和时间")] = "",
) -> None:
    with told(PlaceOrder if sheet is None else OrderRow), opened() as resources:
        at = resources.clock.now()
        if sheet is not None:
            path = find_sheet(resources.settings, sheet)
            rows = read_orders(path.parent, path.name)
            # A row that runs is known by what it says; one that was withdrawn since is ordered anew.
            opening = f"cli:{key or f'{at.isoformat()}:{sheet_key(path.parent, path.name)}'}"
            numbers = service_orders.import_orders(resources, rows, by=by, sheet=path.name, key=opening, at=at)
        else:
            command = PlaceOrder.model_validate(
                {
                    "by": by,
                    "site": site,
                    "item": item,
                    "wished_on": wished.date() if wished else None,
                    "people": people,
                    "note": note,
                }
            )
            opening = f"cli:{key or f'{at.isoformat()}:{site}:{item}'}"
            numbers = [service_orders.place_order(resources, command, door=Door.CLI, key=opening[:100], at=at)]
        typer.echo(f"已登记{len(numbers)}张点单:{'、'.join(numbers)}")
        for number in numbers:
            carry_on(resources, number)


@app.command("answer", help="服务单位答复:接单并写承诺日期(--on),或写明理由不予接单(--decline)。")
def answer(
    number: Number,
    by: By,
    on: Day = None,
    decline: Annotated[bool, typer.Option("--decline", help="不予接单")] = False,
    reason: Annotated[str, typer.Option(help="不予接单的理由;接单时可作说明")] = "",
) -> None:
    with told(TakeOrder), opened() as resources:
        at = resources.clock.now()
        if decline:
            refusal = Decide(case=number, by=by, verdict=Verdict.DECLINED.label, reason=reason)
            decide(resources, refusal, door=Door.CLI, at=at)
            typer.echo("已答复:不予接单")
        else:
            command = TakeOrder(case=number, by=by, promised_on=_day(on), note=reason)
            taken = service_decisions.take_order(resources, command, door=Door.CLI, at=at)
            typer.echo(f"已接单,承诺{taken.details['promised_on']}送达")
        carry_on(resources, number)


@app.command("deliver", help="服务单位登记送达:日期和服务人数;无法提供的用 --failed 写明理由。")
def deliver(
    number: Number,
    by: By,
    served: Annotated[int, typer.Option(help="服务人数")] = 0,
    on: Day = None,
    proof: Annotated[str, typer.Option(help="证明材料:资料文件夹内的文件名")] = "",
    failed: Annotated[bool, typer.Option("--failed", help="未能送达,点单终止")] = False,
    reason: Reason = "",
) -> None:
    with told(DeliverOrder), opened() as resources:
        at = resources.clock.now()
        if failed:
            given_up = Decide(case=number, by=by, verdict=Verdict.FAILED.label, reason=reason)
            decide(resources, given_up, door=Door.CLI, at=at)
            typer.echo("已登记:未能送达")
        else:
            command = DeliverOrder(case=number, by=by, delivered_on=_day(on), served=served, proof=proof)
            done = service_decisions.deliver_order(resources, command, door=Door.CLI, at=at)
            typer.echo(f"已登记{done.details['delivered_on']}送达,等待客堂间确认")
        carry_on(resources, number)


@app.command("confirm", help="客堂间确认送达并评价;没有按约送达的用 --dispute 写明理由,由服务单位重新送达。")
def confirm(
    number: Number,
    by: By,
    served: Annotated[int, typer.Option(help="服务人数")] = 0,
    rating: Annotated[int, typer.Option(help="评价,1分最差")] = 0,
    comment: Annotated[str, typer.Option(help="评语")] = "",
    activity: Annotated[bool, typer.Option("--activity", help="同时登记为客堂间活动")] = False,
    dispute: Annotated[bool, typer.Option("--dispute", help="未按约送达")] = False,
    reason: Reason = "",
) -> None:
    with told(ConfirmOrder), opened() as resources:
        at = resources.clock.now()
        if dispute:
            disputed = Decide(case=number, by=by, verdict=Verdict.DISPUTED.label, reason=reason)
            decide(resources, disputed, door=Door.CLI, at=at)
            typer.echo("已登记:未按约送达,由服务单位重新送达")
        else:
            command = ConfirmOrder(
                case=number, by=by, served=served, rating=rating, comment=comment, as_activity=activity
            )
            done = service_decisions.confirm_order(resources, command, door=Door.CLI, at=at)
            typer.echo(f"已确认送达:{done.reason}")
        carry_on(resources, number)


@app.command("list", help="列出点单,新的在前:等待谁、至何日。")
def list_orders(
    everything: Annotated[bool, typer.Option("--all", help="包括已办结的")] = False,
    site: Annotated[str, typer.Option(help="只看这个客堂间的编号")] = "",
) -> None:
    with opened() as resources:
        query = select(Case.number).join(ServiceOrder, ServiceOrder.case_id == Case.id).order_by(Case.id.desc())
        if not everything:
            query = query.where(Case.status == CaseStatus.OPEN)
        if site:
            query = query.join(Site, Site.id == ServiceOrder.site_id).where(Site.number == site)
        with resources.database.read() as session:
            numbers = numbers_by(session, query)

        def line_of(number: str) -> str:
            file = case_file(resources, number, at=resources.clock.now())
            return f"{file.number}  {file.village}  {file.title}  {waits_for(file)}"

        for number in numbers:
            show_line(number, line_of)
        if not numbers:
            typer.echo("没有点单。" if everything else "没有在办点单(加 --all 查看已办结的)。")


@app.command("show", help="查看一张点单:项目、日期、承诺、送达、评价、办理记录。")
def show(number: Number) -> None:
    with opened() as resources:
        show_case(resources, number)


@app.command("shares", help="均衡情况:各客堂间、各村点单和送达与平均的比较,谁没有得到服务,各单位和项目的评价。")
def shares(
    town: Town = "",
    since: Annotated[datetime | None, typer.Option(help="首日;不写为当年首日", formats=["%Y-%m-%d"])] = None,
    until: Annotated[datetime | None, typer.Option(help="末日;不写为当年末日", formats=["%Y-%m-%d"])] = None,
) -> None:
    with opened() as resources:
        at = resources.clock.now()
        found = service_shares.shares_of(resources, town=town, since=_day(since), until=_day(until), at=at)
        for row in [*service_shares.site_table(found), *service_shares.item_table(found)]:
            typer.echo("  ".join(f"{head}{cell}" if isinstance(cell, int) else cell for head, cell in _told(row)))
        typer.echo(service_shares.told(found))


def _told(row: dict[str, str | int]) -> list[tuple[str, str | int]]:
    """Return the cells of a row, its rating under its name: alone a number says nothing."""
    return [(head, f"{head}{cell}" if head == "平均评价" else cell) for head, cell in row.items()]


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment is not None else None
