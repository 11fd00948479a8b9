"""The households of the group answer (D0-R8): one by one, in bulk, from a sheet; changed until the gate closes."""

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import Table, bindparam, update

from models.case import Consent
from models.registry import Person
from models.work_item import WorkItem
from notifications.letters import ConsentComplete
from policies.errors import Refused
from policies.vocabulary import Door, Gate, Verdict
from rules.consent import Tally
from runtime.resources import Resources, edition_of
from tasks import items
from tasks.act import Act
from tasks.cases import Asked, check_authority, load_case, person_of
from tasks.commands import HouseholdAnswer, RecordAnswers
from tasks.deciding import deciding, item_to_decide
from tasks.history import append
from tasks.mail import about_site, applicants, moves_from, send, village_of
from tasks.rolls import answers_of, tally_of

_ROLL = cast("Table", Consent.__table__)
_SET_ANSWER = (
    update(_ROLL)
    .where(_ROLL.c.work_item_id == bindparam("item"), _ROLL.c.household_id == bindparam("household"))
    .values({name: bindparam(name) for name in ("answer", "answered_at", "recorded_by_id", "door", "note")})
)


def record_answers(
    resources: Resources, command: RecordAnswers, *, door: Door, at: datetime, asked: Asked | None = None
) -> Tally:
    """
    Enter answers of households; the gate closes with the answer that completes the consent.

    All the answers of one command stand together: one unknown household refuses them all.

    Args:
        asked: the form it came in on; None: by another door.

    Returns:
        The count after these answers.

    Raises:
        Refused: the gate does not wait, the person may not record, or a household is not on the frozen roll.
    """
    with deciding(resources, at=at) as act:
        case = load_case(act.session, command.case)
        item = item_to_decide(act, case, asked, Gate.HOUSEHOLD_CONSENT)
        person = person_of(act.session, command.by)
        check_authority(act.session, item, person, on=act.day)
        changes, counted = _enter(act, item, command.answers, person, door)
        if changes:
            append(
                act.session,
                case,
                kind="answers_recorded",
                actor=person.display,
                summary=f"登记农户答复{len(changes)}户:同意{counted.agreeing}户,不同意{len(counted.objecting)}户,"
                f"未答复{len(counted.missing)}户(共{counted.entitled}户)",
                at=at,
                data={"work_item": item.id, "by": person.id, "door": door.value, "answers": changes},
            )
        if counted.carried:
            items.close(act, item, Verdict.CARRIED, by=person, door=door, details={"entitled": counted.entitled})
            complete = ConsentComplete(
                **about_site(case), entitled=counted.entitled, moves_from=moves_from(act.session, case)
            )
            to = applicants(act.session, case) + village_of(act, case)
            send(act, case, complete, to, event=f"consent-{item.round}")
        return counted


def _enter(
    act: Act, item: WorkItem, answers: Sequence[HouseholdAnswer], person: Person, door: Door
) -> tuple[list[dict[str, str]], Tally]:
    """Write the answers that differ; return them, each with the one before, and the count with them."""
    roll = {each.household: each for each in answers_of(act.session, item)}
    numbers = [answer.household for answer in answers]
    if unknown := sorted({number for number in numbers if number not in roll}):
        raise Refused(
            edition_of(item.case).for_sites.gates.household_consent.rule.where,
            f"以下户号不在本组({item.case.group.name})征求意见的农户名册内:{'、'.join(unknown)};本次答复均未登记,请核对后重新登记",
        )
    if twice := sorted({number for number in numbers if numbers.count(number) > 1}):
        raise Refused("default", f"以下户号在一次登记中出现多次:{'、'.join(twice)};本次答复均未登记")
    stands = {each.household_id: each.answer for each in roll.values()}
    changes, rows = [], []
    for answer in answers:
        known = roll[answer.household]
        if known.answer is answer.answer and known.note == answer.note:
            continue
        stands[known.household_id] = answer.answer
        rows.append(
            {
                "item": item.id,
                "household": known.household_id,
                "answer": answer.answer,
                "answered_at": act.at,
                "recorded_by_id": person.id,
                "door": door,
                "note": answer.note,
            }
        )
        changes.append(
            {
                "household": answer.household,
                "before": known.answer.value if known.answer else "",
                "answer": answer.answer.value,
                "note": answer.note,
            }
        )
    if rows:
        act.session.connection().execute(_SET_ANSWER, rows)
    return changes, tally_of(item, stands)
