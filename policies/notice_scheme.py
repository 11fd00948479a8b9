"""The scheme of public notices (公示): how long they stand, how days count, who judges objections (D2-R10)."""

from typing import Annotated, Self

from pydantic import Field, StrictBool, model_validator

from policies.sections import Count, GatePolicy, Length, Positive, Section, Sourced, Window
from policies.vocabulary import Gate, ObjectionChannel, Verdict


class NoticePeriod(Length):
    """How long a notice stands; texts differ on whether its first day counts, so the policy says it."""

    start_counted: StrictBool
    """Whether the day of publication is the first day of the period."""


class NoticeWindow(Window):
    """The period in which everybody may object; its end decides by itself."""

    due: NoticePeriod
    """How long the notice stands."""

    @model_validator(mode="after")
    def _reminders_after_the_first_day(self) -> Self:
        remind, due = self.remind, self.due
        if remind is not None and due.start_counted and remind.days_before[0] == due.days - 1:
            raise ValueError(
                f"首日计入公示期时,{due.days}{due.unit.label}的公示提前{remind.days_before[0]}{due.unit.label}提醒"
                "就是公布当天,提醒须在首日之后"
            )
        return self


class NoticeGates(Section):
    """The gates of a public notice."""

    notice_period: NoticeWindow
    objection_review: GatePolicy

    @model_validator(mode="after")
    def _lapses_fit(self) -> Self:
        if self.notice_period.lapse.verdict is not Verdict.ENDED:
            raise ValueError(f"{Gate.NOTICE_PERIOD} 期满只能是“{Verdict.ENDED.label}”")
        if self.objection_review.lapse is not None:
            raise ValueError(f"{Gate.OBJECTION_REVIEW} 不能因期限届满而作出决定:异议须有人答复")
        return self


class Prolonging(Sourced):
    """How far a notice may be prolonged."""

    times_at_most: Count
    """How often; 0: never."""
    days_at_most: Positive
    """Calendar days added at one time."""


class NoticeScheme(Section):
    """How this edition publishes notices."""

    case_prefix: Annotated[str, Field(pattern=r"^[A-Z]{2,5}$")]
    """Letters before a notice's number."""
    channels: Annotated[tuple[ObjectionChannel, ...], Field(min_length=1)]
    """By which channels objections are taken (D2-R10)."""
    prolonging: Prolonging
    gates: NoticeGates
