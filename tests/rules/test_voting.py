"""Quorum and majority at their edges, in exact integers (D2-R1)."""

from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from policies.errors import Refused
from policies.load import EDITIONS, load_edition
from policies.micro_scheme import VoteRule
from policies.vocabulary import MajorityOf
from rules.voting import carried, check_votes, explained, has_quorum, quorum_needed, spoken_share, votes_needed

_meeting = load_edition(EDITIONS / "linping-2022.yaml").edition.for_projects.screening.meeting
assert _meeting is not None
LINPING: VoteRule = _meeting


def rule(quorum: str, majority: str, *, of: MajorityOf = MajorityOf.ENTITLED, more_than: bool = True) -> VoteRule:
    return VoteRule.model_validate(
        {"quorum": quorum, "majority": majority, "majority_of": of, "more_than": more_than, "source": "default"}
    )


@pytest.mark.parametrize(
    ("entitled", "needed"), [(1, 1), (2, 2), (3, 2), (4, 3), (27, 18), (28, 19), (29, 20), (30, 20), (100, 67)]
)
def test_two_thirds_include_the_share_itself(entitled: int, needed: int) -> None:
    assert quorum_needed(LINPING, entitled) == needed
    assert has_quorum(LINPING, present=needed, entitled=entitled)
    assert not has_quorum(LINPING, present=needed - 1, entitled=entitled)


@pytest.mark.parametrize(("entitled", "needed"), [(1, 1), (2, 2), (3, 2), (26, 14), (27, 14), (28, 15), (100, 51)])
def test_more_than_half_of_all_excludes_exactly_half(entitled: int, needed: int) -> None:
    assert votes_needed(LINPING, present=entitled, entitled=entitled) == needed
    assert carried(LINPING, entitled=entitled, present=entitled, in_favour=needed)
    assert not carried(LINPING, entitled=entitled, present=entitled, in_favour=needed - 1)


@pytest.mark.parametrize(
    ("of", "more_than", "majority", "present", "entitled", "needed"),
    [
        (MajorityOf.PRESENT, True, "1/2", 18, 27, 10),  # exactly nine is half of those present
        (MajorityOf.PRESENT, False, "1/2", 18, 27, 9),
        (MajorityOf.PRESENT, False, "1/2", 19, 27, 10),
        (MajorityOf.ENTITLED, False, "2/3", 27, 27, 18),
        (MajorityOf.ENTITLED, True, "2/3", 27, 27, 19),
        (MajorityOf.PRESENT, False, "1/1", 19, 27, 19),
    ],
)
def test_the_base_and_the_bound_are_the_editions(
    of: MajorityOf, more_than: bool, majority: str, present: int, entitled: int, needed: int
) -> None:
    assert votes_needed(rule("2/3", majority, of=of, more_than=more_than), present=present, entitled=entitled) == needed


def test_without_a_quorum_nothing_is_carried() -> None:
    assert not carried(LINPING, entitled=27, present=17, in_favour=17)
    assert carried(LINPING, entitled=27, present=18, in_favour=17)
    assert not has_quorum(LINPING, present=0, entitled=0)


@pytest.mark.parametrize(
    ("entitled", "present", "votes", "words"),
    [
        (27, 17, (17, 0, 0), ["应到27人", "实到17人", "须到18人", "三分之二以上", "改期"]),
        (27, 28, (1, 0, 0), ["实到28人多于应到27人"]),
        (27, 19, (14, 3, 3), ["赞成14票、反对3票、弃权3票", "合计20票", "多于实到19人"]),
        (27, 19, (-1, 0, 0), ["不能为负", "赞成-1"]),
        (27, -1, (0, 0, 0), ["不能为负", "实到-1"]),
        (0, 0, (0, 0, 0), ["应到0人"]),
    ],
)
def test_impossible_counts_and_a_missing_quorum_are_refused_with_the_figures(
    entitled: int, present: int, votes: tuple[int, int, int], words: list[str]
) -> None:
    in_favour, against, abstained = votes
    with pytest.raises(Refused) as caught:
        check_votes(
            LINPING, entitled=entitled, present=present, in_favour=in_favour, against=against, abstained=abstained
        )
    assert caught.value.clause == "二、(一)2"
    assert [word for word in words if word not in caught.value.reason] == []


