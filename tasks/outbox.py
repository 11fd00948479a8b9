"""
Delivering the outbox: claim, send, then mark. Called after a commit for one case, by the sweep for all, and by the CLI.

Plain functions; nothing here decides about a case. A letter is marked only after it was accepted, so a crash repeats it
under the same Message-ID and never loses it.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, Integer, Row, Table, bindparam, case, func, literal_column, select, update
from sqlalchemy.orm import Session

from models.engine import Database
from models.outbox import OutboxEntry
from models.registry import Household, Person
from notifications.line import Line, line
from notifications.mime import Mailbox, Parcel, Rendered, masked_address, pack
from notifications.outbox import NO_ADDRESS
from notifications.render import Renderer
from notifications.transport import Transport, Unreachable
from policies.errors import Permanent, Refused
from policies.vocabulary import LetterStatus
from rules.masking import mask_text
from rules.periods import shanghai_day

log = logging.getLogger(__name__)

BATCH = 50
"""Letters claimed and marked in one transaction: at most so many are repeated after a crash."""
LEASE = timedelta(minutes=15)
"""How long a claim holds; a deliverer that died holds its letters no longer."""
BACKOFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240))
"""Waits after the first attempts; `DAILY` after those."""
DAILY = timedelta(days=1)
MOST_ATTEMPTS = 12
OLDEST = timedelta(days=3)
"""Age at which a letter is given up, once every wait of `BACKOFF` has been tried."""
AFTER_AN_OUTAGE = timedelta(minutes=5)
"""Wait when the server or the settings were at fault; such a run counts against no letter."""
LONGEST_ERROR = 500
LONGEST_SUBJECT = 300

_NEEDED = (
    OutboxEntry.id,
    OutboxEntry.case_id,
    OutboxEntry.letter,
    OutboxEntry.household_id,
    OutboxEntry.to_name,
    OutboxEntry.to_address,
    OutboxEntry.context,
    OutboxEntry.message_id,
    OutboxEntry.created_at,
    OutboxEntry.attempts,
)


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


@dataclass(frozen=True)
class _Claimed:
    """One letter that this run alone may send until its lease ends."""

    entry: Row[Any]
    lease: datetime
    rendered: Rendered | None = None
    parcel: Parcel | None = None
    fault: Exception | None = None


def deliver(
    database: Database,
    *,
    transport: Transport,
    renderer: Renderer,
    at: datetime,
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
        at: the moment of this run.
        links_of: the addresses at which people can act on these cases, by their ids (None: of no case); asked once a
            batch. Households get no link.
        case_id: only the letters of this case.
        limit: most letters of this run.
    """
    report = DeliveryReport()
    with line(transport) as channel:
        while not report.trouble and limit > 0:
            most = min(BATCH, limit)
            batch = _claim(database, at=at, case_id=case_id, most=most, domain=transport.sender.domain)
            if not batch:
                break
            # A batch that is not full was the last: what is written meanwhile is for whoever writes it.
            limit = limit - len(batch) if len(batch) == most else 0
            if away := channel.away():
                tried = [replace(letter, fault=away) for letter in batch]
            else:
                links = links_of({each.entry.case_id for each in batch})
                tried = _tried(
                    channel,
                    (
                        _written(each, renderer, transport.sender, at=at, link=links.get(each.entry.case_id, ""))
                        for each in batch
                    ),
                )
            report = _mark(database, tried, report, at=at)
    return report


def requeue(session: Session, entry_id: int, *, at: datetime) -> OutboxEntry:
    """
    Queue a dead letter again, to the address that the registry has now; its attempts count from zero.

    Raises:
        Refused: no such letter, it is not dead, or there is still no address.
    """
    entry = session.get(OutboxEntry, entry_id, populate_existing=True, with_for_update=True)
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


# Built once: a case's letters are few, and building the statements cost more than delivering them.
# The status is written into them, because a bound value hides the partial index from SQLite.
_QUEUED = OutboxEntry.status == literal_column(f"'{LetterStatus.QUEUED.value}'", OutboxEntry.status.type)
_DUE = (
    select(OutboxEntry.id)
    .where(_QUEUED, OutboxEntry.next_attempt_at <= bindparam("now"))
    .order_by(OutboxEntry.next_attempt_at, OutboxEntry.id)
    .limit(bindparam("most", type_=Integer()))
    .with_for_update(skip_locked=True)
)
_DUE_OF_CASE = _DUE.where(OutboxEntry.case_id == bindparam("in_case"))
_TABLE = cast("Table", OutboxEntry.__table__)
_CLAIM = (
    update(_TABLE)
    .where(_TABLE.c.id.in_(bindparam("ids", expanding=True)), _QUEUED, _TABLE.c.next_attempt_at <= bindparam("now"))
    .values(
        next_attempt_at=bindparam("lease"),
        # Counted when it begins: a letter that kills its deliverer is given up too.
        attempts=_TABLE.c.attempts + 1,
        # Frozen by the first attempt, whatever the settings say later.
        message_id=case(
            (_TABLE.c.message_id.contains("@"), _TABLE.c.message_id),
            else_=_TABLE.c.message_id + bindparam("at_domain", type_=_TABLE.c.message_id.type),
        ),
    )
    .returning(*_NEEDED)
)
_SENT = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("entry_id"), _TABLE.c.status != LetterStatus.SENT)
    .values(
        status=LetterStatus.SENT,
        sent_at=bindparam("now"),
        last_error="",
        sent_subject=bindparam("subject"),
        sent_text=bindparam("text"),
    )
)


