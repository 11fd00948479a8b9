"""What every command needs of a case: the case itself, locked; the people who ask; the files they show."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, bindparam, select, update
from sqlalchemy.orm import Session

from models.case import Case, Site, SiteApplication
from models.inspection import Inspection
from models.meeting import Meeting, Resolution
from models.notice import Notice
from models.project import Call, Project
from models.registry import Person, RoleHolding, Unit, held_on, holders
from models.service import Provider, ServiceItem, ServiceOrder
from models.site_change import SiteChange
from models.work_item import Ask, Decision, WorkItem
from policies.errors import Refused
from policies.sections import Timing
from policies.vocabulary import CaseKind, CaseStatus, Gate, Role, WorkItemStatus
from rules.periods import SHANGHAI
from runtime.resources import edition_of

# Built once: every command asks these, and building a statement costs as much as asking it.
_CASE = select(Case).where(Case.number == bindparam("number")).execution_options(populate_existing=True)
_LOCKED = _CASE.with_for_update(of=Case)
_NUMBER = select(Case.number).where(Case.number == bindparam("number"))
_PARENT = select(Case.parent_id).where(Case.number == bindparam("number"))
_OPEN_ITEM = (
    select(WorkItem)
    .where(
        WorkItem.case_id == bindparam("in_case"),
        WorkItem.status == WorkItemStatus.OPEN,
        WorkItem.gate != Gate.UNDELIVERED_LETTER,
    )
    .execution_options(populate_existing=True)
)
_BY_CODE = select(Person).where(Person.code == bindparam("code"), Person.active)
_APPLICATION = (
    select(SiteApplication)
    .where(SiteApplication.case_id == bindparam("in_case"))
    .order_by(SiteApplication.round.desc())
    .limit(1)
)


SHEET = "sheet"
"""Under which a decision's details keep the row of the sheet that it came in on."""


def local_day(at: datetime) -> date:
    """Return the day in Asia/Shanghai at that moment."""
    return at.astimezone(SHANGHAI).date()


def load_case(session: Session, number: str, *, lock: bool = True) -> Case:
    """
    Return the case; with `lock`, nobody else changes it until the transaction ends.

    Raises:
        Refused: there is no such case.
    """
    case = session.scalars(_LOCKED if lock else _CASE, {"number": _number(number)}).one_or_none()
    if case is None:
        raise no_such_case(number)
    return case


def number_asked(session: Session, text: str) -> str:
    """
    Return the number of a case that somebody asks for; the rest of its row is not looked at, and may be unreadable.

    Raises:
        Refused: there is no such case.
    """
    number = session.scalar(_NUMBER, {"number": _number(text)})
    if number is None:
        raise no_such_case(text)
    return number


def _number(text: str) -> str:
    """Return a case's number as it is kept, however its letters are typed."""
    return text.strip().upper()


def no_such_case(number: str) -> Refused:
    """Return the refusal of a number that no case has."""
    return Refused("default", f"没有编号为“{number}”的案件,请核对案件编号")


def load_with_parent(session: Session, number: str) -> Case:
    """
    Return the case, locked, and before it its parent: whatever changes both takes them in this order (no deadlock).

    Raises:
        Refused: there is no such case.
    """
    parent_id = session.connection().scalar(_PARENT, {"number": _number(number)})
    if parent_id is not None:
        session.get(Case, parent_id, with_for_update={"of": Case}, populate_existing=True)
    return load_case(session, number)


def open_item(session: Session, case: Case) -> WorkItem | None:
    """Return the gate of the procedure that waits now; None between gates and after the end."""
    return session.scalars(_OPEN_ITEM, {"in_case": case.id}).one_or_none()


def item_that_waits(session: Session, case: Case, gate: Gate | None = None) -> WorkItem:
    """
    Return the work item that waits, at `gate` if one is named.

    Raises:
        Refused: the case is closed, nothing waits, or another gate waits; says which and, if decided, by whom.
    """
    if case.status is CaseStatus.CLOSED:
        outcome = case.outcome.label if case.outcome else ""
        raise Refused("default", f"案件 {case.number} 已办结({outcome}),不能再办理")
    item = open_item(session, case)
    if item is not None and gate in (None, item.gate):
        return item
    # Also without a named gate: between two gates, who comes now was slower than whoever closed the last one.
    named = WorkItem.gate == gate if gate is not None else WorkItem.gate != Gate.UNDELIVERED_LETTER
    last = session.scalars(
        select(WorkItem).join(Decision).where(WorkItem.case_id == case.id, named).order_by(Decision.id.desc())
    ).first()
    if last is not None:
        raise already_decided(last)
    now = f"现处于“{item.gate.label}”环节" if item else "现无待办环节,请稍候片刻再试"
    wanted = f",不能办理“{gate.label}”" if gate else ""
    raise Refused("default", f"案件 {case.number} {now}{wanted}")


