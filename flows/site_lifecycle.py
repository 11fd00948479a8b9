"""
The life of a site application, from the household's wish to the plaque on the gate and the money in the village.

Reads in the order of the policy document (五、实施步骤). Its numbers (days, shares, quotas, how many returns) stand in
the edition pinned to the case and are applied where a decision is recorded, never here. Re-entrant: every line may
run many times.
"""

from collections.abc import Iterator
from itertools import count
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.carry import carry
from flows.forms import titled
from policies.vocabulary import Gate, Outcome, Verdict
from tasks.procedure import CaseHandle, Ending, await_decision, put_on_the_list


def site(case: CaseHandle) -> Ending:
    """Carry one site application to its end (D0-R7…R15, D1-R1, D1-R2)."""
    corrections = count(1)

    # 五、2 户主自愿, and all households of the group agree; a file without that is returned, not rejected.
    for round_ in count(1):
        consent = await_decision(case, Gate.HOUSEHOLD_CONSENT, round_)
        if consent.verdict is Verdict.CARRIED:
            break
        if consent.verdict is Verdict.WITHDRAWN:
            return Ending(Outcome.WITHDRAWN, consent.reason)
        if given_up := correct(case, corrections):
            return given_up

    # 五、2 The village hands the written application to the community office.
    for round_ in count(1):
        forward = await_decision(case, Gate.VILLAGE_FORWARD, round_)
        if forward.verdict is Verdict.FORWARDED:
            break
        if forward.verdict is Verdict.WITHDRAWN:
            return Ending(Outcome.WITHDRAWN, forward.reason)
        if given_up := correct(case, corrections):
            return given_up

    # 五、2 The community office reviews, and may return the file for correction.
    for round_ in count(1):
        review = await_decision(case, Gate.OFFICE_REVIEW, round_)
        if review.verdict is Verdict.APPROVED:
            break
        if review.verdict is Verdict.REJECTED:
            return Ending(Outcome.REJECTED, review.reason)
        if review.verdict is Verdict.WITHDRAWN:
            return Ending(Outcome.WITHDRAWN, review.reason)
        if given_up := correct(case, corrections):
            return given_up

    # 五、2 Approved: the plaque is hung, the rules go on the wall, the bookshelf is added.
    plaque = await_decision(case, Gate.PLAQUE)
    if plaque.verdict is Verdict.WITHDRAWN:
        return Ending(Outcome.WITHDRAWN, plaque.reason)

    # 六、2 The one-off subsidy goes from the district through the town to the village committee.
    if case.edition.for_sites.subsidy is not None:
        await_decision(case, Gate.SUBSIDY)

    put_on_the_list(case)
    return Ending(Outcome.LISTED)


def correct(case: CaseHandle, rounds: Iterator[int]) -> Ending | None:
    """Wait for the corrected file; return how the case ends when there is none."""
    correction = await_decision(case, Gate.CORRECTION, next(rounds))
    match correction.verdict:
        case Verdict.WITHDRAWN:
            return Ending(Outcome.WITHDRAWN, correction.reason)
        case Verdict.LAPSED:
            return Ending(Outcome.LAPSED, correction.reason)
        case _:
            return None


@flow(name="site-lifecycle", flow_run_name="{case_number}")
def site_lifecycle(case_number: str = titled("案件编号")) -> State[Any]:
    """
    客堂间办理:由系统为每个案件自动启动,在每个环节等待办理人,一般无须手工运行.

    Args:
        case_number: 案件编号,例如 KT-2026-0001
    """
    return carry(case_number, site)
