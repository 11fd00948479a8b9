"""What an edition asks of a listed site: themes, weeks, inspections, evaluation, meetings, services, changes."""

from collections.abc import Iterable
from typing import Annotated, Self

from pydantic import Field, StrictInt, model_validator

from policies.life_words import SiteFact, VillageFact
from policies.sections import (
    Code,
    Count,
    Escalation,
    GatePolicy,
    Name,
    Positive,
    Reminders,
    Section,
    Sourced,
    Timing,
    Window,
    twice,
)
from policies.vocabulary import Role, Verdict

Prefix = Annotated[str, Field(pattern=r"^[A-Z]{2,5}$")]


class MonthlyTheme(Sourced):
    """Every site owes a theme for each month (D0-R12)."""

    due_day_of_month_before: Annotated[StrictInt, Field(ge=1, le=28)]
    """Day of the month before, by which the theme is due."""
    ask_days_before: Positive
    """Calendar days before the due day at which the leaders are asked."""
    remind: Reminders
    """Calendar days before the due day at which those without a theme are reminded."""
    escalate: Escalation
    """Who hears of missing themes, so many calendar days after the due day."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.ask_days_before >= self.due_day_of_month_before:
            raise ValueError(
                f"提前{self.ask_days_before}日通知早于上月1日:ask_days_before 须小于 due_day_of_month_before"
            )
        if self.remind.days_before[0] >= self.ask_days_before:
            raise ValueError(f"提醒(提前{self.remind.days_before[0]}日)须晚于通知(提前{self.ask_days_before}日)")
        if self.escalate.after_days < 1:
            raise ValueError("主题在期限当日仍可报送,escalate.after_days 须至少为 1")
        return self


class WeekReport(Sourced):
    """Who hears of a week without activities."""

    to: Role
    """The village's role that hears of it, beside the leader."""


class RecordInTime(Sourced):
    """When the record of an activity counts as in time."""

    within_days: Positive
    """Calendar days after the activity."""


class WeeklyActivities(Sourced):
    """Every site owes activities each week, Monday to Sunday (D0-R13)."""

    at_least: Positive
    """Recorded activities per week."""
    report: WeekReport
    record: RecordInTime

    @property
    def report_to(self) -> Role:
        """The village's role that hears of a week without them, beside the leader."""
        return self.report.to

    @property
    def record_within_days(self) -> int:
        """Calendar days after an activity within which its record counts as in time."""
        return self.record.within_days


class CheckPoint(Sourced):
    """One point of the inspection's checklist (D0-R11)."""

    code: Code
    name: Name


class InspectionGates(Section):
    """The gates of a campaign and of each inspection in it."""

    inspections: Timing
    campaign_report: GatePolicy
    inspection_visit: GatePolicy
    rectification: GatePolicy
    re_inspection: GatePolicy
    revocation_notice: Timing

    @model_validator(mode="after")
    def _lapses_fit(self) -> Self:
        for name in ("campaign_report", "inspection_visit", "re_inspection"):
            if getattr(self, name).lapse is not None:
                raise ValueError(f"{name} 不能因期限届满而作出决定:督查须有人到场")
        lapse = self.rectification.lapse
        if lapse is None or lapse.verdict is not Verdict.LAPSED:
            raise ValueError("rectification 期满须转入复查:lapse.verdict 写 lapsed")
        return self


class Inspection(Sourced):
    """How sites are inspected (D0-R11)."""

    campaign_prefix: Prefix
    """Letters before a campaign's number."""
    case_prefix: Prefix
    """Letters before an inspection's number."""
    checklist: Annotated[tuple[CheckPoint, ...], Field(min_length=1)]
    rectifications_at_most: Positive
    """How often a site may be given time to put things right in one inspection."""
    gates: InspectionGates

    @model_validator(mode="after")
    def _points_once(self) -> Self:
        _each_once("checklist", [point.code for point in self.checklist])
        return self


class SiteCriterion(Sourced):
    """A criterion for sites: full points at `full_at`, in proportion below."""

    code: Code
    name: Name
    fact: SiteFact
    points: Positive
    """Points at the most."""
    full_at: Positive | None = None
    """Count at which the points are full; null for a share, which is full at 1."""

    @model_validator(mode="after")
    def _counted_or_shared(self) -> Self:
        counted = self.fact in (SiteFact.SESSIONS, SiteFact.ATTENDANCE, SiteFact.PUBLICITY)
        if counted != (self.full_at is not None):
            raise ValueError(f"“{self.fact.label}”{'须' if counted else '不得'}写 full_at")
        return self


class VillageCriterion(Sourced):
    """A criterion for villages: a share of its points."""

    code: Code
    name: Name
    fact: VillageFact
    points: Positive


