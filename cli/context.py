"""What every command of the CLI does the same: open the resources, show a refusal, exit with 1."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from pydantic import ValidationError

from policies.errors import BadPolicy, Permanent, Refused, Temporary
from runtime.resources import Resources, open_resources


@contextmanager
def opened() -> Iterator[Resources]:
    """Open the resources; what a rule, a policy file or the outside world refuses is told in Chinese, exit code 1."""
    with told(), open_resources() as resources:
        yield resources


@contextmanager
def told() -> Iterator[None]:
    """Show what is refused in Chinese and exit with 1."""
    try:
        yield
    except ValidationError as error:
        for fault in error.errors():
            place = ".".join(str(part) for part in fault["loc"])
            typer.secho(f"填写有误:{place}:{fault['msg']}(现值:{fault.get('input')!r})", fg="red", err=True)
        raise typer.Exit(1) from error
    except (Refused, BadPolicy, Temporary, Permanent) as error:
        typer.secho(f"未办理:{error}", fg="red", err=True)
        raise typer.Exit(1) from error
