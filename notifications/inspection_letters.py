"""The letters of inspections: announced, what must be put right, what came of it, the plaque taken back (D0-R11)."""

from datetime import date

from notifications.context import CaseLetter, Count, Name
from policies.vocabulary import Letter


class InspectionAnnounced(CaseLetter):
    """To leaders and villages: which of their sites are inspected, when, against what. To the office: go and look."""

    letter_kind = Letter.INSPECTION_ANNOUNCED
    since: date
    until: date
    """Last day of the visits."""
    sites: tuple[str, ...]
    """Those of the one written to, each with the number of its inspection."""
    checklist: tuple[str, ...]
    """The points of the edition, by name."""
    for_office: bool
    """To those who visit, with all sites of the campaign."""


class SiteRectification(CaseLetter):
    """To leader and village: what is not met, to be put right by a day; what comes then."""

    letter_kind = Letter.SITE_RECTIFICATION
    site: Name
    visited_on: date
    points: tuple[str, ...]
    """What is not met, each with what was found."""
    reason: Name
    due_on: date
    """Last day for putting it right."""
    times_left: Count
    """How often the site may still be given time after this one."""


class InspectionResult(CaseLetter):
    """To leader and village: what came of an inspection; to a village: of all its sites in a campaign."""

    letter_kind = Letter.INSPECTION_RESULT
    result: Name
    """In a word, e.g. ``督查合格``."""
    because: str
    """Why, as a clause without a full stop; may be empty."""
    lines: tuple[str, ...]
    """Point by point, or site by site."""
    next_step: str
    """What comes now, full sentences; empty: nothing."""


class SiteRevoked(CaseLetter):
    """To leader, household, village and office: the plaque is taken back."""

    letter_kind = Letter.SITE_REVOKED
    site: Name
    revoked_on: date
    reason: Name
    points: tuple[str, ...]
    """What was not met at the last visit."""
    notice: Name
    """Number of the public notice that was cleared."""
    duties: tuple[str, ...]
    """What is to be done about its money and its open business, as clauses; empty: there is neither."""


CONTEXTS = (InspectionAnnounced, SiteRectification, InspectionResult, SiteRevoked)
