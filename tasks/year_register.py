"""The register of yearly evaluations (年度考核台账): every result of the last computation, sites and villages."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.evaluation import EvaluationResult, YearEvaluation
from tasks.register_book import Cell, Column, amounts, counts, in_decimal_yuan, texts
from tasks.year_results import results_of
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


def rows(
    session: Session, *, year: int | None, units: frozenset[int] | None, open_only: bool
) -> Iterator[Sequence[Cell]]:
    """
    Yield the rows: evaluation by evaluation, the sites by rank, then the villages.

    Args:
        year: the year that was evaluated; None: every year.
        units: only results of these villages; None: all.
        open_only: only evaluations whose results are not final.
    """
    query = select(YearEvaluation).order_by(YearEvaluation.year, YearEvaluation.id)
    if year is not None:
        query = query.where(YearEvaluation.year == year)
    for evaluation in session.scalars(query):
        if open_only and evaluation.final:
            continue
        for result in results_of(session, evaluation):
            if units is None or result.village_id in units:
                yield _row(evaluation, result)


def _row(evaluation: YearEvaluation, result: EvaluationResult) -> Sequence[Cell]:
    case, site = evaluation.case, result.site
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
