"""``ketang clock``: lets time pass in a training system, where people learn in an hour what takes months."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated

import typer

from cli.context import opened, reach_prefect
from policies.errors import Refused
from rules.periods import SHANGHAI
from runtime.clock import TrainingClock
from runtime.resources import Resources

app = typer.Typer(no_args_is_help=True)


@contextmanager
def _training() -> Iterator[tuple[Resources, TrainingClock]]:
    with opened() as resources:
        clock = resources.clock
        if not isinstance(clock, TrainingClock):
            raise Refused(
                "default", "这不是培训系统,时间不能移动;培训请另设文件夹启动:KETANG_TRAINING=1 KETANG_HOME=… ketang up"
            )
        yield resources, clock


@app.command("show", help="显示培训系统的时间。")
def show() -> None:
    with _training() as (_, clock):
        typer.echo(f"{clock.now().astimezone(SHANGHAI):%Y-%m-%d %H:%M}(比实际时间快 {clock.moved.days} 日)")


@app.command("move", help="让时间向前走若干日,到期的提醒、督办和期满逐一处理。")
def move(days: Annotated[int, typer.Argument(help="日数,不少于 1", min=1, metavar="日数")]) -> None:
    with _training() as (resources, clock):
        reach_prefect(resources.settings)
        from flows.training import let_time_pass

        for line in let_time_pass(resources, clock, until=clock.now() + timedelta(days=days)):
            typer.echo(line)