def _claim(database: Database, *, at: datetime, case_id: int | None, most: int, domain: str) -> list[_Claimed]:
    lease = at + LEASE
    with database.write() as session:
        connection = session.connection()
        if case_id is None:
            ids = connection.scalars(_DUE, {"now": at, "most": most}).all()
        else:
            ids = connection.scalars(_DUE_OF_CASE, {"now": at, "most": most, "in_case": case_id}).all()
        if not ids:
            return []
        given = {"ids": ids, "now": at, "lease": lease, "at_domain": f"@{domain}"}
        claimed = connection.execute(_CLAIM, given).all()
    return [_Claimed(row, lease) for row in sorted(claimed, key=lambda row: int(row.id))]


def _written(claimed: _Claimed, renderer: Renderer, sender: Mailbox, *, at: datetime, link: str) -> _Claimed:
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


def _tried(channel: Line, written: Iterable[_Claimed]) -> list[_Claimed]:
    """Send the letters, each written as its turn comes; return them with their faults."""
    ready: list[_Claimed] = []
    unwritten: list[_Claimed] = []

    def parcels() -> Iterator[Parcel]:
        for claimed in written:
            if claimed.parcel is None:
                unwritten.append(claimed)
            else:
                ready.append(claimed)
                yield claimed.parcel

    faults = channel.send(parcels())
    return unwritten + [replace(claimed, fault=fault) for claimed, fault in zip(ready, faults, strict=True)]


def _mark(database: Database, tried: Sequence[_Claimed], report: DeliveryReport, *, at: datetime) -> DeliveryReport:
    sent = [(claimed, claimed.rendered) for claimed in tried if claimed.fault is None and claimed.rendered]
    failed = [claimed for claimed in tried if claimed.fault is not None]
    retried = 0
    dead: list[int] = []
    with database.write() as session:
        _mark_sent(session, sent, at=at)
        for claimed in sorted(failed, key=lambda claimed: int(claimed.entry.id)):
            again = _next_attempt(claimed, at=at)
            if not _mark_failed(session, claimed, again=again):
                continue
            if again is None:
                dead.append(claimed.entry.id)
            else:
                retried += 1
    for claimed in failed:
        log.warning(
            "outbox entry %s to %s was not sent: %s",
            claimed.entry.id,
            masked_address(claimed.entry.to_address),
            _error(claimed),
        )
    return DeliveryReport(
        sent=report.sent + len(sent),
        retried=report.retried + retried,
        dead=(*report.dead, *dead),
        trouble=next((str(claimed.fault) for claimed in failed if isinstance(claimed.fault, Unreachable)), ""),
    )


def _mark_sent(session: Session, sent: Sequence[tuple[_Claimed, Rendered]], *, at: datetime) -> None:
    if not sent:
        return
    session.connection().execute(
        _SENT,
        [
            {
                "entry_id": claimed.entry.id,
                "now": at,
                "subject": rendered.subject[:LONGEST_SUBJECT],
                "text": rendered.text,
            }
            for claimed, rendered in sorted(sent, key=lambda pair: int(pair[0].entry.id))
        ],
    )


def _mark_failed(session: Session, claimed: _Claimed, *, again: datetime | None) -> bool:
    """Record the fault; False when the lease ran out and somebody else has the letter now."""
    untried = isinstance(claimed.fault, Unreachable)
    done = session.execute(
        update(OutboxEntry)
        .where(
            OutboxEntry.id == claimed.entry.id,
            OutboxEntry.status == LetterStatus.QUEUED,
            OutboxEntry.next_attempt_at == claimed.lease,
        )
        .values(
            status=LetterStatus.DEAD if again is None else LetterStatus.QUEUED,
            next_attempt_at=claimed.lease if again is None else again,
            attempts=OutboxEntry.attempts - (1 if untried else 0),
            last_error=_error(claimed),
        ),
        execution_options={"synchronize_session": False},
    )
    return cast("CursorResult[Any]", done).rowcount == 1


def _next_attempt(claimed: _Claimed, *, at: datetime) -> datetime | None:
    if isinstance(claimed.fault, Permanent):
        return None
    if isinstance(claimed.fault, Unreachable):
        return at + AFTER_AN_OUTAGE
    return next_attempt(attempts=claimed.entry.attempts, created_at=claimed.entry.created_at, at=at)


def _error(claimed: _Claimed) -> str:
    return mask_text(str(claimed.fault))[:LONGEST_ERROR]


def _present_address(session: Session, entry: OutboxEntry) -> str | None:
    if entry.household_id is not None:
        return session.scalar(select(Household.email).where(Household.id == entry.household_id))
    if entry.person_id is not None:
        return session.scalar(select(Person.email).where(Person.id == entry.person_id))
    return None
