"""
What administrators start by hand for services: the catalogue, and orders from it.

Each is one command, carried out once however often the run is tried (the run's id is the key), and a wake of the case.
"""

from datetime import date, datetime
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from pydantic import Field

from flows.forms import titled
from flows.once import once
from flows.service_tables import show_services
from flows.waking import wake_each
from policies.errors import Refused
from policies.vocabulary import Door
from runtime.resources import Resources
from tasks.commands import Command, LongText, PersonField, PlainText, may_stay_empty
from tasks.service_commands import PlaceOrder
from tasks.service_orders import import_orders, place_order
from tasks.service_sheets import ORDER_HEADS, read_orders
from tasks.services import HEADS, import_catalogue

SHEET = "资料文件夹内的 XLSX 或 CSV 文件名"


class CatalogueEntry(Command):
    """A catalogue to be brought in, or a look at the one that is there."""

    by: PersonField = Field(title="经办人", description="社区办审核员或负责人的人员编号或姓名")
    sheet: PlainText = Field(
        default="",
        max_length=300,
        title="服务目录",
        description=f"{SHEET},表头为 {'、'.join(HEADS)};留空则只更新目录和均衡情况的表格",
    )


class OrdersEntry(Command):
    """One order, or a sheet of them."""

    by: PersonField = Field(title="点单人", description="客堂间负责人;村(居)委会、社区办可以代为点单")
    site: PlainText = Field(
        default="", max_length=100, title="客堂间", description="名册中的编号或户号,例如 KT-2026-0001-S"
    )
    item: PlainText = Field(
        default="", max_length=100, title="服务项目", description="服务目录中的项目编码或名称,例如 YL01"
    )
    wished_on: date | None = Field(
        default=None, json_schema_extra=may_stay_empty, title="希望日期", description="须提前的天数由政策规定"
    )
    people: int = Field(default=0, ge=0, le=10_000, title="预计人数", description="单位:人")
    note: LongText = Field(default="", title="说明", description="例如 时段、对象、场地的要求;可以不填")
    sheet: PlainText = Field(
        default="", max_length=300, title="点单表", description=f"{SHEET},表头为 {'、'.join(ORDER_HEADS)}"
    )


@flow(name="service-catalogue", flow_run_name="服务目录 {entry.sheet}")
def service_catalogue(entry: CatalogueEntry = titled("服务目录")) -> State[Any]:
    """
    服务目录:由表格导入服务单位和项目,一处有误则全部不导入;停供或变更的项目不影响在办点单.

    Args:
        entry: 服务目录
    """

    def act(resources: Resources, at: datetime) -> tuple[str, str]:
        said = ""
        if entry.sheet:
            folder = resources.settings.documents_folder
            said = f"{import_catalogue(resources, folder, entry.sheet, by=entry.by, at=at)};"
        return "服务目录", said + show_services(resources, at=at)

    return once("服务目录", act, CatalogueEntry)


@flow(name="place-order", flow_run_name="服务点单 {entry.site}{entry.sheet}")
def order_service(entry: OrdersEntry = titled("点单")) -> State[Any]:
    """
    服务点单:客堂间按服务目录点单,逐张填写,或由点单表批量登记;一处有误则全部不登记.

    Args:
        entry: 点单内容
    """
    key = f"run:{flow_run.id}"

    def act(resources: Resources, at: datetime) -> tuple[str, str]:
        single = bool(entry.site or entry.item or entry.wished_on or entry.people or entry.note)
        if bool(entry.sheet) == single:
            raise Refused("default", "请填写一张点单,或填写点单表的文件名,二者取一")
        if not entry.sheet:
            fields = entry.model_dump(exclude={"sheet"}, exclude_none=True)
            number = place_order(resources, PlaceOrder.model_validate(fields), door=Door.FORM, key=key, at=at)
            return number, f"已点单,案件编号 {number}"
        rows = read_orders(resources.settings.documents_folder, entry.sheet)
        numbers = import_orders(resources, rows, by=entry.by, sheet=entry.sheet, key=key, at=at)
        wake_each(resources, numbers, at=at)
        return numbers[0], f"已登记{len(numbers)}张点单:{numbers[0]}至{numbers[-1]}"

    return once("服务点单", act, PlaceOrder)
