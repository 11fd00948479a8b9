"""Letters of many cases leave in one go, each with the address of its own case's form."""

from sqlalchemy import event

from tasks.asks import claim_run
from tasks.deadlines import fire_due
from tasks.post import post_letters
from tests.township import Township, at


def test_each_letter_links_to_the_run_of_its_case_asked_once_for_all(both: Township) -> None:
    town = both
    runs = {}
    for number, group in enumerate(("ZD01", "ZD02", "ZD03")):
        if number:
            town.add_group(group)
        runs[town.apply(household=f"{group}-001")] = f"0000000{number}-run"
    asked: list[str] = []
    for case, run in runs.items():
        claim_run(town.resources, case, run)
    town.clock.move_to(at("2018-10-31 09:00"))
    fire_due(town.resources, at=town.now())
    event.listen(town.resources.database.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    assert post_letters(town.resources, at=town.now()).sent == 3
    for entry in town.entries("reminder"):
        (case,) = (number for number in runs if number in entry.context["case_number"])
        assert f"/runs/flow-run/{runs[case]}" in entry.sent_text
    assert sum("flow_run_id" in statement for statement in asked) == 1
