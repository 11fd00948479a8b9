"""Forms that stand open in Prefect runs, and which run carries which case: the database's side of the live driver."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import CursorResult, Row, Select, bindparam, select, union_all, update
from sqlalchemy.orm import Session, aliased

from models.case import Case
from models.work_item import Ask, WorkItem
from policies.errors import Refused
from policies.vocabulary import CaseKind, CaseStatus
from runtime.resources import Resources
from tasks.audit_rows import fault_of, number_of, read_or

TENDED_FOR = timedelta(minutes=15)
"""As long who carries many cases at once may take to bring their runs up to date."""


@dataclass(frozen=True)
class CaseRun:
    """What the database knows of the run that carries a case."""

    number: str
    kind: CaseKind
    open: bool
    flow_run_id: str | None
    attempt: int
    requested_at: datetime | None
    behind: bool
    """A decision was taken that no pass has seen yet, or the case's end is not shown in Prefect yet."""

    @property
    def tended(self) -> bool:
        """Whether somebody who carries many cases at once brings its run up to date, or died over it."""
        return self.flow_run_id is not None and self.requested_at is not None

    def tended_now(self, at: datetime) -> bool:
        """Return whether that is to be waited for."""
        return self.flow_run_id is not None and self.requested_at is not None and at - self.requested_at < TENDED_FOR

    @property
    def settled(self) -> bool:
        """Whether there is nothing left to wake the case for."""
        return not self.open and not self.behind


@dataclass(frozen=True)
class UnreadableRun:
    """A case of which nobody can tell which run carries it: somebody has tampered with its row."""

    number: str
    reason: str

    def __str__(self) -> str:
        return f"案件 {self.number}:{self.reason},流程无法续办;请运行 ketang audit verify {self.number},对照备份更正"


_RUN = (
    Case.number,
    Case.kind,
    Case.status,
    Case.flow_run_id,
    Case.run_attempt,
    Case.run_requested_at,
    Case.carried_seq,
    Case.decision_seq,
)

# By the partial index: in the order of their ids SQLite would walk along all the cases there are.
_BEHIND = select(*_RUN).where(Case.carried_seq < Case.decision_seq).order_by(Case.opened_at, Case.id)
_AT_ONCE = 500
_THIS, _OTHER = aliased(Case), aliased(Case)
_RELATIVES_BEHIND = (
    select(Case.number)
    .where(
        # Found by themselves: joined by OR, a large district's SQLite would go through all that is open.
        Case.id.in_(
            union_all(
                select(_OTHER.id).join(_THIS, _OTHER.parent_id == _THIS.id).where(_THIS.number == bindparam("number")),
                select(_THIS.parent_id).where(_THIS.number == bindparam("number"), _THIS.parent_id.is_not(None)),
            )
        ),
        Case.status == CaseStatus.OPEN,
        Case.carried_seq < Case.decision_seq,
    )
    .order_by(Case.id)
)


def _runs(resources: Resources, query: Select[Any]) -> list[CaseRun | UnreadableRun]:
    """Return what is known of cases' runs; a case whose row can not be read keeps no other out."""
    with resources.database.read() as session:
        return read_or(
            lambda: [_run(row) for row in session.execute(query)],
            lambda: [_run_by_id(session, each) for each in session.scalars(query.with_only_columns(Case.id)).all()],
        )


def _run_by_id(session: Session, case_id: int) -> CaseRun | UnreadableRun:
    query = select(*_RUN).where(Case.id == case_id)
    return read_or(
        lambda: _run(session.execute(query).one()),
        lambda: UnreadableRun(number_of(session, case_id), fault_of(session, Case, case_id, number="").reason),
    )


def _run(row: Row[Any]) -> CaseRun:
    # SQLite keeps anything in any column, and hands it out as it stands there.
    for value, meant in (
        (row.number, str),
        (row.flow_run_id, str | None),
        (row.run_attempt, int),
        (row.carried_seq, int),
        (row.decision_seq, int),
    ):
        if not isinstance(value, meant):
            raise TypeError(f"{value!r} is no {meant}")
    return CaseRun(
        number=row.number,
        kind=row.kind,
        open=row.status is CaseStatus.OPEN,
        flow_run_id=row.flow_run_id,
        attempt=row.run_attempt,
        requested_at=row.run_requested_at,
        behind=row.carried_seq < row.decision_seq,
    )


