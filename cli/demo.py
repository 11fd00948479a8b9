"""``ketang demo``: complete cases through the live stack, person by person, by the same forms that people fill in."""

from collections.abc import Callable
from typing import Annotated

import typer

from cli.context import reach_prefect, told
from cli.demo_project import MicroProjectDemo
from cli.demo_site import SiteDemo
from cli.player import DemoFailed
from cli.up import import_example
from runtime.resources import Resources, open_resources
from runtime.settings import Settings
from runtime.stack import Stack, StackFailed, stop_signals

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


def _play(demo: Callable[[Resources], None], *, temporary: bool, training: bool = False) -> None:
    try:
        if temporary:
            with stop_signals(), told(), Stack.temporary(say=typer.echo, training=training) as stack:
                import_example(stack.settings)
                _reached(demo, stack.settings)
        else:
            with told():
                _reached(demo, Settings())
    except (DemoFailed, StackFailed) as failed:
        typer.secho(f"演示中断:{failed}", fg="red", err=True)
        raise typer.Exit(1) from failed


def _reached(demo: Callable[[Resources], None], settings: Settings) -> None:
    reach_prefect(settings)
    with open_resources(settings) as resources:
        demo(resources)
