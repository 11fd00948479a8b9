"""
The results of a year's evaluation: computed from the figures, kept round by round, and read again (D0-R14).

A computation writes new rows and leaves those of earlier rounds as they are.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session, selectinload

from models.base import Base
from models.case import Case, Site
from models.evaluation import CriterionScore, EvaluationResult, YearEvaluation
from models.registry import Unit
from policies.errors import Refused
from policies.life_scheme import AnnualEvaluation, SiteCriterion, VillageCriterion
from policies.life_words import VillageFact
from policies.vocabulary import UnitKind
from rules.grading import Figure, Mark, assessment_tenths, award_fen, grade_of, marks, ranks, spoken_points, total
from rules.money import in_yuan
from runtime.resources import edition_of
from tasks.act import Act
from tasks.history import SYSTEM, append
from tasks.living import keep
from tasks.sealed_rows import KEPT, facts_of
from tasks.year_figures import SiteInYear, Year, nothing, site_figures, sites_in_year
from tasks.year_villages import NOTHING, village_figures, villages_of

AT_ONCE = 200
"""Results whose rows one row of the history tells."""
BY_RANK = (EvaluationResult.site_id.is_(None), EvaluationResult.rank, Site.number, Unit.code)
"""The order of results: by rank, then by number or code, the sites first; to be joined with both."""
WITH_NAMES = (
    selectinload(EvaluationResult.scores),
    selectinload(EvaluationResult.site).selectinload(Site.leader),
    selectinload(EvaluationResult.village),
)
"""Loads with results their scores, sites and villages."""


@dataclass(frozen=True)
class _Judged:
    """What one criterion came to."""

    figure: Figure
    full_at: int | None
    """Of a count, where it was full for this site in this year."""


@dataclass(frozen=True)
class _Result:
    """What is written of one site, or of one village (no site)."""

    village_id: int
    site_id: int | None
    points_tenths: int
    rank: int
    grade: str
    award_fen: int
    assessment_tenths: int
    scores: tuple[dict[str, str | int | None], ...]


def evaluation_of(session: Session, case: Case) -> YearEvaluation:
    """Return what an evaluation's case is about."""
    return session.scalars(select(YearEvaluation).where(YearEvaluation.case_id == case.id)).one()


def rules_of(case: Case) -> AnnualEvaluation:
    """Return the pinned edition's rules of the evaluation."""
    evaluation = edition_of(case).for_sites.evaluation
    if evaluation is None:
        raise LookupError(f"{case.edition_id} has no evaluation")
    return evaluation


def compute(act: Act, case: Case, round_: int) -> YearEvaluation:
    """
    Compute the results of one round from what is recorded now; the results of earlier rounds stay.

    Cost: a fixed number of statements, and one row of history per 200 results.

    Args:
        case: locked.
        round_: of the gate that opens; computed once.
    """
    evaluation, rules = evaluation_of(act.session, case), rules_of(case)
    year = Year(town=evaluation.unit, year=evaluation.year, at=act.at, scheme=edition_of(case).for_sites)
    sites = sites_in_year(act.session, year)
    of_sites = _of_sites(act, rules, year, sites)
    of_villages = _of_villages(act, rules, year, of_sites)
    evaluation.round, evaluation.computed_at = round_, act.at
    awards = sum(each.award_fen for each in of_sites)
    told = f"第{round_}次计算:客堂间{len(of_sites)}个、村(居){len(of_villages)}个"
    keep(
        act,
        case,
        [evaluation],
        actor=SYSTEM,
        summary=f"{evaluation.year}年度考核{told},拟计入以奖代拨{in_yuan(awards)}",
        data={"round": round_, "sites": len(of_sites), "villages": len(of_villages)},
    )
    _write(act, evaluation, [*of_sites, *of_villages])
    _keep_all(act, case, results_of(act.session, evaluation), told=told)
    return evaluation


