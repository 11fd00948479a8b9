"""What the report of a year's evaluation says: criteria, rankings, and how each result comes about (D0-R14)."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from models.case import Case
from models.evaluation import EvaluationResult
from policies.errors import Refused
from policies.life_scheme import SiteCriterion, VillageCriterion
from policies.vocabulary import Gate
from rules.grading import spoken_points
from rules.money import in_yuan
from rules.periods import SHANGHAI
from tasks.mail import chinese_date
from tasks.paperwork_words import Facts, Made, common, money, numbered, reached
from tasks.year_results import evaluation_of, results_of, rules_of
from tasks.year_words import grade_of, graded


def of_evaluation(session: Session, case: Case, made: Made) -> Facts:
    """
    Return what the report says, by the last computation.

    Raises:
        Refused: nothing was computed yet, or nobody was evaluated.
    """
    reached(session, case, Gate.FIGURES_REVIEW, missing="考核数据尚未计算,没有考核结果可印")
    evaluation, rules = evaluation_of(session, case), rules_of(case)
    found = results_of(session, evaluation)
    if not found:
        raise Refused(rules.where, f"第{evaluation.round}次计算没有参加考核的客堂间和村(居),没有考核结果可印")
    sites = [each for each in found if each.site is not None]
    villages = [each for each in found if each.site is None]
    computed = evaluation.computed_at.astimezone(SHANGHAI)
    return {
        **common(case, made),
        "考核年度": str(evaluation.year),
        "计算次数": str(evaluation.round),
        "计算时间": f"{chinese_date(computed.date())}{computed:%H:%M}",
        "结果状态": "经公示确定" if evaluation.final else "未经公示确定，供核对",
        "依据条款": rules.clause or "系统默认规定",
        "客堂间等次": graded(case, sites),
        "村居等次": graded(case, villages),
        **money("奖补合计", sum(each.award_fen for each in sites)),
        "考核加分上限": str(rules.assessment_points_at_most),
        "客堂间标准": _criteria(rules.site_criteria),
        "村居标准": _criteria(rules.village_criteria),
        "等次标准": [
            {"等次": each.name, "分数": f"{each.from_points}分以上", "金额": in_yuan(each.award_yuan * 100)}
            for each in rules.grades
        ],
        "客堂间": numbered(
            {
                **_result(case, each, rules.site_criteria),
                "编号": each.site.number,
                "负责人": each.site.leader.display,
            }
            for each in sites
            if each.site is not None
        ),
        "村居": numbered(
            {
                **_result(case, each, rules.village_criteria),
                "加分": f"{spoken_points(each.assessment_tenths)}分",
            }
            for each in villages
        ),
    }


def _criteria(criteria: Sequence[SiteCriterion | VillageCriterion]) -> list[Facts]:
    return numbered(
        {
            "名称": each.name,
            "分值": f"{each.points}分",
            "标准": _standard(each),
            "依据": each.clause or "系统默认规定",
        }
        for each in criteria
    )


def _standard(criterion: SiteCriterion | VillageCriterion) -> str:
    if isinstance(criterion, SiteCriterion) and criterion.full_at is not None:
        return f"{criterion.fact.label}，全年达到{criterion.full_at}得满分，不足的按比例计分"
    return f"{criterion.fact.label}，按比例计分"


def _result(case: Case, result: EvaluationResult, criteria: Sequence[SiteCriterion | VillageCriterion]) -> Facts:
    names = {each.code: each.name for each in criteria}
    return {
        "名次": str(result.rank),
        "村居": result.village.name,
        "得分": f"{spoken_points(result.points_tenths)}分",
        "等次": grade_of(case, result),
        "金额": in_yuan(result.award_fen),
        "明细": [
            {
                "项目": names.get(score.code, score.code),
                "分": f"{spoken_points(score.points_tenths)}分",
                "说明": score.explained,
            }
            for score in result.scores
        ],
    }
