"""
What each letter needs to be written: one class per letter, so that a letter can not be asked for with half its facts.

Built by tasks, kept as JSON in the outbox, read again by `notifications.render`. Whatever text comes in, personal
numbers do not get through: every string is masked here.
"""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Annotated

from pydantic import Field

from notifications import (
    evaluation_letters,
    inspection_letters,
    life_letters,
    meeting_letters,
    notice_letters,
    service_letters,
)
from notifications.call_letters import CallOpened, ProposalReceived, ProposalResult
from notifications.change_letters import ChangeDecided, ChangeReceived, SiteChanged
from notifications.context import CaseLetter, Count, Fen, LetterContext, Name
from notifications.project_letters import (
    FundsArrived,
    PlanApproved,
    PlanReturned,
    ProjectEvaluated,
    ProjectStopped,
    RectificationAsked,
    SurplusReturned,
)
from policies.vocabulary import Letter


class SiteLetter(CaseLetter):
    """The facts of a letter about a parlour's case."""

    plaque_text: Name
    """What the parlours of this scheme are called."""
    village: Name
    group: Name
    household_head: Name
    """户主: who applies."""


class ApplicationReceived(SiteLetter):
    """To the applicant: the application is on file."""

    letter_kind = Letter.APPLICATION_RECEIVED
    submitted_on: date
    next_step: Name
    """What happens next, as a clause without a full stop, e.g. ``由村(居)民小组长征求本组各户意见``."""
    due_on: date
    """By when the next step ends."""
    warnings: tuple[str, ...]
    """Standards off the usual, which the reviewer will weigh (D0-R2, D0-R3)."""
    deficiencies: tuple[str, ...]
    """What is to be added before the plaque (D0-R3)."""


class ConsentAsked(SiteLetter):
    """To the group head: ask the households. To a household: please answer. D0-R8."""

    letter_kind = Letter.CONSENT_ASKED
    due_on: date
    due_note: str
    """How the period was counted, and whether it is provisional; may be empty."""
    roll: tuple[str, ...]
    """The households of the frozen roll; empty for a household."""
    without_email: tuple[str, ...]
    """Households that must be asked in person."""
    for_household: bool
    """The short personal letter instead of the working one."""
    moves_from: str = ""
    """Of a listed parlour that moves in: where it was, e.g. ``周荡村第一村民小组王小明户``; empty: a new one."""


class ConsentMissing(SiteLetter):
    """Who has not agreed: during the period, or at its end (then the application goes back). D0-R8."""

    letter_kind = Letter.CONSENT_MISSING
    entitled: Count
    agreeing: Count
    missing: tuple[str, ...]
    objecting: tuple[str, ...]
    due_on: date
    """End of the consent period."""
    closed: bool
    """The period is over."""
    moves_from: str = ""
    """Of a listed parlour that moves in: where it was, e.g. ``周荡村第一村民小组王小明户``; empty: a new one."""


class ConsentComplete(SiteLetter):
    """All households agree."""

    letter_kind = Letter.CONSENT_COMPLETE
    entitled: Count
    moves_from: str = ""
    """Of a listed parlour that moves in: where it was, e.g. ``周荡村第一村民小组王小明户``; empty: a new one."""


class ForwardWaiting(SiteLetter):
    """To the village: forward the application. D0-R9."""

    letter_kind = Letter.FORWARD_WAITING
    due_on: date
    due_note: str


class ReviewWaiting(SiteLetter):
    """To the office: review the application. D0-R9."""

    letter_kind = Letter.REVIEW_WAITING
    due_on: date
    due_note: str
    warnings: tuple[str, ...]
    round: Annotated[int, Field(ge=1, strict=True)]
    """The n-th review of this case."""


class Returned(SiteLetter):
    """The application is returned for correction, with the reason. D0-R9."""

    letter_kind = Letter.RETURNED
    by: Name
    reason: Name
    due_on: date
    """By when it is to be corrected."""


class Rejected(SiteLetter):
    """The application is rejected, with the reason. D0-R9."""

    letter_kind = Letter.REJECTED
    by: Name
    reason: Name


class Approved(SiteLetter):
    """The application is approved; what comes now. D0-R9, D0-R10."""

    letter_kind = Letter.APPROVED
    by: Name
    works: tuple[str, ...]
    deficiencies: tuple[str, ...]


