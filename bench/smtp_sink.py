"""
A mail server that takes everything and counts, on loopback, in a process of its own.

RFC 5321 as far as the contestants speak it, PIPELINING (RFC 2920) included, and little else: a server that is slower
than those who send to it would be measured in their place.
"""

import asyncio
import re
import sys
from collections.abc import Callable
from typing import cast

_ID = re.compile(rb"^Message-ID: *\r?\n? *(<[^>]+>)", re.MULTILINE | re.IGNORECASE)
_END = b"\r\n.\r\n"
_EHLO = b"250-sink.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"


class Count:
    """What has come in since it was last asked for."""

    def __init__(self) -> None:
        self.letters = 0
        self.ids: set[bytes] = set()

    def take(self, letter: bytes) -> None:
        """Count a letter."""
        self.letters += 1
        if found := _ID.search(letter):
            self.ids.add(found[1])

    def tell(self) -> bytes:
        """Return how many letters, and how many different ones, and begin anew."""
        told = b"252 %d %d\r\n" % (self.letters, len(self.ids))
        self.letters, self.ids = 0, set()
        return told


class Session(asyncio.Protocol):
    """One connection: commands in their order, each answered; answers to pipelined ones leave together."""

    def __init__(self, count: Count) -> None:
        self._count = count
        self._buffer = bytearray()
        self._looked = 0
        self._in_data = False
        self._recipients = 0
        self._sender = False
        self._answers: dict[bytes, Callable[[], bytes]] = {
            b"EHLO": self._greet,
            b"HELO": lambda: b"250 sink.example\r\n",
            b"MAIL": self._mail,
            b"RCPT": self._rcpt,
            b"DATA": self._data,
            b"RSET": self._reset,
            b"NOOP": lambda: b"250 OK\r\n",
            b"VRFY": count.tell,
            b"QUIT": lambda: b"221 Bye\r\n",
        }

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self._wire = cast("asyncio.Transport", transport)
        self._wire.write(b"220 sink.example\r\n")

    def data_received(self, data: bytes) -> None:
        """Take what is complete."""
        self._buffer += data
        answers = []
        while answer := self._letter() if self._in_data else self._command():
            answers.append(answer)
        if answers:
            self._wire.write(b"".join(answers))
            if answers[-1].startswith(b"221"):
                self._wire.close()

    def _command(self) -> bytes:
        end = self._buffer.find(b"\r\n")
        if end < 0:
            return b""
        verb = bytes(self._buffer[:4]).upper()
        del self._buffer[: end + 2]
        known = self._answers.get(verb)
        return known() if known else b"500 what?\r\n"

    def _letter(self) -> bytes:
        end = self._buffer.find(_END, max(self._looked - len(_END), 0))
        if end < 0:
            self._looked = len(self._buffer)
            return b""
        self._count.take(bytes(self._buffer[:end]))
        del self._buffer[: end + len(_END)]
        self._in_data, self._looked = False, 0
        self._reset()
        return b"250 taken\r\n"

    def _greet(self) -> bytes:
        self._reset()
        return _EHLO

    def _mail(self) -> bytes:
        self._sender = True
        return b"250 OK\r\n"

    def _rcpt(self) -> bytes:
        if not self._sender:
            return b"503 MAIL first\r\n"
        self._recipients += 1
        return b"250 OK\r\n"

    def _data(self) -> bytes:
        if not self._recipients:
            return b"503 RCPT first\r\n"
        self._in_data = True
        return b"354 go on\r\n"

    def _reset(self) -> bytes:
        self._sender, self._recipients = False, 0
        return b"250 OK\r\n"


async def main() -> None:
    """Listen until the input ends; the first line out is the port."""
    loop = asyncio.get_running_loop()
    count = Count()
    server = await loop.create_server(lambda: Session(count), "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
