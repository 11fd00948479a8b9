"""Letters leave over SMTP: a pool of connections, and what a refusal means for the letter and for all others."""

import asyncio
import logging
import re
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Literal

import aiosmtplib

from notifications.mime import Mailbox, Parcel, checked_address, masked_address
from notifications.reasons import reason_of
from notifications.transport import Channel, Over, Unreachable, check_sender, settings_fault
from policies.errors import Permanent, Temporary

log = logging.getLogger(__name__)

Security = Literal["starttls", "tls", "none"]
USUAL_PORTS: dict[Security, int] = {"starttls": 587, "tls": 465, "none": 25}
SHUTTING_DOWN = 421
END_OF_TEXT_SECONDS = 600
"""
For the reply to a letter's text (RFC 5321 §4.5.3.2.6): a server that scans for long has taken the letter, and who does
not wait for its word sends it again.
"""
SETTINGS_AT_FAULT = frozenset({530, 534, 535, 538})
"""Replies about login and encryption (RFC 4954): whatever the letter, the settings are wrong."""
TOO_LARGE = 552
"""The one lasting refusal of MAIL FROM that is the letter's, whose size goes with it (RFC 1870)."""
_OF_SENDER = re.compile(
    r"\b5\.1\.[78]\b|\b5\.7\.60\b|sender address rejected|permissions? to send as"
    r"|must (be (the )?same as|equal) (the )?authori[sz]",
    re.IGNORECASE,
)
"""How servers that wait with it until RCPT (Postfix, unless told otherwise) or the text (Exchange) refuse a sender."""


class SmtpTransport:
    """
    Sends over an SMTP server, several connections at once.

    Args:
        sender: the office.
        host: name of the server, as on its certificate.
        port: 0: the usual one for `security`.
        security: encryption from the start, by STARTTLS, or none.
        user: login; empty: none.
        password: of `user`.
        ca_file: certificates to trust beside the system's, PEM.
        connections: most connections of one delivery run; >= 1.
        timeout_seconds: for connecting and for each reply; for the one to a letter's text `END_OF_TEXT_SECONDS`, if
            that is more.
    """

    def __init__(
        self,
        sender: Mailbox,
        *,
        host: str,
        port: int = 0,
        security: Security = "starttls",
        user: str = "",
        password: str = "",
        ca_file: Path | None = None,
        connections: int = 4,
        timeout_seconds: float = 30,
    ) -> None:
        self.sender = sender
        self.host = host
        self.port = port or USUAL_PORTS[security]
        self.security = security
        self.user = user
        self.password = password
        self.ca_file = ca_file
        self.at_once = connections
        self.timeout_seconds = timeout_seconds
        self.end_of_text_seconds = max(timeout_seconds, END_OF_TEXT_SECONDS)

    @property
    def longest(self) -> timedelta:
        """The replies to MAIL, RCPT, DATA, the text, and RSET."""
        return timedelta(seconds=4 * self.timeout_seconds + self.end_of_text_seconds)

    @asynccontextmanager
    async def open(self, over: Over) -> AsyncIterator[Channel]:
        """
        Prepare the pool; connections are made when letters need them, and closed at the end.

        Raises:
            Unreachable: `ca_file` can not be read, or the sender's address is none.
        """
        check_sender(self.sender)
        context: ssl.SSLContext | None = None
        if self.security != "none":
            context = ssl.create_default_context()
            if self.ca_file:
                try:
                    context.load_verify_locations(cafile=self.ca_file)
                except OSError as error:
                    reason = "其中没有 PEM 格式的证书" if isinstance(error, ssl.SSLError) else reason_of(error)
                    raise settings_fault(
                        f"证书文件 {self.ca_file} 无法读取:{reason},请检查 KETANG_SMTP_CA_FILE"
                    ) from error
        pool = _Pool(self, over, tls=context, greeting=await asyncio.to_thread(socket.getfqdn))
        try:
            yield pool
        finally:
            await pool.close()

    def client(self, *, tls: ssl.SSLContext | None, greeting: str) -> aiosmtplib.SMTP:
        """Return a client that is not connected yet."""
        return aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            username=self.user or None,
            password=self.password or None,
            local_hostname=greeting,
            timeout=self.timeout_seconds,
            use_tls=self.security == "tls",
            start_tls=self.security == "starttls",
            tls_context=tls,
        )


