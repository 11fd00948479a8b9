"""The registers of public notices (公示台账) and of the objections against them (异议台账)."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import Case
from models.notice import Notice, Objection
from policies.vocabulary import CaseStatus, ObjectionFinding
from rules.periods import shanghai_day
from tasks.notice_mail import masked_contact
from tasks.register_book import Column, counts, days, texts
from tasks.register_rows import Broken, Row, Wanted, beside, fits, readable, rows_by, within

NOTICE_COLUMNS: tuple[Column, ...] = (
    texts("公示编号"),
    texts("标题", 36),
    texts("类别", 14),
    texts("所属案件"),
    texts("公示单位", 18),
    days("公示日期"),
    days("截止日期"),
    counts("延期次数"),
    texts("公示地点", 24),
    counts("异议", summed=True),
    counts("成立", summed=True),
    counts("待处理", summed=True),
    texts("状态", 10),
    texts("结果", 16),
    days("结束日期"),
    texts("说明", 40),
)
OBJECTION_COLUMNS: tuple[Column, ...] = (
    texts("公示编号"),
    texts("公示标题", 30),
    counts("异议序号"),
    days("收到日期"),
    texts("方式", 8),
    texts("异议人", 14),
    texts("联系方式(打码)", 22),
    texts("异议内容", 40),
    texts("异议对象", 30),
    texts("认定", 12),
    texts("理由", 40),
    days("处理日期"),
    days("答复日期"),
    texts("答复方式", 24),
)


def notices(session: Session, wanted: Wanted, units: frozenset[int] | None) -> list[Row]:
    """Return the rows of the register of notices, in the order in which they were published."""
    findings = _findings(session)

    def make(notice: Notice, case: Case) -> Row | None:
        published = shanghai_day(notice.published_at)
        about = [case, *_items(session, notice)]
        if not fits(wanted, published, is_open=case.status is CaseStatus.OPEN) or not within(units, about):
            return None
        found = [readable(each) for each in findings.get(notice.id, [])]
        return (
            case.number,
            case.title,
            notice.kind.label,
            case.parent.number if case.parent else "",
            case.unit.name,
            published,
            notice.ends_on,
            len(notice.prolonged),
            notice.place,
            len(found),
            found.count(ObjectionFinding.UPHELD),
            found.count(None),
            case.status.label,
            case.outcome.label if case.outcome else "",
            shanghai_day(notice.closed_at) if notice.closed_at else None,
            notice.closed_because,
        )

    query = select(Notice, Case).join(Case, Case.id == Notice.case_id).order_by(Notice.published_at, Notice.id)
    return rows_by(session, query, Notice, make, columns=NOTICE_COLUMNS)


def objections(session: Session, wanted: Wanted, units: frozenset[int] | None) -> list[Row]:
    """Return the rows of the register of objections, in the order in which they came; contacts are masked."""

    def make(objection: Objection, case: Case) -> Row | None:
        against = session.get(Case, objection.against_case_id) if objection.against_case_id else None
        received, about = shanghai_day(objection.received_at), [case] if against is None else [case, against]
        if not fits(wanted, received, is_open=objection.finding is None) or not within(units, about):
            return None
        return (
            case.number,
            case.title,
            objection.seq,
            received,
            objection.channel.label,
            objection.name or "匿名",
            masked_contact(objection.contact) if objection.contact else "",
            objection.content,
            f"{against.number} {against.title}" if against else "整个公示",
            objection.finding.label if objection.finding else "待处理",
            objection.reasons,
            shanghai_day(objection.handled_at) if objection.handled_at else None,
            shanghai_day(objection.answered_at) if objection.answered_at else None,
            objection.answered_by,
        )

    query = (
        select(Objection, Case)
        .join(Notice, Notice.id == Objection.notice_id)
        .join(Case, Case.id == Notice.case_id)
        .order_by(Objection.received_at, Objection.id)
    )
    return rows_by(session, query, Objection, make, columns=OBJECTION_COLUMNS)


def _items(session: Session, notice: Notice) -> list[Case]:
    ids = [item["case"] for item in notice.items if item.get("case") is not None]
    return list(session.scalars(select(Case).where(Case.id.in_(ids)))) if ids else []


def _findings(session: Session) -> dict[int, list[ObjectionFinding | Broken | None]]:
    found: dict[int, list[ObjectionFinding | Broken | None]] = {}
    for notice_id, finding in beside(session, select(Objection.notice_id, Objection.finding), Objection):
        found.setdefault(notice_id, []).append(finding)
    return found
