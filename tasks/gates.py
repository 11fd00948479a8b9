"""Gates: opened once, with the letters that ask for the decision; the roll of households is frozen there."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import Case, Consent
from models.registry import register
from models.work_item import WorkItem
from notifications.letters import ConsentAsked, ForwardWaiting, PlaqueDue, ReviewWaiting, SubsidyDue
from policies.errors import Refused
from policies.vocabulary import CaseStatus, Gate, LedgerLevel
from runtime.resources import Resources, edition_of
from tasks import checklists
from tasks.act import Act, acting
from tasks.cases import application_of, deciders, load_case
from tasks.items import create
from tasks.mail import about, due_note, names_of, send, to_household, to_person, warnings_of


def item_at(session: Session, case_id: int, gate: Gate, round_: int) -> WorkItem | None:
    """Return the work item of `gate` in that round, or None while it was never opened."""
    return session.scalars(
        select(WorkItem).where(WorkItem.case_id == case_id, WorkItem.gate == gate, WorkItem.round == round_)
    ).one_or_none()


def open_gate(resources: Resources, number: str, gate: Gate, round_: int, *, at: datetime) -> int:
    """
    Open `gate` for the case and ask those who decide, by letter.

    Safe to repeat because a gate is opened once per round: the second call finds the first one's work item.

    Returns:
        The work item's id.
    """
    with acting(resources, at=at) as act:
        case = load_case(act.session, number)
        known = item_at(act.session, case.id, gate, round_)
        if known is not None:
            return known.id
        if case.status is CaseStatus.CLOSED:
            raise Refused("default", f"案件 {number} 已办结,不能再开启环节")
        item = create(act, case, gate, round_)
        if gate is Gate.HOUSEHOLD_CONSENT:
            _freeze_roll(act, case, item)
        _ask(act, case, item)
        return item.id


def _freeze_roll(act: Act, case: Case, item: WorkItem) -> None:
    """Keep the group's register of this day: these households answer, whatever the register says later (D0-R8)."""
    act.session.add_all(
        Consent(work_item_id=item.id, household_id=household.id) for household in register(act.session, case.group_id)
    )
    act.session.flush()


def _ask(act: Act, case: Case, item: WorkItem) -> None:
    """Write the letters that ask for the decision."""
    event = f"{item.gate.value}-{item.round}"
    to = [to_person(each) for each in deciders(act.session, item, on=act.day)]
    application = application_of(act.session, case)
    known, due, note = about(case), item.due_on, due_note(item)
    match item.gate:
        case Gate.HOUSEHOLD_CONSENT:
            roll = register(act.session, case.group_id)
            letter = ConsentAsked(
                **known,
                due_on=due,
                due_note=note,
                roll=tuple(f"{each.number} {each.head_name}" for each in roll),
                without_email=tuple(f"{each.number} {each.head_name}" for each in roll if not each.email),
                for_household=False,
            )
            send(act, case, letter, to, event=event)
            personal = letter.model_copy(update={"for_household": True, "roll": (), "without_email": ()})
            send(act, case, personal, [to_household(each) for each in roll if each.email], event=event)
        case Gate.VILLAGE_FORWARD:
            send(act, case, ForwardWaiting(**known, due_on=due, due_note=note), to, event=event)
        case Gate.OFFICE_REVIEW:
            review = ReviewWaiting(
                **known, due_on=due, due_note=note, warnings=warnings_of(application, case), round=item.round
            )
            send(act, case, review, to, event=event)
        case Gate.PLAQUE:
            works = tuple(point.name for point in checklists.points(act.session, item))
            plaque = PlaqueDue(**known, due_on=due, works=works, deficiencies=names_of(application.deficiencies, case))
            send(act, case, plaque, to, event=event)
        case Gate.SUBSIDY:
            subsidy = edition_of(case).for_sites.subsidy
            if subsidy is not None:
                route = tuple(level.label for level in (LedgerLevel.DISTRICT, LedgerLevel.TOWN, LedgerLevel.VILLAGE))
                letter_due = SubsidyDue(**known, due_on=due, amount_fen=subsidy.amount_yuan * 100, route=route)
                send(act, case, letter_due, to, event=event)
        case Gate.CORRECTION | Gate.UNDELIVERED_LETTER:
            pass  # the letter that returned the file, or the dead letter's own notice, has already told them
