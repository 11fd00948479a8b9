"""The letters of public notices and of the objections against them (D2-R10)."""

from datetime import date

from notifications.context import CaseLetter, Count, LetterContext, Name
from policies.vocabulary import Letter


class NoticeLetter(CaseLetter):
    """The facts of a letter about a public notice."""

    notice_title: Name
    place: Name
    """Where it hangs."""
    page: str
    """Address of its page; empty: pages are not served anywhere."""


class NoticePublished(NoticeLetter):
    """To those concerned: a notice was published. D2-R10."""

    letter_kind = Letter.NOTICE_PUBLISHED
    published_on: date
    ends_on: date
    period: Name
    """The rule by which the last day was counted, in words."""
    items: tuple[str, ...]
    """What can be objected against; may be empty."""
    channels: tuple[str, ...]
    contact: Name
    sha256: Name
    """Of everything that was published."""


class NoticeProlonged(NoticeLetter):
    """To those concerned: the notice stands longer. D2-R10."""

    letter_kind = Letter.NOTICE_PROLONGED
    by: Name
    reason: Name
    from_day: date
    to_day: date


class NoticeClosed(NoticeLetter):
    """To those concerned: the notice is over, and what came of it. D2-R10."""

    letter_kind = Letter.NOTICE_CLOSED
    outcome: Name
    because: str
    ended_on: date
    """Its last day; of a cancelled one the day on which it was cancelled."""
    cancelled: bool
    """Taken back before its time."""
    received: Count
    upheld: Count
    not_upheld: Count
    late_note: str
    """Empty, or why this letter comes late."""


class ObjectionReceived(NoticeLetter):
    """To the office: handle it. To who objects: it was received. D2-R10."""

    letter_kind = Letter.OBJECTION_RECEIVED
    seq: Count
    channel: Name
    who: Name
    """Name of who objects, or that it is anonymous."""
    contact: str
    """Masked; may be empty."""
    against: Name
    content: Name
    received: Name
    """Day and time at which it reached the office."""
    open_count: Count
    """Objections of this notice that nobody has handled yet."""
    for_objector: bool
    """The short receipt instead of the working letter."""
    ended_note: str = ""
    """That the notice had ended already when the objection was keyed in, and when; empty: it had not."""


class ObjectionAnswered(NoticeLetter):
    """To who objects: what the office found, and why. To the office's head: what it may mean. D2-R10."""

    letter_kind = Letter.OBJECTION_ANSWERED
    seq: Count
    against: Name
    content: Name
    received: Name
    finding: Name
    reasons: Name
    what_follows: str = ""
    """To the head, of one upheld on a notice that had ended: what the head may do; empty: to who objects."""


CONTEXTS: tuple[type[LetterContext], ...] = (
    NoticePublished,
    NoticeProlonged,
    NoticeClosed,
    ObjectionReceived,
    ObjectionAnswered,
)
"""Registered in `notifications.contexts`."""
