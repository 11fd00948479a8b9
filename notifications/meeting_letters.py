"""What the letters of joint meetings and of what they decided need to be written; as `notifications.letters`."""

from datetime import date

from notifications.context import CaseLetter, Count, LetterContext, Name
from policies.vocabulary import Letter


class MeetingInvitation(CaseLetter):
    """To those invited: when, where, what about; anew when something of it changes. D1-R4."""

    letter_kind = Letter.MEETING_INVITATION
    meeting: Name
    """Its title, e.g. ``2026年第2季度联席会议``."""
    meets_on: date
    begins: Name
    """Time of the day, e.g. ``14:00``."""
    place: str
    """Empty: not settled yet."""
    chair: str
    """Empty: not settled yet."""
    agenda: tuple[str, ...]
    invited: tuple[str, ...]
    """Who is invited, unit by unit."""
    change: str
    """What is new against the last letter, as a clause; empty: this is the first one."""
    late_note: str
    """Empty, or when a regular meeting should have been called, or why a reminder comes late."""
    reminder: bool = False
    """The meeting comes near: everything was said before."""


class MeetingCalledOff(CaseLetter):
    """To those invited: the meeting does not take place. D1-R4."""

    letter_kind = Letter.MEETING_CALLED_OFF
    meeting: Name
    meets_on: date
    by: Name
    reason: Name


class MeetingMinutes(CaseLetter):
    """To those invited: what was said and decided, and who came. D1-R4."""

    letter_kind = Letter.MEETING_MINUTES
    meeting: Name
    held_on: date
    place: Name
    chair: Name
    attended: tuple[str, ...]
    on_leave: tuple[str, ...]
    absent: tuple[str, ...]
    guests: str
    invited_count: Count
    minutes: str
    """Empty: they are kept as a file."""
    document: str
    """Name of the signed minutes' file; empty: there is none."""
    resolutions: tuple[str, ...]
    """What was decided, each with who does it until when."""


class ResolutionAssigned(CaseLetter):
    """To who is responsible: what the meeting gave them to do, until when; anew when it is put off. D1-R4."""

    letter_kind = Letter.RESOLUTION_ASSIGNED
    meeting: Name
    held_on: date
    text: Name
    due_on: date
    put_off: str
    """From which day, by whom and why it was put off; empty: it is new."""
    left: Count
    """How often it may still be put off."""


CONTEXTS: tuple[type[LetterContext], ...] = (MeetingInvitation, MeetingCalledOff, MeetingMinutes, ResolutionAssigned)
