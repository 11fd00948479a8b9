"""
Whether a case's own row fits what stands around it: what it refers to, how it ended, what waits in it.

Read only, called by `tasks.history`. No seal covers these columns: the office, the engine and time change them. But a
reference to nothing, an end without its day or a gate that can not be read keeps the case from being shown, and the
audit, to which whoever meets that is sent, shall name the place.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, aliased

from models.case import Case
from models.registry import Household, Unit
from models.work_item import Timer, WorkItem
from policies.vocabulary import CaseKind, CaseStatus
from tasks.audit_rows import AuditFault, rows_of

_PARENT: Any = aliased(Case)
_REFERENCES: dict[str, tuple[Any, str]] = {
    "unit_id": (Unit, "单位"),
    "village_id": (Unit, "单位"),
    "group_id": (Unit, "单位"),
    "household_id": (Household, "户"),
    "parent_id": (_PARENT, "案件"),
}
"""What a case refers to by number, and what the office calls it."""
_OF_SITE = ("village_id", "group_id", "household_id")
# Built once: every case of an audit is asked this.
_THERE = select(
    *(select(table.id).where(table.id == getattr(Case, column)).exists() for column, (table, _) in _REFERENCES.items())
).where(Case.id == bindparam("in_case"))


def verify_place(session: Session, case: Case, *, in_part: bool) -> Iterator[AuditFault]:
    """
    Find what a case's row can not truly say, and which of its gates and timers can not be read.

    Args:
        session: a consistent view.
        case: readable column by column.
        in_part: the case that this one belongs to may be elsewhere.
    """
    for reason in _reasons(session, case, in_part=in_part):
        yield AuditFault(case.number, "cases", case.id, reason)
    items = select(WorkItem).where(WorkItem.case_id == case.id).order_by(WorkItem.id)
    for item in rows_of(session, WorkItem, items, number=case.number):
        if isinstance(item, AuditFault):
            yield item
    timers = select(Timer).join(WorkItem, WorkItem.id == Timer.work_item_id).where(WorkItem.case_id == case.id)
    for timer in rows_of(session, Timer, timers.order_by(Timer.id), number=case.number):
        if isinstance(timer, AuditFault):
            yield timer


def _reasons(session: Session, case: Case, *, in_part: bool) -> Iterator[str]:
    there = session.execute(_THERE, {"in_case": case.id}).one()
    for (column, (_, what)), found in zip(_REFERENCES.items(), there, strict=True):
        value = getattr(case, column)
        if value is not None and not found:
            if in_part and column == "parent_id":
                continue
            yield f"列 {column} 现为“{value}”,没有这样的{what}"
        elif value is None and case.kind is CaseKind.SITE and column in _OF_SITE:
            yield f"列 {column} 现为空,{case.kind.label}案件须有{what}"
    # A parent is there before what belongs to it, and ids are given in order: no case is its own, nor two each other's.
    if case.parent_id is not None and case.parent_id >= case.id:
        yield f"列 parent_id 现为“{case.parent_id}”,所属案件须先于此案立案"
    closed = case.status is CaseStatus.CLOSED
    for column, value in (("outcome", case.outcome), ("closed_at", case.closed_at)):
        if closed != (value is not None):
            yield f"列 status 现为“{case.status.value}”,而列 {column} 现为{'空' if value is None else f'“{value}”'}"
