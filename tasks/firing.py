"""
Reminders, escalations and ends of notices, many in one transaction: what a sweep finds when hundreds are due at once.

It writes what `tasks.deadlines` writes one by one, row for row; whatever needs a hand of its own is left to that.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple, cast

from sqlalchemy import Table, Update, bindparam, update

from models.base import Instant
from models.case import Case
from models.given import given_as_ids, given_ids
from models.work_item import Timer, WorkItem
from notifications.context import CaseLetter
from notifications.outbox import Posting, Recipient, enqueue_for_cases
from policies.sections import Timing
from policies.vocabulary import Gate, TimerKind
from rules.consent import tally
from runtime.resources import edition_of
from tasks.act import Act
from tasks.cases import policy_of
from tasks.escalations import Fact, escalation, reminder, reported_to, told_escalated, told_reminded
from tasks.firing_ends import End, Unopposed, end_of, unopposed, write_ends
from tasks.firing_facts import DueItem, Matter, People, Roll, Somebody, due_items, lock_open_cases, rolls_of
from tasks.history import SYSTEM, append_many, sealed
from tasks.mail import postings_of

_TIMERS, _ITEMS = cast("Table", Timer.__table__), cast("Table", WorkItem.__table__)


class DueCase(NamedTuple):
    """A work item with something due, and its case."""

    item_id: int
    case_id: int
    number: str


@dataclass
class Fired:
    """What is written for some work items."""

    items: set[int] = field(default_factory=set)
    timers: list[int] = field(default_factory=list)
    letters: list[tuple[int, Posting]] = field(default_factory=list)
    told: list[tuple[Matter, Fact]] = field(default_factory=list)
    escalated: set[int] = field(default_factory=set)
    reminders: int = 0
    merged_reminders: int = 0
    escalations: int = 0
    ends: list[End] = field(default_factory=list)

    def add(self, other: "Fired") -> None:
        """Add what is written for others."""
        self.items |= other.items
        self.timers += other.timers
        self.letters += other.letters
        self.told += other.told
        self.escalated |= other.escalated
        self.reminders += other.reminders
        self.merged_reminders += other.merged_reminders
        self.escalations += other.escalations
        self.ends += other.ends


class _ByItselfError(Exception):
    """A case that needs a hand of its own."""


def fire_together(act: Act, due: Sequence[DueCase]) -> Fired:
    """
    Fire what is due of these work items, in the caller's transaction.

    Left alone, and not among the result's items, is every case of which an item lapses (but for a notice against which
    nobody objected), reminds of a meeting, is not open any more, can not be read, or writes to somebody without an
    address; and every case that is closed (the row of a site's case is the lock of all that belongs to the site, taken
    last) or that somebody else holds now.

    Args:
        due: each work item once, in the order in which they were due.

    Raises:
        RuntimeError: a timer was fired by somebody who does not hold its case.
    """
    connection = act.session.connection()
    cases = lock_open_cases(connection, {each.case_id for each in due})
    found = {item.id: item for item in due_items(connection, [each.item_id for each in due], cases, at=act.at)}
    together = _together(act, due, found)
    pairs = [pair for of_case in together for pair in of_case]
    people = People(connection, pairs, on=act.day)
    rolls = rolls_of(connection, [item.id for item, _ in pairs if item.gate is Gate.HOUSEHOLD_CONSENT])
    notices = unopposed(connection, {item.case.id for item, _ in pairs if item.gate is Gate.NOTICE_PERIOD})
    fired = Fired()
    for of_case in together:
        try:
            written = Fired()
            for item, policy in of_case:
                _fire(act, item, policy, people, rolls, notices, written)
        except Exception:  # noqa: BLE001, S112 - done by itself, where it fails again and is recorded
            continue
        fired.add(written)
    _write(act, fired)
    return fired


def _together(act: Act, due: Iterable[DueCase], found: Mapping[int, DueItem]) -> list[list[tuple[DueItem, Timing]]]:
    """Return the work items that are done together, case by case, each with its gate's policy."""
    by_case: dict[int, list[tuple[DueItem, Timing]] | None] = {}
    for each in due:
        of_case = by_case.setdefault(each.case_id, [])
        if of_case is None:
            continue
        item = found.get(each.item_id)
        if item is None or _needs_a_hand(act, item):
            by_case[each.case_id] = None
            continue
        try:
            of_case.append((item, policy_of(cast("Case", item.case), item.gate)))
        except Exception:  # noqa: BLE001 - done by itself, where it fails again and is recorded
            by_case[each.case_id] = None
    return [of_case for of_case in by_case.values() if of_case]


