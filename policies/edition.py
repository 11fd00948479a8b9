"""
The schema of one policy file: the text of a scheme in force, as data.

Read by `policies.load`; never knows a database or a clock. Every section says where its numbers stand: either
`clause` (a place in the source document) or `source: default` (ours, where the text is silent). Quantities are
integers in the unit that the key names; shares are exact fractions; nothing here is a float.
"""

import re
from collections import Counter
from datetime import date
from fractions import Fraction
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StrictBool,
    StrictInt,
    WithJsonSchema,
    model_validator,
)

from policies.vocabulary import BeautifulVillage, DayUnit, Facility, Firmness, Gate, LeaderSource, Role, Verdict

_SHARE = r"^[1-9][0-9]*/[1-9][0-9]*$"


def _exact(value: object) -> Fraction:
    if isinstance(value, Fraction):
        return value
    if not isinstance(value, str) or re.fullmatch(_SHARE, value) is None:
        raise ValueError('份额须写成带引号的分数,例如 "2/3" 或 "1/1"')
    return Fraction(value)


def _written(value: Fraction) -> str:
    return f"{value.numerator}/{value.denominator}"


Share = Annotated[
    Fraction,
    BeforeValidator(_exact),
    PlainSerializer(_written),
    Field(gt=0, le=1),
    WithJsonSchema({"type": "string", "pattern": _SHARE}),
]
"""An exact share in (0, 1], written as a quoted fraction."""

Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"\S")]
Text = Annotated[str, Field(min_length=1, pattern=r"\S")]
Day = Annotated[date, Field(strict=True)]
"""A date as YAML writes it, unquoted; a number of seconds is not a date."""
Count = Annotated[StrictInt, Field(ge=0)]
Positive = Annotated[StrictInt, Field(ge=1)]


class Section(BaseModel):
    """A part of an edition: nothing unknown in it, never changed after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Sourced(Section):
    """A section that says where it stands: `clause` or `source: default`, exactly one."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"required": ["clause"], "properties": {"clause": {"type": "string"}}},
                {"required": ["source"], "properties": {"source": {"const": "default"}}},
            ]
        }
    )

    clause: Text | None = None
    """Where it stands in the source document."""
    source: Literal["default"] | None = None
    """``default``: the text is silent and the value is ours."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.clause is None) == (self.source is None):
            raise ValueError("须写明 clause(条款)或 source: default,二者取一")
        return self

    @property
    def where(self) -> str:
        """The clause as people read it; ``default`` when the value is ours."""
        return self.clause or "default"


class InForce(Sourced):
    """From when until when the text is in force, half-open."""

    from_: Annotated[Day, Field(alias="from")]
    """First day in force."""
    until: Day | None = None
    """First day no longer in force; null: open-ended."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.until is not None and self.until <= self.from_:
            raise ValueError("失效日须晚于生效日")
        return self


class Length(Sourced):
    """A period: the start day is not counted, it ends with its last day (Civil Code art. 201-203)."""

    days: Positive
    """How many days."""
    unit: DayUnit
    """Which days are counted."""


class Escalation(Sourced):
    """Who hears of it when a gate is late."""

    to: Role
    """The role that is told."""
    after_days: Count
    """Days after the due day, in the unit of the gate's period."""


class Lapse(Sourced):
    """What time decides when nobody did: taken at the end of the due day."""

    verdict: Verdict
    """The verdict that is recorded."""


class Reminders(Sourced):
    """When those who decide are reminded."""

    days_before: Annotated[tuple[Positive, ...], Field(min_length=1)]
    """Days before the due day, in the unit of the gate's period, the earliest first."""

    @model_validator(mode="after")
    def _earliest_first(self) -> Self:
        if list(self.days_before) != sorted(set(self.days_before), reverse=True):
            raise ValueError("提醒须从早到晚排列且不重复,例如 [3, 1]")
        return self


class GatePolicy(Sourced):
    """One gate: who decides, by when, and what time does."""

    decided_by: Role
    """The role that decides, held for the case's unit or one above it."""
    due: Length
    """How long the gate may wait, from its opening."""
    remind: Reminders
    """Reminders before the due day."""
    escalate: Escalation
    """Whom a late gate is reported to."""
    lapse: Lapse | None = None
    """What the passing of the due day decides; null: the gate stays open and late."""

    @model_validator(mode="after")
    def _reminders_within_the_period(self) -> Self:
        if self.remind.days_before[0] >= self.due.days:
            raise ValueError(
                f"提醒须早于期限:提前{self.remind.days_before[0]}{self.due.unit.label}提醒,"
                f"而期限只有{self.due.days}{self.due.unit.label}"
            )
        return self

    @model_validator(mode="after")
    def _escalation_before_the_lapse(self) -> Self:
        # An item that lapsed is closed: an escalation planned for later would never be told to anybody.
        if self.lapse is not None and self.escalate.after_days > 0:
            raise ValueError(
                f"期限届满即作出“{self.lapse.verdict.label}”,其后{self.escalate.after_days}{self.due.unit.label}的督办"
                "永远不会发出;escalate.after_days 须为 0"
            )
        return self


class ConsentRule(Sourced):
    """What share of the group's households must agree (D0-R8)."""

    at_least: Share
    """Share of ALL households on the group's register, not of the answers."""


class ConsentGate(GatePolicy):
    """The gate at which the households answer."""

    rule: ConsentRule
    """When consent is carried."""


class ReturnLimit(Sourced):
    """How often a file may be returned for correction."""

    at_most: Positive
    """Rounds of correction."""


class Gates(Section):
    """The gates of the site lifecycle, in their order."""

    household_consent: ConsentGate
    village_forward: GatePolicy
    office_review: GatePolicy
    correction: GatePolicy
    plaque: GatePolicy
    subsidy: GatePolicy | None = None
    undelivered_letter: GatePolicy

    def of(self, gate: Gate) -> GatePolicy:
        """Return the policy of `gate`; KeyError when this edition has no such gate."""
        policy: GatePolicy | None = getattr(self, gate.value)
        if policy is None:
            raise KeyError(gate)
        return policy

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


class Category(Sourced):
    """A category: of activities (D0-R18, D1-R3) or of spending (D0-R15)."""

    code: Code
    name: Name


class Subsidy(Sourced):
    """The one-off subsidy and its way: district, town, village (D0-R15)."""

    amount_yuan: Positive
    """Amount per site in whole yuan (CNY)."""
    purposes: Annotated[tuple[Category, ...], Field(min_length=1)]
    """What the money may be spent on (专款专用)."""


class MonthlyTheme(Sourced):
    """Every site owes a theme for each month (D0-R12)."""

    due_day_of_month_before: Annotated[StrictInt, Field(ge=1, le=28)]
    """Day of the month before, by which the theme is due."""


class WeeklyActivities(Sourced):
    """Every site owes activities each week, Monday to Sunday (D0-R13)."""

    at_least: Positive
    """Recorded activities per week."""


class JointMeeting(Sourced):
    """The liaisons' joint meeting (D1-R4)."""

    every_months: Positive


class Urging(Sourced):
    """How often people may be urged (催办)."""

    at_least_hours_between: Positive


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


class Edition(Section):
    """One published text of a scheme."""

    model_config = ConfigDict(title="客堂政策文件")

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=60)]
    """Stable identifier; the file is called ``<id>.yaml``."""
    title: Name
    township: Name
    document_number: Text | None = None
    """The office's number of the document, if it has one."""
    source_document: Text
    """File name of the source text, or who made the text up."""
    in_force: InForce
    site: SiteScheme
