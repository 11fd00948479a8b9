"""``ketang ledger``: the dedicated ledger of the subsidies; and ``ketang audit``."""

from typing import Annotated

import typer
from sqlalchemy import select

from cli.context import opened, told
from models.case import Case
from models.ledger import LedgerAccount, LedgerEntry
from rules.money import in_capitals, in_yuan
from rules.periods import SHANGHAI
from tasks.commands import Spend
from tasks.documents import changed_documents
from tasks.history import verify
from tasks.ledger import spend

app = typer.Typer(no_args_is_help=True)
audit = typer.Typer(no_args_is_help=True)


@app.command("show", help="查看一个案件(或全部)的专款流水和余额。")
def show(number: Annotated[str, typer.Argument(help="案件编号;不写为全部")] = "") -> None:
    with opened() as resources, resources.database.read() as session:
        accounts = select(LedgerAccount).join(Case, Case.id == LedgerAccount.case_id).order_by(LedgerAccount.id)
        entries = select(LedgerEntry).join(Case, Case.id == LedgerEntry.case_id).order_by(LedgerEntry.id)
        if number:
            accounts, entries = accounts.where(Case.number == number), entries.where(Case.number == number)
        names = {account.id: account.name for account in session.scalars(accounts)}
        for entry in session.scalars(entries):
            moment = entry.booked_at.astimezone(SHANGHAI)
            typer.echo(
                f"{moment:%Y-%m-%d}  {entry.move.label}  {names[entry.from_id]} → {names[entry.to_id]}  "
                f"{in_yuan(entry.amount_fen)}  {entry.memo}"
            )
        for account in session.scalars(accounts):
            typer.echo(f"余额  {account.name}:{in_yuan(account.balance_fen)}")
        if not names:
            typer.echo("台账为空。")


@app.command("spend", help="登记一笔支出(专款专用)。")
def spend_money(
    number: Annotated[str, typer.Argument(help="案件编号")],
    by: Annotated[str, typer.Option(help="经办人:村(居)委会责任人")],
    purpose: Annotated[str, typer.Option(help="用途,政策规定的用途之一")],
    amount: Annotated[str, typer.Option(help="金额(元)")],
    memo: Annotated[str, typer.Option(help="摘要")],
    proof: Annotated[str, typer.Option(help="凭证:资料文件夹内的文件名")],
) -> None:
    with told(Spend), opened() as resources:
        at = resources.clock.now()
        command = Spend(case=number, by=by, purpose=purpose, amount_yuan=amount, memo=memo, proof=proof)
        left = spend(resources, command, at=at, key=f"cli:{at.isoformat()}")
        typer.echo(f"已登记支出;余额{in_yuan(left)}({in_capitals(left) if left else '人民币零元整'})")


@audit.command("verify", help="核对每个案件的办理记录、决定、台账和材料;发现改动即指出哪张表哪一行,退出码为 1。")
def audit_verify(number: Annotated[str, typer.Argument(help="案件编号;不写为全部")] = "") -> None:
    with opened() as resources, resources.database.read() as session:
        faults = [str(fault) for fault in verify(session, number=number or None)]
        faults += changed_documents(session, folder=resources.settings.documents_folder, number=number or None)
    for fault in faults:
        typer.secho(fault, fg="red", err=True)
    if faults:
        raise typer.Exit(1)
    typer.echo("核对无误:办理记录、决定、台账和材料均未被改动。")
