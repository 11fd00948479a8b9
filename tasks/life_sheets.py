"""Sheets of a parlour's life that people fill in by hand: themes (主题表), activities (活动表), publicity (报道表)."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from policies.errors import Refused
from tasks.commands import Command
from tasks.faults import refusal_of
from tasks.life_commands import ActivityEntry, PublicityEntry, ThemeEntry
from tasks.sheets import rows_of

C = TypeVar("C", bound=Command)

_BETWEEN = re.compile(r"[、,;\uff0c\uff1b\n]|\s+(?=[A-Z]{2,}-\d)")
"""Between two sites in one cell; what follows a site's number after a space may also be its place, as lists show it."""

THEME_HEADS = {"客堂间编号": "site", "月份": "month", "主题": "title", "计划": "plan"}
ACTIVITY_HEADS = {
    "客堂间编号": "site",
    "活动日期": "held_on",
    "类别": "category",
    "活动名称": "title",
    "参加人数": "attendance",
    "组织者": "organiser",
    "活动简述": "summary",
    "照片或材料": "photo",
}
PUBLICITY_HEADS = {
    "宣传渠道": "channel",
    "刊发日期": "published_on",
    "标题": "title",
    "出处": "reference",
    "客堂间": "sites",
}


def read_themes(folder: Path, name: str) -> list[tuple[int, ThemeEntry]]:
    """
    Read themes from a sheet below `folder`; its heads are those of `THEME_HEADS`, 计划 may be missing.

    Returns:
        The number of the row and its theme.

    Raises:
        Refused: no such file, a head is missing, or rows are faulty; every fault is named by row and column.
    """
    return _read(folder, name, THEME_HEADS, ThemeEntry, optional=("计划",))


def read_activities(folder: Path, name: str) -> list[tuple[int, ActivityEntry]]:
    """
    Read activities from a sheet below `folder`; its heads are those of `ACTIVITY_HEADS`, the last three may be missing.

    Returns:
        The number of the row and its activity.

    Raises:
        Refused: as `read_themes`.
    """
    return _read(folder, name, ACTIVITY_HEADS, ActivityEntry, optional=("组织者", "活动简述", "照片或材料"))


def read_publicity(folder: Path, name: str) -> list[tuple[int, PublicityEntry]]:
    """
    Read publicity from a sheet below `folder`; its heads are those of `PUBLICITY_HEADS`.

    Several sites in a cell are divided by 、 or another mark, or stand each in its own line.

    Returns:
        The number of the row and its item.

    Raises:
        Refused: as `read_themes`.
    """

    def fields(cells: dict[str, object]) -> dict[str, object]:
        listed = _BETWEEN.split(str(cells["sites"]))
        return cells | {"sites": [each.strip() for each in listed if each.strip()]}

    return _read(folder, name, PUBLICITY_HEADS, PublicityEntry, optional=("出处",), fields=fields)


def _read(
    folder: Path,
    name: str,
    heads: Mapping[str, str],
    model: type[C],
    *,
    optional: tuple[str, ...],
    fields: Callable[[dict[str, object]], dict[str, object]] = lambda cells: cells,
) -> list[tuple[int, C]]:
    read, faults = list[tuple[int, C]](), list[str]()
    for number, cells in rows_of(folder, name, tuple(heads), optional):
        # An empty cell of a number is a missing one; its fault then names the column, not a wrong text.
        values: dict[str, object] = {heads[head]: text for head, text in cells.items() if text or head in optional}
        try:
            read.append((number, model.model_validate(fields({"sites": ""} | values) if "客堂间" in heads else values)))
        except ValidationError as error:
            faults.append(f"第{number}行:{refusal_of(error, model).reason}")
    if faults:
        raise Refused("表格填写要求", f"表格“{name}”有{len(faults)}行有误,均未登记:{';'.join(faults)}")
    if not read:
        raise Refused("表格填写要求", f"表格“{name}”没有任何内容")
    return read