@pytest.mark.parametrize("votes", [(18, 0, 0), (14, 3, 1), (0, 0, 0)])
def test_present_people_may_leave_their_ballot_out(votes: tuple[int, int, int]) -> None:
    in_favour, against, abstained = votes
    check_votes(LINPING, entitled=27, present=18, in_favour=in_favour, against=against, abstained=abstained)


@pytest.mark.parametrize(
    ("the_rule", "present", "in_favour", "sentence"),
    [
        (
            LINPING,
            19,
            14,
            "应到27人,实到19人,三分之二以上须18人,达到;赞成14票、反对2票、弃权1票,全体过半数须14票,通过",
        ),
        (
            LINPING,
            18,
            13,
            "应到27人,实到18人,三分之二以上须18人,达到;赞成13票、反对2票、弃权1票,全体过半数须14票,未通过",
        ),
        (LINPING, 17, 14, "应到27人,实到17人,三分之二以上须18人,未达到,不能表决"),
        (
            rule("1/2", "2/3", of=MajorityOf.PRESENT, more_than=False),
            18,
            12,
            "应到27人,实到18人,半数以上须14人,达到;赞成12票、反对2票、弃权1票,到会三分之二以上须12票,通过",
        ),
        (
            rule("1/1", "3/4"),
            27,
            20,
            "应到27人,实到27人,全部须27人,达到;赞成20票、反对2票、弃权1票,全体超过四分之三须21票,未通过",
        ),
    ],
)
def test_the_count_is_worked_in_words(the_rule: VoteRule, present: int, in_favour: int, sentence: str) -> None:
    assert explained(the_rule, entitled=27, present=present, in_favour=in_favour, against=2, abstained=1) == sentence


@pytest.mark.parametrize(
    ("share", "spoken"),
    [
        (Fraction(2, 3), "三分之二"),
        (Fraction(1, 10), "十分之一"),
        (Fraction(7, 20), "二十分之七"),
        (Fraction(11, 12), "十二分之十一"),
        (Fraction(33, 100), "百分之三十三"),
        (Fraction(1, 1), "全部"),
        (Fraction(50, 100), "半数"),
        (Fraction(1, 101), "101分之一"),
    ],
)
def test_shares_are_spoken(share: Fraction, spoken: str) -> None:
    assert spoken_share(share) == spoken


shares = st.fractions(min_value=Fraction(1, 20), max_value=1, max_denominator=20)


@given(shares, st.integers(1, 300), st.data())
def test_more_people_never_lose_the_quorum(share: Fraction, entitled: int, data: st.DataObject) -> None:
    present = data.draw(st.integers(0, entitled - 1))
    the_rule = rule(f"{share.numerator}/{share.denominator}", "1/2")
    if has_quorum(the_rule, present=present, entitled=entitled):
        assert has_quorum(the_rule, present=present + 1, entitled=entitled)
    assert has_quorum(the_rule, present=entitled, entitled=entitled), "all of them are always enough"


@given(shares, shares, st.integers(0, 300), st.sampled_from(MajorityOf), st.booleans())
def test_a_higher_share_never_needs_fewer(
    one: Fraction, other: Fraction, entitled: int, of: MajorityOf, more_than: bool
) -> None:
    low, high = sorted((one, other))
    assume(high < 1 or not more_than)
    lower, higher = (
        rule(*[f"{share.numerator}/{share.denominator}"] * 2, of=of, more_than=more_than) for share in (low, high)
    )
    assert quorum_needed(lower, entitled) <= quorum_needed(higher, entitled)
    needed = [votes_needed(each, present=entitled, entitled=entitled) for each in (lower, higher)]
    assert needed == sorted(needed)


@given(shares, st.integers(1, 300))
def test_the_quorum_is_the_least_number_that_reaches_the_share(share: Fraction, entitled: int) -> None:
    needed = quorum_needed(rule(f"{share.numerator}/{share.denominator}", "1/2"), entitled)
    assert needed * share.denominator >= share.numerator * entitled
    assert (needed - 1) * share.denominator < share.numerator * entitled


@given(st.integers(1, 200), st.data())
def test_more_votes_never_lose_what_fewer_carried(entitled: int, data: st.DataObject) -> None:
    present = data.draw(st.integers(1, entitled))
    in_favour = data.draw(st.integers(0, present - 1))
    if carried(LINPING, entitled=entitled, present=present, in_favour=in_favour):
        assert carried(LINPING, entitled=entitled, present=present, in_favour=in_favour + 1)
    if 2 * in_favour <= entitled:
        assert not carried(LINPING, entitled=entitled, present=present, in_favour=in_favour)
