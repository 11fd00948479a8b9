"""The register of yearly evaluations (年度考核台账): every result of the last computation, sites and villages."""

from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import Case, Site
from models.evaluation import EvaluationResult, YearEvaluation
from models.registry import Unit
from policies.errors import BadPolicy
from tasks.audit_rows import UNREADABLE, is_of_value, is_whole, number_of
from tasks.register_book import Column, amounts, counts, in_decimal_yuan, texts
from tasks.register_rows import Row, rows_by, unreadable_row
from tasks.year_results import BY_RANK, WITH_NAMES, rules_of
from tasks.year_words import grade_of, score_lines

POINTS = Column("得分", 10, "0.0")
ADDED = Column("计入村级年度考核(分)", 14, "0.0")
COLUMNS: tuple[Column, ...] = (
    texts("考核编号"),
    counts("考核年度"),
    texts("对象", 10),
    counts("名次"),
    texts("客堂间编号", 18),
    texts("村(居)", 16),
    texts("负责人", 18),
    POINTS,
    texts("等次", 10),
    amounts("客堂间计入以奖代拨"),
    amounts("村(居)以奖代拨"),
    ADDED,
    counts("第几次计算"),
    texts("结果状态", 14),
    texts("各项得分和说明", 60),
)
"""A village's amount is the sum of its sites': two columns, so that none is summed twice."""


def rows(session: Session, *, year: int | None, units: frozenset[int] | None, open_only: bool) -> list[Row]:
    """
    Return the rows: evaluation by evaluation, the sites by rank, then the villages.

    A result that can not be read has a row that says so, an evaluation one for all its results.

    Args:
        year: the year that was evaluated; None: every year.
        units: only results of these villages; None: all.
        open_only: only evaluations whose results are not final.
    """
    query = select(YearEvaluation.id, YearEvaluation.case_id).order_by(YearEvaluation.year, YearEvaluation.id)
    if year is not None:
        query = query.where(YearEvaluation.year == year)
    found: list[Row] = []
    for evaluation_id, case_id in session.execute(query).tuples().all():
        try:
            evaluation = session.get_one(YearEvaluation, evaluation_id)
            if not (open_only and evaluation.final):
                found += _rows_of(session, evaluation, units)
        except (BadPolicy, *UNREADABLE) as error:
            if not is_of_value(error):
                raise
            found.append(unreadable_row(number_of(session, case_id), COLUMNS))
    return found


def _rows_of(session: Session, evaluation: YearEvaluation, units: frozenset[int] | None) -> list[Row]:
    """Return the rows of an evaluation; LookupError or as `rules_of` when it can not be read."""
    if not is_whole(evaluation):
        raise LookupError(f"evaluation {evaluation.id} holds what its columns can not")
    rules_of(evaluation.case)

    def make(result: EvaluationResult, _: Case) -> Row | None:
        return _row(evaluation, result) if units is None or result.village_id in units else None

    query = (
        select(EvaluationResult, Case)
        .join(Case, Case.id == evaluation.case_id)
        # Outer, because what a result refers to may be gone: then it is told, not left out.
        .outerjoin(Unit, Unit.id == EvaluationResult.village_id)
        .outerjoin(Site, Site.id == EvaluationResult.site_id)
        .where(EvaluationResult.evaluation_id == evaluation.id, EvaluationResult.round == evaluation.round)
        .order_by(*BY_RANK)
        .options(*WITH_NAMES)
    )
    return rows_by(session, query, EvaluationResult, make, columns=COLUMNS)


def _row(evaluation: YearEvaluation, result: EvaluationResult) -> Row:
    case, site = evaluation.case, result.site
    if site is None and result.site_id is not None:
        raise LookupError(f"there is no site {result.site_id}")
    award = in_decimal_yuan(result.award_fen)
    return (
        case.number,
        evaluation.year,
        "客堂间" if site is not None else "村(居)",
        result.rank,
        site.number if site is not None else "",
        result.village.name,
        site.leader.display if site is not None else "",
        Decimal(result.points_tenths).scaleb(-1),
        grade_of(case, result),
        award if site is not None else None,
        award if site is None else None,
        Decimal(result.assessment_tenths).scaleb(-1) if site is None else None,
        evaluation.round,
        "已公示确定" if evaluation.final else "未确定",
        "\n".join(score_lines(case, result)),
    )
