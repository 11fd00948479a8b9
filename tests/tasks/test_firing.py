"""Reminders and escalations fired many at a time write what they write one by one; what breaks stops no other."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import event, select

from models import Base
from models.work_item import WorkItem
from policies.vocabulary import Answer, Gate, Role, Verdict
from tasks import deadlines, firing
from tasks.act import Act, acting
from tasks.cases import load_case
from tasks.deadlines import SweepCounts, fire_due
from tasks.firing import DueCase, Fired, fire_together
from tasks.history import verify
from tests import meetings
from tests.desks import Desk, OpenTown, opener, publish_2027
from tests.notices import Board
from tests.projects import confirmed
from tests.township import GROUP_HEAD, HEAD_OF_OFFICE, LEADER, RESPONSIBLE, REVIEWER, SECOND_REVIEWER, Township, at

GROUPS = tuple(f"ZD{number:02d}" for number in range(2, 7))
COMPARED = (
    *("cases", "work_items", "timers", "history", "outbox", "decisions", "consents", "notices", "objections"),
    *("campaigns", "inspections", "visits", "service_orders", "activities", "meetings", "resolutions"),
    *("site_changes", "sites", "site_spells", "role_holdings"),
)
LEFT_OUT = {
    # Given in the order of writing, which is the batch's own; the letter's key and the fact's place tell them apart.
    "outbox": {"id", "message_id"},
    "history": {"id"},
    "decisions": {"id"},
    "work_items": {"subject_id"},
}


def stands(town: Township) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the tables that a sweep writes, in an order that does not depend on when it was written."""
    found = {}
    with town.resources.database.read() as session:
        for name in COMPARED:
            table = Base.metadata.tables[name]
            columns = [each for each in table.c if each.name not in LEFT_OUT.get(name, ())]
            rows = [tuple(str(value) for value in row) for row in session.execute(select(*columns))]
            found[name] = sorted(rows)
    return found


GATES = (Gate.HOUSEHOLD_CONSENT, Gate.VILLAGE_FORWARD, Gate.OFFICE_REVIEW, Gate.CORRECTION, Gate.PLAQUE)


def several(town: Township) -> Township:
    """Cases at every gate of the site's life, each in a group of its own; the review was handed over."""
    town.apply()
    town.answer({"ZD01-001": Answer.AGREE, "ZD01-003": Answer.OBJECT})
    for group, gate in zip(GROUPS, GATES, strict=True):
        town.add_group(group)
        town.apply(household=f"{group}-001")
        if gate is Gate.HOUSEHOLD_CONSENT:
            continue
        town.everybody_agrees()
        if gate is Gate.CORRECTION:
            town.decide(Verdict.RETURNED, by=RESPONSIBLE, reason="请补充")
        elif gate is not Gate.VILLAGE_FORWARD:
            town.decide(Verdict.FORWARDED, by=RESPONSIBLE)
        if gate is Gate.OFFICE_REVIEW:
            town.hand_over(by=REVIEWER, to=SECOND_REVIEWER)
        if gate is Gate.PLAQUE:
            town.decide(Verdict.APPROVED, by=REVIEWER)
    return town


def each_day(town: Township) -> list[SweepCounts]:
    """Nobody in the village and no group head: the gates ask those above, and one of those can not be reached."""
    for code in (RESPONSIBLE, GROUP_HEAD):
        town.end_role(code, at("2018-10-12 00:00").date())
    town.set_email(SECOND_REVIEWER, None)
    return [town.sleep_until(f"2018-{day} 09:00") for day in ("10-15", "10-17", "10-19", "10-23", "10-31")]


def late(town: Township) -> list[SweepCounts]:
    """
    Down for weeks: reminders are merged, escalations and lapses come late.

    One leader is struck off, one address has blanks around it, and somebody new has come.
    """
    change(town, f"UPDATE people SET active = (code <> '{LEADER}')")
    town.set_email(HEAD_OF_OFFICE, " p003@office.example ")
    town.add_person("P040", "新来的", Role.VILLAGE_RESPONSIBLE, "ZD")
    return [town.sleep_until("2018-10-18 15:00"), town.sleep_until("2018-11-20 12:00")]


def change(town: Township, statement: str) -> None:
    with town.resources.database.engine.begin() as connection:
        connection.exec_driver_sql(statement)


def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadlines, "fire_together", lambda act, due: Fired())


def counted_together(monkeypatch: pytest.MonkeyPatch, at_gates: set[Gate] | None = None) -> list[int]:
    """Note how many work items each batch did, and at which gates."""
    done: list[int] = []

    def fire(act: Act, due: Sequence[DueCase]) -> Fired:
        fired = fire_together(act, due)
        done.append(len(fired.items))
        if at_gates is not None and fired.items:
            at_gates.update(act.session.scalars(select(WorkItem.gate).where(WorkItem.id.in_(fired.items))))
        return fired

    monkeypatch.setattr(deadlines, "fire_together", fire)
    return done


def both_ways(
    open_town: Callable[[], Township],
    act: Callable[[Township], list[SweepCounts]],
    monkeypatch: pytest.MonkeyPatch,
    *,
    at_gates: set[Gate] | None = None,
) -> list[int]:
    """
    See that the town stands the same after both ways; return how many work items each batch did.

    Args:
        at_gates: gets the gates at which something was fired together.
    """
    with monkeypatch.context() as way:
        done = counted_together(way, at_gates)
        town = open_town()
        together, counted = act(town), stands(town)
        with town.resources.database.read() as session:
            assert list(verify(session)) == []
    with monkeypatch.context() as way:
        one_by_one(way)
        town = open_town()
        alone = act(town)
    assert together == alone
    assert not any(each.failures for each in alone)
    kept = stands(town)
    for table in COMPARED:
        assert counted[table] == kept[table], table
    return done


