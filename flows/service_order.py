"""
Service orders (点单配送): a site orders, the provider takes it, delivers, the site confirms and rates (D1-R5).

Re-entrant: every line may run many times.
"""

from itertools import count
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.carry import carry
from flows.forms import titled
from flows.service_tables import show_services
from policies.vocabulary import Gate, Outcome, Verdict
from runtime.resources import open_resources
from tasks.procedure import CaseHandle, Ending, await_decision
from tasks.service_activity import record_as_activity
from tasks.service_shares import town_of


def service_order(case: CaseHandle) -> Ending:
    """Carry one order to its end: delivered and confirmed, declined, or withdrawn."""
    offer = await_decision(case, Gate.SERVICE_OFFER)
    if offer.verdict is Verdict.WITHDRAWN:
        return Ending(Outcome.WITHDRAWN, offer.reason)
    if offer.verdict is not Verdict.TAKEN:
        return Ending(Outcome.DECLINED, offer.reason)

    # What the site says was not delivered as agreed is delivered again.
    for round_ in count(1):
        delivery = await_decision(case, Gate.SERVICE_DELIVERY, round_)
        if delivery.verdict is Verdict.WITHDRAWN:
            return Ending(Outcome.WITHDRAWN, delivery.reason)
        if delivery.verdict is Verdict.FAILED:
            return Ending(Outcome.ABANDONED, delivery.reason)
        confirmation = await_decision(case, Gate.SERVICE_CONFIRMATION, round_)
        if confirmation.verdict is not Verdict.DISPUTED:
            # The leader may let what was delivered count as an activity of the site.
            if confirmation.details.get("as_activity"):
                case.perform(
                    lambda: record_as_activity(case.resources, case.number, at=case.at), name="登记为客堂间活动"
                )
            return Ending(Outcome.DELIVERED, confirmation.reason)
    raise AssertionError("count() never ends")


@flow(name="service-order", flow_run_name="{case_number}")
def service_order_lifecycle(case_number: str = titled("案件编号")) -> State[Any]:
    """
    服务点单办理:由系统为每张点单自动启动:接单 → 送达 → 确认和评价,一般无须手工运行.

    Args:
        case_number: 案件编号,例如 KTPS-2026-0001
    """
    state = carry(case_number, service_order)
    with open_resources() as resources:
        show_services(resources, town=town_of(resources, case_number), at=resources.clock.now())
    return state
