"""Weighted points, exact and with everybody who may not score refused (D2-R9)."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.errors import Refused
from policies.load import EDITIONS, load_edition
from policies.micro_scheme import Scoring
from rules.scoring import ProposalScore, check_may_score, check_panel, member_score, proposal_score, shown

LINPING = load_edition(EDITIONS / "linping-2022.yaml").edition.for_projects.screening.scoring
EXAMPLE = load_edition(EDITIONS / "example-micro-2026.yaml").edition.for_projects.screening.scoring

PANEL = {1: "王芳", 2: "李明", 3: "张三", 4: "赵六", 5: "钱七"}
TEN = {"demand": 10, "feasibility": 10, "budget": 10, "participation": 10}


@pytest.mark.parametrize(
    ("scoring", "points", "expected"),
    [
        (LINPING, TEN, Fraction(100)),
        (LINPING, dict.fromkeys(TEN, 0), Fraction(0)),
        (LINPING, {"demand": 8, "feasibility": 7, "budget": 9, "participation": 6}, Fraction(151, 2)),
        (EXAMPLE, {"benefit": 50, "feasibility": 30, "thrift": 20}, Fraction(100)),
        (EXAMPLE, {"benefit": 35, "feasibility": 21, "thrift": 14}, Fraction(70)),
        (EXAMPLE, {"benefit": 49, "feasibility": 20, "thrift": 19}, Fraction(49) + Fraction(200, 9) + Fraction(95, 6)),
    ],
)
def test_points_weigh_exactly_out_of_a_hundred(scoring: Scoring, points: dict[str, int], expected: Fraction) -> None:
    assert member_score(points, scoring) == expected


@pytest.mark.parametrize(
    ("points", "words"),
    [
        (TEN | {"demand": 11}, ["“居民需求与受益面”评了11分,须为0至10分"]),
        (TEN | {"budget": -1}, ["“预算合理性”评了-1分"]),
        ({"demand": 1, "feasibility": 1, "budget": 1}, ["“居民参与和自我管理”没有评分"]),
        (TEN | {"beauty": 5}, ["没有“beauty”这项评分标准", "满分10"]),
        ({"demand": 12, "beauty": 5}, ["beauty", "评了12分", "“方案可行性”没有评分", "“预算合理性”没有评分"]),
    ],
)
def test_points_that_do_not_fit_the_criteria_are_refused_all_at_once(points: dict[str, int], words: list[str]) -> None:
    with pytest.raises(Refused) as caught:
        member_score(points, LINPING)
    assert [word for word in words if word not in caught.value.reason] == []


def score(points: dict[int, dict[str, int]], *interested: int) -> ProposalScore:
    return proposal_score(points, panel=PANEL, interested=interested, title="亭子修缮", scoring=LINPING)


def all_of(points: int) -> dict[str, int]:
    return dict.fromkeys(TEN, points)


def test_a_proposals_score_is_the_mean_of_those_who_scored() -> None:
    given_ = {1: all_of(9), 2: all_of(8), 3: all_of(9)}
    result = score(given_, 4)
    assert (result.mean, shown(result.mean), result.passed) == (Fraction(260, 3), "86.67", True)
    assert result.by_member == {1: 90, 2: 80, 3: 90}
    assert result.reason == "3人评分,平均86.67分,须达到60分,达到"


@pytest.mark.parametrize(("last", "passed"), [(6, True), (5, False)])
def test_reaching_the_bound_exactly_is_enough(last: int, passed: bool) -> None:
    given_ = {1: all_of(6), 2: all_of(6), 3: TEN | all_of(6) | {"demand": last}}
    result = score(given_)
    assert result.passed is passed
    assert (result.mean == 60) is passed


def test_without_a_bound_every_score_passes() -> None:
    free = LINPING.model_copy(update={"pass_at_least": None})
    result = proposal_score(
        {each: all_of(0) for each in (1, 2, 3)}, panel=PANEL, interested=(), title="亭子修缮", scoring=free
    )
    assert (result.mean, result.passed, result.reason) == (0, True, "3人评分,平均0.00分")


def test_a_member_with_an_interest_does_not_score_and_is_named() -> None:
    with pytest.raises(Refused, match="赵六与“亭子修缮”有利害关系,须回避"):
        check_may_score(4, panel=PANEL, interested={4}, title="亭子修缮", scoring=LINPING)
    with pytest.raises(Refused, match="赵六与“亭子修缮”有利害关系"):
        score({1: TEN, 2: TEN, 3: TEN, 4: TEN}, 4)
    check_may_score(3, panel=PANEL, interested={4}, title="亭子修缮", scoring=LINPING)


def test_somebody_outside_the_panel_does_not_score() -> None:
    with pytest.raises(Refused, match="不在本次征集的评审组内,不能为“亭子修缮”评分;评审组:王芳、李明"):
        score({1: TEN, 2: TEN, 9: TEN})


def test_too_few_scores_are_refused_with_the_names_of_those_still_to_score() -> None:
    with pytest.raises(Refused) as caught:
        score({1: TEN, 2: TEN}, 4)
    assert caught.value.reason == ("“亭子修缮”有2人评分,至少须3人;尚未评分:张三、钱七;须回避:赵六;请催请尚未评分的评审")


def test_a_panel_of_which_too_few_are_free_has_to_be_enlarged() -> None:
    with pytest.raises(Refused, match="能评分的只有2人,请增补评审"):
        score({1: TEN, 2: TEN}, 3, 4, 5)
    with pytest.raises(Refused, match="尚未评分:张三;须回避:赵六、钱七;请催请尚未评分的评审"):
        score({1: TEN, 2: TEN}, 4, 5)


@pytest.mark.parametrize(("members", "enough"), [(5, True), (4, False), (0, False)])
def test_a_panel_has_its_least_number(members: int, enough: bool) -> None:
    names = list(PANEL.values())[:members]
    if enough:
        check_panel(names, LINPING)
        return
    with pytest.raises(Refused, match=f"评审组只有{members}人.*至少须5人"):
        check_panel(names, LINPING)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(260, 3), "86.67"),
        (Fraction(100, 3), "33.33"),
        (Fraction(5, 1000), "0.01"),
        (Fraction(4999, 1_000_000), "0.00"),
        (Fraction(1235, 1000), "1.24"),
        (Fraction(1225, 1000), "1.23"),  # half up, not to the even one
        (Fraction(99_995, 1000), "100.00"),
        (Fraction(0), "0.00"),
    ],
)
def test_scores_are_shown_half_up(value: Fraction, text: str) -> None:
    assert shown(value) == text


def test_there_are_no_negative_points_to_show() -> None:
    with pytest.raises(ValueError, match="-1"):
        shown(Fraction(-1))


@given(st.sampled_from([LINPING, EXAMPLE]), st.data())
def test_a_score_lies_within_the_hundred_and_rises_with_every_point(scoring: Scoring, data: st.DataObject) -> None:
    points = {each.code: data.draw(st.integers(0, each.points_at_most)) for each in scoring.criteria}
    before = member_score(points, scoring)
    assert 0 <= before <= 100
    raised = data.draw(st.sampled_from(scoring.criteria))
    if points[raised.code] < raised.points_at_most:
        after = member_score(points | {raised.code: points[raised.code] + 1}, scoring)
        assert after - before == 100 * raised.weight / raised.points_at_most


@given(st.permutations([1, 2, 3, 4]), st.lists(st.integers(0, 10), min_size=4, max_size=4))
def test_the_order_of_the_members_does_not_change_the_mean(order: list[int], points: list[int]) -> None:
    given_ = {member: all_of(points[member - 1]) for member in order}
    result = score(given_)
    assert result.mean == Fraction(10 * sum(points), 4)
