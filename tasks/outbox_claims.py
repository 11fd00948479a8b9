"""The books of delivery: letters are claimed by one run, and marked by it. Called by `tasks.outbox` only."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import sleep
from typing import Any, cast

from sqlalchemy import (
    CursorResult,
    Integer,
    Row,
    Table,
    bindparam,
    case,
    literal_column,
    select,
    update,
)
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from models.engine import Database
from models.outbox import OutboxEntry
from notifications.mime import Parcel, Rendered, is_message_id
from notifications.transport import Unreachable
from policies.vocabulary import LetterStatus
from rules.masking import mask_text
from tasks.audit_rows import UNREADABLE, is_of_value, unreadable_values

log = logging.getLogger(__name__)

PAUSES = (1, 5, 15)
"""Seconds before a batch is marked again whose database was away: what was accepted would go out once more."""
MARKING = timedelta(minutes=3)
"""For the marking with all its tries, each waiting for a lock, and for clocks of machines that differ."""
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
class Claimed:
    """One letter that this run alone may send until its lease ends."""

    entry: Row[Any]
    lease: datetime
    rendered: Rendered | None = None
    parcel: Parcel | None = None
    fault: Exception | None = None

    @property
    def error(self) -> str:
        """What went wrong, without personal numbers, as the books keep it."""
        return mask_text(str(self.fault))[:LONGEST_ERROR]


@dataclass(frozen=True)
class Batch:
    """What one claim brought."""

    letters: Sequence[Claimed] = ()
    due: int = 0
    """How many were due; more than `letters` when another run was faster, or some can not be read."""
    unreadable: tuple[int, ...] = ()
    """Entries that somebody has tampered with: dead now."""


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
        # Frozen by the first attempt with a usable sender, whatever the settings say later.
        message_id=case(
            (_TABLE.c.message_id.contains("@"), _TABLE.c.message_id),
            else_=_TABLE.c.message_id + bindparam("at_domain", type_=_TABLE.c.message_id.type),
        ),
    )
    .returning(*_NEEDED)
)
_MEND = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("entry_id"))
    .values(message_id=bindparam("mended"))
    .returning(*_NEEDED)
)
_BURY = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("entry_id"), _QUEUED, _TABLE.c.next_attempt_at <= bindparam("now"))
    .values(status=LetterStatus.DEAD, sent_at=None, last_error=bindparam("why"))
)
_SENT = (
    update(_TABLE)
    .where(
        _TABLE.c.id == bindparam("entry_id"),
        _QUEUED,
        _TABLE.c.next_attempt_at == bindparam("lease"),
        _TABLE.c.attempts == bindparam("attempt"),
    )
    .values(
        status=LetterStatus.SENT,
        sent_at=bindparam("now"),
        last_error="",
        sent_subject=bindparam("subject"),
        sent_text=bindparam("text"),
    )
)


def claim(database: Database, *, at: datetime, lease: datetime, case_id: int | None, most: int, domain: str) -> Batch:
    """
    Claim letters that are due; one that can not be read dies and keeps no other waiting.

    Args:
        at: the moment of the claim.
        lease: until when the letters are this run's.
        case_id: only the letters of this case.
        most: of them.
        domain: in which a letter's Message-ID is unique; empty while the office has no usable address.
    """
    ids: Sequence[int] = ()
    more = {"now": at, "lease": lease, "at_domain": f"@{domain}" if domain else ""}
    try:
        with database.write() as session:
            if case_id is None:
                ids = session.connection().scalars(_DUE, {"now": at, "most": most}).all()
            else:
                ids = session.connection().scalars(_DUE_OF_CASE, {"now": at, "most": most, "in_case": case_id}).all()
            if not ids:
                return Batch()
            rows = _claimed(session, ids, more)
    except UNREADABLE as error:
        if not ids or not is_of_value(error):
            raise
        return _one_by_one(database, ids, more)
    return Batch([Claimed(row, lease) for row in rows], due=len(ids))


def _claimed(session: Session, ids: Sequence[int], more: Mapping[str, Any]) -> list[Row[Any]]:
    rows = session.connection().execute(_CLAIM, {"ids": ids, **more}).all()
    if more["at_domain"]:
        rows = [row if is_message_id(row.message_id) else _mended(session, row, more["at_domain"]) for row in rows]
    return sorted(rows, key=lambda row: int(row.id))


def _mended(session: Session, row: Row[Any], at_domain: str) -> Row[Any]:
    """
    Give a letter another Message-ID, kept before anybody sends it.

    Earlier releases froze whatever stood behind the ``@``; under such a name no letter has left.
    """
    mended = f"{row.message_id.partition('@')[0]}{at_domain}"
    return session.connection().execute(_MEND, {"entry_id": row.id, "mended": mended}).one()


def _one_by_one(database: Database, ids: Sequence[int], more: Mapping[str, Any]) -> Batch:
    letters: list[Claimed] = []
    unreadable: list[int] = []
    for entry_id in sorted(ids):
        try:
            with database.write() as session:
                rows = _claimed(session, [entry_id], more)
        except UNREADABLE as error:
            if not is_of_value(error):
                raise
            if _buried(database, entry_id, at=more["now"]):
                unreadable.append(entry_id)
        else:
            letters += [Claimed(row, more["lease"]) for row in rows]
    return Batch(letters, due=len(ids), unreadable=tuple(unreadable))


def _buried(database: Database, entry_id: int, *, at: datetime) -> bool:
    """Mark a letter dead that can not be read; False when somebody was faster."""
    with database.write() as session:
        said = unreadable_values(session, OutboxEntry, entry_id)
        why = "信函无法读取,已被改动" + (f":{'、'.join(said)}" if said else "")
        done = session.connection().execute(_BURY, {"entry_id": entry_id, "now": at, "why": why[:LONGEST_ERROR]})
    return done.rowcount == 1


def mark(
    database: Database, sent: Sequence[Claimed], failed: Sequence[tuple[Claimed, datetime | None]], *, at: datetime
) -> tuple[int, list[int]]:
    """
    Record in one transaction what became of a batch, of each letter that nobody else has claimed since.

    Args:
        sent: letters that were accepted.
        failed: the others, each with the moment of its next attempt; None: it is given up.
        at: the moment of the marking.

    Returns:
        How many stay queued, and which are dead; of those only that are still this run's.

    Raises:
        OperationalError: the database is away, and stayed so.
    """
    for pause in PAUSES:
        try:
            return _marked(database, sent, failed, at=at)
        except (OperationalError, InterfaceError) as error:
            log.warning("%d letters could not be marked, again in %d s: %s", len(sent) + len(failed), pause, error)
            sleep(pause)
    return _marked(database, sent, failed, at=at)


def _marked(
    database: Database, sent: Sequence[Claimed], failed: Sequence[tuple[Claimed, datetime | None]], *, at: datetime
) -> tuple[int, list[int]]:
    retried = 0
    dead: list[int] = []
    with database.write() as session:
        _mark_sent(session, sent, at=at)
        for claimed, again in sorted(failed, key=lambda pair: int(pair[0].entry.id)):
            if not _mark_failed(session, claimed, again=again):
                continue
            if again is None:
                dead.append(claimed.entry.id)
            else:
                retried += 1
    return retried, dead


def _mark_sent(session: Session, sent: Sequence[Claimed], *, at: datetime) -> None:
    given = [
        {
            "entry_id": claimed.entry.id,
            "lease": claimed.lease,
            "attempt": claimed.entry.attempts,
            "now": at,
            "subject": claimed.rendered.subject[:LONGEST_SUBJECT],
            "text": claimed.rendered.text,
        }
        for claimed in sorted(sent, key=lambda claimed: int(claimed.entry.id))
        if claimed.rendered
    ]
    if given:
        session.connection().execute(_SENT, given)


def _mark_failed(session: Session, claimed: Claimed, *, again: datetime | None) -> bool:
    """Record the fault; False when the lease ran out and somebody else has the letter now."""
    untried = isinstance(claimed.fault, Unreachable)
    done = session.execute(
        update(OutboxEntry)
        .where(
            OutboxEntry.id == claimed.entry.id,
            OutboxEntry.status == LetterStatus.QUEUED,
            OutboxEntry.next_attempt_at == claimed.lease,
            OutboxEntry.attempts == claimed.entry.attempts,
        )
        .values(
            status=LetterStatus.DEAD if again is None else LetterStatus.QUEUED,
            sent_at=None,  # as it is, unless somebody has tampered with it: else a batch could not be marked
            next_attempt_at=claimed.lease if again is None else again,
            attempts=OutboxEntry.attempts - (1 if untried else 0),
            last_error=claimed.error,
        ),
        execution_options={"synchronize_session": False},
    )
    return cast("CursorResult[Any]", done).rowcount == 1
