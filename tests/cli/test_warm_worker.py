"""The warm worker without a server: what it does when asked to end at an awkward moment."""

import asyncio
import os
import signal

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.workers.process import ProcessWorker

from cli.warm_worker import WarmWorker


def test_a_worker_that_is_asked_to_end_while_it_is_set_up_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its server may be slow to answer, or not answer at all."""

    async def entered(_worker: ProcessWorker) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.Event().wait()

    monkeypatch.setattr(ProcessWorker, "__aenter__", entered)
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}), pytest.raises(KeyboardInterrupt):
        asyncio.run(asyncio.wait_for(WarmWorker(name="mine", work_pool_name="ketang").start(), timeout=10))
