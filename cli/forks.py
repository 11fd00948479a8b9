"""The warm process as its worker sees it: asked for forks, looked after, started again."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping
from pathlib import Path

import anyio

from runtime.warm import CHANGED, Gone, Job, Line, Warm

MODULE = "cli.warm_flow"
BEFORE_START = ("PATH", "TZ", "LANG", "VIRTUAL_ENV")
BEFORE_START_PREFIXES = ("PYTHON", "LD_", "DYLD_", "LC_", "MALLOC_")
"""Variables that say which interpreter runs, or that it reads when it starts."""
BIRTH_SECONDS = 10
RESTART_SECONDS = (0, 1, 10, 60, 300)
"""How long to wait before a warm process that ends again and again is started again."""
GRACE_SECONDS = 5


class Fork:
    """
    A flow run's process, as Prefect's runner wants to see one; its parent is the warm process.

    Args:
        line: reading end of the run's line.
    """

    def __init__(self, line: int) -> None:
        self._line, self._said = line, Line()
        self.known, self.ended = asyncio.Event(), asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(line, self._read)

    @property
    def pid(self) -> int | None:
        return self._said.pid

    @property
    def returncode(self) -> int | None:
        return self._said.status if self._said.ended else None

    @property
    def refused(self) -> str:
        return self._said.refused

    def _read(self) -> None:
        self._said.take(os.read(self._line, 4096))
        if self._said.pid is not None or self._said.refused or self._said.ended:
            self.known.set()
        if self._said.ended or self._said.refused:
            self._loop.remove_reader(self._line)
            os.close(self._line)
            self.ended.set()

    async def end(self) -> None:
        """Ask the process to end, and kill it when it has not within `GRACE_SECONDS`."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.pid is None or self.ended.is_set():
                return
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)
            with anyio.move_on_after(GRACE_SECONDS):
                await self.ended.wait()


class Forks:
    """
    The warm process of a worker: asked, looked after, started again.

    Args:
        first: the one forked off this process; None: there is none yet.
        folder: with the ``prefect.yaml`` in use.
    """

    def __init__(self, first: Warm | None, folder: Path) -> None:
        self.folder = folder.resolve()
        self.environment = dict(os.environ)
        self._warm = first
        self._retired: list[Warm] = []
        self._deaths = 0
        self._due: asyncio.TimerHandle | None = None

    def attach(self) -> None:
        """Look after the warm process from now on; to be called in the worker's event loop."""
        if self._warm is None:
            self._start_later()
        else:
            self._watch(self._warm)

    def detach(self) -> None:
        """Let the warm process end after its last child."""
        if self._due is not None:
            self._due.cancel()
        self._retire()

    @property
    def pid(self) -> int | None:
        """The warm process's, None while there is none."""
        return self._warm.pid if self._warm else None

    def fit(self, environment: Mapping[str, str]) -> bool:
        """Return whether a run with this environment can be a fork, because its interpreter would be the same."""
        names = {each for each in (*environment, *self.environment) if each.startswith(BEFORE_START_PREFIXES)}
        return all(environment.get(each) == self.environment.get(each) for each in (*BEFORE_START, *names))

    async def born(self, job: Job) -> Fork | None:
        """Return the process that does a job; None, and then the job is not being done, when there can be none now."""
        warm = self._warm
        if warm is None or not warm.ready:
            return None
        descriptor = warm.control.fileno()
        try:
            fork = Fork(warm.ask(job))
        except Gone as reason:
            asyncio.get_running_loop().remove_reader(descriptor)
            self._died(str(reason))
            return None
        with anyio.move_on_after(BIRTH_SECONDS):
            await fork.known.wait()
        if not fork.known.is_set():
            # Nobody else can start the job once it is dead; the line then ends, or tells who was born.
            if self._warm is warm:
                asyncio.get_running_loop().remove_reader(descriptor)
                self._died(f"no child within {BIRTH_SECONDS} seconds")
            warm.end()
            await fork.known.wait()
        if fork.pid is not None:
            self._deaths = 0
            return fork
        if fork.refused and self._warm is warm:
            print(f"The warm process is replaced: {fork.refused}", flush=True)  # noqa: T201 - the worker's log
            self._retire()
            if fork.refused == CHANGED:
                self._start()
            else:
                self._start_later()
        return None

    def _watch(self, warm: Warm) -> None:
        asyncio.get_running_loop().add_reader(warm.control.fileno(), self._look, warm, warm.control.fileno())

    def _look(self, warm: Warm, descriptor: int) -> None:
        try:
            warm.check()
        except Gone as reason:
            asyncio.get_running_loop().remove_reader(descriptor)
            if self._warm is warm:
                self._died(str(reason))

    def _died(self, reason: str) -> None:
        print(f"The warm process is given up: {reason}", flush=True)  # noqa: T201 - the worker's log
        self._warm = None
        self._start_later()

    def _retire(self) -> None:
        warm, self._warm = self._warm, None
        if warm is not None:
            asyncio.get_running_loop().remove_reader(warm.control.fileno())
            self._retired.append(warm)
        self._retired = [each for each in self._retired if not each.retire()]

    def _start_later(self) -> None:
        pause = RESTART_SECONDS[min(self._deaths, len(RESTART_SECONDS) - 1)]
        self._deaths += 1
        self._due = asyncio.get_running_loop().call_later(pause, self._start)

    def _start(self) -> None:
        self._retired = [each for each in self._retired if not each.retire()]
        try:
            self._warm = Warm.started(MODULE, folder=self.folder)
        except Gone as reason:
            self._died(str(reason))
        else:
            self._watch(self._warm)
