"""The review after a notice's period: objections handled and the verdict taken, in one transaction (D2-R10)."""

from datetime import datetime

from policies.vocabulary import Door, Gate
from rules.transitions import check_door, check_verdict
from runtime.resources import Resources
from tasks import items, notice_decisions
from tasks.cases import Asked, check_authority, person_of
from tasks.commands import Decide
from tasks.deciding import deciding, item_to_decide
from tasks.notice_commands import HandleObjections
from tasks.objections import handle_in, load_notice


def review_notice(
    resources: Resources,
    number: str,
    *,
    handling: HandleObjections | None,
    verdict: Decide | None,
    door: Door,
    at: datetime,
    asked: Asked | None = None,
) -> None:
    """
    Handle objections in the review, and decide: all that one form says, or nothing of it.

    Args:
        handling: None: no objection is handled.
        verdict: None: nothing is decided yet.
        asked: the form it came in on; None: by another door.

    Raises:
        Refused: the review is over or has not begun, the person may not, an objection is faulty, or the verdict does
            not fit the objections; names them.
    """
    with deciding(resources, at=at) as act:
        case = load_notice(act.session, number)
        item = item_to_decide(act, case, asked, Gate.OBJECTION_REVIEW)
        if handling is not None:
            handle_in(act, case, handling, door=door)
        if verdict is None:
            return
        person = person_of(act.session, verdict.by)
        check_authority(act.session, item, person, on=act.day)
        check_verdict(item.gate, verdict.verdict, reason=verdict.reason)
        check_door(item.gate, verdict.verdict, door=door)
        notice_decisions.check(act, case, item, verdict)
        decision = items.close(act, item, verdict.verdict, by=person, door=door, reason=verdict.reason)
        notice_decisions.tell(act, case, item, decision)
