"""
What the survey of opinion says of a proposal (D2-R9).

Used when the survey ends and when proposals are ranked. The indifferent count among the answers: support is the share
in favour of ALL answers.
"""

from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

from policies.errors import Refused
from policies.micro_scheme import SurveyRule
from rules.scoring import shown


class Opinion(Enum):
    """What a survey amounts to."""

    SUPPORTED = "supported"
    NOT_SUPPORTED = "not_supported"
    TOO_FEW_ANSWERS = "too_few_answers"


@dataclass(frozen=True)
class SurveyFinding:
    """The survey of one proposal, held against the rule."""

    opinion: Opinion
    answers: int
    """Answers of all kinds, count."""
    support: Fraction
    """Share in favour, 0..1."""
    reason: str
    """One Chinese sentence with the figures."""
    where: str
    """The clause, or ``default``."""
    goes_on: bool
    """Whether the proposal is screened when the survey ends so; always where the survey only informs the panel."""

    @property
    def supported(self) -> bool:
        """Whether there are enough answers, and enough of them in favour."""
        return self.opinion is Opinion.SUPPORTED


def support(*, in_favour: int, against: int, indifferent: int) -> Fraction:
    """
    Return the share of all answers that is in favour, exactly; 0 without any answer.

    Source: D2-R9 (社情民意调研).

    Raises:
        Refused: a negative count.
    """
    counts = {"赞成": in_favour, "反对": against, "无所谓": indifferent}
    if negative := [f"{name}{count}" for name, count in counts.items() if count < 0]:
        raise Refused("default", f"意见份数不能为负:{'、'.join(negative)};请核对后重新填写")
    answers = sum(counts.values())
    return Fraction(in_favour, answers) if answers else Fraction(0)


def finding(rule: SurveyRule, *, in_favour: int, against: int, indifferent: int) -> SurveyFinding:
    """
    Hold a proposal's answers against the survey's rule; reaching the share exactly is enough.

    Source: D2-R9.

    Args:
        rule: without a share to reach, enough answers are all that is asked.
        in_favour: answers for the proposal, count.
        against: answers against it.
        indifferent: answers for neither.

    Raises:
        Refused: a negative count.
    """
    share = support(in_favour=in_favour, against=against, indifferent=indifferent)
    answers = in_favour + against + indifferent
    counted = f"收到意见{answers}份,赞成{in_favour}份、反对{against}份、无所谓{indifferent}份"
    if answers < rule.answers_at_least:
        opinion, reason = Opinion.TOO_FEW_ANSWERS, f"{counted};至少须{rule.answers_at_least}份,不足"
    elif rule.support_at_least is None:
        opinion, reason = Opinion.SUPPORTED, f"{counted},支持率{shown(share * 100)}%;供评审参考"
    else:
        reached = share >= rule.support_at_least
        opinion = Opinion.SUPPORTED if reached else Opinion.NOT_SUPPORTED
        bound = rule.support_at_least
        reason = (
            f"{counted},支持率{shown(share * 100)}%;须达到{bound.numerator}/{bound.denominator}"
            f"({shown(bound * 100)}%)以上,{'达到' if reached else '未达到'}"
        )
    return SurveyFinding(
        opinion=opinion,
        answers=answers,
        support=share,
        reason=reason,
        where=rule.where,
        goes_on=opinion is Opinion.SUPPORTED or rule.support_at_least is None,
    )
