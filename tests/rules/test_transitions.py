"""Which verdicts each gate knows, who gives them, which need a reason."""

import pytest

from policies.errors import Refused
from policies.vocabulary import Door, Gate, Verdict
from rules.transitions import BY_PEOPLE, allowed, check_door, check_verdict, for_people, needs_reason

V = Verdict
TABLE = {
    Gate.HOUSEHOLD_CONSENT: {V.CARRIED, V.NOT_CARRIED, V.WITHDRAWN},
    Gate.VILLAGE_FORWARD: {V.FORWARDED, V.RETURNED, V.WITHDRAWN},
    Gate.OFFICE_REVIEW: {V.APPROVED, V.RETURNED, V.REJECTED, V.WITHDRAWN},
    Gate.CORRECTION: {V.RESUBMITTED, V.WITHDRAWN, V.LAPSED},
    Gate.PLAQUE: {V.COMPLETED, V.WITHDRAWN},
    Gate.SUBSIDY: {V.COMPLETED},
    Gate.CALL_WINDOW: {V.WITHDRAWN, V.ENDED},
    Gate.SURVEY: {V.COMPLETED, V.WITHDRAWN, V.ENDED},
    Gate.SCREENING: {V.COMPLETED, V.WITHDRAWN},
    Gate.SELECTION_NOTICE: {V.CLEARED, V.AMENDED, V.RETRACTED},
    Gate.PROJECTS: {V.COMPLETED},
    Gate.SELF_CHECK: {V.COMPLETED},
    Gate.SELECTION: {V.WITHDRAWN, V.SELECTED, V.NOT_SELECTED},
    Gate.PLAN: {V.SUBMITTED, V.ABANDONED},
    Gate.PLAN_REVIEW: {V.APPROVED, V.RETURNED, V.ABANDONED},
    Gate.FUNDING: {V.COMPLETED, V.ABANDONED},
    Gate.MILESTONE: {V.COMPLETED, V.ABANDONED},
    Gate.ACCEPTANCE: {V.ACCEPTED, V.RECTIFY, V.ABANDONED},
    Gate.EVALUATION: {V.COMPLETED},
    Gate.SETTLEMENT: {V.COMPLETED},
    Gate.NOTICE_PERIOD: {V.RETRACTED, V.ENDED},
    Gate.OBJECTION_REVIEW: {V.CLEARED, V.AMENDED, V.RETRACTED},
    Gate.UNDELIVERED_LETTER: {V.RESENT, V.TOLD_OTHERWISE},
    Gate.INSPECTIONS: {V.COMPLETED},
    Gate.CAMPAIGN_REPORT: {V.COMPLETED},
    Gate.INSPECTION_VISIT: {V.PASSED, V.RECTIFY, V.REVOKE, V.CALLED_OFF},
    Gate.RECTIFICATION: {V.REPORTED, V.LAPSED},
    Gate.RE_INSPECTION: {V.PASSED, V.RECTIFY, V.REVOKE, V.CALLED_OFF},
    Gate.REVOCATION_NOTICE: {V.CLEARED, V.AMENDED, V.RETRACTED},
    Gate.FIGURES_REVIEW: {V.APPROVED, V.RECOMPUTED, V.CALLED_OFF},
    Gate.RESULTS_NOTICE: {V.CLEARED, V.AMENDED, V.RETRACTED},
    Gate.MEETING: {V.HELD, V.POSTPONED, V.CALLED_OFF},
    Gate.RESOLUTIONS: {V.COMPLETED},
    Gate.FOLLOW_UP: {V.COMPLETED, V.POSTPONED, V.ABANDONED},
    Gate.SERVICE_OFFER: {V.TAKEN, V.DECLINED, V.WITHDRAWN, V.LAPSED},
    Gate.SERVICE_DELIVERY: {V.DELIVERED, V.FAILED, V.WITHDRAWN},
    Gate.SERVICE_CONFIRMATION: {V.CONFIRMED, V.DISPUTED, V.LAPSED},
    Gate.CHANGE_OPINION: {V.SUPPORTED, V.OPPOSED, V.WITHDRAWN},
    Gate.CHANGE_REVIEW: {V.APPROVED, V.REJECTED, V.WITHDRAWN},
    Gate.CHANGE_WORKS: {V.COMPLETED, V.WITHDRAWN},
    Gate.SUSPENSION: {V.RESUMED, V.ENDED},
}
BY_MACHINE = {
    (Gate.CALL_WINDOW, V.ENDED),
    (Gate.SURVEY, V.ENDED),
    (Gate.NOTICE_PERIOD, V.ENDED),
    (Gate.SELECTION, V.SELECTED),
    (Gate.SELECTION, V.NOT_SELECTED),
    (Gate.SELECTION_NOTICE, V.CLEARED),
    (Gate.SELECTION_NOTICE, V.AMENDED),
    (Gate.SELECTION_NOTICE, V.RETRACTED),
    (Gate.PROJECTS, V.COMPLETED),
    (Gate.HOUSEHOLD_CONSENT, V.CARRIED),
    (Gate.HOUSEHOLD_CONSENT, V.NOT_CARRIED),
    (Gate.CORRECTION, V.LAPSED),
    (Gate.INSPECTIONS, V.COMPLETED),
    (Gate.RECTIFICATION, V.LAPSED),
    (Gate.REVOCATION_NOTICE, V.CLEARED),
    (Gate.REVOCATION_NOTICE, V.AMENDED),
    (Gate.REVOCATION_NOTICE, V.RETRACTED),
    (Gate.RESULTS_NOTICE, V.CLEARED),
    (Gate.RESULTS_NOTICE, V.AMENDED),
    (Gate.RESULTS_NOTICE, V.RETRACTED),
    (Gate.RESOLUTIONS, V.COMPLETED),
    (Gate.SERVICE_OFFER, V.LAPSED),
    (Gate.SERVICE_CONFIRMATION, V.LAPSED),
    (Gate.SUSPENSION, V.ENDED),
}
REASONED = {
    V.RETURNED,
    V.REJECTED,
    V.WITHDRAWN,
    V.TOLD_OTHERWISE,
    V.AMENDED,
    V.RETRACTED,
    V.RECTIFY,
    V.ABANDONED,
    V.REVOKE,
    V.RECOMPUTED,
    V.CALLED_OFF,
    V.POSTPONED,
    V.DECLINED,
    V.FAILED,
    V.DISPUTED,
    V.OPPOSED,
    V.REPORTED,
}
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
def test_a_form_offers_what_people_may_give_and_to_withdraw_last(gate: Gate) -> None:
    offered = for_people(gate)
    assert set(offered) == {verdict for verdict in TABLE[gate] if (gate, verdict) not in BY_MACHINE}
    order = [*(each for each in Verdict if each is not Verdict.WITHDRAWN), Verdict.WITHDRAWN]
    assert list(offered) == sorted(offered, key=order.index)
    # Where another case is waited for nobody decides; a proposal that waits for its call may be withdrawn.
    assert bool(offered) is (not gate.waits_for_a_case or gate is Gate.SELECTION)


def test_what_people_may_choose_from_leaves_out_what_only_time_and_count_decide() -> None:
    assert set(BY_PEOPLE) == {verdict for gate in Gate for verdict in for_people(gate)}
    assert not {V.LAPSED, V.ENDED, V.CARRIED, V.NOT_CARRIED, V.SELECTED, V.NOT_SELECTED} & set(BY_PEOPLE)
