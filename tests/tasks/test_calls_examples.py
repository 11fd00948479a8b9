"""The example's township and its ready sheets carry a call from the proposals to the selection."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from examples.generate import PANEL, WORKBOOK, rows
from examples.sheets import EDITION, FOLDER, IDEAS, PROPOSALS, SCORES, SURVEY, tables, write
from models.registry import Person, RoleHolding
from policies.vocabulary import Door, Gate, ProjectStanding, Role
from tasks import proposals, screenings, surveys
from tasks.call_commands import RecordSurvey, Screen
from tasks.call_sheets import read_proposals, read_scores, read_survey
from tasks.registry import import_registry
from tests.calls import CallTown, call_town


def cells(path: Path) -> list[list[object]]:
    """What stands in a sheet."""
    return [list(line) for line in load_workbook(path).worksheets[0].iter_rows(values_only=True)]


@pytest.fixture
def town(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CallTown]:
    """The example's township instead of the tests' own."""
    monkeypatch.setattr(CallTown, "settle", lambda self, edition, **_: setattr(self, "edition_id", edition))
    with call_town(sqlite_url, tmp_path, edition=EDITION) as town:
        import_registry(town.resources.database, WORKBOOK, at=town.now())
        yield town


def test_the_sheets_are_what_their_script_writes(tmp_path: Path) -> None:
    write(tmp_path)
    for name, lines in tables().items():
        assert cells(FOLDER / name) == cells(tmp_path / name) == [[*line] for line in lines]


def test_the_ready_sheets_carry_a_call_to_its_notice(town: CallTown) -> None:
    reviewer = role_holder(town, Role.OFFICE_REVIEWER)
    panel = [str(line[0]) for line in rows()["人员"][-PANEL:]]
    town.open_call(by=reviewer, unit="SL", panel=panel, budget_yuan="20000")
    read = read_proposals(FOLDER, PROPOSALS)
    filed = proposals.import_proposals(town.resources, town.number, read, sheet=PROPOSALS, key="sheet", at=town.now())
    assert len(filed) == len(IDEAS) == 8
    town.end_window()

    counts = read_survey(FOLDER, SURVEY)
    survey = RecordSurvey(case=town.number, by=reviewer, channel="入户走访", counts=counts, complete=True)
    surveys.record_survey(town.resources, survey, door=Door.SHEET, at=town.now())
    town.rehearsal.carry(town.number)
    assert town.gate() is Gate.SCREENING

    scores = read_scores(town.resources, town.number, FOLDER, SCORES)
    command = Screen(case=town.number, by=reviewer, scores=scores, complete=True)
    screenings.screen(town.resources, command, door=Door.SHEET, at=town.now())
    town.rehearsal.carry(town.number)
    assert town.gate() is Gate.SELECTION_NOTICE
    assert set(town.standings().values()) == {
        ProjectStanding.SELECTED,
        ProjectStanding.OVER_BUDGET,
        ProjectStanding.NOT_SUPPORTED,
    }


def role_holder(town: CallTown, role: Role) -> str:
    """The code of somebody who holds a role."""
    with town.resources.database.read() as session:
        return session.scalars(select(Person.code).join(RoleHolding).where(RoleHolding.role == role)).first() or ""
