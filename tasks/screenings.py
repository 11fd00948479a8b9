"""
Screening (遴选): the panel's points and interests, the meeting's roll and votes are keyed in (D2-R5, D2-R9).

What is said on paper is keyed in until the screening is completed; every change stands in the call's history. What it
all amounts to is worked out by `tasks.selection`.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.case import Case
from models.project import CallMember, Interest, MeetingVote, Project, Score
from models.registry import Person, holders_below
from policies.errors import Refused
from policies.micro_scheme import Screening, VoteRule
from policies.vocabulary import Door, Gate, ProjectStanding, Role, Verdict
from rules.scoring import check_may_score, member_score
from rules.voting import check_votes
from runtime.resources import Resources, edition_of
from tasks import items, selection
from tasks.act import Act
from tasks.call_commands import InterestEntry, ScoreEntry, Screen, VoteEntry
from tasks.call_projects import (
    load_call,
    named,
    panel_of,
    project_named,
    projects_of,
    roll_of,
    signed_in,
    standing,
)
from tasks.cases import Asked, check_authority, person_of
from tasks.deciding import deciding, item_to_decide
from tasks.history import SYSTEM, append

T = TypeVar("T")
OWN_PROPOSAL = "评审人本人是提议人"


def screening_of(case: Case) -> Screening:
    """Return the pinned edition's rules of the screening."""
    return edition_of(case).for_projects.screening


def open_screening(act: Act, case: Case) -> None:
    """
    Freeze the meeting's roll, and let panel members keep away from their own proposals (D2-R1, D2-R9).

    Called in the transaction that opens the gate.
    """
    freeze_roll(act, case)
    panel = panel_of(act.session, case)
    for project in standing(act.session, case, ProjectStanding.PROPOSED):
        if project.leader_id in panel:
            _keep_away(act, case, project, project.leader, reason=OWN_PROPOSAL, by=SYSTEM)


def freeze_roll(act: Act, case: Case) -> None:
    """Write down who is entitled to vote: the representatives of the call's area today; once, while nobody is."""
    if screening_of(case).meeting is None or roll_of(act.session, case):
        return
    entitled = holders_below(act.session, Role.REPRESENTATIVE, case.unit, on=act.day)
    if not entitled:
        return
    act.session.add_all(CallMember(case_id=case.id, person_id=each.id, in_meeting=True) for each in entitled)
    act.session.flush()
    append(
        act.session,
        case,
        kind="roll_frozen",
        actor=SYSTEM,
        summary=f"表决会议应到{len(entitled)}人,名单按登记簿中{case.unit.name}的{Role.REPRESENTATIVE.label}确定",
        at=act.at,
        data={"entitled": [each.id for each in entitled]},
    )


def screen(
    resources: Resources, command: Screen, *, door: Door, at: datetime, asked: Asked | None = None
) -> tuple[str, ...]:
    """
    Key in who joins the panel, interests, points, sign-ins and votes, in this order; and complete the screening.

    All of it, or nothing when one entry is faulty. Points and votes replace those entered before.

    Args:
        asked: the form it came in on; None: by another door.

    Returns:
        What is still missing, as sentences; empty: the screening may be completed, or was.

    Raises:
        Refused: no screening waits, the person may not, nothing was entered, an entry is faulty (all are named), or the
            screening is to be completed while something is missing (all of it is named).
    """
    with deciding(resources, at=at) as act:
        case = load_call(act.session, command.case)
        item = item_to_decide(act, case, asked, Gate.SCREENING)
        by = person_of(act.session, command.by)
        check_authority(act.session, item, by, on=act.day)
        entries = (
            command.joining,
            command.interests,
            command.scores,
            command.present,
            command.absent,
            command.votes,
        )
        if not any(entries) and not command.complete:
            raise Refused(screening_of(case).where, "没有填写评分、回避、签到或表决结果,请填写后再提交")
        projects = projects_of(act.session, case)
        faults = [
            *_all("增补评审", command.joining, lambda text: _join(act, case, text, by.display)),
            *_all("回避", command.interests, lambda entry: _interest(act, case, projects, entry, by.display)),
            *_all("评分", command.scores, lambda entry: _score(act, case, projects, entry, by)),
            *_all("签到", command.present, lambda text: _sign(act, case, text, by.display, there=True)),
            *_all("撤销签到", command.absent, lambda text: _sign(act, case, text, by.display, there=False)),
            *_all("表决", command.votes, lambda entry: _vote(act, case, projects, entry, by)),
        ]
        if len(faults) == 1:
            raise faults[0]
        if faults:
            clauses = [each for each in dict.fromkeys(fault.clause for fault in faults) if each != "default"]
            listed = "".join(f"\n{number}. {fault.reason}" for number, fault in enumerate(faults, 1))
            raise Refused(";".join(clauses) or "default", f"有{len(faults)}处有误,均未登记:{listed}")
        act.session.flush()
        if not command.complete:
            return selection.missing(act.session, case)
        result = selection.conclude(act, case)
        items.close(act, item, Verdict.COMPLETED, by=by, door=door, details=result)
        return ()