class _Pool:
    """At most `at_once` connections, each used by one letter at a time."""

    def __init__(self, transport: SmtpTransport, over: Over, *, tls: ssl.SSLContext | None, greeting: str) -> None:
        self._transport = transport
        self._over = over
        self._longest = transport.longest.total_seconds()
        self._sender = checked_address(transport.sender.address)
        self._tls = tls
        self._greeting = greeting
        self._limit = transport.at_once
        self._idle: list[aiosmtplib.SMTP] = []
        self._open = 0
        self._down: Unreachable | None = None
        self._changed = asyncio.Condition()
        self._waiting = 0

    async def send(self, parcel: Parcel) -> None:
        """Send over an idle connection; when that turns out to be dropped, once more over a new one."""
        for last in (False, True):
            client = await self._take()
            if fault := self._over():
                await self._give_back(client, sound=True)
                raise fault
            try:
                await _hand_over(client, parcel, sender=self._sender, end_of_text=self._transport.end_of_text_seconds)
            except BaseException as error:
                dropped = isinstance(error, ConnectionError) or _code(error) == SHUTTING_DOWN
                # A letter that was refused leaves the connection in order; anything else leaves it in doubt.
                await self._give_back(client, sound=_code(error) is not None and not dropped)
                if dropped and not last:
                    continue
                if isinstance(error, (aiosmtplib.SMTPException, OSError, ValueError)):
                    raise self._fault(error, parcel.to_address) from error
                raise
            await self._give_back(client, sound=True)
            return

    async def close(self) -> None:
        """Say good-bye on every connection."""
        for client in self._idle:
            with suppress(aiosmtplib.SMTPException, OSError):
                await client.quit()
            client.close()
        self._idle.clear()

    async def _take(self) -> aiosmtplib.SMTP:
        while True:
            if self._idle and not self._down:
                return self._idle.pop()
            async with self._changed:
                self._waiting += 1
                try:
                    await self._changed.wait_for(lambda: self._down or self._idle or self._open < self._limit)
                finally:
                    self._waiting -= 1
                if self._down:
                    raise Unreachable(*self._down.args)
                if self._idle:
                    return self._idle.pop()
                if fault := self._over():
                    raise fault
                self._open += 1
            client = self._transport.client(tls=self._tls, greeting=self._greeting)
            try:
                # No longer than a letter, so that a connection begun in time keeps the batch no longer either.
                async with asyncio.timeout(self._longest):
                    await _greet(client)
            except (aiosmtplib.SMTPException, OSError, ValueError) as error:
                async with self._changed:
                    self._open -= 1
                    if self._open:
                        # Others are connected: the server takes only so many from us.
                        self._limit = self._open
                    else:
                        self._down = _connecting_failed(self._transport, error)
                    self._changed.notify_all()
            except BaseException:
                self._open -= 1
                raise
            else:
                return client

    async def _give_back(self, client: aiosmtplib.SMTP, *, sound: bool) -> None:
        if sound and client.is_connected:
            self._idle.append(client)
        else:
            client.close()
            self._open -= 1
        if self._waiting:
            async with self._changed:
                self._changed.notify_all()

    def _fault(self, error: Exception, address: str) -> Temporary | Permanent:
        code = _code(error)
        if code is not None and code >= 500 and _refuses_sender(error):
            # Told once, not by each connection.
            self._down = self._down or settings_fault(
                f"邮件服务器不接受发件地址“{self._sender}”:{_reply(error, address)},"
                "请把 KETANG_MAIL_FROM 改为 KETANG_SMTP_USER 可用的发件地址,或请邮件管理员准许;改好后信函自动再寄"
            )
            return self._down
        if code in SETTINGS_AT_FAULT:
            self._down = settings_fault(f"邮件服务器要求的登录或加密与设置不符:{_reply(error, address)}")
            return self._down
        if code is not None and code >= 500:
            return Permanent(f"邮件服务器拒收:{_reply(error, address)}")
        if code is not None:
            return Temporary(f"邮件服务器暂不接收:{_reply(error, address)}")
        if isinstance(error, ValueError):
            return Permanent(f"电子邮箱地址“{masked_address(address)}”不合规范")
        return Temporary(f"与邮件服务器的连接中断:{_reply(error, address)}")


