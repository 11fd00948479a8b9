"""
The pages of public notices: a projection of the database into a folder that any web server can serve.

Written by a step after every change and by the sweep, rebuilt whole from the command line. A page that can not be
written stays due and is told; it never stops a case. Nothing is ever read back from a page.
"""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import cast

from sqlalchemy import Integer, Table, bindparam, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, joinedload, load_only

from models.case import Case
from models.notice import Notice
from notifications.notice_page import IndexEntry, NoticePage, Prolongation, notice_renderer
from policies.vocabulary import CaseStatus, ObjectionChannel, ObjectionFinding
from rules.masking import mask_text
from rules.periods import shanghai_day
from runtime.privacy import make_public
from runtime.resources import Resources, edition_of
from runtime.settings import PROJECT
from tasks.audit_rows import is_of_value, number_of, read_or
from tasks.mail import office_of
from tasks.notice_mail import added_later, late_text, objections_of

log = logging.getLogger(__name__)
INDEX = "index.html"
AT_ONCE = 100
"""Pages that are laid out before they are put in their places."""
_NOTICES = cast("Table", Notice.__table__)
STANDING, REVIEWED = "公示中", "异议复核中"


@dataclass
class PageReport:
    """What one writing of pages did."""

    written: int = 0
    failures: list[str] = field(default_factory=list)
    """Pages that could not be written, each with why, in Chinese; they stay due."""

    @property
    def told(self) -> str:
        """In Chinese, how many were written."""
        return f"更新公示页面{self.written}页"


def pages_wait(resources: Resources, number: str | None = None) -> bool:
    """Return whether a page (of this notice; None: any) does not show the latest change."""
    query = select(Notice.id).where(Notice.page_seq < Notice.changed_seq).order_by(Notice.published_at).limit(1)
    if number is not None:
        query = query.join(Case, Case.id == Notice.case_id).where(Case.number == number)
    with resources.database.read() as session:
        return session.scalar(query) is not None


def write_pages(resources: Resources, *, everything: bool = False) -> PageReport:
    """
    Write the page of every notice that has changed since, and the index.

    Safe to repeat, and to run twice at once, because writers take turns and each reads the database in its turn: an
    older state never overwrites a newer one. A page counts as written once the index stands too. One notice that can
    not be shown, whatever is wrong with it, keeps neither the others nor the index from being written.

    Args:
        everything: all pages, changed or not.
    """
    report = PageReport()
    if not everything and not pages_wait(resources):
        return report
    folder = resources.settings.notices_folder
    try:
        with _turn(folder):
            _write(resources, folder, report, everything=everything)
    except OSError as error:
        report.failures.append(f"公示文件夹 {folder} 无法写入({error.strerror or error})")
    return report


def _write(resources: Resources, folder: Path, report: PageReport, *, everything: bool) -> None:
    renderer = notice_renderer(PROJECT / "templates")
    done: dict[int, int] = {}
    query = select(Notice.id, Notice.page, Case.number).join(Case, Case.id == Notice.case_id)
    query = query.order_by(Notice.published_at, Notice.id)
    if not everything:
        query = query.where(Notice.page_seq < Notice.changed_seq)
    with resources.database.read() as session:
        due = read_or(
            lambda: session.execute(query).tuples().all(),
            lambda: [
                (notice_id, "", number_of(session, case_id))
                for notice_id, case_id in session.execute(query.with_only_columns(Notice.id, Case.id)).all()
            ],
        )
    for start in range(0, len(due), AT_ONCE):
        laid: list[tuple[int, int, str, str, Fresh]] = []
        for notice_id, page, number in due[start : start + AT_ONCE]:
            try:
                # A session of its own: what breaks in one does not reach the next.
                with resources.database.read() as session:
                    notice = session.get_one(Notice, notice_id)
                    text = renderer.page(page_of(resources, session, notice))
                    laid.append((notice_id, notice.changed_seq, page, number, Fresh(folder / notice.page, text)))
            except OSError as error:
                report.failures.append(f"公示 {number} 的页面 {page} 无法写入({error.strerror or error})")
            except Exception as error:  # whatever is wrong with one notice must not stop the others; it stays due
                log.exception("the page of notice %s can not be written", number)
                report.failures.append(f"公示 {number} 的页面 {page} 无法生成({type(error).__name__}:{error})")
        for notice_id, seq, page, number, fresh in laid:
            try:
                fresh.stand()
                done[notice_id] = seq
            except OSError as error:
                report.failures.append(f"公示 {number} 的页面 {page} 无法写入({error.strerror or error})")
    try:
        with resources.database.read() as session:
            put(folder / INDEX, renderer.index(**_listed(session)))
    except Exception as error:  # the pages stay due
        if isinstance(error, (OSError, OperationalError)) and not is_of_value(error):
            raise  # the folder's trouble is told by the caller, the database's is worth another try
        log.exception("the index of notices can not be written")
        report.failures.append(f"公示目录无法生成({type(error).__name__}:{error})")
        return
    if done:
        shown = bindparam("shown", type_=Integer())
        with resources.database.write() as session:
            session.connection().execute(
                update(_NOTICES)
                .where(_NOTICES.c.id == bindparam("notice"), _NOTICES.c.page_seq < shown)
                .values(page_seq=shown),
                [{"notice": notice_id, "shown": seq} for notice_id, seq in sorted(done.items())],
            )
    report.written += len(done)


