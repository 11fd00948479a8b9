"""Letters of cases leave: delivered now, and what can not be delivered becomes a work item of the office."""

import logging
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import bindparam, func, literal_column, select
from sqlalchemy.orm import defer

from models.case import Case
from models.outbox import OutboxEntry
from policies.vocabulary import Letter, LetterStatus
from rules.periods import SHANGHAI
from runtime.resources import Resources
from tasks.act import acting
from tasks.audit_rows import UNREADABLE, is_of_value, number_of, read_or
from tasks.cases import no_such_case
from tasks.in_brief import in_brief
from tasks.mail import is_reported, report_undelivered
from tasks.outbox import DeliveryReport, deliver

log = logging.getLogger(__name__)

_ID = select(Case.id).where(Case.number == bindparam("number"))
_RUNS = select(Case.id, Case.flow_run_id).where(Case.id.in_(bindparam("ids", expanding=True)))
# Written into the statements, because a bound value hides the partial indexes from SQLite.
_QUEUED = OutboxEntry.status == literal_column(f"'{LetterStatus.QUEUED.value}'", OutboxEntry.status.type)
_WAITING_ALL = select(func.count(), func.min(OutboxEntry.next_attempt_at)).where(_QUEUED)
_WAITING_OF_CASE = _WAITING_ALL.where(OutboxEntry.case_id == bindparam("in_case"))
_WAITING = (
    select(OutboxEntry.id)
    .join(Case, Case.id == OutboxEntry.case_id)
    .where(Case.number == bindparam("number"), OutboxEntry.status == LetterStatus.QUEUED)
    .limit(1)
)
_UNREPORTED = (
    select(OutboxEntry.id, OutboxEntry.case_id)
    .where(
        OutboxEntry.case_id.is_not(None),
        OutboxEntry.status == literal_column(f"'{LetterStatus.DEAD.value}'", OutboxEntry.status.type),
        OutboxEntry.letter != Letter.LETTER_UNDELIVERED,
        ~is_reported(OutboxEntry.id),
    )
    .order_by(OutboxEntry.id)
)
_UNREPORTED_OF_CASE = _UNREPORTED.where(OutboxEntry.case_id == bindparam("in_case"))


@dataclass(frozen=True)
class Waiting:
    """The letters that wait for a later try, also those that are not due."""

    count: int = 0
    next_at: datetime | None = None
    """When the first of them is tried again; None: now, or it can not be read."""

    @property
    def told(self) -> str:
        """In Chinese, how many wait and until when; empty: none."""
        if not self.count:
            return ""
        when = f"{self.next_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}以后" if self.next_at else "下次巡检时"
        return f"共有{self.count}封待寄,最早的{when}自动再寄"


def letters_later(resources: Resources, *, at: datetime, number: str | None = None) -> Waiting:
    """
    Return which letters still wait.

    Args:
        at: the moment; what is due by then is tried by the next delivery.
        number: only the letters of this case; None: all.
    """
    case_id = None if number is None else _id_of(resources, number)
    query, given = (_WAITING_ALL, {}) if case_id is None else (_WAITING_OF_CASE, {"in_case": case_id})
    with resources.database.glance() as connection:
        found = read_or(
            lambda: connection.execute(query, given).one(),
            lambda: (connection.scalar(query.with_only_columns(func.count()), given), None),
        )
    count, next_at = found
    return Waiting(count or 0, next_at if next_at and next_at > at else None)


def post_letters(resources: Resources, *, at: datetime, number: str | None = None) -> DeliveryReport:
    """
    Deliver the letters that are due, and report to the office each that will never arrive.

    Safe to repeat because a letter is claimed before it is sent and marked after it was.

    Args:
        at: the moment of the pass; what has passed since by the resources' clock counts.
        number: only the letters of this case; None: all.
    """

    def now() -> datetime:
        # A claim counted from the begin of a long pass would have ended before it began.
        return max(at, resources.clock.now())

    case_id = None if number is None else _id_of(resources, number)
    report = deliver(
        resources.database,
        transport=resources.transport(),
        renderer=resources.renderer,
        now=now,
        case_id=case_id,
        links_of=lambda cases: _links(resources, cases),
    )
    # Also those that an earlier run marked and, killed before it came here, did not report.
    failures = []
    for entry_id, of_case in _unreported(resources, case_id):
        try:
            with acting(resources, at=now()) as act:
                case = act.session.get_one(Case, of_case, with_for_update={"of": Case})
                # Without its facts: they may be what can not be read.
                entry = act.session.get_one(OutboxEntry, entry_id, options=[defer(OutboxEntry.context)])
                if entry.status is LetterStatus.DEAD:  # else the office sent it anew meanwhile
                    report_undelivered(act, case, entry)
        except Exception as error:  # one that can not be told must not keep the sweep from all else; told by every pass
            with resources.database.read() as session:
                named = number_of(session, of_case)
            log.exception("undelivered letter %s of case %s can not be reported", entry_id, named)
            failures.append(f"{named or '(所属案件不明)'}:信函 {entry_id} 未能送达,也未能报告:{in_brief(error)}")
    return replace(report, failures=tuple(failures))


def _id_of(resources: Resources, number: str) -> int:
    with resources.database.glance() as connection:
        case_id = connection.scalar(_ID, {"number": number.strip()})
    if case_id is None:
        raise no_such_case(number)
    return case_id


def _unreported(resources: Resources, case_id: int | None) -> list[tuple[int, int]]:
    """
    Return the letters, with their cases' ids, that will never arrive and of which the office does not know.

    0 stands for a case of which nobody can read which one it is.
    """
    query, given = (_UNREPORTED, {}) if case_id is None else (_UNREPORTED_OF_CASE, {"in_case": case_id})
    with resources.database.glance() as connection:

        def one(entry_id: int) -> tuple[int, int]:
            of_case = select(OutboxEntry.case_id).where(OutboxEntry.id == entry_id)
            return entry_id, read_or(lambda: connection.scalar(of_case) or 0, lambda: 0)

        return read_or(
            lambda: [(entry_id, of_case) for entry_id, of_case in connection.execute(query, given)],
            lambda: [one(each) for each in connection.scalars(query.with_only_columns(OutboxEntry.id), given).all()],
        )


def letters_wait(resources: Resources, number: str) -> bool:
    """Return whether a letter of this case waits to be delivered."""
    with resources.database.glance() as connection:
        return connection.scalar(_WAITING, {"number": number}) is not None


def _links(resources: Resources, cases: Collection[int | None]) -> dict[int | None, str]:
    ids = [each for each in cases if each is not None]
    try:
        with resources.database.glance() as connection:
            return {case_id: resources.link_of(run) for case_id, run in connection.execute(_RUNS, {"ids": ids})}
    except UNREADABLE as error:
        if not is_of_value(error):
            raise
        # One case's run can not be read: its letters go without a link, the others with theirs.
        links: dict[int | None, str] = {}
        for each in ids if len(ids) > 1 else []:
            links |= _links(resources, [each])
        return links
