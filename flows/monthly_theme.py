"""
The monthly theme (D0-R4, D0-R12): on schedule, who owes one is asked, reminded and reported; and who has one is shown.

The day does what falls due on it by the edition; a day that was missed is made up for by the sweep.
"""

from datetime import date, datetime
from typing import Any

from prefect import flow, get_run_logger
from prefect.artifacts import create_table_artifact
from prefect.client.schemas.objects import State

from flows.artifacts import key_of
from flows.step import as_task, ended
from models.registry import Unit
from rules.duty import spoken_month
from rules.periods import shanghai_day
from runtime.resources import Resources, open_resources
from tasks.each_town import serve_each
from tasks.living import Town, towns_named
from tasks.theme_rounds import ask_for_themes
from tasks.themes import ThemeLine, months_running, themes_of


@flow(name="monthly-theme", flow_run_name="月度主题")
def monthly_theme() -> State[Any]:
    """月度主题:按政策规定的日子通知、提醒各客堂间负责人,逾期报村(居)督办,并列出各镇每月主题表.可随时手工运行."""
    with open_resources() as resources:
        at = resources.clock.now()
        failures: list[str] = []
        done = as_task(lambda: ask_for_themes(resources, at=at, failures=failures), name="通知、提醒、督办")
        for line in done:
            get_run_logger().info("%s", line)
        standing = as_task(lambda: _show(resources, at=at, failures=failures), name="月度主题表")
    told = "；".join(map(str, done)) or "今日没有要通知、提醒或督办的主题"
    return ended("。".join([told, *standing]), failures)


def _show(resources: Resources, *, at: datetime, failures: list[str]) -> list[str]:
    """
    Write the table of every town and every month that is being asked for; return how each stands, in Chinese.

    Args:
        failures: gets the towns whose table can not be written, in Chinese; they keep no other from its own.
    """
    today = shanghai_day(at)

    def show(town: Town) -> list[str]:
        if (policy := town.scheme.monthly_theme) is None:
            return []
        with resources.database.read() as session:
            months = [
                (month, themes_of(session, town.unit, month, policy)) for month in months_running(policy, on=today)
            ]
        return [_table(town.unit, month, lines) for month, lines in months if lines]

    with resources.database.read() as session:
        asked = towns_named(resources, session, on=today)
    told = serve_each("月度主题表", asked, show, failures=failures, again="下次运行再列出")
    return [each for lines in told for each in lines]


def _table(unit: Unit, month: date, lines: list[ThemeLine]) -> str:
    have = sum(1 for line in lines if line.theme)
    standing = f"已报{have}个,未报{len(lines) - have}个"
    create_table_artifact(
        key=key_of(f"theme-{unit.code}-{month:%Y-%m}"),
        table=[
            {
                "村(居)": line.owed.village,
                "村民小组": line.owed.group,
                "客堂间": line.owed.number,
                "负责人": line.owed.leader,
                "状态": line.standing,
                "主题": line.theme,
                "报送日期": str(line.reported_on or ""),
            }
            for line in lines
        ],
        description=f"{unit.name}{spoken_month(month)}月度主题:{len(lines)}个客堂间,{standing}",
    )
    return f"{unit.name}{spoken_month(month)}:{standing}"
