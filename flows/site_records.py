"""
What people start by hand for a listed parlour: report themes, record activities, record what was published.

Each is one command, carried out once however often the run is tried. No case waits for it, so that none is woken.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed
from pydantic import Field

from flows.forms import titled
from flows.once import attempted
from flows.step import failed
from policies.errors import BadPolicy, Refused
from policies.vocabulary import Door
from runtime.resources import Resources, open_resources
from tasks import activities, publicity, themes
from tasks.call_sheets import sheet_key
from tasks.commands import Command
from tasks.life_commands import (
    ActivityEntry,
    ByKeeper,
    PublicityEntry,
    RecordActivities,
    RecordPublicity,
    ReportThemes,
    SheetField,
    ThemeEntry,
)
from tasks.life_sheets import (
    ACTIVITY_HEADS,
    PUBLICITY_HEADS,
    THEME_HEADS,
    read_activities,
    read_publicity,
    read_themes,
)

T = TypeVar("T")
SHEET = "资料文件夹(documents)内的 XLSX 或 CSV 文件名,不填表格就逐项填写;表头为 "


class ThemesForm(Command):
    """Themes, typed in or by a sheet."""

    by: ByKeeper
    themes: list[ThemeEntry] = Field(default_factory=list, title="主题")
    sheet: SheetField = Field(default="", title="主题表", description=SHEET + "、".join(THEME_HEADS))


class ActivitiesForm(Command):
    """Activities, typed in or by a sheet."""

    by: ByKeeper
    activities: list[ActivityEntry] = Field(default_factory=list, title="活动")
    sheet: SheetField = Field(default="", title="活动表", description=SHEET + "、".join(ACTIVITY_HEADS))


class PublicityForm(Command):
    """Publicity, typed in or by a sheet."""

    by: ByKeeper
    items: list[PublicityEntry] = Field(default_factory=list, title="报道")
    sheet: SheetField = Field(default="", title="报道表", description=SHEET + "、".join(PUBLICITY_HEADS))


@flow(name="report-themes", flow_run_name="登记月度主题")
def report_themes(entry: ThemesForm = titled("月度主题")) -> State[Any]:
    """
    登记月度主题:逐项填写,或由主题表批量登记;一处有误则全部不登记.该月开始以前可以更改.

    Args:
        entry: 主题内容
    """

    def act(resources: Resources, at: datetime) -> str:
        rows, listed = _entries(entry.themes, entry.sheet, lambda: read_themes(_folder(resources), entry.sheet))
        command = ReportThemes(by=entry.by, themes=listed)
        return _told(themes.submit_themes(resources, command, door=_door(rows), at=at, rows=rows))

    return _recorded("登记月度主题", act, ReportThemes)


@flow(name="record-activities", flow_run_name="登记活动")
def record_activities(entry: ActivitiesForm = titled("活动")) -> State[Any]:
    """
    登记活动:逐场填写,或由活动表批量登记;一处有误则全部不登记.补登的按实际举办日期计入当周.

    Args:
        entry: 活动内容
    """
    key = f"run:{flow_run.id}"

    def act(resources: Resources, at: datetime) -> str:
        rows, listed = _entries(entry.activities, entry.sheet, lambda: read_activities(_folder(resources), entry.sheet))
        command = RecordActivities(by=entry.by, activities=listed)
        named = sheet_key(_folder(resources), entry.sheet) if rows is not None else key
        return _told(activities.record_activities(resources, command, door=_door(rows), key=named, at=at, rows=rows))

    return _recorded("登记活动", act, RecordActivities)


@flow(name="record-publicity", flow_run_name="登记宣传报道")
def record_publicity(entry: PublicityForm = titled("宣传报道")) -> State[Any]:
    """
    登记宣传报道:在哪个渠道、何时、报道了哪些客堂间,逐项填写或由报道表批量登记.

    Args:
        entry: 报道内容
    """
    key = f"run:{flow_run.id}"

    def act(resources: Resources, at: datetime) -> str:
        rows, listed = _entries(entry.items, entry.sheet, lambda: read_publicity(_folder(resources), entry.sheet))
        command = RecordPublicity(by=entry.by, items=listed)
        named = sheet_key(_folder(resources), entry.sheet) if rows is not None else key
        return _told(publicity.record_publicity(resources, command, door=_door(rows), key=named, at=at, rows=rows))

    return _recorded("登记宣传报道", act, RecordPublicity)


def _folder(resources: Resources) -> Path:
    return resources.settings.documents_folder


def _door(rows: Sequence[int] | None) -> Door:
    return Door.FORM if rows is None else Door.SHEET


def _entries(
    typed: Sequence[T], sheet: str, read: Callable[[], Sequence[tuple[int, T]]]
) -> tuple[list[int] | None, list[T]]:
    """Return the rows and entries of the sheet, or no rows and what was typed in; Refused for both or neither."""
    if bool(sheet) == bool(typed):
        raise Refused("default", "请逐项填写,或填写表格的文件名,二者取一")
    if not sheet:
        return None, list(typed)
    found = read()
    return [row for row, _ in found], [entry for _, entry in found]


def _told(done: Sequence[object]) -> str:
    return f"共{len(done)}项:" + ";".join(map(str, done[:20])) + ("……" if len(done) > 20 else "")


def _recorded(name: str, act: Callable[[Resources, datetime], str], model: type[Command]) -> State[Any]:
    """Carry out a command, and end the run with what was done, or why not."""
    with open_resources() as resources:
        at = resources.clock.now()
        outcome = attempted(name, lambda: act(resources, at), model)
        if isinstance(outcome, (Refused, BadPolicy)):
            return failed(f"未办理:{outcome}")
        get_run_logger().info(outcome)
        return Completed(message=outcome)
