"""
Inspection (督查): a campaign over selected sites, and each site's inspection from the visit to its end (D0-R11).

Reads in the order of the work: visit, findings, time to put right, another look, and in the worst case the revocation,
which is made known first. A campaign is a case, each inspection is a case whose parent is the campaign. Re-entrant:
every line may run many times.
"""

from itertools import count
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.carry import carry
from flows.forms import titled
from policies.vocabulary import Gate, Outcome, Verdict
from tasks.procedure import CaseHandle, Ending, await_decision


def campaign(case: CaseHandle) -> Ending:
    """Carry one campaign to its end: it waits for the last inspection, then the office sums up."""
    await_decision(case, Gate.INSPECTIONS)
    report = await_decision(case, Gate.CAMPAIGN_REPORT)
    return Ending(Outcome.CONCLUDED, report.reason)


def inspection(case: CaseHandle) -> Ending:
    """Carry the inspection of one site to its end: passed, revoked, or kept after all."""
    found = await_decision(case, Gate.INSPECTION_VISIT)

    # What is not in order is put right by a day the inspectors name, and looked at again, reported or not.
    for round_ in count(1):
        if found.verdict is not Verdict.RECTIFY:
            break
        await_decision(case, Gate.RECTIFICATION, round_)
        found = await_decision(case, Gate.RE_INSPECTION, round_)

    # Called off: the site was closed meanwhile, or could not be visited for another reason.
    if found.verdict is Verdict.CALLED_OFF:
        return Ending(Outcome.CALLED_OFF, found.reason)
    if found.verdict is Verdict.PASSED:
        return Ending(Outcome.PASSED, found.reason)

    # 撤牌: made known first; an objection that is upheld, or a retracted notice, leaves the site its plaque.
    notice = await_decision(case, Gate.REVOCATION_NOTICE)
    if notice.verdict is Verdict.CLEARED:
        return Ending(Outcome.REVOKED, found.reason)
    return Ending(Outcome.KEPT, notice.reason)


@flow(name="campaign-lifecycle", flow_run_name="{case_number}")
def campaign_lifecycle(case_number: str = titled("案件编号")) -> State[Any]:
    """
    督查办理:由系统为每次督查自动启动,等待各点督查办结后由社区办总结,一般无须手工运行.

    Args:
        case_number: 案件编号,例如 KTDC-2026-0001
    """
    return carry(case_number, campaign)


@flow(name="inspection-lifecycle", flow_run_name="{case_number}")
def inspection_lifecycle(case_number: str = titled("案件编号")) -> State[Any]:
    """
    单点督查办理:由系统为每个受督查的客堂间自动启动,在每个环节等待办理人,一般无须手工运行.

    Args:
        case_number: 案件编号,例如 KTD-2026-0001
    """
    return carry(case_number, inspection)
