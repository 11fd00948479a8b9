"""One broken item does not stop the others, and is not given up."""

import pytest

from policies.vocabulary import Gate, TimerKind
from tasks import deadlines
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


@pytest.fixture
def four(both: Township) -> tuple[Township, list[str]]:
    for group in GROUPS:
        both.add_group(group)
    return both, [both.apply(household=f"{group}-001") for group in ("ZD01", *GROUPS)]


def failures(town: Township) -> list[tuple[int, str]]:
    with town.resources.database.read() as session:
        rows = session.connection().exec_driver_sql("SELECT failures, last_error FROM timers ORDER BY id")
        return [(count, error) for count, error in rows if count]


def test_a_broken_case_stops_no_other_and_its_failure_is_on_record(
    four: tuple[Township, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    town, numbers = four
    monkeypatch.setattr(deadlines, "BATCH", 1)  # the broken one's timers alone would fill a batch
    sha256 = break_case(town, numbers[1])
    counts = town.sleep_until("2018-11-08 09:00")

    assert counts.lapses == 3
    (failure,) = counts.failures
    assert numbers[1] in failure
    assert "BadPolicy" in failure
    assert failures(town) == [(1, failures(town)[0][1])] * 5
    assert "已被改动,请核查" in failures(town)[0][1]
    assert [town.gate(number) for number in numbers] == [
        Gate.CORRECTION,
        Gate.HOUSEHOLD_CONSENT,
        Gate.CORRECTION,
        Gate.CORRECTION,
    ]
    assert {entry.status.value for entry in town.entries()} == {"sent"}, "letters of the others leave all the same"

    for _ in range(30):
        assert fire_due(town.resources, at=town.now()).lapses == 0
    change(town, f"UPDATE cases SET edition_sha256 = '{sha256}' WHERE number = '{numbers[1]}'")
    assert town.sleep_until("2018-11-09 09:00").lapses == 1, "a deadline is never given up"
    assert town.gate(numbers[1]) is Gate.CORRECTION
    assert town.decisions(numbers[1])[0].effective_at == at("2018-11-08 00:00")


def test_a_letter_that_can_not_be_written_undoes_its_reminder_only(
    four: tuple[Township, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    town, numbers = four
    about, broken = deadlines.about, numbers[2]

    def fails(case: object) -> object:
        found = about(case)  # type: ignore[arg-type]
        return found | {"township": ""} if found["case_number"] == broken else found

    monkeypatch.setattr(deadlines, "about", fails)
    counts = town.sleep_until("2018-10-31 09:00")
    assert counts.reminders == 3
    assert len(counts.failures) == 1
    assert [row.kind for row in town.history(broken)].count("reminded") == 0
    monkeypatch.setattr(deadlines, "about", about)
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
