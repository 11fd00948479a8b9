"""
A public notice (公示): it stands until its last day, closes by itself, and objections are reviewed (D2-R10).

Re-entrant: every line may run many times.
"""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.carry import carry
from flows.forms import titled
from policies.vocabulary import Gate, Outcome, Verdict
from tasks.procedure import CaseHandle, Ending, await_decision

OUTCOMES = {
    Verdict.CLEARED: Outcome.CLEARED,
    Verdict.AMENDED: Outcome.AMENDED,
    Verdict.RETRACTED: Outcome.RETRACTED,
}


def notice(case: CaseHandle) -> Ending:
    """Carry one notice to its end: cleared, amended (and noticed again), or retracted."""
    period = await_decision(case, Gate.NOTICE_PERIOD)
    if period.verdict is Verdict.RETRACTED:
        return Ending(Outcome.RETRACTED, period.reason)
    if not period.details["open_objections"] and not period.details["upheld_objections"]:
        return Ending(Outcome.CLEARED, "公示期满,无成立或待处理的异议")

    # Objections that are open or were upheld: the office decides what becomes of the matter.
    review = await_decision(case, Gate.OBJECTION_REVIEW)
    return Ending(OUTCOMES[review.verdict], review.reason)


@flow(name="public-notice", flow_run_name="{case_number}")
def public_notice(case_number: str = titled("案件编号")) -> State[Any]:
    """
    公示办理:由系统为每次公示自动启动,期满自动结束,一般无须手工运行.

    Args:
        case_number: 案件编号,例如 GS-2026-0001
    """
    return carry(case_number, notice)
