"""Reading records that may have been tampered with: for the audit of the history and of the ledger, read only."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Enum, Integer, Select, String
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from models.base import Base
from models.case import Site
from models.evaluation import CriterionScore, EvaluationResult, YearEvaluation
from models.history import HistoryRow
from models.inspection import Campaign, Inspection, Visit, VisitFinding
from models.ledger import LedgerAccount, LedgerEntry, LedgerLine
from models.meeting import Meeting, MeetingAttendance, Resolution
from models.notice import Notice, Objection
from models.project import Call, CallMember, Interest, MeetingVote, PanelResult, Plan, ProgressRecord, Project, Score
from models.service import ServiceOrder
from models.site_change import SiteChange
from models.site_life import Activity, PublicityItem, SiteSpell, Theme
from models.work_item import Decision

R = TypeVar(
    "R",
    HistoryRow,
    Decision,
    LedgerEntry,
    LedgerLine,
    LedgerAccount,
    Notice,
    Objection,
    Call,
    CallMember,
    Project,
    Interest,
    Score,
    MeetingVote,
    Plan,
    PanelResult,
    ProgressRecord,
    Site,
    SiteSpell,
    Theme,
    Activity,
    PublicityItem,
    Campaign,
    Inspection,
    Visit,
    VisitFinding,
    YearEvaluation,
    EvaluationResult,
    CriterionScore,
    Meeting,
    MeetingAttendance,
    Resolution,
    ServiceOrder,
    SiteChange,
)

# Not a word of its list, no moment, no JSON, a number or bytes for a day; SQLite says OperationalError of text that is
# not UTF-8.
UNREADABLE = (ValueError, LookupError, TypeError, OperationalError)
"""What reading a row that somebody has tampered with may raise."""


@dataclass(frozen=True)
class AuditFault:
    """One row that is not what was once written."""

    case_number: str
    """Empty for a row that no longer belongs to any case."""
    table: str
    row: int
    reason: str

    def __str__(self) -> str:
        case = f"案件 {self.case_number}:" if self.case_number else ""
        return f"{case}表 {self.table} 第 {self.row} 行:{self.reason}"


def rows_of(session: Session, table: type[R], query: Select[tuple[R]], *, number: str) -> Iterator[R | AuditFault]:
    """
    Yield the rows of a query; a row so damaged that it can not be read is a fault, not the audit's end.

    Args:
        query: selects `table`, in order.
        number: the case's, for the faults.
    """
    try:
        rows: list[R | AuditFault] = list(session.scalars(query).all())
    except UNREADABLE:
        ids = session.scalars(query.with_only_columns(table.id)).all()
        rows = [_read(session, table, row_id, number) for row_id in ids]
    for row in rows:
        if not isinstance(row, AuditFault) and not _whole(row):
            row = AuditFault(number, table.__tablename__, row.id, "无法读取,已被改动")
        yield row


def _read(session: Session, table: type[R], row_id: int, number: str) -> R | AuditFault:
    try:
        return session.get_one(table, row_id)
    except UNREADABLE:
        return AuditFault(number, table.__tablename__, row_id, "无法读取,已被改动")


def _whole(row: Base) -> bool:
    """Return whether numbers are numbers and texts are texts: SQLite keeps anything in any column."""
    return all(
        isinstance(getattr(row, column.key), int | None if isinstance(column.type, Integer) else str | None)
        for column in row.__table__.columns
        if isinstance(column.type, Integer | String) and not isinstance(column.type, Enum)
    )
