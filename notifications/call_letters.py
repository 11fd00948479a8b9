"""What the letters of a call of micro-projects need to be written; as `notifications.letters`."""

from datetime import date
from typing import Annotated

from pydantic import Field

from notifications.context import CaseLetter, Fen, Name
from policies.vocabulary import Letter


class CallOpened(CaseLetter):
    """To the villages: projects are called for, what, until when; or the period was changed. D2-R9."""

    letter_kind = Letter.CALL_OPENED
    purpose: Name
    kinds: tuple[str, ...]
    """What is called for, each kind with the most that a project may ask for."""
    who: Name
    """Who may propose, as a clause, e.g. ``名册上的居民均可提议``."""
    opens_on: date
    closes_on: date
    budget_fen: Fen
    contact: Name
    change: str
    """Why the period was changed; empty: the call is new."""


class ProposalReceived(CaseLetter):
    """To the proposer: the proposal is on file. D2-R9."""

    letter_kind = Letter.PROPOSAL_RECEIVED
    submitted_on: date
    kind: Name
    amount_fen: Fen
    closes_on: date
    """Last day of the call's window: until then nothing is decided."""
    steps: tuple[str, ...]
    """What comes then, in order."""


class ProposalResult(CaseLetter):
    """To the proposer: selected and with how much, or not and why. D2-R9."""

    letter_kind = Letter.PROPOSAL_RESULT
    selected: bool
    amount_fen: Annotated[int, Field(ge=0, strict=True)]
    """Granted; 0 when it was not selected."""
    because: Name
    """Why, as a clause without a full stop."""
    next_step: str
    """What the proposer does now; empty: nothing."""
