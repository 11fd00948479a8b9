"""
What every scheme of a policy file is made of: sourced sections, exact shares, periods, gates.

Every section says where its numbers stand: either `clause` (a place in the source document) or `source: default` (ours,
where the text is silent). Quantities are integers in the unit that the key names; shares are exact fractions; nothing
here is a float.
"""

import re
from collections import Counter
from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StrictInt,
    WithJsonSchema,
    model_validator,
)

from policies.vocabulary import DayUnit, Role, Verdict

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

    def covers(self, day: date) -> bool:
        """Return whether the text is in force on that day."""
        return self.from_ <= day and (self.until is None or day < self.until)


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


class Timing(Sourced):
    """One gate: who decides, by when, and what time does; without reminders it only waits for another case."""

    decided_by: Role
    """The role that decides, held for the case's unit or one above it."""
    due: Length
    """How long the gate may wait, from its opening."""
    remind: Reminders | None = None
    """Reminders before the due day."""
    escalate: Escalation | None = None
    """Whom a late gate is reported to."""
    lapse: Lapse | None = None
    """What the passing of the due day decides; null: the gate stays open and late."""

    @model_validator(mode="after")
    def _reminders_within_the_period(self) -> Self:
        if self.remind is not None and self.remind.days_before[0] >= self.due.days:
            raise ValueError(
                f"提醒须早于期限:提前{self.remind.days_before[0]}{self.due.unit.label}提醒,"
                f"而期限只有{self.due.days}{self.due.unit.label}"
            )
        return self


class Window(Timing):
    """A period that ends by itself on its last day: nobody is late, so nothing is reported."""

    lapse: Lapse
    """What the end of the last day decides."""

    @model_validator(mode="after")
    def _nobody_is_late(self) -> Self:
        if self.escalate is not None:
            raise ValueError("期满自动结束的环节没有逾期,不能写 escalate")
        return self


class GatePolicy(Timing):
    """A gate at which people decide: they are reminded, and a late one is reported."""

    remind: Reminders
    """Reminders before the due day."""
    escalate: Escalation
    """Whom a late gate is reported to."""

    @model_validator(mode="after")
    def _escalation_before_the_lapse(self) -> Self:
        # An item that lapsed is closed: an escalation planned for later would never be told to anybody.
        if self.lapse is not None and self.escalate.after_days > 0:
            raise ValueError(
                f"期限届满即作出“{self.lapse.verdict.label}”,其后{self.escalate.after_days}{self.due.unit.label}的督办"
                "永远不会发出;escalate.after_days 须为 0"
            )
        return self


def twice(codes: Iterable[str]) -> list[str]:
    """Return the codes that occur more than once."""
    return [code for code, times in Counter(codes).items() if times > 1]


class Category(Sourced):
    """A category: of activities (D0-R18, D1-R3) or of spending (D0-R15)."""

    code: Code
    name: Name


class Urging(Sourced):
    """How often people may be urged (催办)."""

    at_least_hours_between: Positive


class ReturnLimit(Sourced):
    """How often a file may be returned for correction."""

    at_most: Positive
    """Rounds of correction."""
