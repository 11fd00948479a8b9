"""What the forms of the gates of evaluations ask for."""

from pydantic import Field
from sqlalchemy.orm import Session

from flows.fields import UNDECIDED, Builder, Fields, choice, text
from models.case import Case
from policies.vocabulary import Gate
from rules.transitions import for_people
from tasks.case_file import Awaited
from tasks.year_results import evaluation_of


def _review_fields(session: Session, case: Case, awaited: Awaited) -> Fields:
    """Ask whether the figures stand, are computed anew, or the evaluation is called off."""
    round_ = evaluation_of(session, case).round
    return {
        "verdict": (
            choice(UNDECIDED, tuple(verdict.label for verdict in for_people(awaited.gate))),
            Field(
                UNDECIDED,
                title="决定",
                description=f"批准:公示第{round_}次计算的结果;重新计算:按补登、更正后的记录再算;取消:本年度不再考核",
            ),
        ),
        "reason": text("理由", description="重新计算、取消时必须填写"),
    }


BUILDERS: dict[Gate, Builder] = {Gate.FIGURES_REVIEW: _review_fields}
"""By gate; the others ask for a verdict."""
