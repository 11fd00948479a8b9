"""``ketang worker``: one more worker for a server that runs already, and its end on Ctrl-C or SIGTERM."""

from typing import Annotated

import typer

from cli.up import check_published, until_stopped
from runtime.further import FurtherWorker
from runtime.settings import Settings


def worker(
    name: Annotated[
        str, typer.Option("--name", help="工作进程的名字,用于区分;不写就用本机的名字。", metavar="名字")
    ] = "",
) -> None:
    """Start a worker, start it again when it dies, and wait for Ctrl-C."""
    with until_stopped("工作进程已停止。"), FurtherWorker(Settings(), name=name, say=typer.echo) as alone:
        check_published(alone.settings)
        typer.echo("")
        typer.secho("工作进程已就绪。", fg="green", bold=True)
        typer.echo(f"  服务器:    {alone.api_url}")
        typer.echo(f"  名字:      {alone.worker_name}(同时办理几件,由服务器的 KETANG_WORKER_LIMIT 决定)")
        typer.echo(f"  资料文件夹:{alone.settings.documents_folder}(须是与服务器共用的同一个文件夹)")
        typer.echo(f"  日志:      {alone.logs}")
        typer.echo("按 Ctrl-C 停止:正在办理的先办完。")
        alone.watch()
