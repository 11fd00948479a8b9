"""
How letters leave: over SMTP (`notifications.smtp`), or as ``.eml`` files in a folder. Called by `tasks.outbox` only.

A transport is opened for one delivery run. What fails is told apart by who has to do something about it: `Unreachable`
(the server or the settings: no letter can go now), `Temporary` (this letter, later), `Permanent` (this letter, never).
"""

import logging
import os
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from notifications.mime import Mailbox, Parcel, checked_address
from notifications.reasons import reason_of
from policies.errors import Permanent, Temporary

log = logging.getLogger(__name__)


class Unreachable(Temporary):
    """No letter can go now: the server is away, or the settings are wrong."""


Over = Callable[[], Unreachable | None]
"""Asked before a letter is begun: why none may be any more; None: it may."""


class Channel(Protocol):
    """An opened transport."""

    async def send(self, parcel: Parcel) -> None:
        """
        Hand one letter over; it has been accepted when this returns.

        Raises:
            Unreachable: nothing can be sent in this run.
            Temporary: this letter may be accepted later.
            Permanent: this letter will never be accepted.
        """


class Transport(Protocol):
    """A way for letters to leave."""

    @property
    def sender(self) -> Mailbox:
        """The office's end of every letter."""

    @property
    def at_once(self) -> int:
        """How many letters it pays to send at once; >= 1."""

    @property
    def longest(self) -> timedelta:
        """How long one letter may take, from its begin until its fate is known."""

    def open(self, over: Over) -> AbstractAsyncContextManager[Channel]:
        """Open it for one delivery run; what has waited for its turn asks `over` whether it may still begin."""


class FolderTransport:
    """
    Writes each letter as an ``.eml`` file that any mail program opens: the default without an SMTP server.

    Args:
        folder: where the files go; made when it is missing.
        sender: the office.
    """

    at_once = 1
    longest = timedelta(minutes=1)

    def __init__(self, folder: Path, sender: Mailbox) -> None:
        self.folder = folder
        self.sender = sender

    @asynccontextmanager
    async def open(self, over: Over) -> AsyncIterator[Channel]:
        """
        Make the folder.

        Raises:
            Unreachable: it can not be made, or the sender's address is none.
        """
        check_sender(self.sender)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise Unreachable(f"信函文件夹 {self.folder} 无法建立:{reason_of(error)},请检查权限") from error
        yield self

    async def send(self, parcel: Parcel) -> None:
        """
        Write the file under the name of its Message-ID: a repeat replaces it, a crash leaves no half file.

        Raises:
            Unreachable: the file can not be written, e.g. the disk is full.
        """
        name = re.sub(r"[^A-Za-z0-9@._-]", "_", parcel.message_id).lstrip(".")
        unfinished = self.folder / f".{name}.{os.getpid()}.part"
        try:
            with unfinished.open("wb") as file:
                file.write(parcel.content)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(self.folder / f"{name}.eml")
        except OSError as error:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise Unreachable(f"信函文件夹 {self.folder} 无法写入:{reason_of(error)},请检查磁盘空间和权限") from error


def check_sender(sender: Mailbox) -> None:
    """Raise Unreachable, and log it, when an address of the office is none."""
    if fault := sender_fault(sender):
        raise settings_fault(fault)


def sender_fault(sender: Mailbox) -> str:
    """Return which address of the office is none, in Chinese; empty: none is at fault."""
    for setting, address in (("KETANG_MAIL_FROM", sender.address), ("KETANG_MAIL_REPLY_TO", sender.reply_to)):
        if not address and setting == "KETANG_MAIL_REPLY_TO":
            continue
        try:
            checked_address(address)
        except Permanent:
            shown = " ".join(address.split())
            return f"{setting} 的地址“{shown}”不合规范,应如 shequ@example.cn;请更正该项设置,改好后信函自动再寄"
    return ""


def settings_fault(reason: str) -> Unreachable:
    """Log that the settings let no letter leave, and return the fault to raise."""
    log.error("letters can not leave, the mail settings are at fault: %s", reason)
    return Unreachable(reason)
