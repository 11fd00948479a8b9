"""
Counting what the households of a group say (D0-R8).

Used when the consent gate is looked at and when it closes. Exact integers; the share counts ALL households of the
register, so a silent household weighs like one that objects.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from policies.vocabulary import Answer


@dataclass(frozen=True)
class Tally:
    """The count at one moment; a household may still change its answer until the gate closes."""

    entitled: int
    """Households on the group's register."""
    agreeing: int
    """Households that agree."""
    objecting: tuple[int, ...]
    """Ids of the households that object, ascending."""
    missing: tuple[int, ...]
    """Ids of the households that said nothing yet, ascending."""
    carried: bool
    """Enough agree."""
    lost: bool
    """Not carried even if every missing household agreed; only a changed mind could still carry it."""


def tally(answers: Mapping[int, Answer | None], *, at_least: Fraction) -> Tally:
    """
    Count the answers against the share that must agree.

    Source: D0-R8 (clause 五、2 户主自愿、全体村(居)民同意).

    Args:
        answers: one entry per household on the register, None where it has not answered; an empty register carries
            nothing and is lost.
        at_least: share of all households, in (0, 1]; reaching it exactly is enough.
    """
    entitled = len(answers)
    objecting = tuple(sorted(household for household, answer in answers.items() if answer is Answer.OBJECT))
    missing = tuple(sorted(household for household, answer in answers.items() if answer is None))
    agreeing = entitled - len(objecting) - len(missing)
    return Tally(
        entitled=entitled,
        agreeing=agreeing,
        objecting=objecting,
        missing=missing,
        carried=entitled > 0 and _reaches(agreeing, entitled, at_least),
        lost=entitled == 0 or not _reaches(agreeing + len(missing), entitled, at_least),
    )


def _reaches(count: int, entitled: int, share: Fraction) -> bool:
    return count * share.denominator >= share.numerator * entitled
