"""
Changes of a listed site: another leader, another place, a rest and its end, the closing on request.

Re-entrant: every line may run many times. What kind of change it is stands in the database; a procedure reads it from
the decision that let it in.
"""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.carry import carry
from flows.forms import titled
from policies.life_words import ChangeKind
from policies.vocabulary import Gate, Outcome, Verdict
from tasks.procedure import CaseHandle, Ending, await_decision


def site_change(case: CaseHandle) -> Ending:
    """Carry one change to its end: in effect, refused, or withdrawn."""
    # The village says what it thinks of it; the office decides either way.
    opinion = await_decision(case, Gate.CHANGE_OPINION)
    if opinion.verdict is Verdict.WITHDRAWN:
        return Ending(Outcome.WITHDRAWN, opinion.reason)
    kind = ChangeKind(opinion.details["kind"])

    # A move brings other neighbours: all households of the new group must agree, as at the beginning (D0-R8).
    if kind is ChangeKind.MOVE:
        consent = await_decision(case, Gate.HOUSEHOLD_CONSENT)
        if consent.verdict is Verdict.WITHDRAWN:
            return Ending(Outcome.WITHDRAWN, consent.reason)
        if consent.verdict is not Verdict.CARRIED:
            return Ending(Outcome.REJECTED, consent.reason)

    review = await_decision(case, Gate.CHANGE_REVIEW)
    if review.verdict is Verdict.WITHDRAWN:
        return Ending(Outcome.WITHDRAWN, review.reason)
    if review.verdict is Verdict.REJECTED:
        return Ending(Outcome.REJECTED, review.reason)

    # The plaque, the rules and the shelf go with the site (D0-R10).
    if kind is ChangeKind.MOVE:
        works = await_decision(case, Gate.CHANGE_WORKS)
        if works.verdict is Verdict.WITHDRAWN:
            return Ending(Outcome.WITHDRAWN, works.reason)

    # A rest begins on its first day, ends by itself on its last one, or earlier when the site asks for it. One that is
    # called off before it began, or whose site was closed or revoked meanwhile, is not followed by anything.
    if kind is ChangeKind.SUSPENSION:
        end = await_decision(case, Gate.SUSPENSION)
        if not end.details["resumed"]:
            return Ending(Outcome.ABANDONED, end.details.get("because") or end.reason)
        return Ending(Outcome.RESUMED, end.reason)
    return Ending(Outcome.IN_EFFECT)


@flow(name="site-change", flow_run_name="{case_number}")
def site_change_lifecycle(case_number: str = titled("案件编号")) -> State[Any]:
    """
    客堂间变更办理:由系统为每项变更自动启动:村(居)委会意见 → 审核 → 生效,一般无须手工运行.

    Args:
        case_number: 案件编号,例如 KTBG-2026-0001
    """
    return carry(case_number, site_change)
