"""The sweep: what time does, on a schedule: reminders, escalations, lapses, lost wakes, letters that wait."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State

from flows.scheduling import A_DAY, schedule_close_outs
from flows.step import as_task, ended
from flows.waking import Woken, wake_all
from policies.errors import Temporary
from runtime.resources import Resources, open_resources
from tasks.catching_up import catch_up
from tasks.deadlines import SweepCounts, beat, fire_due, recompute_provisional
from tasks.each_town import failure
from tasks.notice_changes import follow_calendar
from tasks.notice_pages import pages_wait, write_pages
from tasks.post import post_letters
from tasks.procedure import Perform, directly
from tasks.year_end import report_shortfalls

R = TypeVar("R")
log = logging.getLogger(__name__)


@flow(name="deadline-sweep", flow_run_name="期限巡检")
def deadline_sweep() -> State[Any]:
    """期限巡检:到期提醒、逾期督办、期限届满、未送达信函重寄、案件续办,每五分钟一次,可随时手工运行."""
    with open_resources() as resources:
        counts, told = sweep_once(resources)
        for line in told:
            get_run_logger().info(line)
    return ended("；".join(told), counts.failures)


def sweep_once(resources: Resources, perform: Perform = as_task) -> tuple[SweepCounts, list[str]]:
    """
    Do everything that is due now.

    Safe to repeat, and to run twice at once: every part takes what it does by a conditional UPDATE. A part that breaks
    is told among the failures, and keeps no other waiting. What depends on another part looks after itself: nothing
    lapses on a day that could not be recomputed (`tasks.deadlines`).

    Args:
        perform: how each part is carried out: as a Prefect task, or directly from the command line.

    Returns:
        The counts, and what was done, in Chinese, part by part.
    """
    at, failures = resources.clock.now(), list[str]()

    def tried(part: Callable[[], R], *, name: str, otherwise: R) -> R:
        return _tried(perform, part, name=name, otherwise=otherwise, failures=failures)

    recomputed = tried(lambda: recompute_provisional(resources, at=at), name="重算暂定期限", otherwise=0)
    recomputed += tried(lambda: follow_calendar(resources, at=at), name="公示末日顺延", otherwise=0)
    counts = tried(lambda: fire_due(resources, at=at), name="提醒、督办、期满", otherwise=SweepCounts())
    counts.recomputed += recomputed
    told = [f"提醒{counts.reminders}件,督办{counts.escalations}件,期满{counts.lapses}件,重算{counts.recomputed}件"]
    # One list from here on: what recurs and the waking of cases tell it what failed, too.
    failures += counts.failures
    counts.failures = failures
    if short := tried(lambda: report_shortfalls(resources, at=at, failures=failures), name="年度建设数量", otherwise=0):
        told.append(f"上年度建设未达标的村(居){short}个,已报社区办")
    told += tried(lambda: catch_up(resources, at=at, failures=failures), name="例行事项补办", otherwise=[])
    told += tried(lambda: _post(resources, at=at, failures=failures), name="寄出信函", otherwise=[])
    if _tried(directly, lambda: pages_wait(resources), name="查看公示页面", otherwise=True, failures=failures):
        told += tried(lambda: _write_pages(resources, failures=failures), name="更新公示页面", otherwise=[])
    told += tried(lambda: _wake(resources, at=at, failures=failures), name="续办案件", otherwise=[])
    beat(resources, started_at=at, finished_at=resources.clock.now(), counts=counts)
    return counts, told


def _post(resources: Resources, *, at: datetime, failures: list[str]) -> list[str]:
    report = post_letters(resources, at=at)
    failures += report.failures
    told = [f"寄出{report.sent}封,待重寄{report.retried}封,无法寄达{len(report.dead)}封"]
    return [*told, f"寄信中断:{report.trouble}"] if report.trouble else told


def _write_pages(resources: Resources, *, failures: list[str]) -> list[str]:
    pages = write_pages(resources)
    failures += pages.failures
    return [f"更新公示页面{pages.written}页"]


def _wake(resources: Resources, *, at: datetime, failures: list[str]) -> list[str]:
    woken = wake_all(resources, at=at, failures=failures)
    schedule_close_outs(resources, at=at, within=A_DAY)
    return [f"唤醒{woken[Woken.RESUMED]}件,新启动{woken[Woken.STARTED] + woken[Woken.REPLACED]}件"]


def _tried(perform: Perform, part: Callable[[], R], *, name: str, otherwise: R, failures: list[str]) -> R:
    """
    Carry out a part of the sweep; when it breaks, tell so, and return `otherwise`: no other part must wait for it.

    Raises:
        Exception: it could not be carried out at all, because Prefect is away.
    """
    broke = False

    def attempt() -> R:
        nonlocal broke
        broke = True
        done = part()
        broke = False
        return done

    try:
        return perform(attempt, name=name)
    except Temporary as delay:
        if not broke:
            raise
        failures.append(str(delay))
        return otherwise
    except Exception as error:
        if not broke:
            raise
        log.exception("%s can not be done", name)
        failures.append(failure(name, error))
        return otherwise


def sweep_directly(resources: Resources) -> tuple[SweepCounts, list[str]]:
    """Sweep outside any Prefect run: from the command line."""
    return sweep_once(resources, directly)
