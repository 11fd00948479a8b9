"""A mail server within the process that watches: it takes everything, and tells how many letters it has accepted."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from aiosmtpd.smtp import SMTP


@dataclass
class Mailbox:
    """What came in at a port of this machine."""

    port: int = 0
    accepted: int = 0

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802
        """Accept a letter."""
        self.accepted += 1
        return "250 taken"


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """Listen on loopback, in a thread, until the block ends."""
    box = Mailbox()
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(
        loop.create_server(lambda: SMTP(box, enable_SMTPUTF8=True, loop=loop), "127.0.0.1", 0)
    )
    box.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield box
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        loop.close()
