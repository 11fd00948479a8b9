"""Service orders: what the driver asks of their kind of case (D1-R5)."""

from datetime import date
from typing import TypedDict

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import Case
from models.service import ServiceOrder
from models.work_item import Decision, WorkItem
from notifications.letters import CaseClosed, TaskWaiting
from notifications.outbox import Recipient
from notifications.service_letters import OrderAnswered, OrderDelivered, OrderDisputed, OrderPlaced
from policies.errors import Refused
from policies.vocabulary import Gate, Outcome, Role, SiteStatus, Verdict
from tasks.act import Act
from tasks.cases import deciders, entitled, policy_of
from tasks.commands import Decide
from tasks.history import SYSTEM
from tasks.living import keep
from tasks.mail import about, applicants, due_note, due_of, holders_of, send, to_person, village_of
from tasks.service_rows import category_name, order_of, rules_of

DELIVER = (
    "请按承诺的日期上门服务，送达后登记送达日期和服务人数（可附照片、签到表）；"
    "确实无法提供的，选择“未能送达”并写明理由。"
)


class Placed(TypedDict):
    """What the letters of an order say of what was ordered."""

    item: str
    provider: str
    site: str
    address: str
    leader: str
    wished_on: date
    people: int
    note: str


def placed_facts(order: ServiceOrder) -> Placed:
    """Return what the letters of an order say of what was ordered."""
    household, village, group = order.site.household, order.site.village, order.site.group
    address = f"（{household.address}）" if household.address else ""
    return Placed(
        item=order.item.name,
        provider=order.item.provider.name,
        site=order.site.number,
        address=f"{village.name}{group.name.removeprefix(village.name)}{household.head_name}户{address}",
        leader=order.site.leader.name,
        wished_on=order.wished_on,
        people=order.people,
        note=order.note,
    )


def ask(act: Act, case: Case, item: WorkItem) -> None:
    """Ask those who decide at a gate of an order, by letter."""
    order = order_of(act.session, case)
    to = [to_person(each) for each in deciders(act.session, item, on=act.day)]
    event = f"{item.gate.value}-{item.round}"
    match item.gate:
        case Gate.SERVICE_OFFER:
            placed = OrderPlaced(
                **about(case), **placed_facts(order), for_site=False, due_on=item.due_on, due_note=due_note(item)
            )
            send(act, case, placed, to, event=event)
        case Gate.SERVICE_DELIVERY if item.round == 1:
            waiting = TaskWaiting(
                **about(case),
                gate=item.gate.label,
                what_to_do=DELIVER,
                facts=(
                    f"地点：{placed_facts(order)['address']}，负责人{order.site.leader.name}",
                    f"预计{order.people}人" + (f"，{order.note}" if order.note else ""),
                ),
                due_on=item.due_on,
                due_note="期限为承诺的送达日期。",
            )
            send(act, case, waiting, to, event=event)
        case Gate.SERVICE_DELIVERY:
            heard = {each.person_id: each for each in [*to, *holders_of(act, case, Role.OFFICE_REVIEWER)]}
            send(act, case, _disputed(act, case, order, item), heard.values(), event=event)
        case Gate.SERVICE_CONFIRMATION:
            send(act, case, _delivered(act, case, order, item), to, event=event)
        case _:
            raise ValueError(f"an order has no gate {item.gate}")


def _disputed(act: Act, case: Case, order: ServiceOrder, item: WorkItem) -> OrderDisputed:
    disputed, claimed = last(act.session, case, Verdict.DISPUTED), last(act.session, case, Verdict.DELIVERED)
    if disputed is None or claimed is None:
        raise LookupError(f"delivery {item.round} of case {case.number} follows no dispute")
    return OrderDisputed(
        **about(case),
        item=order.item.name,
        provider=order.item.provider.name,
        site=order.site.number,
        by=disputed.decided_by.name if disputed.decided_by else SYSTEM,
        claimed_on=date.fromisoformat(claimed.details["delivered_on"]),
        reason=disputed.reason,
        due_on=item.due_on,
    )


def _delivered(act: Act, case: Case, order: ServiceOrder, item: WorkItem) -> OrderDelivered:
    return OrderDelivered(
        **about(case),
        item=order.item.name,
        provider=order.item.provider.name,
        delivered_on=order.delivered_on or act.day,
        served=reported_people(act.session, case),
        proof=order.document.reference if order.document else "",
        best_rating=rules_of(case).best_rating,
        lapses=policy_of(case, item.gate).lapse is not None,
        due_on=item.due_on,
        due_note=due_note(item),
    )


def last(session: Session, case: Case, verdict: Verdict) -> Decision | None:
    """Return the last decision of a case with that verdict: by which the provider said that it delivered, or so."""
    return session.scalars(
        select(Decision)
        .where(Decision.case_id == case.id, Decision.verdict == verdict)
        .order_by(Decision.id.desc())
        .limit(1)
    ).first()


