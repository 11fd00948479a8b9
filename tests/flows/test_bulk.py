"""The bulk driver: a long list in one go; what is refused is told by its row, everything else is done."""

from collections.abc import Callable

from flows.procedures import PROCEDURES
from policies.vocabulary import Answer, Door, Gate, Verdict
from tasks import consents, decisions
from tasks.asks import runs_behind
from tasks.commands import Decide, HouseholdAnswer, RecordAnswers
from tasks.drivers import carry_in_bulk
from tasks.history import verify
from tasks.procedure import Waiting, show_later
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


def test_a_case_that_could_not_be_shown_is_woken_by_the_sweep(open_sqlite: OpenTown) -> None:
    town = open_sqlite("example-2026", "2026-03-02 10:00")
    number = town.apply()
    assert runs_behind(town.resources, limit=10) == []
    show_later(town.resources, number)
    assert [run.number for run in runs_behind(town.resources, limit=10)] == [number]
    town.rehearsal.carry(number)
    assert runs_behind(town.resources, limit=10) == []
    assert town.gate(number) is Gate.HOUSEHOLD_CONSENT
