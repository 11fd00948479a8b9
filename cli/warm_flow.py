"""
What a warm process imports before it forks, and what its children do: ``python -m prefect.engine`` without the start.

``python -m cli.warm_flow <descriptor> <parent>`` is a warm process started from nothing; usually one is forked off the
worker (`cli.prefect_worker`).
"""

import atexit
import contextlib
import gc
import importlib
import os
import random
import runpy
import socket
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Collection, Mapping
from pathlib import Path

from jinja2 import TemplateError

from runtime.fingerprint import fingerprint
from runtime.fitness import open_descriptors
from runtime.settings import PROJECT
from runtime.warm import Job, end_with_parent, serve

ENGINE = "prefect.engine"
LATE = (
    ENGINE,
    "prefect.flow_engine",
    "prefect.task_engine",
    "prefect.deployments.steps.core",
    "prefect.deployments.steps.pull",
    "prefect.utilities.visualization",
    "anyio._backends._asyncio",
    "anyio.streams.tls",
    "sqlite3",
    "encodings.idna",
)
"""What is otherwise imported while a run is under way."""


class Code:
    """
    The code of a folder as this process has read it.

    Args:
        folder: with the ``prefect.yaml`` in use.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read = fingerprint(folder)

    def current(self) -> bool:
        """Return whether the files are still those that were read."""
        try:
            return fingerprint(self.folder) == self._read
        except OSError:
            return False


def preload(folder: Path) -> None:
    """
    Import Prefect's engine and the flows of the deployments in `folder`, and read what every run reads.

    A module that can not be imported is left to the run, which tells why.
    """
    for module in LATE:
        importlib.import_module(module)
    import yaml
    from prefect.context import refresh_global_settings_context
    from prefect.settings import get_current_settings

    deployments = yaml.safe_load((folder / "prefect.yaml").read_text("utf-8")).get("deployments") or []
    for module in {each["entrypoint"].rpartition(".")[0] for each in deployments if ":" not in each["entrypoint"]}:
        try:
            importlib.import_module(module)
        except Exception:  # noqa: BLE001 - somebody else's code
            traceback.print_exc()
    if "runtime.resources" in sys.modules:
        _read_ahead()
    # Written as the worker writes them for a run, so that a run without settings of its own has exactly these.
    os.environ.update(get_current_settings().to_environment_variables(exclude_unset=True))
    refresh_global_settings_context()
    # What is here now stays to the end; looking through it again and again would only copy it.
    gc.collect()
    gc.freeze()


def _read_ahead() -> None:
    """Read the policies and compile the letters' templates; what is not sound is left to the run, which tells why."""
    from notifications.render import Renderer
    from policies.errors import BadPolicy
    from policies.load import load_all, load_calendar, parse_edition

    try:
        load_calendar()
        for each in load_all().values():
            parse_edition(each.text, f"{each.edition.id}.yaml")  # as cases have them, pinned
        Renderer(PROJECT / "templates").compile()
    except (BadPolicy, TemplateError):
        traceback.print_exc()


def serve_runs(control: socket.socket, code: Code, *, allowed: Collection[int]) -> None:
    """Be the warm process: carry out the runs that come from `control`, each in a fork."""
    _without_heartbeats()
    serve(control, act=act, current=code.current, allowed=allowed)


def act(job: Job) -> int:
    """Carry out a flow run in this process, a fork of the warm one; return the exit status."""
    before = _settings(os.environ)
    os.environ.clear()
    os.environ.update(job.environment)
    os.chdir(job.folder)
    _redirect(output=job.output)
    random.seed()
    time.tzset()
    try:
        if before != (now := _settings(job.environment)):
            _refresh(logging=any(name.startswith("PREFECT_LOGGING") for name, _ in before.items() ^ now.items()))
        sys.argv = [ENGINE]
        with warnings.catch_warnings():
            # Of a module that is imported already: this one's globals are all it has, and they are made anew.
            warnings.simplefilter("ignore", RuntimeWarning)
            runpy.run_module(ENGINE, run_name="__main__", alter_sys=True)
    except SystemExit as left:
        return _status(left.code)
    except BaseException:  # noqa: BLE001 - as the interpreter does
        traceback.print_exc()
        return 1
    finally:
        _leave()
    return 0


def _settings(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in environment.items()
        if name.startswith("PREFECT_") and not name.startswith("PREFECT__")
    }


def _refresh(*, logging: bool) -> None:
    from prefect.context import refresh_global_settings_context
    from prefect.logging.configuration import setup_logging

    refresh_global_settings_context()
    if logging:
        setup_logging()
    _without_heartbeats()


def _without_heartbeats() -> None:
    """
    Let runs send no heartbeats, unless the settings ask for them.

    Nobody listens: the sweep looks after what got lost by the age of its state. And a flow that ends waits for the
    thread that sends them, which sleeps by whole seconds.
    """
    import prefect.context
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, get_current_settings

    if "PREFECT_FLOWS_HEARTBEAT_FREQUENCY" in os.environ:
        return
    context = prefect.context.GLOBAL_SETTINGS_CONTEXT
    settings = get_current_settings().copy_with_update(updates={PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None})
    prefect.context.GLOBAL_SETTINGS_CONTEXT = context.model_copy(update={"settings": settings})


def _redirect(*, output: bool) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0,) if output else (0, 1, 2):
        os.dup2(nothing, number)
    os.close(nothing)


def _status(code: object) -> int:
    """Return the exit status that the interpreter makes of SystemExit's code."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    sys.stderr.write(f"{code}\n")
    return 1


def _leave() -> None:
    """Do what the interpreter does at its end, but for taking it down."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()


def main(descriptor: int, parent: int) -> None:
    """Be a warm process, of the worker `parent`, that takes its jobs from `descriptor`."""
    end_with_parent(parent)
    allowed, folder = open_descriptors(), Path.cwd()
    code = Code(folder)
    preload(folder)
    with socket.socket(fileno=descriptor) as control:
        serve_runs(control, code, allowed=allowed)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
