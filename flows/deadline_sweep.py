"""The sweep: what time does, on a schedule: reminders, escalations, lapses, lost wakes, letters that wait."""

from datetime import datetime
from typing import Any

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State

from flows.scheduling import A_DAY, schedule_close_outs
from flows.sending import post, publish
from flows.step import Parts, as_task, ended
from flows.waking import Woken, wake_all
from runtime.resources import Resources, open_resources
from tasks.catching_up import catch_up
from tasks.deadlines import SweepCounts, beat, fire_due, recompute_provisional
from tasks.notice_changes import follow_calendar
from tasks.procedure import Perform, directly
from tasks.year_end import report_shortfalls


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
    parts = Parts(perform, failures)
    recomputed = parts.do(lambda: recompute_provisional(resources, at=at), name="重算暂定期限", otherwise=0)
    recomputed += parts.do(lambda: follow_calendar(resources, at=at), name="公示末日顺延", otherwise=0)
    counts = parts.do(lambda: fire_due(resources, at=at), name="提醒、督办、期满", otherwise=SweepCounts())
    counts.recomputed += recomputed
    told = [f"提醒{counts.reminders}件,督办{counts.escalations}件,期满{counts.lapses}件,重算{counts.recomputed}件"]
    # One list from here on: what recurs and the waking of cases tell it what failed, too.
    failures += counts.failures
    counts.failures = failures
    short = parts.do(lambda: report_shortfalls(resources, at=at, failures=failures), name="年度建设数量", otherwise=0)
    if short:
        told.append(f"上年度建设未达标的村(居){short}个,已报社区办")
    told += parts.do(lambda: catch_up(resources, at=at, failures=failures), name="例行事项补办", otherwise=[])
    told += post(resources, parts, at=at)
    told += publish(resources, parts)
    told += parts.do(lambda: _wake(resources, at=at, failures=failures), name="续办案件", otherwise=[])
    beat(resources, started_at=at, finished_at=resources.clock.now(), counts=counts)
    return counts, told


def _wake(resources: Resources, *, at: datetime, failures: list[str]) -> list[str]:
    woken = wake_all(resources, at=at, failures=failures)
    schedule_close_outs(resources, at=at, within=A_DAY)
    return [f"唤醒{woken[Woken.RESUMED]}件,新启动{woken[Woken.STARTED] + woken[Woken.REPLACED]}件"]


def sweep_directly(resources: Resources) -> tuple[SweepCounts, list[str]]:
    """Sweep outside any Prefect run: from the command line."""
    return sweep_once(resources, directly)
