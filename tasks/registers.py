"""
The registers (台账) an office keeps: cases, notices, objections, the ledger, projects; read only, written as workbooks.

Called by the command line. Contacts of those who object are masked; amounts are exact.
"""

from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from sqlalchemy import ColumnElement, CompoundSelect, func, select, union
from sqlalchemy.orm import Session

from models.archive import ArchivedCase
from models.case import Case
from models.given import given_as_ids, given_ids
from models.ledger import LedgerAccount
from models.project import Project
from models.registry import Unit, below
from models.work_item import WorkItem
from policies.errors import Refused
from policies.vocabulary import (
    CaseKind,
    CaseStatus,
    Gate,
    LedgerLevel,
    Word,
    WorkItemStatus,
)
from rules.periods import SHANGHAI, shanghai_day
from rules.scoring import shown
from runtime.resources import Resources, edition_of
from tasks import notice_register, year_register
from tasks.ledger_book import export_ledger
from tasks.register_book import Column, amounts, counts, days, in_decimal_yuan, points, texts, write_register
from tasks.register_rows import Broken, Reader, Row, Wanted, beside, fits, readable, rows_by, village_of, within


class RegisterKind(Word):
    """A register that an office keeps."""

    CASES = "cases", "案件台账"
    NOTICES = "notices", "公示台账"
    OBJECTIONS = "objections", "异议台账"
    LEDGER = "ledger", "专款台账"
    PROJECTS = "projects", "微项目台账"
    EVALUATIONS = "evaluations", "年度考核台账"


CASE_COLUMNS: tuple[Column, ...] = (
    texts("案件编号"),
    texts("类别", 14),
    texts("名称", 36),
    texts("村(居)或单位", 18),
    days("立案日期"),
    texts("适用政策", 36),
    texts("状态", 10),
    texts("当前环节", 18),
    days("办理期限"),
    texts("结果", 16),
    days("办结日期"),
    texts("说明", 40),
)
PROJECT_COLUMNS: tuple[Column, ...] = (
    texts("项目编号"),
    texts("项目名称", 30),
    texts("征集编号"),
    texts("村(居)", 16),
    texts("类别", 14),
    texts("提议人", 16),
    days("申报日期"),
    amounts("申请金额"),
    amounts("核定金额"),
    amounts("已支出"),
    amounts("结余"),
    texts("遴选情况", 14),
    texts("原因", 36),
    counts("赞成"),
    counts("反对"),
    counts("无所谓"),
    points("评分"),
    counts("名次"),
    points("评估得分"),
    texts("等次", 10),
    texts("状态", 10),
    texts("当前环节", 14),
    days("办理期限"),
    texts("结果", 14),
)


def make_register(resources: Resources, kind: RegisterKind, *, out: Path, wanted: Wanted) -> int | None:
    """
    Write a register as a workbook.

    Args:
        kind: which register.
        out: the file, never overwritten.
        wanted: which rows.

    Returns:
        How many rows it has; None of the ledger, which has two sheets.

    Raises:
        Refused: no such unit, the file is there already, or a part of the ledger is wanted: only the whole of it can
            be reconciled.
    """
    if kind is RegisterKind.LEDGER:
        if not wanted.everything:
            raise Refused(
                "default", "专款台账须整本导出,才能核对借贷和余额,不能按年份、村(居)或在办筛选;请去掉筛选条件"
            )
        if out.suffix.lower() != ".xlsx":
            raise Refused("default", f"文件名须以 .xlsx 结尾,现为“{out.name}”;请改写文件名")
        export_ledger(resources.database, out)
        return None
    columns, read = REGISTERS[kind]
    with resources.database.read() as session:
        rows = read(session, wanted, _units(session, wanted.village))
    write_register(out, kind.label, columns, rows)
    return len(rows)


def _cases(session: Session, wanted: Wanted, units: frozenset[int] | None) -> list[Row]:
    gates = _open_gates(session, units)
    archived = select(ArchivedCase.case_id)
    if units is not None:
        archived = archived.where(ArchivedCase.case_id.in_(_cases_of(session, units)))
    gone = set(session.scalars(archived))

    def make(case: Case) -> Row:
        opened, item = shanghai_day(case.opened_at), readable(gates.get(case.id))
        return (
            case.number,
            case.kind.label,
            case.title,
            village_of(case.unit),
            opened,
            edition_of(case).title,
            case.status.label + ("(已归档)" if case.id in gone else ""),
            item.gate.label if item else "",
            item.due_on if item else None,
            case.outcome.label if case.outcome else "",
            shanghai_day(case.closed_at) if case.closed_at else None,
            case.because,
        )

    query = select(Case).where(*_wanted(session, wanted, units)).order_by(Case.opened_at, Case.id)
    return rows_by(session, query, Case, make, columns=CASE_COLUMNS)


