"""
What is known of the State Council's yearly arrangement of holidays and make-up workdays, as data.

Read by `policies.load` from ``calendar.yaml``; counted with by `rules.calendar`.
"""

from collections import Counter
from datetime import date
from typing import Annotated, Self

from pydantic import ConfigDict, Field, StrictInt, model_validator

from policies.sections import Day, Section, Sourced

Year = Annotated[StrictInt, Field(ge=2001, le=2100)]


class CalendarYear(Sourced):
    """One year's arrangement: where it was published and, if the holidays library lacks it, its days."""

    year: Year
    holidays: tuple[Day, ...] | None = None
    """Days off as published, weekend days included or not; null: as the holidays library has them."""
    workdays: tuple[Day, ...] | None = None
    """Saturdays and Sundays worked (调休); null: as the holidays library has them."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.holidays is None) != (self.workdays is None):
            raise ValueError("holidays 与 workdays 须同时写或同时不写(没有调休上班日时写 [])")
        days = [*(self.holidays or ()), *(self.workdays or ())]
        if elsewhere := [day for day in days if day.year != self.year]:
            raise ValueError(f"不是{self.year}年的日期:{_listed(elsewhere)}")
        if twice := [day for day, times in Counter(days).items() if times > 1]:
            raise ValueError(f"日期重复,或既放假又上班:{_listed(twice)}")
        if weekdays := [day for day in self.workdays or () if day.isoweekday() <= 5]:
            raise ValueError(f"调休上班日须为周六或周日:{_listed(weekdays)}")
        return self


class CalendarFacts(Section):
    """Up to which year the arrangement is published, and the years written out."""

    model_config = ConfigDict(title="放假调休安排")

    published_through: Year
    """Last year whose arrangement is published; a period that reaches beyond it is provisional."""
    years: tuple[CalendarYear, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if twice := [year for year, times in Counter(entry.year for entry in self.years).items() if times > 1]:
            raise ValueError(f"年份重复:{'、'.join(map(str, twice))}")
        if beyond := [entry.year for entry in self.years if entry.year > self.published_through]:
            raise ValueError(
                f"已列出{'、'.join(map(str, beyond))}年的安排,published_through 却是{self.published_through}"
            )
        return self

    def of(self, year: int) -> CalendarYear | None:
        """Return the entry of `year`, if it is written out."""
        return next((entry for entry in self.years if entry.year == year), None)


def _listed(days: list[date]) -> str:
    return "、".join(day.isoformat() for day in days)
