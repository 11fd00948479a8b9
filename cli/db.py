"""``ketang db``: bring the business database to this program's version, or say how far behind it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from cli.context import told
from migrations import run
from migrations.moving import NotMoved, move
from models.engine import BadAddress, address_of
from runtime.privacy import make_home
from runtime.refusals import failures_told
from runtime.settings import Settings

app = typer.Typer(no_args_is_help=True)


@app.command("upgrade", help="把业务数据库升级到本程序的版本;已是最新则什么也不做。升级前请先备份。")
def upgrade() -> None:
    with _told():
        settings = Settings()
        with failures_told(settings):
            make_home(settings)
            applied = run.upgrade(settings.database)
    for step in applied:
        typer.echo(f"已升级:{step}")
    if not applied:
        typer.echo("业务数据库已是最新。")


@app.command("check", help="检查业务数据库是否是本程序的版本;不是则退出码为 1,什么也不改。")
def check() -> None:
    with _told():
        settings = Settings()
        missing = run.pending(settings.database)
        differences = [] if missing else run.drift(settings.database)
    for step in missing:
        typer.echo(f"尚未升级:{step}")
    for difference in differences:
        typer.echo(f"与程序不符:{difference}")
    if missing:
        typer.secho(f"还差 {len(missing)} 步,请运行 ketang db upgrade。", fg="red", err=True)
    if differences:
        typer.secho(f"数据表被程序以外的人改动过({len(differences)} 处),请从备份恢复。", fg="red", err=True)
    if missing or differences:
        raise typer.Exit(1)
    typer.echo("业务数据库已是最新,与程序相符。")


@app.command("copy", help="把整个业务数据库复制到另一个空的数据库,例如由 SQLite 换到 PostgreSQL;请先停止客堂。")
def copy(
    target: Annotated[
        str, typer.Argument(metavar="地址", help="例如 postgresql+psycopg://ketang@db1/ketang,口令写在 ~/.pgpass")
    ],
) -> None:
    with _told(), _moved():
        try:
            address_of(target)
        except BadAddress:
            raise NotMoved("写的不是能用的数据库地址,须写作 postgresql+psycopg://用户@主机/数据库") from None
        copied = move(Settings().database, target, say=lambda table, rows: typer.echo(f"{table}:{rows} 行"))
    typer.secho(f"已复制 {sum(copied.values())} 行。", fg="green")
    typer.echo("请把 KETANG_DATABASE_URL 设为新的地址,运行 ketang audit verify 核对,再启动客堂。")


@contextmanager
def _moved() -> Iterator[None]:
    try:
        yield
    except NotMoved as reason:
        typer.secho(f"未复制:{reason}", fg="red", err=True)
        raise typer.Exit(1) from reason


@contextmanager
def _told() -> Iterator[None]:
    """Show in Chinese why a database can not be worked on, and exit with 1."""
    try:
        with told():
            yield
    except run.SchemaUnknown as unknown:
        typer.secho(str(unknown), fg="red", err=True)
        raise typer.Exit(1) from unknown