def _all(what: str, entries: Sequence[T], step: Callable[[T], None]) -> list[Refused]:
    faults = []
    for number, entry in enumerate(entries, start=1):
        try:
            step(entry)
        except Refused as refusal:
            faults.append(Refused(refusal.clause, f"{what}第{number}项:{refusal.reason}"))
    return faults


def _member(act: Act, panel: Mapping[int, Person], text: str) -> Person:
    """Return the panel member whom `text` names; somebody outside the panel is returned too, for the rule to judge."""
    for each in panel.values():
        if text.strip() in (each.name, each.code, each.display):
            return each
    return person_of(act.session, text)


def interests_in(session: Session, project: Project) -> list[int]:
    """Return who keeps away from a proposal, by person id."""
    return list(session.scalars(select(Interest.person_id).where(Interest.case_id == project.case_id)))


def points_of(session: Session, project: Project) -> dict[int, dict[str, int]]:
    """Return the points a proposal has: member to points by criterion."""
    points: dict[int, dict[str, int]] = {}
    rows = select(Score).where(Score.case_id == project.case_id).order_by(Score.id)
    for score in session.scalars(rows.execution_options(populate_existing=True)):
        points.setdefault(score.person_id, {})[score.criterion] = score.points
    return points


def vote_of(session: Session, project: Project) -> MeetingVote | None:
    """Return how the meeting voted on a proposal, or None before."""
    return session.scalars(select(MeetingVote).where(MeetingVote.case_id == project.case_id)).one_or_none()


def _interest(act: Act, case: Case, projects: Sequence[Project], entry: InterestEntry, by: str) -> None:
    project, panel = project_named(projects, entry.project, case), panel_of(act.session, case)
    member = _member(act, panel, entry.member)
    if member.id not in panel:
        names = "、".join(each.name for each in panel.values())
        raise Refused(screening_of(case).scoring.where, f"{member.display}不在评审组内,无须回避;评审组:{names}")
    _keep_away(act, case, project, member, reason=entry.reason, by=by)


def _join(act: Act, case: Case, text: str, by: str) -> None:
    """Add a member to the panel; nothing happens when the person is one already."""
    panel, member = panel_of(act.session, case), person_of(act.session, text)
    if member.id in panel:
        return
    act.session.add(CallMember(case_id=case.id, person_id=member.id, in_meeting=False))
    act.session.flush()
    append(
        act.session,
        case,
        kind="panel_joined",
        actor=by,
        summary=f"评审组增补{member.display},现为{len(panel) + 1}人",
        at=act.at,
        data={"member": member.id, "panel": sorted([*panel, member.id])},
    )
    for project in standing(act.session, case, ProjectStanding.PROPOSED):
        if project.leader_id == member.id:
            _keep_away(act, case, project, member, reason=OWN_PROPOSAL, by=SYSTEM)


def _keep_away(act: Act, case: Case, project: Project, member: Person, *, reason: str, by: str) -> None:
    if member.id in interests_in(act.session, project):
        return
    act.session.add(
        Interest(case_id=project.case_id, person_id=member.id, reason=reason, declared_at=act.at),
    )
    dropped = points_of(act.session, project).get(member.id, {})
    act.session.execute(delete(Score).where(Score.case_id == project.case_id, Score.person_id == member.id))
    act.session.flush()
    append(
        act.session,
        case,
        kind="interest_declared",
        actor=by,
        summary=f"{member.display}回避 {named(project)},理由:{reason}" + (",其评分作废" if dropped else ""),
        at=act.at,
        data={"project": project.case.number, "member": member.id, "reason": reason, "dropped": dropped},
    )


