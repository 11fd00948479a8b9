"""
The outbox: letters written in the transaction of the business act that causes them, so that both happen or neither.

Called by tasks. Nothing is sent here; `tasks.outbox` delivers after the commit.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import Insert, bindparam, insert, literal, literal_column, select, text
from sqlalchemy.orm import Session

from models.base import Instant, canonical
from models.given import GivenRows, given
from models.outbox import OutboxEntry
from notifications.context import LetterContext
from policies.vocabulary import LetterStatus

NO_ADDRESS = "没有电子邮箱"


@dataclass(frozen=True)
class Recipient:
    """
    Who gets a letter.

    Args:
        name: as the letter addresses them.
        address: e-mail address; None: they have none.
        person_id: set for a person of the registry.
        household_id: set for a household of the registry.
    """

    name: str
    address: str | None
    person_id: int | None = None
    household_id: int | None = None


@dataclass(frozen=True)
class Posting:
    """
    One letter to one recipient.

    Args:
        letter: its facts.
        to: who gets it.
        dedup_key: what causes it, to whom; the same key writes it only once. At most 200 characters.
    """

    letter: LetterContext
    to: Recipient
    dedup_key: str


def enqueue(
    session: Session, *, case_id: int | None, letter: LetterContext, to: Recipient, dedup_key: str, at: datetime
) -> OutboxEntry | None:
    """
    Put one letter into the outbox, in the caller's transaction.

    Safe to repeat because a `dedup_key` that was used before writes nothing.

    Returns:
        The entry, `DEAD` at once when the recipient has no address (the office must tell them otherwise); None when
        this letter was written before.
    """
    written = enqueue_many(session, case_id=case_id, postings=[Posting(letter, to, dedup_key)], at=at)
    return written[0] if written else None


def enqueue_many(
    session: Session, *, case_id: int | None, postings: Iterable[Posting], at: datetime
) -> list[OutboxEntry]:
    """
    Put many letters into the outbox with one INSERT, in the caller's transaction.

    Returns:
        The entries written now, by id: those whose `dedup_key` was used before are not among them.
    """
    rows = [_row(posting, case_id=case_id, at=at) for posting in postings]
    if not rows:
        return []
    written = session.scalars(_insert_unless_there().returning(OutboxEntry), rows).all()
    return sorted(written, key=lambda entry: entry.id)


def enqueue_for_cases(session: Session, postings: Iterable[tuple[int, Posting]], *, at: datetime) -> None:
    """
    Put letters of many cases into the outbox with one INSERT, in the caller's transaction.

    Args:
        postings: each with its case's id; every recipient has an address.
    """
    rows = [_row(posting, case_id=case_id, at=at) for case_id, posting in postings]
    if rows:
        letters = [{name: row[name] for name in _GIVEN_NUMBERS + _GIVEN_TEXTS} for row in rows]
        for letter in letters:
            letter["context"] = canonical(letter["context"])
        session.connection().execute(_insert_given(session.get_bind().dialect.name), given(letters, at=at))


_GIVEN_NUMBERS = ("case_id", "person_id", "household_id")
_GIVEN_TEXTS = ("letter", "to_name", "to_address", "context", "dedup_key", "message_id")


@cache
def _insert_given(dialect: str) -> Insert:
    rows = GivenRows(dialect, numbers=_GIVEN_NUMBERS, texts=_GIVEN_TEXTS)
    at = bindparam("at", type_=Instant())
    same = {
        "status": literal(LetterStatus.QUEUED, OutboxEntry.status.type),
        "created_at": at,
        "next_attempt_at": at,
    }
    # The WHERE keeps SQLite from reading ON CONFLICT as part of a join.
    source = select(*rows.columns.values(), *same.values()).select_from(rows.table).where(literal_column("1") == 1)
    statement = insert(OutboxEntry.__table__).from_select([*rows.names, *same], source)  # type: ignore[arg-type]
    statement._post_values_clause = text("ON CONFLICT DO NOTHING")
    return statement


def _insert_unless_there() -> Insert:
    # The dialects' `on_conflict_do_nothing` is compiled anew by every call, 2 ms a letter, because it has no cache key.
    # The clause is the same text on both databases; a release that ignored it would fail on the first repeated letter.
    statement = insert(OutboxEntry)
    statement._post_values_clause = text("ON CONFLICT DO NOTHING")
    return statement


def _row(posting: Posting, *, case_id: int | None, at: datetime) -> dict[str, Any]:
    address = (posting.to.address or "").strip()
    return {
        "case_id": case_id,
        "letter": posting.letter.letter_kind,
        "person_id": posting.to.person_id,
        "household_id": posting.to.household_id,
        "to_name": posting.to.name,
        "to_address": address or None,
        "context": posting.letter.model_dump(mode="json"),
        "dedup_key": posting.dedup_key,
        # The sender's domain follows when a delivery run claims it for the first time.
        "message_id": _unique_name(posting),
        "status": LetterStatus.QUEUED if address else LetterStatus.DEAD,
        "created_at": at,
        "next_attempt_at": at,
        "attempts": 0,
        "last_error": "" if address else NO_ADDRESS,
    }


def _unique_name(posting: Posting) -> str:
    """Return the part of the Message-ID before the ``@``: another township's letter never has the same."""
    office = getattr(posting.letter, "office", "")
    return str(uuid5(NAMESPACE_URL, f"ketang:{office}:{posting.dedup_key}"))
