"""The sheet of a campaign (督查表): a row for each site that was visited, a column for each point of the checklist."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sqlalchemy.orm import Session

from models.case import Case
from policies.errors import Refused
from policies.life_words import Finding
from policies.vocabulary import CaseKind, Door, Verdict
from rules.window import spoken_day
from runtime.resources import Resources
from tasks.cases import Asked, person_of
from tasks.faults import refusal_of
from tasks.inspection_commands import RecordVisit
from tasks.inspection_points import inspections_in, load_of, rule_of
from tasks.inspection_visits import record_visit
from tasks.registry_cells import date_of
from tasks.sheet_rows import BoundSheet, bind, row_of
from tasks.sheets import rows_of

HEADS = ("案件编号", "客堂间", "检查日期", "检查人", "结论", "整改期限", "理由", "照片或记录", "经办人")
"""Beside them one column for each point of the edition's checklist, by its name."""
OPTIONAL = ("案件编号", "客堂间", "整改期限", "理由", "照片或记录", "经办人")
PASSED = ("合格", Verdict.PASSED.label)
VisitRow = tuple[int, str, "RecordVisit | Refused"]
"""Number of the row, the inspection's number ("" when it names none), and what is recorded, or why it can not be."""


def read_visits(resources: Resources, campaign_number: str, folder: Path, name: str, *, by: str) -> list[VisitRow]:
    """
    Read a sheet of visits below `folder`.

    A row names its inspection by 案件编号 or by 客堂间 (number of the site). A point says ``符合``, ``不符合:情况`` or
    ``不适用:说明``. A row that is faulty does not stop the others.

    Args:
        campaign_number: whose sites are in the sheet.
        by: who records the rows that name nobody (经办人).

    Raises:
        Refused: no such file, no such campaign, nobody is called `by`, a head is missing, or the sheet is empty.
    """
    with resources.database.read() as session:
        person_of(session, by)
        case = load_of(session, campaign_number, CaseKind.CAMPAIGN, lock=False)
        points = tuple(point.name for point in rule_of(case).checklist)
        known = _inspections(session, case)
    read = list[VisitRow]()
    for number, cells in rows_of(folder, name, (*HEADS, *points), OPTIONAL):
        inspection = ""
        try:
            inspection = _inspection(cells, known, campaign_number)
            read.append((number, inspection, RecordVisit.model_validate(_fields(cells, points, inspection, by))))
        except ValidationError as error:
            read.append((number, inspection, refusal_of(error, RecordVisit)))
        except Refused as refusal:
            read.append((number, inspection, refusal))
    if not read:
        raise Refused("default", f"表格“{name}”没有任何内容")
    return read


def bound_visits(
    resources: Resources, campaign_number: str, folder: Path, name: str, *, by: str, at: datetime
) -> BoundSheet:
    """
    Read a sheet of visits below `folder`, as `read_visits`, and bind its rows to the visits that wait.

    Args:
        at: the moment of all of them.

    Raises:
        Refused: as `read_visits`.
    """
    read = read_visits(resources, campaign_number, folder, name, by=by)

    def record(visit: RecordVisit, asked: Asked) -> object:
        return record_visit(resources, visit, door=Door.SHEET, at=at, asked=asked)

    rows = [row_of(number, visit, case=case, decide=record) for number, case, visit in read]
    return bind(resources, folder=folder, name=name, rows=rows, at=at)


def _inspections(session: Session, case: Case) -> dict[str, str]:
    """Return the inspections of a campaign by their own number and by that of their site."""
    found = dict[str, str]()
    for each in inspections_in(session, case):
        found[each.case.number] = found[each.site.number.upper()] = each.case.number
    return found


def _inspection(cells: Mapping[str, str], known: Mapping[str, str], campaign_number: str) -> str:
    named = [text.upper() for head in ("案件编号", "客堂间") if (text := cells.get(head, ""))]
    if not named:
        raise Refused("default", "案件编号和客堂间都未填写,须填其一")
    if unknown := [text for text in named if text not in known]:
        raise Refused("default", f"督查 {campaign_number} 中没有“{'、'.join(unknown)}”")
    numbers = {known[text] for text in named}
    if len(numbers) > 1:
        raise Refused("default", f"案件编号和客堂间不是同一处:{'、'.join(named)}")
    return numbers.pop()


def _fields(cells: Mapping[str, str], points: tuple[str, ...], inspection: str, by: str) -> dict[str, Any]:
    if empty := [point for point in points if not cells[point]]:
        raise Refused("default", f"检查点未填写:{'、'.join(empty)}")
    verdict = cells["结论"]
    return {
        "case": inspection,
        "by": cells.get("经办人") or by,
        "visited_on": _day(cells["检查日期"], "检查日期"),
        "inspectors": cells["检查人"],
        "findings": [finding_of(point, cells[point]) for point in points],
        "verdict": Verdict.PASSED.label if verdict in PASSED else verdict,
        "rectify_by": _day(cells.get("整改期限", ""), "整改期限"),
        "reason": cells.get("理由", ""),
        "proof": cells.get("照片或记录", ""),
    }


def finding_of(point: str, text: str) -> dict[str, str]:
    """Return the fields of a `PointFound` from what somebody wrote, e.g. ``不符合:缺少凭证``; Refused otherwise."""
    word, _, note = re.sub(r"[:\uff1a,\uff0c]", ":", text, count=1).partition(":")
    if Finding.by_label(word) is None:
        words = "、".join(each.label for each in Finding)
        raise Refused("default", f"“{point}”填的是“{text}”,须以 {words} 之一开头,情况写在冒号后,例如 不符合:缺少凭证")
    return {"point": point, "found": word.strip(), "note": note.strip()}


def _day(text: str, head: str) -> date | None:
    if not text:
        return None
    try:
        return date_of(text.removesuffix(" 00:00:00"))
    except ValueError as error:
        raise Refused("default", f"“{head}”填的是“{text}”,须是日期,例如 {spoken_day(date(2026, 3, 5))}") from error
