"""The letters of a listed site's change: received, decided, in effect."""

from datetime import date

from notifications.context import CaseLetter, Name
from policies.vocabulary import Letter


class ChangeLetter(CaseLetter):
    """The facts of a letter about a change."""

    site: Name
    """Whose change it is, with its number, e.g. ``周荡村王小明户的“话角里·客堂间”（编号KT-2026-0007-S）``."""
    kind: Name
    """What it is about, e.g. ``更换负责人``."""


class ChangeReceived(ChangeLetter):
    """To leader, applicant and village: the application is on file, what comes next."""

    letter_kind = Letter.CHANGE_RECEIVED
    applied_by: Name
    submitted_on: date
    reason: Name
    asked: tuple[str, ...]
    """What is asked for, line by line."""
    next_step: Name
    """As a clause without a full stop."""
    due_on: date
    """By when the next step ends."""


class ChangeDecided(ChangeLetter):
    """To leader, applicant and village: approved and what comes now, or rejected and why."""

    letter_kind = Letter.CHANGE_DECIDED
    approved: bool
    by: Name
    opinion: Name
    """What the village said, as a clause."""
    reason: str
    """Why; of an approval it may be empty."""
    asked: tuple[str, ...]
    next_step: str
    """One or two full sentences; empty: nothing follows."""


class SiteChanged(ChangeLetter):
    """To everybody concerned: from when what is different."""

    letter_kind = Letter.SITE_CHANGED
    effective_on: date
    changes: tuple[str, ...]
    """Before and after, line by line."""
    duties: tuple[str, ...]
    """What is to be done now; may be empty."""
    late_note: str
    """Empty, or why it is told late."""
