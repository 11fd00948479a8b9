"""A mail server that takes everything and counts: aiosmtpd on loopback, in a process of its own."""

import asyncio
import re
import sys
from typing import Any

from aiosmtpd.smtp import SMTP

_ID = re.compile(rb"^Message-ID: *\r?\n? *(<[^>]+>)", re.MULTILINE | re.IGNORECASE)


class Counting:
    """Takes letters; VRFY tells how many, and how many different ones, since it was last asked."""

    def __init__(self) -> None:
        self.letters = 0
        self.ids: set[bytes] = set()

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802
        """Count a letter."""
        self.letters += 1
        if found := _ID.search(envelope.content):
            self.ids.add(found[1])
        return "250 taken"

    async def handle_VRFY(self, server: SMTP, session: Any, envelope: Any, address: str) -> str:  # noqa: N802
        """Tell."""
        told = f"252 {self.letters} {len(self.ids)}"
        self.letters, self.ids = 0, set()
        return told


async def main() -> None:
    """Listen until the input ends; the first line out is the port."""
    loop = asyncio.get_running_loop()
    counting = Counting()
    server = await loop.create_server(lambda: SMTP(counting, enable_SMTPUTF8=True), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
