"""The bulk driver: a long list in one go; what is refused is told by its row, everything else is done."""

from collections.abc import Callable

import pytest
from sqlalchemy.exc import OperationalError

from flows.procedures import PROCEDURES
from policies.vocabulary import Answer, Door, Gate, Verdict
from tasks import consents, decisions
from tasks.asks import runs_behind
from tasks.commands import Decide, HouseholdAnswer, RecordAnswers
from tasks.drivers import Bulk, carry_in_bulk
from tasks.history import verify
from tasks.procedure import Waiting, show_later
from tests.broken import break_rows
from tests.desks import OpenTown
from tests.township import GROUP_HEAD, RESPONSIBLE, REVIEWER, Township

Row = tuple[str, str, Callable[[], object]]
CASES = 20
HOUSEHOLDS = 9


def answer(town: Township, number: str, household: str, *, by: str = GROUP_HEAD) -> Callable[[], object]:
    given = HouseholdAnswer(household=household, answer=Answer.AGREE.label)
    command = RecordAnswers(case=number, by=by, answers=[given])
    return lambda: consents.record_answers(town.resources, command, door=Door.SHEET, at=town.now())


def decide(town: Township, number: str, verdict: Verdict, by: str) -> Callable[[], object]:
    command = Decide(case=number, by=by, verdict=verdict.label)
    return lambda: decisions.decide(town.resources, command, door=Door.SHEET, at=town.now())


def test_two_hundred_rows_are_done_and_the_faulty_ones_are_named(open_sqlite: OpenTown) -> None:
    town = open_sqlite("example-2026", "2026-03-02 10:00", households=HOUSEHOLDS)
    for group in range(2, CASES + 1):
        town.add_group(f"ZD{group:02d}", households=HOUSEHOLDS)
    numbers = [town.apply(household=f"ZD{group:02d}-001") for group in range(1, CASES + 1)]
    acts: list[Row] = []
    for group, number in enumerate(numbers, start=1):
        for household in range(1, HOUSEHOLDS + 1):
            acts.append((f"第{len(acts) + 2}行", number, answer(town, number, f"ZD{group:02d}-{household:03d}")))
        acts.append((f"第{len(acts) + 2}行", number, decide(town, number, Verdict.FORWARDED, RESPONSIBLE)))
    assert len(acts) == 200
    # Row 5 names a household of another group, row 16 a person who may not record.
    acts[3] = ("第5行", numbers[0], answer(town, numbers[0], "ZD02-004"))
    acts[14] = ("第16行", numbers[1], answer(town, numbers[1], "ZD02-005", by=REVIEWER))

    report = carry_in_bulk(town.resources, acts, PROCEDURES, at=town.now())

    told = dict(report.refused)
    assert set(told) >= {"第5行", "第16行"}
    assert "不在本组(第一组)征求意见的农户名册内:ZD02-004" in told["第5行"]
    assert "沈审核(P001)无权办理" in told["第16行"]
    # A case's next gate opens when the list is through, so the forwards find none: told, and nothing recorded.
    forwards = {f"第{10 * group + 1}行" for group in range(1, CASES + 1)}
    assert set(told) == {"第5行", "第16行"} | forwards
    assert report.done == 200 - 2 - CASES
    gates = {number: waiting.gate for number, waiting in report.carried.items() if isinstance(waiting, Waiting)}
    assert [gates[number] for number in numbers] == [Gate.HOUSEHOLD_CONSENT] * 2 + [Gate.VILLAGE_FORWARD] * 18
    assert [town.gate(number) for number in numbers] == [gates[number] for number in numbers]
    assert {entry.status.value for entry in town.entries()} == {"sent"}, "the letters left, once, at the end"

    rows = [(number, number, decide(town, number, Verdict.FORWARDED, RESPONSIBLE)) for number in numbers]
    report = carry_in_bulk(town.resources, rows, PROCEDURES, at=town.now())
    assert (report.done, [row for row, _ in report.refused]) == (18, numbers[:2])
    again = carry_in_bulk(town.resources, rows, PROCEDURES, at=town.now())
    assert (again.done, len(again.refused)) == (0, 20)
    assert all("社区办审核" in reason or "农户同意" in reason for _, reason in again.refused), "says where it stands"
    with town.resources.database.read() as session:
        assert list(verify(session)) == []


