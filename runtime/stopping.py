"""How what runs until it is stopped is stopped."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

PATIENCE_SECONDS = 20
"""How long a stop waits for the flow runs that are on their way; they take a few seconds."""


@contextlib.contextmanager
def stop_signals() -> Iterator[None]:
    """
    Within the block, Ctrl-C, SIGTERM and SIGHUP raise KeyboardInterrupt, once: what follows is the orderly stop.

    A hangup that was to be ignored (``nohup``, ``setsid``) is ignored further. Only the main thread may open it.
    """
    asked = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        if not asked.is_set():
            asked.set()
            raise KeyboardInterrupt

    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, ask) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