def page_of(resources: Resources, session: Session, notice: Notice) -> NoticePage:
    """Return what the page of a notice shows now."""
    case, found = notice.case, objections_of(session, notice)
    over = notice.closed_at is not None
    summary = ""
    if over:
        upheld, rejected = (
            sum(each.finding is finding for each in found)
            for finding in (ObjectionFinding.UPHELD, ObjectionFinding.NOT_UPHELD)
        )
        summary = f"公示期间收到异议{len(found)}件"
        if found:
            summary += f":成立{upheld}件,不成立{rejected}件,处理中{len(found) - upheld - rejected}件"
        if later := sum(added_later(each) for each in found):
            summary += f";其中{later}件在公示办结以后补登"
        summary += "。"
    return NoticePage(
        number=case.number,
        kind=notice.kind.label,
        times=notice.edition,
        title=case.title,
        unit=case.unit.name,
        office=office_of(case),
        scheme_title=edition_of(case).title,
        paragraphs=tuple(line.strip() for line in notice.text.splitlines() if line.strip()),
        items=tuple(item["label"] for item in notice.items),
        published_on=shanghai_day(notice.published_at),
        ends_on=notice.ends_on,
        period=notice.period,
        prolonged=tuple(
            Prolongation(
                from_day=date.fromisoformat(each["from"]),
                to_day=date.fromisoformat(each["to"]),
                decided_on=date.fromisoformat(each["on"]),
                reason=mask_text(each["reason"]),
            )
            for each in notice.prolonged
        ),
        channels=tuple(ObjectionChannel(code).label for code in notice.channels),
        contact=notice.contact,
        phone=resources.settings.office_phone,
        place=notice.place,
        sha256=notice.sha256,
        state=state_of(case, notice),
        standing=not over,
        result=mask_text(notice.closed_because) if case.status is CaseStatus.CLOSED else "",
        closed_on=shanghai_day(case.closed_at) if case.closed_at else None,
        objections=summary,
        late_note=late_text(session, notice),
    )


def state_of(case: Case, notice: Notice) -> str:
    """Return in one word where a notice stands."""
    if case.outcome is not None:
        return case.outcome.label
    return STANDING if notice.closed_at is None else REVIEWED


def _listed(session: Session) -> dict[str, list[IndexEntry]]:
    query = (
        select(Notice)
        .options(
            # No more than is shown: the rest may be what can not be read of one notice.
            load_only(Notice.case_id, Notice.published_at, Notice.ends_on, Notice.closed_at, Notice.page),
            joinedload(Notice.case).joinedload(Case.unit),
        )
        .order_by(Notice.published_at.desc(), Notice.id.desc())
    )
    listed: dict[str, list[IndexEntry]] = {"standing": [], "over": []}
    for notice in session.scalars(query):
        case = notice.case
        listed["standing" if notice.closed_at is None else "over"].append(
            IndexEntry(
                number=case.number,
                title=case.title,
                unit=case.unit.name,
                published_on=shanghai_day(notice.published_at),
                ends_on=notice.ends_on,
                state=state_of(case, notice),
                page=notice.page,
            )
        )
    return listed


class Fresh:
    """
    A file's new text beside the old one: whoever reads sees the one or the other, whole.

    Many are written before the first is asked to stand, because the disk then takes them together.

    Args:
        path: of the file.
        text: its new text.
    """

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self._beside = path.with_name(f".{path.name}.new")
        with self._beside.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)

    def stand(self) -> None:
        """Put the new text in the old one's place, once it is on the disk."""
        with self._beside.open("rb+") as file:
            os.fsync(file.fileno())
        self._beside.chmod(0o644)
        self._beside.replace(self.path)


def put(path: Path, text: str) -> None:
    """Write a file so that whoever reads it sees the old text or the new one, whole."""
    Fresh(path, text).stand()


@contextmanager
def _turn(folder: Path) -> Iterator[None]:
    """Wait for this writer's turn; the system ends the turn of one that dies."""
    make_public(folder)
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
