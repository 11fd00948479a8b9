"""
How sites and villages are graded each year: points from figures, sums, ranks, what they earn (D0-R14).

Points are kept in tenths of a point, as whole numbers; shares are exact. A criterion under which nothing was owed says
nothing about anybody: its points go to the others, in proportion to theirs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from policies.life_scheme import EvaluationGrade

FULL_TENTHS = 1000
"""All points together."""


@dataclass(frozen=True)
class Figure:
    """What was reached of what was owed; plain counts, or fen."""

    counted: int
    out_of: int | None
    """None: a count, judged by the edition's `full_at`; 0: nothing was owed."""
    told: str = ""
    """What the figure is made of, one Chinese clause."""

    def share(self, full_at: int | None) -> Fraction | None:
        """
        Return the share of the points that this figure earns, 0 to 1; None when nothing was owed.

        Args:
            full_at: of a count, from where on the points are full.

        Raises:
            ValueError: below nothing, or a count without `full_at`.
        """
        whole = self.out_of if self.out_of is not None else full_at
        if self.counted < 0 or whole is None or whole < 0:
            raise ValueError(f"{self.counted} of {whole}")
        return min(Fraction(1), Fraction(self.counted, whole)) if whole else None


@dataclass(frozen=True)
class Mark:
    """What one criterion earned; points in tenths."""

    code: str
    full_tenths: int
    """At the most, after what others left was shared out; 0: nothing was owed."""
    points_tenths: int


def round_half_up(value: Fraction) -> int:
    """Return the whole number nearest to `value` >= 0; a half goes up."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


def shared_out(points: Mapping[str, int], owed: Sequence[str]) -> dict[str, int]:
    """
    Return the greatest points of each criterion in tenths, those of criteria that are not owed given to the others.

    They always sum to 100 points: what is left of the tenths goes to the largest remainders, the first one first.

    Args:
        points: of each criterion, in the edition's order.
        owed: codes of those under which something was owed.
    """
    whole = sum(points[code] for code in owed)
    if not whole:
        return dict.fromkeys(points, 0)
    exact = {code: Fraction(points[code] * FULL_TENTHS, whole) if code in owed else Fraction(0) for code in points}
    full = {code: int(share) for code, share in exact.items()}
    by_rest = sorted((code for code in points if code in owed), key=lambda code: full[code] - exact[code])
    for code in by_rest[: FULL_TENTHS - sum(full.values())]:
        full[code] += 1
    return full


def marks(points: Mapping[str, int], shares: Mapping[str, Fraction | None]) -> tuple[Mark, ...]:
    """
    Return what each criterion earns, rounded half up to a tenth of a point there; their sum is the result.

    Source: D0-R14.

    Args:
        points: of each criterion at the most, in the edition's order; they sum to 100.
        shares: of each criterion, 0 to 1; None: nothing was owed.
    """
    given = {code: share for code, share in shares.items() if share is not None}
    full = shared_out(points, list(given))
    return tuple(
        Mark(code=code, full_tenths=full[code], points_tenths=round_half_up(full[code] * given.get(code, Fraction(0))))
        for code in points
    )


def total(earned: Sequence[Mark]) -> int:
    """Return the points of all criteria together, in tenths; at most 1000."""
    return sum(mark.points_tenths for mark in earned)


def grade_of(points_tenths: int, grades: Sequence[EvaluationGrade]) -> EvaluationGrade:
    """Return the best grade whose points are reached; the edition's last one begins at 0."""
    return next(grade for grade in grades if points_tenths >= grade.from_points * 10)


def ranks(points: Sequence[int]) -> list[int]:
    """Return the rank of each in the order given: equal points, equal rank, and the next one counts them (1,2,2,4)."""
    first: dict[int, int] = {}
    for place, each in enumerate(sorted(points, reverse=True), 1):
        first.setdefault(each, place)
    return [first[each] for each in points]


def award_fen(grade: EvaluationGrade) -> int:
    """Return what a site of this grade adds to its village's 以奖代拨, in fen."""
    return grade.award_yuan * 100


def assessment_tenths(points_tenths: int, *, at_most: int) -> int:
    """
    Return what a village's points add to its annual assessment, in tenths of a point.

    Args:
        points_tenths: of the village, out of 1000.
        at_most: points that full marks add.
    """
    return round_half_up(Fraction(at_most * 10 * points_tenths, FULL_TENTHS))


def spoken_points(tenths: int) -> str:
    """Return points as people write them: ``92.5``, ``90``."""
    whole, tenth = divmod(tenths, 10)
    return f"{whole}.{tenth}" if tenth else str(whole)