def _projects(session: Session, wanted: Wanted, units: frozenset[int] | None) -> list[Row]:
    gates, held, spent = (
        _open_gates(session, units),
        _balances(session, LedgerLevel.VILLAGE),
        _balances(session, LedgerLevel.SPENT),
    )

    def make(project: Project, case: Case) -> Row | None:
        submitted, scheme = shanghai_day(project.submitted_at), edition_of(case).for_projects
        if not fits(wanted, submitted, is_open=case.status is CaseStatus.OPEN) or not within(units, [case]):
            return None
        item = readable(gates.get(case.id))
        has_money = case.id in held
        return (
            case.number,
            case.title,
            project.call_case.number,
            village_of(case.unit),
            next((kind.name for kind in scheme.kinds if kind.code == project.kind), project.kind),
            project.leader.display,
            submitted,
            in_decimal_yuan(project.amount_fen),
            in_decimal_yuan(project.granted_fen),
            in_decimal_yuan(spent.get(case.id, 0)) if has_money else None,
            in_decimal_yuan(held[case.id]) if has_money else None,
            project.standing.label,
            project.standing_because,
            project.in_favour,
            project.against,
            project.indifferent,
            _points(project.score),
            project.rank,
            _points(project.result),
            next((each.name for each in scheme.evaluation.grades if each.code == project.grade), project.grade),
            case.status.label,
            item.gate.label if item else "",
            item.due_on if item else None,
            case.outcome.label if case.outcome else "",
        )

    query = select(Project, Case).join(Case, Case.id == Project.case_id).order_by(Project.submitted_at, Project.id)
    return rows_by(session, query, Project, make, columns=PROJECT_COLUMNS)


def _evaluations(session: Session, wanted: Wanted, units: frozenset[int] | None) -> list[Row]:
    return year_register.rows(session, year=wanted.year, units=units, open_only=wanted.open_only)


REGISTERS: dict[RegisterKind, tuple[tuple[Column, ...], Reader]] = {
    RegisterKind.EVALUATIONS: (year_register.COLUMNS, _evaluations),
    RegisterKind.CASES: (CASE_COLUMNS, _cases),
    RegisterKind.NOTICES: (notice_register.NOTICE_COLUMNS, notice_register.notices),
    RegisterKind.OBJECTIONS: (notice_register.OBJECTION_COLUMNS, notice_register.objections),
    RegisterKind.PROJECTS: (PROJECT_COLUMNS, _projects),
}
"""Columns of each register and what reads its rows."""


def _units(session: Session, code: str) -> frozenset[int] | None:
    if not code:
        return None
    unit = session.scalars(select(Unit).where(Unit.code == code.strip())).one_or_none()
    if unit is None:
        raise Refused("default", f"登记簿中没有编码为“{code}”的单位;请用 ketang registry show 查看村(居)的编码")
    return frozenset(below(session, unit))


def _wanted(session: Session, wanted: Wanted, units: frozenset[int] | None) -> list[ColumnElement[bool]]:
    """Return what the register of cases asks of a case, for the database: an office may have a million."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.year is not None:
        begins, ends = (datetime(year, 1, 1, tzinfo=SHANGHAI) for year in (wanted.year, wanted.year + 1))
        conditions += [Case.opened_at >= begins, Case.opened_at < ends]
    if wanted.open_only:
        conditions.append(Case.status == CaseStatus.OPEN)
    if units is not None:
        conditions.append(Case.id.in_(_cases_of(session, units)))
    return conditions


def _cases_of(session: Session, units: frozenset[int]) -> CompoundSelect[tuple[int]]:
    # Not the query of the units: PostgreSQL supposes it to find many times as many, and reads all cases.
    these = given_ids(session.get_bind().dialect.name)
    found = union(select(Case.id).where(Case.unit_id.in_(these)), select(Case.id).where(Case.village_id.in_(these)))
    return found.params(given_as_ids(units))


def _open_gates(session: Session, units: frozenset[int] | None) -> dict[int, WorkItem | Broken]:
    query = select(WorkItem.case_id, WorkItem).where(
        WorkItem.status == WorkItemStatus.OPEN, WorkItem.gate != Gate.UNDELIVERED_LETTER
    )
    if units is not None:
        query = query.where(WorkItem.case_id.in_(_cases_of(session, units)))
    return dict(beside(session, query, WorkItem))


def _balances(session: Session, level: LedgerLevel) -> dict[int, int]:
    """Return what stands at a level by project, in fen."""
    query = (
        select(LedgerAccount.case_id, func.sum(LedgerAccount.balance_fen))
        .join(Case, Case.id == LedgerAccount.case_id)
        .where(LedgerAccount.level == level, Case.kind == CaseKind.PROJECT)
        .group_by(LedgerAccount.case_id)
    )
    return {case_id: int(fen) for case_id, fen in session.execute(query).tuples()}


def _points(fraction: str) -> Decimal | None:
    return Decimal(shown(Fraction(fraction))) if fraction else None
