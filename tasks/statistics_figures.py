"""The figures of a town's parlours for a period, as `tasks.statistics` finds them and reports show them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from policies.site_scheme import Quota
from rules.statistics import NOTHING, Compared, Span, Stretch, Sum, by_span


@dataclass(frozen=True)
class Wanted:
    """Which figures are wanted."""

    period: Compared
    town: str = ""
    """Code or name of a town; empty: the one of `village`, or the only one that has parlours."""
    village: str = ""
    """Code or name of one of its villages; empty: all. Targets are always the whole town's."""
    category: str = ""
    """Code or name of a category of activities; empty: all."""
    by: Span | None = None
    """By which stretches the period is told; None: by those that fit its length."""


@dataclass(frozen=True)
class Three:
    """Sums of the period, of the one before, and of the same days a year earlier."""

    now: Sum = NOTHING
    before: Sum = NOTHING
    year_before: Sum = NOTHING

    def __add__(self, other: "Three") -> "Three":
        return Three(self.now + other.now, self.before + other.before, self.year_before + other.year_before)


NO_SUMS = Three()


@dataclass(frozen=True)
class CategoryLine:
    """What was done of one category."""

    name: str
    sums: Three


@dataclass(frozen=True)
class VillageLine:
    """What a village's parlours did."""

    code: str
    name: str
    running: int
    """Parlours in operation on the period's last day."""
    ran: int
    """Parlours in operation on at least one of its days."""
    idle: int
    """Those of `ran` without any activity (of the wanted category) in the period."""
    themes: int
    """Monthly themes reported for months of the period."""
    sums: Three
    by_category: Mapping[str, Sum]
    """Of the period, by the category's name."""


@dataclass(frozen=True)
class SiteLine:
    """What one parlour did in the period."""

    number: str
    village: str
    group: str
    household: str
    speciality: str
    running: bool
    """In operation on the period's last day."""
    ran: bool
    sums: Sum
    last_on: date | None
    """When it last held something in the period."""


@dataclass(frozen=True)
class TargetLine:
    """What a village should have and has, per grade of its groups (D0-R5), on the period's last day."""

    village: str
    grade: str
    groups: int
    target: int
    stands: int
    """Groups with a parlour in operation."""

    @property
    def short(self) -> int:
        """Groups that lack one to the target."""
        return max(self.target - self.stands, 0)

    @property
    def share(self) -> Fraction | None:
        """What stands, as a share of the target; None without a target."""
        return Fraction(self.stands, self.target) if self.target else None


@dataclass(frozen=True)
class QuotaLine:
    """How many parlours a village built in the year, against the least and the greatest number (D1-R2)."""

    village: str
    built: int
    short: int


@dataclass(frozen=True)
class ThemeLine:
    """The themes reported for a month."""

    month: date
    reported: int
    late: int


@dataclass(frozen=True)
class Statistics:
    """The figures of a town, or of one of its villages, for a period."""

    town: str
    town_code: str
    scheme: str
    """Title of the edition that the town uses; empty: none."""
    plaque: str
    """What the town calls its parlours."""
    village: str
    """Name of the only village shown; empty: all."""
    category: str
    """Name of the only category shown; empty: all."""
    period: Compared
    by: Span
    made_on: date
    by_day: Mapping[date, Sum]
    categories: tuple[CategoryLine, ...]
    villages: tuple[VillageLine, ...]
    sites: tuple[SiteLine, ...]
    """Parlours that ran in the period or did something, by village and number."""
    targets: tuple[TargetLine, ...]
    """Of the whole town, those with a target first; empty when its edition sets none."""
    quota: Quota | None
    quota_year: int
    """The year of the period's last day."""
    quotas: tuple[QuotaLine, ...]
    themes: tuple[ThemeLine, ...]
    publicity: tuple[tuple[str, int], ...]
    """Items published in the period, by the channel's name."""

    @property
    def total(self) -> Three:
        """Everything together."""
        return sum((line.sums for line in self.villages), start=NO_SUMS)

    @property
    def running(self) -> int:
        """Parlours in operation on the period's last day."""
        return sum(line.running for line in self.villages)

    @property
    def ran(self) -> int:
        """Parlours in operation on at least one day of the period."""
        return sum(line.ran for line in self.villages)

    @property
    def aimed(self) -> tuple[TargetLine, ...]:
        """The lines with a target, which alone are summed."""
        return tuple(line for line in self.targets if line.target)

    @property
    def achieved(self) -> Fraction | None:
        """How much of all targets stands; what one village has above its own does not fill another's gap."""
        target = sum(line.target for line in self.aimed)
        return Fraction(target - sum(line.short for line in self.aimed), target) if target else None

    @property
    def idle(self) -> tuple[SiteLine, ...]:
        """Parlours that ran and held nothing."""
        return tuple(line for line in self.sites if line.ran and not line.sums.sessions)

    @property
    def series(self) -> list[tuple[Stretch, Sum]]:
        """The period stretch by stretch, as wanted."""
        return self.told_by(self.by)

    def told_by(self, span: Span) -> list[tuple[Stretch, Sum]]:
        """Return the period by other stretches."""
        return by_span(self.by_day, self.period.now, span)