async def _greet(client: aiosmtplib.SMTP) -> None:
    try:
        await client.connect()
        # Encryption and login have greeted already.
        if client.is_ehlo_or_helo_needed:
            try:
                await client.ehlo()
            except aiosmtplib.SMTPHeloError:
                await client.helo()
    except BaseException:
        client.close()
        raise


async def _hand_over(client: aiosmtplib.SMTP, parcel: Parcel, *, sender: str, end_of_text: float) -> None:
    """
    Send one letter as `SMTP.sendmail` does, less its look at the addresses.

    That one parses each address twice, a third of what a letter costs; ours are checked, strictly, when it is packed.

    Args:
        end_of_text: seconds to wait for the reply to the text.

    Raises:
        aiosmtplib.SMTPResponseException: the server refuses the sender, the recipient or the text; the envelope is
            taken back.
        OSError: the connection is gone.
    """
    size = (f"SIZE={len(parcel.content)}".encode("ascii"),) if client.supports_extension("size") else ()
    each, now = client.timeout or 0, asyncio.get_running_loop().time
    # One timer, put forward from reply to reply, which bounds the letter too; aiosmtplib's own, one a reply, cost more.
    async with asyncio.timeout(each) as limit:
        try:
            said = await client.execute_command(b"MAIL", f"FROM:<{sender}>".encode("ascii"), *size, timeout=None)
            if said.code != aiosmtplib.SMTPStatus.completed:
                raise aiosmtplib.SMTPSenderRefused(said.code, said.message, sender)
            limit.reschedule(now() + each)
            said = await client.execute_command(b"RCPT", f"TO:<{parcel.to_address}>".encode("ascii"), timeout=None)
            if said.code not in (aiosmtplib.SMTPStatus.completed, aiosmtplib.SMTPStatus.will_forward):
                raise aiosmtplib.SMTPRecipientRefused(said.code, said.message, parcel.to_address)
            limit.reschedule(now() + each + end_of_text)
            await client.data(parcel.content, timeout=None)
        except aiosmtplib.SMTPResponseException:
            limit.reschedule(None)
            try:
                await client.rset()  # under its own timer: the refusal stands, however that ends
            except (OSError, aiosmtplib.SMTPException):
                # What the server holds of this letter would be held against the next one.
                client.close()
            raise


def _connecting_failed(transport: SmtpTransport, error: Exception) -> Unreachable:
    server = f"{transport.host}:{transport.port}"
    log.warning("no connection to %s: %s", server, error)
    reply = _reply(error, "")
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return settings_fault(
            f"邮件服务器 {server} 不接受登录名或密码:{reply},请检查 KETANG_SMTP_USER 和 KETANG_SMTP_PASSWORD"
        )
    if isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError):
        return settings_fault(
            f"与邮件服务器 {server} 无法加密:{reply},请检查 KETANG_SMTP_SECURITY 和 KETANG_SMTP_CA_FILE"
        )
    away = (aiosmtplib.SMTPConnectError, aiosmtplib.SMTPHeloError, aiosmtplib.SMTPTimeoutError, OSError)
    if isinstance(error, away):
        return Unreachable(f"邮件服务器 {server} 连接不上:{reply}")
    return settings_fault(f"邮件服务器 {server} 与设置不符:{reply},请检查 KETANG_SMTP_* 各项")


def _code(error: BaseException) -> int | None:
    """Return the code of the server's reply; None when there was no reply, or none that can be read."""
    if isinstance(error, aiosmtplib.SMTPResponseException) and error.code != aiosmtplib.SMTPStatus.invalid_response:
        return error.code
    return None


def _refuses_sender(error: Exception) -> bool:
    """Return whether a lasting refusal is of who sends: true of every letter alike."""
    if isinstance(error, aiosmtplib.SMTPSenderRefused):
        return error.code != TOO_LARGE
    return isinstance(error, aiosmtplib.SMTPResponseException) and bool(_OF_SENDER.search(error.message))


def _reply(error: Exception, address: str) -> str:
    """Return what the server said, without the recipient's address in it; if it did not, why."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        if error.code == aiosmtplib.SMTPStatus.invalid_response:
            said = f"服务器的答复无法识别:{error.message.partition(': ')[2] or '过长'}"
        else:
            said = f"{error.code} {error.message}"
    else:
        said = reason_of(error)
    if address:
        said = re.sub(re.escape(address), masked_address(address), said, flags=re.IGNORECASE)
    return " ".join(said.split())[:300]
