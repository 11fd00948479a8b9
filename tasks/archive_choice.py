"""
Which closed cases may go into an archive, and why the others stay. Read only.

A matter (a case with all cases beneath it: a campaign with its inspections, a call with its proposals and notices) goes
as a whole or not at all, so that what an archive holds can be understood and audited without the database.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from models.archive import ArchivedCase
from models.case import Case, Site
from models.ledger import LedgerAccount, LedgerEntry
from models.notice import Notice, Objection
from models.outbox import OutboxEntry
from models.registry import Unit, below
from models.work_item import WorkItem
from policies.errors import BadPolicy, Refused
from policies.vocabulary import CaseKind, CaseStatus, Letter, LetterStatus, WorkItemStatus
from rules.periods import SHANGHAI
from runtime.resources import edition_of
from tasks.audit_rows import AuditFault, number_of, rows_of
from tasks.cases import local_day
from tasks.documents import changed_documents
from tasks.history import verify
from tasks.mail import is_reported

_AT_ONCE = 100
_CLOCKS_DIFFER = timedelta(minutes=10)
"""What is closed while the archive begins, maybe by another machine, may bear a later time than the archive's own."""


@dataclass(frozen=True)
class Wanted:
    """Which matters are asked for."""

    before: date
    """Closed before this day, Asia/Shanghai."""
    kinds: tuple[CaseKind, ...] = ()
    """Kinds of the case on top; empty: all."""
    town: str = ""
    """Code of a unit: matters of it and of the units below it; empty: all."""
    staying: bool = False
    """Also copy what has to stay in the database."""


@dataclass
class Matter:
    """A case and all beneath it."""

    number: str
    cases: list[Case] = field(default_factory=list)
    hindered: list[tuple[str, str]] = field(default_factory=list)
    """Why it may not be archived now: number of the case, cause."""
    stays: list[tuple[str, str]] = field(default_factory=list)
    """Why it can not be taken out of the database."""


def matters(session: Session, wanted: Wanted, *, at: datetime, documents: Path, audit: bool = True) -> Iterator[Matter]:
    """
    Yield every matter whose case on top was closed before the day and is not archived yet, with what hinders it.

    What is archived already is no part of it; a case beneath an archived one is on top of a matter of its own.

    Args:
        session: a consistent view; a hundred matters are in memory at once.
        documents: the documents folder.
        audit: also look for changed records and files, which costs more than all else.

    Raises:
        Refused: there is no such unit.
    """
    above = aliased(ArchivedCase)
    query = (
        select(Case)
        .outerjoin(ArchivedCase, ArchivedCase.case_id == Case.id)
        .outerjoin(above, above.case_id == Case.parent_id)
        .where(
            _on_top(above),
            Case.status == CaseStatus.CLOSED,
            Case.closed_at < datetime.combine(wanted.before, time(), SHANGHAI),
            ArchivedCase.case_id.is_(None),
        )
        .order_by(Case.id)
    )
    units = _units(session, wanted.town) if wanted.town else []
    if wanted.kinds:
        query = query.where(Case.kind.in_(wanted.kinds))
    if wanted.town:
        query = query.where(Case.unit_id.in_(units))
    yield from _out_of_place(session, wanted, units, at=at)
    last = 0
    while tops := list(rows_of(session, Case, query.where(Case.id > last).limit(_AT_ONCE), number="")):
        last = _id_of(tops[-1])
        found = {top.id: Matter(top.number, [top]) for top in tops if isinstance(top, Case)}
        for top in tops:
            if isinstance(top, AuditFault):
                yield Matter(top.case_number, hindered=[(top.case_number, top.reason)])
        belongs = {top: top for top in found}
        level = list(belongs)
        while level:
            children = list(rows_of(session, Case, unarchived_below(level), number=""))
            of = session.execute(unarchived_below(level).with_only_columns(Case.id, Case.parent_id)).tuples().all()
            above_of = dict(of)
            for child in children:
                matter = found[belongs[above_of[_id_of(child)] or 0]]
                if isinstance(child, AuditFault):
                    matter.hindered.append((child.case_number, child.reason))
                else:
                    belongs[child.id] = matter.cases[0].id
                    matter.cases.append(child)
            level = [child.id for child in children if isinstance(child, Case)]
        cases = [case for matter in found.values() for case in matter.cases]
        hindered, stays = hindrances(session, cases), reasons_to_stay(session, cases)
        for matter in found.values():
            wasted = not wanted.staying and any(stays[case.id] for case in matter.cases)
            for case in matter.cases:
                causes = [*hindered[case.id], *_too_early(case, wanted.before, on=local_day(at))]
                if audit and not causes and not wasted:
                    causes += _unsound(session, case, documents)
                matter.hindered += [(case.number, each) for each in causes]
                matter.stays += [(case.number, each) for each in stays[case.id]]
            yield matter
        session.expunge_all()


