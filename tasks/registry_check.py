"""
Judging a registry: every value by its column, every code by the units, people and households it names.

Pure: what the database already holds comes in as `Known`, the policies as a set of ids. Called by `tasks.registry`
before anything is written.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import TypeVar

from policies.vocabulary import BeautifulVillage, Role, UnitKind
from tasks.registry_cells import (
    Cell,
    Unreadable,
    code_of,
    date_of,
    edition_of_town,
    email_of,
    id_number_of,
    is_blank,
    name_of,
    phone_of,
    word_of,
    yes_or_no,
)
from tasks.registry_form import SHEETS, Fault
from tasks.registry_sheet import Row, Sheet, Sheets

T = TypeVar("T")

_ABOVE = {
    UnitKind.DISTRICT: None,
    UnitKind.TOWN: UnitKind.DISTRICT,
    UnitKind.VILLAGE: UnitKind.TOWN,
    UnitKind.GROUP: UnitKind.VILLAGE,
}
_unit_code = partial(code_of, longest=20)
_household_number = partial(code_of, longest=30)
_person_code = partial(code_of, longest=20)


@dataclass(frozen=True)
class KnownUnit:
    """A unit of the database, as far as references need it."""

    kind: UnitKind
    parent: str | None


@dataclass(frozen=True)
class Known:
    """What the database holds already, by code."""

    units: Mapping[str, KnownUnit] = field(default_factory=dict)
    people: Collection[str] = ()


@dataclass(frozen=True)
class UnitEntry:
    """A row of 镇村组; None or empty where the cell could not be read."""

    row: Row
    code: str
    name: str
    kind: UnitKind | None
    parent: str | None
    grade: BeautifulVillage
    edition: str | None


@dataclass(frozen=True)
class HouseholdEntry:
    """A row of 农户."""

    row: Row
    number: str
    group: str
    head_name: str
    address: str
    phone: str | None
    id_number: str | None
    email: str | None
    active: bool


@dataclass(frozen=True)
class PersonEntry:
    """A row of 人员."""

    row: Row
    code: str
    name: str
    phone: str | None
    id_number: str | None
    email: str | None
    active: bool


@dataclass(frozen=True)
class HoldingEntry:
    """A row of 职务."""

    row: Row
    person: str
    role: Role | None
    unit: str
    since: date | None
    until: date | None


@dataclass(frozen=True)
class Entries:
    """The rows of a registry, read. Sound when `faults` is empty: then every code leads somewhere."""

    units: Sequence[UnitEntry]
    households: Sequence[HouseholdEntry]
    people: Sequence[PersonEntry]
    holdings: Sequence[HoldingEntry]
    faults: Sequence[Fault]


def checked(sheets: Sheets, *, known: Known, editions: Collection[str] | None, today: date) -> Entries:
    """
    Read all cells and check all references; collect every fault, by sheet, row and column.

    Args:
        sheets: a registry as read.
        known: what the database holds; a code may lead there instead of into the file.
        editions: ids of the policies at hand; None: not checked.
        today: in Asia/Shanghai; nobody is born later.
    """
    faults = list(sheets.faults)
    units = [_unit(_Reader(sheets.units, row, faults)) for row in sheets.units.rows]
    households = [_household(_Reader(sheets.households, row, faults), today) for row in sheets.households.rows]
    people = [_person(_Reader(sheets.people, row, faults), today) for row in sheets.people.rows]
    holdings = [_holding(_Reader(sheets.holdings, row, faults)) for row in sheets.holdings.rows]

    faults += _twice(sheets.units, "编码", ((entry.row, entry.code) for entry in units))
    faults += _twice(sheets.households, "户号", ((entry.row, entry.number) for entry in households))
    faults += _twice(sheets.people, "人员编号", ((entry.row, entry.code) for entry in people))
    kinds = _kinds(units, known)
    faults += _unit_faults(sheets.units, units, kinds, known=known, editions=editions)
    faults += _household_faults(sheets.households, households, kinds)
    faults += _holding_faults(
        sheets.holdings, holdings, kinds, people={entry.code for entry in people} | set(known.people)
    )
    order = {name: number for number, name in enumerate(SHEETS)}
    heads = {name: [column.head for column in columns] for name, columns in SHEETS.items()}
    faults.sort(
        key=lambda fault: (
            order[fault.sheet],
            fault.row,
            heads[fault.sheet].index(fault.column) if fault.column else -1,
        )
    )
    return Entries(units, households, people, holdings, faults)


class _Reader:
    """Takes the cells of one row; what can not be read becomes a fault."""

    def __init__(self, sheet: Sheet, row: Row, faults: list[Fault]) -> None:
        self.sheet = sheet
        self.row = row
        self.faults = faults

    def optional(self, head: str, read: Callable[[Cell], T]) -> T | None:
        """Return what the cell means; None when it is blank, or told as a fault."""
        value = self.row.cells.get(head)
        if head in self.row.broken or is_blank(value):
            return None
        try:
            return read(value)
        except Unreadable as error:
            self.faults.append(self.sheet.fault(self.row.number, head, value, str(error)))
            return None

    def required(self, head: str, read: Callable[[Cell], T]) -> T | None:
        """Return what the cell means; a blank one is a fault."""
        if head in self.row.cells and head not in self.row.broken and is_blank(self.row.cells[head]):
            self.faults.append(self.sheet.fault(self.row.number, head, None, "不能为空;请填写"))
            return None
        return self.optional(head, read)


def _unit(reader: _Reader) -> UnitEntry:
    return UnitEntry(
        row=reader.row,
        code=reader.required("编码", _unit_code) or "",
        name=reader.required("名称", name_of) or "",
        kind=reader.required("级别", partial(word_of, words=UnitKind)),
        parent=reader.optional("上级编码", _unit_code),
        grade=reader.optional("美丽乡村等级", partial(word_of, words=BeautifulVillage)) or BeautifulVillage.NONE,
        edition=reader.optional("适用政策", edition_of_town),
    )


def _household(reader: _Reader, today: date) -> HouseholdEntry:
    return HouseholdEntry(
        row=reader.row,
        number=reader.required("户号", _household_number) or "",
        group=reader.required("小组编码", _unit_code) or "",
        head_name=reader.required("户主姓名", name_of) or "",
        address=reader.optional("地址", partial(name_of, longest=200)) or "",
        phone=reader.optional("手机", phone_of),
        id_number=reader.optional("身份证号", partial(id_number_of, today=today)),
        email=reader.optional("电子邮箱", email_of),
        active=reader.required("在册", yes_or_no) or False,
    )


def _person(reader: _Reader, today: date) -> PersonEntry:
    return PersonEntry(
        row=reader.row,
        code=reader.required("人员编号", _person_code) or "",
        name=reader.required("姓名", name_of) or "",
        phone=reader.optional("手机", phone_of),
        id_number=reader.optional("身份证号", partial(id_number_of, today=today)),
        email=reader.optional("电子邮箱", email_of),
        active=reader.required("在职", yes_or_no) or False,
    )


def _holding(reader: _Reader) -> HoldingEntry:
    return HoldingEntry(
        row=reader.row,
        person=reader.required("人员编号", _person_code) or "",
        role=reader.required("角色", partial(word_of, words=Role)),
        unit=reader.required("单位编码", _unit_code) or "",
        since=reader.required("任职日期", date_of),
        until=reader.optional("离任日期", date_of),
    )


def _twice(sheet: Sheet, head: str, codes: Iterable[tuple[Row, str]]) -> list[Fault]:
    faults = []
    first: dict[str, int] = {}
    for row, code in codes:
        if code and code in first:
            faults.append(
                sheet.fault(row.number, head, code, f"与第 {first[code]} 行重复;请改用不同的编号,或删去其中一行")
            )
        first.setdefault(code, row.number)
    return faults


def _kinds(units: Sequence[UnitEntry], known: Known) -> dict[str, UnitKind | None]:
    """Return the level of each code; a wrong second row or a changed level must not spoil what refers to the code."""
    kinds = {entry.code: entry.kind for entry in reversed(units) if entry.code}
    return kinds | {code: unit.kind for code, unit in known.units.items()}


def _unit_faults(
    sheet: Sheet,
    units: Sequence[UnitEntry],
    kinds: Mapping[str, UnitKind | None],
    *,
    known: Known,
    editions: Collection[str] | None,
) -> list[Fault]:
    faults = []
    parents: dict[str, str | None] = {code: unit.parent for code, unit in known.units.items()}
    parents |= {entry.code: entry.parent for entry in reversed(units) if entry.code}

    for entry in units:

        def told(head: str, value: Cell, problem: str, entry: UnitEntry = entry) -> None:
            faults.append(sheet.fault(entry.row.number, head, value, problem))

        kind = entry.kind
        before = known.units.get(entry.code)
        if kind is not None and before is not None and before.kind is not kind:
            told("级别", kind.label, f"已登记为{before.kind.label},级别不能改;请另编一个编码")
        if (problem := _parent_problem(entry, kinds=kinds, parents=parents)) is not None:
            told("上级编码", entry.parent, problem)
        if entry.grade is not BeautifulVillage.NONE and kind not in (UnitKind.GROUP, None):
            told("美丽乡村等级", entry.grade.label, "只有村(居)民小组填等级;请留空")
        if entry.edition is not None and kind not in (UnitKind.TOWN, None):
            told("适用政策", entry.edition, "只有镇(街道)填适用政策;请留空")
        elif entry.edition is not None and editions is not None and entry.edition not in editions:
            at_hand = "、".join(sorted(editions)) or "一个也没有"
            told("适用政策", entry.edition, f"没有这个政策;现有:{at_hand};请改正,或先放入政策文件")
    return faults


def _parent_problem(
    entry: UnitEntry, *, kinds: Mapping[str, UnitKind | None], parents: Mapping[str, str | None]
) -> str | None:
    """Return what is wrong with a unit's parent, or None; a cell that was told already is not judged."""
    kind, parent = entry.kind, entry.parent
    if parent is None:
        unreadable = not is_blank(entry.row.cells.get("上级编码")) or "上级编码" in entry.row.broken
        if kind in (UnitKind.VILLAGE, UnitKind.GROUP) and not unreadable and "上级编码" in entry.row.cells:
            return f"{kind.label}要有上级;请填写所属单位的编码"
        return None
    if parent not in kinds:
        return "没有这个单位;请改正编码,或在本表中补上该单位"
    if circle := _circle(entry.code, parents):
        return f"上下级绕成了圈:{' → '.join(circle)};请改正"
    above = kinds[parent]
    if kind is None or above is None:
        return None
    wanted = _ABOVE[kind]
    if wanted is None:
        return f"{kind.label}没有上级;请留空"
    return None if above is wanted else f"{kind.label}的上级应为{wanted.label},而 {parent} 是{above.label};请改正"


