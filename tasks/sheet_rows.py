"""
The rows of a sheet that decide: each counts once, whatever is tried again or handed in again.

A decision keeps the row of the sheet that it came in on, sealed with it. By that a row is known again: in the same
sheet under any name, and under the sheet's name when others of its rows were put right. A row is for the gate that
waited when it was first handed in, which is written down before anything is decided: refused, put right or not reached,
it decides no later round by being late.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel
from sqlalchemy import Insert, bindparam, func, insert, or_, select, text

from models.base import canonical
from models.case import Case
from models.work_item import Decision, RowHandedIn, WorkItem
from policies.errors import Refused
from policies.vocabulary import CaseStatus, Door, Gate, Verdict, WorkItemStatus
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
_OPEN = (
    select(Case.number, WorkItem.id.label("item"), WorkItem.gate)
    .join(Case, Case.id == WorkItem.case_id)
    .where(_NUMBERED, WorkItem.gate != Gate.UNDELIVERED_LETTER, WorkItem.status == WorkItemStatus.OPEN)
)
_LAST = (
    select(Case.number, func.max(WorkItem.id).label("item"))
    .join(Case, Case.id == WorkItem.case_id)
    .where(_NUMBERED, WorkItem.gate != Gate.UNDELIVERED_LETTER, Case.status == CaseStatus.OPEN)
    .group_by(Case.number)
)
_HANDED_IN = (
    select(
        Case.number,
        RowHandedIn.work_item_id.label("item"),
        RowHandedIn.sheet,
        RowHandedIn.sha256,
        RowHandedIn.said,
        RowHandedIn.handed_in_at,
    )
    .join(WorkItem, WorkItem.id == RowHandedIn.work_item_id)
    .join(Case, Case.id == WorkItem.case_id)
    .where(_NUMBERED, or_(RowHandedIn.sheet == bindparam("sheet"), RowHandedIn.sha256 == bindparam("sha256")))
    .order_by(RowHandedIn.id)
)
_TAKEN = (
    select(Case.number, Decision.work_item_id, Decision.decided_at, Decision.verdict, Decision.details)
    .join(Case, Case.id == Decision.case_id)
    .where(_NUMBERED, Decision.door == Door.SHEET)
    .order_by(Decision.id)
)


def _insert_unless_there() -> Insert:
    # As in `notifications.outbox`: the same text on both databases, and compiled once.
    statement = insert(RowHandedIn)
    statement._post_values_clause = text("ON CONFLICT DO NOTHING")
    return statement


_WRITE_DOWN = _insert_unless_there()


@dataclass(frozen=True)
class SheetRow:
    """A row of a sheet, as it was read."""

    number: int
    """As a person counts it."""
    case: str
    """Empty when it names none."""
    said: str
    """What tells it from rows that say something else; empty when it can not be read."""
    decide: Callable[[Asked], object]

    @property
    def name(self) -> str:
        """How people call it."""
        return f"第{self.number}行"


def row_of(number: int, command: C | Refused, *, case: str, decide: Callable[[C, Asked], object]) -> SheetRow:
    """Return a row that says `command`, which `decide` carries out; of one that can not be read, the refusal."""
    if isinstance(command, Refused):
        return SheetRow(number, case, "", partial(_refuse, command))
    # Without who decides: the same person is written by code or by name, and another one is no reason to decide again.
    said = canonical(command.model_dump(mode="json", exclude={"by"}))
    return SheetRow(number, case, hashlib.sha256(said.encode()).hexdigest(), partial(decide, command))


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
    gates: Mapping[str, Gate]
    """What waits, by the numbers of the cases."""


def bind(resources: Resources, *, folder: Path, name: str, rows: Sequence[SheetRow], at: datetime) -> BoundSheet:
    """
    Bind each row to the work item that it is for, write that down, and find those that were carried out before.

    Cost: four queries for 500 rows, and one statement that writes.

    Args:
        folder: where the sheet `name` is.
        rows: in their order.
        at: when it is handed in.
    """
    sha256 = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    sheet = _Sheet(resources, mask_text(name), sha256)
    found = sheet.look_up(rows)
    bound, done_before, unfinished = list[Row](), list[tuple[str, str]](), dict[str, None]()
    handed_in = list[tuple[int, str]]()
    for row in rows:
        if row.case in found.unreadable:
            act: Callable[[], object] = partial(_tell_unreadable, row.case)
        elif (done := sheet.how(row, found)) is not None:
            done_before.append((row.name, done))
            if row.case in found.unfinished:
                unfinished[row.case] = None
            continue
        else:
            item, since = sheet.item_for(row, found)
            if item is not None:
                handed_in.append((item, row.said))
            act = sheet.act(row, item, since if item != found.last.get(row.case) else None)
        bound.append((row.name, row.case, act))
    sheet.write_down(handed_in, at=at)
    by_name = {row.name: row for row in rows}
    return BoundSheet(
        name=name,
        rows=bound,
        done_before=done_before,
        unfinished=list(unfinished),
        known=lambda names: sheet.known([by_name[each] for each in names]),
        gates={number: gate for number, (_, gate) in found.waiting.items()},
    )


@dataclass
class _Found:
    """What the database knows of the cases that rows are about, by their numbers."""

    waiting: dict[str, tuple[int, Gate]] = field(default_factory=dict)
    last: dict[str, int] = field(default_factory=dict)
    """What waits, or between two gates what waited last."""
    handed_in: dict[str, list[Any]] = field(default_factory=dict)
    """The rows of this sheet that were handed in before, in their order."""
    taken: dict[str, list[tuple[int, datetime, Verdict, dict[str, Any]]]] = field(default_factory=dict)
    unfinished: set[str] = field(default_factory=set)
    unreadable: set[str] = field(default_factory=set)


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
            last = session.execute(_LAST, given).all()
            taken = session.execute(_TAKEN, given).all()
            handed_in = session.execute(_HANDED_IN, given | {"sheet": self.name, "sha256": self.sha256}).all()
        found.unfinished.update(unfinished)
        found.waiting |= {each.number: (each.item, each.gate) for each in items}
        found.last |= {each.number: each.item for each in last} | {each.number: each.item for each in items}
        for row in handed_in:
            found.handed_in.setdefault(row.number, []).append(row)
        for number, item_id, when, verdict, details in taken:
            kept = details.get(SHEET) if isinstance(details, dict) else None
            if isinstance(kept, dict) and (kept.get("sha256") == self.sha256 or kept.get("name") == self.name):
                found.taken.setdefault(number, []).append((item_id, when, verdict, kept))

    def how(self, row: SheetRow, found: _Found) -> str | None:
        """Return how a row was carried out, in Chinese; None: it was not."""
        for _, when, verdict, kept in found.taken.get(row.case, ()):
            if row.said and kept.get("said") == row.said:
                told = f"案件 {row.case} 已由表格“{kept.get('name', '')}”于{_spoken(when)}办理,结果为“{verdict.label}”"
                _, gate = found.waiting.get(row.case, (0, None))
                return told if gate is None or verdict not in allowed(gate) else f"{told};现处于“{gate.label}”,{AGAIN}"
        return None

    def known(self, rows: Sequence[SheetRow]) -> dict[str, str]:
        if not rows:
            return {}
        found = self.look_up(rows)
        return {row.name: told for row in rows if (told := self.how(row, found)) is not None}

    def item_for(self, row: SheetRow, found: _Found) -> tuple[int | None, datetime | None]:
        """
        Return the work item that a row is for, and since when if it was handed in before.

        It is what waited when the row, or one that it was put right from, was first handed in. A row that says
        something else than those which the sheet has carried out is a new one, of a sheet whose name is used again.
        """
        before = found.handed_in.get(row.case, ())
        same = [each for each in before if row.said and each.said == row.said]
        served = {item for item, *_ in found.taken.get(row.case, ())}
        unserved = [each for each in before if each.item not in served]
        if first := next(iter(same or unserved), None):
            return first.item, first.handed_in_at
        return found.last.get(row.case), None

    def write_down(self, rows: Sequence[tuple[int, str]], *, at: datetime) -> None:
        """Keep for which work items rows were handed in."""
        if not rows:
            return
        kept = {"sheet": self.name, "sha256": self.sha256, "handed_in_at": at}
        with self.resources.database.write() as session:
            each = [{"work_item_id": item, "said": said} | kept for item, said in sorted(rows)]
            session.connection().execute(_WRITE_DOWN, each)

    def act(self, row: SheetRow, item: int | None, since: datetime | None) -> Callable[[], object]:
        """Return what carries out a row at a work item and at no other; `since` when it is for a former one."""
        kept: dict[str, Any] = {"name": self.name, "sha256": self.sha256, "row": row.number, "said": row.said}
        return partial(_decide, row, Asked(work_item=item, row=kept), since)


def _decide(row: SheetRow, asked: Asked, since: datetime | None) -> None:
    try:
        row.decide(asked)
    except Refused as refusal:
        if since is None:
            raise
        told = f"此行于{_spoken(since)}第一次提交,只用于当时的环节;要在现在的环节办理的,请另填一份表并换一个文件名"
        raise Refused(refusal.clause, f"{refusal.reason};{told}") from refusal


def _tell_unreadable(number: str) -> None:
    told = f"案件 {number} 的记录无法读取,已被改动,不能办理;请运行 ketang audit verify {number},对照备份更正"
    raise Refused("default", told)


def _spoken(when: datetime) -> str:
    return f"{when.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
