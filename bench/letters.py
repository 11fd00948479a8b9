"""
Work 3: letters to a loopback mail server, rendered from the same template with the same facts, in Chinese.

The desk takes them from its outbox (claim, render, MIME, send, mark) over its pool of connections. Beside it: smtplib
with a connection and an EmailMessage for each letter, and a raw socket that pipelines MAIL, RCPT and DATA with MIME by
hand. Neither keeps books: a crash loses their letters or repeats them under another Message-ID.
"""

import smtplib
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

from sqlalchemy import func, select, update

from bench.contest import ROOT, Entry, compete
from bench.contestant import Place
from bench.table import Report, target
from bench.town import OPENED, Town
from models.outbox import OutboxEntry
from notifications.letters import Reminder
from notifications.mime import Mailbox, Rendered, pack
from notifications.outbox import Posting, Recipient, enqueue_many
from notifications.render import Renderer
from notifications.smtp import SmtpTransport
from policies.vocabulary import Letter, LetterStatus
from runtime.settings import PROJECT
from tasks.post import post_letters

SENDER = Mailbox(address="ketang@office.example", name="朱家角镇社区办(客堂系统)")


def facts(number: int) -> Reminder:
    """The facts of one reminder."""
    return Reminder(
        township="朱家角镇",
        office="朱家角镇社区办",
        scheme_title="客堂间建设实施方案",
        case_number=f"ZJJ-2018-{number:04d}",
        matter=f"周荡村第一组户主{number}户的“客堂间”建设申请",
        short=f"户主{number}户申请",
        party_label="申请户",
        party=f"周荡村第一组户主{number}户",
        gate="农户同意",
        due_on=date(2018, 11, 7),
        days_left=3,
        due_note="期限30日，按自然日（末日遇节假日顺延至下一工作日）计算，自次日起算。",
        late_note="",
        waiting_for=("户主2(ZD01-002)", "户主3(ZD01-003)", "户主4(ZD01-004)"),
    )


class Sender:
    """What all three have in common."""

    def __init__(self, place: Place) -> None:
        self.port = int(place.options["port"])
        self.sent = 0

    def prepare(self, units: int) -> None:
        """Lay out the facts."""
        self.letters = [(self.sent + n, facts(self.sent + n)) for n in range(units)]
        self.sent += units

    def check(self) -> None:
        """See that the server has every letter, under a name of its own."""
        with smtplib.SMTP("127.0.0.1", self.port) as client:
            _, told = client.verify("all")
        assert told.split() == [str(len(self.letters)).encode()] * 2, told

    def stored(self) -> int:
        """Return nothing: a letter is weighed with its case."""
        return 0


class Ours(Sender):
    """The outbox and its transport."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        way = SmtpTransport(SENDER, host="127.0.0.1", port=self.port, security="none", connections=4)
        self.town = Town(place, way=way)
        with self.town.resources.database.write() as session:
            session.execute(update(OutboxEntry).values(status=LetterStatus.SENT))

    def prepare(self, units: int) -> None:
        """Write them to the outbox, as their cases would."""
        super().prepare(units)
        with self.town.resources.database.write() as session:
            enqueue_many(
                session,
                case_id=None,
                postings=[
                    Posting(letter, Recipient(name=f"户主{n}", address=f"hu{n}@example.com"), f"bench:{n}")
                    for n, letter in self.letters
                ],
                at=OPENED,
            )

    def run(self, units: int) -> list[float]:
        """Deliver."""
        report = post_letters(self.town.resources, at=self.town.resources.clock.now())
        while report.sent and self._waiting():
            report = post_letters(self.town.resources, at=self.town.resources.clock.now())
        return []

    def _waiting(self) -> int:
        with self.town.resources.database.read() as session:
            return session.scalar(select(func.count()).where(OutboxEntry.status == LetterStatus.QUEUED)) or 0


class ByHand(Sender):
    """What the other two have in common: the renderer, and no books."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.renderer = Renderer(PROJECT / "templates")

    def rendered(self, number: int, letter: Reminder) -> Rendered:
        """Render one letter."""
        return self.renderer.render(
            Letter.REMINDER,
            letter.model_dump(),
            to_name=f"户主{number}",
            link="",
            written_on=OPENED.date(),
        )


class ConnectionEach(ByHand):
    """smtplib as its manual shows it."""

    def run(self, units: int) -> list[float]:
        """Send each over a connection of its own."""
        for number, letter in self.letters:
            written = self.rendered(number, letter)
            message = EmailMessage()
            message["Subject"] = written.subject
            message["From"] = Address(SENDER.name, addr_spec=SENDER.address)
            message["To"] = Address(f"户主{number}", addr_spec=f"hu{number}@example.com")
            message["Date"] = format_datetime(OPENED)
            message["Message-ID"] = make_msgid(domain="office.example")
            message.set_content(written.text)
            message.add_alternative(written.html, subtype="html")
            with smtplib.SMTP("127.0.0.1", self.port) as client:
                client.send_message(message)
        return []


class Pipelined(ByHand):
    """A raw socket: the next letter's envelope goes out with this one's text."""

    def run(self, units: int) -> list[float]:
        """Send all over one connection."""
        with socket.create_connection(("127.0.0.1", self.port)) as wire, wire.makefile("rb") as replies:
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _expect(replies, b"220")
            wire.sendall(b"EHLO bench\r\n")
            _expect(replies, b"250")
            before = b""
            for number, letter in self.letters:
                parcel = pack(
                    self.rendered(number, letter),
                    message_id=f"{number}@office.example",
                    sender=SENDER,
                    to_name=f"户主{number}",
                    to_address=f"hu{number}@example.com",
                    at=OPENED,
                )
                envelope = f"MAIL FROM:<{SENDER.address}>\r\nRCPT TO:<{parcel.to_address}>\r\nDATA\r\n".encode()
                wire.sendall(before + envelope)
                for code in (b"250", b"250", b"250", b"354") if before else (b"250", b"250", b"354"):
                    _expect(replies, code)
                before = parcel.content + b".\r\n"
            wire.sendall(before + b"QUIT\r\n")
            _expect(replies, b"250")
            _expect(replies, b"221")
        return []


def _expect(replies: Iterator[bytes], code: bytes) -> None:
    for line in replies:
        assert line.startswith(code), line
        if line[3:4] == b" ":
            return


@contextmanager
def mail_server() -> Iterator[int]:
    """Run the counting server; yield its port."""
    command = [sys.executable, "-m", "bench.smtp_sink"]
    with subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())


def contest(report: Report, *, letters: int, rounds: int, say: Callable[[str], None]) -> None:
    """Let all three send."""
    ours, limit, each = "Ketang, outbox and 4 connections", "raw socket, pipelined", "smtplib, a connection each"
    with mail_server() as port:
        entries = [
            Entry(name, f"bench.letters:{maker}", options={"port": port}, share=share)
            for name, maker, share in ((limit, "Pipelined", 1), (each, "ConnectionEach", 0.25), (ours, "Ours", 1))
        ]
        scores = compete(entries, units=letters, rounds=rounds, work="letters", say=say)
    report.add(f"{letters:,} letters by SMTP", "letter", scores, limit=limit)
    for other, aim in ((each, 5.0), (limit, 0.5)):
        rate = scores[other].against(scores[ours], lambda each: each.wall)[0]
        report.targets.append(target(f"letters: letters per second against {other}", rate, ">=", aim))
