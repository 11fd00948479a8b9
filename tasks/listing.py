"""What lists of the command line show of many: the newest cases, and the letters that wait."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from models.case import Case
from models.outbox import OutboxEntry
from models.registry import Unit
from policies.vocabulary import CaseKind, CaseStatus, LetterStatus
from runtime.resources import Resources
from tasks.audit_rows import number_of, read_or


@dataclass(frozen=True)
class Listed:
    """A page of cases."""

    numbers: tuple[str, ...]
    more: bool
    """There are others, which are older."""


def list_cases(
    resources: Resources,
    *,
    most: int,
    kinds: Sequence[CaseKind] = (),
    village: str = "",
    everything: bool = False,
) -> Listed:
    """
    Return the newest cases, open ones unless `everything`.

    Args:
        most: no more than this many; one line of a list costs as much as looking the case up.
        kinds: only of these; empty: of every kind.
        village: code of the village, or of the unit of a case that has none; empty: all.
    """
    query = select(Case.number).order_by(Case.opened_at.desc(), Case.id.desc()).limit(most + 1)
    if kinds:
        query = query.where(Case.kind.in_(kinds))
    if not everything:
        query = query.where(Case.status == CaseStatus.OPEN)
    if village:
        unit = select(Unit.id).where(Unit.code == village).scalar_subquery()
        query = query.where((Case.village_id == unit) | (Case.village_id.is_(None) & (Case.unit_id == unit)))
    with resources.database.read() as session:
        numbers = numbers_by(session, query)
    return Listed(tuple(numbers[:most]), more=len(numbers) > most)


def numbers_by(session: Session, query: Select[tuple[str]]) -> list[str]:
    """
    Return the numbers of cases; one that is no text as it stands there, so that it keeps no other from its list.

    Args:
        query: selects `Case.number`, in order.
    """
    return read_or(
        lambda: list(session.scalars(query)),
        lambda: [number_of(session, each) for each in session.scalars(query.with_only_columns(Case.id)).all()],
    )


def letters_waiting(session: Session) -> dict[LetterStatus, int]:
    """Count the letters that have not left: those queued and those that never will; the sent ones are too many."""
    return {
        status: session.scalar(select(func.count()).select_from(OutboxEntry).where(OutboxEntry.status == status)) or 0
        for status in (LetterStatus.QUEUED, LetterStatus.DEAD)
    }
