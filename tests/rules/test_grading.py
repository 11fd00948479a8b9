"""Points, grades, ranks and what they earn: exact, and the same however the figures come in."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.life_scheme import EvaluationGrade
from policies.load import load_all
from rules.grading import (
    Figure,
    assessment_tenths,
    award_fen,
    grade_of,
    marks,
    ranks,
    round_half_up,
    shared_out,
    spoken_points,
    total,
)

SHARES = st.one_of(st.none(), st.fractions(min_value=0, max_value=1, max_denominator=400))
WEIGHTS = st.lists(st.integers(1, 40), min_size=1, max_size=9).map(
    lambda given: {f"c{place}": points for place, points in enumerate(given)}
)


def grades() -> tuple[EvaluationGrade, ...]:
    evaluation = load_all()["example-2026"].edition.for_sites.evaluation
    assert evaluation is not None
    return evaluation.grades


@pytest.mark.parametrize(
    ("figure", "full_at", "share"),
    [
        (Figure(10, 12), None, Fraction(5, 6)),
        (Figure(12, 12), None, Fraction(1)),
        (Figure(0, 0), None, None),
        (Figure(45, None), 60, Fraction(3, 4)),
        (Figure(80, None), 60, Fraction(1)),
        (Figure(0, None), 60, Fraction(0)),
    ],
)
def test_a_figure_is_a_share_of_what_was_owed_or_of_the_full_count(
    figure: Figure, full_at: int | None, share: Fraction | None
) -> None:
    assert figure.share(full_at) == share


def test_a_count_without_a_full_count_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="45 of None"):
        Figure(45, None).share(None)


@pytest.mark.parametrize(
    ("value", "rounded"), [(Fraction(1, 2), 1), (Fraction(49, 100), 0), (Fraction(5, 2), 3), (Fraction(0), 0)]
)
def test_a_half_is_rounded_up(value: Fraction, rounded: int) -> None:
    assert round_half_up(value) == rounded


def test_each_criterion_is_rounded_and_the_tenths_are_summed() -> None:
    earned = marks({"themes": 20, "weeks": 80}, {"themes": Fraction(11, 12), "weeks": Fraction(47, 51)})
    # 20 x 11/12 = 18.333 -> 18.3; 80 x 47/51 = 73.725 -> 73.7
    assert [mark.points_tenths for mark in earned] == [183, 737]
    assert total(earned) == 920


def test_what_was_not_owed_is_shared_out_in_proportion() -> None:
    earned = marks({"a": 50, "b": 30, "c": 20}, {"a": Fraction(1), "b": Fraction(1, 2), "c": None})
    assert [(mark.full_tenths, mark.points_tenths) for mark in earned] == [(625, 625), (375, 188), (0, 0)]


def test_thirds_still_sum_to_a_hundred() -> None:
    assert shared_out({"a": 20, "b": 20, "c": 20, "d": 40}, ["a", "b", "c"]) == {"a": 334, "b": 333, "c": 333, "d": 0}


def test_nothing_owed_at_all_earns_nothing() -> None:
    assert total(marks({"a": 100}, {"a": None})) == 0


@pytest.mark.parametrize(
    ("tenths", "code", "fen"),
    [
        (1000, "excellent", 200_000),
        (900, "excellent", 200_000),
        (899, "good", 100_000),
        (599, "failed", 0),
        (0, "failed", 0),
    ],
)
def test_a_grade_is_reached_from_its_points_on(tenths: int, code: str, fen: int) -> None:
    grade = grade_of(tenths, grades())
    assert (grade.code, award_fen(grade)) == (code, fen)


def test_equal_points_have_equal_ranks_and_the_next_one_counts_them() -> None:
    assert ranks([800, 950, 700, 800]) == [2, 1, 4, 2]
    assert ranks([]) == []


@pytest.mark.parametrize(("points", "tenths"), [(1000, 50), (925, 46), (910, 46), (909, 45), (0, 0)])
def test_a_villages_points_add_to_its_assessment_in_proportion(points: int, tenths: int) -> None:
    assert assessment_tenths(points, at_most=5) == tenths


def test_points_are_written_without_an_empty_tenth() -> None:
    assert [spoken_points(each) for each in (925, 900, 5, 0)] == ["92.5", "90", "0.5", "0"]


@given(WEIGHTS, st.data())
def test_the_sum_is_within_bounds_and_full_shares_are_full_points(points: dict[str, int], data: st.DataObject) -> None:
    shares = {code: data.draw(SHARES) for code in points}
    earned = marks(points, shares)
    assert 0 <= total(earned) <= 1000
    assert all(0 <= mark.points_tenths <= mark.full_tenths for mark in earned)
    owed = [code for code, share in shares.items() if share is not None]
    assert sum(mark.full_tenths for mark in earned) == (1000 if owed else 0)
    full = marks(points, {code: Fraction(1) if code in owed else None for code in points})
    assert total(full) == (1000 if owed else 0)


@given(WEIGHTS, st.data())
def test_doing_better_never_costs_points(points: dict[str, int], data: st.DataObject) -> None:
    worse = {code: data.draw(st.fractions(0, 1, max_denominator=60)) for code in points}
    better = {code: data.draw(st.fractions(share, 1, max_denominator=60)) for code, share in worse.items()}
    assert total(marks(points, better)) >= total(marks(points, dict(worse)))


@given(st.lists(st.integers(0, 1000), max_size=30))
def test_ranks_follow_the_points(points: list[int]) -> None:
    given_ranks = ranks(points)
    for mine, rank in zip(points, given_ranks, strict=True):
        assert rank == 1 + sum(other > mine for other in points)
