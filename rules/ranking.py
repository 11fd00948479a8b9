"""
The order of proposals, and how many of them the money reaches (D2-R9, D2-R13).

Used when screening closes. The order is total: equal scores are told apart by the edition's tie rules, of which the
last, who came earlier, always decides.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from policies.vocabulary import OverBudget, TieBreak
from rules.money import in_yuan
from rules.scoring import shown


@dataclass(frozen=True)
class Candidate:
    """A proposal that may be selected."""

    id: int
    """Unique among the candidates; ascending in the order in which they were filed."""
    title: str
    score: Fraction
    """Out of 100, exact."""
    support: Fraction
    """Share of the survey's answers in favour, 0..1; 0 without a survey."""
    amount_fen: int
    """Asked for, > 0."""
    proposed_at: datetime
    """Aware."""


@dataclass(frozen=True)
class Ranked:
    """A candidate in its place."""

    place: int
    """1, 2, ..."""
    candidate: Candidate
    because: str
    """Why it stands before the next one of the same score, in Chinese; empty when the score decided."""


@dataclass(frozen=True)
class LeftOut:
    """A ranked candidate that the money does not reach."""

    ranked: Ranked
    reason: str
    """Chinese, with the figures."""


@dataclass(frozen=True)
class Allocation:
    """Whom the budget reaches."""

    selected: tuple[Ranked, ...]
    """In rank; their amounts never exceed the budget."""
    over_budget: tuple[LeftOut, ...]
    """In rank."""
    left_fen: int
    """What is left of the budget, >= 0."""


def rank(candidates: Iterable[Candidate], *, ties: Sequence[TieBreak]) -> tuple[Ranked, ...]:
    """
    Return the candidates from the best down; the order does not depend on the order in which they are given.

    Source: D2-R9 (协商筛选审议); `ties` are the edition's.

    Args:
        candidates: any number, each with its own id.
        ties: what decides between equal scores, in this order; the last is EARLIER.

    Raises:
        ValueError: an id occurs twice, or the ties do not end with EARLIER.
    """
    found = list(candidates)
    if len({each.id for each in found}) != len(found):
        raise ValueError("a candidate is ranked once")
    if not ties or ties[-1] is not TieBreak.EARLIER:
        raise ValueError("without EARLIER at the end two candidates may stand equal")
    ordered = sorted(found, key=lambda each: (-each.score, *(_key(each, tie) for tie in ties)))
    followers: list[Candidate | None] = [*ordered[1:], None]
    return tuple(
        Ranked(place=place, candidate=each, because=_because(each, after, ties))
        for place, (each, after) in enumerate(zip(ordered, followers, strict=False), start=1)
    )


def within_budget(
    ranked: Sequence[Ranked], *, budget_fen: int, over_budget: OverBudget, kept: Collection[int] = ()
) -> Allocation:
    """
    Take the candidates in rank as long as their amounts fit into the budget; fitting exactly is fitting.

    Who was selected before keeps its place, whoever moves up above it: what the kept ones ask for is set aside first.

    Source: D2-R13 (the sum of project budgets never exceeds what was granted).

    Args:
        ranked: in rank.
        budget_fen: what may be given away, >= 0.
        over_budget: whether one that does not fit is passed over, or ends the selection.
        kept: ids of the candidates selected before; those of nobody in `ranked` are ignored.

    Raises:
        ValueError: a negative budget, an amount that is not positive, or kept ones that exceed the budget.
    """
    if budget_fen < 0 or any(each.candidate.amount_fen <= 0 for each in ranked):
        raise ValueError("amounts are positive and the budget is not negative")
    left = budget_fen - sum(each.candidate.amount_fen for each in ranked if each.candidate.id in kept)
    if left < 0:
        raise ValueError("those selected before never exceed the budget")
    selected, out = list[Ranked](), list[LeftOut]()
    for each in ranked:
        amount = each.candidate.amount_fen
        if each.candidate.id in kept:
            selected.append(each)
        elif out and over_budget is OverBudget.STOP:
            first = out[0].ranked
            out.append(
                LeftOut(
                    each, f"第{first.place}名“{first.candidate.title}”已超出剩余预算,按规则到此为止,其后各名不再入选"
                )
            )
        elif amount > left:
            out.append(LeftOut(each, f"申请{in_yuan(amount)},超过剩余预算{in_yuan(left)}"))
        else:
            selected.append(each)
            left -= amount
    return Allocation(selected=tuple(selected), over_budget=tuple(out), left_fen=left)


def _key(candidate: Candidate, tie: TieBreak) -> tuple[Fraction | int | datetime, ...]:
    match tie:
        case TieBreak.SUPPORT:
            return (-candidate.support,)
        case TieBreak.SMALLER_AMOUNT:
            return (candidate.amount_fen,)
        case TieBreak.EARLIER:
            # Proposals of one sheet are filed at one instant; their ids keep the order of its rows.
            return (candidate.proposed_at, candidate.id)


def _because(before: Candidate, after: Candidate | None, ties: Sequence[TieBreak]) -> str:
    if after is None or before.score != after.score:
        return ""
    tie = next(tie for tie in ties if _key(before, tie) != _key(after, tie))
    match tie:
        case TieBreak.SUPPORT:
            figures = f"支持率{shown(before.support * 100)}%高于{shown(after.support * 100)}%"
        case TieBreak.SMALLER_AMOUNT:
            figures = f"申请{in_yuan(before.amount_fen)}少于{in_yuan(after.amount_fen)}"
        case TieBreak.EARLIER:
            figures = "申报在先"
    return f"与“{after.title}”同为{shown(before.score)}分,{tie.label}:{figures}"
