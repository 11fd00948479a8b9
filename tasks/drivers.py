"""
Two of the three drivers that carry procedures: the bulk driver (one go, many cases) and the rehearsal (a moved clock).

Neither knows Prefect; the live driver is `flows.carry`. All three run the same procedure function by `run_pass`.
"""

import logging
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TypeVar

from sqlalchemy import bindparam, func, select
from sqlalchemy.exc import OperationalError

from models.case import Case
from models.work_item import Timer, WorkItem
from policies.errors import Refused, Temporary
from policies.vocabulary import CaseKind, CaseStatus, WorkItemStatus
from runtime.clock import MovedClock
from runtime.resources import Resources
from tasks.asks import relatives_behind, tend, tended
from tasks.audit_rows import is_of_value
from tasks.catching_up import catch_up
from tasks.deadlines import SweepCounts, fire_due, recompute_provisional
from tasks.in_brief import in_brief
from tasks.notice_changes import follow_calendar
from tasks.notice_pages import write_pages
from tasks.post import post_letters
from tasks.procedure import CaseHandle, Ending, Procedure, Waiting, directly, run_pass
from tasks.year_end import report_shortfalls

Row = tuple[str, str, Callable[[], object]]
"""The row's name, the case's number, and the command to carry out."""
Known = Callable[[Collection[str]], Mapping[str, str]]
"""Of rows by their names, those that were carried out already, and how, in Chinese."""
T = TypeVar("T")
AHEAD = 50
"""So many rows' cases are noted at once as being brought up to date."""
MOST_IN_A_ROW = 3
"""A database that was away for so many, one after the other, is not asked for more."""
_STATUS = select(WorkItem.status).where(WorkItem.id == bindparam("item"))
log = logging.getLogger(__name__)


@dataclass
class BulkReport:
    """What came of a list of acts."""

    done: int = 0
    done_before: list[tuple[str, str]] = field(default_factory=list)
    """What had been carried out before by the same list: the row's name and how, in Chinese."""
    refused: list[tuple[str, str]] = field(default_factory=list)
    """What was refused or broke, and not recorded: the row's name, and the reason in Chinese with its case."""
    failures: list[str] = field(default_factory=list)
    """Cases that could not be carried, and why, in Chinese; the sweep sees to them."""
    carried: dict[str, Ending | Waiting] = field(default_factory=dict)
    """Where each case stands now, by its number."""
    shown: set[str] = field(default_factory=set)
    """Of these, the cases whose runs show that."""


