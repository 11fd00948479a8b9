"""Orders as every step finds them, and how much of an item is taken in a year. Read only."""

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Exists, exists, func, select
from sqlalchemy.orm import Session

from models.case import Case
from models.registry import Unit
from models.service import ServiceItem, ServiceOrder
from models.work_item import Decision, WorkItem
from policies.errors import Refused
from policies.life_scheme import ServiceOrders
from policies.load import LoadedEdition
from policies.vocabulary import CaseStatus, Gate, Outcome, Verdict
from runtime.resources import edition_of

NOTHING_COMES = (Verdict.DECLINED, Verdict.WITHDRAWN, Verdict.FAILED)
"""Verdicts after which an order is not delivered any more."""


def order_of(session: Session, case: Case) -> ServiceOrder:
    """Return what an order's case is about."""
    return session.scalars(select(ServiceOrder).where(ServiceOrder.case_id == case.id)).one()


def rules_in(loaded: LoadedEdition, town: Unit) -> ServiceOrders:
    """Return what an edition says of orders; Refused when it says nothing."""
    services = loaded.edition.for_sites.services
    if services is None:
        raise Refused("default", f"{town.name}适用的《{loaded.edition.title}》没有规定点单配送,不能点单")
    return services


def rules_of(case: Case) -> ServiceOrders:
    """Return what the pinned edition of an order says of orders."""
    services = edition_of(case).for_sites.services
    if services is None:
        raise LookupError(f"case {case.number} is pinned to an edition without services")
    return services


def decided(*verdicts: Verdict) -> Exists:
    """Return the condition that an order's case has such a decision; its case may not be closed yet."""
    return exists().where(
        WorkItem.id == Decision.work_item_id,
        WorkItem.case_id == ServiceOrder.case_id,
        WorkItem.gate.in_((Gate.SERVICE_OFFER, Gate.SERVICE_DELIVERY, Gate.SERVICE_CONFIRMATION)),
        Decision.verdict.in_(verdicts),
    )


def unsettled() -> ColumnElement[bool]:
    """Return the condition that an order (joined with its case) still runs: nobody has decided how it ends."""
    return (Case.status == CaseStatus.OPEN) & ~decided(*NOTHING_COMES, Verdict.CONFIRMED, Verdict.LAPSED)


def year_of(order: ServiceOrder) -> int:
    """Return the year to which an order counts: of its delivery, its promised day, the day wished for."""
    return (order.delivered_on or order.promised_on or order.wished_on).year


def taken_in_year(session: Session, item: ServiceItem, year: int, *, but: int | None = None) -> int:
    """Return how many deliveries and running orders of an item count to a year, `but` one order (by its id)."""
    day: Any = func.coalesce(ServiceOrder.delivered_on, ServiceOrder.promised_on, ServiceOrder.wished_on)
    query = (
        select(func.count(ServiceOrder.id))
        .join(Case, Case.id == ServiceOrder.case_id)
        .where(
            ServiceOrder.item_id == item.id,
            day >= date(year, 1, 1),
            day < date(year + 1, 1, 1),
            (Case.outcome.is_(None)) | (Case.outcome == Outcome.DELIVERED),
            ~decided(*NOTHING_COMES),
        )
    )
    if but is not None:
        query = query.where(ServiceOrder.id != but)
    return session.scalar(query) or 0


def lock_item(session: Session, item_id: int) -> ServiceItem:
    """Lock an item until the transaction ends, so that two at once can not both get its last delivery."""
    session.execute(select(ServiceItem.id).where(ServiceItem.id == item_id).with_for_update())
    # Read only now: PostgreSQL joins a row that it waited for with what stood beside it before.
    return session.get_one(ServiceItem, item_id, populate_existing=True)


def check_capacity(session: Session, item: ServiceItem, year: int, *, where: str, but: int | None = None) -> None:
    """
    Refuse one more delivery of an item, held locked, in a year in which all are taken.

    Args:
        where: the clause.
        but: the id of the order that asks, which may count to the year already.
    """
    if item.per_year is None:
        return
    taken = taken_in_year(session, item, year, but=but)
    if taken >= item.per_year:
        raise Refused(
            where,
            f"“{item.name}”({item.code})每年供应{item.per_year}次,{year}年已送达和在办的共{taken}次,已经用完;"
            "请改选其他项目或改到次年",
        )


def category_name(case: Case, item: ServiceItem) -> str:
    """Return the name of an item's category in the case's edition; its code when the edition has no such one."""
    known = {each.code: each.name for each in edition_of(case).for_sites.activity_categories}
    return known.get(item.category, item.category)
