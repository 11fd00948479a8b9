"""``ketang``: everything an office does from the command line."""

import os
import subprocess
import sys

import typer

from cli import case, db, ledger, letters, policy, registry, site
from cli.context import opened, reach_prefect, told
from cli.demo import app as demo
from cli.up import HELP as UP_HELP
from cli.up import up
from runtime.environment import child_environment
from runtime.settings import PROJECT, Settings

app = typer.Typer(
    name="ketang",
    help="客堂:社区办的流程台。先运行 ketang up,再打开它给出的网址。",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for part in (policy.app, registry.app, case.app, site.app, letters.app, ledger.app, ledger.audit, db.app, demo):
    app.add_typer(part)
app.command("up", help=UP_HELP)(up)


@app.command("deploy", help="把全部流程部署到正在运行的 Prefect 服务器。")
def deploy() -> None:
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"]
    done = subprocess.run(command, cwd=PROJECT, env=child_environment(Settings()), check=False)  # noqa: S603 - our own command
    raise typer.Exit(done.returncode)


@app.command("sweep", help="立即巡检一次:提醒、督办、期满、信函、续办。平时由系统每五分钟自动进行。")
def sweep() -> None:
    with told(), opened() as resources:
        reach_prefect(resources.settings)
        from flows.deadline_sweep import sweep_directly

        counts, lines = sweep_directly(resources)
    for line in lines:
        typer.echo(line)
    for failure in counts.failures:
        typer.secho(f"处理失败:{failure}", fg="red", err=True)
    if counts.failures:
        raise typer.Exit(1)


def main() -> None:
    """Run the command line."""
    os.environ.setdefault("TZ", "Asia/Shanghai")
    app()
