"""One broken item does not stop the others, and is not given up."""

import pytest

from policies.vocabulary import Gate, TimerKind
from tasks import deadlines, escalations
from tasks.deadlines import fire_due, recompute_provisional
from tests.desks import OpenTown, publish_2027
from tests.township import Township, at

GROUPS = ("ZD02", "ZD03", "ZD04")
NOBODY = "0" * 64


def change(town: Township, statement: str) -> None:
    with town.resources.database.engine.begin() as connection:
        connection.exec_driver_sql(statement)


def break_case(town: Township, number: str) -> str:
    """Let the case be pinned to a text that is not there; return what was there before."""
    sha256 = town.case(number).edition_sha256
    change(town, f"UPDATE cases SET edition_sha256 = '{NOBODY}' WHERE number = '{number}'")
    return sha256


def four_cases(town: Township, *, others_on: str = "2018-10-08 10:00") -> list[str]:
    """Open a case, and three more in other groups on the same or a later day."""
    numbers = [town.apply()]
    town.clock.move_to(at(others_on))
    for group in GROUPS:
        town.add_group(group)
        numbers.append(town.apply(household=f"{group}-001"))
    return numbers


def failures(town: Township) -> list[tuple[int, str]]:
    with town.resources.database.read() as session:
        rows = session.connection().exec_driver_sql("SELECT failures, last_error FROM timers ORDER BY id")
        return [(count, error) for count, error in rows if count]


def test_a_broken_case_stops_no_other_and_its_failure_is_on_record(
    both: Township, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = both
    broken, *others = four_cases(town, others_on="2018-10-20 10:00")
    monkeypatch.setattr(deadlines, "BATCH", 1)  # the broken one's timers, the oldest, alone would fill a batch
    sha256 = break_case(town, broken)
    counts = town.sleep_until("2018-11-20 09:00")

    assert counts.lapses == 3
    (failure,) = counts.failures
    assert broken in failure
    assert "BadPolicy" in failure
    assert [count for count, _ in failures(town)] == [1] * 5
    assert all("已被改动,请核查" in error for _, error in failures(town))
    assert town.gate(broken) is Gate.HOUSEHOLD_CONSENT
    assert [town.gate(number) for number in others] == [Gate.CORRECTION] * 3
    assert {entry.status.value for entry in town.entries()} == {"sent"}, "letters of the others leave all the same"

    for _ in range(30):
        assert fire_due(town.resources, at=town.now()).lapses == 0
    change(town, f"UPDATE cases SET edition_sha256 = '{sha256}' WHERE number = '{broken}'")
    assert town.sleep_until("2018-11-21 09:00").lapses == 1, "a deadline is never given up"
    assert town.gate(broken) is Gate.CORRECTION
    assert town.decisions(broken)[0].effective_at == at("2018-11-08 00:00")


def test_a_letter_that_can_not_be_written_undoes_its_reminder_only(
    town: Township, monkeypatch: pytest.MonkeyPatch
) -> None:
    about, broken = escalations.about, four_cases(town)[2]

    def fails(case: object) -> object:
        found = about(case)  # type: ignore[arg-type]
        return found | {"township": ""} if found["case_number"] == broken else found

    monkeypatch.setattr(escalations, "about", fails)
    counts = town.sleep_until("2018-10-31 09:00")
    assert counts.reminders == 3
    assert len(counts.failures) == 1
    assert [row.kind for row in town.history(broken)].count("reminded") == 0
    monkeypatch.setattr(escalations, "about", about)
    assert town.sleep_until("2018-10-31 09:05").reminders == 1
    assert len(town.told("reminder")) == 4


def test_a_due_day_that_can_not_be_computed_stops_no_other(open_sqlite: OpenTown) -> None:
    town = open_sqlite("example-2026", "2026-12-10 10:00")
    town.add_group("ZD02")
    first, second = town.apply(), town.apply(household="ZD02-001")
    publish_2027(town)
    break_case(town, first)
    assert recompute_provisional(town.resources, at=town.now()) == 1
    assert [town.item(first).provisional, town.item(second).provisional] == [True, False]
    assert all("BadPolicy" in error for _, error in failures(town))
    assert {timer.kind for timer in town.timers(first)} == {TimerKind.REMINDER, TimerKind.ESCALATION, TimerKind.LAPSE}