class Bulk:
    """
    A list of acts, and the carrying of the cases that they touch; `report` tells what came of them.

    One that is refused or breaks stops no other. A part that was stopped by a database that is away raises in the end,
    and goes on with what is left when it is called again.

    Args:
        procedures: which procedure carries which kind of case.
        at: one moment for all of them.
        known: tells which rows were carried out already; None: nobody knows.
    """

    def __init__(
        self,
        resources: Resources,
        rows: Iterable[Row],
        procedures: Mapping[CaseKind, Procedure],
        *,
        at: datetime,
        known: Known | None = None,
    ) -> None:
        self.report = BulkReport()
        self._resources = resources
        self._procedures = procedures
        self._at = at
        self._known = known or (lambda _: {})
        self._rows = deque(rows)
        self._tried = False
        self._tended = set[str]()
        self._touched: dict[str, None] = {}
        self._waiting = deque[str]()
        self._broken = set[str]()

    def act(self) -> None:
        """
        Carry out the rows that are left.

        Raises:
            OperationalError: the database was away for some of them, which are left.
            Temporary: as well.
        """
        if self._tried:
            # What the database did not answer to may have been committed.
            done = self._known([name for name, _, _ in self._rows])
            for name, number, _ in self._rows:
                if name in done:
                    self._note_done(number)
            self._rows = deque(row for row in self._rows if row[0] not in done)
        self._tried = True
        _through(self._rows, self._act, lambda row, reason: self.report.refused.append(_refused(row, reason)))
        done = self._known([name for name, _ in self.report.refused])
        self.report.done_before += [(name, done[name]) for name, _ in self.report.refused if name in done]
        self.report.refused = [(name, reason) for name, reason in self.report.refused if name not in done]

    def give_up(self, reason: str) -> None:
        """Tell of the rows that are left that they were not carried out."""
        self.report.refused += [_refused(row, reason) for row in self._rows]
        self._rows.clear()

    def take_up(self, numbers: Collection[str]) -> None:
        """Have these cases carried too."""
        tend(self._resources, numbers, at=self._resources.clock.now())
        self._tended.update(numbers)
        self._touched |= dict.fromkeys(numbers)

    def carry(self) -> None:
        """
        Carry every case that was touched to its next gate or its end, and every case beside it that this moves.

        Raises:
            OperationalError: the database was away for some of them, which are left.
            Temporary: as well.
        """
        self._waiting.extend(self._touched)
        self._touched = {}
        _through(self._waiting, self._carry, self._note_broken)
        self.leave()

    def leave(self) -> None:
        """Let the sweep see at once to all that was not carried."""
        tended(self._resources, sorted(self._tended - set(self.report.carried)))

    @property
    def touched(self) -> list[str]:
        """The cases that are to be carried."""
        return list(self._touched)

    def _act(self, row: Row) -> None:
        _, number, act = row
        if number not in self._tended:
            ahead = {other for _, other, _ in islice(self._rows, AHEAD)}
            tend(self._resources, sorted(ahead), at=self._resources.clock.now())
            self._tended |= ahead
        act()
        self._note_done(number)

    def _note_done(self, number: str) -> None:
        self.report.done += 1
        self._touched[number] = None

    def _carry(self, number: str) -> None:
        self.report.carried[number] = carry_directly(self._resources, number, self._procedures, at=self._at)
        beside = relatives_behind(self._resources, number)
        if more := [other for other in beside if other not in self._waiting and other not in self._broken]:
            tend(self._resources, more, at=self._resources.clock.now())
            self._tended.update(more)
            self._waiting.extend(more)

    def _note_broken(self, number: str, reason: str) -> None:
        self._broken.add(number)
        self.report.failures.append(f"案件 {number} 未能续办,下次巡检再办:{reason}")


def _refused(row: Row, reason: str) -> tuple[str, str]:
    name, number, _ = row
    return name, reason if number in reason or name == number else f"案件 {number}:{reason}"


def _through(items: deque[T], do: Callable[[T], object], tell: Callable[[T, str], None]) -> None:
    """Do something with each; what breaks is told, and what a database that is away kept from it is left."""
    left, in_a_row, away = list[T](), 0, None
    try:
        while items and in_a_row < MOST_IN_A_ROW:
            try:
                do(items[0])
            except Refused as refusal:
                tell(items.popleft(), str(refusal))
            except Exception as error:  # one that is broken must not stop the others
                each = items.popleft()
                if _may_pass(error):
                    left.append(each)
                    in_a_row, away = in_a_row + 1, error
                    continue
                log.exception("one of many can not be done")
                tell(each, in_brief(error))
            else:
                items.popleft()
            in_a_row = 0
    finally:
        items.extendleft(reversed(left))
    if away is not None:
        raise away


def _may_pass(error: Exception) -> bool:
    return isinstance(error, (Temporary, OperationalError)) and not is_of_value(error)


def carry_in_bulk(
    resources: Resources,
    acts: Iterable[Row],
    procedures: Mapping[CaseKind, Procedure],
    *,
    at: datetime,
) -> BulkReport:
    """
    Do a list of acts, then carry every case they touched to its next gate, and deliver the letters once.

    Args:
        acts: a refused one does not stop the others.
        procedures: which procedure carries which kind of case.
        at: one moment for all of them.
    """
    bulk = Bulk(resources, acts, procedures, at=at)
    bulk.act()
    bulk.carry()
    post_letters(resources, at=at)
    write_pages(resources)  # what can not be written now, the sweep tells
    return bulk.report


