"""
Archives: closed cases written into one file that can be read and verified later, without the database.

Writing takes nothing away; what goes is taken out by `tasks.archive_removal`, after the file was verified.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import Case, PublishedEdition
from models.registry import Person, RoleHolding, held_on
from policies.errors import Refused
from policies.vocabulary import CaseKind, Outcome, Role
from rules.periods import SHANGHAI
from runtime.resources import Resources
from tasks.archive_choice import Matter, Wanted, letters_until, matters
from tasks.archive_file import FORMAT, MANIFEST, READ_ME, SUMS, ArchiveWriter, reading, writing
from tasks.archive_page import PAGE, page_of
from tasks.archive_tables import Rows, referred, rows_by_case, schema
from tasks.cases import local_day, person_of

_AT_ONCE = 50
_ARCHIVISTS = (Role.OFFICE_HEAD, Role.OFFICE_REVIEWER)


@dataclass
class Made:
    """What making an archive came to."""

    path: Path | None
    """The file; None: there was nothing to write, or it was only asked what would be written."""
    cases: int = 0
    going: list[str] = field(default_factory=list)
    """Numbers of the cases that may be taken out of the database afterwards; empty of a file that was written."""
    left: list[tuple[str, str, str]] = field(default_factory=list)
    """Matter, case in it and cause, of what was not written."""


def make_archive(
    resources: Resources, *, to: Path, wanted: Wanted, by: str, at: datetime, dry_run: bool = False
) -> Made:
    """
    Write the closed cases that may be archived into a file of `to`.

    Args:
        to: folder of the archives; the file gets a name of its own and never takes another's.
        wanted: which cases.
        by: who archives.
        at: now.
        dry_run: only tell what would be written and what not.

    Raises:
        Refused: no such person, unit or file system; or nobody of the office.
    """
    made = Made(None)
    with ExitStack() as file:
        with resources.database.read() as session:
            who = archivist(session, by, at=at)
            found = matters(session, wanted, at=at, documents=resources.settings.documents_folder)
            taken = (matter for matter in _told(found, made, wanted))
            if dry_run:
                made.going = [case.number for matter in taken for case in matter.cases]
                made.cases = len(made.going)
                return made
            first = next(taken, None)
            if first is None:
                return made
            path = to / f"ketang-{at.astimezone(SHANGHAI):%Y%m%d-%H%M%S}.zip"
            archive = file.enter_context(writing(path))
            manifest = _write(
                resources, session, archive, chain([first], taken), made=made, wanted=wanted, who=who, at=at
            )
        # Out of the view: a large file is hashed and brought to the disk longer than a database lets a view be idle.
        archive.close(manifest)
    made.path = path
    return made


def archivist(session: Session, text: str, *, at: datetime) -> Person:
    """Return the person of an office who archives; Refused when it is nobody of an office."""
    person, on = person_of(session, text), local_day(at)
    held = select(RoleHolding.id).where(
        RoleHolding.person_id == person.id,
        RoleHolding.role.in_(_ARCHIVISTS),
        held_on(on),
    )
    if session.scalars(held).first() is None:
        able = "或".join(role.label for role in _ARCHIVISTS)
        raise Refused("default", f"{person.display}无权归档:须由{able}办理")
    return person


def _told(found: Iterable[Matter], made: Made, wanted: Wanted) -> Iterator[Matter]:
    """Yield what is to be written, and note why the others are not."""
    for matter in found:
        causes = matter.hindered or ([] if wanted.staying else matter.stays)
        if causes:
            made.left += [(matter.number, number, cause) for number, cause in causes]
        else:
            yield matter


def _write(
    resources: Resources,
    session: Session,
    archive: ArchiveWriter,
    taken: Iterator[Matter],
    *,
    made: Made,
    wanted: Wanted,
    who: Person,
    at: datetime,
) -> dict[str, Any]:
    """Write all but the manifest, which is returned."""
    archive.add(READ_ME, READ_ME_TEXT.encode())
    display, editions, listed = who.display, set[str](), list[dict[str, Any]]()
    counts: dict[str, int] = {}
    for matter in taken:
        stays = bool(matter.stays)
        ids = [case.id for case in matter.cases]
        for start in range(0, len(ids), _AT_ONCE):
            for rows in rows_by_case(session, ids[start : start + _AT_ONCE]).values():
                refers = referred(session, rows)
                (row,) = rows["cases"]
                letters = letters_until(session.get_one(Case, row["id"]), wanted.before, on=local_day(at))
                listed.append({**_add_case(archive, rows, refers), "stays": stays, "letters_before": str(letters)})
                _add_files(resources, archive, rows)
                editions.add(row["edition_id"])
                for name, some in rows.items():
                    counts[name] = counts.get(name, 0) + len(some)
    for edition_id in sorted(editions):
        archive.add(f"editions/{edition_id}.yaml", session.get_one(PublishedEdition, edition_id).text)
    made.cases = len(listed)
    return {
        "format": FORMAT,
        "page": PAGE,
        "product": f"ketang {version('ketang')}",
        "schema": schema(),
        "made_at": at.isoformat(),
        "made_by": display,
        "before": wanted.before.isoformat(),
        "cases": listed,
        "rows": counts,
    }


def _add_case(archive: ArchiveWriter, rows: Rows, refers: Rows) -> dict[str, Any]:
    (case,) = rows["cases"]
    number = case["number"]
    told = {"format": FORMAT, "number": number, "tables": rows, "refers": refers}
    archive.add(data_name(number), json.dumps(told, ensure_ascii=False, indent=1).encode())
    archive.add(page_name(number), page_of(rows, refers).encode())
    return {
        "number": number,
        "kind": case["kind"],
        "title": case["title"],
        "outcome": case["outcome"],
        "opened_at": case["opened_at"],
        "closed_at": case["closed_at"],
        "rows": case["history_seq"],
        "head": case["history_head"],
    }


def _add_files(resources: Resources, archive: ArchiveWriter, rows: Rows) -> None:
    """Add filed documents, papers that were made for the case, and the page of a notice."""
    settings = resources.settings
    (case,) = rows["cases"]
    filed = {row["reference"] for row in rows.get("documents", [])}
    for row in rows.get("documents", []):
        archive.add_file(document_name(case["number"], row), settings.documents_folder / row["reference"])
    papers = settings.documents_folder / case["number"]
    for path in sorted(papers.rglob("*")) if papers.is_dir() else ():
        name = path.relative_to(settings.documents_folder).as_posix()
        if path.is_file() and name not in filed:
            archive.add_file(f"papers/{name}", path)
    for row in rows.get("notices", []):
        page = settings.notices_folder / row["page"]
        if row["page"] and page.is_file():
            archive.add_file(f"notices/{case['number']}/{row['page']}", page)


def data_name(number: str) -> str:
    """Return the member that holds a case's rows."""
    return f"cases/{number}.json"


