"""
Prefect's process worker, but its runs are forks of a warm process, and it learns of due runs when they fall due.

It serves the same pools ("process"), and does whatever it can not do warm as the process worker does it.
"""

import asyncio
import contextlib
import os
import signal
import warnings
from collections.abc import AsyncIterator
from itertools import chain, repeat
from pathlib import Path
from typing import Any, ClassVar, cast
from uuid import UUID

import anyio
import anyio.abc
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.responses import DeploymentResponse
from prefect.events.clients import get_events_subscriber
from prefect.events.filters import EventFilter, EventNameFilter
from prefect.flows import load_flow_from_flow_run
from prefect.runner._control_channel import ControlChannel
from prefect.runner._flow_run_executor import FlowRunExecutionResult
from prefect.runner._process_manager import ProcessHandle
from prefect.runner._starter_engine import EngineCommandStarter
from prefect.settings import get_current_settings
from prefect.utilities.processutils import sanitize_subprocess_env
from prefect.workers.process import ProcessJobConfiguration, ProcessWorker, ProcessWorkerResult

from cli.executors import Executors
from cli.forks import GRACE_SECONDS, Forks
from runtime.stopping import PATIENCE_SECONDS
from runtime.warm import Job

COMMAND = "python -m prefect.engine"
"""The command of the job variables that a warm process stands in for; any other one is run as it is."""
PREDECESSOR_SECONDS = 5
LISTEN_AGAIN_SECONDS = 5
LABEL_AGAIN_SECONDS = (1, 5, 15)
"""Pauses before a run that could not be labeled is labeled again; the last one for as long as it runs."""
FALLING_DUE = ("prefect.flow-run.Scheduled", "prefect.flow-run.Resuming", "prefect.flow-run.AwaitingRetry")


class ForkStarter:
    """
    Starts a flow run as a fork of the warm process; without one, by the command.

    Args:
        forks: who forks.
        configuration: of the run, with its environment and folder.
        control: Prefect's way to tell the run that it is canceled.
    """

    def __init__(self, forks: Forks, configuration: ProcessJobConfiguration, control: ControlChannel) -> None:
        self._forks = forks
        self._configuration = configuration
        self._control = control

    async def start(
        self,
        flow_run: FlowRun,
        task_status: anyio.abc.TaskStatus[ProcessHandle] = anyio.TASK_STATUS_IGNORED,
    ) -> None:
        """Start the run and return when its process has ended."""
        folder = Path(cast(Path, self._configuration.working_dir)).resolve()
        environment = self._environment(flow_run)
        fork = None
        module = _module_in(self._configuration._related_objects.get("deployment"), self._forks.folder)
        if module and self._forks.fit(environment):
            # Spares the run a look at its deployment, and an event loop to do what is done by then.
            environment["PREFECT__FLOW_ENTRYPOINT"] = module
            output = self._configuration.stream_output
            fork = await self._forks.born(Job(environment=environment, folder=str(self._forks.folder), output=output))
        if fork is None:
            self._control.unregister(flow_run.id)
            stock = EngineCommandStarter(
                command=self._configuration.command,
                cwd=folder,
                env=self._configuration.env,
                stream_output=self._configuration.stream_output,
                control_channel=self._control,
            )
            await stock.start(flow_run, task_status=task_status)
            return
        task_status.started(ProcessHandle(cast(Any, fork)))
        try:
            await fork.ended.wait()
        except BaseException:
            with anyio.CancelScope(shield=True):
                await fork.end()
            raise

    def _environment(self, flow_run: FlowRun) -> dict[str, str]:
        """Return what `EngineCommandStarter` gives to its process."""
        control = {}
        # Without a channel a cancellation is a plain SIGTERM.
        with contextlib.suppress(RuntimeError):
            port, token = self._control.register(flow_run.id)
            control = {"PREFECT__CONTROL_PORT": str(port), "PREFECT__CONTROL_TOKEN": token}
        return sanitize_subprocess_env(
            {
                **os.environ,
                **self._configuration.env,
                **get_current_settings().to_environment_variables(exclude_unset=True),
                "PREFECT__FLOW_RUN_ID": str(flow_run.id),
                "PREFECT__ENABLE_CANCELLATION_AND_CRASHED_HOOKS": "false",
                **control,
            }
        )


