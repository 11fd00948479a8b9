"""
What people record of a listed parlour: its theme of a month, its activities, what was published about it.

As in `tasks.commands`: titles are Chinese because forms and the CLI show them, only form is judged here, and fields are
only ever added, with a default.
"""

import re
from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from policies.vocabulary import Role
from tasks.commands import Command, LongText, PersonField, PlainText

GREATEST = 2**31 - 1
"""The greatest number of a record that a database keeps."""
KEEPERS = (Role.VILLAGE_RESPONSIBLE, Role.LIAISON, Role.OFFICE_REVIEWER, Role.OFFICE_HEAD)
"""Who may record for a site beside its leader."""
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T]\d{1,2}:\d{2}(?::\d{2})?)?")
"""A day; a sheet may hold it with the time of day, which says no more."""
_MONTH = re.compile(r"(\d{4})[-/.年](\d{1,2})月?")
_CUT_SHORT = re.compile(r"\d{4}\.1")
"""What a spreadsheet makes of ``2026.10``, too."""


def _day(value: Any) -> Any:
    """Read a day as people and spreadsheets write it."""
    if not isinstance(value, str):
        return value
    if (found := _DAY.fullmatch(value.strip())) is None:
        # Digits alone would be taken for seconds since 1970.
        raise ValueError("不是日期,请写作 2026-03-05")
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError as error:
        raise ValueError("没有这一天,请写作 2026-03-05") from error


def _month(value: Any) -> date:
    """Read a month as people and spreadsheets write it; a day of it will do."""
    if isinstance(value, date):
        return date(value.year, value.month, 1)
    text = str(value).strip()
    found = _MONTH.fullmatch(text) or _DAY.fullmatch(text)
    if found is not None and _CUT_SHORT.fullmatch(text):
        raise ValueError(f"“{text}”可能是1月,也可能是被表格截短的10月,请写作 {found[1]}-01 或 {found[1]}-10")
    if found is None or not 1 <= int(found[2]) <= 12 or not 1900 <= int(found[1]) <= 9998:
        raise ValueError("不是一个月份,请写作 2026-03")
    return date(int(found[1]), int(found[2]), 1)


DayField = Annotated[date, BeforeValidator(_day)]
MonthField = Annotated[
    date,
    BeforeValidator(_month),
    WithJsonSchema({"type": "string", "pattern": r"^\d{4}-\d{1,2}$"}),
    PlainSerializer(lambda month: f"{month:%Y-%m}", return_type=str),
]
"""The first day of a month; people write ``2026-03``."""
SiteField = Annotated[
    PlainText,
    Field(min_length=1, max_length=60, title="客堂间编号", description="名册中的编号,例如 KT-2026-0001-S,或其户号"),
]
ByKeeper = Annotated[
    PersonField, Field(title="经办人", description="客堂间负责人、村(居)责任人、联络员或社区办的人员编号或姓名")
]
SheetField = Annotated[PlainText, Field(max_length=300)]


class ThemeEntry(Command):
    """A site's theme for a month (D0-R12)."""

    site: SiteField
    month: MonthField = Field(title="月份", description="主题所属的月份,写作 2026-03")
    title: PlainText = Field(min_length=1, max_length=60, title="主题", description="例如 春耕农技讲堂")
    plan: LongText = Field(default="", max_length=2000, title="计划", description="拟开展的活动,可以不填")


class ReportThemes(Command):
    """Themes are reported: all of them, or none when one is faulty (D0-R12)."""

    by: ByKeeper
    themes: list[ThemeEntry] = Field(min_length=1, title="主题")


class ActivityEntry(Command):
    """An activity that was held at a site (D0-R4, D0-R13)."""

    site: SiteField
    held_on: DayField = Field(title="活动日期", description="实际举办的日期,不是登记的日期;写作 2026-03-05")
    category: PlainText = Field(min_length=1, max_length=100, title="类别", description="政策列出的活动类别之一")
    title: PlainText = Field(min_length=1, max_length=60, title="活动名称", description="例如 元宵灯谜会")
    attendance: Annotated[int, Field(ge=0, le=100_000)] = Field(title="参加人数", description="单位:人")
    organiser: PlainText = Field(default="", max_length=60, title="组织者", description="不填就是客堂间负责人")
    summary: LongText = Field(default="", max_length=2000, title="活动简述")
    photo: PlainText = Field(
        default="",
        max_length=300,
        title="照片或材料",
        description="资料文件夹(documents)内的文件名,例如 KT-2026-0001/灯谜会.jpg",
    )


class RecordActivities(Command):
    """Activities are recorded: all of them, or none when one is faulty (D0-R13)."""

    by: ByKeeper
    activities: list[ActivityEntry] = Field(min_length=1, title="活动")


class VoidActivity(Command):
    """An activity was recorded by mistake: it stays on record and counts no more."""

    by: ByKeeper
    activity: int = Field(ge=1, le=GREATEST, title="活动登记号", description="登记时给出,ketang activity list 可以查到")
    reason: PlainText = Field(min_length=1, max_length=200, title="作废理由")


class PublicityEntry(Command):
    """Something was published about sites (D0-R16)."""

    channel: PlainText = Field(min_length=1, max_length=100, title="宣传渠道", description="政策列出的渠道之一")
    published_on: DayField = Field(title="刊发日期", description="写作 2026-03-05")
    title: PlainText = Field(min_length=1, max_length=100, title="标题")
    reference: PlainText = Field(
        default="", max_length=300, title="出处", description="网址,或刊期和版面,或资料文件夹内的文件名"
    )
    sites: list[SiteField] = Field(min_length=1, title="客堂间", description="报道涉及的客堂间编号,逐个填写")


class RecordPublicity(Command):
    """Publicity is recorded: all items, or none when one is faulty (D0-R16)."""

    by: ByKeeper
    items: list[PublicityEntry] = Field(min_length=1, title="报道")


class VoidPublicity(Command):
    """An item of publicity was recorded by mistake: it stays on record and counts no more."""

    by: ByKeeper
    item: int = Field(ge=1, le=GREATEST, title="报道登记号", description="登记时给出,ketang publicity list 可以查到")
    reason: PlainText = Field(min_length=1, max_length=200, title="作废理由")
