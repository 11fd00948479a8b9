"""The letters of a micro-project: its plan, its money, its acceptance, its evaluation (D2-R9, D2-R11, D2-R13)."""

from datetime import date

from notifications.context import CaseLetter, Count, Fen, Name
from policies.vocabulary import Letter


class PlanReturned(CaseLetter):
    """To leader and village: the refined plan goes back, with the reason."""

    letter_kind = Letter.PLAN_RETURNED
    by: Name
    reason: Name
    due_on: date
    """By when the corrected plan is to be handed in."""
    returns_left: Count
    """How often it may still be returned."""


class PlanApproved(CaseLetter):
    """To leader and village: the plan is approved; its budget and its steps."""

    letter_kind = Letter.PLAN_APPROVED
    by: Name
    total_fen: Fen
    lines: tuple[str, ...]
    milestones: tuple[str, ...]


class FundsArrived(CaseLetter):
    """To leader and village: the project's money is there; what it may be spent on."""

    letter_kind = Letter.FUNDS_ARRIVED
    amount_fen: Fen
    lines: tuple[str, ...]


class RectificationAsked(CaseLetter):
    """To leader and village: the project was not accepted; what is to be put right."""

    letter_kind = Letter.RECTIFICATION_ASKED
    by: Name
    reason: Name
    due_on: date
    """By when it is looked at again."""


class ProjectStopped(CaseLetter):
    """To leader and village: the project is given up, with the reason; what is left of its money goes back."""

    letter_kind = Letter.PROJECT_STOPPED
    by: Name
    reason: Name
    left_fen: Count
    """What it has not spent."""


class ProjectEvaluated(CaseLetter):
    """To leader and village: what the evaluation came to."""

    letter_kind = Letter.PROJECT_EVALUATED
    points: Name
    """Out of 100, rounded for display."""
    grade: Name
    panels: tuple[str, ...]
    """What each side said."""
    reckoning: Name
    """The worked sum."""


class SurplusReturned(CaseLetter):
    """To leader, village and office: what the project did not spend went back into the programme."""

    letter_kind = Letter.SURPLUS_RETURNED
    amount_fen: Fen
    spent_fen: Count
    returned_on: date
