"""``ketang site``: the register of parlours and how far the villages are."""

from typing import Annotated

import typer
from sqlalchemy import select

from cli.context import opened
from models.registry import Unit
from policies.vocabulary import UnitKind
from rules.money import in_yuan
from tasks.case_file import progress
from tasks.site_page import site_page
from tasks.sites import sites

app = typer.Typer(no_args_is_help=True)

Village = Annotated[str, typer.Option("--village", help="只看这个村(居)的编码", metavar="编码")]


@app.command("list", help="列出已建成的客堂间。")
def list_sites(village: Village = "") -> None:
    with opened() as resources:
        listed = sites(resources, village=village)
    for each in listed:
        money = "" if each.balance_fen is None else f"  补贴余额{in_yuan(each.balance_fen)}"
        typer.echo(
            f"{each.number}  {each.village}{each.group}  {each.household}  负责人{each.leader}  "
            f"{each.speciality}  {each.status}(自{each.status_since}){money}"
        )
    typer.echo(f"共{len(listed)}处。" if listed else "名册为空。")


@app.command("show", help="查看一个客堂间:状态、负责人、主题、活动、督查、点单、变更、考核、补贴结余。")
def show_site(
    site: Annotated[str, typer.Argument(help="名册中的编号、案件编号或户号", metavar="客堂间")],
    year: Annotated[int | None, typer.Option(help="看哪一年的主题、活动和报道;不写为今年", min=2000, max=2999)] = None,
) -> None:
    with opened() as resources:
        typer.echo(site_page(resources, site, at=resources.clock.now(), year=year))


@app.command("progress", help="各村建设进度:按美丽乡村等级对照目标数。")
def show_progress(village: Village = "") -> None:
    with opened() as resources:
        with resources.database.read() as session:
            query = select(Unit.code).where(Unit.kind == UnitKind.VILLAGE).order_by(Unit.code)
            codes = session.scalars(query.where(Unit.code == village) if village else query).all()
        for code in codes:
            for row in progress(resources, code):
                typer.echo(
                    f"{row.village}  {row.grade}  小组{row.groups}  目标{row.target}  已建成{row.listed}  "
                    f"在办{row.running}  尚差{max(row.target - row.listed, 0)}"
                )
        if not codes:
            typer.echo("登记簿中没有这样的村(居)。")
