"""Consent of the households: every household counts, whether it speaks or not (D0-R8)."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.vocabulary import Answer
from rules.consent import tally

YES, NO = Answer.AGREE, Answer.OBJECT
ALL, TWO_THIRDS, HALF = Fraction(1), Fraction(2, 3), Fraction(1, 2)


@pytest.mark.parametrize(
    ("answers", "share", "carried", "lost"),
    [
        ([YES, YES, YES], ALL, True, False),
        ([YES, YES, None], ALL, False, False),
        ([YES, YES, NO], ALL, False, True),
        ([YES], ALL, True, False),
        ([], ALL, False, True),
        ([None, None], ALL, False, False),
        ([YES, YES, NO], TWO_THIRDS, True, False),  # 三分之二以上 includes two thirds
        ([YES, YES, NO, None], TWO_THIRDS, False, False),
        ([YES, YES, NO, NO], TWO_THIRDS, False, True),
        ([YES, None, NO, NO], HALF, False, False),
        ([YES] * 66 + [NO] * 34, TWO_THIRDS, False, True),  # 66% is not two thirds
        ([YES] * 67 + [NO] * 33, TWO_THIRDS, True, False),
    ],
)
def test_consent(answers: list[Answer | None], share: Fraction, carried: bool, lost: bool) -> None:
    count = tally(dict(enumerate(answers)), at_least=share)
    assert (count.carried, count.lost) == (carried, lost)


def test_the_list_of_those_missing_and_objecting_is_by_id_in_order() -> None:
    count = tally({9: None, 3: NO, 7: YES, 1: NO, 2: None}, at_least=ALL)
    assert (count.entitled, count.agreeing, count.objecting, count.missing) == (5, 1, (1, 3), (2, 9))


registers = st.dictionaries(st.integers(1, 500), st.sampled_from([YES, NO, None]), min_size=1, max_size=60)
shares = st.fractions(min_value=Fraction(1, 100), max_value=1, max_denominator=100)


@given(registers, shares, st.data())
def test_one_more_household_that_agrees_never_undoes_consent(
    answers: dict[int, Answer | None], share: Fraction, data: st.DataObject
) -> None:
    before = tally(answers, at_least=share)
    after = tally(answers | {data.draw(st.sampled_from(sorted(answers))): YES}, at_least=share)
    assert after.agreeing >= before.agreeing
    assert after.carried >= before.carried
    assert after.lost <= before.lost


@given(registers, shares)
def test_consent_is_never_carried_and_lost_at_once_and_everyone_is_counted(
    answers: dict[int, Answer | None], share: Fraction
) -> None:
    count = tally(answers, at_least=share)
    assert not (count.carried and count.lost)
    assert count.agreeing + len(count.objecting) + len(count.missing) == count.entitled == len(answers)
    if not count.missing:
        assert count.carried is not count.lost


@given(registers)
def test_unanimity_means_everyone(answers: dict[int, Answer | None]) -> None:
    assert tally(answers, at_least=ALL).carried is (set(answers.values()) == {YES})
