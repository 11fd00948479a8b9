"""What the two sides of an order say at its gates, one command for every door: taken, delivered, confirmed (D1-R5)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.case import Case
from models.registry import Person
from models.service import ServiceOrder
from models.work_item import Decision, WorkItem
from policies.errors import Refused
from policies.vocabulary import CaseKind, Door, Gate, SiteStatus, Verdict
from rules.periods import due_on
from rules.transitions import ALSO_GIVEN_BY
from runtime.resources import Resources
from tasks import items, order_case
from tasks.act import Act
from tasks.cases import Asked, check_authority, load_with_parent, local_day, person_of, policy_of
from tasks.deciding import Deciding, deciding, item_to_decide
from tasks.documents import attach
from tasks.living import keep
from tasks.mail import chinese_date
from tasks.service_activity import may_become_activity
from tasks.service_commands import ConfirmOrder, DeliverOrder, TakeOrder
from tasks.service_rows import check_capacity, lock_item, order_of, rules_of, year_of


@dataclass(frozen=True)
class _Step:
    """An order at one of its gates, held locked, and who acts there."""

    act: Act
    case: Case
    item: WorkItem
    order: ServiceOrder
    person: Person
    door: Door

    @property
    def where(self) -> str:
        """The clause of the gate."""
        return policy_of(self.case, self.item.gate).where

    def close(self, verdict: Verdict, *, reason: str, details: dict[str, Any], summary: str) -> Decision:
        """Keep the order as it was written, close the gate, and do what follows."""
        keep(self.act, self.case, [self.order], actor=self.person.display, summary=summary)
        decision = items.close(
            self.act, self.item, verdict, by=self.person, door=self.door, reason=reason, details=details
        )
        order_case.tell(self.act, self.case, self.item, decision)
        return decision


def _at(
    act: Deciding,
    command: TakeOrder | DeliverOrder | ConfirmOrder,
    gate: Gate,
    verdict: Verdict,
    door: Door,
    asked: Asked | None,
) -> _Step:
    case = load_with_parent(act.session, command.case)
    if case.kind is not CaseKind.SERVICE_ORDER:
        raise Refused("default", f"案件 {case.number} 是“{case.kind.label}”,不是服务点单;请填写点单的案件编号")
    item = item_to_decide(act, case, asked, gate)
    person = person_of(act.session, command.by)
    check_authority(act.session, item, person, on=act.day, also=ALSO_GIVEN_BY.get((gate, verdict)))
    return _Step(act, case, item, order_of(act.session, case), person, door)


def take_order(
    resources: Resources, command: TakeOrder, *, door: Door, at: datetime, asked: Asked | None = None
) -> Decision:
    """
    Let the provider take an order and promise a day; without one, the day that the site wishes for (D1-R5).

    Args:
        asked: the form it came in on; None: by another door.

    Raises:
        Refused: another gate waits, not the provider's contact nor the office, the site was closed or revoked since,
            the day is past or too far off, or the item is used up in that day's year.
    """
    with deciding(resources, at=at) as act:
        step = _at(act, command, Gate.SERVICE_OFFER, Verdict.TAKEN, door, asked)
        order, before = step.order, year_of(step.order)
        if order.site.status not in (SiteStatus.ACTIVE, SiteStatus.SUSPENDED):
            raise Refused(
                step.where,
                f"客堂间 {order.site.number} {order.site.status.label},不再送服务;"
                f"请选择“{Verdict.DECLINED.label}”并写明理由",
            )
        promised = command.promised_on or order.wished_on
        if promised < act.day:
            raise Refused(
                step.where, f"承诺日期{chinese_date(promised)}早于今天{chinese_date(act.day)},请填写今天或以后的日期"
            )
        limit = policy_of(step.case, Gate.SERVICE_DELIVERY).due
        latest = due_on(
            max(order.wished_on, act.day), days=limit.days, unit=limit.unit, calendar=act.resources.calendar
        )
        if promised > latest:
            raise Refused(
                limit.where,
                f"承诺日期{chinese_date(promised)}太晚:须在希望日期{chinese_date(order.wished_on)}后{limit.days}日内,"
                f"即至迟{chinese_date(latest)};做不到的,请选择“{Verdict.DECLINED.label}”并写明理由",
            )
        if promised.year != before:
            item = lock_item(act.session, order.item_id)
            check_capacity(act.session, item, promised.year, where=rules_of(step.case).where, but=order.id)
        order.promised_on = promised
        told = f"承诺{promised}送达"
        if promised != order.wished_on:
            told += f"(希望日期为{order.wished_on})"
        return step.close(
            Verdict.TAKEN,
            reason=command.note,
            details={"promised_on": promised.isoformat(), "wished_on": order.wished_on.isoformat()},
            summary=told,
        )


def deliver_order(
    resources: Resources, command: DeliverOrder, *, door: Door, at: datetime, asked: Asked | None = None
) -> Decision:
    """
    Record that the provider delivered, on which day and to how many (D1-R5).

    Raises:
        Refused: another gate waits, not the provider's contact nor the office, a day in the future or before the
            order (of a delivery that is made again: before the dispute), or a named file that is not there.
    """
    with deciding(resources, at=at) as act:
        step = _at(act, command, Gate.SERVICE_DELIVERY, Verdict.DELIVERED, door, asked)
        order, placed_on = step.order, local_day(step.case.opened_at)
        delivered = command.delivered_on or act.day
        if delivered > act.day:
            raise Refused(
                step.where, f"送达日期{chinese_date(delivered)}晚于今天{chinese_date(act.day)},请在送达后登记"
            )
        if delivered < placed_on:
            raise Refused(step.where, f"送达日期{chinese_date(delivered)}早于点单日{chinese_date(placed_on)},请核对")
        disputed = order_case.last(act.session, step.case, Verdict.DISPUTED)
        if disputed is not None and delivered < (since := local_day(disputed.decided_at)):
            raise Refused(
                step.where,
                f"送达日期{chinese_date(delivered)}早于{chinese_date(since)}:客堂间当日才指出未按约送达,"
                "请填写重新送达的日期",
            )
        if command.proof:
            order.document = attach(
                act.session,
                step.case,
                folder=resources.settings.documents_folder,
                reference=command.proof,
                kind="service",
                by=step.person,
                at=at,
            )
        order.delivered_on = delivered
        promised = order.promised_on
        return step.close(
            Verdict.DELIVERED,
            reason="",
            details={
                "delivered_on": delivered.isoformat(),
                "promised_on": promised.isoformat() if promised else None,
                "served": command.served,
                "document": order.document.id if order.document else None,
                "sha256": order.document.sha256 if order.document else "",
            },
            summary=f"{delivered}送达,服务{command.served}人" + (f",材料:{command.proof}" if command.proof else ""),
        )


def confirm_order(
    resources: Resources, command: ConfirmOrder, *, door: Door, at: datetime, asked: Asked | None = None
) -> Decision:
    """
    Let the site confirm a delivery and rate it (D1-R5).

    Raises:
        Refused: another gate waits, not the site's leader, a rating out of the edition's bounds, or too late: then the
            delivery counts without a rating.
    """
    with deciding(resources, at=at) as act:
        step = _at(act, command, Gate.SERVICE_CONFIRMATION, Verdict.CONFIRMED, door, asked)
        order, rules = step.order, rules_of(step.case)
        if not 1 <= command.rating <= rules.best_rating:
            raise Refused(
                rules.where,
                f"评价{command.rating}分不在范围内,须为1至{rules.best_rating}分的整数(1分最差),请填写后再提交",
            )
        if command.as_activity and not may_become_activity(act.session, step.case):
            raise Refused(
                rules.where,
                f"“{order.item.name}”的类别“{order.item.category}”不在本方案的活动类别之内,不能登记为活动;请不要勾选",
            )
        order.served, order.rating, order.comment = command.served, command.rating, command.comment
        comment = f":{command.comment}" if command.comment else ""
        told = f"服务{command.served}人,评价{command.rating}分(满分{rules.best_rating}分){comment}"
        return step.close(
            Verdict.CONFIRMED,
            reason=told,
            details={
                "served": command.served,
                "rating": command.rating,
                "comment": command.comment,
                "as_activity": command.as_activity,
            },
            summary=f"确认送达:{told}",
        )