def _score(act: Act, case: Case, projects: Sequence[Project], entry: ScoreEntry, by: Person) -> None:
    project, panel = project_named(projects, entry.project, case), panel_of(act.session, case)
    member = _member(act, panel, entry.member)
    scoring = screening_of(case).scoring
    check_may_score(
        member.id,
        panel={key: each.name for key, each in panel.items()},
        interested=interests_in(act.session, project),
        title=project.case.title,
        scoring=scoring,
    )
    codes = {name: each.code for each in scoring.criteria for name in (each.name, each.code)}
    points = {codes.get(name.strip(), name): given for name, given in entry.points.items()}
    member_score(points, scoring)
    before = points_of(act.session, project).get(member.id, {})
    if before == points:
        return
    act.session.execute(delete(Score).where(Score.case_id == project.case_id, Score.person_id == member.id))
    act.session.add_all(
        Score(
            case_id=project.case_id,
            person_id=member.id,
            criterion=criterion,
            points=given,
            recorded_at=act.at,
            recorded_by_id=by.id,
        )
        for criterion, given in points.items()
    )
    act.session.flush()
    told = "、".join(f"{each.name}{points[each.code]}" for each in scoring.criteria)
    append(
        act.session,
        case,
        kind="score_changed" if before else "score_recorded",
        actor=by.display,
        summary=f"{'更正' if before else '登记'}{member.display}对 {named(project)} 的评分:{told}",
        at=act.at,
        data={"project": project.case.number, "member": member.id, "points": points, "before": before},
    )


def _meeting(case: Case) -> VoteRule:
    rule = screening_of(case).meeting
    if rule is None:
        raise Refused(screening_of(case).where, f"《{edition_of(case).title}》不经会议表决,无须签到和表决;请只登记评分")
    return rule


def _sign(act: Act, case: Case, text: str, by: str, *, there: bool) -> None:
    rule = _meeting(case)
    freeze_roll(act, case)
    person = person_of(act.session, text)
    roll = roll_of(act.session, case)
    if person.id not in roll:
        names = "、".join(each.name for each in roll.values()) or f"(登记簿中尚无{Role.REPRESENTATIVE.label})"
        raise Refused(rule.where, f"{person.display}不在应到名单内,列席人员不签到、不表决;应到:{names}")
    member = act.session.scalars(
        select(CallMember).where(
            CallMember.case_id == case.id, CallMember.person_id == person.id, CallMember.in_meeting
        )
    ).one()
    if (member.signed_in_at is not None) == there:
        return
    member.signed_in_at = act.at if there else None
    act.session.flush()
    append(
        act.session,
        case,
        kind="signed_in" if there else "sign_in_struck",
        actor=by,
        summary=f"{person.display}{'到会签到' if there else '的签到撤销'}",
        at=act.at,
        data={"person": person.id},
    )


def _vote(act: Act, case: Case, projects: Sequence[Project], entry: VoteEntry, by: Person) -> None:
    rule = _meeting(case)
    project = project_named(projects, entry.project, case)
    votes = {"in_favour": entry.in_favour, "against": entry.against, "abstained": entry.abstained}
    present = len(signed_in(act.session, case))
    check_votes(rule, entitled=len(roll_of(act.session, case)), present=present, **votes)
    vote = vote_of(act.session, project)
    before: dict[str, Any] = {}
    if vote is None:
        vote = MeetingVote(case_id=project.case_id, recorded_at=act.at, recorded_by_id=by.id, **votes)
        act.session.add(vote)
    else:
        before = {name: getattr(vote, name) for name in votes}
        if before == votes:
            return
        vote.in_favour, vote.against, vote.abstained = entry.in_favour, entry.against, entry.abstained
        vote.recorded_at, vote.recorded_by_id = act.at, by.id
    act.session.flush()
    append(
        act.session,
        case,
        kind="vote_changed" if before else "vote_recorded",
        actor=by.display,
        summary=f"{'更正' if before else '登记'}对 {named(project)} 的表决:实到{present}人,"
        f"赞成{entry.in_favour}票、反对{entry.against}票、弃权{entry.abstained}票",
        at=act.at,
        data={"project": project.case.number, "present": present, "before": before, **votes},
    )
