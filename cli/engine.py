"""``ketang deploy`` and ``ketang sweep``: what is asked of the running engine by hand."""

import subprocess
import sys

import typer

from cli.context import opened, reach_prefect, told
from runtime.environment import child_environment
from runtime.settings import PROJECT, Settings


def deploy() -> None:
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"]
    with told():
        environment = child_environment(Settings())
    done = subprocess.run(command, cwd=PROJECT, env=environment, check=False)  # noqa: S603 - our own command
    raise typer.Exit(done.returncode)


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
