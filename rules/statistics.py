"""
Sums of sessions and attendance over stretches of time, and what they are compared with (D1-R7).

Whole numbers throughout; averages and changes are exact fractions that are rounded only where they are shown.
Days are Shanghai days. Used by `tasks.statistics` and by what shows its figures.
"""

from calendar import monthrange
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor

from policies.errors import Refused
from policies.vocabulary import Word

EARLIEST = date(2000, 1, 1)
MOST_MONTHS = 120
"""Bounds of a period that somebody types: a slip of the pen must not be told week by week for a millennium."""
_QUARTERS = "一二三四"


class Span(Word):
    """The stretches by which a period is told."""

    WEEK = "week", "周"
    MONTH = "month", "月"
    QUARTER = "quarter", "季度"
    HALF_YEAR = "half_year", "半年"
    YEAR = "year", "年"


_MONTHS = {Span.MONTH: 1, Span.QUARTER: 3, Span.HALF_YEAR: 6, Span.YEAR: 12}


class PeriodChoice(Word):
    """The periods that an office asks for."""

    THIS_MONTH = "this_month", "本月"
    LAST_MONTH = "last_month", "上月"
    THIS_QUARTER = "this_quarter", "本季"
    LAST_QUARTER = "last_quarter", "上季"
    FIRST_HALF = "first_half", "上半年"
    THIS_YEAR = "this_year", "全年"
    LAST_YEAR = "last_year", "上年"
    CUSTOM = "custom", "自定"


@dataclass(frozen=True, order=True)
class Period:
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError(f"a period can not end on {self.last} before it begins on {self.first}")

    @property
    def text(self) -> str:
        """The period as reports write it: whole years and months by their names, else from day to day."""
        first, last = self.first, self.last
        whole = first.day == 1 and _ends_month(last)
        if whole and (first.month, last.month) == (1, 12):
            return f"{first.year}年" if first.year == last.year else f"{first.year}年至{last.year}年"
        year = f"{last.year}年" if last.year != first.year else ""
        if whole:
            head = f"{first.year}年{first.month}月"
            return head if (first.year, first.month) == (last.year, last.month) else f"{head}至{year}{last.month}月"
        head = f"{first.year}年{first.month}月{first.day}日"
        return head if first == last else f"{head}至{year}{last.month}月{last.day}日"

    def has(self, day: date) -> bool:
        """Return whether the day lies in it."""
        return self.first <= day <= self.last


@dataclass(frozen=True)
class Compared:
    """A period, and the two it is compared with."""

    now: Period
    before: Period
    """The one right before it."""
    year_before: Period
    """The same days a year earlier."""


@dataclass(frozen=True)
class Sum:
    """Sessions held, and the people who came to them (人次: somebody who came twice counts twice)."""

    sessions: int = 0
    attendance: int = 0

    def __add__(self, other: "Sum") -> "Sum":
        return Sum(self.sessions + other.sessions, self.attendance + other.attendance)

    @property
    def average(self) -> Fraction | None:
        """People per session, exactly; None without sessions."""
        return Fraction(self.attendance, self.sessions) if self.sessions else None


NOTHING = Sum()


@dataclass(frozen=True)
class Stretch:
    """A week, month, quarter, half year or year, as far as it lies in the period."""

    period: Period
    label: str
    """With its year; says so when only a part of it lies in the period."""
    short: str
    """For the axis of a chart: without the year when the whole period lies in one."""


def added(sums: Iterable[Sum]) -> Sum:
    """Return the sum of sums."""
    return sum(sums, start=NOTHING)


