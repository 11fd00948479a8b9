"""What the letters of the yearly evaluation need to be written; as `notifications.letters`."""

from typing import Annotated

from pydantic import Field

from notifications.context import CaseLetter, Name
from policies.vocabulary import Letter


class EvaluationTold(CaseLetter):
    """To a site's leader, a village, the office: the final result, criterion by criterion, and what it leads to."""

    letter_kind = Letter.EVALUATION_RESULT
    year: Annotated[int, Field(ge=2000, strict=True)]
    who: Name
    """Whose result, e.g. ``客堂间 KT-2026-0001-S（周荡村）``, ``周荡村``; to the office, the town."""
    result: Name
    """Points, grade and rank as a clause without a full stop; to the office, how many were evaluated."""
    notice: Name
    """Number of the notice that was cleared."""
    scores: tuple[str, ...]
    """Each criterion: its points, and how they come about; empty to the office."""
    consequence: str
    """What it adds to 以奖代拨 and to the village's annual assessment, one full sentence; may be empty."""
    villages: tuple[str, ...]
    """The villages by rank; only to the office."""
    sites: tuple[str, ...]
    """The sites by rank: of the village, or of the town; empty to a leader."""


CONTEXTS: tuple[type[CaseLetter], ...] = (EvaluationTold,)
