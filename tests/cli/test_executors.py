"""A worker's executors outlive a failing cancellation and a server that was away; Prefect's client is stood in for."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid4

import httpx
import pytest
from prefect.events.clients import NullEventsClient
from prefect.exceptions import ObjectNotFound

from cli.executors import Executors

UNAVAILABLE = httpx.HTTPStatusError("503", request=httpx.Request("GET", "http://server"), response=httpx.Response(503))


class Server:
    """What Prefect's client and its stream of events tell a worker."""

    def __init__(self) -> None:
        self.failure: Exception = UNAVAILABLE
        self.asked: list[UUID] = []
        self.cancelling: list[UUID] = []
        self.streams: list[asyncio.Queue[UUID | None]] = []

    async def __aenter__(self) -> "Server":
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing is open."""

    async def api_healthcheck(self) -> None:
        """Be well."""

    async def read_flow_run(self, run: UUID) -> Any:
        self.asked.append(run)
        raise self.failure

    async def read_flow_runs(self, *, flow_run_filter: Any) -> list[Any]:
        wanted = flow_run_filter.id.any_
        return [
            SimpleNamespace(id=each) for each in self.cancelling if each in wanted and not flow_run_filter.state.name
        ]

    @contextlib.asynccontextmanager
    async def events(self, **_: Any) -> AsyncIterator[AsyncIterator[Any]]:
        self.streams.append(asyncio.Queue())
        yield self._stream(self.streams[-1])

    async def _stream(self, queue: "asyncio.Queue[UUID | None]") -> AsyncIterator[Any]:
        while (run := await queue.get()) is not None:
            yield SimpleNamespace(resource={"prefect.resource.id": f"prefect.flow-run.{run}"})

    async def was_asked(self, times: int) -> None:
        async with asyncio.timeout(10):
            while len(self.asked) < times:
                await asyncio.sleep(0)


class Process:
    """A run's process, as far as it is looked at."""

    pid = None

    def close(self) -> None:
        """Nothing is open."""


async def works_on(executors: Executors, run: UUID) -> None:
    await executors.process_manager.add(run, cast(Any, Process()))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    server = Server()
    for module in ("prefect._internal.observers", "prefect.runner._flow_run_executor"):
        monkeypatch.setattr(f"{module}.get_client", lambda: server)
    monkeypatch.setattr("prefect._internal.observers.get_events_subscriber", server.events)
    monkeypatch.setattr("prefect.events.clients.get_events_client", lambda **_: NullEventsClient())
    monkeypatch.setattr("cli.executors.LOOK_SECONDS", 0)
    monkeypatch.setattr("cli.executors.AGAIN_SECONDS", (0, 0))
    return server


@pytest.mark.parametrize(("failure", "tries"), [(UNAVAILABLE, 3), (ObjectNotFound(UNAVAILABLE), 1)])
def test_a_cancellation_that_fails_ends_nothing_else(server: Server, failure: Exception, tries: int) -> None:
    first, second = uuid4(), uuid4()
    server.failure = failure

    async def worker() -> None:
        async with Executors() as executors:
            for run in (first, second):
                await works_on(executors, run)
                server.streams[0].put_nowait(run)
                await server.was_asked(tries * (1 + (run is second)))

    asyncio.run(worker())
    assert server.asked == [first] * tries + [second] * tries


def test_cancellations_are_noticed_again_after_the_stream_of_events_has_ended(server: Server) -> None:
    during, after = uuid4(), uuid4()
    server.failure = ObjectNotFound(UNAVAILABLE)

    async def worker() -> None:
        async with Executors() as executors:
            await works_on(executors, during)
            await works_on(executors, after)
            server.streams[0].put_nowait(None)
            while executors.observing:
                await asyncio.sleep(0)
            server.cancelling.append(during)
            keeping = asyncio.create_task(executors.keep_observing())
            await server.was_asked(1)
            assert executors.observing
            server.streams[-1].put_nowait(after)
            await server.was_asked(2)
            keeping.cancel()
            await asyncio.wait([keeping], timeout=10)
            assert keeping.done()

    asyncio.run(worker())
    assert server.asked == [during, after]
    assert len(server.streams) == 2
