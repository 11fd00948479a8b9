"""A procedure that is run again from its first line, at any gate and after its end, changes nothing."""

from collections.abc import Callable

import pytest

from policies.vocabulary import Answer, Gate, Outcome, Verdict
from tasks.procedure import Ending, Waiting
from tests.desks import OpenTown
from tests.township import RESPONSIBLE, REVIEWER, Township

Walk = list[Callable[[Township], object]]

STRAIGHT: Walk = [
    lambda town: town.apply(),
    lambda town: town.everybody_agrees(),
    lambda town: town.decide(Verdict.FORWARDED, by=town.forwarder()),
    lambda town: town.decide(Verdict.APPROVED, by=REVIEWER),
    lambda town: town.record({town.edition().site.works[0].name: REVIEWER}),
    lambda town: town.record({work.name: REVIEWER for work in town.edition().site.works[1:]}),
    lambda town: town.edition().site.subsidy and town.finish_subsidy(),
]
ROUNDABOUT: Walk = [
    lambda town: town.apply(volunteers=31),
    lambda town: town.answer({"ZD01-001": Answer.AGREE, "ZD01-002": Answer.OBJECT}),
    lambda town: town.pass_until("2018-11-05 12:00"),
    lambda town: town.pass_until("2018-11-08 12:00"),
    lambda town: town.resubmit(volunteers=12),
    lambda town: town.everybody_agrees(),
    lambda town: town.decide(Verdict.RETURNED, by=RESPONSIBLE, reason="请补充"),
    lambda town: town.resubmit(volunteers=14),
    lambda town: town.decide(Verdict.FORWARDED, by=RESPONSIBLE),
    lambda town: town.decide(Verdict.RETURNED, by=REVIEWER, reason="再请补充"),
    lambda town: town.resubmit(volunteers=16),
    lambda town: town.pass_until("2018-11-30 12:00"),
    lambda town: town.decide(Verdict.APPROVED, by=REVIEWER),
    lambda town: town.withdraw(),
]
WALKS = [
    pytest.param("zhujiajiao-2018", "2018-10-08 10:00", STRAIGHT, Outcome.LISTED, id="zhujiajiao"),
    pytest.param("xuhang-2013", "2013-03-04 10:00", STRAIGHT, Outcome.LISTED, id="xuhang"),
    pytest.param("zhujiajiao-2018", "2018-10-08 10:00", ROUNDABOUT, Outcome.WITHDRAWN, id="with-returns-and-lapses"),
]


@pytest.mark.parametrize(("edition", "now", "walk", "outcome"), WALKS)
def test_carrying_a_case_again_at_every_gate_changes_nothing(
    open_sqlite: OpenTown, edition: str, now: str, walk: Walk, outcome: Outcome
) -> None:
    town = open_sqlite(edition, now)
    for act in walk:
        act(town)
        town.rehearsal.sweep()
        stands, files = town.state(), sorted(town.message_ids())
        for _ in range(3):
            again = town.rehearsal.carry(town.number)
            assert (again.gate if isinstance(again, Waiting) else None) is town.gate()
        town.rehearsal.sweep()
        assert town.state() == stands
        assert sorted(town.message_ids()) == files
    again = town.rehearsal.carry(town.number)
    assert isinstance(again, Ending)
    assert again.outcome is outcome


def test_a_case_that_was_never_carried_on_is_carried_by_the_sweep(town: Township) -> None:
    """The wake after each decision is lost: the sweep finds what is behind."""
    town.apply()
    lost = town.rehearsal.carry
    town.rehearsal.carry = lambda number: Waiting(Gate.CORRECTION, 0, 0)  # type: ignore[method-assign]
    town.everybody_agrees()
    assert town.gate() is None
    town.rehearsal.carry = lost  # type: ignore[method-assign]
    town.rehearsal.sweep()
    assert town.gate() is Gate.VILLAGE_FORWARD
    assert town.told("forward_waiting") == ["周责任"]
