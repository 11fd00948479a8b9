"""
The audit of what was asked and answered in a case: its end, its gates with their days, the rolls, applications, works.

Every row is what the sealed history tells last of it. Called by `tasks.history`; read only, and ready for rows that
somebody has tampered with.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, bindparam, select
from sqlalchemy.orm import Session, lazyload

from models.case import Case, Consent, Document, SiteApplication, WorkDone
from models.history import HistoryRow
from models.registry import Household
from models.work_item import WorkItem
from policies.vocabulary import CaseKind, CaseStatus, Gate, Verdict, WorkItemStatus
from rules.periods import end_of
from tasks.audit_rows import AuditFault, quoted, read_or, rows_of
from tasks.sealed_rows import facts_of, json_of

Facts = dict[str, Any]
"""Columns by name, JSON values."""

PLACE = ("village_id", "group_id", "household_id")
"""Columns of a case that say where it is about, and the history's words for them."""
_WITH_LISTS = {CaseKind.SITE, CaseKind.SITE_CHANGE, CaseKind.PROJECT}
"""Kinds of cases with gates that close when a list of works is done."""
_OF_GATE = {name: name for name in ("gate", "round", "role", "due_on", "provisional", "lapses")} | {
    "named": "due_named"
}
_OF_APPLICATION = (
    "round",
    "leader_source",
    "recommended_by",
    "leader_agrees",
    "household_agrees",
    "volunteers",
    "area_square_metres",
    "facilities",
    "confirmations",
    "speciality",
    "combined_with",
    "warnings",
    "deficiencies",
)
_UNANSWERED: Facts = {"answer": None, "answered_at": None, "recorded_by_id": None, "door": None, "note": ""}
_ROLL = (
    select(
        Consent.work_item_id,
        Consent.household_id,
        Household.number,
        *(getattr(Consent, name) for name in _UNANSWERED),
    )
    .join(WorkItem, WorkItem.id == Consent.work_item_id)
    .outerjoin(Household, Household.id == Consent.household_id)
    .where(WorkItem.case_id == bindparam("in_case"))
    .order_by(Consent.work_item_id, Consent.household_id)
)
_KEYS = _ROLL.with_only_columns(Consent.work_item_id, Consent.household_id)
_ONE = _ROLL.where(Consent.work_item_id == bindparam("item"), Consent.household_id == bindparam("household"))


@dataclass
class _Told:
    """What the history tells last."""

    case: Facts = field(default_factory=lambda: {"status": CaseStatus.OPEN.value, "decision_seq": 0})
    gates: dict[int, Facts] = field(default_factory=dict)
    """By work item."""
    rolls: dict[int, set[str]] = field(default_factory=dict)
    """By work item, the numbers of the households that are asked; none of a roll frozen before this was told."""
    answers: dict[tuple[int, str], Facts] = field(default_factory=dict)
    """By work item and number of the household."""
    applications: dict[int, Facts] = field(default_factory=dict)
    """By round."""
    works: dict[tuple[int, str], Facts] = field(default_factory=dict)
    """By work item and code of the point."""
    documents: dict[int, str] = field(default_factory=dict)
    """SHA-256 by document."""


def verify_gates(session: Session, case: Case, rows: Sequence[HistoryRow]) -> Iterator[AuditFault]:
    """
    Find what was changed, added or removed in a case's end, gates, rolls, applications and works behind our back.

    Source: D0-R8 (the answers decide), D0-R9 (the file goes back as it was handed in), D0-R10 (works with proof).

    Args:
        session: a consistent view.
        case: any, its details not archived.
        rows: its history, the seals checked, oldest first.
    """
    told = _Told()
    for row in rows:
        _take(told, row)
    for changed in _changed(facts_of(case), told.case):
        yield AuditFault(case.number, Case.__tablename__, case.id, changed)
    yield from _verify_items(session, case, told)
    if case.kind is CaseKind.SITE:
        yield from _verify_applications(session, case, told)
    if any(each["gate"] == Gate.HOUSEHOLD_CONSENT for each in told.gates.values()):
        yield from _verify_rolls(session, case, told)
    if told.works or case.kind in _WITH_LISTS:
        yield from _verify_works(session, case, told)
    if told.documents:
        yield from _verify_documents(session, case, told)