def test_a_late_pass_writes_together_what_it_writes_one_by_one(
    open_town: OpenTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = both_ways(lambda: several(open_town("zhujiajiao-2018", "2018-10-10 10:00")), late, monkeypatch)
    assert max(done) >= 2


def test_every_days_pass_writes_together_what_it_writes_one_by_one(
    open_sqlite: OpenTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = both_ways(lambda: several(open_sqlite("zhujiajiao-2018", "2018-10-10 10:00")), each_day, monkeypatch)
    assert max(done) >= 2
    assert sum(done) >= 5


def test_projects_meetings_and_provisional_days_are_told_the_same(
    open_sqlite: OpenTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened() -> Township:
        town = meetings.settle(open_sqlite("example-2026", "2026-12-07 10:00"))
        town.apply()
        meetings.call(town, days=14)
        return town

    def act(town: Township) -> list[SweepCounts]:
        counts = [town.sleep_until("2026-12-18 09:00")]
        publish_2027(town)
        days = ("2026-12-21 09:00", "2026-12-25 09:00", "2027-01-05 09:00", "2027-01-11 09:00")
        return counts + [town.sleep_until(day) for day in days]

    both_ways(opened, act, monkeypatch)


def test_a_projects_leader_is_reminded_and_reported_the_same(
    open_sqlite: OpenTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened() -> Township:
        town = open_sqlite("example-micro-2026", "2026-03-02 10:00")
        confirmed(town)
        return town

    done = both_ways(opened, lambda town: [town.sleep_until(f"2026-{day} 09:00") for day in DAYS], monkeypatch)
    assert sum(done) >= 2


@pytest.mark.parametrize("found", ["2026-03-13 00:20", "2026-03-16 08:30"])
def test_notices_end_the_same_in_time_and_late(
    open_town: OpenTown, monkeypatch: pytest.MonkeyPatch, found: str
) -> None:
    """Nobody objects to two, somebody does to the third, the fourth stands longer."""

    def opened() -> Township:
        town = open_town("example-micro-2026", "2026-03-02 10:00")
        board = Board(town)
        for key in range(4):
            board.publish(key=str(key), title=f"第{key}件")
            if key == 2:
                board.object()
            if key == 3:
                board.prolong("2026-03-17")
        return town

    done = both_ways(opened, lambda town: [town.sleep_until("2026-03-06 09:00"), town.sleep_until(found)], monkeypatch)
    assert max(done) >= 2, "but not the one that was objected to"


DAYS = tuple(f"03-{day:02d}" for day in range(5, 32, 2))


def due(town: Township) -> list[DueCase]:
    return deadlines._due_items(town.resources, town.now(), set())


def reminded_thrice(town: Township) -> Township:
    """Three cases of which the consent is due for its first reminder."""
    town.apply()
    for group in GROUPS[:2]:
        town.add_group(group)
        town.apply(household=f"{group}-001")
    town.clock.move_to(at("2018-10-31 09:00"))
    assert len(due(town)) == 3
    return town


def test_what_can_not_be_written_together_is_written_one_by_one(
    both: Township, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = reminded_thrice(both)

    def breaks(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(firing, "append_many", breaks)
    counts = fire_due(town.resources, at=town.now())
    assert (counts.reminders, counts.failures) == (3, [])
    assert town.told("reminder") == ["顾组长"] * 3, "nothing stands of what was begun together"


def test_the_same_number_of_statements_fires_one_and_many(both: Township) -> None:
    town = reminded_thrice(both)
    items, asked = due(town), []
    event.listen(town.resources.database.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    with acting(town.resources, at=town.now()) as act:
        assert len(fire_together(act, items[:1]).items) == 1
    one = len(asked)
    with acting(town.resources, at=town.now()) as act:
        assert len(fire_together(act, items[1:]).items) == 2
    assert len(asked) == 2 * one


def test_two_sweeps_at_once_remind_everybody_once(both: Township) -> None:
    town = reminded_thrice(both)
    together = Barrier(2)

    def sweep(_: int) -> SweepCounts:
        together.wait()
        return fire_due(town.resources, at=town.now())

    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(sweep, range(2))
    assert first.reminders + second.reminders == 3
    assert first.failures == second.failures == []
    assert town.told("reminder") == ["顾组长"] * 3
    with town.resources.database.read() as session:
        assert list(verify(session)) == []


def test_a_case_in_other_hands_is_not_waited_for_while_others_are_held(postgresql_desk: Desk, tmp_path: Path) -> None:
    with opener(postgresql_desk, tmp_path) as open_town:
        town = reminded_thrice(open_town("zhujiajiao-2018", "2018-10-08 10:00"))
        items = due(town)
        with town.resources.database.write() as session:
            load_case(session, items[1].number)
            with acting(town.resources, at=town.now()) as act:
                fired = fire_together(act, items)
        assert fired.items == {items[0].item_id, items[2].item_id}
        assert [each.number for each in due(town)] == [items[1].number]


def test_a_timer_that_somebody_else_fired_undoes_the_whole_batch(
    town: Township, monkeypatch: pytest.MonkeyPatch
) -> None:
    reminded_thrice(town)
    items, read = due(town), firing.due_items

    def read_then_fired(*given: Any, **more: Any) -> list[Any]:
        found = read(*given, **more)
        given[0].exec_driver_sql(f"UPDATE timers SET fired_at = fires_at WHERE id = {found[0].timers[0].id}")
        return found

    monkeypatch.setattr(firing, "due_items", read_then_fired)
    with (
        pytest.raises(RuntimeError, match="1 timers were fired by somebody else"),
        acting(town.resources, at=town.now()) as act,
    ):
        fire_together(act, items)
    assert town.told("reminder") == []
    assert due(town) == items
