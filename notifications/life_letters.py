"""What the letters of a parlour's duties need to be written: themes by month, activities by week; as `letters`."""

from datetime import date

from notifications.context import Count, LetterContext, Name
from policies.vocabulary import Letter


class DutyLetter(LetterContext):
    """The facts of a letter about what the parlours of a town owe; no case stands behind it."""

    township: Name
    office: Name
    scheme_title: Name
    """Title of the edition, without 《》."""
    plaque_text: Name
    """What the parlours of this scheme are called."""
    late_note: str
    """Empty, or why this letter comes late, as a clause without a full stop."""


class ThemeAsked(DutyLetter):
    """To a leader: please report the theme of the month to come. D0-R12."""

    letter_kind = Letter.THEME_ASKED
    month: Name
    """As people say it, e.g. ``2026年3月``."""
    due_on: date
    sites: tuple[str, ...]
    """The leader's parlours that have none yet, a line each."""


class ThemeMissing(DutyLetter):
    """To a leader: the theme is still missing; also when the asking was missed. D0-R12."""

    letter_kind = Letter.THEME_MISSING
    months: Name
    """As people say them, divided by 、."""
    sites: tuple[str, ...]
    """What is missing, a line each: which parlour, which month, due when."""


class ThemesMissing(DutyLetter):
    """To who answers for the village: who has not reported, and who could not be told. D0-R12, D0-R17."""

    letter_kind = Letter.THEMES_MISSING
    months: Name
    sites: tuple[str, ...]
    """What is missing after the due day, a line each; may be empty."""
    unreachable: tuple[str, ...]
    """Leaders whom no e-mail reaches, a line each; may be empty."""


class WeekMissing(DutyLetter):
    """To a leader: no activity of the week is on record. D0-R13."""

    letter_kind = Letter.WEEK_MISSING
    weeks: Name
    """As people say them, e.g. ``2026年3月2日至3月8日``, divided by 、."""
    at_least: Count
    """Activities owed in a week."""
    sites: tuple[str, ...]
    """The leader's parlours, a line each with the weeks and what stands on record."""


class WeeksMissing(DutyLetter):
    """To who answers for the village: which parlours have weeks without activities. D0-R13."""

    letter_kind = Letter.WEEKS_MISSING
    weeks: Name
    at_least: Count
    sites: tuple[str, ...]
    unreachable: tuple[str, ...]
    """Leaders whom no e-mail reaches, a line each; may be empty."""


CONTEXTS: tuple[type[LetterContext], ...] = (ThemeAsked, ThemeMissing, ThemesMissing, WeekMissing, WeeksMissing)
