"""
The audit of calls and projects: every row is what the sealed history tells last (D2-R9, D2-R11).

Called by `tasks.history`; read only, and ready for rows that somebody has tampered with.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from models.case import Case
from models.history import HistoryRow
from models.project import Call, CallMember, Interest, MeetingVote, PanelResult, Plan, ProgressRecord, Project, Score
from policies.vocabulary import CaseKind
from tasks.audit_rows import AuditFault, number_of, rows_of

Told = Sequence[tuple[str, dict[str, Any]]]
"""What the history of a case tells: kind and data, oldest first."""
PROPOSED = ("kind", "content", "beneficiaries", "expected_benefit", "amount_fen")
COUNTS = ("in_favour", "against", "indifferent")
VOTES = ("in_favour", "against", "abstained")
ANSWERS = ("answers", "points_total", "comment")


def plan_facts(plan: Plan) -> dict[str, Any]:
    """Return what the history keeps of a plan."""
    return {
        "round": plan.round,
        "content": plan.content,
        "expected_benefit": plan.expected_benefit,
        "lines": [[line.seq, line.category, line.name, line.amount_fen] for line in plan.lines],
        "milestones": [[step.seq, step.name, step.due_on.isoformat()] for step in plan.milestones],
    }


def verify_project(session: Session, case: Case) -> Iterator[AuditFault]:
    """
    Find what was changed in a call or a project behind the product's back.

    Args:
        session: a consistent view.
        case: any, the seals of its history checked; one of another kind has nothing to find.
    """
    if case.kind not in (CaseKind.CALL, CaseKind.PROJECT):
        return
    rows = session.scalars(select(HistoryRow).where(HistoryRow.case_id == case.id).order_by(HistoryRow.seq))
    told = [(row.kind, json.loads(row.data)) for row in rows]
    if case.kind is CaseKind.CALL:
        yield from _of_call(session, case, told)
        yield from _of_meeting(session, case, told)
        yield from _of_panel(session, case, told)
    else:
        yield from _of_proposal(session, case, told)
        yield from _of_work(session, case, told)


def _last(told: Told, kind: str) -> dict[str, Any]:
    """Return what was told last under that kind; empty when nothing was."""
    return next((data for each, data in reversed(told) if each == kind), {})


def _decided(told: Told, name: str) -> Any:
    """Return what the decisions keep under `name`; None when none does."""
    found = [data["details"][name] for kind, data in told if kind == "decision_taken" and name in data["details"]]
    return found[-1] if found else None


def _of_call(session: Session, case: Case, told: Told) -> Iterator[AuditFault]:
    opened = _last(told, "case_opened")
    query = select(Call).where(Call.case_id == case.id)
    for call in rows_of(session, Call, query, number=case.number):
        if isinstance(call, AuditFault):
            yield call
        elif opened and (call.budget_fen, call.kinds) != (opened["budget_fen"], opened["kinds"]):
            yield AuditFault(case.number, Call.__tablename__, call.id, "预算或类别与办理记录不符,已被改动")
    score_of = {each["project"]: each["score"] for each in _last(told, "screening_record").get("ranking", [])}
    ranked = select(Project).join(Case, Case.id == Project.case_id).where(Case.number.in_(list(score_of)))
    for project in rows_of(session, Project, ranked, number=case.number):
        if isinstance(project, AuditFault):
            continue  # told where the project's own case is examined
        if project.score != score_of[number := number_of(session, project.case_id)]:
            yield AuditFault(number, Project.__tablename__, project.id, "评分与筛选记录不符,已被改动")


def _of_meeting(session: Session, case: Case, told: Told) -> Iterator[AuditFault]:
    panel, roll, there = set[int](), set[int](), set[int]()
    votes: dict[str, list[int]] = {}
    for kind, data in told:
        match kind:
            case "case_opened":
                panel |= set(data.get("panel", []))
            case "panel_joined":
                panel.add(data["member"])
            case "roll_frozen":
                roll |= set(data["entitled"])
            case "signed_in":
                there.add(data["person"])
            case "sign_in_struck":
                there.discard(data["person"])
            case "vote_recorded" | "vote_changed":
                votes[data["project"]] = [data[name] for name in VOTES]
            case _:
                pass
    meant = {(each, False, False) for each in panel} | {(each, True, each in there) for each in roll}
    query = select(CallMember).where(CallMember.case_id == case.id).order_by(CallMember.id)
    members = [
        each for each in rows_of(session, CallMember, query, number=case.number) if not isinstance(each, AuditFault)
    ]
    found = {(each.person_id, each.in_meeting, each.signed_in_at is not None) for each in members}
    if found != meant:
        yield AuditFault(case.number, CallMember.__tablename__, 0, "评审组、应到名单或签到与办理记录不符,已被改动")
    project = aliased(Case)
    cast = select(MeetingVote).join(project, project.id == MeetingVote.case_id).where(project.parent_id == case.id)
    for vote in rows_of(session, MeetingVote, cast, number=case.number):
        if isinstance(vote, AuditFault):
            yield vote
        elif votes.pop(number_of(session, vote.case_id), None) != [getattr(vote, name) for name in VOTES]:
            yield AuditFault(case.number, MeetingVote.__tablename__, vote.id, "表决结果与办理记录不符,已被改动")
    for number in votes:
        yield AuditFault(case.number, MeetingVote.__tablename__, 0, f"项目 {number} 的表决结果已被删除")


def _of_panel(session: Session, case: Case, told: Told) -> Iterator[AuditFault]:
    scores: dict[tuple[str, int], dict[str, int]] = {}
    away = set[tuple[str, int]]()
    for kind, data in told:
        if kind in ("score_recorded", "score_changed"):
            scores[data["project"], data["member"]] = data["points"]
        elif kind == "interest_declared":
            away.add((data["project"], data["member"]))
            scores.pop((data["project"], data["member"]), None)
    given: dict[tuple[str, int], dict[str, int]] = defaultdict(dict)
    project = aliased(Case)
    query = select(Score).join(project, project.id == Score.case_id).where(project.parent_id == case.id)
    for score in rows_of(session, Score, query, number=case.number):
        if isinstance(score, AuditFault):
            yield score
        else:
            given[number_of(session, score.case_id), score.person_id][score.criterion] = score.points
    for key in sorted(scores.keys() | given.keys()):
        if scores.get(key) != given.get(key):
            yield AuditFault(case.number, Score.__tablename__, 0, f"项目 {key[0]} 的评分与办理记录不符,已被改动")
    declared = select(Interest).join(project, project.id == Interest.case_id).where(project.parent_id == case.id)
    kept = {
        (number_of(session, each.case_id), each.person_id)
        for each in rows_of(session, Interest, declared, number=case.number)
        if not isinstance(each, AuditFault)
    }
    if kept != away:
        yield AuditFault(case.number, Interest.__tablename__, 0, "回避与办理记录不符,已被改动")


def _of_proposal(session: Session, case: Case, told: Told) -> Iterator[AuditFault]:
    query = select(Project).where(Project.case_id == case.id)
    for project in rows_of(session, Project, query, number=case.number):
        if isinstance(project, AuditFault):
            yield project
            continue
        for reason in _faults_of(project, told):
            yield AuditFault(case.number, Project.__tablename__, project.id, reason)


def _faults_of(project: Project, told: Told) -> Iterator[str]:
    opened, stood = _last(told, "case_opened"), _last(told, "standing_changed")
    if opened and [project.leader_id, *_named(project, PROPOSED)] != [opened[each] for each in ("leader", *PROPOSED)]:
        yield "申报内容与办理记录不符,已被改动"
    entries = {data["entry"]: data for kind, data in told if kind in ("survey_recorded", "survey_corrected")}
    if _named(project, COUNTS) != [sum(each[name] for each in entries.values()) for name in COUNTS]:
        yield "调研份数与各号登记的合计不符,已被改动"
    if stood and [project.standing.value, project.standing_because, project.rank] != [
        stood[name] for name in ("standing", "because", "rank")
    ]:
        yield "遴选情况或名次与办理记录不符,已被改动"
    for name in ("granted_fen", "result", "grade"):
        if (decided := _decided(told, name)) is not None and getattr(project, name) != decided:
            yield "核定金额或评估结果与办理决定不符,已被改动"


def _of_work(session: Session, case: Case, told: Told) -> Iterator[AuditFault]:
    plans = {data["round"]: data for kind, data in told if kind == "plan_submitted"}
    handed_in = select(Plan).where(Plan.case_id == case.id).order_by(Plan.round)
    for plan in rows_of(session, Plan, handed_in, number=case.number):
        if isinstance(plan, AuditFault):
            yield plan
        elif plans.pop(plan.round, None) != plan_facts(plan):
            yield AuditFault(case.number, Plan.__tablename__, plan.id, "方案与提交时的记录不符,已被改动")
    for round_ in plans:
        yield AuditFault(case.number, Plan.__tablename__, 0, f"第{round_}轮方案已被删除")
    sides = {data["panel"]: _chosen(data, ANSWERS) for kind, data in told if kind == "evaluation_entered"}
    said = select(PanelResult).where(PanelResult.case_id == case.id).order_by(PanelResult.id)
    for result in rows_of(session, PanelResult, said, number=case.number):
        if isinstance(result, AuditFault):
            yield result
        elif sides.pop(result.panel.value, None) != _named(result, ANSWERS):
            yield AuditFault(case.number, PanelResult.__tablename__, result.id, "评估结果与办理记录不符,已被改动")
    for _ in sides:
        yield AuditFault(case.number, PanelResult.__tablename__, 0, "办理记录中的评估结果已被删除")
    done = [[data["happened_on"], data["percent"]] for kind, data in told if kind == "progress_recorded"]
    recorded = select(ProgressRecord).where(ProgressRecord.case_id == case.id).order_by(ProgressRecord.id)
    kept = [
        [each.happened_on.isoformat(), each.percent]
        for each in rows_of(session, ProgressRecord, recorded, number=case.number)
        if not isinstance(each, AuditFault)
    ]
    if kept != done:
        yield AuditFault(case.number, ProgressRecord.__tablename__, 0, "进展与办理记录不符,已被改动")


def _named(row: object, names: Sequence[str]) -> list[Any]:
    return [getattr(row, name) for name in names]


def _chosen(data: Mapping[str, Any], names: Sequence[str]) -> list[Any]:
    return [data[name] for name in names]
