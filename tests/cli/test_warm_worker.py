"""The warm worker without a server: what it does when asked to end at an awkward moment."""

import asyncio
import os
import signal
from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.workers.process import ProcessWorker

from cli.warm_worker import Turns, WarmWorker


@pytest.fixture
def worker() -> Iterator[WarmWorker]:
    """A worker that was not started; as its leash has it, an interrupt is heard, also when the tests run unattended."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        yield WarmWorker(name="mine", work_pool_name="ketang")
    signal.signal(signal.SIGINT, before)


def test_a_worker_that_is_asked_to_end_while_it_is_set_up_ends_at_once(
    worker: WarmWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its server may be slow to answer, or not answer at all."""

    async def entered(_worker: ProcessWorker) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.Event().wait()

    monkeypatch.setattr(ProcessWorker, "__aenter__", entered)
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(asyncio.wait_for(worker.start(), timeout=10))


@pytest.mark.parametrize("failures", [2, 4])
def test_a_run_is_labeled_again_and_again_for_as_long_as_it_runs(
    worker: WarmWorker, monkeypatch: pytest.MonkeyPatch, failures: int
) -> None:
    """Else it would be given up for lost when the worker that had it before starts."""
    tries: list[UUID] = []
    run = uuid4()

    async def carried_out() -> None:
        turns = Turns()
        monkeypatch.setattr(worker, "_turns", turns, raising=False)
        async with asyncio.timeout(10), turns.taken(run):
            labeling = asyncio.create_task(worker._label(run))
            while len(tries) < 3:
                await asyncio.sleep(0)
        await asyncio.wait_for(labeling, timeout=10)

    async def label(_worker: ProcessWorker, labeled: UUID) -> None:
        tries.append(labeled)
        if len(tries) <= failures:
            raise OSError("the server is away")

    monkeypatch.setattr(ProcessWorker, "_give_worker_labels_to_flow_run", label)
    monkeypatch.setattr("cli.warm_worker.LABEL_AGAIN_SECONDS", (0,))
    asyncio.run(carried_out())
    assert tries == [run] * 3
