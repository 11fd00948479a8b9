"""
The result of a finished project: three sides, their weights, a grade (D2-R11).

Used when the evaluation closes and by the self-check report. Weights and points are exact; rounding is for display.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from policies.errors import Refused
from policies.micro_scheme import Evaluation, Grade, PanelWeight
from policies.vocabulary import EvaluationPanel, MissingPanel
from rules.scoring import shown


@dataclass(frozen=True)
class PanelAnswer:
    """What one side says."""

    answers: int
    """Answers or members, count."""
    points_total: int
    """Sum of their points, each 0..100."""


@dataclass(frozen=True)
class Result:
    """What the sides together say of a project."""

    points: Fraction
    """Weighted, 0..100."""
    grade: Grade
    weights: Mapping[EvaluationPanel, Fraction]
    """The weights that were used; they make one whole, unless a missing side counts as zero."""
    missing: tuple[EvaluationPanel, ...]
    """Sides of the edition without enough answers."""
    reason: str
    """The worked sum, in Chinese."""


def panel_weights(evaluation: Evaluation, *, missing: frozenset[EvaluationPanel]) -> Mapping[EvaluationPanel, Fraction]:
    """
    Return the weights of the sides that are there, exactly.

    Source: D2-R11; what a missing side does is the edition's.

    Args:
        evaluation: the scheme's.
        missing: sides without enough answers.

    Returns:
        One entry per side that is there. REDISTRIBUTE: in proportion to their weights, one whole together. ZERO: as
        they are.

    Raises:
        Refused: a side is missing and the edition does not do without, or all are missing and nothing is left to
            take their weight.
    """
    there = [each for each in evaluation.panels if each.panel not in missing]
    lost = [each for each in evaluation.panels if each.panel in missing]
    match evaluation.missing:
        case MissingPanel.REFUSE if lost:
            raise Refused(_where(lost), f"评估缺少{_named(lost)},按规则不得办结;请补齐后再办")
        case MissingPanel.REDISTRIBUTE if not there:
            raise Refused(_where(lost), f"评估各方都缺({_named(lost)}),没有可以计分的一方;请至少补齐一方")
        case MissingPanel.REDISTRIBUTE:
            whole = sum((each.weight for each in there), start=Fraction(0))
            return {each.panel: each.weight / whole for each in there}
        case MissingPanel.ZERO | MissingPanel.REFUSE:
            return {each.panel: each.weight for each in there}


def evaluate(answers: Mapping[EvaluationPanel, PanelAnswer], evaluation: Evaluation) -> Result:
    """
    Weigh what the sides say and find the grade; a side with too few answers is a missing one.

    Source: D2-R11 (clause 三、(二)3(2) 居民评议、专家评议、第三方评估).

    Args:
        answers: side to what it says; a side may be absent.
        evaluation: the scheme's.

    Raises:
        Refused: a side that the edition does not ask, points that can not be, or a missing side it insists on.
    """
    for panel, given in answers.items():
        check_answer(panel, given, evaluation)
    missing = tuple(
        each.panel
        for each in evaluation.panels
        if each.panel not in answers or answers[each.panel].answers < each.answers_at_least
    )
    weights = panel_weights(evaluation, missing=frozenset(missing))
    means = {panel: Fraction(answers[panel].points_total, answers[panel].answers) for panel in weights}
    points = sum((weight * means[panel] for panel, weight in weights.items()), start=Fraction(0))
    grade = grade_of(points, evaluation)
    parts = [
        f"{panel.label}{shown(means[panel])}分×{weight.numerator}/{weight.denominator}"
        if weight != 1
        else f"{panel.label}{shown(means[panel])}分"
        for panel, weight in weights.items()
    ]
    absent = f";{'、'.join(panel.label for panel in missing)}缺,{evaluation.missing.label}" if missing else ""
    reason = f"{'+'.join(parts) or '无人评估'},合计{shown(points)}分,{grade.name}{absent}"
    return Result(points=points, grade=grade, weights=weights, missing=missing, reason=reason)


def grade_of(points: Fraction, evaluation: Evaluation) -> Grade:
    """Return the best grade whose bound `points` (0..100) reach; reaching it exactly is enough (D2-R11)."""
    return next(grade for grade in evaluation.grades if points >= grade.at_least)


def check_answer(panel: EvaluationPanel, given: PanelAnswer, evaluation: Evaluation) -> None:
    """
    Refuse an entry that can not be: a side that the edition does not ask, no answer, points outside their range.

    Source: D2-R11.

    Raises:
        Refused: names the figures, or the sides there are.
    """
    asked = {each.panel: each for each in evaluation.panels}
    if panel not in asked:
        choices = "、".join(each.label for each in asked)
        raise Refused(_where(evaluation.panels), f"本办法不设“{panel.label}”,评估方为:{choices};请改填其中一方")
    if given.answers < 1:
        raise Refused(asked[panel].where, f"{panel.label}的份数为{given.answers},须为1以上;没有意见的不必填写")
    if not 0 <= given.points_total <= 100 * given.answers:
        raise Refused(
            asked[panel].where,
            f"{panel.label}{given.answers}份合计{given.points_total}分,每份0至100分,合计须为0至{100 * given.answers}分;"
            "请核对后重新填写",
        )


def _named(panels: list[PanelWeight]) -> str:
    return "、".join(f"{each.panel.label}(至少{each.answers_at_least}份)" for each in panels)


def _where(panels: list[PanelWeight] | tuple[PanelWeight, ...]) -> str:
    clauses = [each.where for each in panels if each.where != "default"]
    return ";".join(dict.fromkeys(clauses)) or "default"
