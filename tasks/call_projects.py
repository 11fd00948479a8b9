"""A call's proposals, panel and roll, as every step of the call finds them; and how a proposal's standing changes."""

from collections.abc import Iterable, Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from models.case import Case
from models.project import CallMember, Project
from models.registry import Person, Unit, below
from models.work_item import Decision, WorkItem
from policies.errors import Refused
from policies.vocabulary import CaseKind, Gate, ProjectStanding, Role
from rules.proposals import kind_of
from runtime.resources import edition_of
from tasks.act import Act
from tasks.cases import load_case
from tasks.history import SYSTEM, append

RANKED = (ProjectStanding.SELECTED, ProjectStanding.OVER_BUDGET)
"""Standings of proposals that were ranked and may still be taken up."""


def load_call(session: Session, number: str, *, lock: bool = True) -> Case:
    """
    Return a call's case, locked: whatever changes its proposals takes this lock first.

    Raises:
        Refused: there is no such case, or it is no call.
    """
    case = load_case(session, number, lock=lock)
    if case.kind is not CaseKind.CALL:
        raise Refused("default", f"案件 {case.number} 是“{case.kind.label}”,不是微项目征集;请填写征集的案件编号")
    return case


def projects_of(session: Session, call_case: Case) -> list[Project]:
    """Return all proposals of a call in the order in which they were filed, also those withdrawn."""
    return list(
        session.scalars(
            select(Project)
            .where(Project.call_case_id == call_case.id)
            .options(joinedload(Project.case).joinedload(Case.unit))
            .order_by(Project.id)
            .execution_options(populate_existing=True)
        )
    )


def standing(session: Session, call_case: Case, *standings: ProjectStanding) -> list[Project]:
    """Return the proposals of a call that stand so now, in the order in which they were filed."""
    return [each for each in projects_of(session, call_case) if each.standing in standings]


def project_named(projects: Iterable[Project], text: str, call_case: Case) -> Project:
    """
    Return the proposal that `text` names: its number, its title when only one has it, or “number title”.

    Raises:
        Refused: none or several of the call's, or it takes no part any more; says why.
    """
    wanted = text.strip()
    found = [each for each in projects if wanted in (each.case.number, each.case.title)]
    found = found or [each for each in projects if wanted.partition(" ")[0] == each.case.number]
    if len(found) > 1:
        numbers = "、".join(each.case.number for each in found)
        raise Refused("default", f"征集 {call_case.number} 有{len(found)}个项目名为“{wanted}”,请改填项目编号:{numbers}")
    if not found:
        raise Refused("default", f"征集 {call_case.number} 没有项目“{wanted}”,请核对项目编号")
    if found[0].standing is not ProjectStanding.PROPOSED:
        raise Refused("default", f"项目 {named(found[0])} {told(found[0])},不再参加遴选;请从表中删去")
    return found[0]


def named(project: Project) -> str:
    """Return a proposal as sentences name it: number and title."""
    return f"{project.case.number}“{project.case.title}”"


def told(project: Project) -> str:
    """Return where a proposal stands and why, as people read it."""
    return project.standing.label + (f"({project.standing_because})" if project.standing_because else "")


def stand(act: Act, project: Project, new: ProjectStanding, because: str) -> None:
    """
    Change where a proposal stands, and keep it in its history; nothing happens when it stands so already.

    The call's case is held locked; the project's is locked here, after it.
    """
    if (project.standing, project.standing_because) == (new, because):
        return
    case = load_case(act.session, project.case.number)
    before = project.standing
    project.standing, project.standing_because = new, because
    append(
        act.session,
        case,
        kind="standing_changed",
        actor=SYSTEM,
        summary=f"遴选情况:{before.label} → {told(project)}",
        at=act.at,
        data={"before": before.value, "standing": new.value, "because": because, "rank": project.rank},
    )


def panel_of(session: Session, call_case: Case) -> dict[int, Person]:
    """Return the panel (评审组) by person id, in the order of their codes."""
    return _members(session, call_case, in_meeting=False)


def roll_of(session: Session, call_case: Case) -> dict[int, Person]:
    """Return who is entitled to vote in the meeting, as frozen when the screening opened, by person id."""
    return _members(session, call_case, in_meeting=True)


def signed_in(session: Session, call_case: Case) -> list[CallMember]:
    """Return those of the meeting's roll who signed in."""
    return list(
        session.scalars(
            select(CallMember)
            .join(Person)
            .where(CallMember.case_id == call_case.id, CallMember.in_meeting, CallMember.signed_in_at.is_not(None))
            .order_by(Person.code)
        )
    )


def _members(session: Session, call_case: Case, *, in_meeting: bool) -> dict[int, Person]:
    query = (
        select(Person)
        .join(CallMember)
        .where(CallMember.case_id == call_case.id, CallMember.in_meeting.is_(in_meeting))
        .order_by(Person.code)
    )
    return {each.id: each for each in session.scalars(query)}


def roles_in(session: Session, person: Person, area: Unit, *, on: date) -> frozenset[Role]:
    """Return the roles that a person holds on that day in `area` or beneath it."""
    inside = set(below(session, area))
    return frozenset(
        each.role
        for each in person.holdings
        if each.unit_id in inside and each.since <= on and (each.until is None or each.until > on)
    )


def kinds_told(call_case: Case, codes: Sequence[str]) -> str:
    """Return kinds by name; none named: all of the edition's."""
    scheme = edition_of(call_case).for_projects
    kinds = [kind_of(code, scheme) for code in codes] if codes else list(scheme.kinds)
    return "、".join(kind.name for kind in kinds if kind is not None)


def window_decision(session: Session, call_case: Case) -> Decision | None:
    """Return the decision that ended the call's window, or None while it stands open."""
    return session.scalars(
        select(Decision)
        .join(WorkItem, WorkItem.id == Decision.work_item_id)
        .where(WorkItem.case_id == call_case.id, WorkItem.gate == Gate.CALL_WINDOW)
    ).one_or_none()


def counted(session: Session, call_case: Case) -> int:
    """Return how many proposals the call has, without those withdrawn."""
    return sum(each.standing is not ProjectStanding.WITHDRAWN for each in projects_of(session, call_case))


def waiting_item(act: Act, case: Case) -> WorkItem | None:
    """Return a proposal's work item at SELECTION while it waits."""
    item = act.session.scalars(
        select(WorkItem).where(WorkItem.case_id == case.id, WorkItem.gate == Gate.SELECTION)
    ).one_or_none()
    return item if item is not None and item.decision is None else None