def carry_with_relatives(
    resources: Resources, number: str, procedures: Mapping[CaseKind, Procedure], *, at: datetime
) -> dict[str, Ending | Waiting]:
    """Carry one case as far as it goes, and every case beside it that this moves, as a call moves its projects."""
    carried: dict[str, Ending | Waiting] = {}
    waiting = [number]
    while waiting:
        each = waiting.pop(0)
        carried[each] = carry_directly(resources, each, procedures, at=at)
        waiting += [other for other in relatives_behind(resources, each) if other not in waiting]
    return carried


def carry_directly(
    resources: Resources, number: str, procedures: Mapping[CaseKind, Procedure], *, at: datetime
) -> Ending | Waiting:
    """Carry one case as far as it goes, without Prefect."""

    def procedure(case: CaseHandle) -> Ending:
        return procedures[case.kind](case)

    while True:
        result = run_pass(resources, number, procedure, at=at, perform=directly)
        if isinstance(result, Ending) or _waits(resources, result.work_item):
            return result
        # a gate may close as it opens, like a settlement with nothing to return


def _waits(resources: Resources, item_id: int) -> bool:
    with resources.database.glance() as connection:
        return connection.execute(_STATUS, {"item": item_id}).scalar_one() is WorkItemStatus.OPEN


class Rehearsal:
    """
    Carries cases with a moved clock and no Prefect: for tests, simulated years, trying a policy before it is out.

    Args:
        resources: opened with a `MovedClock`.
        procedures: which procedure carries which kind of case.
    """

    def __init__(self, resources: Resources, procedures: Mapping[CaseKind, Procedure]) -> None:
        if not isinstance(resources.clock, MovedClock):
            raise TypeError("a rehearsal needs resources with a MovedClock")
        self.resources = resources
        self.clock = resources.clock
        self.procedures = procedures

    def carry(self, number: str) -> Ending | Waiting:
        """Carry one case to its next gate or its end, and deliver its letters."""
        carried = carry_with_relatives(self.resources, number, self.procedures, at=self.clock.now())
        post_letters(self.resources, at=self.clock.now())
        write_pages(self.resources)
        return carried[number]

    def sweep(self) -> SweepCounts:
        """Let time do what is due now, and carry on the cases it decided."""
        at = self.clock.now()
        recomputed = recompute_provisional(self.resources, at=at) + follow_calendar(self.resources, at=at)
        counts = fire_due(self.resources, at=at)
        report_shortfalls(self.resources, at=at, failures=counts.failures)
        catch_up(self.resources, at=at, failures=counts.failures)
        counts.recomputed += recomputed
        for number in self._behind():
            carry_with_relatives(self.resources, number, self.procedures, at=at)
        post_letters(self.resources, at=at)
        write_pages(self.resources)
        return counts

    def move_to(self, at: datetime) -> None:
        """Move the clock to `at`, stopping at every moment at which something is due, as the live sweep would."""
        while (due := next_due(self.resources)) is not None and due <= at:
            self.clock.move_to(max(due, self.clock.now()))
            counts = self.sweep()
            if counts.failures:
                raise RuntimeError("; ".join(counts.failures))
        self.clock.move_to(at)
        self.sweep()

    def _behind(self) -> list[str]:
        with self.resources.database.read() as session:
            return list(
                session.scalars(
                    select(Case.number)
                    .where(Case.status == CaseStatus.OPEN, Case.carried_seq < Case.decision_seq)
                    .order_by(Case.id)
                )
            )


def next_due(resources: Resources) -> datetime | None:
    """Return when time does something next; None when nothing is planned."""
    with resources.database.read() as session:
        return session.scalar(select(func.min(Timer.fires_at)).where(Timer.fired_at.is_(None)))
