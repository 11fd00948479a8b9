"""The scheme of the parlours (客堂间): everything the site lifecycle asks of an edition."""

from collections import Counter
from typing import Annotated, Literal, Self

from pydantic import Field, StrictBool, model_validator

from policies.life_scheme import (
    AnnualEvaluation,
    Inspection,
    JointMeeting,
    MonthlyTheme,
    ServiceOrders,
    SiteChanges,
    WeeklyActivities,
)
from policies.sections import (
    Category,
    Code,
    Count,
    Day,
    GatePolicy,
    Name,
    Positive,
    ReturnLimit,
    Section,
    Share,
    Sourced,
    Urging,
)
from policies.vocabulary import BeautifulVillage, Facility, Firmness, Gate, LeaderSource, Verdict


class ConsentRule(Sourced):
    """What share of the group's households must agree (D0-R8)."""

    at_least: Share
    """Share of ALL households on the group's register, not of the answers."""


class ConsentGate(GatePolicy):
    """The gate at which the households answer."""

    rule: ConsentRule
    """When consent is carried."""


class Gates(Section):
    """The gates of the site lifecycle, in their order."""

    household_consent: ConsentGate
    village_forward: GatePolicy
    office_review: GatePolicy
    correction: GatePolicy
    plaque: GatePolicy
    subsidy: GatePolicy | None = None
    undelivered_letter: GatePolicy

    @model_validator(mode="after")
    def _lapses_fit(self) -> Self:
        allowed: dict[Gate, set[Verdict]] = {
            Gate.HOUSEHOLD_CONSENT: {Verdict.NOT_CARRIED},
            Gate.VILLAGE_FORWARD: {Verdict.RETURNED},
            Gate.OFFICE_REVIEW: set(),
            Gate.CORRECTION: {Verdict.LAPSED},
            Gate.PLAQUE: set(),
            Gate.SUBSIDY: set(),
            Gate.UNDELIVERED_LETTER: set(),
        }
        for gate, verdicts in allowed.items():
            policy: GatePolicy | None = getattr(self, gate.value)
            if policy is not None and policy.lapse is not None and policy.lapse.verdict not in verdicts:
                raise ValueError(f"{gate.value} 不能因期限届满而作出“{policy.lapse.verdict.label}”")
        return self


class Phase(Sourced):
    """A phase of the programme (D0-R7)."""

    name: Name
    from_: Annotated[Day, Field(alias="from")]
    """First day."""
    until: Day | None
    """First day after it; null: long-term."""
    accepts_applications: StrictBool
    """Whether an application may be filed in it."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.until is not None and self.until <= self.from_:
            raise ValueError("阶段的结束须晚于开始")
        return self


class Quota(Sourced):
    """How many sites a village builds in a calendar year (D1-R2)."""

    per_village_per_year_at_least: Count
    per_village_per_year_at_most: Positive

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.per_village_per_year_at_least > self.per_village_per_year_at_most:
            raise ValueError("年度下限不得大于上限")
        return self


class Targets(Sourced):
    """Which share of a village's groups should have a site, by their grade (D0-R5); rounded up."""

    shares: Annotated[dict[BeautifulVillage, Share], Field(min_length=1)]
    """Grade of the group to share."""


class LeaderRule(Sourced):
    """Who may lead a site (D0-R1)."""

    sources: Annotated[tuple[LeaderSource, ...], Field(min_length=1)]
    """Where a leader may come from."""
    recommendation_required: StrictBool
    """An organisation must recommend the person."""
    own_consent_required: StrictBool
    """The person must agree."""

    @model_validator(mode="after")
    def _each_source_once(self) -> Self:
        if twice := [source.label for source, times in Counter(self.sources).items() if times > 1]:
            raise ValueError(f"负责人来源重复:{'、'.join(twice)}")
        return self


class CountStandard(Sourced):
    """A number of people, bounds included."""

    kind: Literal["volunteers"]
    code: Code
    name: Name
    at_least: Count | None = None
    at_most: Count | None = None
    firmness: Firmness

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise ValueError("at_least、at_most 至少写一个")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError("下限不得大于上限")
        return self


class AreaStandard(Sourced):
    """A floor area, bound included."""

    kind: Literal["area"]
    code: Code
    name: Name
    at_least_square_metres: Positive
    firmness: Firmness


class FacilityStandard(Sourced):
    """Something the room must have: any one of the named facilities."""

    kind: Literal["facility"]
    code: Code
    name: Name
    any_of: Annotated[tuple[Facility, ...], Field(min_length=1)]
    firmness: Firmness


class ConfirmationStandard(Sourced):
    """Something the applicant confirms in words, because the text gives no measure (D1-R1)."""

    kind: Literal["confirmation"]
    code: Code
    name: Name
    firmness: Firmness


Standard = Annotated[
    CountStandard | AreaStandard | FacilityStandard | ConfirmationStandard,
    Field(discriminator="kind"),
]


class Work(Sourced):
    """One work of the plaque gate: done on a date, with proof (D0-R10)."""

    code: Code
    name: Name


class Subsidy(Sourced):
    """The one-off subsidy and its way: district, town, village (D0-R15)."""

    amount_yuan: Positive
    """Amount per site in whole yuan (CNY)."""
    purposes: Annotated[tuple[Category, ...], Field(min_length=1)]
    """What the money may be spent on (专款专用)."""


class SiteScheme(Section):
    """The scheme of the parlours: everything the site lifecycle asks of an edition."""

    plaque_text: Name
    """What stands on the plaque."""
    case_prefix: Annotated[str, Field(pattern=r"^[A-Z]{2,5}$")]
    """Letters before a case number."""
    phases: Annotated[tuple[Phase, ...], Field(min_length=1)]
    leader: LeaderRule
    standards: Annotated[tuple[Standard, ...], Field(min_length=1)]
    quota: Quota | None = None
    targets: Targets | None = None
    gates: Gates
    returns: ReturnLimit
    works: Annotated[tuple[Work, ...], Field(min_length=1)]
    subsidy: Subsidy | None = None
    activity_categories: Annotated[tuple[Category, ...], Field(min_length=1)]
    publicity_channels: tuple[Category, ...] = ()
    monthly_theme: MonthlyTheme | None = None
    weekly_activities: WeeklyActivities | None = None
    joint_meeting: JointMeeting | None = None
    inspection: Inspection | None = None
    evaluation: AnnualEvaluation | None = None
    services: ServiceOrders | None = None
    changes: SiteChanges | None = None
    urging: Urging

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.subsidy is None) != (self.gates.subsidy is None):
            raise ValueError("subsidy(补贴)与 gates.subsidy(拨付环节)须同时有或同时无")
        for what, codes in {
            "standards": [standard.code for standard in self.standards],
            "works": [work.code for work in self.works],
            "activity_categories": [category.code for category in self.activity_categories],
            "publicity_channels": [channel.code for channel in self.publicity_channels],
            "subsidy.purposes": [purpose.code for purpose in self.subsidy.purposes] if self.subsidy else [],
        }.items():
            if twice := [code for code, times in Counter(codes).items() if times > 1]:
                raise ValueError(f"{what} 的代码重复:{'、'.join(twice)}")
        for earlier, later in zip(self.phases, self.phases[1:], strict=False):
            if earlier.until is None or later.from_ < earlier.until:
                raise ValueError(f"阶段“{later.name}”与“{earlier.name}”重叠或次序颠倒")
        return self
