"""
The weekly activities (D0-R4, D0-R13): on Mondays, weeks without them are told to leaders and villages, and shown.

A Monday that was missed is made up for by the sweep.
"""

from datetime import date, datetime
from typing import Any

from prefect import flow, get_run_logger
from prefect.artifacts import create_table_artifact
from prefect.client.schemas.objects import State

from flows.artifacts import key_of
from flows.step import as_task, ended
from models.registry import Unit
from policies.life_scheme import WeeklyActivities
from rules.duty import WEEK, monday_of, spoken_week
from rules.periods import shanghai_day
from runtime.resources import Resources, open_resources
from tasks.each_town import serve_each
from tasks.living import Town, towns_named
from tasks.week_reports import WeekLine, report_weeks, week_of


@flow(name="weekly-activities", flow_run_name="每周活动检查")
def weekly_activities() -> State[Any]:
    """每周活动检查:每周一清点上一周的活动,没有达到规定次数的告知负责人并通报村(居),列出各镇活动表.可随时手工运行."""
    with open_resources() as resources:
        at = resources.clock.now()
        failures: list[str] = []
        done = as_task(lambda: report_weeks(resources, at=at, failures=failures), name="清点并通报")
        for line in done:
            get_run_logger().info("%s", line)
        standing = as_task(lambda: _show(resources, at=at, failures=failures), name="每周活动表")
    told = "；".join(map(str, done)) or "上一周已经通报,或没有须通报的客堂间"
    return ended("。".join([told, *standing]), failures)


def _show(resources: Resources, *, at: datetime, failures: list[str]) -> list[str]:
    """
    Write the table of every town of the week before; return how each stands, in Chinese.

    Args:
        failures: gets the towns whose table can not be written, in Chinese; they keep no other from its own.
    """
    today = shanghai_day(at)
    monday = monday_of(today) - WEEK

    def show(town: Town) -> list[str]:
        if (policy := town.scheme.weekly_activities) is None:
            return []
        with resources.database.read() as session:
            lines = week_of(session, town.unit, monday)
        return [_table(town.unit, policy, monday, lines)] if lines else []

    with resources.database.read() as session:
        asked = towns_named(resources, session, on=today)
    told = serve_each("每周活动表", asked, show, failures=failures, again="下次运行再列出")
    return [each for lines in told for each in lines]


def _table(unit: Unit, policy: WeeklyActivities, monday: date, lines: list[WeekLine]) -> str:
    short = sum(1 for line in lines if line.recorded < policy.at_least)
    create_table_artifact(
        key=key_of(f"week-{unit.code}-{monday}"),
        table=[
            {
                "村(居)": line.owed.village,
                "村民小组": line.owed.group,
                "客堂间": line.owed.number,
                "负责人": line.owed.leader,
                "已记录活动": line.recorded,
                "状态": "达到" if line.recorded >= policy.at_least else "未达到",
            }
            for line in lines
        ],
        description=f"{unit.name}{spoken_week(monday)}活动:{len(lines)}个客堂间,{short}个没有达到每周{policy.at_least}次",
    )
    return f"{unit.name}{spoken_week(monday)}:{len(lines)}个客堂间中{short}个没有达到每周{policy.at_least}次"