def page_name(number: str) -> str:
    """Return the member that is a case's page."""
    return f"cases/{number}.html"


def document_name(number: str, row: dict[str, Any]) -> str:
    """Return the member that is a filed document."""
    return f"documents/{number}/{row['id']}-{Path(row['reference']).name}"


@dataclass(frozen=True)
class Listed:
    """A case in an archive file, as its manifest says."""

    number: str
    kind: str
    title: str
    outcome: str
    closed_at: str
    stays: bool


def list_archive(path: Path) -> tuple[str, list[Listed]]:
    """Return when, by whom and up to which day a file was made, and the cases in it; Refused: it can not be read."""
    with reading(path) as archive:
        said = archive.manifest
        made = datetime.fromisoformat(said["made_at"]).astimezone(SHANGHAI)
        head = f"{path.name}:{said['made_by']}归档于{made:%Y-%m-%d %H:%M},{said['before']}以前办结的案件"
        head += f"{len(said['cases'])}件"
        return head, [
            Listed(
                number=each["number"],
                kind=CaseKind(each["kind"]).label,
                title=each["title"],
                outcome=Outcome(each["outcome"]).label,
                closed_at=f"{datetime.fromisoformat(each['closed_at']).astimezone(SHANGHAI):%Y-%m-%d}",
                stays=each["stays"],
            )
            for each in said["cases"]
        ]


READ_ME_TEXT = f"""客堂归档文件

本文件是一个普通的 ZIP,里面是已办结案件的全部记录。不需要客堂系统,用任何解压程序打开即可阅读。

怎样看
  cases/案件编号.html   一案一页的案卷:经过、决定、农户答复、信函原文、材料的摘要。用浏览器打开,可以打印。
  cases/案件编号.json   同一案件在数据库中的全部记录,供程序读取。
  documents/            登记过的材料原件。
  papers/               为案件打印过的文书。
  notices/              公示网页。
  editions/             案件所依据的政策全文。
  {MANIFEST}         归档的时间、经办人、案件清单、每个文件的 SHA-256、每案末条办理记录的摘要。

怎样核对
  1. 整个文件:与归档时另存的 .sha256 文件放在一起,运行 sha256sum -c 文件名.sha256
  2. 各个文件:解压后在文件夹中运行 sha256sum -c {SUMS}
  3. 记录本身:有客堂程序时,运行 ketang archive verify 文件名(不需要数据库):
     逐条重算办理记录的摘要链,并与决定、公示、评分、台账等各项记录对照。

保管
  里面有住户姓名、地址、电子邮箱等个人信息。文件只许经办人读取(权限 0600),请勿外传;
  请在两处以上保存,并把 .sha256 文件另存一处。保管期限按档案管理的规定。
"""
"""What the archive says of itself."""
