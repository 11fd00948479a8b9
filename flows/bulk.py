"""The bulk driver's run: one sheet of decisions, one Prefect run, however many cases."""

from datetime import datetime
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from pydantic import Field

from flows.by_sheet import Words, by_sheet, take
from flows.forms import titled
from policies.vocabulary import Door
from runtime.resources import Resources
from tasks.cases import Asked
from tasks.commands import Command, Decide, PlainText
from tasks.decision_sheets import bound_decisions
from tasks.decisions import decide
from tasks.drivers import BulkReport
from tasks.sheet_rows import BoundSheet

WORDS = Words(
    step="逐行登记决定",
    done="已办理{}行",
    before="此前已办理{}行",
    refused="未办理{}行",
    why="未办理的原因",
    key="bulk",
)


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
    批量办理:按一张表逐行作出决定;有误的行单独列出,不影响其他行.同一份表再提交一次,已办理的行不重复办理.

    Args:
        entry: 决定表
    """
    return by_sheet(lambda resources, at: read_sheet(resources, entry.sheet, at=at), WORDS)


def decide_sheet(resources: Resources, sheet: str, *, at: datetime) -> BulkReport:
    """Take every decision of a sheet and carry the cases on; Refused when the sheet itself is faulty."""
    return take(resources, read_sheet(resources, sheet, at=at), step=WORDS.step, at=at)


def read_sheet(resources: Resources, sheet: str, *, at: datetime) -> BoundSheet:
    """Read a sheet of decisions and bind its rows; Refused when the sheet itself is faulty."""

    def take_decision(command: Decide, asked: Asked) -> object:
        return decide(resources, command, door=Door.SHEET, at=at, asked=asked)

    return bound_decisions(resources, resources.settings.documents_folder, sheet, decide=take_decision, at=at)
