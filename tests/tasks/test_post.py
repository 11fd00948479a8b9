"""Letters of many cases leave in one go, each with the address of its own case's form."""

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import event

from notifications.smtp import SmtpTransport
from runtime.resources import Resources
from tasks.asks import claim_run
from tasks.deadlines import fire_due
from tasks.post import post_letters
from tests.notifications.mailserver import MailServer, running
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


def test_after_a_long_pass_the_letters_are_claimed_from_now_on(both: Township, monkeypatch: pytest.MonkeyPatch) -> None:
    def smtp(resources: Resources) -> SmtpTransport:
        return SmtpTransport(resources.settings.mailbox, host="127.0.0.1", port=server.port, security="none")

    def another_pass() -> None:
        server.upon_letter = None
        assert post_letters(both.resources, at=both.now()).sent == 0

    both.apply()
    both.clock.move_to(at("2018-10-31 09:00"))
    begun = both.now()
    fire_due(both.resources, at=begun)
    both.clock.advance(timedelta(days=1))
    monkeypatch.setattr(Resources, "transport", smtp)
    with running(MailServer(upon_letter=another_pass)) as server:
        assert post_letters(both.resources, at=begun).sent == len(server.ids) > 0
    assert set(Counter(server.ids).values()) == {1}
    assert {entry.sent_at for entry in both.entries("reminder")} == {both.now()}