def chosen(choice: PeriodChoice, *, on: date, first: date | None = None, last: date | None = None) -> Compared:
    """
    Return the period that somebody asks for, with what it is compared with.

    What is not over yet ends with `on`, and is compared with as many days of the period before.

    Args:
        choice: which; ``上半年`` and ``全年`` are those of the year of `on`.
        on: the day on which it is asked, Shanghai.
        first: first day; of ``自定`` only.
        last: last day, included; of ``自定`` only.

    Raises:
        Refused: ``自定`` without its days or with days in the wrong order; another choice with days.
    """
    if choice is PeriodChoice.CUSTOM:
        if first is None or last is None:
            raise Refused("default", f"期间选“{choice.label}”时,起始日和截止日都须填写")
        if last < first:
            raise Refused("default", f"截止日{last}早于起始日{first};请改正后重新提交")
        if first < EARLIEST or _months_between(first, last) > MOST_MONTHS:
            raise Refused(
                "default",
                f"期间{first}至{last}过长或过早:须在{EARLIEST}以后,至多{MOST_MONTHS}个月;请改正后重新提交",
            )
        return _compared(Period(first, last), months=_whole_months(first, last))
    if first is not None or last is not None:
        raise Refused(
            "default",
            f"期间选“{choice.label}”时不填写起始日、截止日;要自己填写日期,期间请选“{PeriodChoice.CUSTOM.label}”",
        )
    january, this_month = date(on.year, 1, 1), on.replace(day=1)
    quarter = date(on.year, (on.month - 1) // 3 * 3 + 1, 1)
    match choice:
        case PeriodChoice.THIS_MONTH:
            return _compared(Period(this_month, on), months=1)
        case PeriodChoice.LAST_MONTH:
            return _compared(Period(_moved(this_month, -1), this_month - timedelta(days=1)), months=1)
        case PeriodChoice.THIS_QUARTER:
            return _compared(Period(quarter, on), months=3)
        case PeriodChoice.LAST_QUARTER:
            return _compared(Period(_moved(quarter, -3), quarter - timedelta(days=1)), months=3)
        case PeriodChoice.FIRST_HALF:
            return _compared(Period(january, min(on, date(on.year, 6, 30))), months=6)
        case PeriodChoice.THIS_YEAR:
            return _compared(Period(january, on), months=12)
        case PeriodChoice.LAST_YEAR:
            return _compared(Period(_moved(january, -12), january - timedelta(days=1)), months=12)


def stretches(period: Period, span: Span) -> list[Stretch]:
    """
    Cut a period at the borders of weeks (Monday), months, quarters, half years or years, in order, none left out.

    The first and the last one may be parts. A period of n days has at most n // 7 + 2 weeks.
    """
    found, first, years = [], period.first, period.first.year != period.last.year
    while first <= period.last:
        begins, ends = _around(first, span)
        part = Period(first, min(ends, period.last))
        whole = (begins, ends) == (part.first, part.last)
        found.append(Stretch(part, *_labels(part, span, whole=whole, years=years)))
        first = ends + timedelta(days=1)
    return found


def by_span(sums: Mapping[date, Sum], period: Period, span: Span) -> list[tuple[Stretch, Sum]]:
    """
    Sum what happened day by day over the stretches of a period; one without anything has a sum of 0.

    Args:
        sums: what happened on a day; days outside the period do not count.
    """
    parts = stretches(period, span)
    collected = dict.fromkeys((part.period.first for part in parts), NOTHING)
    for day, each in sums.items():
        if period.has(day):
            begins, _ = _around(day, span)
            collected[max(begins, period.first)] += each
    return [(part, collected[part.period.first]) for part in parts]


def usual_span(period: Period) -> Span:
    """Return the span by which a period reads best: at most some two dozen stretches, and more than one."""
    months = _months_between(period.first, period.last)
    if months <= 2:
        return Span.WEEK
    if months <= 24:
        return Span.MONTH
    return Span.QUARTER if months <= 96 else Span.YEAR


def change(now: int, before: int) -> Fraction | None:
    """Return by which share of `before` a count has grown (negative: shrunk), exactly; None when there was nothing."""
    return Fraction(now - before, before) if before else None


def one_decimal(value: Fraction) -> Decimal:
    """Return a number with one decimal, half rounded away from zero; for display, never to calculate with."""
    tenths = floor(abs(value) * 10 + Fraction(1, 2))
    return Decimal(tenths if value >= 0 else -tenths).scaleb(-1)


def in_percent(share: Fraction | None, *, signed: bool = False) -> str:
    """Return a share as a percentage with one decimal, e.g. ``12.5%``; ``—`` when there is none."""
    if share is None:
        return "—"
    shown = one_decimal(share * 100)
    return f"{'+' if signed and shown > 0 else ''}{shown:f}%"


def _compared(period: Period, *, months: int | None) -> Compared:
    if months is None:
        length = period.last - period.first + timedelta(days=1)
        before = Period(period.first - length, period.first - timedelta(days=1))
    else:
        before = _earlier(period, months)
    return Compared(period, before, _earlier(period, 12))


def _earlier(period: Period, months: int) -> Period:
    first, last = _moved(period.first, -months), _moved(period.last, -months)
    if _ends_month(period.last):
        last = last.replace(day=monthrange(last.year, last.month)[1])
    return Period(min(first, last), last)


def _moved(day: date, months: int) -> date:
    """Return the same day of a month earlier or later, or that month's last day when it is too short."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _ends_month(day: date) -> bool:
    return day.day == monthrange(day.year, day.month)[1]


def _whole_months(first: date, last: date) -> int | None:
    return _months_between(first, last) if first.day == 1 and _ends_month(last) else None


def _months_between(first: date, last: date) -> int:
    """Return how many calendar months the days touch."""
    return (last.year - first.year) * 12 + last.month - first.month + 1


def _around(day: date, span: Span) -> tuple[date, date]:
    """Return the first and the last day of the week, month, ... that a day lies in."""
    if span is Span.WEEK:
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=6)
    months = _MONTHS[span]
    first = date(day.year, (day.month - 1) // months * months + 1, 1)
    return first, _moved(first, months) - timedelta(days=1)


def _labels(part: Period, span: Span, *, whole: bool, years: bool) -> tuple[str, str]:
    first, year = part.first, f"{part.first.year}年"
    match span:
        case Span.WEEK:
            label = f"{part.first:%Y-%m-%d}至{part.last:%m-%d}"
            return label, f"{first.year % 100:02d}/{first.month}/{first.day}" if years else f"{first.month}/{first.day}"
        case Span.MONTH:
            name = f"{first.month}月"
        case Span.QUARTER:
            name = f"第{_QUARTERS[(first.month - 1) // 3]}季度"
        case Span.HALF_YEAR:
            name = "上半年" if first.month <= 6 else "下半年"
        case Span.YEAR:
            name = ""
    short = (
        f"{first.year % 100:02d}/{first.month}"
        if years and span is Span.MONTH
        else (f"{year}{name}" if years else name or year)
    )
    if whole:
        return f"{year}{name}", short
    days = f"{first.day}日至{part.last.day}日" if span is Span.MONTH else f"{first:%m-%d}至{part.last:%m-%d}"
    return f"{year}{name}({days})", short
