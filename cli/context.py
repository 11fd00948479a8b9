"""What every command of the CLI does the same: open the resources, show a refusal, exit with 1, wake the case."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import typer
from pydantic import BaseModel, ValidationError
from sqlalchemy import select

from models.sweep import SweepBeat
from policies.errors import BadPolicy, Permanent, Refused, Temporary
from runtime.environment import prefect_environment
from runtime.refusals import DATABASE_FAILED, StackFailed, why_unusable
from runtime.resources import Resources, open_resources
from runtime.settings import Settings
from tasks.faults import faulty_settings, is_of_settings, refusal_of

_FILLED_IN: ContextVar[type[BaseModel]] = ContextVar("filled_in", default=BaseModel)
"""The command whose titles name a faulty field."""


@contextmanager
def opened() -> Iterator[Resources]:
    """Open the resources; what a rule, a policy file or the outside world refuses is told in Chinese, exit code 1."""
    with told(), open_resources() as resources:
        # Without the database nothing goes on: no folder is made, and no part of a sweep fails by itself.
        with resources.database.glance() as connection:
            connection.execute(select(SweepBeat.name).limit(1))
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
    except ValidationError as error:
        of_settings = is_of_settings(error)
        raise _shown(
            faulty_settings(error) if of_settings else f"未办理:{refusal_of(error, _FILLED_IN.get())}"
        ) from error
    except (Refused, BadPolicy, Temporary, Permanent) as error:
        raise _shown(f"未办理:{error}") from error
    except StackFailed as failed:
        raise _shown(str(failed)) from failed
    except DATABASE_FAILED as error:
        if (reason := why_unusable(error, Settings())) is None:
            raise
        raise _shown(reason) from error
    finally:
        _FILLED_IN.reset(known)


def _shown(reason: str) -> typer.Exit:
    typer.secho(reason, fg="red", err=True)
    return typer.Exit(1)


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
        # As it is kept: who typed it may have used small letters.
        wake(resources, number.strip().upper(), at=resources.clock.now())
    except Temporary as delay:
        typer.secho(f"已登记。{delay}", fg="yellow", err=True)


def find_sheet(settings: Settings, sheet: Path) -> Path:
    """
    Return where a sheet is that a command names: in the current folder, else in the office's folder of documents.

    Raises:
        Refused: in neither; names both.
    """
    for folder in (Path.cwd(), settings.documents_folder):
        if (path := (folder / sheet).resolve()).is_file():
            return path
    where = (
        "这个路径上"
        if sheet.is_absolute()
        else f"当前文件夹 {Path.cwd()} 和资料文件夹 {settings.documents_folder} 里都"
    )
    raise Refused("default", f"{where}没有表格“{sheet}”,请核对文件名,或写出完整路径")