@pytest.fixture
def three(open_sqlite: OpenTown) -> tuple[Township, list[str]]:
    """Three cases at the village's decision."""
    town = open_sqlite("example-2026", "2026-03-02 10:00")
    for group in ("ZD02", "ZD03"):
        town.add_group(group)
    numbers = [town.apply(household=f"{group}-001") for group in ("ZD01", "ZD02", "ZD03")]
    for number in numbers:
        town.everybody_agrees(number=number)
    return town, numbers


def forwards(town: Township, numbers: list[str]) -> list[Row]:
    return [(number, number, decide(town, number, Verdict.FORWARDED, RESPONSIBLE)) for number in numbers]


def test_a_row_whose_case_was_tampered_with_stops_no_other(three: tuple[Township, list[str]]) -> None:
    town, (broken, *others) = three
    break_rows(town, f"UPDATE cases SET kind = 'sait' WHERE number = '{broken}'")

    report = carry_in_bulk(town.resources, forwards(town, [broken, *others]), PROCEDURES, at=town.now())

    (row, reason), *rest = report.refused
    assert (row, rest, report.done) == (broken, [], 2)
    assert "sait" in reason
    assert [town.gate(number) for number in others] == [Gate.OFFICE_REVIEW] * 2
    assert {entry.status.value for entry in town.entries()} == {"sent"}, "the letters left"


def test_a_case_that_breaks_when_it_is_carried_stops_no_other(three: tuple[Township, list[str]]) -> None:
    town, (broken, *others) = three
    rows = forwards(town, [broken, *others])

    def decide_and_break() -> None:
        rows[0][2]()
        break_rows(town, f"UPDATE cases SET kind = 'sait' WHERE number = '{broken}'")

    report = carry_in_bulk(town.resources, [(broken, broken, decide_and_break), *rows[1:]], PROCEDURES, at=town.now())

    assert (report.done, report.refused, sorted(report.carried)) == (3, [], others)
    (failure,) = report.failures
    assert failure.startswith(f"案件 {broken} 未能续办")
    assert [town.gate(number) for number in others] == [Gate.OFFICE_REVIEW] * 2
    assert {entry.status.value for entry in town.entries()} == {"sent"}, "the letters left"


def test_a_database_that_is_away_for_a_row_leaves_it_and_no_other(three: tuple[Township, list[str]]) -> None:
    town, numbers = three
    called: list[str] = []
    away = OperationalError("UPDATE", {}, Exception("server closed the connection unexpectedly"))

    def once_away(number: str) -> Callable[[], None]:
        def act() -> None:
            called.append(number)
            if number == numbers[1] and called.count(number) == 1:
                raise away

        return act

    bulk = Bulk(town.resources, [(n, n, once_away(n)) for n in numbers], PROCEDURES, at=town.now())
    with pytest.raises(OperationalError):
        bulk.act()
    assert called == numbers, "the third did not wait"
    bulk.act()
    assert called == [*numbers, numbers[1]], "tried again was what was left"
    assert (bulk.report.done, bulk.report.refused) == (3, [])
    assert bulk.touched == [numbers[0], numbers[2], numbers[1]]


def test_a_database_that_stays_away_is_not_asked_for_a_thousand_rows(three: tuple[Township, list[str]]) -> None:
    town, (number, *_) = three
    called: list[int] = []

    def away(row: int) -> Callable[[], None]:
        def act() -> None:
            called.append(row)
            raise OperationalError("UPDATE", {}, Exception("connection refused"))

        return act

    bulk = Bulk(town.resources, [(f"第{row}行", number, away(row)) for row in range(1000)], PROCEDURES, at=town.now())
    with pytest.raises(OperationalError):
        bulk.act()
    assert called == [0, 1, 2]
    bulk.give_up("数据库连不上")
    assert [row for row, _ in bulk.report.refused] == [f"第{row}行" for row in range(1000)], "each is told, in order"


def test_a_case_that_could_not_be_shown_is_woken_by_the_sweep(open_sqlite: OpenTown) -> None:
    town = open_sqlite("example-2026", "2026-03-02 10:00")
    number = town.apply()
    assert runs_behind(town.resources, limit=10) == []
    show_later(town.resources, number)
    assert [run.number for run in runs_behind(town.resources, limit=10)] == [number]
    town.rehearsal.carry(number)
    assert runs_behind(town.resources, limit=10) == []
    assert town.gate(number) is Gate.HOUSEHOLD_CONSENT