class EvaluationGrade(Sourced):
    """A grade and what it earns the village (以奖代拨)."""

    code: Code
    name: Name
    from_points: Count
    """Points of 100 from which this grade is reached."""
    award_yuan: Count
    """What a site of this grade adds to its village's 以奖代拨, in whole yuan; a proposal, not a payment."""


class EvaluationGates(Section):
    """The gates of a year's evaluation."""

    figures_review: GatePolicy
    results_notice: Timing


class AnnualEvaluation(Sourced):
    """How sites and villages are evaluated each year (D0-R14)."""

    case_prefix: Prefix
    opens: Annotated[str, Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])$")]
    """Month and day of the following year on which the evaluation of a year opens by itself, like ``01-10``."""
    site_criteria: Annotated[tuple[SiteCriterion, ...], Field(min_length=1)]
    village_criteria: Annotated[tuple[VillageCriterion, ...], Field(min_length=1)]
    grades: Annotated[tuple[EvaluationGrade, ...], Field(min_length=1)]
    """From the best to the worst; the last one from 0 points."""
    assessment_points_at_most: Positive
    """Points that this evaluation can add to the village's annual assessment (村级年度考核)."""
    gates: EvaluationGates

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        for what, criteria in (("site_criteria", self.site_criteria), ("village_criteria", self.village_criteria)):
            if (total := sum(each.points for each in criteria)) != 100:
                raise ValueError(f"{what} 的分值合计须为100,现为{total}")
            _each_once(what, [each.code for each in criteria])
        floors = [grade.from_points for grade in self.grades]
        if floors != sorted(set(floors), reverse=True) or floors[-1] != 0:
            raise ValueError("grades 须从高到低排列、不重复,最后一档自0分起")
        _each_once("grades", [grade.code for grade in self.grades])
        return self


class MeetingGates(Section):
    """The gates of a joint meeting and of what it decided."""

    meeting: GatePolicy
    resolutions: Timing
    follow_up: GatePolicy

    @model_validator(mode="after")
    def _decided_by_people(self) -> Self:
        for name in ("meeting", "follow_up"):
            if getattr(self, name).lapse is not None:
                raise ValueError(f"{name} 不能因期限届满而作出决定:会议须由人召开,议定事项须由人落实")
        return self


class JointMeeting(Sourced):
    """The liaisons' joint meeting (D1-R4)."""

    every_months: Positive
    """Months from one meeting to the next."""
    case_prefix: Prefix
    resolution_prefix: Prefix
    invite_days_before: Positive
    """Calendar days between the day a routine meeting is called and the day it is held, at least."""
    invited: Annotated[tuple[Role, ...], Field(min_length=1)]
    """Whose holders in the town and its villages are invited."""
    postponed_at_most: Count
    """How often one resolution's due day may be put off."""
    gates: MeetingGates

    @model_validator(mode="after")
    def _divides_a_year(self) -> Self:
        if 12 % self.every_months:
            raise ValueError(f"every_months 须为1、2、3、4、6或12(从1月数起的整月),现为{self.every_months}")
        return self


class ServiceGates(Section):
    """The gates of a service order."""

    service_offer: GatePolicy
    service_delivery: GatePolicy
    service_confirmation: GatePolicy


class ServiceOrders(Sourced):
    """How sites order services (D1-R5)."""

    case_prefix: Prefix
    ahead_days: Positive
    """Calendar days between an order and the day wished for, at least."""
    open_at_most: Positive
    """Orders of one site that may be open at once."""
    best_rating: Positive
    """The best rating; the worst is 1."""
    gates: ServiceGates


class ChangeGates(Section):
    """The gates of a site's change."""

    change_opinion: GatePolicy
    change_review: GatePolicy
    change_works: GatePolicy
    suspension: Window

    @model_validator(mode="after")
    def _lapses_fit(self) -> Self:
        if self.suspension.lapse.verdict is not Verdict.ENDED:
            raise ValueError("suspension 期满即恢复运行:lapse.verdict 写 ended")
        for name in ("change_opinion", "change_review", "change_works"):
            if getattr(self, name).lapse is not None:
                raise ValueError(f"{name} 不能因期限届满而作出决定")
        return self


class SiteChanges(Sourced):
    """How a listed site changes: leader, place, rest, end."""

    case_prefix: Prefix
    suspended_days_at_most: Positive
    """Calendar days a site may rest at the most."""
    gates: ChangeGates


def _each_once(what: str, codes: Iterable[str]) -> None:
    if again := twice(codes):
        raise ValueError(f"{what} 的代码重复:{'、'.join(again)}")
