"""Random samples: the same draw for everybody who knows list and seed, and of the size that was asked for."""

import hashlib
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.errors import Refused
from rules.sampling import draw, lot, share_of, size_of_sample

SITES = [f"KT-2026-{number:04d}-S" for number in range(1, 61)]


def test_anybody_draws_the_same_with_a_tool_that_counts_sha_256() -> None:
    by_hand = sorted(SITES, key=lambda site: hashlib.sha256(f"七号:{site}".encode()).hexdigest())[:6]
    assert draw(reversed(SITES), size=6, seed="七号") == tuple(sorted(by_hand))
    assert lot("KT-2026-0001-S", seed="七号") == hashlib.sha256("七号:KT-2026-0001-S".encode()).hexdigest()


def test_this_draw_stands_for_ever() -> None:
    # By sha256sum at a shell: a release in which it changes could not redo the samples on record.
    assert draw(SITES[:10], size=3, seed="2026") == ("KT-2026-0002-S", "KT-2026-0007-S", "KT-2026-0009-S")


def test_another_seed_draws_others() -> None:
    drawn = {draw(SITES, size=6, seed=str(seed)) for seed in range(20)}
    assert len(drawn) == 20


@given(st.sets(st.text(min_size=1, max_size=8), min_size=1, max_size=40), st.text(max_size=10), st.data())
def test_a_sample_is_of_its_size_and_from_its_list_and_grows_with_it(
    numbers: set[str], seed: str, data: st.DataObject
) -> None:
    size = data.draw(st.integers(0, len(numbers)))
    drawn = draw(numbers, size=size, seed=seed)
    assert len(drawn) == len(set(drawn)) == size
    assert set(drawn) <= numbers
    if size:
        assert set(draw(numbers, size=size - 1, seed=seed)) < set(drawn)


def test_nobody_is_drawn_far_more_often_than_others() -> None:
    times = dict.fromkeys(SITES, 0)
    for seed in range(600):
        for site in draw(SITES, size=6, seed=str(seed)):
            times[site] += 1
    assert 30 <= min(times.values()) <= max(times.values()) <= 95, "each is expected 60 times"


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("1/5", Fraction(1, 5)),
        (" 20 % ", Fraction(1, 5)),
        ("20\uff05", Fraction(1, 5)),
        ("12.5%", Fraction(1, 8)),
        ("100%", Fraction(1)),
        ("1/1", Fraction(1)),
    ],
)
def test_a_share_is_read_exactly(text: str, share: Fraction) -> None:
    assert share_of(text) == share


@pytest.mark.parametrize("text", ["", "0%", "101%", "6/5", "1/0", "0.2", "五分之一", "20"])
def test_what_is_no_share_is_refused_by_its_value(text: str) -> None:
    with pytest.raises(Refused, match=f"“{text}”不是比例"):
        share_of(text)


@pytest.mark.parametrize(("population", "size"), [(1, 1), (5, 1), (6, 2), (11, 3), (60, 12)])
def test_a_share_is_rounded_up(population: int, size: int) -> None:
    assert size_of_sample(population, size=None, share=Fraction(1, 5)) == size


@pytest.mark.parametrize("size", [0, -1, 11])
def test_more_than_there_are_can_not_be_drawn(size: int) -> None:
    with pytest.raises(Refused, match=f"抽查数量{size}不在1至10之间"):
        size_of_sample(10, size=size, share=None)


@pytest.mark.parametrize(("size", "share"), [(None, None), (3, Fraction(1, 5))])
def test_a_sample_is_asked_for_by_size_or_by_share(size: int | None, share: Fraction | None) -> None:
    with pytest.raises(Refused, match="二者取一"):
        size_of_sample(10, size=size, share=share)