def _circle(code: str, parents: Mapping[str, str | None]) -> list[str]:
    """Return the codes of the circle that `code` is in, from itself to itself; empty when there is none."""
    line = [code]
    seen = {code}
    while (parent := parents.get(line[-1])) is not None:
        line.append(parent)
        if parent == code and code:
            return line
        if parent in seen:
            return []
        seen.add(parent)
    return []


def _household_faults(
    sheet: Sheet, households: Sequence[HouseholdEntry], kinds: Mapping[str, UnitKind | None]
) -> list[Fault]:
    faults = []
    for entry in households:
        if not entry.group:
            continue
        if entry.group not in kinds:
            problem = "没有这个小组;请改正编码,或在“镇村组”表中补上"
        elif kinds[entry.group] in (UnitKind.GROUP, None):
            continue
        else:
            problem = "农户只能登记在村(居)民小组,这个编码不是小组;请改正"
        faults.append(sheet.fault(entry.row.number, "小组编码", entry.group, problem))
    return faults


def _holding_faults(
    sheet: Sheet,
    holdings: Sequence[HoldingEntry],
    kinds: Mapping[str, UnitKind | None],
    *,
    people: Collection[str],
) -> list[Fault]:
    faults = []
    first: dict[tuple[str, Role, str], int] = {}
    for entry in holdings:
        number = entry.row.number
        if entry.person and entry.person not in people:
            faults.append(sheet.fault(number, "人员编号", entry.person, "没有这个人;请改正编号,或在“人员”表中补上"))
        if entry.unit and entry.unit not in kinds:
            faults.append(sheet.fault(number, "单位编码", entry.unit, "没有这个单位;请改正编码,或在“镇村组”表中补上"))
        kind = kinds.get(entry.unit)
        if entry.role is not None and kind is not None and kind is not entry.role.level:
            problem = f"{entry.role.label}应在{entry.role.level.label}任职,而 {entry.unit} 是{kind.label};请改正"
            faults.append(sheet.fault(number, "单位编码", entry.unit, problem))
        if entry.since is not None and entry.until is not None and entry.until <= entry.since:
            faults.append(sheet.fault(number, "离任日期", entry.until, "应晚于任职日期;请改正"))
        if entry.role is None or not entry.person or not entry.unit:
            continue
        key = (entry.person, entry.role, entry.unit)
        if key in first:
            problem = f"与第 {first[key]} 行是同一人、同一角色、同一单位;请并为一行"
            faults.append(sheet.fault(number, "人员编号", entry.person, problem))
        first.setdefault(key, number)
    return faults
