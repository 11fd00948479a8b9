"""Which cases' runs are looked after, some at a time: none is forgotten, however many there are."""

from datetime import timedelta

from sqlalchemy import select, update

from models.case import Case
from tasks.asks import TENDED_FOR, CaseRun, claim_run, runs_to_check, runs_to_wake, tend, tended
from tests.township import Township

NEVER, LONG_AGO, LATER, LAST = None, 3, 2, 1
CHECKED = (LATER, NEVER, LAST, NEVER, LONG_AGO, NEVER)
"""How many hours ago the runs of six cases were looked at."""


def test_runs_never_looked_at_come_first_then_those_of_longest_ago(both: Township) -> None:
    numbers = [both.apply()]
    for n in range(1, len(CHECKED)):
        both.add_group(f"ZD1{n}")
        numbers.append(both.apply(household=f"ZD1{n}-001"))
    with both.resources.database.write() as session:
        for number, hours in zip(numbers, CHECKED, strict=True):
            then = both.now() - timedelta(hours=hours) if hours is not None else None
            session.execute(update(Case).where(Case.number == number).values(run_checked_at=then))

    def checked(limit: int) -> set[int]:
        found = runs_to_check(both.resources, at=both.now(), limit=limit)
        return {numbers.index(run.number) for run in found}

    assert checked(2) == {1, 3}, "of those never looked at, the oldest"
    with both.resources.database.write() as session:
        never = [numbers[place] for place in (1, 3)]
        session.execute(update(Case).where(Case.number.in_(never)).values(run_checked_at=None))
    assert checked(4) == {1, 3, 5, 4}, "filled up with the one of longest ago"
    with both.resources.database.read() as session:
        stamped = session.scalars(select(Case.number).where(Case.run_checked_at == both.now())).all()
    assert {numbers.index(each) for each in stamped} == {1, 3, 5, 4}, "noted as looked at now"
    assert checked(2) == {0, 2}, "whose turn has not come yet"


def test_tended_cases_are_to_be_woken_when_who_tends_them_is_late(both: Township) -> None:
    number, begun = both.apply(), both.now()
    both.add_group("ZD11")
    without_run = both.apply(household="ZD11-001")
    claim_run(both.resources, number, "run-1")

    def to_wake(after: timedelta) -> list[str]:
        found = runs_to_wake(both.resources, at=begun + after, limit=10)
        return [run.number for run in found if isinstance(run, CaseRun)]

    tend(both.resources, [number, without_run], at=begun)
    assert to_wake(TENDED_FOR - timedelta(seconds=1)) == []
    assert to_wake(TENDED_FOR) == [number], "a case without a run has nothing to be brought up to date"
    tended(both.resources, [number])
    assert to_wake(2 * TENDED_FOR) == []
