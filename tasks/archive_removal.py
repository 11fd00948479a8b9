"""
Taking archived cases out of the database, a matter in one transaction: cut off anywhere, the next run goes on.

A case goes with all cases beneath it or not at all, as it was archived: what is left must be fit for the next archive.
Only what stands in a verified file, unchanged since, is taken out; the case's row, its decisions and all that
registers, figures and other cases are made of stay, sealed by the last row of the history. Of a case that was copied
but has to stay, a listed parlour's, only the letters go that left as long ago.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from models import Base
from models.archive import ArchivedCase
from models.case import Case
from models.outbox import OutboxEntry
from models.registry import Person
from models.work_item import WorkItem
from policies.errors import BadPolicy, Refused
from policies.vocabulary import LetterStatus
from rules.periods import SHANGHAI
from runtime.resources import Resources
from tasks.act import Act, acting
from tasks.archive_audit import ARCHIVED, sealed_facts
from tasks.archive_check import case_of, check_archive
from tasks.archive_choice import hindrances, reasons_to_stay, too_early, unarchived_below
from tasks.archive_file import ArchiveReader, reading
from tasks.archive_tables import GOES, Rows, as_json, owners, rows_by_case
from tasks.archives import archivist
from tasks.audit_rows import UNREADABLE, is_of_value
from tasks.cases import load_with_parent, local_day
from tasks.history import append

LETTERS_ARCHIVED = "letters_archived"
"""The history's word for letters of a case that stays; its data: ``file, sha256, before, letters``."""
_MOST_BOUND = 500


@dataclass
class Removed:
    """What taking out came to."""

    cases: list[str] = field(default_factory=list)
    """Numbers of the cases taken out now."""
    before: int = 0
    """How many had been taken out before."""
    left: list[tuple[str, str]] = field(default_factory=list)
    """Number and cause of those that stay."""
    rows: int = 0
    """Rows that left the database."""
    letters: dict[str, int] = field(default_factory=dict)
    """Of cases that stay: how many old letters were taken out, by number."""


def remove_archived(
    resources: Resources, path: Path, *, by: str, at: datetime, told: Callable[[str], None] = lambda _: None
) -> Removed:
    """
    Take the details of the cases in an archive file out of the database.

    Args:
        path: the archive file; verified first.
        by: who does it.
        at: now.
        told: told the number of each case that is out.

    Raises:
        Refused: the file is not whole (nothing is taken out), no such person, or nobody of an office.
    """
    with resources.database.read() as session:
        who = archivist(session, by, at=at)
    checked = check_archive(path)
    if checked.faults:
        raise Refused(
            "default",
            f"{path.name} 核对有{len(checked.faults)}处不符,什么也没有移出,请改用完好的副本。"
            f"第一处:{checked.faults[0]}",
        )
    removed = Removed()
    with reading(path) as archive:
        if archive.whole() != checked.sha256:
            raise Refused("default", f"{path.name} 在核对以后又被更换或改动,什么也没有移出,请查明原因后再办理")
        listed = archive.cases
        for numbers in _by_matter(archive):
            if listed[numbers[0]]["stays"]:
                for number in numbers:
                    before = date.fromisoformat(listed[number]["letters_before"])
                    tables = case_of(archive, number)["tables"]
                    with acting(resources, at=at) as act:
                        removed.letters[number] = _remove_letters(
                            act, number, tables, before=before, file=path.name, sha256=checked.sha256, by=who
                        )
                continue
            _remove_matter(resources, archive, numbers, removed, sha256=checked.sha256, by=who, at=at, told=told)
    return removed


def _by_matter(archive: ArchiveReader) -> Iterator[list[str]]:
    """Yield the numbers of the cases, those of a matter together, what is on top first: as they were written."""
    numbers, ids = list[str](), set[int]()
    for number in archive.cases:
        (case,) = case_of(archive, number)["tables"]["cases"]
        if numbers and case["parent_id"] not in ids:
            yield numbers
            numbers, ids = [], set()
        numbers.append(number)
        ids.add(case["id"])
    if numbers:
        yield numbers


def _remove_matter(
    resources: Resources,
    archive: ArchiveReader,
    numbers: list[str],
    removed: Removed,
    *,
    sha256: str,
    by: Person,
    at: datetime,
    told: Callable[[str], None],
) -> None:
    """Take a matter out, all its cases or, when one of them may not go, none; note in `removed` what came of it."""
    going, causes, rows = list[tuple[Case, Rows]](), dict[str, str](), 0
    number = numbers[0]
    try:
        with acting(resources, at=at) as act:
            for number in numbers:
                case = load_with_parent(act.session, number)
                record = act.session.get(ArchivedCase, case.id)
                if record is not None and record.sha256 == sha256:
                    continue
                here = _lock_rows(act.session, case)
                found = [f"已归档到另一个文件 {record.file},不必再移出"] if record is not None else []
                found = found or _causes_to_stay(act, case, archive, numbers, here)
                if found:
                    causes[number] = ";".join(found)
                going.append((case, here))
            if not causes:
                for case, here in going:
                    number = case.number
                    rows += _remove(act, case, here, file=archive.path.name, sha256=sha256, by=by)
                gone = [case.number for case, _ in going]
    except Refused as refused:
        causes[number] = refused.reason
    except (BadPolicy, *UNREADABLE) as error:  # tampered with since it was archived; other matters go
        if not is_of_value(error):
            raise
        causes[number] = f"记录无法读取,已被改动;请运行 ketang audit verify {number},查明是哪张表哪一列"
    if causes:
        first = next(iter(causes))
        together = f"与案件 {first} 属同一事项,须一并移出"
        removed.left += [(each, causes.get(each, together)) for each in numbers]
        return
    removed.before += len(numbers) - len(gone)
    removed.cases += gone
    removed.rows += rows
    for number in gone:
        told(number)


