"""Which verdicts each gate knows, who gives them, which need a reason."""

import pytest

from policies.errors import Refused
from policies.vocabulary import Door, Gate, Verdict
from rules.transitions import allowed, check_door, check_verdict, for_people, needs_reason

V = Verdict
TABLE = {
    Gate.HOUSEHOLD_CONSENT: {V.CARRIED, V.NOT_CARRIED, V.WITHDRAWN},
    Gate.VILLAGE_FORWARD: {V.FORWARDED, V.RETURNED, V.WITHDRAWN},
    Gate.OFFICE_REVIEW: {V.APPROVED, V.RETURNED, V.REJECTED, V.WITHDRAWN},
    Gate.CORRECTION: {V.RESUBMITTED, V.WITHDRAWN, V.LAPSED},
    Gate.PLAQUE: {V.COMPLETED, V.WITHDRAWN},
    Gate.SUBSIDY: {V.COMPLETED},
    Gate.UNDELIVERED_LETTER: {V.RESENT, V.TOLD_OTHERWISE},
}
BY_MACHINE = {
    (Gate.HOUSEHOLD_CONSENT, V.CARRIED),
    (Gate.HOUSEHOLD_CONSENT, V.NOT_CARRIED),
    (Gate.CORRECTION, V.LAPSED),
}
REASONED = {V.RETURNED, V.REJECTED, V.WITHDRAWN, V.TOLD_OTHERWISE}
EVERY = [(gate, verdict) for gate in Gate for verdict in Verdict]


@pytest.mark.parametrize(("gate", "verdict"), EVERY)
def test_a_gate_takes_its_own_verdicts_and_no_others(gate: Gate, verdict: Verdict) -> None:
    assert (verdict in allowed(gate)) is (verdict in TABLE[gate])
    if verdict in TABLE[gate]:
        check_verdict(gate, verdict, "材料不全")
    else:
        with pytest.raises(Refused) as caught:
            check_verdict(gate, verdict, "材料不全")
        assert verdict.label in caught.value.reason
        assert gate.label in caught.value.reason


@pytest.mark.parametrize(("gate", "verdict"), [(gate, verdict) for gate, verdict in EVERY if verdict in TABLE[gate]])
def test_a_reason_is_needed_for_returning_rejecting_withdrawing_and_telling_otherwise(
    gate: Gate, verdict: Verdict
) -> None:
    assert needs_reason(gate, verdict) is (verdict in REASONED)
    for blank in ("", " \t　"):
        if verdict in REASONED:
            with pytest.raises(Refused, match="须写明理由"):
                check_verdict(gate, verdict, blank)
        else:
            check_verdict(gate, verdict, blank)


@pytest.mark.parametrize("door", Door)
@pytest.mark.parametrize(("gate", "verdict"), [(gate, verdict) for gate, verdict in EVERY if verdict in TABLE[gate]])
def test_people_do_not_give_what_time_and_count_decide(gate: Gate, verdict: Verdict, door: Door) -> None:
    if (gate, verdict) in BY_MACHINE and door in (Door.FORM, Door.CLI, Door.SHEET):
        with pytest.raises(Refused, match="不能由人填报"):
            check_door(gate, verdict, door=door)
    else:
        check_door(gate, verdict, door=door)


@pytest.mark.parametrize("gate", Gate)
def test_a_form_offers_what_people_may_give_in_the_order_of_the_vocabulary(gate: Gate) -> None:
    offered = for_people(gate)
    assert set(offered) == {verdict for verdict in TABLE[gate] if (gate, verdict) not in BY_MACHINE}
    assert list(offered) == sorted(offered, key=list(Verdict).index)
    assert offered
