"""The letters that open the gates of a parlour's case; the roll of households is frozen there."""

from collections.abc import Sequence
from typing import cast

from sqlalchemy import Table, insert

from models.case import Case, Consent
from models.registry import Household, register
from models.work_item import WorkItem
from notifications.letters import ConsentAsked, ForwardWaiting, PlaqueDue, ReviewWaiting, SubsidyDue
from policies.vocabulary import Gate, LedgerLevel
from runtime.resources import edition_of
from tasks import checklists
from tasks.act import Act
from tasks.cases import application_of, deciders
from tasks.history import SYSTEM, append
from tasks.mail import about_site, due_note, moves_from, names_of, send, to_household, to_person, warnings_of

_FREEZE = insert(cast("Table", Consent.__table__))


def ask(act: Act, case: Case, item: WorkItem) -> None:
    """Freeze the roll where there is one, and write the letters that ask for the decision."""
    if item.gate is Gate.HOUSEHOLD_CONSENT:
        ask_households(act, case, item)
        return
    event = f"{item.gate.value}-{item.round}"
    to = [to_person(each) for each in deciders(act.session, item, on=act.day)]
    known, due, note = about_site(case), item.due_on, due_note(item)
    match item.gate:
        case Gate.VILLAGE_FORWARD:
            send(act, case, ForwardWaiting(**known, due_on=due, due_note=note), to, event=event)
        case Gate.OFFICE_REVIEW:
            warnings = warnings_of(application_of(act.session, case), case)
            review = ReviewWaiting(**known, due_on=due, due_note=note, warnings=warnings, round=item.round)
            send(act, case, review, to, event=event)
        case Gate.PLAQUE:
            works = tuple(point.name for point in checklists.points(act.session, item))
            lacking = names_of(application_of(act.session, case).deficiencies, case)
            plaque = PlaqueDue(**known, due_on=due, works=works, deficiencies=lacking)
            send(act, case, plaque, to, event=event)
        case Gate.SUBSIDY:
            subsidy = edition_of(case).for_sites.subsidy
            if subsidy is not None:
                route = tuple(level.label for level in (LedgerLevel.DISTRICT, LedgerLevel.TOWN, LedgerLevel.VILLAGE))
                letter_due = SubsidyDue(**known, due_on=due, amount_fen=subsidy.amount_yuan * 100, route=route)
                send(act, case, letter_due, to, event=event)
        case _:
            pass  # the letter that returned the file, or the dead letter's own notice, has already told them


def ask_households(act: Act, case: Case, item: WorkItem) -> None:
    """Freeze the roll of the group that the parlour is or comes to, and ask its head and its households (D0-R8)."""
    event = f"{item.gate.value}-{item.round}"
    roll = register(act.session, case.group.id)
    _freeze(act, case, item, roll)
    letter = ConsentAsked(
        **about_site(case),
        due_on=item.due_on,
        due_note=due_note(item),
        roll=tuple(f"{each.number} {each.head_name}" for each in roll),
        without_email=tuple(f"{each.number} {each.head_name}" for each in roll if not each.email),
        for_household=False,
        moves_from=moves_from(act.session, case),
    )
    send(act, case, letter, [to_person(each) for each in deciders(act.session, item, on=act.day)], event=event)
    personal = letter.model_copy(update={"for_household": True, "roll": (), "without_email": ()})
    send(act, case, personal, [to_household(each) for each in roll if each.email], event=event)


def _freeze(act: Act, case: Case, item: WorkItem, households: Sequence[Household]) -> None:
    """Keep the group's register of this day: these households answer, whatever the register says later (D0-R8)."""
    if households:
        roll = [{"work_item_id": item.id, "household_id": household.id} for household in households]
        act.session.connection().execute(_FREEZE, roll)
    append(
        act.session,
        case,
        kind="roll_frozen",
        actor=SYSTEM,
        summary=f"冻结“{item.gate.label}”(第{item.round}轮)的农户名册:{len(households)}户",
        at=act.at,
        data={"work_item": item.id, "households": [household.number for household in households]},
    )
