"""
Yearly evaluation (年度考核): figures from recorded facts, approved by the office, made known, settled (D0-R14).

Re-entrant: every line may run many times.
"""

from itertools import count
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.carry import carry
from flows.forms import titled
from policies.vocabulary import Gate, Outcome, Verdict
from tasks.procedure import CaseHandle, Ending, await_decision


def annual_evaluation(case: CaseHandle) -> Ending:
    """Carry the evaluation of one year to its end."""
    figures = count(1)
    for noticed in count(1):
        # The figures are computed as the gate opens; late entries are taken in by computing them anew.
        for round_ in figures:
            review = await_decision(case, Gate.FIGURES_REVIEW, round_)
            if review.verdict is Verdict.CALLED_OFF:
                return Ending(Outcome.CALLED_OFF, review.reason)
            if review.verdict is Verdict.APPROVED:
                break

        # 公示: an objection that is upheld leads to figures computed anew, which are made known again.
        notice = await_decision(case, Gate.RESULTS_NOTICE, noticed)
        if notice.verdict is Verdict.CLEARED:
            return Ending(Outcome.CONCLUDED)
        if notice.verdict is Verdict.RETRACTED:
            return Ending(Outcome.CALLED_OFF, notice.reason)
    raise AssertionError("count() never ends")


@flow(name="annual-evaluation", flow_run_name="{case_number}")
def annual_evaluation_lifecycle(case_number: str = titled("案件编号")) -> State[Any]:
    """
    年度考核办理:由系统为每年的考核自动启动,核定、公示后办结,一般无须手工运行.

    Args:
        case_number: 案件编号,例如 KTKH-2026-0001
    """
    return carry(case_number, annual_evaluation)
