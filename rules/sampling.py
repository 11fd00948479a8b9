"""
Which sites a random sample takes (D0-R11): drawn so that anybody can draw again and come to the same.

The rule: write down SHA-256 of ``<seed>:<number>`` (UTF-8, in hexadecimal) for every number, sort by it, take the first
ones. It needs nothing but what the record keeps (the seed and the list that was drawn from) and any tool that counts
SHA-256; a language's own random numbers may change with its next release.
"""

import hashlib
import re
from collections.abc import Iterable
from fractions import Fraction

from policies.errors import Refused

_SHARE = re.compile(
    r"(?P<percent>\d{1,3}(?:\.\d{1,4})?)\s*[%\uff05]|(?P<over>[1-9]\d{0,4})\s*/\s*(?P<under>[1-9]\d{0,4})"
)


def draw(numbers: Iterable[str], *, size: int, seed: str) -> tuple[str, ...]:
    """
    Draw a sample.

    Source: D0-R11.

    Args:
        numbers: what is drawn from, each once, in any order.
        size: how many are drawn, at most as many as there are.
        seed: the same seed draws the same from the same numbers.

    Returns:
        The numbers drawn, sorted.
    """
    ranked = sorted(set(numbers), key=lambda number: (lot(number, seed=seed), number))
    return tuple(sorted(ranked[:size]))


def lot(number: str, *, seed: str) -> str:
    """Return what a number draws, 64 hexadecimal digits; the smallest are taken."""
    return hashlib.sha256(f"{seed}:{number}".encode()).hexdigest()


def share_of(text: str) -> Fraction:
    """
    Return an exact share in (0, 1] as people write it: ``1/5``, ``20%``, ``12.5%``.

    Raises:
        Refused: it is none.
    """
    found = _SHARE.fullmatch(text.strip())
    if found is not None:
        share = (
            Fraction(found["percent"]) / 100 if found["percent"] else Fraction(int(found["over"]), int(found["under"]))
        )
        if 0 < share <= 1:
            return share
    raise Refused("default", f"抽查比例“{text}”不是比例,请写作 1/5 或 20%,大于0、不超过1")


def size_of_sample(population: int, *, size: int | None, share: Fraction | None) -> int:
    """
    Return how many are drawn; a share is rounded up.

    Args:
        population: how many there are, >= 0.
        size: how many are wanted; None: by share.
        share: of the population, in (0, 1]; None: by size.

    Raises:
        Refused: neither or both are named, or more are wanted than there are.
    """
    if (size is None) == (share is None):
        raise Refused("default", "随机抽查须写明抽查数量或抽查比例,二者取一;请改正")
    if share is not None:
        return -(-population * share.numerator // share.denominator)
    if size is None or not 0 < size <= population:
        raise Refused("default", f"抽查数量{size}不在1至{population}之间:可供抽查的运行中客堂间共{population}处;请改正")
    return size
