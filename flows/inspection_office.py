"""
What administrators start by hand for inspections: a campaign, and visits that were made, one by one or by a sheet.

Each is carried out once however often the run is tried (the run's id is the key, and a gate is decided once).
"""

from datetime import datetime
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from pydantic import Field

from flows.by_sheet import Words, by_sheet, take
from flows.forms import titled
from flows.once import once
from flows.step import failed
from flows.waking import wake_each
from policies.vocabulary import Door
from runtime.resources import Resources
from tasks import campaigns
from tasks.campaign_figures import inspections_named
from tasks.commands import Command, PlainText
from tasks.drivers import BulkReport
from tasks.inspection_commands import ByOffice, OpenCampaign, RecordVisit
from tasks.inspection_sheets import bound_visits
from tasks.inspection_visits import record_visit
from tasks.sheet_rows import BoundSheet

WORDS = Words(
    step="逐行登记检查",
    done="已登记{}处",
    before="此前已登记{}行",
    refused="未登记{}行",
    why="未登记的原因",
    key="visits",
)


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
        wake_each(resources, inspections, at=at)
        return number, f"已开展督查,受督查{len(inspections)}处:{inspections[0]}至{inspections[-1]}"

    return once("开展督查", act, OpenCampaign)


@flow(name="record-visits", flow_run_name="登记督查")
def record_visits(entry: VisitsEntry = titled("督查登记")) -> State[Any]:
    """
    登记督查:一处一处填写,或按督查表逐行登记;有误的行单独列出,不影响其他行.同一份表再提交一次,已登记的行不重复登记.

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
    sheet = entry.sheet[0]
    return by_sheet(lambda resources, at: _read_sheet(resources, sheet, at), WORDS)


def record_sheet(resources: Resources, entry: VisitSheet, *, at: datetime) -> BulkReport:
    """Record every visit of a sheet and carry the cases on; Refused when the sheet itself is faulty."""
    return take(resources, _read_sheet(resources, entry, at), step=WORDS.step, at=at)


def _read_sheet(resources: Resources, entry: VisitSheet, at: datetime) -> BoundSheet:
    folder = resources.settings.documents_folder
    return bound_visits(resources, entry.campaign, folder, entry.sheet, by=entry.by, at=at)
