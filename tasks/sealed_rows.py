"""
Rows sealed by the history: every writing of such a row tells all its columns, so that the audit can compare them.

For what happens in a site's life; called by `tasks.history`; read only, and ready for rows that somebody has tampered
with. The writing side is `tasks.living.keep`.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from models.base import Base
from models.case import Case, Site
from models.evaluation import CriterionScore, EvaluationResult, YearEvaluation
from models.history import HistoryRow
from models.inspection import Campaign, Inspection, Visit, VisitFinding
from models.meeting import Meeting, MeetingAttendance, Resolution
from models.service import ServiceOrder
from models.site_change import SiteChange
from models.site_life import Activity, PublicityItem, PublicitySite, SiteSpell, Theme
from tasks.audit_rows import AuditFault, rows_of

KEPT = "row_kept"
"""The history's word for a writing; its data: ``{"rows": [{"table", "row", "facts"}]}``, no facts of a deleted row."""


def facts_of(row: Base) -> dict[str, Any]:
    """Return every column of a row as the history keeps it: JSON values."""
    return {column.key: json_of(getattr(row, column.key)) for column in row.__mapper__.column_attrs}


def json_of(value: Any) -> Any:
    """Return the value of a column as the history and archives keep it."""
    match value:
        case Enum():
            return value.value
        case datetime() | date():
            return value.isoformat()
        case Decimal():
            return str(value)
        case _:
            return value


def _of_site(table: type[Any]) -> Callable[[Case], Select[Any]]:
    return lambda case: select(table).join(Site, Site.id == table.site_id).where(Site.case_id == case.id)


def _of_case(table: type[Any]) -> Callable[[Case], Select[Any]]:
    return lambda case: select(table).where(table.case_id == case.id)


SEALED: dict[type[Any], Callable[[Case], Select[Any]]] = {
    Site: _of_case(Site),
    SiteSpell: _of_site(SiteSpell),
    Theme: _of_site(Theme),
    Activity: _of_site(Activity),
    PublicityItem: lambda case: (
        select(PublicityItem)
        .join(PublicitySite, PublicitySite.item_id == PublicityItem.id)
        .join(Site, Site.id == PublicitySite.site_id)
        .where(Site.case_id == case.id)
    ),
    Campaign: _of_case(Campaign),
    Inspection: _of_case(Inspection),
    Visit: lambda case: select(Visit).join(Inspection).where(Inspection.case_id == case.id),
    VisitFinding: lambda case: select(VisitFinding).join(Visit).join(Inspection).where(Inspection.case_id == case.id),
    YearEvaluation: _of_case(YearEvaluation),
    EvaluationResult: lambda case: (
        select(EvaluationResult).join(YearEvaluation).where(YearEvaluation.case_id == case.id)
    ),
    CriterionScore: lambda case: (
        select(CriterionScore).join(EvaluationResult).join(YearEvaluation).where(YearEvaluation.case_id == case.id)
    ),
    Meeting: _of_case(Meeting),
    MeetingAttendance: lambda case: select(MeetingAttendance).join(Meeting).where(Meeting.case_id == case.id),
    Resolution: _of_case(Resolution),
    ServiceOrder: _of_case(ServiceOrder),
    SiteChange: _of_case(SiteChange),
}
"""The tables, and which of their rows belong to a case."""
_TABLES = {table.__tablename__ for table in SEALED}


def verify_rows(session: Session, case: Case, rows: Sequence[HistoryRow]) -> Iterator[AuditFault]:
    """
    Find what was changed, added or removed in the rows of a case behind the product's back.

    Args:
        session: a consistent view.
        case: any.
        rows: its history, the seals checked, oldest first.
    """
    told: dict[tuple[str, int], dict[str, Any]] = {}
    for row in rows:
        for kept in json.loads(row.data)["rows"] if row.kind == KEPT else ():
            if kept["facts"] is None:
                told.pop((kept["table"], kept["row"]), None)
            else:
                told[kept["table"], kept["row"]] = kept["facts"]
    for table, of in SEALED.items():
        for found in rows_of(session, table, of(case).order_by(table.id), number=case.number):
            if isinstance(found, AuditFault):
                yield found
                told.pop((table.__tablename__, found.row), None)
                continue
            facts = told.pop((table.__tablename__, found.id), None)
            # Columns of a later release are not in what was told before it.
            now = facts_of(found)
            if facts is None:
                yield AuditFault(case.number, table.__tablename__, found.id, "办理记录中没有此行,系另行添加")
            elif changed := [name for name, value in facts.items() if now.get(name) != value]:
                yield AuditFault(
                    case.number, table.__tablename__, found.id, f"与办理记录不符,已被改动:{'、'.join(changed)}"
                )
    for (name, row_id), _ in told.items():
        if name in _TABLES:
            yield AuditFault(case.number, name, row_id, "办理记录中有此行,现已被删除")
