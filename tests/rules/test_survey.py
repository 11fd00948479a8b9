"""The survey of opinion: exact shares, at their edges (D2-R9)."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.errors import Refused
from policies.load import EDITIONS, load_edition
from rules.survey import Opinion, finding, support

_linping = load_edition(EDITIONS / "linping-2022.yaml").edition.for_projects.survey
_example = load_edition(EDITIONS / "example-micro-2026.yaml").edition.for_projects.survey
assert _linping is not None
assert _example is not None
LINPING, EXAMPLE = _linping, _example


@pytest.mark.parametrize(
    ("answers", "share"),
    [
        ((6, 4, 0), Fraction(3, 5)),
        ((6, 0, 4), Fraction(3, 5)),
        ((1, 1, 1), Fraction(1, 3)),
        ((0, 5, 0), Fraction(0)),
        ((0, 0, 0), Fraction(0)),
        ((7, 0, 0), Fraction(1)),
    ],
)
def test_support_is_the_share_of_all_answers(answers: tuple[int, int, int], share: Fraction) -> None:
    in_favour, against, indifferent = answers
    assert support(in_favour=in_favour, against=against, indifferent=indifferent) == share


@pytest.mark.parametrize(
    ("answers", "opinion"),
    [
        ((6, 2, 2), Opinion.SUPPORTED),  # exactly three fifths
        ((599, 401, 0), Opinion.NOT_SUPPORTED),
        ((600, 400, 0), Opinion.SUPPORTED),
        ((5, 5, 0), Opinion.NOT_SUPPORTED),
        ((9, 0, 0), Opinion.TOO_FEW_ANSWERS),
        ((10, 0, 0), Opinion.SUPPORTED),
        ((0, 0, 0), Opinion.TOO_FEW_ANSWERS),
    ],
)
def test_three_fifths_of_at_least_ten_answers_support_a_proposal(
    answers: tuple[int, int, int], opinion: Opinion
) -> None:
    in_favour, against, indifferent = answers
    found = finding(EXAMPLE, in_favour=in_favour, against=against, indifferent=indifferent)
    assert found.opinion is opinion
    assert found.supported is (opinion is Opinion.SUPPORTED)
    assert found.answers == sum(answers)


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ((11, 7, 2), "收到意见20份,赞成11份、反对7份、无所谓2份,支持率55.00%;须达到3/5(60.00%)以上,未达到"),
        ((12, 7, 1), "收到意见20份,赞成12份、反对7份、无所谓1份,支持率60.00%;须达到3/5(60.00%)以上,达到"),
        ((5, 1, 1), "收到意见7份,赞成5份、反对1份、无所谓1份;至少须10份,不足"),
    ],
)
def test_the_sentence_has_the_figures(answers: tuple[int, int, int], reason: str) -> None:
    in_favour, against, indifferent = answers
    assert finding(EXAMPLE, in_favour=in_favour, against=against, indifferent=indifferent).reason == reason


def test_where_no_share_is_asked_support_is_only_told() -> None:
    found = finding(LINPING, in_favour=1, against=19, indifferent=0)
    assert (found.opinion, found.support) == (Opinion.SUPPORTED, Fraction(1, 20))
    assert found.reason.endswith("支持率5.00%;供评审参考")
    assert finding(LINPING, in_favour=19, against=0, indifferent=0).opinion is Opinion.TOO_FEW_ANSWERS


def test_a_negative_count_is_refused_by_name() -> None:
    with pytest.raises(Refused, match="反对-2"):
        finding(EXAMPLE, in_favour=3, against=-2, indifferent=0)


counts = st.integers(0, 500)


@given(counts, counts, counts)
def test_a_further_answer_in_favour_never_loses_support(in_favour: int, against: int, indifferent: int) -> None:
    before = finding(EXAMPLE, in_favour=in_favour, against=against, indifferent=indifferent)
    after = finding(EXAMPLE, in_favour=in_favour + 1, against=against, indifferent=indifferent)
    assert after.support >= before.support
    assert after.supported or not before.supported


@given(counts, counts, counts)
def test_only_a_survey_with_a_share_to_reach_keeps_a_proposal_from_being_screened(
    in_favour: int, against: int, indifferent: int
) -> None:
    answers = {"in_favour": in_favour, "against": against, "indifferent": indifferent}
    assert finding(LINPING, **answers).goes_on
    bound = finding(EXAMPLE, **answers)
    assert bound.goes_on is bound.supported
