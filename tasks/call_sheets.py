"""Sheets of a call that people fill in by hand: proposals (申报表), survey counts (调研表), points (评分表)."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from models.case import Case
from policies.errors import Refused
from policies.micro_scheme import Scoring
from runtime.resources import Resources, edition_of
from tasks.call_commands import Proposal, ScoreEntry, SurveyCount
from tasks.call_projects import load_call
from tasks.commands import Command
from tasks.faults import refusal_of
from tasks.sheets import rows_of

C = TypeVar("C", bound=Command)

PROPOSAL_HEADS = {
    "提议人": "proposer",
    "村(居)": "village",
    "项目名称": "title",
    "项目类别": "kind",
    "项目内容": "content",
    "受益对象": "beneficiaries",
    "预期效益": "expected_benefit",
    "申请金额": "amount_yuan",
}
SURVEY_HEADS = {"项目编号": "project", "赞成": "in_favour", "反对": "against", "无所谓": "indifferent"}
SCORE_HEADS = ("项目编号", "评审人")
"""Beside them one column for each criterion of the edition, by its name."""


def read_proposals(folder: Path, name: str) -> list[tuple[int, Proposal]]:
    """
    Read proposals from a sheet below `folder`; its heads are those of `PROPOSAL_HEADS`.

    Returns:
        The number of the row and its proposal.

    Raises:
        Refused: no such file, a head is missing, or rows are faulty; every fault is named by row and column.
    """
    return _read(folder, name, tuple(PROPOSAL_HEADS), Proposal, lambda cells: _by_field(cells, PROPOSAL_HEADS))


def read_survey(folder: Path, name: str) -> list[SurveyCount]:
    """
    Read the counts of a survey from a sheet below `folder`; its heads are those of `SURVEY_HEADS`.

    Raises:
        Refused: as `read_proposals`.
    """

    def fields(cells: dict[str, str]) -> dict[str, object]:
        return {name: text or "0" for name, text in _by_field(cells, SURVEY_HEADS).items()}

    return [count for _, count in _read(folder, name, tuple(SURVEY_HEADS), SurveyCount, fields)]


def read_scores(resources: Resources, call_number: str, folder: Path, name: str) -> list[ScoreEntry]:
    """
    Read points from a sheet below `folder`: one row for each proposal and member, one column for each criterion.

    A row whose points are all empty is passed over: that member has not scored that proposal (yet).

    Raises:
        Refused: as `read_proposals`, or there is no such call.
    """
    with resources.database.read() as session:
        scoring = _scoring(load_call(session, call_number, lock=False))
    criteria = tuple(each.name for each in scoring.criteria)

    def fields(cells: dict[str, str]) -> dict[str, object] | None:
        points = {criterion: cells[criterion] for criterion in criteria}
        if not any(points.values()):
            return None
        if missing := [criterion for criterion, text in points.items() if not text]:
            raise Refused("default", f"“{'、'.join(missing)}”没有填分")
        return {"project": cells["项目编号"], "member": cells["评审人"], "points": points}

    return [entry for _, entry in _read(folder, name, (*SCORE_HEADS, *criteria), ScoreEntry, fields)]


def _scoring(case: Case) -> Scoring:
    return edition_of(case).for_projects.screening.scoring


def sheet_key(folder: Path, name: str) -> str:
    """Return what tells a sheet from every other one, for an import that must happen once: its bytes' digest."""
    path = folder / name
    return f"sheet:{hashlib.sha256(path.read_bytes()).hexdigest()[:24]}" if path.is_file() else f"sheet:{name}"


def _by_field(cells: dict[str, str], heads: dict[str, str]) -> dict[str, object]:
    return {heads[head]: text for head, text in cells.items()}


def _read(
    folder: Path,
    name: str,
    heads: Sequence[str],
    model: type[C],
    fields: Callable[[dict[str, str]], dict[str, object] | None],
) -> list[tuple[int, C]]:
    read, faults = list[tuple[int, C]](), list[str]()
    for number, cells in rows_of(folder, name, tuple(heads), ()):
        try:
            values = fields(cells)
            if values is not None:
                read.append((number, model.model_validate(values)))
        except ValidationError as error:
            faults.append(f"第{number}行:{refusal_of(error, model).reason}")
        except Refused as refusal:
            faults.append(f"第{number}行:{refusal.reason}")
    if faults:
        raise Refused("default", f"表格“{name}”有{len(faults)}行有误,均未登记:{';'.join(faults)}")
    if not read:
        raise Refused("default", f"表格“{name}”没有任何内容")
    return read
