"""
The run that is there when a period ends: at the end of the last day it does what is due, at once.

Scheduled by `flows.scheduling`; the sweep stands behind it. It carries the cases on by itself, because a thousand
notices that end together would wait long for a thousand runs; their suspended runs are brought up to date afterwards.
"""

import logging
from datetime import datetime, timedelta
from time import sleep
from typing import Any

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.forms import titled
from flows.procedures import PROCEDURES
from flows.sending import post, publish
from flows.showing import show_all
from flows.step import Parts, as_task, failed
from rules.periods import SHANGHAI
from runtime.resources import Resources, open_resources
from tasks.asks import UnreadableRun, runs_behind
from tasks.deadlines import SweepCounts, fire_due
from tasks.drivers import Bulk, BulkReport
from tasks.notice_changes import follow_calendar
from tasks.procedure import Perform, directly

EARLY = timedelta(minutes=1)
"""A worker may start a run a little before its time."""
MOST = 5000

log = logging.getLogger(__name__)


@flow(name="close-out", flow_run_name="到期结办 {moment}")
def close_out(moment: str = titled("到期时刻")) -> State[Any]:
    """
    到期结办:公示期、征集期等期满之时由系统自动运行,办理到期的事项;可随时手工运行,没有到期的就不做任何事.

    Args:
        moment: 例如 2026-03-07 00:00;是否到期以系统时间为准
    """
    with open_resources() as resources:
        _wait_for(resources, moment)
        told, failures = close_all(resources, as_task, at=resources.clock.now())
    message = "；".join(told)
    get_run_logger().info(message)
    if failures:
        return failed(f"{message};以下处理失败,由期限巡检继续:{'；'.join(failures)}")
    return Completed(message=message)


def close_all(resources: Resources, perform: Perform = directly, *, at: datetime) -> tuple[list[str], list[str]]:
    """
    Do what is due, deliver the letters, and bring the suspended runs up to date; the sweep makes up for what fails.

    Returns:
        What was done and what failed, in Chinese.
    """
    counts, report, told = close_due(resources, perform, at=at)
    # Before the runs, which people look at later: a run that can not be shown holds no letter back.
    parts = Parts(perform, counts.failures)
    told += post(resources, parts, at=at)
    parts.do(lambda: show_all(resources, report, at=at), name="更新各案件页面", otherwise=None)
    return told, parts.failures


def close_due(
    resources: Resources, perform: Perform = directly, *, at: datetime
) -> tuple[SweepCounts, BulkReport, list[str]]:
    """
    Do what is due, carry on the cases that it decided, and bring the pages of notices up to date.

    Safe to repeat, and to run beside the sweep, because each timer is taken once and a case is closed once.

    Returns:
        The counts, where the carried cases stand, and what was done, in Chinese.
    """
    parts = Parts(perform, [])
    recomputed = parts.do(lambda: follow_calendar(resources, at=at), name="公示末日顺延", otherwise=0)
    counts = parts.do(lambda: fire_due(resources, at=at), name="提醒、督办、期满", otherwise=SweepCounts())
    counts.recomputed += recomputed
    parts.failures += counts.failures
    counts.failures = parts.failures
    told = [f"提醒{counts.reminders}件,督办{counts.escalations}件,期满{counts.lapses}件"]
    report = parts.do(lambda: carry_behind(resources, counts, at=at), name="续办到期案件", otherwise=BulkReport())
    told.append(f"续办{len(report.carried)}件")
    told += publish(resources, parts)
    return counts, report, told


def carry_behind(resources: Resources, counts: SweepCounts, *, at: datetime) -> BulkReport:
    """Carry every case that a decision moved and no pass has seen yet; one that breaks does not stop the others."""
    found = runs_behind(resources, limit=MOST, to_carry=True)
    counts.failures += [str(run) for run in found if isinstance(run, UnreadableRun)]
    bulk = Bulk(resources, (), PROCEDURES, at=at)
    bulk.take_up([run.number for run in found if not isinstance(run, UnreadableRun)])
    try:
        bulk.carry()
    finally:
        counts.failures += bulk.report.failures
    return bulk.report


def _wait_for(resources: Resources, moment: str) -> None:
    """Wait until the moment has come, if it is about to; a moment that can not be read is now."""
    try:
        when = datetime.strptime(moment.strip(), "%Y-%m-%d %H:%M").replace(tzinfo=SHANGHAI)
    except ValueError:
        return
    left = when - resources.clock.now()
    if timedelta() < left <= EARLY:
        sleep(left.total_seconds())
