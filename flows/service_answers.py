"""What the forms of the gates of services become."""

from datetime import datetime
from typing import Any

from flows.fields import UNDECIDED
from flows.site_answers import Answering, Filled, decide
from policies.vocabulary import Door, Gate, Verdict
from runtime.resources import Resources
from tasks import service_decisions
from tasks.cases import Asked, load_case
from tasks.commands import Command
from tasks.order_case import reported_people
from tasks.service_commands import ConfirmOrder, DeliverOrder, TakeOrder


def _chosen(filled: Filled) -> str:
    return str(filled.get("verdict", UNDECIDED))


def _fields(number: str, filled: Filled, *names: str) -> dict[str, Any]:
    """Return what was filled in for a command; an empty field is left out."""
    entered = {name: filled[name] for name in names if filled.get(name) not in (None, "")}
    return {"case": number, "by": str(filled["by"]), **entered}


def _offer(resources: Resources, number: str, filled: Filled, asked: Asked, at: datetime) -> None:
    if _chosen(filled) != Verdict.TAKEN.label:
        decide(resources, number, filled, asked, at)
        return
    fields = _fields(number, filled, "promised_on") | {"note": filled.get("reason", "")}
    command = TakeOrder.model_validate(fields)
    service_decisions.take_order(resources, command, door=Door.FORM, at=at, asked=asked)


def _delivery(resources: Resources, number: str, filled: Filled, asked: Asked, at: datetime) -> None:
    if _chosen(filled) != Verdict.DELIVERED.label:
        decide(resources, number, filled, asked, at)
        return
    fields = {"served": 0} | _fields(number, filled, "delivered_on", "served", "proof")
    command = DeliverOrder.model_validate(fields)
    service_decisions.deliver_order(resources, command, door=Door.FORM, at=at, asked=asked)


def _confirmation(resources: Resources, number: str, filled: Filled, asked: Asked, at: datetime) -> None:
    if _chosen(filled) != Verdict.CONFIRMED.label:
        decide(resources, number, filled, asked, at)
        return
    with resources.database.read() as session:
        reported = reported_people(session, load_case(session, number, lock=False))
    fields = {"served": reported, "rating": 0} | _fields(number, filled, "served", "rating", "comment", "as_activity")
    command = ConfirmOrder.model_validate(fields)
    service_decisions.confirm_order(resources, command, door=Door.FORM, at=at, asked=asked)


COMMANDS: dict[Gate, type[Command]] = {
    Gate.SERVICE_OFFER: TakeOrder,
    Gate.SERVICE_DELIVERY: DeliverOrder,
    Gate.SERVICE_CONFIRMATION: ConfirmOrder,
}
"""Whose titles name a faulty field of the form."""
ANSWERS: dict[Gate, Answering] = {
    Gate.SERVICE_OFFER: _offer,
    Gate.SERVICE_DELIVERY: _delivery,
    Gate.SERVICE_CONFIRMATION: _confirmation,
}
"""By gate; at the others an answer is a verdict."""
