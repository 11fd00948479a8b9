"""
How many sites a village builds: at most, at least, and as a share of its groups (D0-R5, D1-R2).

Used when an application is filed and when progress is shown. Whole numbers only; shares are rounded up exactly.
"""

from collections.abc import Mapping
from fractions import Fraction
from math import ceil

from policies.errors import Refused
from policies.site_scheme import Quota, Targets
from policies.vocabulary import BeautifulVillage


def check_quota(quota: Quota | None, *, taken: int, village: str, year: int) -> None:
    """
    Refuse one more site when the village has used up its year; without a quota nothing is refused.

    Source: D1-R2 (2-4 sites per village in the year, both included).

    Args:
        quota: the edition's quota, if it has one.
        taken: sites of the village accepted for `year` so far, count.
        village: its name, for the sentence.
        year: calendar year in Shanghai.

    Raises:
        Refused: the village already has its greatest number.
    """
    if quota is None or taken < quota.per_village_per_year_at_most:
        return
    raise Refused(
        quota.where,
        f"{village}{year}年已有{taken}个,每村(居)每年至多{quota.per_village_per_year_at_most}个,"
        f"不能再受理第{taken + 1}个;请于{year + 1}年再申请",
    )


def shortfall(quota: Quota | None, *, built: int) -> int:
    """Return how many sites a village still lacks to the year's least number; 0 without a quota (D1-R2)."""
    return 0 if quota is None else max(0, quota.per_village_per_year_at_least - built)


def targets(targets: Targets | None, *, groups: Mapping[BeautifulVillage, int]) -> Mapping[BeautifulVillage, int]:
    """
    Return how many sites a village should have, by the grade of its groups.

    Source: D0-R5 (70% / 50% / 30%, rounded up).

    Args:
        targets: the edition's shares, if it has any.
        groups: groups per grade, counts; a missing grade has none.

    Returns:
        One entry per grade that has a share; empty without targets.
    """
    if targets is None:
        return {}
    return {grade: _share_of(groups.get(grade, 0), share) for grade, share in targets.shares.items()}


def _share_of(count: int, share: Fraction) -> int:
    if count < 0:
        raise ValueError(f"groups can not be {count}")
    return ceil(share * count)