class Turns:
    """Has a run wait for its own process of before: answered at once, it is due again while that one is leaving."""

    def __init__(self) -> None:
        self.waiting: dict[UUID, int] = {}
        """How many have a turn or wait for it."""
        self._locks: dict[UUID, asyncio.Lock] = {}

    @contextlib.asynccontextmanager
    async def taken(self, run: UUID) -> AsyncIterator[bool]:
        """Wait for the turn of `run`, at most `PREDECESSOR_SECONDS`; yield whether it has come."""
        lock = self._locks.setdefault(run, asyncio.Lock())
        self.waiting[run] = self.waiting.get(run, 0) + 1
        mine = False
        try:
            with anyio.move_on_after(PREDECESSOR_SECONDS):
                mine = await lock.acquire()
            yield mine
        finally:
            if mine:
                lock.release()
            self.waiting[run] -= 1
            if not self.waiting[run]:
                del self.waiting[run], self._locks[run]


def _module_in(deployment: DeploymentResponse | None, folder: Path) -> str:
    """
    Return the dotted name of a deployment's flow when its code is that of `folder`.

    Empty when it is not, or might not be: the flow is a file, or is to be fetched from somewhere.
    """
    if deployment is None or not deployment.entrypoint or ":" in deployment.entrypoint:
        return ""
    match deployment.pull_steps:
        case [{"prefect.deployments.steps.set_working_directory": {"directory": str(pulled), **others}}] if not others:
            return deployment.entrypoint if Path(pulled).resolve() == folder else ""
        case _:
            return ""


def _replaceable(configuration: ProcessJobConfiguration) -> bool:
    """Return whether a fork can stand in for what is configured."""
    configured = configuration._command_configured and configuration.working_dir is not None
    return configured and configuration.command == COMMAND


