"""Works, steps and money on its way: each point recorded with date and proof; the last one closes the gate."""

from datetime import date, datetime

from models.case import Document, WorkDone
from models.registry import Person
from models.work_item import WorkItem
from notifications.letters import SubsidyPaid
from policies.errors import Refused
from policies.vocabulary import Door, Gate, Verdict
from runtime.resources import Resources, edition_of
from tasks import change_effects, funds, items
from tasks.act import Act
from tasks.cases import (
    Asked,
    check_authority,
    entitled,
    load_case,
    local_day,
    person_of,
    policy_of,
)
from tasks.checklists import Point, done, points
from tasks.commands import RecordWorks, WorkRecord
from tasks.deciding import deciding, item_to_decide
from tasks.documents import attach
from tasks.history import append
from tasks.ledger import pay_down
from tasks.mail import about_site, applicants, chinese_date, send, village_of


def record_works(
    resources: Resources, command: RecordWorks, *, door: Door, at: datetime, asked: Asked | None = None
) -> tuple[str, ...]:
    """
    Record points of the checklist that waits; the gate closes with the last one (D0-R10, D0-R15, D2-R9, D2-R13).

    Args:
        asked: the form it came in on; None: by another door.

    Returns:
        The names of the points still missing; empty when the gate closed.

    Raises:
        Refused: no checklist waits, an unknown point, a date in the future or before the gate, no proof, or a person
            who may not record this point. Nothing of the command is recorded then.
    """
    with deciding(resources, at=at) as act:
        case = load_case(act.session, command.case)
        item = item_to_decide(act, case, asked)
        known = points(act.session, item)
        if not known:
            raise Refused("default", f"案件 {case.number} 现处于“{item.gate.label}”环节,没有逐项登记的事项")
        person = person_of(act.session, command.by)
        finished = done(act.session, item)
        for record in command.works:
            _record(act, item, known, record, person, finished)
        left = [point for point in known if point.code not in finished]
        if not left:
            items.close(act, item, Verdict.COMPLETED, by=person, door=door)
            _tell(act, item, person)
        return tuple(point.name for point in left)


def _record(
    act: Act,
    item: WorkItem,
    known: tuple[Point, ...],
    record: WorkRecord,
    person: Person,
    finished: dict[str, WorkDone],
) -> None:
    """Record one point, and add it to those that are done."""
    point = next((each for each in known if record.point in (each.code, each.name)), None)
    if point is None:
        names = "、".join(each.name for each in known)
        raise Refused(policy_of(item.case, item.gate).where, f"“{record.point}”不是本环节的事项,可登记:{names}")
    if point.code in finished:
        when = chinese_date(finished[point.code].done_on)
        raise Refused(point.where, f"“{point.name}”已登记(完成于{when}),不能重复登记")
    _check_person(act, item, point, person)
    _check_order(point, known, finished)
    if record.done_on > act.day:
        raise Refused(point.where, f"“{point.name}”的完成日期{chinese_date(record.done_on)}晚于今天,请核对")
    opened_on = local_day(item.case.opened_at)
    if record.done_on < opened_on:
        raise Refused(
            point.where,
            f"“{point.name}”的完成日期{chinese_date(record.done_on)}早于申请日{chinese_date(opened_on)},请核对",
        )
    document = attach(
        act.session,
        item.case,
        folder=act.resources.settings.documents_folder,
        reference=record.proof,
        kind=point.code,
        by=person,
        at=act.at,
    )
    finished[point.code] = WorkDone(
        work_item_id=item.id,
        code=point.code,
        done_on=record.done_on,
        document_id=document.id,
        recorded_at=act.at,
        recorded_by_id=person.id,
    )
    act.session.add(finished[point.code])
    append(
        act.session,
        item.case,
        kind="work_recorded",
        actor=person.display,
        summary=f"“{point.name}”已于{chinese_date(record.done_on)}完成,证明材料:{document.reference}",
        at=act.at,
        data={
            "work_item": item.id,
            "point": point.code,
            "done_on": record.done_on.isoformat(),
            "document": document.id,
            "sha256": document.sha256,
            "by": person.id,
        },
    )
    _book(act, item, point, person, document, record.done_on)


def _book(act: Act, item: WorkItem, point: Point, person: Person, document: Document, on: date) -> None:
    """Book the movement of money that a point stands for."""
    match item.gate:
        case Gate.SUBSIDY:
            subsidy = edition_of(item.case).for_sites.subsidy
            if point.move is not None and subsidy is not None:
                pay_down(act, item.case, point.move, by=person, document=document, subsidy=subsidy)
        case Gate.FUNDING:
            if point.move is not None:
                funds.fund(act, item, by=person, document=document)
        case Gate.SETTLEMENT:
            funds.return_surplus(act, item, by=person, document=document, on=on)
        case _:
            pass


def _check_person(act: Act, item: WorkItem, point: Point, person: Person) -> None:
    if point.role is item.role:
        check_authority(act.session, item, person, on=act.day)
        return
    able = entitled(act.session, item.case, point.role, on=act.day)
    if person.id not in {each.id for each in able}:
        names = "、".join(each.display for each in able) or "(登记簿中尚无人担任)"
        raise Refused(point.where, f"“{point.name}”须由{point.role.label}登记,现为{names};{person.display}无权登记")


def _check_order(point: Point, known: tuple[Point, ...], finished: dict[str, WorkDone]) -> None:
    """Refuse money that would arrive before it was sent: the subsidy's points have an order, the plaque's have none."""
    if not any(each.move for each in known):
        return
    for earlier in known[: known.index(point)]:
        if earlier.code not in finished:
            raise Refused(point.where, f"须先登记“{earlier.name}”,再登记“{point.name}”")


def _tell(act: Act, item: WorkItem, person: Person) -> None:
    """Do what follows from the list being done, and tell those concerned."""
    match item.gate:
        case Gate.SUBSIDY:
            _tell_paid(act, item)
        case Gate.FUNDING:
            funds.tell_funded(act, item)
        case Gate.CHANGE_WORKS:
            change_effects.move(act, item.case, by=person)
        case _:
            pass


def _tell_paid(act: Act, item: WorkItem) -> None:
    subsidy = edition_of(item.case).for_sites.subsidy
    if subsidy is None:
        return
    letter = SubsidyPaid(
        **about_site(item.case),
        amount_fen=subsidy.amount_yuan * 100,
        purposes=tuple(purpose.name for purpose in subsidy.purposes),
    )
    to = applicants(act.session, item.case) + village_of(act, item.case)
    send(act, item.case, letter, to, event=f"subsidy-{item.round}")
