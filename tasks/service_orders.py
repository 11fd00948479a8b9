"""Orders of services: placed one by one or by a sheet, held against the edition and the catalogue (D1-R5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import Case, Site
from models.registry import Person, Unit
from models.service import Provider, ServiceItem, ServiceOrder
from notifications.service_letters import OrderPlaced
from policies.errors import Refused
from policies.vocabulary import CaseKind, Door, Gate, Role, UnitKind
from runtime.resources import Resources
from tasks.act import Act, acting
from tasks.cases import person_of
from tasks.living import check_active, check_may_record, keep, lock_site, open_case, scheme_for, site_named
from tasks.mail import about, applicants, chinese_date, due_of, send
from tasks.openings import opened_by
from tasks.order_case import placed_facts
from tasks.service_commands import OrderRow, PlaceOrder
from tasks.service_rows import check_capacity, lock_item, rules_in, unsettled

AHEAD = 366
"""Calendar days ahead for which an order is taken: further on, the year is mistyped."""
ON_BEHALF = (Role.VILLAGE_RESPONSIBLE, Role.LIAISON, Role.OFFICE_REVIEWER)
"""Who orders for a site beside its leader."""


@dataclass(frozen=True)
class _Asked:
    """What a row names, found in registry and catalogue."""

    row: OrderRow
    site: Site
    item_id: int


def place_order(resources: Resources, command: PlaceOrder, *, door: Door, key: str, at: datetime) -> str:
    """
    Place a site's order; it becomes a case of its own (基层点单, D1-R5).

    Args:
        door: by which door it came.
        key: what placed it; the same key places one order, however often it is tried.

    Returns:
        The order's case number.

    Raises:
        Refused: the site does not run, somebody may not order for it, the item is not supplied to its town or used up,
            the day is too near, too many orders of the site run; names clause and figures.
    """
    with acting(resources, at=at) as act:
        if (known := opened_by(act.session, key)) is not None:
            return known.number
        person = person_of(act.session, command.by)
        asked = _found(act, command)
        item = lock_item(act.session, asked.item_id)
        lock_site(act.session, asked.site)
        # Asked again under the locks: the same key may have come in twice at once.
        if (known := opened_by(act.session, key)) is not None:
            return known.number
        return _place(act, asked, item, person, door=door, key=key)


def import_orders(
    resources: Resources, rows: Sequence[tuple[int, OrderRow]], *, by: str, sheet: str, key: str, at: datetime
) -> list[str]:
    """
    Place all orders of a sheet, or none when one is faulty; what it ordered before and still runs is passed over.

    Args:
        rows: number of the row and its order, see `tasks.service_sheets.read_orders`.
        by: who orders, for every site in it.
        sheet: its name, for the sentence.
        key: what imported it, at most 90 characters; the same key imports it once.

    Returns:
        The orders' case numbers in the order of the rows.

    Raises:
        Refused: as `place_order`, or a row stands in the sheet twice; every fault named by its row.
    """
    with acting(resources, at=at) as act:
        person = person_of(act.session, by)
        faults, asked = list[str](), dict[int, _Asked]()
        for number, row in rows:
            try:
                asked[number] = _found(act, row)
            except Refused as refusal:
                faults.append(f"第{number}行:{refusal}")
        # Locked in one order, items before sites: two sheets must not wait for each other.
        items = {each: lock_item(act.session, each) for each in sorted({one.item_id for one in asked.values()})}
        for site in sorted({one.site.id: one.site for one in asked.values()}.values(), key=lambda each: each.case_id):
            lock_site(act.session, site)
        known = _imported(act.session, key)
        if known:
            return known
        placed, above = list[str](), dict[OrderRow, int]()
        running = {number: _running_twin(act.session, one) for number, one in asked.items()}
        for number, one in asked.items():
            if (first := above.setdefault(_as_ordered(one), number)) != number:
                faults.append(f"第{number}行:与第{first}行完全相同;同日要点两场的,请在“说明”中写明场次")
                continue
            # An office goes on filling in its sheet, and brings it again.
            if (before := running[number]) is not None:
                placed.append(before)
                continue
            # Placed as it is read, so that a row is also held against those above it; a fault takes all of them back.
            try:
                opening = f"{key}:{number}"
                placed.append(_place(act, one, items[one.item_id], person, door=Door.SHEET, key=opening))
            except Refused as refusal:
                faults.append(f"第{number}行:{refusal}")
        if faults:
            listed = "".join(f"\n{number}. {fault}" for number, fault in enumerate(faults, 1))
            raise Refused("点单表填写要求", f"点单表“{sheet}”有{len(faults)}行有误,一张也没有登记:{listed}")
        return placed


def _as_ordered(one: _Asked) -> OrderRow:
    """Return a row as it is told from the others, however it names its site and item."""
    return one.row.model_copy(update={"site": one.site.number, "item": f"{one.item_id}"})


def _running_twin(session: Session, one: _Asked) -> str | None:
    """Return the number of an order that runs and says the same in all; None: there is none."""
    row = one.row
    return session.scalars(
        select(Case.number)
        .join(ServiceOrder, ServiceOrder.case_id == Case.id)
        .where(
            ServiceOrder.site_id == one.site.id,
            ServiceOrder.item_id == one.item_id,
            ServiceOrder.wished_on == row.wished_on,
            ServiceOrder.people == row.people,
            ServiceOrder.note == row.note,
            unsettled(),
        )
        .order_by(Case.id)
        .limit(1)
    ).first()


def _imported(session: Session, key: str) -> list[str]:
    return list(
        session.scalars(
            select(Case.number)
            .where(Case.kind == CaseKind.SERVICE_ORDER, Case.opening_key.startswith(f"{key}:", autoescape=True))
            .order_by(Case.id)
        )
    )


def _found(act: Act, row: OrderRow) -> _Asked:
    site = site_named(act.session, row.site)
    town = site.group.above(UnitKind.TOWN)
    return _Asked(row=row, site=site, item_id=_item_named(act.session, row.item, town).id)


def _item_named(session: Session, text: str, town: Unit) -> ServiceItem:
    """Return the item that `text` names in a town's catalogue: its code, its name, or “code name”."""
    wanted = text.strip()
    offered = session.scalars(
        select(ServiceItem).join(Provider).where(Provider.unit_id == town.id).order_by(ServiceItem.code)
    ).all()
    code = wanted.partition(" ")[0]
    found = [each for each in offered if each.code in (wanted, code)]
    found = found or [each for each in offered if each.name == wanted and each.active]
    found = found or [each for each in offered if each.name == wanted]
    if len(found) == 1:
        return found[0]
    if found:
        codes = "、".join(f"{each.code}({each.provider.name})" for each in found)
        raise Refused("default", f"服务目录中有{len(found)}项“{wanted}”,请改填项目编码:{codes}")
    choices = "、".join(f"{each.code} {each.name}" for each in offered if each.active)
    raise Refused("default", f"{town.name}的服务目录中没有“{wanted}”,可点:{choices or '(目录为空,请社区办先导入)'}")