@dataclass(frozen=True)
class Asked:
    """What a decision came in on: a form, or the row of a sheet; it is for one work item and no other."""

    work_item: int | None
    """None: nothing waited."""
    ask: int | None = None
    """The form's ask, which is used up by it."""
    row: Mapping[str, Any] | None = None
    """Of the row of a sheet, what the decision keeps of it, by which it counts once."""


def kept_of(asked: Asked | None) -> dict[str, Any]:
    """Return what a decision's details keep of what it came in on."""
    return {SHEET: dict(asked.row)} if asked is not None and asked.row is not None else {}


def item_asked(
    session: Session, case: Case, asked: Asked | None, gate: Gate | None = None, *, at: datetime
) -> WorkItem:
    """
    Return the work item that waits; when the answer came in on a form or a sheet, only the one that it is for.

    A form is used up in the same transaction, so that an answer counts once, also after a crash.

    Raises:
        Refused: as `item_that_waits`; or what it came in on is older than the gate that waits.
    """
    if asked is None:
        return item_that_waits(session, case, gate)
    if asked.ask is not None:
        session.execute(update(Ask).where(Ask.id == asked.ask).values(consumed_at=at))
    for_item = session.get(WorkItem, asked.work_item) if asked.work_item is not None else None
    if for_item is not None and for_item.status is not WorkItemStatus.OPEN and for_item.decision is not None:
        raise already_decided(for_item)
    item = item_that_waits(session, case, gate)
    if item.id != asked.work_item:
        now = f"现处于“{item.gate.label}”环节"
        if asked.row is not None:
            raise Refused("default", f"提交表格之后,案件 {case.number} 刚刚已有变动,{now},请核对后再提交一次")
        raise Refused("default", f"该表单对应的环节已结束,{now},请在新的表单中填写")
    return item


def already_decided(item: WorkItem) -> Refused:
    """Return the refusal that tells the slower of two writers who was first."""
    decision = item.decision
    if decision is None:
        return Refused("default", f"案件 {item.case.number} 的“{item.gate.label}”环节已取消")
    who = decision.decided_by.display if decision.decided_by else decision.door.label
    when = decision.decided_at.astimezone(SHANGHAI)
    return Refused(
        "default",
        f"案件 {item.case.number} 的“{item.gate.label}”已由{who}于{when:%Y-%m-%d %H:%M}办理,"
        f"结果为“{decision.verdict.label}”",
    )


def person_of(session: Session, text: str) -> Person:
    """
    Return the person whom `text` names: a code, a name that only one person has, or “name(code)”.

    Raises:
        Refused: nobody, or more than one.
    """
    wanted = text.strip()
    in_brackets = re.fullmatch(r".*[((]([^()()]+)[))]", wanted)
    code = in_brackets[1] if in_brackets else wanted
    person = session.scalars(_BY_CODE, {"code": code}).one_or_none()
    if person is not None:
        return person
    named = session.scalars(select(Person).where(Person.name == wanted, Person.active)).all()
    if len(named) == 1:
        return named[0]
    if named:
        codes = "、".join(each.code for each in named)
        raise Refused("default", f"登记簿中有{len(named)}人名叫“{wanted}”,请改填人员编号:{codes}")
    raise Refused("default", f"登记簿中没有在职人员“{wanted}”,请填写登记簿中的人员编号")


def application_of(session: Session, case: Case) -> SiteApplication:
    """Return the application as it stands: the one of the latest round."""
    return session.scalars(_APPLICATION, {"in_case": case.id}).first() or _no_application(case)


def _no_application(case: Case) -> SiteApplication:
    raise LookupError(f"case {case.number} has no application")


def project_of(session: Session, case: Case) -> Project:
    """Return what a project's case is about."""
    return session.scalars(select(Project).where(Project.case_id == case.id)).one()


def call_of(session: Session, case: Case) -> Call:
    """Return what a call's case is about."""
    return session.scalars(select(Call).where(Call.case_id == case.id)).one()


def notice_of(session: Session, case: Case) -> Notice:
    """Return what a notice's case is about."""
    return session.scalars(select(Notice).where(Notice.case_id == case.id)).one()


def meeting_of(session: Session, case: Case) -> Meeting:
    """Return what a meeting's case is about."""
    return session.scalars(select(Meeting).where(Meeting.case_id == case.id)).one()


def resolution_of(session: Session, case: Case) -> Resolution:
    """Return what the case of something that a meeting decided is about."""
    return session.scalars(select(Resolution).where(Resolution.case_id == case.id)).one()


def change_of(session: Session, case: Case) -> SiteChange:
    """Return what a change's case is about."""
    return session.scalars(select(SiteChange).where(SiteChange.case_id == case.id)).one()


