"""
活动统计: by hand for any period, and by itself each month for the month before.

It only reads, so it has no mark to leave and nothing to catch up: a run that Prefect starts late, or that somebody
starts by hand, tells the same figures.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Literal

from prefect import flow, get_run_logger
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed
from pydantic import Field

from flows.forms import titled
from flows.once import attempted
from flows.step import failed
from policies.errors import BadPolicy, Refused
from rules.periods import shanghai_day
from rules.statistics import PeriodChoice, Span, chosen, in_percent
from runtime.resources import Resources, open_resources
from tasks.commands import Command, PlainText, may_stay_empty
from tasks.statistics import statistics, towns_with_sites
from tasks.statistics_figures import Statistics, Wanted
from tasks.statistics_page import as_markdown, summary
from tasks.statistics_report import Report, write_report

_BY_LENGTH = "按期间长短"


class StatisticsEntry(Command):
    """What is to be counted."""

    period: Literal["上月", "本月", "本季", "上季", "上半年", "全年", "上年", "自定"] = Field(
        default="上月", title="期间", description="没有结束的期间统计到今天;自定的须填写起始日和截止日"
    )
    first: date | None = Field(
        default=None, json_schema_extra=may_stay_empty, title="起始日", description="仅期间为“自定”时填写"
    )
    last: date | None = Field(
        default=None, json_schema_extra=may_stay_empty, title="截止日", description="仅期间为“自定”时填写,当日计入"
    )
    by: Literal["按期间长短", "周", "月", "季度", "半年", "年"] = Field(default="按期间长短", title="分段")
    town: PlainText = Field(
        default="", max_length=100, title="镇(街道)", description="编码或名称;留空统计有客堂间的每个镇(街道)"
    )
    village: PlainText = Field(default="", max_length=100, title="村(居)", description="编码或名称;留空为全部")
    category: PlainText = Field(default="", max_length=100, title="活动类别", description="名称;留空为全部")


@flow(name="activity-statistics", flow_run_name="活动统计 {wanted.period}")
def activity_statistics(wanted: StatisticsEntry = titled("统计")) -> State[Any]:
    """
    活动统计:活动场次和参加人次按时段、类别、村(居)、客堂间统计,对照建设目标,写出表格和网页.

    Args:
        wanted: 统计的期间和范围
    """
    with open_resources() as resources:
        at = resources.clock.now()
        outcome = attempted("统计并写出报告", lambda: make_reports(resources, wanted, at=at))
        if isinstance(outcome, (Refused, BadPolicy)):
            return failed(f"未办理:{outcome}")
        for figures, report in outcome:
            show(figures, report)
            get_run_logger().info("%s 报告文件:%s %s", summary(figures), report.book, report.page)
    told = [
        f"{each.period.now.text} {each.town}{each.village}{each.category}"
        f"{each.total.now.sessions}场、{each.total.now.attendance}人次"
        for each, _ in outcome
    ]
    return Completed(message="；".join(told) or "名册中还没有客堂间,没有可以统计的活动")


def make_reports(resources: Resources, wanted: StatisticsEntry, *, at: datetime) -> list[tuple[Statistics, Report]]:
    """
    Count what is wanted and write the files, for each town that is meant.

    Returns:
        Nothing when no town has parlours yet.

    Raises:
        Refused: see `rules.statistics.chosen` and `tasks.statistics.statistics`; no file was written.
    """
    choice = PeriodChoice.by_label(wanted.period) or PeriodChoice.CUSTOM
    period = chosen(choice, on=shanghai_day(at), first=wanted.first, last=wanted.last)
    towns: Sequence[str] = [wanted.town] if wanted.town or wanted.village else towns_with_sites(resources)
    counted = [
        statistics(
            resources,
            Wanted(
                period,
                town=town,
                village=wanted.village,
                category=wanted.category,
                by=None if wanted.by == _BY_LENGTH else Span.by_label(wanted.by),
            ),
            at=at,
        )
        for town in towns
    ]
    return [(figures, write_report(resources.settings, figures)) for figures in counted]


def show(figures: Statistics, report: Report) -> None:
    """Write what the UI shows: the report with its charts, and the villages as a table."""
    key = f"statistics-{figures.town_code.lower()}"
    create_markdown_artifact(
        key=key,
        markdown=as_markdown(figures, files=(str(report.book), str(report.page))),
        description=summary(figures),
    )
    create_table_artifact(
        key=f"{key}-villages",
        table=village_table(figures),
        description=f"{figures.town}{figures.period.now.text}各村(居)活动统计",
    )


def village_table(figures: Statistics) -> list[dict[str, Any]]:
    """Return a row per village, and one of them together."""
    rows = [
        {
            "村(居)": each.name,
            "活动场次": each.sums.now.sessions,
            "参加人次": each.sums.now.attendance,
            "期末运行": each.running,
            "期内无活动": each.idle,
            "月度主题": each.themes,
        }
        for each in figures.villages
    ]
    total = figures.total.now
    rows.append(
        {
            "村(居)": f"合计(建设目标完成{in_percent(figures.achieved)})" if figures.aimed else "合计",
            "活动场次": total.sessions,
            "参加人次": total.attendance,
            "期末运行": figures.running,
            "期内无活动": len(figures.idle),
            "月度主题": sum(each.themes for each in figures.villages),
        }
    )
    return rows
