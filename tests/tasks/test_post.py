"""Letters of many cases leave in one go, each with the address of its own case's form."""

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import event, text

from flows.sending import post
from flows.step import Parts
from notifications.smtp import SmtpTransport
from runtime.resources import Resources
from tasks.asks import claim_run
from tasks.deadlines import fire_due
from tasks.post import Waiting, letters_later, post_letters
from tasks.procedure import directly
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


def test_between_two_tries_every_sweep_tells_what_waits_and_until_when(
    both: Township, monkeypatch: pytest.MonkeyPatch
) -> None:
    def smtp(resources: Resources) -> SmtpTransport:
        return SmtpTransport(resources.settings.mailbox, host="127.0.0.1", port=server.port, security="none")

    def swept() -> list[str]:
        failures: list[str] = []
        told = post(both.resources, Parts(directly, failures), at=both.now())
        assert failures == []
        return told

    number = both.apply()
    both.clock.move_to(at("2018-10-31 09:00"))
    fire_due(both.resources, at=both.now())
    monkeypatch.setattr(Resources, "transport", smtp)
    with running(MailServer()) as server:
        pass  # it has a port that nobody listens at any more
    sent, waits, trouble = swept()
    assert (sent, waits) == (
        "寄出0封,待重寄1封,无法寄达0封",
        "共有1封待寄,最早的2018-10-31 09:05以后自动再寄",
    )
    assert trouble == (
        f"寄信中断:邮件服务器 127.0.0.1:{server.port} 连接不上:拒绝连接(该端口没有邮件服务,或被防火墙挡住)"
    )
    both.clock.advance(timedelta(minutes=1))
    assert swept() == ["寄出0封,待重寄0封,无法寄达0封", waits]
    assert letters_later(both.resources, at=both.now(), number=number).count == 1
    both.clock.advance(timedelta(minutes=4))
    assert letters_later(both.resources, at=both.now()) == Waiting(1)
    with running(MailServer(port=server.port)) as server:
        assert swept() == ["寄出1封,待重寄0封,无法寄达0封"]


def test_a_letter_whose_moment_was_tampered_with_is_counted_all_the_same(town: Township) -> None:
    town.apply()
    town.clock.move_to(at("2018-10-31 09:00"))
    fire_due(town.resources, at=town.now())
    with town.resources.database.write() as session:
        session.execute(text("UPDATE outbox SET next_attempt_at = 'soon' WHERE status = 'queued'"))
    assert letters_later(town.resources, at=town.now()) == Waiting(1)
