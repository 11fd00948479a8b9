"""
Two of the three drivers that carry procedures: the bulk driver (one go, many cases) and the rehearsal (a moved clock).

Neither knows Prefect; the live driver is `flows.carry`. All three run the same procedure function by `run_pass`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import bindparam, func, select

from models.case import Case
from models.work_item import Timer, WorkItem
from policies.errors import Refused
from policies.vocabulary import CaseKind, CaseStatus, WorkItemStatus
from runtime.clock import MovedClock
from runtime.resources import Resources
from tasks.asks import relatives_behind
from tasks.catching_up import catch_up
from tasks.deadlines import SweepCounts, fire_due, recompute_provisional
from tasks.notice_changes import follow_calendar
from tasks.notice_pages import write_pages
from tasks.post import post_letters
from tasks.procedure import CaseHandle, Ending, Procedure, Waiting, directly, run_pass
from tasks.year_end import report_shortfalls

Act = Callable[[], object]
_STATUS = select(WorkItem.status).where(WorkItem.id == bindparam("item"))


@dataclass
class BulkReport:
    """What came of a list of acts."""

    done: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)
    """What was refused: the row's name and the reason in Chinese. Nothing of such a row was recorded."""
    carried: dict[str, Ending | Waiting] = field(default_factory=dict)
    """Where each case stands now, by its number."""


def carry_in_bulk(
    resources: Resources,
    acts: Iterable[tuple[str, str, Act]],
    procedures: Mapping[CaseKind, Procedure],
    *,
    at: datetime,
) -> BulkReport:
    """
    Do a list of acts, then carry every case they touched to its next gate, and deliver the letters once.

    Args:
        acts: row name, case number, and the command to carry out; a refused one does not stop the others.
        procedures: which procedure carries which kind of case.
        at: one moment for all of them.
    """
    report = BulkReport()
    touched: dict[str, None] = {}
    for row, number, act in acts:
        try:
            act()
        except Refused as refusal:
            report.refused.append((row, str(refusal)))
        else:
            report.done += 1
            touched[number] = None
    for number in touched:
        report.carried |= carry_with_relatives(resources, number, procedures, at=at)
    post_letters(resources, at=at)
    write_pages(resources)  # what can not be written now, the sweep tells
    return report


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
