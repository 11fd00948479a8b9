"""
What recurs and was missed: done once by the sweep when its own schedule did not come, and told as late.

Each part is also what its own scheduled flow calls; the flow comes on the hour, the sweep looks after it later.
"""

from collections.abc import Callable
from datetime import datetime

from runtime.resources import Resources
from tasks import change_rests, meeting_routine, theme_rounds, week_reports, year_routine

Recurring = Callable[[Resources, datetime], str]
"""Does what is due by that moment and was not done; returns what it did, in Chinese, or ""."""

RECURRING: dict[str, Recurring] = {
    "到日暂停": change_rests.begin_due_rests,
    "月度主题": theme_rounds.catch_up_themes,
    "每周活动检查": week_reports.catch_up_weeks,
    "例行联席会议": meeting_routine.catch_up,
    "年度考核": year_routine.catch_up,
}
"""By what the sweep calls it."""


def catch_up(resources: Resources, *, at: datetime) -> list[str]:
    """Do everything that recurs and is due; return what was done, in Chinese."""
    return [told for recurring in RECURRING.values() if (told := recurring(resources, at))]
