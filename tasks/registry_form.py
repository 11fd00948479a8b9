"""
What an office's registry looks like: four sheets, their Chinese heads, and how a fault in them is told.

Shared by reading, judging and writing a registry; does none of these.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from policies.errors import Refused
from policies.vocabulary import BeautifulVillage, Role, UnitKind
from rules.masking import mask_id, mask_phone, mask_text

CLAUSE = "登记簿格式"
UNITS, HOUSEHOLDS, PEOPLE, HOLDINGS = "镇村组", "农户", "人员", "职务"
EXAMPLE = "示例"
"""A row whose first cell begins so explains the sheet and is not read."""


@dataclass(frozen=True)
class Column:
    """One column of a sheet: its head, what is asked for, and how the column is kept in a workbook."""

    head: str
    note: str
    example: str = ""
    choices: tuple[str, ...] = ()
    width: int = 14
    is_text: bool = True
    mask: Callable[[str], str] = mask_text
    """What of a value may be shown to people and logs."""


def mask_email(address: str) -> str:
    """Return an address of which the first sign and the domain show."""
    local, at, domain = address.rpartition("@")
    return f"{local[:1]}***{at}{domain}" if at else mask_text(address)


_YES_NO = ("是", "否")
_PHONE = Column("手机", "11 位手机号,或带区号的固定电话;没有就留空。", "13800000000", width=16, mask=mask_phone)
_ID_NUMBER = Column("身份证号", "18 位身份证号,按文本填写;没有就留空。", "99999919700101001X", width=22, mask=mask_id)
_EMAIL = Column("电子邮箱", "收信用的邮箱;没有就留空。", "name@example.com", width=26)

SHEETS: Mapping[str, tuple[Column, ...]] = {
    UNITS: (
        Column("编码", "本单位的编码,字母和数字,全表不重复,启用后不再改。", EXAMPLE),
        Column("名称", "单位的全称。", "周荡村一组", width=20),
        Column("级别", "从下拉列表选。", UnitKind.GROUP.label, tuple(kind.label for kind in UnitKind)),
        Column("上级编码", "上一级单位的编码;区留空,镇(街道)没有登记区时也留空。", "ZD"),
        Column(
            "美丽乡村等级",
            "只填村(居)民小组的等级,其他留空。",
            BeautifulVillage.CITY.label,
            tuple(grade.label for grade in BeautifulVillage),
        ),
        Column("适用政策", "只填镇(街道):新申请适用的政策编号,如 example-2026;其他留空。", "", width=18),
    ),
    HOUSEHOLDS: (
        Column("户号", "登记簿上的户号,字母和数字,全表不重复,启用后不再改。", EXAMPLE),
        Column("小组编码", "所在村(居)民小组的编码。", "ZD01"),
        Column("户主姓名", "户主姓名。", "张三"),
        Column("地址", "门牌地址。", "周荡村一组1号", width=26),
        _PHONE,
        _ID_NUMBER,
        _EMAIL,
        Column("在册", "是或否。销户填“否”;从表中删去一行不等于销户。", "是", _YES_NO, width=8),
    ),
    PEOPLE: (
        Column("人员编号", "本单位给的编号,字母和数字,全表不重复,启用后不再改。", EXAMPLE),
        Column("姓名", "姓名。", "李四"),
        _PHONE,
        _ID_NUMBER,
        _EMAIL,
        Column("在职", "是或否。不再办事的人填“否”。", "是", _YES_NO, width=8),
    ),
    HOLDINGS: (
        Column("人员编号", "“人员”表中的编号。", EXAMPLE),
        Column("角色", "从下拉列表选。", Role.GROUP_HEAD.label, tuple(role.label for role in Role), width=20),
        Column("单位编码", "任职单位的编码;其级别须与角色相符。", "ZD01"),
        Column("任职日期", "开始任职的那一天,如 2026-01-05。", "2026-01-05", is_text=False),
        Column("离任日期", "不再任职的第一天;在任留空。从表中删去一行不等于离任。", "", is_text=False),
    ),
}


@dataclass(frozen=True)
class Fault:
    """One thing to correct, and where. `value` is masked already."""

    sheet: str
    row: int
    """As Excel counts, from 1; 0 for the sheet as a whole."""
    column: str
    place: str
    """Excel's name of the cell, e.g. ``E5``; empty for a whole row or sheet."""
    value: str
    problem: str

    def __str__(self) -> str:
        where = f"〔{self.sheet}〕"
        if self.row:
            where += f"第 {self.row} 行"
        if self.column:
            where += f"“{self.column}”"
        if self.place:
            where += f"({self.place})"
        return f"{where}:{self.problem}" + (f"(现值:{self.value})" if self.value else "")


class RegistryFaults(Refused):
    """
    A registry that can not be imported; nothing of it was.

    Args:
        faults: everything that is wrong, by sheet, row and column; at least one.
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        listed = "\n".join(f"{number}. {fault}" for number, fault in enumerate(faults, 1))
        super().__init__(CLAUSE, f"登记簿有 {len(faults)} 处要改正,一行也没有导入;请改正后重新导入。\n{listed}\n")
        self.args = (tuple(faults),)
        self.faults = tuple(faults)