def _out_of_place(session: Session, wanted: Wanted, units: Sequence[int], *, at: datetime) -> Iterator[Matter]:
    """
    Yield what is neither open nor a matter's case nor beneath one, as far as its row says: it would be told nowhere.

    Only somebody who has tampered with the row lets it say so; what is unreadable besides is found where it is read.
    """
    parent, above = aliased(Case), aliased(ArchivedCase)
    closed = Case.status == CaseStatus.CLOSED
    no_end = or_(
        Case.status.not_in(list(CaseStatus)),
        and_(closed, or_(Case.closed_at.is_(None), Case.closed_at > at + _CLOCKS_DIFFER)),
        and_(~closed, or_(Case.closed_at.is_not(None), Case.outcome.is_not(None))),
    )
    # What the choice asks after is not there, so that the choice itself would pass them over.
    no_kind, no_unit = Case.kind.not_in(list(CaseKind)), Case.unit_id.not_in(select(Unit.id))
    strange = and_(closed, or_(and_(literal(bool(wanted.kinds)), no_kind), and_(literal(bool(wanted.town)), no_unit)))
    lost = and_(Case.parent_id.is_not(None), or_(parent.id.is_(None), Case.parent_id >= Case.id))
    query = (
        select(Case.id)
        .outerjoin(ArchivedCase, ArchivedCase.case_id == Case.id)
        .outerjoin(parent, parent.id == Case.parent_id)
        .outerjoin(above, above.case_id == Case.parent_id)
        # Beneath a case that goes or not, it is told with that.
        .where(ArchivedCase.case_id.is_(None), or_(lost, and_(_on_top(above), or_(no_end, strange))))
        .order_by(Case.id)
    )
    if wanted.kinds:
        query = query.where(or_(Case.kind.in_(wanted.kinds), no_kind))
    if wanted.town:
        query = query.where(or_(Case.unit_id.in_(units), no_unit))
    for case_id in session.scalars(query).all():
        number = number_of(session, case_id)
        reasons = [fault.reason for fault in verify(session, number=number) if fault.table == Case.__tablename__]
        told = reasons[0] if reasons else "列 closed_at 不是已过去的时间"
        cause = f"记录已被改动:{told};请运行 ketang audit verify {number},对照备份更正后再归档"
        yield Matter(number, hindered=[(number, cause)])


def _on_top(above: type[ArchivedCase]) -> ColumnElement[bool]:
    """Return whether a case is on top of its matter: beneath none, or beneath one that is archived."""
    return or_(Case.parent_id.is_(None), above.case_id.is_not(None))


def unarchived_below(case_ids: Sequence[int]) -> Select[tuple[Case]]:
    """Return the query of the cases right beneath some cases that are not archived yet."""
    return (
        select(Case)
        .outerjoin(ArchivedCase, ArchivedCase.case_id == Case.id)
        .where(Case.parent_id.in_(case_ids), ArchivedCase.case_id.is_(None))
        .order_by(Case.id)
    )


def _units(session: Session, code: str) -> list[int]:
    unit = session.scalars(select(Unit).where(Unit.code == code.strip())).one_or_none()
    if unit is None:
        raise Refused("default", f"登记簿中没有编码为“{code}”的单位;请用 ketang registry show 查看编码")
    return below(session, unit)


