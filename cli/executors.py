"""What carries out a worker's runs, for as long as the worker lives; Prefect's own is made anew for each run."""

import asyncio
import contextlib
from typing import Any, Self, cast
from uuid import UUID

from prefect._internal.observers import FlowRunCancellingObserver
from prefect.exceptions import ObjectNotFound
from prefect.runner._flow_run_executor import FlowRunExecutorContext

LOOK_SECONDS = 5
AGAIN_SECONDS = (1, 5, 15)
"""Pauses before a cancellation that did not get through is tried again."""


class Executors(FlowRunExecutorContext):
    """
    Prefect's context of its executors, mended where it counts on living no longer than one run.

    There, a cancellation that fails takes everything down with it, and once the server has been away for half a minute
    nobody notices a cancellation any more.
    """

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self._observer.on_cancelling = self._cancel
        # The one that observes by then; Prefect closes only its first.
        self._stack.push_async_callback(self._stop_observing)
        return self

    @property
    def observing(self) -> bool:
        """Whether cancellations are noticed."""
        observer = self._observer
        return any(task is not None and not task.done() for task in (observer._consumer_task, observer._polling_task))

    async def keep_observing(self) -> None:
        """Notice cancellations again when that has stopped; to be canceled."""
        own = cast(asyncio.Task[None], asyncio.current_task())
        # Prefect's observer swallows a cancellation that comes while it closes.
        while not own.cancelling():
            await asyncio.sleep(LOOK_SECONDS)
            if not self.observing and await self.client.api_healthcheck() is None:
                try:
                    await self._observe_again()
                except Exception as error:  # noqa: BLE001 - the server is away again
                    self._logger.debug("cancellations can not be observed: %s", error)

    async def _observe_again(self) -> None:
        await self._stop_observing()
        observer = FlowRunCancellingObserver(on_cancelling=self._cancel)
        async with contextlib.AsyncExitStack() as opened:
            await opened.enter_async_context(observer)
            # From now on it is told which runs there are. What was canceled meanwhile it would not be told of.
            self._observer = observer
            for each in self.process_manager.flow_run_ids():
                observer.add_in_flight_flow_run_id(each)
            await cast(Any, observer)._check_for_cancelled_flow_runs()
            opened.pop_all()
        self._logger.warning("cancellations are observed again")

    async def _stop_observing(self) -> None:
        with contextlib.suppress(Exception):  # it has failed; what it held open is closed as far as that goes
            await self._observer.__aexit__(None, None, None)

    def _cancel(self, flow_run_id: UUID) -> None:
        self._cancellation_task_group.start_soon(self._carry_out_cancellation, flow_run_id)

    async def _carry_out_cancellation(self, run: UUID) -> None:
        for pause in (*AGAIN_SECONDS, None):
            try:
                await self._cancellation_manager.cancel_by_id(run)
            except ObjectNotFound:
                self._logger.warning("flow run %s was canceled, and deleted at once: its process is ended", run)
                with contextlib.suppress(Exception):  # it has ended by itself: nothing else it does would be taken
                    await self.process_manager.kill(run)
                return
            except Exception as error:  # noqa: BLE001 - the worker and all its other runs would end by it
                self._logger.warning("flow run %s can not be canceled: %s", run, error)
            else:
                return
            if pause is None or self.process_manager.get(run) is None:
                return
            await asyncio.sleep(pause)
