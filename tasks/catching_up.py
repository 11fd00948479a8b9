"""
What recurs and was missed: done once by the sweep when its own schedule did not come, and told as late.

Each part is also what its own scheduled flow calls; the flow comes on the hour, the sweep looks after it later.
"""

import logging
from collections.abc import Callable
from datetime import datetime

from runtime.resources import Resources
from tasks import change_rests, meeting_routine, theme_rounds, week_reports, year_routine
from tasks.broken_units import tell_unserved
from tasks.each_town import SomeFailed, failure

log = logging.getLogger(__name__)

Recurring = Callable[[Resources, datetime, list[str]], str]
"""
Does what is due by that moment and was not done; returns what it did, in Chinese, or "".

The list gets the towns in which it could not be done, in Chinese.
"""

RECURRING: dict[str, Recurring] = {
    "单位登记核对": tell_unserved,
    "到日暂停": lambda resources, at, _: change_rests.begin_due_rests(resources, at),
    "月度主题": theme_rounds.catch_up_themes,
    "每周活动检查": week_reports.catch_up_weeks,
    "例行联席会议": meeting_routine.catch_up,
    "年度考核": year_routine.catch_up,
}
"""By what the sweep calls it."""


def catch_up(resources: Resources, *, at: datetime, failures: list[str] | None = None) -> list[str]:
    """
    Do everything that recurs and is due; return what was done, in Chinese.

    A town in which something can not be done, or a duty that can not be done at all, stops no other.

    Args:
        failures: gets what could not be done, in Chinese; None: it is raised in the end.

    Raises:
        SomeFailed: something could not be done, and `failures` is None.
    """
    told, failed = [], list[str]()
    for duty, recurring in RECURRING.items():
        try:
            if line := recurring(resources, at, failed):
                told.append(line)
        except Exception as error:  # the other duties, and the letters that wait, must not wait for this one
            log.exception("%s can not be done", duty)
            failed.append(failure(duty, error))
    if failures is not None:
        failures += failed
    elif failed:
        raise SomeFailed("；".join(failed))
    return told