def hindrances(session: Session, cases: Sequence[Case]) -> Mapping[int, list[str]]:
    """Return by case what is still to be done in it, so that it can not be archived yet."""
    found: dict[int, list[str]] = defaultdict(list)
    for case in cases:
        if case.status is not CaseStatus.CLOSED:
            found[case.id].append("尚未办结")
        elif case.carried_seq < case.decision_seq:
            found[case.id].append("流程尚未收尾,期限巡检会接续办理")
    ids = [case.id for case in cases]
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        queued = select(OutboxEntry.case_id, func.count(OutboxEntry.id)).group_by(OutboxEntry.case_id)
        queued = queued.where(OutboxEntry.case_id.in_(some), OutboxEntry.status == LetterStatus.QUEUED)
        for case_id, count in session.execute(queued).tuples():
            found[case_id or 0].append(f"有{count}封信函尚未寄出")
        dead = select(OutboxEntry.case_id, OutboxEntry.id).where(
            OutboxEntry.case_id.in_(some),
            OutboxEntry.status == LetterStatus.DEAD,
            OutboxEntry.letter != Letter.LETTER_UNDELIVERED,  # of a report nobody will ever be told
            ~is_reported(OutboxEntry.id),
        )
        for case_id, entry_id in session.execute(dead).tuples():
            found[case_id or 0].append(f"信函 {entry_id} 无法寄达,期限巡检尚未报告社区办")
        waiting = select(WorkItem).where(WorkItem.case_id.in_(some), WorkItem.status == WorkItemStatus.OPEN)
        for item in session.scalars(waiting):
            found[item.case_id].append(f"“{item.gate.label}”(第{item.round}次)尚未处理")
        unanswered = select(Notice.case_id, Objection.seq).join(Objection, Objection.notice_id == Notice.id)
        unanswered = unanswered.where(Notice.case_id.in_(some), Objection.answered_at.is_(None))
        for case_id, seq in session.execute(unanswered).tuples():
            found[case_id].append(f"第{seq}件异议尚未答复")
        behind = select(Notice.case_id).where(Notice.case_id.in_(some), Notice.page_seq < Notice.changed_seq)
        for case_id in session.scalars(behind):
            found[case_id].append("公示网页尚未更新,期限巡检会写出")
    return found


def reasons_to_stay(session: Session, cases: Sequence[Case]) -> Mapping[int, list[str]]:
    """Return by case what else stands on its history, so that it stays in the database."""
    found: dict[int, list[str]] = defaultdict(list)
    ids = [case.id for case in cases]
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        for site in rows_of(session, Site, select(Site).where(Site.case_id.in_(some)).order_by(Site.id), number=""):
            if isinstance(site, AuditFault):
                of_case = session.scalars(select(Site.case_id).where(Site.id == site.row)).one()
                found[of_case].append(f"客堂间名册第 {site.row} 行{site.reason}")
            else:
                found[site.case_id].append(f"客堂间 {site.number} 的名册、主题、活动以此案的办理记录为据")
        with_money = select(LedgerAccount.case_id).where(LedgerAccount.case_id.in_(some))
        for case_id in session.scalars(
            with_money.union(select(LedgerEntry.case_id).where(LedgerEntry.case_id.in_(some)))
        ):
            found[case_id].append("有专款台账,账目以此案的办理记录为据")
    return found


def too_early(case: Case, before: date, *, on: date) -> list[str]:
    """Return why a closed case may not be archived for reason of its age: empty when it is old enough."""
    if case.closed_at is None:
        return []
    closed = local_day(case.closed_at)
    if closed >= before:
        return [f"办结于{closed},不早于{before}"]
    retention = edition_of(case).retention
    years = retention.years.get(case.kind) if retention is not None else None
    if retention is None or years is None:
        return [f"所依据的政策 {case.edition_id} 没有规定{case.kind.label}办结后保留几年,一直保留"]
    free = years_after(closed, years)
    if on < free:
        where = "系统默认规定" if retention.where == "default" else retention.where
        return [f"办结于{closed},{case.kind.label}办结后至少保留{years}年,{free}起才可归档(依据:{where})"]
    return []


def _too_early(case: Case, before: date, *, on: date) -> list[str]:
    try:
        return too_early(case, before, on=on)
    except BadPolicy as error:  # told of this one; the others go
        return [str(error)]


def _id_of(row: Case | AuditFault) -> int:
    return row.row if isinstance(row, AuditFault) else row.id


def letters_until(case: Case, before: date, *, on: date) -> date:
    """Return the day before which letters of a case that stays may go: as old as the case itself would have to be."""
    retention = edition_of(case).retention
    years = retention.years[case.kind] if retention is not None else 0
    day = on.replace(year=on.year - years, day=min(on.day, 28))
    return min(day, before)


def years_after(day: date, years: int) -> date:
    """Return the same day so many years later; the first of March for a 29 February that is not there."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def _unsound(session: Session, case: Case, documents: Path) -> list[str]:
    faults = [fault.reason for fault in verify(session, number=case.number)]
    faults += list(changed_documents(session, folder=documents, number=case.number))
    return [f"核查有误,须先查明:{faults[0]}" + (f"(共{len(faults)}处)" if len(faults) > 1 else "")] if faults else []