class PlaqueDue(SiteLetter):
    """To the office: plaque, rules on the wall, bookshelf. D0-R10."""

    letter_kind = Letter.PLAQUE_DUE
    due_on: date
    works: tuple[str, ...]
    deficiencies: tuple[str, ...]


class SubsidyDue(SiteLetter):
    """To who pays: hand the subsidy down. D0-R15."""

    letter_kind = Letter.SUBSIDY_DUE
    due_on: date
    amount_fen: Fen
    route: tuple[str, ...]
    """The levels the money passes, from the top."""


class SubsidyPaid(SiteLetter):
    """The subsidy has arrived; what it may be spent on. D0-R15."""

    letter_kind = Letter.SUBSIDY_PAID
    amount_fen: Fen
    purposes: tuple[str, ...]


class Reminder(CaseLetter):
    """Something is due soon."""

    letter_kind = Letter.REMINDER
    gate: Name
    due_on: date
    days_left: Count
    """Calendar days; 0: today."""
    due_note: str
    late_note: str
    """Empty, or why this letter comes late."""
    waiting_for: tuple[str, ...]
    """Whose answer is still missing."""
    ends_itself: bool = False
    """A period that ends by itself on its last day: nobody is late."""


class Escalation(CaseLetter):
    """To a higher role: something is overdue."""

    letter_kind = Letter.ESCALATION
    gate: Name
    due_on: date
    days_late: Count
    """Calendar days."""
    responsible: tuple[str, ...]
    late_note: str
    decided: str = ""
    """What the passing of the due day has decided; empty: the gate stays open and late."""


class Urged(CaseLetter):
    """Somebody asks for it to be done now (催办)."""

    letter_kind = Letter.URGED
    gate: Name
    by: Name
    due_on: date
    message: str


class HandedOver(CaseLetter):
    """The work passes to another holder of the role (转办)."""

    letter_kind = Letter.HANDED_OVER
    gate: Name
    from_name: Name
    to_name: Name
    by: Name
    reason: str
    due_on: date


class CaseClosed(CaseLetter):
    """The case is closed."""

    letter_kind = Letter.CASE_CLOSED
    outcome: Name
    because: str
    closed_on: date


class TaskWaiting(CaseLetter):
    """To who decides at a gate: what is asked, until when."""

    letter_kind = Letter.TASK_WAITING
    gate: Name
    what_to_do: Name
    """One or two full sentences."""
    facts: tuple[str, ...]
    """What is known, line by line; may be empty."""
    due_on: date
    due_note: str


class LetterUndelivered(CaseLetter):
    """To the office: a letter did not reach its recipient."""

    letter_kind = Letter.LETTER_UNDELIVERED
    letter: Name
    """Which letter, by its Chinese label."""
    to_name: Name
    error: Name
    due_on: date


class QuotaShortfall(LetterContext):
    """To the office and the villages concerned: who built too few in the year. D1-R2."""

    letter_kind = Letter.QUOTA_SHORTFALL
    township: Name
    office: Name
    scheme_title: Name
    plaque_text: Name
    year: Annotated[int, Field(ge=2000, strict=True)]
    at_least: Count
    """What every village owes in a year."""
    villages: tuple[str, ...]
    """Each village that built too few, with its number."""


_ALL: tuple[type[LetterContext], ...] = (
    ApplicationReceived,
    ConsentAsked,
    ConsentMissing,
    ConsentComplete,
    ForwardWaiting,
    ReviewWaiting,
    Returned,
    Rejected,
    Approved,
    PlaqueDue,
    SubsidyDue,
    SubsidyPaid,
    Reminder,
    Escalation,
    Urged,
    HandedOver,
    CaseClosed,
    TaskWaiting,
    LetterUndelivered,
    QuotaShortfall,
    *notice_letters.CONTEXTS,
    *life_letters.CONTEXTS,
    *evaluation_letters.CONTEXTS,
    *service_letters.CONTEXTS,
    *meeting_letters.CONTEXTS,
    *inspection_letters.CONTEXTS,
    PlanReturned,
    PlanApproved,
    FundsArrived,
    RectificationAsked,
    ProjectStopped,
    ProjectEvaluated,
    SurplusReturned,
    CallOpened,
    ProposalReceived,
    ProposalResult,
    ChangeReceived,
    ChangeDecided,
    SiteChanged,
)
CONTEXTS: Mapping[Letter, type[LetterContext]] = MappingProxyType({context.letter_kind: context for context in _ALL})
"""The class of each letter."""