# Prefect warns of a second worker of a type; here the second one shall be taken.
with warnings.catch_warnings():
    warnings.simplefilter("ignore")

    class WarmWorker(ProcessWorker):
        """The process worker with a warm process."""

        type = "process"
        forks: ClassVar[Forks | None] = None
        """Set before the worker is made; without it this is the process worker."""

        _executors: Executors
        _look_again: asyncio.Event
        _one_look: asyncio.Lock
        _companions: asyncio.TaskGroup | None = None
        """There while runs are taken."""
        _draining: bool = False

        async def start(self, *arguments: Any, **named: Any) -> None:
            """Work as any worker does, but let the runs on their way end when asked to end."""
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGTERM, self._asked_to_end)
            try:
                await super().start(*arguments, **named)
            finally:
                loop.remove_signal_handler(signal.SIGTERM)

        async def setup(self) -> None:
            """Prepare, once: Prefect's own worker opens what it needs for a run anew for each."""
            self._look_again, self._one_look = asyncio.Event(), asyncio.Lock()
            self._turns = Turns()
            await super().setup()
            self._executors = await self._exit_stack.enter_async_context(Executors())
            companions = _companions(self._listen, self._answer, self._executors.keep_observing)
            self._companions = await self._exit_stack.enter_async_context(companions)
            self._exit_stack.callback(setattr, self, "_companions", None)
            if self.forks is not None:
                self.forks.attach()
                self._exit_stack.callback(self.forks.detach)

        async def run(
            self,
            flow_run: FlowRun,
            configuration: ProcessJobConfiguration,
            task_status: anyio.abc.TaskStatus[int] | None = None,
        ) -> ProcessWorkerResult:
            """Carry out a run in a process of its own; return when it has ended."""
            try:
                async with self._turns.taken(flow_run.id) as mine:
                    forks = self.forks
                    if forks is None or not mine or not _replaceable(configuration):
                        return await super().run(flow_run, configuration, task_status)
                    starter = ForkStarter(forks, configuration, self._executors.control_channel)
                    return await self._run_by(starter, flow_run, task_status or anyio.TASK_STATUS_IGNORED)
            finally:
                # Another one may have waited for its place.
                self._look_again.set()

        async def _run_by(
            self, starter: ForkStarter, flow_run: FlowRun, task_status: anyio.abc.TaskStatus[int]
        ) -> ProcessWorkerResult:
            executor = self._executors.create_executor(
                flow_run, starter, resolve_flow=cast(Any, load_flow_from_flow_run), propose_submitting=False
            )
            execution: FlowRunExecutionResult | None = None

            async def execute(*, task_status: anyio.abc.TaskStatus[ProcessHandle] = anyio.TASK_STATUS_IGNORED) -> None:
                nonlocal execution
                execution = await executor.submit(task_status=task_status)

            async with anyio.create_task_group() as group:
                handle = await group.start(execute)
                task_status.started(handle.pid)
            if execution is None or execution.status_code is None:
                raise RuntimeError("Failed to start flow run process.")
            return ProcessWorkerResult(status_code=execution.status_code, identifier=str(execution.handle.pid))

        async def _propose_submitting_state(self, flow_run: FlowRun) -> None:
            """Leave out a state that is shown for the moment until the process is there: a fork is there at once."""

        async def _give_worker_labels_to_flow_run(self, flow_run_id: UUID) -> None:
            """Label the run beside its start, not before it."""
            if self._companions is not None:
                self._companions.create_task(self._label(flow_run_id))

        async def _label(self, flow_run_id: UUID) -> None:
            # Until then a resumed run bears the label of its last worker, which would take it for lost when it starts.
            for pause in chain(LABEL_AGAIN_SECONDS, repeat(LABEL_AGAIN_SECONDS[-1])):
                try:
                    await super()._give_worker_labels_to_flow_run(flow_run_id)
                except Exception as error:  # noqa: BLE001 - the server is away or busy; the run goes on
                    self._logger.warning("could not label flow run %s: %s", flow_run_id, error)
                else:
                    return
                await asyncio.sleep(pause)
                if flow_run_id not in self._turns.waiting:
                    return

        # -- due runs -------------------------------------------------------------------------------------------------

        async def get_and_submit_flow_runs(self) -> list[FlowRun]:
            """Look for due runs and start them; one look at a time, and none once asked to end."""
            async with self._one_look:
                if self._draining:
                    return []
                return await super().get_and_submit_flow_runs()

        async def _listen(self) -> None:
            """Look for due runs whenever the server tells of one; looking now and then makes up for what is missed."""
            names = EventFilter(event=EventNameFilter(name=list(FALLING_DUE)))
            while True:
                with contextlib.suppress(Exception):
                    async with get_events_subscriber(filter=names) as events:
                        self._look_again.set()
                        async for _ in events:
                            self._look_again.set()
                await asyncio.sleep(LISTEN_AGAIN_SECONDS)

        async def _answer(self) -> None:
            while True:
                await self._look_again.wait()
                self._look_again.clear()
                try:
                    await self.get_and_submit_flow_runs()
                except Exception as error:  # noqa: BLE001 - the regular look tells of what lasts
                    self._logger.debug("could not look for due runs: %s", error)

        # -- the end --------------------------------------------------------------------------------------------------

        def _asked_to_end(self) -> None:
            if self._draining or self._companions is None:
                # While it is set up, which a slow server makes long, or is taken down there is no run to wait for.
                os.kill(os.getpid(), signal.SIGINT)
                return
            self._draining = True
            self._companions.create_task(self._end())

        async def _end(self) -> None:
            """Let the runs that are on their way come to their end, at most `PATIENCE_SECONDS`; then end."""
            manager = self._executors.process_manager
            with anyio.move_on_after(PATIENCE_SECONDS):
                while self._submitting_flow_run_ids or self._turns.waiting:
                    await asyncio.sleep(0.1)
            with anyio.move_on_after(2 * GRACE_SECONDS):
                for each in manager.flow_run_ids():
                    await manager.kill(each, grace_seconds=GRACE_SECONDS)
                while self._turns.waiting:
                    await asyncio.sleep(0.1)
            os.kill(os.getpid(), signal.SIGINT)


@contextlib.asynccontextmanager
async def _companions(*tasks: Any) -> AsyncIterator[asyncio.TaskGroup]:
    """Run tasks beside the worker, to be canceled with it."""
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(each()) for each in tasks]
        try:
            yield group
        finally:
            for each in running:
                each.cancel()
