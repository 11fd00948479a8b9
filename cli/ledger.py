"""``ketang ledger``: the dedicated ledger of subsidies and programmes; and ``ketang audit``."""

from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, selectinload

from cli.context import carry_on, opened, told
from models.case import Case
from models.ledger import LedgerAccount, LedgerEntry, LedgerLine
from policies.vocabulary import AccountKind, CaseKind
from rules.money import in_capitals, in_yuan
from rules.periods import SHANGHAI
from tasks.archive_audit import count_archived
from tasks.cases import load_case, number_asked
from tasks.commands import Spend
from tasks.documents import changed_documents
from tasks.funds import spend as spend_of_project
from tasks.history import verify, verify_ledger
from tasks.ledger import spend
from tasks.ledger_book import export_ledger
from tasks.ledger_commands import ReceiveMoney, receive_money
from tasks.ledger_figures import programme
from tasks.ledger_posting import way_of
from tasks.project_commands import SpendOnProject

app = typer.Typer(no_args_is_help=True)
audit = typer.Typer(no_args_is_help=True)


@app.command("show", help="查看一个案件(或全部)的专款流水和余额;微项目征集另列资金来源、下拨、支出和各项目结余。")
def show(number: Annotated[str, typer.Argument(help="案件编号;不写为全部")] = "") -> None:
    with opened() as resources, resources.database.read() as session:
        case = load_case(session, number, lock=False) if number else None
        entries = select(LedgerEntry).order_by(LedgerEntry.id)
        entries = entries.options(selectinload(LedgerEntry.lines).joinedload(LedgerLine.account))
        accounts = select(LedgerAccount).order_by(LedgerAccount.id)
        if case is not None:
            touching = (
                select(LedgerLine.entry_id)
                .join(LedgerAccount, LedgerAccount.id == LedgerLine.account_id)
                .where(LedgerAccount.case_id == case.id)
            )
            entries = entries.where(or_(LedgerEntry.case_id == case.id, LedgerEntry.id.in_(touching)))
            accounts = accounts.where(LedgerAccount.case_id == case.id)
        for entry in session.scalars(entries):
            moment = entry.booked_at.astimezone(SHANGHAI)
            typer.echo(f"{moment:%Y-%m-%d}  {entry.move.label}  {way_of(entry)}  {entry.memo}".rstrip())
        found = session.scalars(accounts).all()
        for account in found:
            typer.echo(_stands(account))
        calls = select(Case).join(LedgerAccount, LedgerAccount.case_id == Case.id)
        calls = calls.where(LedgerAccount.kind == AccountKind.SOURCE, LedgerAccount.source != "").distinct()
        for call in session.scalars(calls.order_by(Case.id)):
            if case is None or call.id == case.id:
                _show_programme(session, call)
        if not found:
            typer.echo("台账为空。")


def _stands(account: LedgerAccount) -> str:
    if account.kind is AccountKind.SOURCE:
        return f"来源  {account.name}:已拨入{in_yuan(-account.balance_fen)}"
    cap = f",预算上限{in_yuan(account.cap_fen)}" if account.cap_fen is not None else ""
    word = "支出" if account.kind is AccountKind.PURPOSE else "余额"
    return f"{word}  {account.name}:{in_yuan(account.balance_fen)}{cap}"


def _show_programme(session: Session, call: Case) -> None:
    money = programme(session, call)
    typer.echo(f"项目资金 {call.number}")
    for each in money.received:
        typer.echo(
            f"  {each.source.label}({each.name}):到账{in_yuan(each.amount_fen)},已退回{in_yuan(each.returned_fen)}"
        )
    typer.echo(
        f"  合计:到账{in_yuan(money.received_fen)},已退回{in_yuan(money.returned_fen)},"
        f"下拨项目{in_yuan(money.granted_fen)},已支出{in_yuan(money.spent_fen)},专户余额{in_yuan(money.pool_fen)}"
    )
    for project in money.projects:
        typer.echo(
            f"  项目 {project.number}:下拨{in_yuan(project.granted_fen)},退回{in_yuan(project.returned_fen)},"
            f"已支出{in_yuan(project.spent_fen)},结余{in_yuan(project.left_fen)}"
        )


