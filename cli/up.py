"""``ketang up``: start everything on this machine, and stop it again on Ctrl-C."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import select

from cli.context import told
from models.case import PublishedEdition
from models.registry import Unit
from notifications.transport import sender_fault
from runtime.resources import Resources, open_resources
from runtime.settings import PROJECT, Settings
from runtime.stack import Stack
from runtime.stopping import stop_signals
from tasks.openings import check_unchanged
from tasks.registry import import_registry
from tasks.services import import_catalogue

EXAMPLE = PROJECT / "examples" / "示例镇登记簿.xlsx"
CATALOGUE = PROJECT / "examples" / "示例镇服务目录.xlsx"
WAITING = "/runs?state=Suspended&type=span&seconds=-315360000"
"""The runs that wait, of the last ten years: the UI's own list ends after a week, and a case takes longer."""


def up(
    example: Annotated[
        bool, typer.Option("--example/--no-example", help="登记簿还是空的时,导入示例镇,便于试用。")
    ] = True,
) -> None:
    """Start the stack, bring the example township into an empty registry, and wait for Ctrl-C."""
    with until_stopped("客堂已停止。"), Stack(Settings(), say=typer.echo) as stack:
        check_published(stack.settings)
        stack.settings.documents_folder.mkdir(exist_ok=True)
        if example:
            import_example(stack.settings)
        typer.echo("")
        typer.secho("客堂已启动。", fg="green", bold=True)
        if stack.settings.training:
            typer.secho("  培训系统:时间可用 ketang clock move 向前移动,不得用于正式办理。", fg="yellow")
        tell_mail_fault(stack.settings)
        typer.echo(f"  办事界面(在这里申请、点 Resume 办理):{stack.ui_url}/deployments")
        typer.echo(f"  等待办理的案件:                      {stack.ui_url}{WAITING}")
        typer.echo(f"  Prefect 新界面(Resume 在“…”菜单里): {stack.new_ui_url}/dashboard")
        typer.echo(f"  信函文件夹(没有设置邮件服务器时):    {stack.settings.letters_folder}")
        typer.echo(f"  资料文件夹(证明材料、答复表放这里):  {stack.settings.documents_folder}")
        typer.echo(f"  日志:                                {stack.logs}")
        typer.echo("按 Ctrl-C 停止。再次启动时,一切照旧。")
        stack.watch()


@contextmanager
def until_stopped(farewell: str) -> Iterator[None]:
    """
    Within the block, Ctrl-C and SIGTERM are the orderly end; what does not start is told, exit code 1.

    Args:
        farewell: what is said at that end, in Chinese.
    """
    try:
        with stop_signals(), told():
            yield
    except KeyboardInterrupt:
        typer.echo(farewell)


def tell_mail_fault(settings: Settings) -> None:
    """Say which setting keeps letters back, if one does: they wait, everything else goes on."""
    if fault := sender_fault(settings.mailbox):
        typer.secho(f"  信函暂时寄不出:{fault}。", fg="yellow")


def check_published(settings: Settings) -> None:
    """Refuse to work on with a policy file that was changed after it was published."""
    with open_resources(settings) as resources, resources.database.read() as session:
        for published in session.scalars(select(PublishedEdition)):
            if (loaded := resources.editions.get(published.id)) is not None:
                check_unchanged(published, loaded)


def import_example(settings: Settings, *, path: Path = EXAMPLE) -> None:
    """Import the example township and its catalogue of services when the registry holds nothing yet, and say so."""
    with open_resources(settings) as resources:
        offer_example(resources, path=path)


def offer_example(resources: Resources, *, path: Path = EXAMPLE) -> None:
    """As `import_example`, where the resources are open already."""
    with resources.database.read() as session:
        if session.scalar(select(Unit.id).limit(1)) is not None:
            return
    at = resources.clock.now()
    report = import_registry(resources.database, path, at=at, editions=set(resources.editions))
    offered = import_catalogue(resources, CATALOGUE.parent, CATALOGUE.name, by=None, at=at)
    typer.echo(
        f"登记簿是空的,已导入示例镇({path.name},{report.added} 行;{CATALOGUE.name},{offered.added} 项服务)。"
        "正式使用请加 --no-example。"
    )
