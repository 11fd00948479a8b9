"""
Taking archived cases out of the database, each in one transaction: cut off anywhere, the next run goes on.

Only what stands in a verified file, unchanged since, is taken out; the case's row, its decisions and all that
registers, figures and other cases are made of stay, sealed by the last row of the history. Of a case that was copied
but has to stay, a listed parlour's, only the letters go that left as long ago.
"""

from collections.abc import Callable
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
from policies.errors import Refused
from policies.vocabulary import LetterStatus
from rules.periods import SHANGHAI
from runtime.resources import Resources
from tasks.act import Act, acting
from tasks.archive_audit import ARCHIVED, sealed_facts
from tasks.archive_check import case_of, check_archive
from tasks.archive_choice import hindrances, reasons_to_stay
from tasks.archive_file import reading
from tasks.archive_tables import GOES, Rows, as_json, owners, rows_by_case
from tasks.archives import archivist
from tasks.cases import load_with_parent
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
        for number, listed in archive.cases.items():
            tables: Rows = case_of(archive, number)["tables"]
            if listed["stays"]:
                before = date.fromisoformat(listed["letters_before"])
                with acting(resources, at=at) as act:
                    removed.letters[number] = _remove_letters(
                        act, number, tables, before=before, file=path.name, sha256=checked.sha256, by=who
                    )
                continue
            try:
                with acting(resources, at=at) as act:
                    rows = _remove(act, number, tables, file=path.name, sha256=checked.sha256, by=who)
            except Refused as refused:
                removed.left.append((number, refused.reason))
                continue
            if rows is None:
                removed.before += 1
                continue
            removed.cases.append(number)
            removed.rows += rows
            told(number)
    return removed


def _remove(act: Act, number: str, tables: Rows, *, file: str, sha256: str, by: Person) -> int | None:
    """Take one case out; return how many rows left, None when it is out already."""
    session = act.session
    case = load_with_parent(session, number)
    record = session.get(ArchivedCase, case.id)
    if record is not None:
        if record.sha256 == sha256:
            return None
        raise Refused("default", f"已归档到另一个文件 {record.file},不必再移出")
    causes = [*hindrances(session, [case])[case.id], *reasons_to_stay(session, [case])[case.id]]
    if causes:
        raise Refused("default", ";".join(causes))
    here = rows_by_case(session, [case.id])[case.id]
    changed = sorted(name for name in here.keys() | tables.keys() if here.get(name) != tables.get(name))
    if changed:
        raise Refused("default", f"归档以后记录又有变化(表 {'、'.join(changed)}),请重新归档后再移出")
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
    """Delete what goes, children before their parents; return how many rows."""
    count = 0
    for table in reversed(Base.metadata.sorted_tables):
        if table.name not in GOES or table.name not in here:
            continue
        column = owners()[table.name]
        if column.name == "case_id":
            condition = column == case.id
        else:
            condition = column.in_(select(WorkItem.id).where(WorkItem.case_id == case.id))
        session.execute(delete(table).where(condition))
        count += len(here[table.name])
    return count
