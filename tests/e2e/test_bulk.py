"""A sheet of decisions through its deployment: one run, and the forms of the cases it decided move on with them."""

import csv

import pytest

from policies.vocabulary import Gate, Verdict
from tests.e2e.live import Office

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

SHEET = "批量决定.csv"


def test_a_sheet_moves_the_form_of_its_case_and_names_its_faulty_row(office: Office) -> None:
    number, cast = office.open_case(Gate.VILLAGE_FORWARD)
    before = office.waiting(number, Gate.VILLAGE_FORWARD)
    folder = office.resources.settings.documents_folder
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / SHEET).open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(
            [
                ["案件编号", "办理人", "决定"],
                [number, cast.responsible, Verdict.FORWARDED.label],
                ["XZ-2026-9999", cast.responsible, Verdict.FORWARDED.label],
            ]
        )

    told = office.ended(office.start("decide-in-bulk/批量办理", {"entry": {"sheet": SHEET}}))

    assert told.type == "FAILED"
    assert "已办理1行,未办理1行" in told.message
    assert "第3行" in told.message
    assert "没有编号为“XZ-2026-9999”的案件" in told.message
    after = office.waiting(number, Gate.OFFICE_REVIEW, but=before.key)
    assert after.id == before.id, "the suspended run was shown the next gate"
    assert office.runs(tags={"all_": [f"案件:{number}"]}) == [after], "no run was started for it"
    assert f"等待{Gate.OFFICE_REVIEW.label}" in after.name
    assert number in office.description(after)
    assert Gate.OFFICE_REVIEW.label in office.artifact(f"case-{number.lower()}")
    answer = {"by": cast.reviewer, "verdict": Verdict.APPROVED.label, "acknowledged": ["志愿者人数"]}
    assert office.fill_in(after.id, answer)[0] == "ACCEPT"
    assert office.waiting(number, Gate.PLAQUE).id == before.id
    assert office.faults(number) == []