def _take(told: _Told, row: HistoryRow) -> None:
    """Take in what one row of the history tells; what the release that wrote it did not tell is not compared."""
    data, at = json.loads(row.data), row.at.isoformat()
    for part in (data, data.get("details")):
        if isinstance(part, dict) and part.get("document") and part.get("sha256"):
            told.documents[part["document"]] = part["sha256"]
    match row.kind:
        case "case_opened":
            told.case |= {"opened_at": at} | {name: data[name] for name in PLACE if name in data}
            if "edition" in data and "sha256" in data:
                told.case |= {"edition_id": data["edition"], "edition_sha256": data["sha256"]}
            _take_application(told, data, at)
        case "case_closed":
            told.case |= {"status": CaseStatus.CLOSED.value, "closed_at": at}
            told.case |= {"outcome": data["outcome"], "because": data["because"]}
            for gate in told.gates.values():
                if gate["status"] == WorkItemStatus.OPEN and gate["gate"] != Gate.UNDELIVERED_LETTER:
                    gate |= {"status": WorkItemStatus.CANCELLED.value, "closed_at": at}
        case "gate_opened":
            told.gates[data["work_item"]] = {
                **{column: data[name] for name, column in _OF_GATE.items() if name in data},
                "opened_at": at,
                "assignee_id": None,
                "status": WorkItemStatus.OPEN.value,
                "closed_at": None,
            }
        case "due_day_recomputed":
            gate = told.gates[data["work_item"]]
            gate["due_on"] = data["due_on"]
            gate.pop("provisional", None)
            gate |= {"provisional": data["provisional"]} if "provisional" in data else {}
        case "window_prolonged":
            told.gates[data["work_item"]]["due_on"] = data["closes_on"]
        case "notice_prolonged":
            for gate in told.gates.values():
                if gate["gate"] == Gate.NOTICE_PERIOD:
                    gate["due_on"] = data["to"]
        case "handed_over":
            told.gates[data["work_item"]]["assignee_id"] = data["to"]
        case "decision_taken":
            gate = told.gates[data["work_item"]]
            gate |= {"status": WorkItemStatus.CLOSED.value, "closed_at": at}
            told.case["decision_seq"] += gate["gate"] != Gate.UNDELIVERED_LETTER
            if data["verdict"] == Verdict.RESUBMITTED:
                _take_application(told, data["details"], at)
        case "roll_frozen" if "households" in data:
            told.rolls[data["work_item"]] = set(data["households"])
        case "answers_recorded":
            for each in data["answers"]:
                answer = {"answer": each["answer"], "note": each["note"], "answered_at": at, "door": data["door"]}
                told.answers[data["work_item"], each["household"]] = answer | _by(data)
        case "work_recorded":
            work = {"done_on": data["done_on"], "document_id": data["document"], "recorded_at": at}
            told.works[data["work_item"], data["point"]] = work | _by(data)
        case _:
            pass


def _by(data: Facts) -> Facts:
    return {"recorded_by_id": data["by"]} if "by" in data else {}


def _take_application(told: _Told, data: Facts, at: str) -> None:
    if "round" not in data or "leader" not in data:
        return
    figures = {name: data[name] for name in _OF_APPLICATION if name in data}
    told.applications[data["round"]] = {**figures, "leader_id": data["leader"], "submitted_at": at}


def _verify_items(session: Session, case: Case, told: _Told) -> Iterator[AuditFault]:
    table, left = WorkItem.__tablename__, dict(told.gates)
    query = select(WorkItem).where(WorkItem.case_id == case.id).order_by(WorkItem.id)
    for item in rows_of(session, WorkItem, query, number=case.number):
        if isinstance(item, AuditFault):  # told where the case's place is looked at
            left.pop(item.row, None)
            continue
        meant = left.pop(item.id, None)
        if meant is None:
            yield AuditFault(case.number, table, item.id, "办理记录中没有开启过这个环节,系另行添加")
            continue
        due_at = end_of(date.fromisoformat(meant["due_on"])).isoformat()
        for changed in _changed(facts_of(item), {**meant, "due_at": due_at}):
            yield AuditFault(case.number, table, item.id, changed)
    for row_id, gate in left.items():
        yield AuditFault(case.number, table, row_id, f"办理记录中开启的“{Gate(gate['gate']).label}”已被删除")


