"""
Which days are working days: weekends, statutory holidays and make-up workdays (调休).

Used by `rules.periods`. The days come from the `holidays` package, or from the calendar file where it writes a year
out; nothing is fetched and nothing is guessed silently: `is_published` tells arrangement from estimate.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from holidays import country_holidays
from holidays.countries.china import ChinaStaticHolidays

from policies.calendar import CalendarFacts
from policies.errors import BadPolicy

_FRIDAY = 5


@dataclass(frozen=True)
class _Year:
    holidays: frozenset[date]
    workdays: frozenset[date]


class WorkCalendar:
    """
    The working days of mainland China.

    Args:
        facts: up to which year the arrangement is published, and the years written out.

    Raises:
        BadPolicy: a year is declared published, but neither the library nor `facts` has its days.
    """

    def __init__(self, facts: CalendarFacts) -> None:
        self._facts = facts
        self._years: dict[int, _Year] = {}
        known = max(ChinaStaticHolidays.special_public_holidays)
        for year in range(known + 1, facts.published_through + 1):
            entry = facts.of(year)
            if entry is None or entry.holidays is None:
                raise BadPolicy(
                    "calendar.yaml",
                    "published_through",
                    facts.published_through,
                    f"节假日库只收录到{known}年,请在 years 中写出{year}年的 holidays 与 workdays,或升级节假日库",
                )

    def is_published(self, day: date) -> bool:
        """Return whether the arrangement of the year of `day` is published; else its working days are estimates."""
        return day.year <= self._facts.published_through

    def is_working_day(self, day: date) -> bool:
        """Return whether offices work on `day`, make-up workdays included."""
        year = self._year(day.year)
        if day in year.workdays:
            return True
        return day.isoweekday() <= _FRIDAY and day not in year.holidays

    def on_or_after(self, day: date) -> date:
        """Return `day` if it is a working day, else the next one."""
        while not self.is_working_day(day):
            day += timedelta(days=1)
        return day

    def shift(self, day: date, *, working_days: int) -> date:
        """
        Return the working day that lies `working_days` after `day`, before it if negative; `day` is not counted.

        With 0 this returns `day` itself, whether or not it is a working day.
        """
        step = timedelta(days=1 if working_days > 0 else -1)
        left = abs(working_days)
        while left:
            day += step
            left -= self.is_working_day(day)
        return day

    def _year(self, year: int) -> _Year:
        if year not in self._years:
            self._years[year] = self._written_out(year) or _from_library(year)
        return self._years[year]

    def _written_out(self, year: int) -> _Year | None:
        entry = self._facts.of(year)
        if entry is None or entry.holidays is None or entry.workdays is None:
            return None
        return _Year(frozenset(entry.holidays), frozenset(entry.workdays))


def _from_library(year: int) -> _Year:
    found = country_holidays("CN", years=year)
    return _Year(
        holidays=frozenset(day for day in found if day.year == year),
        workdays=frozenset(day for day in found.weekend_workdays if day.year == year),
    )
