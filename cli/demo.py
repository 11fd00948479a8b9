"""``ketang demo``: complete cases through the live stack, person by person, by the same forms that people fill in."""

from collections.abc import Callable
from datetime import datetime, time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from cli.context import reach_prefect, told
from cli.demo_project import MicroProjectDemo
from cli.demo_site import SiteDemo
from cli.player import DemoFailed
from cli.up import import_example, offer_example
from migrations import run
from rules.periods import SHANGHAI
from runtime.clock import MovedClock
from runtime.privacy import make_home
from runtime.resources import Resources, open_resources
from runtime.settings import Settings
from runtime.stack import Stack
from runtime.stopping import stop_signals

app = typer.Typer(no_args_is_help=True)

Temporary = Annotated[bool, typer.Option("--temporary", help="在临时的整套系统上演示,结束后全部停止并删除。")]


@app.command("site", help="一户的客堂间:申请 → 农户同意 → 上报 → 审核(退回一次)→ 挂牌 → 补贴 → 列入名册。")
def site(temporary: Temporary = False) -> None:
    """Drive one complete case; exit 1 when a gate is not reached."""
    _play(lambda resources: SiteDemo(resources).run(), temporary=temporary)


@app.command(
    "micro-project",
    help="一次微项目征集:十个申报 → 调研 → 筛选 → 公示(一件异议成立、一件不成立)→ 实施 → 评估 → 自查。",
)
def micro_project(temporary: Temporary = False) -> None:
    """Drive one complete call in a training system; exit 1 when a stage is missed."""
    _play(lambda resources: MicroProjectDemo(resources).run(), temporary=temporary, training=True)


@app.command("year", help="示例镇的一年:主题、活动、督查、会议、点单、变更、考核;时间由程序推动,不用等待。")
def year(
    home: Annotated[
        Path | None, typer.Option(help="把数据库和信函留在这个文件夹里;不填则演示后删除。", file_okay=False)
    ] = None,
) -> None:
    """Live through one simulated year on a database of its own; exit 1 when something is not as it should be."""
    from cli.demo_year import FIRST, YearDemo

    with TemporaryDirectory(prefix="ketang-year-") as folder:
        with told():
            settings = Settings(home=home or Path(folder), database_url="", smtp_host="", training=False)
        if settings.database.startswith("sqlite") and (settings.home / "ketang.db").exists():
            typer.secho(f"未演示:{settings.home} 中已有数据,请换一个空文件夹", fg="red", err=True)
            raise typer.Exit(1)
        clock = MovedClock(datetime.combine(FIRST, time(7), SHANGHAI))
        try:
            with told():
                make_home(settings)
                run.upgrade(settings.database)
            with told(), open_resources(settings, clock=clock) as resources:
                offer_example(resources)
                YearDemo(resources).run()
        except DemoFailed as failed:
            typer.secho(f"演示中断:{failed}", fg="red", err=True)
            raise typer.Exit(1) from failed
        typer.secho("演示完成:记录核对无误。", fg="green")


def _play(demo: Callable[[Resources], None], *, temporary: bool, training: bool = False) -> None:
    try:
        if temporary:
            with stop_signals(), told(), Stack.temporary(say=typer.echo, training=training) as stack:
                import_example(stack.settings)
                _reached(demo, stack.settings)
        else:
            with told():
                _reached(demo, Settings())
    except DemoFailed as failed:
        typer.secho(f"演示中断:{failed}", fg="red", err=True)
        raise typer.Exit(1) from failed


def _reached(demo: Callable[[Resources], None], settings: Settings) -> None:
    reach_prefect(settings)
    with open_resources(settings) as resources:
        demo(resources)