def _verify_applications(session: Session, case: Case, told: _Told) -> Iterator[AuditFault]:
    table, left, broken = SiteApplication.__tablename__, dict(told.applications), False
    query = select(SiteApplication).where(SiteApplication.case_id == case.id).order_by(SiteApplication.id)
    for row in rows_of(session, SiteApplication, query.options(lazyload("*")), number=case.number):
        if isinstance(row, AuditFault):
            yield row
            broken = True
            continue
        meant = left.pop(row.round, None)
        if meant is None:
            yield AuditFault(case.number, table, row.id, f"办理记录中没有第{row.round}轮申请,系另行添加")
            continue
        facts = facts_of(row) | {"area_square_metres": Decimal(row.area_square_metres)}
        if "area_square_metres" in meant:
            meant |= {"area_square_metres": Decimal(meant["area_square_metres"])}
        for changed in _changed(facts, meant):
            yield AuditFault(case.number, table, row.id, f"第{row.round}轮申请:{changed}")
    for round_ in () if broken else left:  # which one can not be read is not known
        yield AuditFault(case.number, table, 0, f"办理记录中的第{round_}轮申请已被删除")


def _verify_rolls(session: Session, case: Case, told: _Told) -> Iterator[AuditFault]:
    table, broken = Consent.__tablename__, set[int]()
    left = {(item, household) for item, roll in told.rolls.items() for household in roll} | told.answers.keys()
    for row in _rolls(session, case):
        if isinstance(row, AuditFault):
            yield row
            broken.add(row.row)
            continue
        key, named = (row.work_item_id, row.number), row.number or f"(登记簿第 {row.household_id} 行)"
        if key[0] in told.rolls and key not in left:
            yield AuditFault(case.number, table, key[0], f"户 {named} 不在冻结的名册内,系另行添加")
            continue
        left.discard(key)
        facts = {name: json_of(getattr(row, name)) for name in _UNANSWERED}
        for changed in _changed(facts, told.answers.get(key, _UNANSWERED)):
            yield AuditFault(case.number, table, key[0], f"户 {named} 的答复:{changed}")
    for item, household in sorted(left):
        if item not in broken:  # whose row can not be read is not known
            yield AuditFault(case.number, table, item, f"户 {household} 已被从名册中删除")


def _rolls(session: Session, case: Case) -> list[Row[Any] | AuditFault]:
    """Return the rolls of a case; a row that can not be read is a fault of its work item."""
    given = {"in_case": case.id}
    return read_or(
        lambda: list(session.execute(_ROLL, given)),
        lambda: [_one_of_roll(session, case, *key) for key in session.execute(_KEYS, given).tuples()],
    )


def _one_of_roll(session: Session, case: Case, item: int, household: int) -> Row[Any] | AuditFault:
    given = {"in_case": case.id, "item": item, "household": household}
    reason = f"登记簿第 {household} 行的户的答复无法读取,已被改动"
    return read_or(
        lambda: session.execute(_ONE, given).one(),
        lambda: AuditFault(case.number, Consent.__tablename__, item, reason),
    )


def _verify_works(session: Session, case: Case, told: _Told) -> Iterator[AuditFault]:
    table, left, broken = WorkDone.__tablename__, dict(told.works), False
    query = select(WorkDone).join(WorkItem, WorkItem.id == WorkDone.work_item_id).where(WorkItem.case_id == case.id)
    for row in rows_of(session, WorkDone, query.order_by(WorkDone.id), number=case.number):
        if isinstance(row, AuditFault):
            yield row
            broken = True
            continue
        meant = left.pop((row.work_item_id, row.code), None)
        if meant is None:
            yield AuditFault(case.number, table, row.id, f"办理记录中没有登记过事项“{row.code}”,系另行添加")
            continue
        for changed in _changed(facts_of(row), meant):
            yield AuditFault(case.number, table, row.id, changed)
    for _, code in () if broken else left:
        yield AuditFault(case.number, table, 0, f"办理记录中登记的事项“{code}”已被删除")


def _verify_documents(session: Session, case: Case, told: _Told) -> Iterator[AuditFault]:
    query = select(Document).where(Document.case_id == case.id).order_by(Document.id)
    for row in rows_of(session, Document, query, number=case.number):
        if isinstance(row, AuditFault):
            yield row
            continue
        for changed in _changed({"sha256": row.sha256}, {"sha256": told.documents.get(row.id, row.sha256)}):
            yield AuditFault(case.number, Document.__tablename__, row.id, changed)


def _changed(facts: Mapping[str, Any], meant: Mapping[str, Any]) -> Iterator[str]:
    """Yield, in Chinese, which values are not what was told."""
    for name, value in meant.items():
        if name in facts and facts[name] != value:
            yield f"列 {name} 现为{quoted(facts[name])},办理记录为{quoted(value)},已被改动"
