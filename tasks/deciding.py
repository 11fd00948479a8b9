"""The act of somebody who decides: what comes after the end of the period is told that time has decided already."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from models.case import Case
from models.work_item import WorkItem
from policies.errors import Refused
from policies.vocabulary import Gate
from runtime.resources import Resources
from tasks.act import Act, acting
from tasks.cases import Asked, item_asked, item_that_waits, load_case, policy_of
from tasks.due_days import is_over
from tasks.lapses import lapse
from tasks.mail import chinese_date


@dataclass(frozen=True)
class Deciding(Act):
    """An act that `deciding` opened."""


class _Over(Exception):
    """Time decides: the day of the gate that waits is over, and the sweep has not come by yet."""

    def __init__(self, number: str) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def deciding(resources: Resources, *, at: datetime) -> Iterator[Deciding]:
    """
    Open an act of somebody who decides at a gate, which `item_to_decide` returns.

    Raises:
        Refused: the gate's day is over and the edition lets it lapse; that was written now, and nothing of this act.
    """
    try:
        with resources.database.write() as session:
            yield Deciding(session=session, resources=resources, at=at)
    except _Over as over:
        number = over.number
    else:
        return
    with acting(resources, at=at) as act:
        told = _lapse(act, number)
    raise told


def item_to_decide(act: Deciding, case: Case, asked: Asked | None, gate: Gate | None = None) -> WorkItem:
    """
    Return the work item that waits for a decision, at `gate` if one is named; a form that it came in on is used up.

    Raises:
        Refused: as `tasks.cases.item_asked`.
    """
    item = item_asked(act.session, case, asked, gate, at=act.at)
    if item.lapses and is_over(act, item):
        raise _Over(case.number)
    return item


def _lapse(act: Act, number: str) -> Refused:
    """Write the lapse; return what is told to who came too late."""
    case = load_case(act.session, number)
    item = item_that_waits(act.session, case)
    if not (item.lapses and is_over(act, item)):
        return Refused("default", f"案件 {number} 刚刚已有变动,现处于“{item.gate.label}”环节,请重新查看后再提交")
    lapse(act, item)
    decided = item.decision.verdict.label if item.decision else ""
    return Refused(
        policy_of(case, item.gate).where,
        f"案件 {number} 的“{item.gate.label}”已于{chinese_date(item.due_on)}期满,"
        f"系统已按规定作出“{decided}”,不能再办理",
    )
