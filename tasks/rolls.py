"""The frozen roll of a consent gate: who was asked, who said what, who is missing (D0-R8)."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, joinedload

from models.case import Consent
from models.registry import Household
from models.work_item import WorkItem
from notifications.letters import ConsentMissing
from policies.site_scheme import ConsentGate
from policies.vocabulary import Answer
from rules.consent import Tally, tally
from runtime.resources import edition_of
from tasks.act import Act
from tasks.cases import deciders
from tasks.mail import about_site, applicants, moves_from, send, to_person, village_of


class RollAnswer(NamedTuple):
    """One household of a roll and its present answer."""

    household_id: int
    household: str
    """Its number."""
    answer: Answer | None
    note: str


_ANSWERS = (
    select(Consent.household_id, Household.number, Consent.answer, Consent.note)
    .join(Household, Household.id == Consent.household_id)
    .where(Consent.work_item_id == bindparam("item"))
)


def roll_of(session: Session, item: WorkItem) -> Sequence[Consent]:
    """Return the households that are asked at `item`, frozen when it was opened, with their present answers."""
    return session.scalars(
        select(Consent).where(Consent.work_item_id == item.id).options(joinedload(Consent.household))
    ).all()


def count_answers(session: Session, item: WorkItem) -> Tally:
    """Return the count of the roll's answers under the pinned edition's rule."""
    return tally_of(item, {each.household_id: each.answer for each in answers_of(session, item)})


def tally_of(item: WorkItem, answers: Mapping[int, Answer | None]) -> Tally:
    """Return the count of these answers, by household, under the pinned edition's rule."""
    gate: ConsentGate = edition_of(item.case).for_sites.gates.household_consent
    return tally(answers, at_least=gate.rule.at_least)


def answers_of(session: Session, item: WorkItem) -> list[RollAnswer]:
    """Return the frozen roll of `item` as plain rows: a signature is entered far more often than a roll is shown."""
    return [RollAnswer(*row) for row in session.connection().execute(_ANSWERS, {"item": item.id})]


def households_of(session: Session, item: WorkItem, ids: Sequence[int]) -> tuple[str, ...]:
    """Return households of the roll as people read them: number and head's name, by number."""
    wanted = set(ids)
    return tuple(
        sorted(
            f"{consent.household.number} {consent.household.head_name}"
            for consent in roll_of(session, item)
            if consent.household_id in wanted
        )
    )


def tell_missing(act: Act, item: WorkItem, *, closed: bool) -> dict[str, object]:
    """
    Tell applicant, group head and village which households are missing or object (D0-R8).

    Returns:
        The count, for the decision's details.
    """
    counted = count_answers(act.session, item)
    missing = households_of(act.session, item, counted.missing)
    objecting = households_of(act.session, item, counted.objecting)
    letter = ConsentMissing(
        **about_site(item.case),
        entitled=counted.entitled,
        agreeing=counted.agreeing,
        missing=missing,
        objecting=objecting,
        due_on=item.due_on,
        closed=closed,
        moves_from=moves_from(act.session, item.case),
    )
    to = (
        applicants(act.session, item.case)
        + [to_person(each) for each in deciders(act.session, item, on=act.day)]
        + village_of(act, item.case)
    )
    event = f"consent-{item.round}-{'closed' if closed else act.day.isoformat()}"
    send(act, item.case, letter, to, event=event)
    return {
        "entitled": counted.entitled,
        "agreeing": counted.agreeing,
        "missing": list(missing),
        "objecting": list(objecting),
    }
