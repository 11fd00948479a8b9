"""How the results of a year's evaluation are said: in the notice, in letters, on pages, in lists."""

from collections import Counter
from collections.abc import Mapping, Sequence

from models.case import Case
from models.evaluation import EvaluationResult
from rules.grading import spoken_points
from rules.money import in_capitals, in_yuan
from runtime.resources import Resources
from tasks.cases import load_case
from tasks.year_results import evaluation_of, grade_names, results_of, rules_of


def grade_of(case: Case, result: EvaluationResult) -> str:
    """Return the name of a result's grade."""
    return grade_names(case).get(result.grade, result.grade)


def points_of(case: Case, result: EvaluationResult) -> str:
    """Return points and grade, e.g. ``92.5分，优秀``."""
    return f"{spoken_points(result.points_tenths)}分，{grade_of(case, result)}"


def site_named(result: EvaluationResult) -> str:
    """Return a site as a result names it: number, village, leader."""
    site = result.site
    if site is None:
        raise LookupError(f"result {result.id} is a village's")
    return f"{site.number}（{result.village.name}，负责人{site.leader.name}）"


def site_line(case: Case, result: EvaluationResult) -> str:
    """Return a site's result in one line."""
    return f"第{result.rank}名 {site_named(result)}{points_of(case, result)}"


def village_line(case: Case, result: EvaluationResult) -> str:
    """Return a village's result in one line."""
    return (
        f"第{result.rank}名 {result.village.name}{points_of(case, result)}，"
        f"拟计入以奖代拨{in_yuan(result.award_fen)}、村级年度考核{spoken_points(result.assessment_tenths)}分"
    )


def by_grade(case: Case, counted: Mapping[str, int]) -> str:
    """Return how many have each grade, from the best one on, by the codes of the grades."""
    told = "、".join(f"{name}{counted.get(code, 0)}个" for code, name in grade_names(case).items())
    return f"共{sum(counted.values())}个：{told}"


def graded(case: Case, results: Sequence[EvaluationResult]) -> str:
    """Return how many results have each grade, from the best one on."""
    return by_grade(case, Counter(each.grade for each in results))


def award_in_words(fen: int) -> str:
    """Return an amount in figures and capitals."""
    return f"{in_yuan(fen)}（{in_capitals(fen)}）"


def award_of(results: Sequence[EvaluationResult]) -> str:
    """Return what sites add to 以奖代拨 together, in figures and capitals."""
    return award_in_words(sum(each.award_fen for each in results))


def ranking(resources: Resources, number: str) -> list[dict[str, str | int]]:
    """Return the last computation of an evaluation's case as a table: sites by rank, then villages; empty before it."""
    with resources.database.read() as session:
        case = load_case(session, number, lock=False)
        return [
            {
                "对象": "客堂间" if each.site is not None else "村(居)",
                "名次": each.rank,
                "编号": each.site.number if each.site is not None else each.village.code,
                "村(居)": each.village.name,
                "负责人": each.site.leader.name if each.site is not None else "",
                "得分": spoken_points(each.points_tenths),
                "等次": grade_of(case, each),
                "计入以奖代拨": in_yuan(each.award_fen),
                "计入村级年度考核": spoken_points(each.assessment_tenths) if each.site is None else "",
            }
            for each in results_of(session, evaluation_of(session, case))
        ]


def score_lines(case: Case, result: EvaluationResult) -> tuple[str, ...]:
    """Return a result criterion by criterion: its name, and how the points come about."""
    rules = rules_of(case)
    criteria = rules.site_criteria if result.site_id is not None else rules.village_criteria
    names = {each.code: each.name for each in criteria}
    return tuple(f"{names.get(score.code, score.code)}：{score.explained}" for score in result.scores)
