"""A real SMTP server on loopback whose temper a test can set."""

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session


@dataclass
class MailServer:
    """What the server received, and how it answers."""

    refusals: dict[str, list[str]] = field(default_factory=dict)
    """Replies to RCPT by address, used up one by one."""
    sender_refused: tuple[str, str] | None = None
    """The word (MAIL, RCPT or DATA) at which it refuses who sends, and what it says."""
    drop_after: int = 0
    """Close a connection without a word after so many letters on it; 0: never."""
    most_connections: int = 0
    """Answer 421 to the connections beyond; 0: none."""
    upon_letter: Callable[[], None] | None = None
    """What happens while the server has a letter, on a thread of its own, before it says so."""
    together: int = 0
    """Accept letters only so many at once; 0: as they come."""
    login: tuple[str, str] | None = None
    tls: ssl.SSLContext | None = None
    """Offered by STARTTLS, or from the start with `implicit`."""
    implicit: bool = False
    speaker: type[SMTP] = SMTP

    port: int = 0
    connections: int = 0
    encrypted: list[bool] = field(default_factory=list)
    received: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        return [message["Message-ID"] for message in self.received]

    # aiosmtpd's hooks

    def _of_sender(self, word: str) -> str | None:
        return self.sender_refused[1] if self.sender_refused and self.sender_refused[0] == word else None

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if refused := self._of_sender("MAIL"):
            return refused
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if refused := self._of_sender("RCPT"):
            return refused
        replies = self.refusals.get(address, [])
        if replies:
            return replies.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if refused := self._of_sender("DATA"):
            return refused
        if self.together:
            await self._barrier.wait()
        if self.upon_letter:
            await asyncio.to_thread(self.upon_letter)
        self.received.append(message_from_bytes(envelope.content, policy=policy.default))
        self.recipients += envelope.rcpt_tos
        self.encrypted.append(session.ssl is not None or self.implicit)
        connection: Any = server
        connection.letters = getattr(connection, "letters", 0) + 1
        if self.drop_after and connection.letters >= self.drop_after:
            asyncio.get_running_loop().call_soon(connection.transport.close)
        return "250 taken"

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        given = (data.login.decode(), data.password.decode())
        self.logins.append(given[0])
        return AuthResult(success=given == self.login, handled=False)

    def connection(self) -> asyncio.Protocol:
        self.connections += 1
        if self.most_connections and self.connections > self.most_connections:
            return _Busy()
        more: dict[str, Any] = {}
        if self.login:
            more = {"authenticator": self.authenticate, "auth_required": True}
        if self.tls and not self.implicit:
            more |= {"tls_context": self.tls, "require_starttls": True}
        return self.speaker(self, hostname="mail.example", loop=asyncio.get_running_loop(), ident="test", **more)

    async def _serve(self, started: threading.Event) -> None:
        self._stop = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        if self.together:
            self._barrier = asyncio.Barrier(self.together)
        # The loop wants a TLS context even for a server that is only sometimes encrypted; None is plain.
        server = await self._loop.create_server(
            self.connection, "127.0.0.1", self.port, ssl=self.tls if self.implicit else None
        )
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        await self._stop.wait()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()


class HeloOnly(SMTP):
    """Knows nothing of EHLO, as old servers do."""

    async def smtp_EHLO(self, hostname: str) -> None:  # noqa: N802
        await self.push("502 Command not implemented")


class Unforgetting(SMTP):
    """Does not take back what it was told of a letter."""

    async def smtp_RSET(self, arg: str) -> None:  # noqa: N802
        await self.push("451 not now")


class Mumbling(SMTP):
    """Answers each letter's text by what is no reply."""

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        await self.push("what?")


class _Busy(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(b"421 too many connections from you\r\n")
        transport.close()


@contextmanager
def running(server: MailServer) -> Iterator[MailServer]:
    """Serve on a free port (or the one set) until the block ends."""
    started = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(server._serve(started)), daemon=True)
    thread.start()
    assert started.wait(10), "the mail server did not start"
    try:
        yield server
    finally:
        server._loop.call_soon_threadsafe(server._stop.set)
        thread.join(10)
