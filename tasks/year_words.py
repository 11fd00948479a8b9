"""How the results of a year's evaluation are said: in the notice, in letters, on pages, in lists."""

from collections import Counter
from collections.abc import Sequence

from models.case import Case
from models.evaluation import EvaluationResult
from models.registry import Unit
from rules.grading import spoken_points
from rules.money import in_capitals, in_yuan
from tasks.year_results import grade_names, rules_of


def grade_of(case: Case, result: EvaluationResult) -> str:
    """Return the name of a result's grade."""
    return grade_names(case).get(result.grade, result.grade)


def points_of(case: Case, result: EvaluationResult) -> str:
    """Return points and grade, e.g. ``92.5分，优秀``."""
    return f"{spoken_points(result.points_tenths)}分，{grade_of(case, result)}"


def group_of(group: Unit, village: Unit) -> str:
    """Return a group's name without that of its village."""
    return group.name.removeprefix(village.name) or group.name


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


def by_grade(case: Case, results: Sequence[EvaluationResult]) -> str:
    """Return how many results have each grade, from the best one on."""
    counted = Counter(each.grade for each in results)
    told = "、".join(f"{name}{counted[code]}个" for code, name in grade_names(case).items())
    return f"共{len(results)}个：{told}"


def award_of(results: Sequence[EvaluationResult]) -> str:
    """Return what sites add to 以奖代拨 together, in figures and capitals."""
    fen = sum(each.award_fen for each in results)
    return f"{in_yuan(fen)}（{in_capitals(fen)}）"


def score_lines(case: Case, result: EvaluationResult) -> tuple[str, ...]:
    """Return a result criterion by criterion: name, points, how they come about."""
    rules = rules_of(case)
    criteria = rules.site_criteria if result.site_id is not None else rules.village_criteria
    names = {each.code: each.name for each in criteria}
    return tuple(
        f"{names.get(score.code, score.code)}{spoken_points(score.points_tenths)}分：{score.explained}"
        for score in result.scores
    )
