"""
The rows of a sheet that decide: each counts once, whatever is tried again or handed in again.

A decision keeps the row of the sheet that it came in on, sealed with it. By that a row is known again: in the same
sheet under any name, and under the sheet's name when others of its rows were put right. A row is for the gate that
waited when its sheet was first handed in, so that it decides no later round by being late.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel
from sqlalchemy import bindparam, select

from models.base import canonical
from models.case import Case
from models.work_item import Decision, WorkItem
from policies.errors import Refused
from policies.vocabulary import Door, Gate, Verdict, WorkItemStatus
from rules.masking import mask_text
from rules.periods import SHANGHAI
from rules.transitions import allowed
from runtime.resources import Resources
from tasks.audit_rows import read_or
from tasks.cases import SHEET, Asked
from tasks.drivers import Row

C = TypeVar("C", bound=BaseModel)
AT_ONCE = 500
AGAIN = "要办理的,请另填一份表并换一个文件名"
"""What is said of a row that was carried out, where it could be meant for the gate that waits now."""
_NUMBERED = Case.number.in_(bindparam("numbers", expanding=True))
_CASES = select(
    Case.number,
    (Case.carried_seq < Case.decision_seq) | (Case.flow_run_id.is_not(None) & Case.run_requested_at.is_not(None)),
).where(_NUMBERED)
_ITEMS = (
    select(Case.number, WorkItem.id, WorkItem.gate, WorkItem.opened_at, WorkItem.closed_at)
    .join(Case, Case.id == WorkItem.case_id)
    .where(_NUMBERED, WorkItem.gate != Gate.UNDELIVERED_LETTER)
    .order_by(WorkItem.id)
)
_OPEN = _ITEMS.where(WorkItem.status == WorkItemStatus.OPEN)
_TAKEN = (
    select(Case.number, Decision.decided_at, Decision.verdict, Decision.details)
    .join(Case, Case.id == Decision.case_id)
    .where(_NUMBERED, Decision.door == Door.SHEET)
    .order_by(Decision.id)
)


@dataclass(frozen=True)
class SheetRow:
    """A row of a sheet, as it was read."""

    number: int
    """As a person counts it."""
    case: str
    """Empty when it names none."""
    said: str
    """What tells it from rows that say something else."""
    verdict: Verdict | None
    decide: Callable[[Asked], object]

    @property
    def name(self) -> str:
        """How people call it."""
        return f"第{self.number}行"


def row_of(number: int, command: C | Refused, *, case: str, decide: Callable[[C, Asked], object]) -> SheetRow:
    """Return a row that says `command`, which `decide` carries out; of one that can not be read, the refusal."""
    if isinstance(command, Refused):
        return SheetRow(number, case, "", None, partial(_refuse, command))
    said = hashlib.sha256(canonical(command.model_dump(mode="json")).encode()).hexdigest()
    return SheetRow(number, case, said, getattr(command, "verdict", None), partial(decide, command))


def _refuse(refusal: Refused, _: Asked) -> None:
    raise refusal


@dataclass
class BoundSheet:
    """A sheet whose rows are bound to what waits."""

    name: str
    rows: list[Row]
    """Those that are to be carried out."""
    done_before: list[tuple[str, str]]
    """Those that were, by the name of the row, and how, in Chinese."""
    unfinished: list[str]
    """Cases of these that nobody has carried or shown since."""
    known: Callable[[Collection[str]], Mapping[str, str]]
    """Of rows by their names, those that are done by now, and how."""


def bind(resources: Resources, *, folder: Path, name: str, rows: Sequence[SheetRow]) -> BoundSheet:
    """
    Bind each row to the work item that it is for, and find those that were carried out before.

    Cost: three queries for 500 rows, and a fourth when the sheet was handed in before.

    Args:
        folder: where the sheet `name` is.
        rows: in their order.
    """
    sha256 = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    sheet = _Sheet(resources, mask_text(name), sha256)
    found = sheet.look_up(rows)
    bound, done_before, unfinished = list[Row](), list[tuple[str, str]](), dict[str, None]()
    for row in rows:
        if row.case in found.unreadable:
            act: Callable[[], object] = partial(_tell_unreadable, row.case)
        elif (done := sheet.how(row, found)) is not None:
            done_before.append((row.name, done))
            if row.case in found.unfinished:
                unfinished[row.case] = None
            continue
        else:
            act = sheet.act(row, found)
        bound.append((row.name, row.case, act))
    by_name = {row.name: row for row in rows}
    return BoundSheet(
        name=name,
        rows=bound,
        done_before=done_before,
        unfinished=list(unfinished),
        known=lambda names: sheet.known([by_name[each] for each in names]),
    )


@dataclass
class _Found:
    """What the database knows of the cases that rows are about, by their numbers."""

    waiting: dict[str, tuple[int, Gate]] = field(default_factory=dict)
    waited: dict[str, tuple[int, Gate]] = field(default_factory=dict)
    """What waited when the sheet was first handed in; empty when it never was."""
    taken: dict[str, list[tuple[datetime, Verdict, dict[str, Any]]]] = field(default_factory=dict)
    unfinished: set[str] = field(default_factory=set)
    unreadable: set[str] = field(default_factory=set)
    since: datetime | None = None
    """When the sheet was first handed in."""


class _Sheet:
    """A sheet, by its name and its bytes."""

    def __init__(self, resources: Resources, name: str, sha256: str) -> None:
        self.resources = resources
        self.name = name
        self.sha256 = sha256

    def look_up(self, rows: Iterable[SheetRow]) -> _Found:
        found = _Found()
        numbers = list(dict.fromkeys(row.case for row in rows if row.case))
        parts = [numbers[start : start + AT_ONCE] for start in range(0, len(numbers), AT_ONCE)]
        for part in parts:
            self._each(part, self._read, found)
        first = [when for each in found.taken.values() for when, _, row in each if row.get("sha256") == self.sha256]
        if first:
            found.since = since = min(first)
            for part in parts:
                sound = [each for each in part if each not in found.unreadable]
                self._each(sound, partial(self._read_waited, since), found)
        return found

    def _each(self, numbers: Sequence[str], read: Callable[[Sequence[str], _Found], None], found: _Found) -> None:
        """Read about all of them at once; a case that somebody has tampered with keeps no other from its turn."""

        def one_by_one() -> None:
            if len(numbers) == 1:
                found.unreadable.update(numbers)
                return
            for number in numbers:
                self._each([number], read, found)

        read_or(lambda: read(numbers, found), one_by_one)

    def _read(self, numbers: Sequence[str], found: _Found) -> None:
        given = {"numbers": numbers}
        with self.resources.database.read() as session:
            unfinished = [number for number, behind in session.execute(_CASES, given).all() if behind]
            items = session.execute(_OPEN, given).all()
            taken = session.execute(_TAKEN, given).all()
        found.unfinished.update(unfinished)
        found.waiting |= {item.number: (item.id, item.gate) for item in items}
        for number, when, verdict, details in taken:
            row = details.get(SHEET) if isinstance(details, dict) else None
            if isinstance(row, dict):
                found.taken.setdefault(number, []).append((when, verdict, row))

    def _read_waited(self, since: datetime, numbers: Sequence[str], found: _Found) -> None:
        with self.resources.database.read() as session:
            for item in session.execute(_ITEMS, {"numbers": numbers}).all():
                if item.opened_at < since and (item.closed_at is None or item.closed_at >= since):
                    found.waited[item.number] = (item.id, item.gate)

    def how(self, row: SheetRow, found: _Found) -> str | None:
        """Return how a row was carried out, in Chinese; None: it was not."""
        for when, verdict, kept in found.taken.get(row.case, ()):
            of_sheet = kept.get("sha256") == self.sha256 or kept.get("name") == self.name
            if of_sheet and row.said and kept.get("said") == row.said:
                told = f"案件 {row.case} 已由表格“{kept.get('name', '')}”于{_spoken(when)}办理,结果为“{verdict.label}”"
                _, gate = found.waiting.get(row.case, (0, None))
                return told if gate is None or verdict not in allowed(gate) else f"{told};现处于“{gate.label}”,{AGAIN}"
        return None

    def known(self, rows: Sequence[SheetRow]) -> dict[str, str]:
        if not rows:
            return {}
        found = self.look_up(rows)
        return {row.name: told for row in rows if (told := self.how(row, found)) is not None}

    def act(self, row: SheetRow, found: _Found) -> Callable[[], object]:
        """Return what carries out a row at the gate that it is for, and at no other."""
        item, earlier = found.waiting.get(row.case, (None, None))[0], None
        if (then := found.waited.get(row.case)) is not None and row.verdict is not None:
            first, gate = then
            if first != item and row.verdict in allowed(gate):
                item, earlier = first, found.since
        kept: dict[str, Any] = {"name": self.name, "sha256": self.sha256, "row": row.number, "said": row.said}
        return partial(_decide, row, Asked(work_item=item, row=kept), earlier)


def _decide(row: SheetRow, asked: Asked, earlier: datetime | None) -> None:
    try:
        row.decide(asked)
    except Refused as refusal:
        if earlier is None:
            raise
        told = f"本表{_spoken(earlier)}第一次提交,此行只用于当时的环节;要在现在的环节办理的,请另填一份表"
        raise Refused(refusal.clause, f"{refusal.reason};{told}") from refusal


def _tell_unreadable(number: str) -> None:
    told = f"案件 {number} 的记录无法读取,已被改动,不能办理;请运行 ketang audit verify {number},对照备份更正"
    raise Refused("default", told)


def _spoken(when: datetime) -> str:
    return f"{when.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
