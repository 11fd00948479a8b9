"""A total order, told apart by the stated rules, within the money there is (D2-R9, D2-R13)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.load import EDITIONS, load_edition
from policies.vocabulary import OverBudget, TieBreak
from rules.ranking import Candidate, rank, within_budget

LINPING = load_edition(EDITIONS / "linping-2022.yaml").edition.for_projects.screening
EXAMPLE = load_edition(EDITIONS / "example-micro-2026.yaml").edition.for_projects.screening
MORNING = datetime(2026, 3, 2, 1, tzinfo=UTC)


def candidate(
    number: int,
    *,
    score: Fraction | int = 80,
    support: str = "1/2",
    yuan: int = 5000,
    minutes: int = 0,
) -> Candidate:
    return Candidate(
        id=number,
        title=f"项目{number}",
        score=Fraction(score),
        support=Fraction(support),
        amount_fen=yuan * 100,
        proposed_at=MORNING + timedelta(minutes=minutes),
    )


def placed(candidates: list[Candidate], ties: tuple[TieBreak, ...] = LINPING.ties) -> list[tuple[int, str]]:
    ranked = rank(candidates, ties=ties)
    assert [each.place for each in ranked] == list(range(1, len(candidates) + 1))
    return [(each.candidate.id, each.because) for each in ranked]


def test_the_higher_score_stands_first_by_however_little_and_without_more_reason() -> None:
    little_less = candidate(1, score=Fraction(79_999_999, 1_000_000))
    assert placed([little_less, candidate(2, score=80)]) == [(2, ""), (1, "")]


@pytest.mark.parametrize(
    ("first", "second", "because"),
    [
        (
            candidate(2, support="4/5", yuan=9000, minutes=5),
            candidate(1, support="7/10"),
            "与“项目1”同为80.00分,民意支持率高者优先:支持率80.00%高于70.00%",
        ),
        (
            candidate(2, yuan=4999, minutes=5),
            candidate(1, yuan=5000),
            "与“项目1”同为80.00分,申请金额少者优先:申请4,999.00元少于5,000.00元",
        ),
        (candidate(2), candidate(1, minutes=1), "与“项目1”同为80.00分,申报在先者优先:申报在先"),
        (candidate(1), candidate(2), "与“项目2”同为80.00分,申报在先者优先:申报在先"),  # rows of one sheet
    ],
)
def test_equal_scores_are_told_apart_by_the_rules_in_their_order(
    first: Candidate, second: Candidate, because: str
) -> None:
    for given_ in ([first, second], [second, first]):
        assert placed(given_) == [(first.id, because), (second.id, "")]


def test_another_editions_order_of_ties_gives_another_order() -> None:
    cheap, popular = candidate(1, support="1/2", yuan=1000), candidate(2, support="4/5", yuan=9000)
    assert [number for number, _ in placed([cheap, popular], LINPING.ties)] == [2, 1]
    assert [number for number, _ in placed([cheap, popular], EXAMPLE.ties)] == [1, 2]


def test_a_reason_stands_between_neighbours_of_the_same_score_only() -> None:
    ranked = rank(
        [candidate(1, score=90), candidate(2), candidate(3, minutes=1), candidate(4, score=70)], ties=LINPING.ties
    )
    assert [bool(each.because) for each in ranked] == [False, True, False, False]


def test_what_could_leave_two_equal_is_a_bug() -> None:
    with pytest.raises(ValueError, match="EARLIER"):
        rank([], ties=[TieBreak.SUPPORT])
    with pytest.raises(ValueError, match="ranked once"):
        rank([candidate(1), candidate(1)], ties=LINPING.ties)


@pytest.mark.parametrize(
    ("budget", "over", "selected", "left_out", "left"),
    [
        (12_000, OverBudget.SKIP, [1, 3], [2, 4], 0),  # exactly
        (11_999, OverBudget.SKIP, [1, 4], [2, 3], 1_999),
        (12_000, OverBudget.STOP, [1], [2, 3, 4], 7_000),
        (14_000, OverBudget.STOP, [1, 2], [3, 4], 0),
        (13_999, OverBudget.STOP, [1], [2, 3, 4], 8_999),
        (4_999, OverBudget.STOP, [], [1, 2, 3, 4], 4_999),
        (0, OverBudget.SKIP, [], [1, 2, 3, 4], 0),
        (100_000, OverBudget.STOP, [1, 2, 3, 4], [], 74_000),
    ],
)
def test_the_budget_is_given_away_in_rank(
    budget: int, over: OverBudget, selected: list[int], left_out: list[int], left: int
) -> None:
    amounts = {1: 5_000, 2: 9_000, 3: 7_000, 4: 5_000}
    ranked = rank([candidate(n, score=90 - n, yuan=yuan) for n, yuan in amounts.items()], ties=LINPING.ties)
    found = within_budget(ranked, budget_fen=budget * 100, over_budget=over)
    assert [each.candidate.id for each in found.selected] == selected
    assert [each.ranked.candidate.id for each in found.over_budget] == left_out
    assert found.left_fen == left * 100


def test_who_is_left_out_is_told_why() -> None:
    ranked = rank([candidate(1, score=90), candidate(2), candidate(3, score=70, yuan=1000)], ties=LINPING.ties)
    skipped = within_budget(ranked, budget_fen=700_000, over_budget=OverBudget.SKIP)
    assert [each.reason for each in skipped.over_budget] == ["申请5,000.00元,超过剩余预算2,000.00元"]
    stopped = within_budget(ranked, budget_fen=700_000, over_budget=OverBudget.STOP)
    assert [each.reason for each in stopped.over_budget] == [
        "申请5,000.00元,超过剩余预算2,000.00元",
        "第2名“项目2”已超出剩余预算,按规则到此为止,其后各名不再入选",
    ]


@pytest.mark.parametrize(("budget", "yuan"), [(-1, 5), (10, 0)])
def test_money_that_can_not_be_is_a_bug(budget: int, yuan: int) -> None:
    ranked = rank([candidate(1, yuan=yuan)], ties=LINPING.ties)
    with pytest.raises(ValueError, match="positive"):
        within_budget(ranked, budget_fen=budget, over_budget=OverBudget.SKIP)


# few values of everything, so that ties are the rule
candidates = st.lists(
    st.builds(
        Candidate,
        id=st.integers(1, 10_000),
        title=st.just("项目"),
        score=st.sampled_from([Fraction(80), Fraction(260, 3)]),
        support=st.sampled_from([Fraction(1, 2), Fraction(2, 3)]),
        amount_fen=st.sampled_from([100, 5_000_00, 9_999_99]),
        proposed_at=st.sampled_from([MORNING, MORNING + timedelta(seconds=1)]),
    ),
    max_size=12,
    unique_by=lambda each: each.id,
)
orders = st.permutations([TieBreak.SUPPORT, TieBreak.SMALLER_AMOUNT]).map(lambda ties: [*ties, TieBreak.EARLIER])


@given(candidates, orders, st.randoms(use_true_random=False))
def test_the_order_is_total_and_the_same_however_they_are_given(
    given_: list[Candidate], ties: list[TieBreak], random: object
) -> None:
    shuffled = list(given_)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    ranked = rank(given_, ties=ties)
    assert rank(shuffled, ties=ties) == ranked
    scores = [each.candidate.score for each in ranked]
    assert scores == sorted(scores, reverse=True)
    for one, next_one in pairwise(ranked):
        assert bool(one.because) is (one.candidate.score == next_one.candidate.score)


@given(candidates, orders, st.integers(0, 3_000_000), st.sampled_from(OverBudget))
def test_a_ranking_never_exceeds_the_budget_and_loses_nobody(
    given_: list[Candidate], ties: list[TieBreak], budget: int, over: OverBudget
) -> None:
    ranked = rank(given_, ties=ties)
    found = within_budget(ranked, budget_fen=budget, over_budget=over)
    spent = sum(each.candidate.amount_fen for each in found.selected)
    assert spent + found.left_fen == budget
    assert found.left_fen >= 0
    everybody = [*found.selected, *(each.ranked for each in found.over_budget)]
    assert sorted(everybody, key=lambda each: each.place) == list(ranked)
    if over is OverBudget.SKIP:
        assert all(each.ranked.candidate.amount_fen > found.left_fen for each in found.over_budget)
    else:
        assert found.selected == ranked[: len(found.selected)]


def test_who_was_selected_keeps_its_place_when_another_leaves() -> None:
    amounts = {1: 6_000, 2: 6_000, 3: 9_000, 4: 8_000}
    ranked = rank([candidate(n, score=90 - n, yuan=yuan) for n, yuan in amounts.items()], ties=LINPING.ties)
    first = within_budget(ranked, budget_fen=2_000_000, over_budget=OverBudget.SKIP)
    assert [each.candidate.id for each in first.selected] == [1, 2, 4]
    after = within_budget(ranked[1:], budget_fen=2_000_000, over_budget=OverBudget.SKIP, kept={1, 2, 4})
    assert [each.candidate.id for each in after.selected] == [2, 4]
    assert [(each.ranked.candidate.id, each.reason) for each in after.over_budget] == [
        (3, "申请9,000.00元,超过剩余预算6,000.00元")
    ]
    assert after.left_fen == 600_000


def test_the_first_new_one_that_does_not_fit_ends_the_selection_but_not_of_those_kept() -> None:
    amounts = {1: 9_000, 2: 5_000, 3: 1_000}
    ranked = rank([candidate(n, score=90 - n, yuan=yuan) for n, yuan in amounts.items()], ties=LINPING.ties)
    found = within_budget(ranked, budget_fen=1_000_000, over_budget=OverBudget.STOP, kept={2})
    assert [each.candidate.id for each in found.selected] == [2]
    assert [each.ranked.candidate.id for each in found.over_budget] == [1, 3]


def test_more_kept_than_there_is_money_for_is_a_bug() -> None:
    ranked = rank([candidate(1, yuan=6)], ties=LINPING.ties)
    with pytest.raises(ValueError, match="selected before"):
        within_budget(ranked, budget_fen=599, over_budget=OverBudget.SKIP, kept={1})


@given(candidates, st.integers(0, 3_000_000), st.sampled_from(OverBudget), st.data())
def test_when_some_leave_those_kept_stay_and_the_sum_stays_within_the_budget(
    given_: list[Candidate], budget: int, over: OverBudget, data: st.DataObject
) -> None:
    ranked = rank(given_, ties=LINPING.ties)
    before = [each.candidate.id for each in within_budget(ranked, budget_fen=budget, over_budget=over).selected]
    leaving = data.draw(st.sets(st.sampled_from(before))) if before else set[int]()
    staying = [each for each in ranked if each.candidate.id not in leaving]
    kept = set(before) - leaving
    found = within_budget(staying, budget_fen=budget, over_budget=over, kept=kept)
    assert kept <= {each.candidate.id for each in found.selected}
    assert sum(each.candidate.amount_fen for each in found.selected) + found.left_fen == budget
    assert found.left_fen >= 0
    if not leaving:
        assert {each.candidate.id for each in found.selected} == kept
    new = [each for each in staying if each.candidate.id not in kept]
    taken = [each for each in found.selected if each.candidate.id not in kept]
    if over is OverBudget.STOP:
        assert taken == new[: len(taken)]
    else:
        assert all(each.ranked.candidate.amount_fen > found.left_fen for each in found.over_budget)


@given(candidates, st.integers(0, 3_000_000), st.sampled_from(OverBudget))
def test_a_better_score_never_costs_a_selected_proposal_its_place(
    given_: list[Candidate], budget: int, over: OverBudget
) -> None:
    before = within_budget(rank(given_, ties=LINPING.ties), budget_fen=budget, over_budget=over)
    for each in before.selected:
        better = [replace(one, score=one.score + 1) if one.id == each.candidate.id else one for one in given_]
        after = within_budget(rank(better, ties=LINPING.ties), budget_fen=budget, over_budget=over)
        assert each.candidate.id in [one.candidate.id for one in after.selected]