@app.command("verify", help="核对台账:每笔借贷相等,余额等于流水合计,不超上限,与办理记录一致;有误即指出,退出码为 1。")
def verify_accounts() -> None:
    with opened() as resources, resources.database.read() as session:
        faults = list(verify_ledger(session))
        entries, accounts = (session.scalar(select(func.count(table.id))) for table in (LedgerEntry, LedgerAccount))
    for fault in faults:
        typer.secho(str(fault), fg="red", err=True)
    if faults:
        raise typer.Exit(1)
    typer.echo(f"核对无误:{entries}笔分录、{accounts}个科目,借贷相等,余额与流水、办理记录一致。")


@app.command("export", help="导出台账:流水和科目两张表。")
def export(
    file: Annotated[Path, typer.Argument(metavar="FILE.xlsx", help="要写的 .xlsx 文件;不会覆盖已有文件。")],
) -> None:
    with opened() as resources:
        export_ledger(resources.database, file)
    typer.echo(f"已导出台账:{file}")


@app.command("receive", help="登记一笔到账资金(微项目征集)。")
def receive(
    number: Annotated[str, typer.Argument(help="征集的案件编号")],
    by: Annotated[str, typer.Option(help="登记人")],
    source: Annotated[str, typer.Option(help="资金来源,政策规定的来源之一")],
    amount: Annotated[str, typer.Option(help="金额(元)")],
    memo: Annotated[str, typer.Option(help="摘要")],
    proof: Annotated[str, typer.Option(help="凭证:资料文件夹内的文件名")],
    giver: Annotated[str, typer.Option("--from", help="拨款单位或捐赠人")] = "",
) -> None:
    with told(ReceiveMoney), opened() as resources:
        at = resources.clock.now()
        command = ReceiveMoney(
            case=number, by=by, source=source, source_name=giver, amount_yuan=amount, memo=memo, proof=proof
        )
        stands = receive_money(resources, command, at=at, key=f"cli:{at.isoformat()}")
        typer.echo(f"已登记到账;专户余额{in_yuan(stands)}({in_capitals(stands)})")


@app.command("spend", help="登记一笔支出(专款专用):客堂间的补贴,或微项目的预算科目。")
def spend_money(
    number: Annotated[str, typer.Argument(help="案件编号")],
    by: Annotated[str, typer.Option(help="经办人:村(居)委会责任人")],
    purpose: Annotated[str, typer.Option(help="用途:政策规定的用途,或微项目的预算科目")],
    amount: Annotated[str, typer.Option(help="金额(元)")],
    memo: Annotated[str, typer.Option(help="摘要")],
    proof: Annotated[str, typer.Option(help="凭证:资料文件夹内的文件名")],
    spent_on: Annotated[
        datetime | None, typer.Option("--on", help="微项目的支出日期;不写为今天", formats=["%Y-%m-%d"])
    ] = None,
) -> None:
    with told(Spend), opened() as resources:
        at = resources.clock.now()
        key = f"cli:{at.isoformat()}"
        with resources.database.read() as session:
            kind = load_case(session, number, lock=False).kind
        if kind is CaseKind.PROJECT:
            on = (spent_on or at.astimezone(SHANGHAI)).date()
            of_project = SpendOnProject(
                case=number, by=by, line=purpose, amount_yuan=amount, memo=memo, proof=proof, spent_on=on
            )
            left = spend_of_project(resources, of_project, at=at, key=key)
        else:
            command = Spend(case=number, by=by, purpose=purpose, amount_yuan=amount, memo=memo, proof=proof)
            left = spend(resources, command, at=at, key=key)
        typer.echo(f"已登记支出;余额{in_yuan(left)}({in_capitals(left)})")
        if kind is CaseKind.PROJECT and not left:
            carry_on(resources, number)  # what takes the last of the money closes the settlement


@audit.command("verify", help="核对每个案件的办理记录、决定、台账和材料;发现改动即指出哪张表哪一行,退出码为 1。")
def audit_verify(number: Annotated[str, typer.Argument(help="案件编号;不写为全部")] = "") -> None:
    with opened() as resources, resources.database.read() as session:
        asked = number_asked(session, number) if number else None
        changed = changed_documents(session, folder=resources.settings.documents_folder, number=asked)
        faulty = False
        for fault in chain(verify(session, number=asked), changed):
            faulty = True
            typer.secho(str(fault), fg="red", err=True)
        stubs = count_archived(session, number=asked)
    if stubs:
        typer.echo(f"已归档{stubs}件,只核对了留存部分;请用归档文件核对:ketang archive verify")
    if faulty:
        raise typer.Exit(1)
    typer.echo("核对无误:办理记录、决定、台账和材料均未被改动。")
