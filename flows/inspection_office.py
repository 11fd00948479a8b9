"""
What administrators start by hand for inspections: a campaign, and visits that were made, one by one or by a sheet.

Each is carried out once however often the run is tried (the run's id is the key, and a gate is decided once).
"""

from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any

from prefect import flow, get_run_logger
from prefect.artifacts import create_table_artifact
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed
from pydantic import Field

from flows.bulk import show_all
from flows.forms import titled
from flows.once import once
from flows.procedures import PROCEDURES
from flows.step import as_task, failed
from flows.waking import wake
from policies.errors import Refused, Temporary
from policies.vocabulary import Door
from runtime.resources import Resources, open_resources
from tasks import campaigns
from tasks.campaign_figures import inspections_named
from tasks.commands import Command, PlainText
from tasks.drivers import BulkReport, carry_in_bulk
from tasks.inspection_commands import ByOffice, OpenCampaign, RecordVisit
from tasks.inspection_sheets import read_visits
from tasks.inspection_visits import record_visit


class VisitSheet(Command):
    """A sheet of visits of one campaign."""

    campaign: PlainText = Field(min_length=1, max_length=20, title="督查编号", description="例如 KTDC-2026-0001")
    by: ByOffice = Field(title="经办人", description="表中未写经办人的各行由其登记;拟撤牌的行须写社区办负责人")
    sheet: PlainText = Field(
        min_length=1,
        max_length=300,
        title="督查表",
        description="资料文件夹内的文件名(XLSX、CSV);表头 案件编号或客堂间、检查日期、检查人、各检查点、结论等",
    )


class VisitsEntry(Command):
    """Visits, one or many."""

    visit: list[RecordVisit] = Field(
        default_factory=list, max_length=1, title="一处的检查", description="逐处登记时填写一项"
    )
    sheet: list[VisitSheet] = Field(
        default_factory=list, max_length=1, title="督查表", description="批量登记时填写一项,一次运行登记各处"
    )


@flow(name="open-campaign", flow_run_name="督查 {campaign.title}")
def open_campaign(campaign: OpenCampaign = titled("督查")) -> State[Any]:
    """
    开展督查:写明范围(全部、按村居、随机抽查、指定)和日期,为每处客堂间立案,并通知负责人和村(居).

    Args:
        campaign: 督查内容
    """

    def act(resources: Resources, at: datetime) -> tuple[str, str]:
        number = campaigns.open_campaign(resources, campaign, door=Door.FORM, key=f"run:{flow_run.id}", at=at)
        inspections = inspections_named(resources, number)
        for each in inspections:
            # What Prefect does not start now, the sweep does.
            with suppress(Temporary):
                wake(resources, each, at=at)
        return number, f"已开展督查,受督查{len(inspections)}处:{inspections[0]}至{inspections[-1]}"

    return once("开展督查", act, OpenCampaign)


@flow(name="record-visits", flow_run_name="登记督查")
def record_visits(entry: VisitsEntry = titled("督查登记")) -> State[Any]:
    """
    登记督查:一处一处填写,或按督查表逐行登记;有误的行单独列出,不影响其他行.

    Args:
        entry: 一处的检查,或督查表
    """
    if bool(entry.visit) == bool(entry.sheet):
        return failed("未办理:请填写一处的检查,或填写一份督查表,二者取一")
    if not entry.sheet:
        visit = entry.visit[0]

        def act(resources: Resources, at: datetime) -> tuple[str, str]:
            decision = record_visit(resources, visit, door=Door.FORM, at=at)
            return visit.case, f"已登记检查,结论为“{decision.verdict.label}”"

        return once("登记检查", act, RecordVisit)
    return _by_sheet(entry.sheet[0])


def _by_sheet(entry: VisitSheet) -> State[Any]:
    with open_resources() as resources:
        at = resources.clock.now()

        def attempt() -> BulkReport | Refused:
            try:
                return record_sheet(resources, entry, at=at)
            except Refused as refusal:
                return refusal

        report = as_task(attempt, name="逐行登记检查")
        if isinstance(report, Refused):
            return failed(f"未办理:{report}")
        as_task(lambda: show_all(resources, report, at=at), name="更新各案件页面")
    refused = [{"行": row, "未登记的原因": reason} for row, reason in report.refused]
    message = f"已登记{report.done}处,未登记{len(refused)}行"
    get_run_logger().info(message)
    if refused:
        create_table_artifact(key="visits-refused", table=refused, description=f"{entry.sheet} 未登记的行")
        return failed(f"{message}:" + ";".join(f"{each['行']} {each['未登记的原因']}" for each in refused[:20]))
    return Completed(message=message)


def record_sheet(resources: Resources, entry: VisitSheet, *, at: datetime) -> BulkReport:
    """Record every visit of a sheet and carry the cases on; Refused when the sheet itself is faulty."""
    rows = read_visits(resources, entry.campaign, resources.settings.documents_folder, entry.sheet, by=entry.by)
    acts = [(f"第{number}行", case, partial(_record, resources, visit, at)) for number, case, visit in rows]
    return carry_in_bulk(resources, acts, PROCEDURES, at=at)


def _record(resources: Resources, visit: RecordVisit | Refused, at: datetime) -> object:
    if isinstance(visit, Refused):
        raise visit
    return record_visit(resources, visit, door=Door.SHEET, at=at)