def run_of(resources: Resources, number: str) -> CaseRun | None:
    """
    Return what is known of the case's run; None when there is no such case.

    Raises:
        Refused: its row can not be read, because somebody has tampered with it.
    """
    for found in _runs(resources, select(*_RUN).where(Case.number == number)):
        if isinstance(found, UnreadableRun):
            raise Refused("default", str(found))
        return found
    return None


def runs_behind(resources: Resources, *, limit: int, to_carry: bool = False) -> list[CaseRun | UnreadableRun]:
    """
    Return the cases that are behind: their wake was lost, or is under way; also those that can not be read.

    Args:
        limit: at the most so many, those first opened.
        to_carry: without those that are closed, of which only the end is still to be shown: any number of them may
            stand before the others.
    """
    query = _BEHIND.where(Case.status != CaseStatus.CLOSED) if to_carry else _BEHIND
    return _runs(resources, query.limit(limit))


def runs_to_wake(resources: Resources, *, at: datetime, limit: int) -> list[CaseRun | UnreadableRun]:
    """
    Return the cases that are behind, and those that somebody meant to bring up to date and did not.

    Without those that are being brought up to date, in which a thousand runs would only be in the way.

    Args:
        at: now.
        limit: at the most so many of each.
    """
    long_ago = at - TENDED_FOR
    behind = _BEHIND.where(
        Case.flow_run_id.is_(None) | Case.run_requested_at.is_(None) | (Case.run_requested_at <= long_ago)
    )
    left = (
        select(*_RUN)
        .where(Case.run_requested_at <= long_ago, Case.flow_run_id.is_not(None))
        .order_by(Case.run_requested_at, Case.id)
    )
    return _runs(resources, behind.limit(limit)) + _runs(resources, left.limit(limit))


def tend(resources: Resources, numbers: Iterable[str], *, at: datetime) -> None:
    """
    Note, before cases are carried, that their runs will be brought up to date, until `tended` says that they are.

    The sweep leaves them be meanwhile; after `TENDED_FOR` it wakes them, because who meant to do so has died.

    Args:
        at: now, not when a long run began.
    """
    _set_tended(resources, numbers, since=at)


def tended(resources: Resources, numbers: Iterable[str]) -> None:
    """Note that the runs of these cases show where the cases are, or that the sweep is to see to them."""
    _set_tended(resources, numbers, since=None)


def _set_tended(resources: Resources, numbers: Iterable[str], *, since: datetime | None) -> None:
    wanted = list(numbers)
    for start in range(0, len(wanted), _AT_ONCE):
        found = select(Case.id).where(Case.number.in_(wanted[start : start + _AT_ONCE]), Case.flow_run_id.is_not(None))
        with resources.database.write() as session:
            # Locked in the order of their ids: a parent, which is older, before its cases.
            ids = session.scalars(found.order_by(Case.id).with_for_update()).all()
            if ids:
                session.execute(update(Case).where(Case.id.in_(ids)).values(run_requested_at=since))


def show_again(session: Session, number: str) -> None:
    """
    Let an open case, held locked, be carried once more though nothing was decided in it: its page is no longer right.

    Who carries the case that made it so wakes it as a relative that is behind; else the sweep does.
    """
    session.execute(
        update(Case)
        .where(Case.number == number, Case.status == CaseStatus.OPEN, Case.carried_seq == Case.decision_seq)
        .values(carried_seq=Case.decision_seq - 1)
    )


def relatives_behind(resources: Resources, number: str) -> list[str]:
    """Return the cases beside this one (its parent, its children) that have something to go on with."""
    with resources.database.glance() as connection:
        return list(connection.scalars(_RELATIVES_BEHIND, {"number": number}))


def runs_to_check(resources: Resources, *, at: datetime, limit: int) -> list[CaseRun | UnreadableRun]:
    """
    Return the open cases whose runs were looked at longest ago, and note that they are looked at now.

    Those that can not be read are among them.
    """
    checked = Case.run_checked_at
    opened = select(Case.id).where(Case.status == CaseStatus.OPEN).order_by(checked, Case.id)
    with resources.database.write() as session:
        # First those that were never looked at. Asked apart, because PostgreSQL keeps them at the end of the index: to
        # have them first it would sort all that is open.
        ids = list(session.scalars(opened.where(checked.is_(None)).limit(limit)))
        if len(ids) < limit:
            ids += session.scalars(opened.where(checked.is_not(None)).limit(limit - len(ids)))
        session.execute(update(Case).where(Case.id.in_(ids)).values(run_checked_at=at))
    return _runs(resources, select(*_RUN).where(Case.id.in_(ids)).order_by(Case.id)) if ids else []


