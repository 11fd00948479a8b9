"""What may be lost between a decision and the next gate, or done to a run by mistake, and is made up for."""

import pytest

from policies.vocabulary import Door, Gate, Verdict
from tests.e2e.live import Office, see

pytestmark = [pytest.mark.e2e, pytest.mark.endurance, pytest.mark.timeout(600)]


def test_a_decision_whose_wake_was_lost_is_carried_on_by_the_sweep(office: Office) -> None:
    number, cast = office.open_case(Gate.VILLAGE_FORWARD)
    run = office.waiting(number, Gate.VILLAGE_FORWARD)
    office.decide(number, cast.responsible, Verdict.FORWARDED)
    assert "唤醒1件,新启动0件" in office.sweep()
    assert office.waiting(number, Gate.OFFICE_REVIEW).id == run.id
    assert "唤醒0件,新启动0件" in office.sweep()


def test_an_answer_given_while_no_worker_is_there_is_applied_by_the_next_one(office: Office) -> None:
    number, cast = office.open_case(Gate.VILLAGE_FORWARD)
    run = office.waiting(number, Gate.VILLAGE_FORWARD)
    office.stack.kill_worker()
    assert office.fill_in(run.id, {"by": cast.responsible, "verdict": "同意上报"}) == ("ACCEPT", "")
    assert "唤醒0件,新启动0件" in office.sweep(stuck_after=0), "a run that waits for a worker is not lost"
    assert office.gate(number) is Gate.VILLAGE_FORWARD
    office.stack.start_worker()
    assert office.waiting(number, Gate.OFFICE_REVIEW).id == run.id
    assert [door for *_, door in office.decided(number)][-1] is Door.FORM


def test_a_run_that_was_cancelled_is_replaced_and_its_retry_leaves_the_case_alone(office: Office) -> None:
    number, cast = office.open_case(Gate.VILLAGE_FORWARD)
    cancelled = office.waiting(number, Gate.VILLAGE_FORWARD)
    office.set_state(cancelled.id, "CANCELLING")
    assert office.run(cancelled.id).type == "CANCELLED"
    assert "唤醒0件,新启动1件" in office.sweep()
    fresh = office.waiting(number, Gate.VILLAGE_FORWARD, but=cancelled.key)
    assert fresh.id != cancelled.id

    assert office.set_state(cancelled.id, "SCHEDULED") == "ACCEPT"
    retried = office.ended(cancelled.id)
    assert (retried.type, retried.message) == ("COMPLETED", f"案件 {number} 由运行 {fresh.id} 办理,本次运行到此结束")
    assert office.waiting(number, Gate.VILLAGE_FORWARD) == fresh
    assert office.fill_in(fresh.id, {"by": cast.responsible, "verdict": "同意上报"}) == ("ACCEPT", "")
    office.waiting(number, Gate.OFFICE_REVIEW)


def test_a_run_retried_after_an_answered_gate_asks_the_next_one_again(office: Office) -> None:
    number, cast = office.open_case(Gate.VILLAGE_FORWARD)
    run = office.waiting(number, Gate.VILLAGE_FORWARD)
    assert office.fill_in(run.id, {"by": cast.responsible, "verdict": "同意上报"}) == ("ACCEPT", "")
    asked = office.waiting(number, Gate.OFFICE_REVIEW)
    assert office.set_state(run.id, "FAILED", force=True) == "ACCEPT"
    assert office.set_state(run.id, "SCHEDULED") == "ACCEPT"
    again = office.waiting(number, Gate.OFFICE_REVIEW, but=asked.key)
    assert again.id == run.id
    assert office.fill_in(run.id, {"by": cast.reviewer, "verdict": "不予批准", "reason": "场地不符"}) == ("ACCEPT", "")
    assert office.ended(run.id).message == f"{number} 办结:不予批准:场地不符"
    verdicts = [verdict for *_, verdict, _ in office.decided(number)]
    assert verdicts == [Verdict.CARRIED, Verdict.FORWARDED, Verdict.REJECTED]
    assert office.faults(number) == []


def test_a_form_answered_after_somebody_else_decided_changes_nothing(office: Office) -> None:
    number, cast = office.open_case(Gate.OFFICE_REVIEW)
    stale = office.waiting(number, Gate.OFFICE_REVIEW)
    office.decide(number, cast.second_reviewer, Verdict.APPROVED, acknowledged=["志愿者人数"])
    assert office.fill_in(stale.id, {"by": cast.reviewer, "verdict": "不予批准", "reason": "晚了"}) == ("ACCEPT", "")
    run = office.waiting(number, Gate.PLAQUE)
    assert [(gate, verdict) for gate, _, verdict, _ in office.decided(number)][-1] == (
        Gate.OFFICE_REVIEW,
        Verdict.APPROVED,
    )
    told = f"“社区办审核”已由{cast.second_reviewer}于"
    see(lambda: any(told in line for line in office.logs(run.id)), told)


def test_a_decision_from_the_command_line_wakes_the_case_and_leaves_its_old_form_without_effect(
    office: Office,
) -> None:
    number, cast = office.open_case(Gate.VILLAGE_FORWARD)
    stale = office.waiting(number, Gate.VILLAGE_FORWARD)
    done = office.ketang("case", "decide", number, "--by", cast.responsible, "--verdict", "同意上报")
    assert (done.returncode, done.stdout, done.stderr) == (0, "已作出决定:同意上报\n", "")
    now = office.waiting(number, Gate.OFFICE_REVIEW)
    assert now.id == stale.id
    before = office.books(number)
    assert office.fill_in(stale.id, {"by": cast.responsible, "verdict": "同意上报"})[0] == "REJECT"
    assert office.waiting(number, Gate.OFFICE_REVIEW) == now
    assert office.books(number) == before
    assert office.decided(number)[-1][2:] == (Verdict.FORWARDED, Door.CLI)