def _write(act: Act, evaluation: YearEvaluation, results: Sequence[_Result]) -> None:
    """Write the rows in as many statements for ten thousand sites as for one."""
    if not results:
        return
    key = {"evaluation_id": evaluation.id, "round": evaluation.round}
    columns = ("village_id", "site_id", "points_tenths", "rank", "grade", "award_fen", "assessment_tenths")
    act.session.execute(
        insert(EvaluationResult).execution_options(render_nulls=True),
        [key | {name: getattr(each, name) for name in columns} for each in results],
    )
    written = act.session.execute(
        select(EvaluationResult.village_id, EvaluationResult.site_id, EvaluationResult.id).filter_by(**key)
    ).tuples()
    ids = {(village, site): id_ for village, site, id_ in written}
    act.session.execute(
        insert(CriterionScore).execution_options(render_nulls=True),
        [{"result_id": ids[each.village_id, each.site_id], **score} for each in results for score in each.scores],
    )


def _keep_all(act: Act, case: Case, results: Sequence[EvaluationResult], *, told: str) -> None:
    """Tell the history of the new rows, as `tasks.living.keep` does, but without reading ten thousand of them anew."""
    for place in range(0, len(results), AT_ONCE):
        part = results[place : place + AT_ONCE]
        rows: list[Base] = [row for result in part for row in (result, *result.scores)]
        kept = [{"table": row.__tablename__, "row": facts_of(row)["id"], "facts": facts_of(row)} for row in rows]
        append(
            act.session,
            case,
            kind=KEPT,
            actor=SYSTEM,
            summary=f"{told},结果第{place + 1}至{place + len(part)}项存档",
            at=act.at,
            data={"rows": kept},
        )


def _of_sites(act: Act, rules: AnnualEvaluation, year: Year, sites: Sequence[SiteInYear]) -> list[_Result]:
    figures = site_figures(act.session, year, sites)
    days = (year.last - year.first).days + 1
    scored = []
    for site in sites:
        active = site.active_days(year.first, year.last)
        judged = {
            each.code: _Judged(
                figures[each.fact].get(site.id, nothing(each.fact)),
                ceil(each.full_at * active / days) if each.full_at is not None else None,
            )
            for each in rules.site_criteria
        }
        scored.append((judged, _marks(rules.site_criteria, judged)))
    placed = ranks([total(earned) for _, earned in scored])
    results = []
    for site, (judged, earned), rank in zip(sites, scored, placed, strict=True):
        grade = grade_of(total(earned), rules.grades)
        results.append(
            _Result(
                village_id=site.village_id,
                site_id=site.id,
                points_tenths=total(earned),
                rank=rank,
                grade=grade.code,
                award_fen=award_fen(grade),
                assessment_tenths=0,
                scores=tuple(_scores(rules.site_criteria, judged, earned)),
            )
        )
    return results


def _of_villages(act: Act, rules: AnnualEvaluation, year: Year, of_sites: Sequence[_Result]) -> list[_Result]:
    points: dict[int, list[int]] = defaultdict(list)
    awards: dict[int, int] = defaultdict(int)
    for each in of_sites:
        points[each.village_id].append(each.points_tenths)
        awards[each.village_id] += each.award_fen
    figures = village_figures(act.session, year, points)
    scored = []
    for village in villages_of(act.session, year.town):
        judged = {
            each.code: _Judged(figures[each.fact].get(village.id, Figure(0, 0, NOTHING[each.fact])), None)
            for each in rules.village_criteria
        }
        if _concerned(rules, judged):
            scored.append((village, judged, _marks(rules.village_criteria, judged)))
    placed = ranks([total(earned) for _, _, earned in scored])
    return [
        _Result(
            village_id=village.id,
            site_id=None,
            points_tenths=total(earned),
            rank=rank,
            grade=grade_of(total(earned), rules.grades).code,
            award_fen=awards[village.id],
            assessment_tenths=assessment_tenths(total(earned), at_most=rules.assessment_points_at_most),
            scores=tuple(_scores(rules.village_criteria, judged, earned)),
        )
        for (village, judged, earned), rank in zip(scored, placed, strict=True)
    ]


def _concerned(rules: AnnualEvaluation, judged: Mapping[str, _Judged]) -> bool:
    """Return whether a village has sites or owes some: one that only came to meetings would else be the best."""
    building = (VillageFact.SITES, VillageFact.TARGET)
    return any(judged[each.code].figure.out_of for each in rules.village_criteria if each.fact in building)


def _marks(criteria: Sequence[SiteCriterion | VillageCriterion], judged: Mapping[str, _Judged]) -> tuple[Mark, ...]:
    return marks(
        {each.code: each.points for each in criteria},
        {code: each.figure.share(each.full_at) for code, each in judged.items()},
    )


