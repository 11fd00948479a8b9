"""
What a procedure is made of: a plain function over a `CaseFile` handle, carried by a driver.

A procedure reads like the policy document. It asks for decisions; while there is none it raises `Waiting`, which only
a driver catches: the live one suspends a Prefect run, the bulk one goes on with the next case, the rehearsal one moves
the clock. Everything done is read from the database and passed over, so any line may run any number of times.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import joinedload

from models.case import Case
from models.work_item import Decision, WorkItem
from policies.edition import Edition
from policies.vocabulary import CaseKind, CaseStatus, Gate, Outcome
from runtime.resources import Resources, edition_of
from tasks.asks import show_again
from tasks.cases import load_case
from tasks.closing import close_case, list_site
from tasks.gates import note_carried, open_gate

R = TypeVar("R")
_ITEMS = select(WorkItem).where(WorkItem.case_id == bindparam("in_case")).options(joinedload(WorkItem.decision))


class Perform(Protocol):
    """How a driver carries out a step: directly, or as a Prefect task."""

    def __call__(self, step: Callable[[], R], *, name: str) -> R:
        """Carry out `step` and return what it returns."""


class Waiting(Exception):
    """The procedure has come to a gate at which nobody has decided yet."""

    def __init__(self, gate: Gate, round_: int, work_item: int) -> None:
        super().__init__(gate, round_, work_item)
        self.gate = gate
        self.round = round_
        self.work_item = work_item


@dataclass(frozen=True)
class Ending:
    """How a procedure ended."""

    outcome: Outcome
    because: str = ""


@dataclass(frozen=True)
class CaseHandle:
    """A case in the hands of a procedure, at one moment."""

    number: str
    kind: CaseKind
    edition: Edition
    decisions: Mapping[tuple[Gate, int], Decision]
    """What was decided when this pass began, by gate and round; what comes later is for the next pass."""
    waiting: Mapping[tuple[Gate, int], int]
    """Work items that were opened and wait, by gate and round."""
    seen: int
    """How many decisions had been taken in the case by then."""
    resources: Resources
    at: datetime
    perform: Perform


Procedure = Callable[[CaseHandle], Ending]


def await_decision(case: CaseHandle, gate: Gate, round_: int = 1) -> Decision:
    """
    Return the decision taken at `gate` in that round; while there is none, open the gate and stop here.

    Raises:
        Waiting: nobody has decided yet.
    """
    decision = case.decisions.get((gate, round_))
    if decision is not None:
        return decision
    item = case.waiting.get((gate, round_))
    if item is None:
        item = case.perform(
            lambda: open_gate(case.resources, case.number, gate, round_, seen=case.seen, at=case.at),
            name=f"开启环节:{gate.label}",
        )
    raise Waiting(gate, round_, item)


def put_on_the_list(case: CaseHandle) -> None:
    """List the parlour as an active site, once: the step knows whether it was taken before."""
    case.perform(lambda: list_site(case.resources, case.number, at=case.at), name="列入客堂间名册")


def run_pass(
    resources: Resources, number: str, procedure: Procedure, *, at: datetime, perform: Perform
) -> Ending | Waiting:
    """
    Carry a case as far as it goes now: to its next gate, or to its end.

    Returns:
        The gate it waits at, or how it ended (also when it had ended before).
    """
    with resources.database.read() as session:
        case = load_case(session, number, lock=False)
        if case.status is CaseStatus.CLOSED and case.outcome is not None:
            return Ending(case.outcome, case.because)
        items = session.scalars(_ITEMS, {"in_case": case.id}).all()
        handle = CaseHandle(
            number=number,
            kind=case.kind,
            edition=edition_of(case),
            decisions={(item.gate, item.round): item.decision for item in items if item.decision is not None},
            waiting={(item.gate, item.round): item.id for item in items if item.decision is None},
            seen=case.decision_seq,
            resources=resources,
            at=at,
            perform=perform,
        )
    try:
        ending = procedure(handle)
    except Waiting as waiting:
        if waiting.work_item in handle.waiting.values():  # else noted as it was opened
            with resources.database.write() as session:
                note_carried(session, number, handle.seen)
        return waiting
    perform(
        lambda: close_case(resources, number, ending.outcome, ending.because, at=at),
        name=f"办结:{ending.outcome.label}",
    )
    return ending


def end_shown(resources: Resources, number: str) -> None:
    """Note that the end of a case is shown in Prefect; until then the sweep wakes it, closed as it is."""
    with resources.database.write() as session:
        session.execute(
            update(Case)
            .where(Case.number == number, Case.status == CaseStatus.CLOSED)
            .values(carried_seq=Case.decision_seq)
        )


def show_later(resources: Resources, number: str) -> None:
    """Let the sweep wake an open case whose run still shows an earlier gate."""
    with resources.database.write() as session:
        show_again(session, number)


def directly(step: Callable[[], R], *, name: str) -> R:
    """Carry out a step without Prefect: the bulk and the rehearsal driver's way."""
    return step()
