"""
What a screening amounts to: each proposal its own verdict, the order, what the budget reaches (D2-R5, D2-R9, D2-R13).

Read by `tasks.screenings` when the screening is completed, and by `tasks.project_closing` when an upheld objection
takes a proposal out of the selection.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import Case
from models.project import Interest, MeetingVote, Project, Score
from policies.errors import Refused
from policies.micro_scheme import VoteRule
from policies.vocabulary import ProjectStanding
from rules.ranking import Allocation, Candidate, Ranked, rank, within_budget
from rules.scoring import ProposalScore, proposal_score, shown
from rules.survey import support
from rules.voting import carried, check_votes, explained
from runtime.resources import edition_of
from tasks.act import Act
from tasks.call_projects import RANKED, named, panel_of, roll_of, signed_in, stand, standing
from tasks.cases import call_of
from tasks.history import SYSTEM, append


@dataclass(frozen=True)
class _Count:
    """Who was there, and how a proposal fared."""

    entitled: int
    present: int


@dataclass(frozen=True)
class Judged:
    """One proposal, held against the rules of the screening."""

    project: Project
    missing: tuple[Refused, ...]
    """What has to come before it can be judged."""
    vote: str
    """The worked count; empty without a meeting."""
    carried: bool
    """True also without a meeting."""
    score: ProposalScore | None
    """None while it is missing, and for what the meeting did not carry."""


def judge(session: Session, case: Case) -> list[Judged]:
    """Hold every proposal that takes part against the meeting's vote and the panel's points."""
    rule = edition_of(case).for_projects.screening.meeting
    there = _Count(entitled=len(roll_of(session, case)), present=len(signed_in(session, case)))
    return [_judged(session, case, each, rule, there) for each in standing(session, case, ProjectStanding.PROPOSED)]


def missing(session: Session, case: Case) -> tuple[str, ...]:
    """Return what the screening still lacks, as sentences; empty: it may be completed."""
    return tuple(dict.fromkeys(each.reason for judged in judge(session, case) for each in judged.missing))


def _judged(session: Session, case: Case, project: Project, rule: VoteRule | None, there: _Count) -> Judged:
    lacks, told, won = list[Refused](), "", True
    if rule is not None:
        try:
            told, won = _vote(session, project, rule, there)
        except Refused as refusal:
            lacks.append(refusal)
    score = None
    if won:
        # What the meeting did not carry is not scored any more.
        try:
            score = _scored(session, case, project)
        except Refused as refusal:
            lacks.append(refusal)
    return Judged(project=project, missing=tuple(lacks), vote=told, carried=won, score=score)


def _vote(session: Session, project: Project, rule: VoteRule, there: _Count) -> tuple[str, bool]:
    vote = session.scalars(select(MeetingVote).where(MeetingVote.case_id == project.case_id)).one_or_none()
    counts = (
        {"in_favour": vote.in_favour, "against": vote.against, "abstained": vote.abstained}
        if vote is not None
        else {"in_favour": 0, "against": 0, "abstained": 0}
    )
    check_votes(rule, entitled=there.entitled, present=there.present, **counts)
    if vote is None:
        raise Refused(rule.where, f"{named(project)} 没有表决结果;签到不等于表决,请登记赞成、反对、弃权票数")
    won = carried(rule, entitled=there.entitled, present=there.present, in_favour=vote.in_favour)
    return explained(rule, entitled=there.entitled, present=there.present, **counts), won


def _scored(session: Session, case: Case, project: Project) -> ProposalScore:
    points: dict[int, dict[str, int]] = {}
    for each in session.scalars(select(Score).where(Score.case_id == project.case_id).order_by(Score.id)):
        points.setdefault(each.person_id, {})[each.criterion] = each.points
    interested = session.scalars(select(Interest.person_id).where(Interest.case_id == project.case_id)).all()
    return proposal_score(
        points,
        panel={key: each.name for key, each in panel_of(session, case).items()},
        interested=interested,
        title=project.case.title,
        scoring=edition_of(case).for_projects.screening.scoring,
    )


def conclude(act: Act, case: Case) -> dict[str, Any]:
    """
    Give every proposal its verdict and its rank, and keep the record of the screening.

    Returns:
        What the decision keeps: ``selected``, numbers in rank; ``ranking``, every ranked proposal with its score.

    Raises:
        Refused: something is missing: which member has not scored which proposal, which proposal has no vote, or the
            meeting has no quorum; all of it is named.
    """
    judged = judge(act.session, case)
    lacks = {each.reason: each for found in judged for each in found.missing}
    if lacks:
        clauses = [each for each in dict.fromkeys(fault.clause for fault in lacks.values()) if each != "default"]
        raise Refused(";".join(clauses) or "default", f"筛选还不能完成:{';'.join(lacks)}")
    scores = {each.project.id: each.score for each in judged if each.score is not None}
    for each in judged:
        if each.score is not None:
            each.project.score = f"{each.score.mean.numerator}/{each.score.mean.denominator}"
        if not each.carried:
            stand(act, each.project, ProjectStanding.NOT_CARRIED, each.vote)
        elif each.score is not None and not each.score.passed:
            stand(act, each.project, ProjectStanding.BELOW_PASS, each.score.reason)
    able = [each.project for each in judged if each.score is not None and each.score.passed]
    ranked, allocation = _allocated(case, act.session, able)
    for place in ranked:
        _project(able, place).rank = place.place
    _write(act, able, allocation, {key: score.reason for key, score in scores.items()})
    result = {
        "selected": [_project(able, each).case.number for each in allocation.selected],
        "ranking": [_told(_project(able, each), each) for each in ranked],
    }
    append(
        act.session,
        case,
        kind="screening_record",
        actor=SYSTEM,
        summary=f"筛选完成:{len(judged)}个项目参加,入选{len(allocation.selected)}个,超出预算{len(allocation.over_budget)}个",
        at=act.at,
        data=result
        | {
            "entitled": sorted(roll_of(act.session, case)),
            "present": [each.person_id for each in signed_in(act.session, case)],
            "judged": [_record(each) for each in judged],
        },
    )
    return result


def reselect(act: Act, case: Case) -> list[str]:
    """
    Select anew within the budget among the proposals that were ranked and still take part: the next in rank moves up.

    Who is selected keeps its place; what is left is given away from the top of the rank.

    Returns:
        The numbers of those selected, in rank.
    """
    able = standing(act.session, case, *RANKED)
    kept = {each.id for each in able if each.standing is ProjectStanding.SELECTED}
    _, allocation = _allocated(case, act.session, able, kept=kept)
    moving = [each for each in allocation.selected if each.candidate.id not in kept]
    # Who was selected before stays so for the reason that was told then.
    _write(act, able, replace(allocation, selected=tuple(moving)), {each.id: "" for each in able})
    return [_project(able, each).case.number for each in allocation.selected]


def _allocated(
    case: Case, session: Session, able: Sequence[Project], *, kept: Collection[int] = ()
) -> tuple[tuple[Ranked, ...], Allocation]:
    screening = edition_of(case).for_projects.screening
    candidates = [
        Candidate(
            id=each.id,
            title=each.case.title,
            score=Fraction(each.score),
            support=support(in_favour=each.in_favour, against=each.against, indifferent=each.indifferent),
            amount_fen=each.amount_fen,
            proposed_at=each.submitted_at,
        )
        for each in able
    ]
    places = {each.id: each.rank for each in able}
    # A place once given is kept: it is the one that was made known.
    ranked = tuple(
        replace(each, place=places[each.candidate.id] or each.place) for each in rank(candidates, ties=screening.ties)
    )
    budget = call_of(session, case).budget_fen
    return ranked, within_budget(ranked, budget_fen=budget, over_budget=screening.over_budget, kept=kept)


def _write(act: Act, able: Sequence[Project], allocation: Allocation, reasons: dict[int, str]) -> None:
    for taken in allocation.selected:
        project = _project(able, taken)
        ties = f",{taken.because}" if taken.because else ""
        score = reasons[project.id] or f"评分{shown(Fraction(project.score))}分"
        stand(act, project, ProjectStanding.SELECTED, f"第{project.rank}名,{score}{ties}")
    for left in allocation.over_budget:
        project = _project(able, left.ranked)
        stand(act, project, ProjectStanding.OVER_BUDGET, f"第{project.rank}名,{left.reason}")


def _project(able: Sequence[Project], ranked: Ranked) -> Project:
    return next(each for each in able if each.id == ranked.candidate.id)


def _told(project: Project, ranked: Ranked) -> dict[str, Any]:
    return {
        "project": project.case.number,
        "place": ranked.place,
        "score": project.score,
        "amount_fen": project.amount_fen,
        "standing": project.standing.value,
        "because": ranked.because,
    }


def _record(judged: Judged) -> dict[str, Any]:
    score = judged.score
    return {
        "project": judged.project.case.number,
        "standing": judged.project.standing.value,
        "because": judged.project.standing_because,
        "vote": judged.vote,
        "by_member": {str(member): f"{each.numerator}/{each.denominator}" for member, each in score.by_member.items()}
        if score is not None
        else {},
    }
