"""The bulk driver's run: one sheet of decisions, one Prefect run, however many cases."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from prefect import flow, get_run_logger
from prefect.artifacts import create_table_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.states import Completed
from pydantic import Field

from flows.artifacts import show_progress
from flows.forms import titled
from flows.present import present
from flows.procedures import PROCEDURES
from flows.step import as_task, failed
from flows.waking import wake
from policies.errors import Refused, Temporary
from policies.vocabulary import Door
from runtime.resources import Resources, open_resources
from tasks.commands import Command, Decide, PlainText
from tasks.decisions import decide
from tasks.drivers import BulkReport, carry_in_bulk
from tasks.procedure import show_later
from tasks.sheets import read_decisions

log = logging.getLogger(__name__)

AT_ONCE = 3
"""Cases that are shown at a time."""


class BulkEntry(Command):
    """A sheet of decisions."""

    sheet: PlainText = Field(
        min_length=1,
        max_length=300,
        title="决定表",
        description="资料文件夹内的 XLSX 或 CSV 文件名,表头为 案件编号、办理人、决定、理由、已知悉的提示",
    )


@flow(name="decide-in-bulk", flow_run_name="批量办理 {entry.sheet}")
def decide_in_bulk(entry: BulkEntry = titled("决定表")) -> State[Any]:
    """
    批量办理:按一张表逐行作出决定;有误的行单独列出,不影响其他行.

    Args:
        entry: 决定表
    """
    with open_resources() as resources:
        at = resources.clock.now()
        try:
            report = as_task(lambda: decide_sheet(resources, entry.sheet, at=at), name="逐行登记决定")
        except Refused as refusal:
            return failed(f"未办理:{refusal}")
        as_task(lambda: show_all(resources, report, at=at), name="更新各案件页面")
    refused = [{"行": row, "未办理的原因": reason} for row, reason in report.refused]
    message = f"已办理{report.done}行,未办理{len(refused)}行"
    get_run_logger().info(message)
    if refused:
        create_table_artifact(key="bulk-refused", table=refused, description=f"{entry.sheet} 未办理的行")
        return failed(f"{message}:" + ";".join(f"{each['行']} {each['未办理的原因']}" for each in refused[:20]))
    return Completed(message=message)


def decide_sheet(resources: Resources, sheet: str, *, at: datetime) -> BulkReport:
    """Take every decision of a sheet and carry the cases on; Refused when the sheet itself is faulty."""
    rows = read_decisions(resources.settings.documents_folder, sheet)
    acts = [(f"第{number}行", command.case, partial(_decide, resources, command, at)) for number, command in rows]
    return carry_in_bulk(resources, acts, PROCEDURES, at=at)


def _decide(resources: Resources, command: Decide, at: datetime) -> object:
    return decide(resources, command, door=Door.SHEET, at=at)


def show_all(resources: Resources, report: BulkReport, *, at: datetime) -> None:
    """
    Bring the runs of the cases that were carried to where the cases are; one that can not be is woken.

    A few at a time, because the server and this process do half of the work each.
    """
    numbers = list(report.carried)
    parts = [part for part in (numbers[first::AT_ONCE] for first in range(AT_ONCE)) if part]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        shown = [pool.submit(copy_context().run, _show_part, resources, part, at) for part in parts]
    villages: dict[str, UUID] = {}
    for part in shown:
        told, to_wake = part.result()
        villages |= told
        for number in to_wake:
            try:
                wake(resources, number, at=at)
            except Temporary as delay:
                get_run_logger().warning("%s:%s", number, delay)
                show_later(resources, number)
    with get_client(sync_client=True) as client:
        # Once, however many of its cases were carried.
        for village, run in villages.items():
            show_progress(client, resources, village, run)


def _show_part(resources: Resources, numbers: Sequence[str], at: datetime) -> tuple[dict[str, UUID], list[str]]:
    """Show some of the cases; return a run of each village among them, and the cases that can not be shown."""
    villages: dict[str, UUID] = {}
    to_wake = []
    with get_client(sync_client=True) as client:
        for number in numbers:
            try:
                shown = present(client, resources, number, at=at)
            except Exception:  # one that can not be shown must not leave the others with forms of gates gone by
                log.exception("case %s can not be shown", number)
                shown = None
            if shown is None or shown.flow_run_id is None:
                to_wake.append(number)
            else:
                villages[shown.village_code] = UUID(shown.flow_run_id)
    return villages, to_wake
