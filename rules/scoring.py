"""
What a panel's points make of a proposal (D2-R9).

Used when a member's points are recorded and when screening closes. Points are whole numbers, weights exact shares;
results are exact fractions out of 100 and are rounded for display only.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import floor

from policies.errors import Refused
from policies.micro_scheme import Scoring


@dataclass(frozen=True)
class ProposalScore:
    """What the panel's members together make of one proposal."""

    mean: Fraction
    """Mean of the members' weighted points, 0..100."""
    by_member: Mapping[int, Fraction]
    """Member to weighted points, 0..100; those who scored."""
    passed: bool
    """Whether the mean reaches the scheme's bound; true without one."""
    reason: str
    """One Chinese sentence with the figures."""


def shown(value: Fraction) -> str:
    """Return a number >= 0 with two decimals, half rounded up, e.g. ``86.67``; for display, never to decide by."""
    if value < 0:
        raise ValueError(f"points can not be {value}")
    hundredths = floor(value * 100 + Fraction(1, 2))
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def check_panel(members: Collection[str], scoring: Scoring) -> None:
    """
    Refuse a panel with fewer members than the scheme asks for.

    Raises:
        Refused: names the figures and the members.
    """
    if len(members) < scoring.members_at_least:
        named = f"({'、'.join(members)})" if members else ""
        raise Refused(
            scoring.where,
            f"评审组只有{len(members)}人{named},至少须{scoring.members_at_least}人;请增补评审",
        )


def member_score(points: Mapping[str, int], scoring: Scoring) -> Fraction:
    """
    Return one member's weighted points for a proposal, out of 100, exactly.

    Source: D2-R9 (协商筛选审议); weights and greatest points are the edition's.

    Args:
        points: criterion code to points, each 0 up to the criterion's greatest, both included.
        scoring: the scheme's criteria; their weights make one whole.

    Raises:
        Refused: names every unknown criterion, every one without points and every value out of its bounds.
    """
    criteria = {each.code: each for each in scoring.criteria}
    faults = [f"没有“{code}”这项评分标准" for code in points if code not in criteria]
    for code, criterion in criteria.items():
        if code not in points:
            faults.append(f"“{criterion.name}”没有评分")
        elif not 0 <= points[code] <= criterion.points_at_most:
            faults.append(f"“{criterion.name}”评了{points[code]}分,须为0至{criterion.points_at_most}分")
    if faults:
        known = "、".join(f"{each.name}(满分{each.points_at_most})" for each in scoring.criteria)
        raise Refused(scoring.where, f"{';'.join(faults)}。请按评分标准逐项填写:{known}")
    return 100 * sum(
        (each.weight * points[code] / each.points_at_most for code, each in criteria.items()), start=Fraction(0)
    )


def check_may_score(
    member: int, *, panel: Mapping[int, str], interested: Collection[int], title: str, scoring: Scoring
) -> None:
    """
    Refuse a score from somebody outside the panel, or from a member with an interest in the proposal.

    Args:
        member: who scores.
        panel: the call's members, person to name.
        interested: those of them who have an interest in this proposal.
        title: the proposal's, for the sentence.
        scoring: the scheme's.

    Raises:
        Refused: names the member.
    """
    if member not in panel:
        raise Refused(
            scoring.where, f"评分人不在本次征集的评审组内,不能为“{title}”评分;评审组:{'、'.join(panel.values())}"
        )
    if member in interested:
        raise Refused(scoring.where, f"{panel[member]}与“{title}”有利害关系,须回避,不能为它评分;请由其他评审评分")


def proposal_score(
    points: Mapping[int, Mapping[str, int]],
    *,
    panel: Mapping[int, str],
    interested: Collection[int],
    title: str,
    scoring: Scoring,
) -> ProposalScore:
    """
    Return the mean of what the members who scored gave, each counting the same.

    Source: D2-R9 (协商筛选审议).

    Args:
        points: member to that member's points by criterion.
        panel: the call's members, person to name.
        interested: those with an interest in this proposal; they neither score nor are waited for.
        title: the proposal's, for the sentence.
        scoring: the scheme's.

    Raises:
        Refused: somebody may not score, points are out of bounds, or too few scored; those missing are named.
    """
    for member in points:
        check_may_score(member, panel=panel, interested=interested, title=title, scoring=scoring)
    if len(points) < scoring.scores_at_least:
        raise Refused(scoring.where, _too_few(points, panel=panel, interested=interested, title=title, scoring=scoring))
    by_member = {member: member_score(given, scoring) for member, given in points.items()}
    mean = sum(by_member.values(), start=Fraction(0)) / len(by_member)
    passed = scoring.pass_at_least is None or mean >= scoring.pass_at_least
    reason = f"{len(by_member)}人评分,平均{shown(mean)}分"
    if scoring.pass_at_least is not None:
        reason += f",须达到{scoring.pass_at_least}分,{'达到' if passed else '未达到'}"
    return ProposalScore(mean=mean, by_member=by_member, passed=passed, reason=reason)


def _too_few(
    scored: Collection[int], *, panel: Mapping[int, str], interested: Collection[int], title: str, scoring: Scoring
) -> str:
    missing = [name for member, name in panel.items() if member not in scored and member not in interested]
    avoiding = [name for member, name in panel.items() if member in interested]
    able = len(panel) - len(avoiding)
    told = f"“{title}”有{len(scored)}人评分,至少须{scoring.scores_at_least}人"
    if missing:
        told += f";尚未评分:{'、'.join(missing)}"
    if avoiding:
        told += f";须回避:{'、'.join(avoiding)}"
    if able < scoring.scores_at_least:
        return f"{told};能评分的只有{able}人,请增补评审"
    return f"{told};请催请尚未评分的评审"