def _needs_a_hand(act: Act, item: DueItem) -> bool:
    kinds = {timer.kind for timer in item.timers}
    if TimerKind.LAPSE in kinds:
        return item.gate is not Gate.NOTICE_PERIOD
    return item.gate is Gate.MEETING and TimerKind.REMINDER in kinds


def _fire(
    act: Act,
    item: DueItem,
    policy: Timing,
    people: People,
    rolls: Mapping[int, Roll],
    notices: Mapping[int, Unopposed],
    written: Fired,
) -> None:
    """Say what is written for one work item, in the order of `tasks.deadlines`."""
    as_item = cast("WorkItem", item)
    deciders = people.deciders(item, policy)
    names = [each.display for each in deciders]
    reminders = [timer for timer in item.timers if timer.kind is TimerKind.REMINDER]
    if act.at >= item.due_at:
        written.merged_reminders += len(reminders)  # the escalation tells them: "due soon" would be untrue now
    elif reminders:
        timer = cast("Timer", reminders[-1])
        letter = reminder(as_item, timer, waiting_for=_waiting(item, rolls), at=act.at)
        _tell(written, item, timer, letter, deciders, told_reminded(as_item, timer, names))
        written.reminders += 1
        written.merged_reminders += len(reminders) - 1
    if any(timer.kind is TimerKind.LAPSE for timer in item.timers):
        found = end_of(act, item, policy, notices)
        if found is None:
            raise _ByItselfError
        end, fact = found
        written.ends.append(end)
        written.told.append((item.case, fact))
    for each in item.timers:
        if each.kind is TimerKind.ESCALATION:
            timer = cast("Timer", each)
            above = people.entitled(item.case, reported_to(as_item).to)
            told = told_escalated(as_item, timer, [each.display for each in above], role=reported_to(as_item).to)
            _tell(written, item, timer, escalation(as_item, timer, responsible=names, at=act.at), above, told)
            written.escalated.add(item.id)
            written.escalations += 1
    written.timers += [timer.id for timer in item.timers]
    written.items.add(item.id)


def _waiting(item: DueItem, rolls: Mapping[int, Roll]) -> tuple[str, ...]:
    """Return the households that have not agreed, as `tasks.rolls` counts and names them."""
    if item.gate is not Gate.HOUSEHOLD_CONSENT:
        return ()
    rule = edition_of(cast("Case", item.case)).for_sites.gates.household_consent.rule
    roll = rolls[item.id]
    counted = tally({household: answer for household, (answer, _) in roll.items()}, at_least=rule.at_least)
    return tuple(sorted(roll[household][1] for household in (*counted.missing, *counted.objecting)))


def _tell(written: Fired, item: DueItem, timer: Timer, letter: CaseLetter, to: Sequence[Somebody], told: Fact) -> None:
    recipients = [Recipient(name=each.name, address=each.email, person_id=each.id) for each in to]
    if not all(each.address and each.address.strip() for each in recipients):
        raise _ByItselfError  # the office gets a work item to tell them otherwise
    postings = postings_of(item.case.number, letter, recipients, event=f"timer-{timer.id}")
    written.letters += [(item.case.id, posting) for posting in postings]
    written.told.append((item.case, told))


def _write(act: Act, fired: Fired) -> None:
    if not fired.timers:
        return
    connection = act.session.connection()
    take, mark_escalated = _marks(connection.dialect.name)
    taken = connection.execute(take, given_as_ids(fired.timers, at=act.at))
    if taken.rowcount != len(fired.timers):
        raise RuntimeError(f"{len(fired.timers) - taken.rowcount} timers were fired by somebody else")
    if fired.escalated:
        connection.execute(mark_escalated, given_as_ids(fired.escalated, at=act.at))
    write_ends(act, fired.ends)
    enqueue_for_cases(act.session, fired.letters, at=act.at)
    rows = []
    for case, told in fired.told:
        row = sealed(
            case.id,
            case.number,
            seq=case.history_seq + 1,
            previous=case.history_head,
            actor=SYSTEM,
            at=act.at,
            **told,
        )
        case.history_seq, case.history_head = row["seq"], row["hash"]
        rows.append(row)
    append_many(act.session, rows, at=act.at)


@cache
def _marks(dialect: str) -> tuple[Update, Update]:
    these = given_ids(dialect)
    at = bindparam("at", type_=Instant())
    return (
        update(_TIMERS).where(_TIMERS.c.id.in_(these), _TIMERS.c.fired_at.is_(None)).values(fired_at=at),
        update(_ITEMS).where(_ITEMS.c.id.in_(these)).values(escalated_at=at),
    )
