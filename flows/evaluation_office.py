"""What opens the yearly evaluation: the day that the edition names, or an administrator by hand."""

from datetime import datetime
from typing import Annotated, Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from pydantic import Field

from flows.once import once
from flows.step import as_task, ended
from flows.waking import wake_each
from policies.vocabulary import Door
from runtime.resources import Resources, open_resources
from tasks.commands import Command, PlainText
from tasks.year_commands import OpenEvaluation
from tasks.year_evaluation import open_evaluation
from tasks.year_routine import open_due


class EvaluationEntry(Command):
    """Which year is evaluated; nothing filled in: what is due."""

    town: PlainText = Field(
        default="",
        max_length=60,
        title="镇(街道)",
        description="登记簿中的编码或名称;三项都不填就开启到期应开的上年度考核",
    )
    year: int = Field(default=0, ge=0, le=2200, title="考核年度", description="已经结束的年份,例如 2025")
    by: PlainText = Field(
        default="", max_length=120, title="经办人", description="社区办审核员或负责人的人员编号或姓名"
    )


NOTHING_FILLED_IN = EvaluationEntry()


@flow(name="annual-evaluation-opening", flow_run_name="年度考核")
def open_annual_evaluation(
    entry: Annotated[EvaluationEntry, Field(json_schema_extra={"title": "考核"})] = NOTHING_FILLED_IN,
) -> State[Any]:
    """
    年度考核:每年到政策规定的日期自动开启上年度的考核;也可以填写镇(街道)、年度和经办人,手工开启.

    Args:
        entry: 考核内容
    """
    if entry == NOTHING_FILLED_IN:
        return _open_what_is_due()

    def act(resources: Resources, at: datetime) -> tuple[str, str]:
        command = OpenEvaluation.model_validate(entry.model_dump())
        number = open_evaluation(resources, command, door=Door.FORM, key=f"run:{flow_run.id}", at=at)
        return number, f"已开启{command.year}年度考核,案件编号 {number}"

    return once("开启年度考核", act, OpenEvaluation)


def _open_what_is_due() -> State[Any]:
    with open_resources() as resources:
        at = resources.clock.now()
        failures: list[str] = []
        opened = as_task(lambda: open_due(resources, at=at, failures=failures), name="开启年度考核")
        wake_each(resources, opened, at=at)
    told = f"已开启年度考核:{'、'.join(opened)}" if opened else "没有到期应开的年度考核"
    return ended(told, failures)