def _lock_rows(session: Session, case: Case) -> Rows:
    """Return everything that belongs to a case, which is held locked; its letters, which others queue again, too."""
    letters = select(OutboxEntry.id).where(OutboxEntry.case_id == case.id, OutboxEntry.status != LetterStatus.QUEUED)
    session.execute(letters.order_by(OutboxEntry.id).with_for_update())
    return rows_by_case(session, [case.id])[case.id]


def _causes_to_stay(act: Act, case: Case, archive: ArchiveReader, numbers: list[str], here: Rows) -> list[str]:
    """Return why a case may not be taken out now: what is asked before it is archived is asked again."""
    session, before = act.session, date.fromisoformat(archive.manifest["before"])
    causes = [*hindrances(session, [case])[case.id], *too_early(case, before, on=local_day(act.at))]
    causes += reasons_to_stay(session, [case])[case.id]
    causes += [
        f"其下另有案件 {below.number} 不在归档文件中,请重新归档后再移出"
        for below in session.scalars(unarchived_below([case.id]))
        if below.number not in numbers
    ]
    if causes:
        return causes
    tables: Rows = case_of(archive, case.number)["tables"]
    changed = sorted(name for name in here.keys() | tables.keys() if here.get(name) != tables.get(name))
    return [f"归档以后记录又有变化(表 {'、'.join(changed)}),请重新归档后再移出"] if changed else []


def _remove(act: Act, case: Case, here: Rows, *, file: str, sha256: str, by: Person) -> int:
    """Take one case out, which is locked and checked; return how many rows left."""
    session = act.session
    record = ArchivedCase(
        case_id=case.id,
        file=file,
        sha256=sha256,
        last_seq=case.history_seq,
        last_head=case.history_head,
        archived_at=act.at,
        archived_by_id=by.id,
    )
    session.add(record)
    # A gate of a letter that could not be delivered stays, its letter goes.
    session.execute(
        update(WorkItem)
        .where(WorkItem.case_id == case.id, WorkItem.subject_id.is_not(None))
        .values(subject_id=None)
        .execution_options(synchronize_session=False)
    )
    session.flush()
    rows = _delete(session, case, here)
    session.refresh(case)
    case.flow_run_id, case.run_requested_at = None, None
    append(
        session,
        case,
        kind=ARCHIVED,
        actor=by.display,
        summary=f"已归档:办理记录{record.last_seq}条、信函、签名移入归档文件 {file}(摘要 {sha256[:12]}…)",
        at=act.at,
        data=sealed_facts(session, record),
    )
    return rows


def _remove_letters(act: Act, number: str, tables: Rows, *, before: date, file: str, sha256: str, by: Person) -> int:
    """Take the letters out that left before a day, of a case that stays; return how many."""
    session = act.session
    case = load_with_parent(session, number)
    kept = {row["id"]: row for row in tables.get("outbox", [])}
    table = Base.metadata.tables[OutboxEntry.__tablename__]
    query = select(table).where(
        table.c.case_id == case.id,
        table.c.status == LetterStatus.SENT,
        table.c.sent_at < datetime.combine(before, time(), SHANGHAI),
    )
    old = [row["id"] for row in session.execute(query).mappings() if as_json(table, dict(row)) == kept.get(row["id"])]
    if not old:
        return 0
    for start in range(0, len(old), _MOST_BOUND):
        some = old[start : start + _MOST_BOUND]
        session.execute(
            update(WorkItem)
            .where(WorkItem.subject_id.in_(some))
            .values(subject_id=None)
            .execution_options(synchronize_session=False)
        )
        session.execute(delete(table).where(table.c.id.in_(some)))
    append(
        session,
        case,
        kind=LETTERS_ARCHIVED,
        actor=by.display,
        summary=f"{before}以前寄出的信函{len(old)}封移入归档文件 {file}(摘要 {sha256[:12]}…)",
        at=act.at,
        data={"file": file, "sha256": sha256, "before": before.isoformat(), "letters": len(old)},
    )
    return len(old)


def _delete(session: Session, case: Case, here: Rows) -> int:
    """Delete what goes, children before their parents; return how many rows. Refused: others than were compared."""
    count, connection = 0, session.connection()
    for table in reversed(Base.metadata.sorted_tables):
        if table.name not in GOES or table.name not in here:
            continue
        column = owners()[table.name]
        if column.name == "case_id":
            condition = column == case.id
        else:
            condition = column.in_(select(WorkItem.id).where(WorkItem.case_id == case.id))
        if table.name == OutboxEntry.__tablename__:
            condition &= table.c.status != LetterStatus.QUEUED
        if connection.execute(delete(table).where(condition)).rowcount != len(here[table.name]):
            raise Refused("default", f"移出时记录又有变化(表 {table.name}),请重新归档后再移出")
        count += len(here[table.name])
    return count