def _place(act: Act, asked: _Asked, item: ServiceItem, person: Person, *, door: Door, key: str) -> str:
    """Place one order; item and site are held locked."""
    row, site, session = asked.row, asked.site, act.session
    town = site.group.above(UnitKind.TOWN)
    loaded = scheme_for(act.resources, site, act)
    rules = rules_in(loaded, town)
    check_may_record(session, site, person, roles=ON_BEHALF, deed="点单", on=act.day)
    check_active(session, site, on=act.day, deed="点单")
    if item.provider.unit_id != town.id:
        raise Refused(
            rules.where, f"“{item.name}”({item.code})已改为供应{item.provider.unit.name},请在本镇的目录中另选"
        )
    if not item.active:
        raise Refused(rules.where, f"“{item.name}”({item.code})已停止供应,请改选服务目录中的其他项目")
    _check_day(row.wished_on, today=act.day, ahead=rules.ahead_days, where=rules.where)
    _check_open(session, site, at_most=rules.open_at_most, where=rules.where)
    check_capacity(session, item, row.wished_on.year, where=rules.where)
    case = open_case(
        act,
        kind=CaseKind.SERVICE_ORDER,
        loaded=loaded,
        prefix=rules.case_prefix,
        key=key,
        title=f"{item.name}({site.number})",
        unit=site.group,
        actor=person.display,
        door=door,
        summary=f"客堂间 {site.number} 点单“{item.name}”({item.provider.name}),希望{row.wished_on},预计{row.people}人",
        data={"site": site.number, "item": item.code, "provider": item.provider.code, "by": person.id},
    )
    order = ServiceOrder(
        case_id=case.id,
        site_id=site.id,
        item_id=item.id,
        wished_on=row.wished_on,
        people=row.people,
        note=row.note,
    )
    session.add(order)
    keep(act, case, [order], actor=person.display, summary=f"登记点单:{item.code} {item.name}")
    due_on = due_of(case, Gate.SERVICE_OFFER, act)
    receipt = OrderPlaced(**about(case), **placed_facts(order), for_site=True, due_on=due_on, due_note="")
    send(act, case, receipt, applicants(session, case), event="placed")
    return case.number


def _check_day(wished_on: date, *, today: date, ahead: int, where: str) -> None:
    if (wished_on - today).days < ahead:
        earliest = today + timedelta(days=ahead)
        raise Refused(
            where,
            f"希望日期{chinese_date(wished_on)}距今天{(wished_on - today).days}日,须至少提前{ahead}日点单;"
            f"请改为{chinese_date(earliest)}或以后",
        )
    if (wished_on - today).days > AHEAD:
        raise Refused("default", f"希望日期{chinese_date(wished_on)}距今天超过一年,请核对年份;到时再点单")


def _check_open(session: Session, site: Site, *, at_most: int, where: str) -> None:
    running = session.scalars(
        select(Case.number)
        .join(ServiceOrder, ServiceOrder.case_id == Case.id)
        .where(ServiceOrder.site_id == site.id, unsettled())
        .order_by(Case.id)
    ).all()
    if len(running) >= at_most:
        raise Refused(
            where,
            f"客堂间 {site.number} 已有{len(running)}张在办点单({'、'.join(running)}),至多{at_most}张;"
            "请先确认已送达的,或撤回不再需要的",
        )