def request_run(resources: Resources, run: CaseRun, *, at: datetime, patience: timedelta) -> int | None:
    """
    Take the right to start a run for a case that has none.

    Returns:
        The number of the attempt, part of the run's idempotency key; None when somebody else has asked within
        `patience`, or the case has a run after all.
    """
    with resources.database.write() as session:
        taken = session.execute(
            update(Case)
            .where(
                Case.number == run.number,
                (Case.status == CaseStatus.OPEN) | (Case.carried_seq < Case.decision_seq),
                Case.flow_run_id.is_(None),
                Case.run_attempt == run.attempt,
                (Case.run_requested_at.is_(None)) | (Case.run_requested_at <= at - patience),
            )
            .values(run_attempt=run.attempt + 1, run_requested_at=at)
        )
        assert isinstance(taken, CursorResult)  # noqa: S101 - an UPDATE always gives one; the stubs do not know
        return run.attempt + 1 if taken.rowcount == 1 else None


def release_run(resources: Resources, number: str, flow_run_id: str) -> bool:
    """Note that this run no longer carries the case (it ended, or it is lost); False when another one does already."""
    with resources.database.write() as session:
        released = session.execute(
            update(Case)
            .where(Case.number == number, Case.flow_run_id == flow_run_id)
            .values(flow_run_id=None, run_requested_at=None)
        )
        assert isinstance(released, CursorResult)  # noqa: S101 - an UPDATE always gives one; the stubs do not know
        return released.rowcount == 1


def claim_run(resources: Resources, number: str, flow_run_id: str) -> str:
    """
    Let the run that has just started carry the case, unless another one does.

    Returns:
        The id of the run that carries the case: `flow_run_id`, or the other one.
    """
    with resources.database.write() as session:
        session.execute(
            update(Case)
            .where(Case.number == number, Case.flow_run_id.is_(None))
            .values(flow_run_id=flow_run_id, run_requested_at=None)
        )
        return session.scalar(select(Case.flow_run_id).where(Case.number == number)) or flow_run_id


def open_asks(resources: Resources, number: str) -> Sequence[Ask]:
    """Return the forms of this case that were asked and not used up, oldest first."""
    with resources.database.read() as session:
        return session.scalars(
            select(Ask)
            .join(Case, Case.id == Ask.case_id)
            .where(Case.number == number, Ask.consumed_at.is_(None))
            .order_by(Ask.id)
        ).all()


def new_ask(resources: Resources, item_id: int, flow_run_id: str, *, at: datetime) -> Ask | None:
    """
    Note that a form is about to be asked in this run, under a key that was never used.

    Returns:
        The ask; None when another run carries the case by now, and this one must not wait.
    """
    with resources.database.write() as session:
        item = session.get_one(WorkItem, item_id)
        if item.case.flow_run_id != flow_run_id:
            return None
        ask = Ask(
            case_id=item.case_id,
            work_item_id=item.id,
            flow_run_id=flow_run_id,
            # A key that fired before does not suspend again, and one with other letters leaves the run stuck.
            key=f"{item.gate.slug}-{item.round}-{uuid4().hex[:12]}",
            asked_at=at,
        )
        session.add(ask)
        session.flush()
        return ask


def use_up(resources: Resources, ask_id: int, *, at: datetime, refusal: str | None = None) -> None:
    """Note that a form was answered: without effect, or with an answer that was refused (shown in the next form)."""
    with resources.database.write() as session:
        ask = session.get_one(Ask, ask_id)
        if ask.consumed_at is None:
            ask.consumed_at = at
        if refusal is not None:
            ask.work_item.refusal = refusal


def clear_refusal(resources: Resources, item_id: int) -> None:
    """Forget why the last answer was refused: this one was taken."""
    with resources.database.write() as session:
        session.execute(update(WorkItem).where(WorkItem.id == item_id, WorkItem.refusal != "").values(refusal=""))
