"""
Delivering the outbox: claim, send, then mark. Called after a commit for one case, by the sweep for all, and by the CLI.

Plain functions; nothing here decides about a case. A letter is marked only after it was accepted, so a crash repeats it
under the same Message-ID and never loses it.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.engine import Database
from models.outbox import OutboxEntry
from models.registry import Household, Person
from notifications.line import Line, line
from notifications.mime import Mailbox, Parcel, masked_address, pack
from notifications.outbox import NO_ADDRESS
from notifications.render import Renderer
from notifications.transport import Transport, Unreachable
from policies.errors import Permanent, Refused
from policies.vocabulary import LetterStatus, Verdict
from rules.periods import shanghai_day
from tasks.audit_rows import UNREADABLE, is_of_value
from tasks.outbox_claims import MARKING, Claimed, claim, mark

log = logging.getLogger(__name__)

BATCH = 50
"""Letters claimed and marked in one transaction: at most so many are repeated after a crash."""
BEGINNING = timedelta(minutes=5)
"""For so long a run begins letters: a server so slow that more wait is asked again by the next."""
BACKOFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240))
"""Waits after the first attempts; `DAILY` after those."""
DAILY = timedelta(days=1)
MOST_ATTEMPTS = 12
OLDEST = timedelta(days=3)
"""Age at which a letter is given up, once every wait of `BACKOFF` has been tried."""
AFTER_AN_OUTAGE = timedelta(minutes=5)
"""Wait when the server or the settings were at fault; such a run counts against no letter."""


@dataclass(frozen=True)
class DeliveryReport:
    """What one delivery run did."""

    sent: int = 0
    """Letters accepted."""
    retried: int = 0
    """Letters that stay queued for a later attempt."""
    dead: tuple[int, ...] = ()
    """Entries that will not be tried again, ascending: each needs a work item of the office."""
    trouble: str = ""
    """Why the run ended before its time; empty: it did not."""
    failures: tuple[str, ...] = ()
    """Dead letters of which the office could not be told, each with its case and why, in Chinese."""

    @property
    def told(self) -> str:
        """In Chinese, how many letters met which fate."""
        return f"寄出{self.sent}封,待重寄{self.retried}封,无法寄达{len(self.dead)}封"


def deliver(
    database: Database,
    *,
    transport: Transport,
    renderer: Renderer,
    now: Callable[[], datetime],
    links_of: Callable[[Collection[int | None]], Mapping[int | None, str]],
    case_id: int | None = None,
    limit: int = 1000,
) -> DeliveryReport:
    """
    Send the letters that are due.

    Safe to repeat because each letter is claimed by a conditional UPDATE and marked once it was accepted; two runs at
    once share the letters between them.

    Args:
        transport: how they leave; opened when there is a letter, closed at the end.
        now: tells the moment, by which a claim begins and ends: asked for each batch and each letter.
        links_of: the addresses at which people can act on these cases, by their ids (None: of no case); asked once a
            batch. Households get no link.
        case_id: only the letters of this case.
        limit: most letters of this run.
    """
    report = DeliveryReport()
    until = now() + BEGINNING

    def over() -> Unreachable | None:
        if now() < until:
            return None
        minutes = int(BEGINNING.total_seconds() // 60)
        return Unreachable(
            f"寄送太慢,{minutes}分钟内没有寄完,其余信函稍后自动再寄;"
            "经常如此的,请联系邮件服务商,或调大 KETANG_SMTP_CONNECTIONS"
        )

    with line(transport, over) as channel:
        while not report.trouble and limit > 0:
            most = min(BATCH, limit)
            at = now()
            lease = at + lease_of(transport)
            batch = claim(database, at=at, lease=lease, case_id=case_id, most=most, domain=transport.sender.domain)
            report = replace(report, dead=(*report.dead, *batch.unreadable))
            # A batch that is not full was the last: what is written meanwhile is for whoever writes it.
            limit = limit - batch.due if batch.due == most else 0
            if not batch.letters:
                continue
            if away := channel.away():
                tried = [replace(letter, fault=away) for letter in batch.letters]
            else:
                links = links_of({each.entry.case_id for each in batch.letters})
                tried = _tried(
                    channel,
                    (
                        _written(each, renderer, transport.sender, at=at, link=links.get(each.entry.case_id, ""))
                        for each in batch.letters
                    ),
                )
            report = _mark(database, tried, report, at=now())
    return report


def lease_of(transport: Transport) -> timedelta:
    """Return how long a claim holds: longer than its run can need; who died holds the letters no longer."""
    return BEGINNING + transport.longest + MARKING


def requeue(session: Session, entry_id: int, *, at: datetime) -> OutboxEntry:
    """
    Queue a dead letter again, to the address that the registry has now; its attempts count from zero.

    Raises:
        Refused: no such letter, it is not dead, it can not be read, or there is still no address.
    """
    try:
        entry = session.get(OutboxEntry, entry_id, populate_existing=True, with_for_update=True)
    except UNREADABLE as error:
        if not is_of_value(error):
            raise
        raise Refused(
            "default",
            f"信函 {entry_id} 已被改动,无法读取,不能重新寄送;请另行告知收信人,再按“{Verdict.TOLD_OTHERWISE.label}”办结",
        ) from error
    if entry is None:
        raise Refused("default", f"没有编号为 {entry_id} 的信函,请用 ketang letters list 查看编号")
    if entry.status is not LetterStatus.DEAD:
        raise Refused(
            "default", f"信函 {entry_id} 现为“{entry.status.label}”,只有“{LetterStatus.DEAD.label}”的信函才能重新寄送"
        )
    address = _present_address(session, entry) or entry.to_address
    if not address:
        raise Refused("default", f"信函 {entry_id} 的收信人“{entry.to_name}”{NO_ADDRESS},请先在登记簿中补登后再寄送")
    entry.to_address = address
    entry.status = LetterStatus.QUEUED
    entry.attempts = 0
    entry.next_attempt_at = at
    entry.last_error = ""
    session.flush()
    return entry


def pending_counts(session: Session, *, case_id: int | None = None) -> dict[LetterStatus, int]:
    """Count the letters by status, of one case or of all; a status without letters counts 0."""
    query = select(OutboxEntry.status, func.count()).group_by(OutboxEntry.status)
    if case_id is not None:
        query = query.where(OutboxEntry.case_id == case_id)
    found = {row[0]: row[1] for row in session.execute(query)}
    return {status: found.get(status, 0) for status in LetterStatus}


def next_attempt(*, attempts: int, created_at: datetime, at: datetime) -> datetime | None:
    """
    Return when a letter that failed for now is tried again, or None when it is given up.

    Args:
        attempts: begun so far, >= 1.
        created_at: when it was written.
        at: when it failed.
    """
    if attempts >= MOST_ATTEMPTS:
        return None
    if attempts <= len(BACKOFF):
        # Age alone gives nothing up: after an outage of a week the first attempt is made on an old letter.
        return at + BACKOFF[attempts - 1]
    return None if at - created_at >= OLDEST else at + DAILY


def _written(claimed: Claimed, renderer: Renderer, sender: Mailbox, *, at: datetime, link: str) -> Claimed:
    entry = claimed.entry
    if entry.attempts > MOST_ATTEMPTS:
        return replace(claimed, fault=Permanent(f"投递程序在投递这封信函时中断了{MOST_ATTEMPTS}次,请查看日志"))
    try:
        rendered = renderer.render(
            entry.letter,
            entry.context,
            to_name=entry.to_name,
            # A household has no access to the desk.
            link="" if entry.household_id is not None else link,
            written_on=shanghai_day(entry.created_at),
        )
        parcel = pack(
            rendered,
            message_id=entry.message_id,
            sender=sender,
            to_name=entry.to_name,
            to_address=entry.to_address,
            at=at,
        )
    except Permanent as fault:
        return replace(claimed, fault=fault)
    except Exception as bug:
        log.exception("outbox entry %s can not be written", entry.id)
        return replace(claimed, fault=Permanent(f"信函无法写成:{type(bug).__name__}:{bug}"))
    return replace(claimed, rendered=rendered, parcel=parcel)


def _tried(channel: Line, written: Iterable[Claimed]) -> list[Claimed]:
    """Send the letters, each written as its turn comes; return them with their faults."""
    ready: list[Claimed] = []
    unwritten: list[Claimed] = []

    def parcels() -> Iterator[Parcel]:
        for claimed in written:
            if claimed.parcel is None:
                unwritten.append(claimed)
            else:
                ready.append(claimed)
                yield claimed.parcel

    faults = channel.send(parcels())
    return unwritten + [replace(claimed, fault=fault) for claimed, fault in zip(ready, faults, strict=True)]


def _mark(database: Database, tried: Sequence[Claimed], report: DeliveryReport, *, at: datetime) -> DeliveryReport:
    sent = [claimed for claimed in tried if claimed.fault is None]
    failed = [claimed for claimed in tried if claimed.fault is not None]
    retried, dead = mark(database, sent, [(claimed, _next_attempt(claimed, at=at)) for claimed in failed], at=at)
    for claimed in failed:
        log.warning(
            "outbox entry %s to %s was not sent: %s",
            claimed.entry.id,
            masked_address(str(claimed.entry.to_address)),
            claimed.error,
        )
    return DeliveryReport(
        sent=report.sent + len(sent),
        retried=report.retried + retried,
        dead=(*report.dead, *dead),
        trouble=next((str(claimed.fault) for claimed in failed if isinstance(claimed.fault, Unreachable)), ""),
    )


def _next_attempt(claimed: Claimed, *, at: datetime) -> datetime | None:
    if isinstance(claimed.fault, Permanent):
        return None
    if isinstance(claimed.fault, Unreachable):
        return at + AFTER_AN_OUTAGE
    return next_attempt(attempts=claimed.entry.attempts, created_at=claimed.entry.created_at, at=at)


def _present_address(session: Session, entry: OutboxEntry) -> str | None:
    if entry.household_id is not None:
        return session.scalar(select(Household.email).where(Household.id == entry.household_id))
    if entry.person_id is not None:
        return session.scalar(select(Person.email).where(Person.id == entry.person_id))
    return None
