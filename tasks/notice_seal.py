"""
The seals of public notices: a hash over all that was published, a fingerprint of each objection; and their check.

Used when a notice is published and an objection recorded, and by the audit, which trusts only the sealed history.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import canonical
from models.case import Case
from models.history import HistoryRow
from models.notice import Notice, Objection
from policies.vocabulary import CaseKind
from tasks.audit_rows import AuditFault, read_or, rows_of


def first_last_day(notice: Notice) -> date:
    """Return the last day as it was published, before any prolongation."""
    return date.fromisoformat(notice.prolonged[0]["from"]) if notice.prolonged else notice.ends_on


def digest_of(notice: Notice) -> str:
    """Return the SHA-256 over everything that was published, in canonical JSON; what came later is not in it."""
    case = notice.case
    published: dict[str, Any] = {
        "number": case.number,
        "unit": case.unit.code,
        "title": case.title,
        "kind": notice.kind.value,
        "edition": notice.edition,
        "text": notice.text,
        "items": notice.items,
        "channels": notice.channels,
        "contact": notice.contact,
        "place": notice.place,
        "published_at": notice.published_at.isoformat(),
        "period": notice.period,
        "ends_on": first_last_day(notice).isoformat(),
        "policy": [case.edition_id, case.edition_sha256],
    }
    return hashlib.sha256(canonical(published).encode()).hexdigest()


def fingerprint(objection: Objection) -> str:
    """Return the SHA-256 over what was recorded of an objection; no contact can be read from it."""
    recorded = [
        objection.key,
        objection.seq,
        objection.channel.value,
        objection.name,
        objection.contact,
        objection.content,
        objection.against_case_id,
        objection.received_at.isoformat(),
        objection.recorded_at.isoformat(),
        objection.recorded_by_id,
        objection.details,
    ]
    return hashlib.sha256(canonical(recorded).encode()).hexdigest()


def handled_facts(objection: Objection) -> dict[str, Any]:
    """Return what the history keeps of how an objection was handled."""
    return {
        "objection": objection.id,
        "finding": objection.finding.value if objection.finding else None,
        "reasons": objection.reasons,
        "handled_at": objection.handled_at.isoformat() if objection.handled_at else None,
        "handled_by": objection.handled_by_id,
    }


def answered_facts(objection: Objection) -> dict[str, Any]:
    """Return what the history keeps of how the answer was given."""
    return {
        "objection": objection.id,
        "how": objection.answered_by,
        "answered_at": objection.answered_at.isoformat() if objection.answered_at else None,
    }


def verify_notice(session: Session, case: Case, told: Sequence[HistoryRow]) -> Iterator[AuditFault]:
    """
    Find what was changed in a notice or its objections behind the product's back.

    Args:
        session: a consistent view.
        case: any; one of another kind has no notice.
        told: the case's history, its seals checked, oldest first.

    Returns:
        The faults: a text that is not what was published, prolongations or objections that the history does not know.
    """
    if case.kind is not CaseKind.NOTICE:
        return
    facts: dict[str, list[dict[str, Any]]] = {}
    for row in told:
        facts.setdefault(row.kind, []).append(json.loads(row.data))
    notices = list(rows_of(session, Notice, select(Notice).where(Notice.case_id == case.id), number=case.number))
    if not notices:
        yield AuditFault(case.number, Notice.__tablename__, 0, "公示已被删除")
        return
    for notice in notices:
        if isinstance(notice, AuditFault):
            yield notice
            continue
        reasons = _faults_of(notice, facts) if _can_be_read(notice) else ["列 prolonged 无法读取,已被改动"]
        for reason in reasons:
            yield AuditFault(case.number, Notice.__tablename__, notice.id, reason)
        query = select(Objection).where(Objection.notice_id == notice.id).order_by(Objection.seq)
        yield from _verify_objections(case, rows_of(session, Objection, query, number=case.number), facts)


def _can_be_read(notice: Notice) -> bool:
    """Return whether the prolongations, which alone are looked into, are such as were once written."""
    kept: Any = notice.prolonged
    if not isinstance(kept, list) or not all(isinstance(each, dict) for each in kept):
        return False
    return read_or(lambda: first_last_day(notice) is not None, lambda: False)


def _faults_of(notice: Notice, facts: Mapping[str, list[dict[str, Any]]]) -> Iterator[str]:
    published = facts.get("notice_published", [])
    if digest_of(notice) != notice.sha256:
        yield f"公示内容与公布时的摘要 {notice.sha256[:12]}… 不符,公布后被改动"
    if [each["sha256"] for each in published] != [notice.sha256]:
        yield "公示内容的摘要与办理记录不符,已被改动"
    elif published[0]["ends_on"] != first_last_day(notice).isoformat():
        yield "公示的末日与办理记录不符,已被改动"
    prolonged = [
        {name: value for name, value in each.items() if name != "notice"} for each in facts.get("notice_prolonged", [])
    ]
    if prolonged != notice.prolonged:
        yield "公示的延期与办理记录不符,已被改动"
    elif prolonged and prolonged[-1]["to"] != notice.ends_on.isoformat():
        yield "公示延期后的末日与办理记录不符,已被改动"


def _verify_objections(
    case: Case, rows: Iterator[Objection | AuditFault], facts: Mapping[str, list[dict[str, Any]]]
) -> Iterator[AuditFault]:
    recorded = {each["objection"]: each["fingerprint"] for each in facts.get("objection_recorded", [])}
    handled = {
        each["objection"]: {name: value for name, value in each.items() if name != "door"}
        for each in facts.get("objection_handled", [])
    }
    answered = {each["objection"]: each for each in facts.get("objection_answered", [])}
    for row in rows:
        if isinstance(row, AuditFault):
            yield row
            continue
        reason = ""
        if recorded.pop(row.id, None) != fingerprint(row):
            reason = "异议的登记内容与办理记录不符,已被改动"
        elif (handled.get(row.id) or handled_facts(Objection(id=row.id, reasons=""))) != handled_facts(row):
            reason = "异议的认定与办理记录不符,已被改动"
        elif (answered.get(row.id) or answered_facts(Objection(id=row.id, answered_by=""))) != answered_facts(row):
            reason = "异议的答复与办理记录不符,已被改动"
        if reason:
            yield AuditFault(case.number, Objection.__tablename__, row.id, f"第{row.seq}件{reason}")
    for row_id in recorded:
        yield AuditFault(case.number, Objection.__tablename__, row_id, "办理记录中登记的异议已被删除")
