"""The evaluation of a finished project: weights, missing sides, grades (D2-R11)."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.errors import Refused
from policies.load import EDITIONS, load_edition
from policies.micro_scheme import Evaluation
from policies.vocabulary import EvaluationPanel, MissingPanel
from rules.evaluation import PanelAnswer, evaluate, grade_of, panel_weights

LINPING = load_edition(EDITIONS / "linping-2022.yaml").edition.for_projects.evaluation
EXAMPLE = load_edition(EDITIONS / "example-micro-2026.yaml").edition.for_projects.evaluation
RESIDENTS, EXPERTS, THIRD = EvaluationPanel.RESIDENTS, EvaluationPanel.EXPERTS, EvaluationPanel.THIRD_PARTY

ALL = {RESIDENTS: PanelAnswer(10, 900), EXPERTS: PanelAnswer(3, 240), THIRD: PanelAnswer(1, 70)}


def with_missing(rule: MissingPanel) -> Evaluation:
    return LINPING.model_copy(update={"missing": rule})


def test_three_sides_are_weighed_exactly() -> None:
    result = evaluate(ALL, LINPING)
    assert result.points == Fraction(81)
    assert (result.grade.name, result.missing) == ("良好", ())
    assert result.reason == "居民评议90.00分×2/5+专家评议80.00分×3/10+第三方评估70.00分×3/10,合计81.00分,良好"


@pytest.mark.parametrize(
    ("answers", "missing"),
    [
        ({RESIDENTS: ALL[RESIDENTS], EXPERTS: ALL[EXPERTS]}, (THIRD,)),
        (ALL | {EXPERTS: PanelAnswer(2, 200)}, (EXPERTS,)),  # one fewer than three
        (ALL | {RESIDENTS: PanelAnswer(9, 900)}, (RESIDENTS,)),
        ({THIRD: ALL[THIRD]}, (RESIDENTS, EXPERTS)),
    ],
)
def test_a_side_without_enough_answers_is_missing(
    answers: dict[EvaluationPanel, PanelAnswer], missing: tuple[EvaluationPanel, ...]
) -> None:
    assert evaluate(answers, LINPING).missing == missing


def test_the_weight_of_a_missing_side_goes_to_the_others_in_proportion() -> None:
    result = evaluate({RESIDENTS: ALL[RESIDENTS], EXPERTS: ALL[EXPERTS]}, LINPING)
    assert result.weights == {RESIDENTS: Fraction(4, 7), EXPERTS: Fraction(3, 7)}
    assert result.points == Fraction(600, 7)
    assert result.reason.endswith("合计85.71分,良好;第三方评估缺,权重按比例分给其他方")


def test_a_missing_side_may_count_as_zero() -> None:
    zero = with_missing(MissingPanel.ZERO)
    result = evaluate({RESIDENTS: ALL[RESIDENTS], EXPERTS: ALL[EXPERTS]}, zero)
    assert (result.points, result.grade.name) == (Fraction(60), "合格")
    nothing = evaluate({}, zero)
    assert (nothing.points, nothing.grade.name) == (Fraction(0), "不合格")
    assert nothing.reason.startswith("无人评估,合计0.00分")


def test_an_edition_may_insist_on_every_side_and_names_those_missing() -> None:
    with pytest.raises(Refused) as caught:
        evaluate({RESIDENTS: PanelAnswer(5, 450), EXPERTS: PanelAnswer(1, 90)}, EXAMPLE)
    assert caught.value.reason == "评估缺少专家评议(至少2份),按规则不得办结;请补齐后再办"
    assert evaluate({RESIDENTS: PanelAnswer(5, 450), EXPERTS: PanelAnswer(2, 150)}, EXAMPLE).points == 85


def test_without_any_side_there_is_nothing_to_share_the_weight() -> None:
    with pytest.raises(Refused, match=r"居民评议.*专家评议.*第三方评估.*请至少补齐一方"):
        evaluate({}, LINPING)


@pytest.mark.parametrize(
    ("panel", "answer", "words"),
    [
        (THIRD, PanelAnswer(1, 80), "本办法不设“第三方评估”,评估方为:居民评议、专家评议"),
        (EXPERTS, PanelAnswer(2, 201), "专家评议2份合计201分.*须为0至200分"),
        (EXPERTS, PanelAnswer(2, -1), "专家评议2份合计-1分"),
        (EXPERTS, PanelAnswer(0, 0), "专家评议的份数为0"),
    ],
)
def test_what_can_not_be_is_refused(panel: EvaluationPanel, answer: PanelAnswer, words: str) -> None:
    with pytest.raises(Refused, match=words):
        evaluate({RESIDENTS: PanelAnswer(5, 400), panel: answer}, EXAMPLE)


@pytest.mark.parametrize(
    ("points", "name"),
    [
        (Fraction(100), "优秀"),
        (Fraction(90), "优秀"),
        (Fraction(8_999_999, 100_000), "良好"),  # shown as 90.00
        (Fraction(80), "良好"),
        (Fraction(60), "合格"),
        (Fraction(5999, 100), "不合格"),
        (Fraction(0), "不合格"),
    ],
)
def test_reaching_a_grades_bound_exactly_is_enough(points: Fraction, name: str) -> None:
    assert grade_of(points, LINPING).name == name


panels = st.sets(st.sampled_from(EvaluationPanel), max_size=2).map(frozenset)


@given(panels)
def test_weights_redistribute_to_exactly_one_and_keep_their_proportions(missing: frozenset[EvaluationPanel]) -> None:
    weights = panel_weights(LINPING, missing=missing)
    assert sum(weights.values()) == 1
    assert set(weights) == set(EvaluationPanel) - missing
    written = {each.panel: each.weight for each in LINPING.panels}
    assert len({weight / written[panel] for panel, weight in weights.items()}) == 1


weight_parts = st.lists(st.integers(1, 97), min_size=3, max_size=3)


@given(weight_parts, panels)
def test_any_weights_redistribute_to_exactly_one(parts: list[int], missing: frozenset[EvaluationPanel]) -> None:
    weighed = tuple(
        each.model_copy(update={"weight": Fraction(part, sum(parts))})
        for each, part in zip(LINPING.panels, parts, strict=True)
    )
    evaluation = LINPING.model_copy(update={"panels": weighed})
    assert sum(panel_weights(evaluation, missing=missing).values()) == 1


answer = st.integers(10, 60).flatmap(
    lambda count: st.builds(PanelAnswer, answers=st.just(count), points_total=st.integers(0, 100 * count))
)


@given(st.fixed_dictionaries({}, optional={RESIDENTS: answer, EXPERTS: answer, THIRD: answer}))
def test_a_result_lies_between_the_lowest_and_the_highest_side(
    answers: dict[EvaluationPanel, PanelAnswer],
) -> None:
    if not answers:
        return
    means = [Fraction(each.points_total, each.answers) for each in answers.values()]
    assert min(means) <= evaluate(answers, LINPING).points <= max(means)
    assert evaluate(answers, with_missing(MissingPanel.ZERO)).points <= evaluate(answers, LINPING).points
