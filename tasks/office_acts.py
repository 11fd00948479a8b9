"""What the office does beside deciding: urge (催办), hand over (转办), deal with a letter that can not be delivered."""

from datetime import datetime, timedelta

from sqlalchemy import select

from models.work_item import WorkItem
from notifications.letters import HandedOver, Urged
from policies.errors import Refused
from policies.vocabulary import Door, Gate, Role, Verdict, WorkItemStatus
from rules.periods import SHANGHAI
from rules.transitions import check_verdict
from runtime.resources import Resources, edition_of
from tasks import items
from tasks.act import acting
from tasks.cases import (
    check_authority,
    deciders,
    entitled,
    holds_any,
    item_that_waits,
    leader_of,
    load_case,
    person_of,
    policy_of,
)
from tasks.commands import Decide, HandOver, Urge
from tasks.history import append
from tasks.mail import about, send, to_person
from tasks.outbox import requeue

OFFICE = {Role.OFFICE_HEAD, Role.OFFICE_REVIEWER}


def urge(resources: Resources, command: Urge, *, at: datetime) -> tuple[str, ...]:
    """
    Ask those who decide to hurry, by letter, now (催办).

    Returns:
        Who was urged, as records show them.

    Raises:
        Refused: nothing waits, the person has nothing to do with the case, or it was urged too recently.
    """
    with acting(resources, at=at) as act:
        case = load_case(act.session, command.case)
        item = item_that_waits(act.session, case)
        person = person_of(act.session, command.by)
        leader = leader_of(act.session, case)
        theirs = leader is not None and person.id == leader.id
        if not theirs and not holds_any(act.session, person, set(Role), case.unit.lineage(), on=act.day):
            raise Refused("default", f"{person.display}与案件 {case.number} 无关,不能催办")
        rule = edition_of(case).urging
        gap = timedelta(hours=rule.at_least_hours_between)
        if item.last_urged_at is not None and at - item.last_urged_at < gap:
            again = (item.last_urged_at + gap).astimezone(SHANGHAI)
            raise Refused(
                rule.where,
                f"案件 {case.number} 已于{item.last_urged_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}催办,"
                f"{rule.at_least_hours_between}小时内不重复催办,可在{again:%Y-%m-%d %H:%M}之后再催",
            )
        item.last_urged_at = at
        to = deciders(act.session, item, on=act.day)
        letter = Urged(**about(case), gate=item.gate.label, by=person.name, due_on=item.due_on, message=command.message)
        send(act, case, letter, [to_person(each) for each in to], event=f"urged-{item.id}-{at.isoformat()}")
        names = tuple(each.display for each in to)
        append(
            act.session,
            case,
            kind="urged",
            actor=person.display,
            summary=f"催办“{item.gate.label}”:{'、'.join(names)}",
            at=at,
            data={"work_item": item.id, "urged": [each.id for each in to], "message": command.message},
        )
        return names


def hand_over(resources: Resources, command: HandOver, *, at: datetime) -> None:
    """
    Hand the gate that waits to another holder of its role (转办); from then on only that person decides.

    Raises:
        Refused: nothing waits, the person may not hand over, or the other one does not hold the role.
    """
    with acting(resources, at=at) as act:
        case = load_case(act.session, command.case)
        item = item_that_waits(act.session, case)
        person, other = person_of(act.session, command.by), person_of(act.session, command.to)
        if not holds_any(act.session, person, {Role.OFFICE_HEAD}, case.unit.lineage(), on=act.day):
            check_authority(act.session, item, person, on=act.day)
        able = entitled(act.session, case, item.role, on=act.day)
        if other.id not in {each.id for each in able}:
            names = "、".join(each.display for each in able) or "(登记簿中尚无人担任)"
            raise Refused(
                policy_of(case, item.gate).where,
                f"不能转给{other.display}:其不担任{item.role.label},可转给:{names}",
            )
        before = "、".join(each.display for each in deciders(act.session, item, on=act.day))
        if item.assignee_id == other.id:
            raise Refused("default", f"案件 {case.number} 的“{item.gate.label}”已在{other.display}名下,无须转办")
        item.assignee_id, item.assignee = other.id, other
        act.session.flush()
        letter = HandedOver(
            **about(case),
            gate=item.gate.label,
            from_name=before,
            to_name=other.name,
            by=person.name,
            reason=command.reason,
            due_on=item.due_on,
        )
        send(act, case, letter, [to_person(other)], event=f"handed-{item.id}-{at.isoformat()}")
        append(
            act.session,
            case,
            kind="handed_over",
            actor=person.display,
            summary=f"“{item.gate.label}”由{before}转办给{other.display},理由:{command.reason}",
            at=at,
            data={"work_item": item.id, "to": other.id, "reason": command.reason},
        )


def settle_undelivered(resources: Resources, command: Decide, *, entry: int, door: Door, at: datetime) -> None:
    """
    Settle the office's work item for a letter that could not be delivered: send it again, or say how it was told.

    Args:
        entry: the letter's number in the outbox.

    Raises:
        Refused: no such work item waits, or the person may not settle it.
    """
    with acting(resources, at=at) as act:
        case = load_case(act.session, command.case)
        item = act.session.scalars(
            select(WorkItem).where(
                WorkItem.case_id == case.id,
                WorkItem.gate == Gate.UNDELIVERED_LETTER,
                WorkItem.status == WorkItemStatus.OPEN,
                WorkItem.subject_id == entry,
            )
        ).one_or_none()
        if item is None:
            raise Refused("default", f"案件 {case.number} 没有待处理的未送达信函 {entry}")
        person = person_of(act.session, command.by)
        check_authority(act.session, item, person, on=act.day)
        check_verdict(item.gate, command.verdict, reason=command.reason)
        items.close(act, item, command.verdict, by=person, door=door, reason=command.reason)
        if command.verdict is Verdict.RESENT:
            requeue(act.session, entry, at=at)
