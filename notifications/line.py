"""
A transport as plain, synchronous code uses it: `tasks.outbox` asks the database between two batches, not during one.

The event loop lives on a thread of its own and stands still in between.
"""

import asyncio
import logging
from collections.abc import Coroutine, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, contextmanager
from typing import Any, TypeVar

from notifications.mime import Parcel
from notifications.transport import Channel, Over, Transport, Unreachable
from policies.errors import Permanent, Temporary

log = logging.getLogger(__name__)

Result = TypeVar("Result")


@contextmanager
def line(transport: Transport, over: Over) -> Iterator["Line"]:
    """
    Keep a line for the time of the block; a loop may be running on the caller's thread.

    Args:
        over: asked before each letter why none may be begun any more; None: it may.
    """
    # Prefect calls a sync step of an async flow on its event loop's own thread, where no second loop may run.
    with ThreadPoolExecutor(1, thread_name_prefix="letters") as thread:
        opened = Line(transport, over, thread)
        try:
            yield opened
        finally:
            opened.close()


class Line:
    """The transport of one delivery run, opened with the first batch."""

    def __init__(self, transport: Transport, over: Over, thread: ThreadPoolExecutor) -> None:
        self._transport = transport
        self._over = over
        self._thread = thread
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._channel: Channel | None = None

    def away(self) -> Unreachable | None:
        """Open the transport unless it is open; return why it can not be."""
        try:
            self._open()
        except Unreachable as fault:
            return fault
        return None

    def send(self, parcels: Iterable[Parcel]) -> list[Exception | None]:
        """
        Try each letter once, as many at a time as the transport likes.

        Args:
            parcels: taken one by one, as a connection becomes free: what is built while they are taken is built while
                the server works on those before.

        Returns:
            For each letter, in their order, None when it was accepted, else why not.

        Raises:
            Unreachable: the transport can not be opened.
        """
        faults: list[Exception | None] = []
        waiting = iter(parcels)
        channel = self._open()

        async def worker() -> None:
            for parcel in waiting:
                place = len(faults)
                faults.append(None)
                faults[place] = self._over() or await _try(channel, parcel)

        async def workers() -> None:
            await asyncio.gather(*(worker() for _ in range(self._transport.at_once)))

        self._run(workers())
        return faults

    def close(self) -> None:
        """Close the transport and the loop."""
        if self._channel is not None:
            self._run(self._stack.aclose())
        self._thread.submit(self._runner.close).result()

    def _open(self) -> Channel:
        if self._channel is None:
            self._channel = self._run(self._stack.enter_async_context(self._transport.open(self._over)))
        return self._channel

    def _run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self._thread.submit(self._runner.run, work).result()


async def _try(channel: Channel, parcel: Parcel) -> Exception | None:
    try:
        await channel.send(parcel)
    except (Temporary, Permanent) as fault:
        return fault
    except Exception as bug:
        log.exception("message %s can not be sent", parcel.message_id)
        return Temporary(f"投递程序出错:{type(bug).__name__}:{bug}")
    return None
