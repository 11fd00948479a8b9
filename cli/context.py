"""What every command of the CLI does the same: open the resources, show a refusal, exit with 1, wake the case."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import typer
from pydantic import BaseModel, ValidationError

from policies.errors import BadPolicy, Permanent, Refused, Temporary
from runtime.environment import prefect_environment
from runtime.refusals import DATABASE_FAILED, StackFailed, why_unusable
from runtime.resources import Resources, open_resources
from runtime.settings import Settings
from tasks.faults import refusal_of

_FILLED_IN: ContextVar[type[BaseModel]] = ContextVar("filled_in", default=BaseModel)
"""The command whose titles name a faulty field."""


@contextmanager
def opened() -> Iterator[Resources]:
    """Open the resources; what a rule, a policy file or the outside world refuses is told in Chinese, exit code 1."""
    with told(), open_resources() as resources:
        yield resources


@contextmanager
def told(model: type[BaseModel] | None = None) -> Iterator[None]:
    """
    Show what is refused in Chinese and exit with 1; a database that can not be used, too.

    Args:
        model: the command that is filled in inside the block; its titles name a faulty field. None: the one that a
            block around this one names.
    """
    known = _FILLED_IN.set(model or _FILLED_IN.get())
    try:
        yield
    except (Refused, BadPolicy, Temporary, Permanent, ValidationError) as error:
        refusal = refusal_of(error, _FILLED_IN.get()) if isinstance(error, ValidationError) else error
        typer.secho(f"未办理:{refusal}", fg="red", err=True)
        raise typer.Exit(1) from error
    except StackFailed as failed:
        typer.secho(str(failed), fg="red", err=True)
        raise typer.Exit(1) from failed
    except DATABASE_FAILED as error:
        if (reason := why_unusable(error, Settings())) is None:
            raise
        typer.secho(reason, fg="red", err=True)
        raise typer.Exit(1) from error
    finally:
        _FILLED_IN.reset(known)


def reach_prefect(settings: Settings) -> None:
    """
    Point this process at the product's own Prefect server; to be called before anything imports Prefect.

    Without it Prefect would start a server of its own, or take a developer's account.
    """
    os.environ.update(prefect_environment(settings))


def carry_on(resources: Resources, number: str) -> None:
    """Wake the case after a command; when Prefect is away, say that the sweep will."""
    reach_prefect(resources.settings)
    from flows.waking import wake

    try:
        wake(resources, number, at=resources.clock.now())
    except Temporary as delay:
        typer.secho(f"已登记。{delay}", fg="yellow", err=True)