def _scores(
    criteria: Sequence[SiteCriterion | VillageCriterion],
    judged: Mapping[str, _Judged],
    earned: Sequence[Mark],
) -> Iterator[dict[str, str | int | None]]:
    """Yield the columns of each criterion's score."""
    for criterion, mark in zip(criteria, earned, strict=True):
        its = judged[criterion.code]
        yield {
            "code": criterion.code,
            "counted": its.figure.counted,
            "out_of": its.figure.out_of,
            "points_tenths": mark.points_tenths,
            "explained": _explained(criterion, its, mark),
        }


def _explained(criterion: SiteCriterion | VillageCriterion, judged: _Judged, mark: Mark) -> str:
    """Return how the points of a criterion come about, as the report prints it."""
    figure, full_at = judged.figure, judged.full_at
    if not mark.full_tenths:
        return f"{figure.told}；没有应办事项，本项{criterion.points}分按比例分摊到其他各项"
    told = figure.told
    if full_at is not None:
        told += f"，{full_at}得满分"
        whole = criterion.full_at if isinstance(criterion, SiteCriterion) else None
        if whole is not None and full_at != whole:
            told += f"（全年{whole}，按当年运行天数折算）"
    full = spoken_points(mark.full_tenths)
    if mark.full_tenths != criterion.points * 10:
        told += f"；本项{criterion.points}分，连同分摊的分值按{full}分计"
    return f"{told}；得{spoken_points(mark.points_tenths)}分（满分{full}分）"


def results_of(
    session: Session,
    evaluation: YearEvaluation,
    *,
    round_: int | None = None,
    sites: bool | None = None,
    first: int | None = None,
) -> list[EvaluationResult]:
    """
    Return results by rank, then by number or code, the sites first, with scores, sites and villages at hand.

    Args:
        round_: of which computation; None: the last one.
        sites: only those of sites (True) or of villages (False); None: both.
        first: only so many.

    Raises:
        Refused: there was no such computation.
    """
    wanted = evaluation.round if round_ is None else round_
    if not 1 <= wanted <= evaluation.round:
        raise Refused("default", f"第{wanted}次计算不存在,可查看第1至{evaluation.round}次")
    query = (
        select(EvaluationResult)
        .join(Unit, Unit.id == EvaluationResult.village_id)
        .outerjoin(Site, Site.id == EvaluationResult.site_id)
        .where(EvaluationResult.evaluation_id == evaluation.id, EvaluationResult.round == wanted)
        .order_by(*BY_RANK)
    )
    if sites is not None:
        query = query.where(EvaluationResult.site_id.is_not(None) if sites else EvaluationResult.site_id.is_(None))
    if first is not None:
        query = query.limit(first)
    return list(session.scalars(query.options(*WITH_NAMES)))


@dataclass(frozen=True)
class Totals:
    """What the sites of one computation come to."""

    by_grade: Mapping[str, int]
    """Sites by the code of their grade."""
    award_fen: int

    @property
    def sites(self) -> int:
        """How many were evaluated."""
        return sum(self.by_grade.values())


def totals_of(session: Session, evaluation: YearEvaluation) -> Totals:
    """Return what the sites of the last computation come to, in one query."""
    rows = session.execute(
        select(EvaluationResult.grade, func.count(), func.sum(EvaluationResult.award_fen))
        .where(
            EvaluationResult.evaluation_id == evaluation.id,
            EvaluationResult.round == evaluation.round,
            EvaluationResult.site_id.is_not(None),
        )
        .group_by(EvaluationResult.grade)
    ).all()
    return Totals({grade: count for grade, count, _ in rows}, sum(int(fen) for _, _, fen in rows))


def name_of(result: EvaluationResult) -> str:
    """Return by what a result is named: the site's number, or the village's name."""
    return result.site.number if result.site is not None else result.village.name


def grade_names(case: Case) -> dict[str, str]:
    """Return the names of the edition's grades by their codes, from the best to the worst."""
    return {grade.code: grade.name for grade in rules_of(case).grades}


def town_of(case: Case) -> str:
    """Return the name of the town that is evaluated."""
    return case.unit.above(UnitKind.TOWN).name