def reported_people(session: Session, case: Case) -> int:
    """Return how many people were served, as the provider said last; 0 before it delivered."""
    delivered = last(session, case, Verdict.DELIVERED)
    return int(delivered.details["served"]) if delivered is not None else 0


def check(act: Act, case: Case, item: WorkItem, command: Decide) -> list[str]:
    """Refuse a verdict that needs more than a reason; there are no warnings to acknowledge."""
    needs = {
        Verdict.TAKEN: "接单须写明承诺日期,请在“接单”表单中填写,或用 ketang service answer",
        Verdict.DELIVERED: "登记送达须写明送达日期和服务人数,请在“服务送达”表单中填写,或用 ketang service deliver",
        Verdict.CONFIRMED: "确认送达须写明服务人数和评价,请在“服务确认”表单中填写,或用 ketang service confirm",
    }
    if command.verdict in needs:
        raise Refused(policy_of(case, item.gate).where, needs[command.verdict])
    return []


def tell(act: Act, case: Case, item: WorkItem, decision: Decision) -> None:
    """Do what follows from a verdict in its transaction, and tell those concerned."""
    by = decision.decided_by.display if decision.decided_by else SYSTEM
    match item.gate, decision.verdict:
        case Gate.SERVICE_OFFER, (Verdict.TAKEN | Verdict.DECLINED):
            _tell_answer(act, case, item, decision)
        case Gate.SERVICE_CONFIRMATION, Verdict.DISPUTED:
            _open_again(act, case, by)
        case _:
            pass


def _tell_answer(act: Act, case: Case, item: WorkItem, decision: Decision) -> None:
    order = order_of(act.session, case)
    letter = OrderAnswered(
        **about(case),
        item=order.item.name,
        provider=order.item.provider.name,
        taken=decision.verdict is Verdict.TAKEN,
        wished_on=order.wished_on,
        promised_on=order.promised_on,
        reason=decision.reason,
    )
    to = applicants(act.session, case) + village_of(act, case)
    send(act, case, letter, to, event=f"{item.gate.value}-{item.round}-decided")


def _open_again(act: Act, case: Case, by: str) -> None:
    """Let a delivery that the site disputes be made again, within the edition's own period from today."""
    order = order_of(act.session, case)
    order.promised_on = due_of(case, Gate.SERVICE_DELIVERY, act)
    order.delivered_on, order.document = None, None
    keep(act, case, [order], actor=by, summary=f"须重新送达,期限至{order.promised_on}")


def provider_of(act: Act, case: Case) -> list[Recipient]:
    """Return the provider's contact as a recipient; nobody when it left the registry."""
    return [to_person(each) for each in entitled(act.session, case, Role.PROVIDER, on=act.day)]


def facts(session: Session, case: Case) -> tuple[tuple[str, str], ...]:
    """Return what a page says of it, as labelled rows."""
    order = order_of(session, case)
    place = placed_facts(order)
    standing = "" if order.site.status is SiteStatus.ACTIVE else f",现{order.site.status.label}"
    rows = [
        ("客堂间", f"{order.site.number} {place['address']},负责人{order.site.leader.display}{standing}"),
        ("服务项目", f"{order.item.code} {order.item.name}({category_name(case, order.item)})"),
        ("服务单位", f"{order.item.provider.name},联系人{order.item.provider.contact.display}"),
        ("希望日期", f"{order.wished_on},预计{order.people}人"),
    ]
    if order.note:
        rows.append(("说明", order.note))
    if order.promised_on is not None:
        rows.append(("承诺日期", f"{order.promised_on}" + _apart(order.promised_on, order.wished_on)))
    if order.delivered_on is not None:
        proof = f",材料:{order.document.reference}" if order.document else ""
        rows.append(("送达日期", f"{order.delivered_on},单位登记服务{reported_people(session, case)}人{proof}"))
    if order.served is not None:
        rows.append(("确认服务人数", f"{order.served}人"))
    if order.rating is not None:
        comment = f":{order.comment}" if order.comment else ""
        rows.append(("评价", f"{order.rating}分(满分{rules_of(case).best_rating}分){comment}"))
    return tuple(rows)


def _apart(promised_on: date, wished_on: date) -> str:
    days = (promised_on - wished_on).days
    return "" if not days else f"(比希望日期{'晚' if days > 0 else '早'}{abs(days)}日)"


def after(act: Act, case: Case) -> None:
    """Tell the provider how it ended, and the office when what was promised never came."""
    outcome = case.outcome.label if case.outcome else ""
    closed = CaseClosed(**about(case), outcome=outcome, because=case.because, closed_on=act.day)
    to = provider_of(act, case)
    if case.outcome is Outcome.ABANDONED:
        to += holders_of(act, case, Role.OFFICE_REVIEWER)
    send(act, case, closed, {each.person_id: each for each in to}.values(), event="closed")


def promised_day(act: Act, case: Case) -> date | None:
    """Return the last day of a delivery: the promised one."""
    return order_of(act.session, case).promised_on