def leader_of(session: Session, case: Case) -> Person | None:
    """Return whose case it is: the leader named in it; None when an office opened it (a call, a notice)."""
    match case.kind:
        case CaseKind.SITE:
            return application_of(session, case).leader
        case CaseKind.PROJECT:
            return project_of(session, case).leader
        case CaseKind.INSPECTION | CaseKind.SERVICE_ORDER:
            return site_of(session, case).leader
        case CaseKind.SITE_CHANGE:
            # Who applied: a leader may have died, or be another one when the change is in effect.
            return change_of(session, case).applied_by
        case CaseKind.RESOLUTION:
            return resolution_of(session, case).responsible
        case CaseKind.CALL | CaseKind.NOTICE | CaseKind.CAMPAIGN | CaseKind.ANNUAL_EVALUATION | CaseKind.JOINT_MEETING:
            return None


def site_of(session: Session, case: Case) -> Site:
    """Return the listed parlour that an inspection, an order or a change is about."""
    about: dict[CaseKind, Select[tuple[Site]]] = {
        CaseKind.INSPECTION: select(Site).join(Inspection).where(Inspection.case_id == case.id),
        CaseKind.SERVICE_ORDER: select(Site).join(ServiceOrder).where(ServiceOrder.case_id == case.id),
        CaseKind.SITE_CHANGE: select(Site).join(SiteChange).where(SiteChange.case_id == case.id),
    }
    return session.scalars(about[case.kind]).one()


def policy_of(case: Case, gate: Gate) -> Timing:
    """Return the pinned edition's policy of a gate."""
    return edition_of(case).timing(gate)


def entitled(session: Session, case: Case, role: Role, *, on: date) -> list[Person]:
    """Return who holds `role` for this case on that day; a leader or a provider is the one whom the case names."""
    if role in (Role.SITE_LEADER, Role.PROJECT_LEADER, Role.ASSIGNEE):
        leader = leader_of(session, case)
        return [leader] if leader is not None and leader.active else []
    if role is Role.PROVIDER:
        contact = session.scalars(
            select(Person)
            .join(Provider, Provider.contact_id == Person.id)
            .join(ServiceItem)
            .join(ServiceOrder)
            .where(ServiceOrder.case_id == case.id)
        ).one_or_none()
        return [contact] if contact is not None and contact.active else []
    return holders(session, role=role, unit_id=case.unit_id, on=on)


def deciders(session: Session, item: WorkItem, *, on: date) -> list[Person]:
    """
    Return who may decide at `item` on that day.

    After 转办 only the person it was handed to, as long as that person holds the role; otherwise the holders of the
    role; when it has no holder at all, those to whom the gate escalates (a vacant post must not block a household's
    application).
    """
    people = entitled(session, item.case, item.role, on=on)
    if handed_to := [each for each in people if each.id == item.assignee_id]:
        return handed_to
    escalate = policy_of(item.case, item.gate).escalate
    return people or (entitled(session, item.case, escalate.to, on=on) if escalate else [])


def check_authority(
    session: Session,
    item: WorkItem,
    person: Person,
    *,
    on: date,
    above: Role | None = None,
    also: Role | None = None,
) -> None:
    """
    Refuse unless `person` may decide at `item`; tells who may.

    Args:
        above: the role that gives this verdict, when it is not the one which decides at the gate.
        also: a role that may give it as well.
    """
    able = deciders(session, item, on=on) if above is None else entitled(session, item.case, above, on=on)
    if also is not None:
        able = [*able, *entitled(session, item.case, also, on=on)]
    if person.id in {each.id for each in able}:
        return
    names = "、".join(each.display for each in able) or "(登记簿中尚无人担任)"
    handed = "(已转办)" if item.assignee and above is None else ""
    raise Refused(
        policy_of(item.case, item.gate).where,
        f"{person.display}无权办理案件 {item.case.number} 的“{item.gate.label}”:"
        f"须由{(above or item.role).label}{handed}{f'或{also.label}' if also else ''}办理,现为{names}",
    )


def check_holds(session: Session, case: Case, role: Role, person: Person, *, deed: str, where: str, on: date) -> None:
    """Refuse unless `person` holds `role` for the case on that day; tells who does, and the clause `where`."""
    able = entitled(session, case, role, on=on)
    if person.id not in {each.id for each in able}:
        names = "、".join(each.display for each in able) or "(登记簿中尚无人担任)"
        raise Refused(where, f"{person.display}无权{deed}:须由{role.label}办理,现为{names}")


def holds_any(session: Session, person: Person, roles: set[Role], units: list[Unit], *, on: date) -> bool:
    """Return whether `person` holds one of `roles` for one of `units` on that day."""
    return (
        session.scalars(
            select(RoleHolding).where(
                RoleHolding.person_id == person.id,
                RoleHolding.role.in_(roles),
                RoleHolding.unit_id.in_([unit.id for unit in units]),
                held_on(on),
            )
        ).first()
        is not None
    )
