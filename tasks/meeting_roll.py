"""Who is invited to a joint meeting, frozen when it is called, and how each of them took part (D1-R4)."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import select

from models.meeting import Meeting, MeetingAttendance
from models.registry import Person, RoleHolding, Unit, below, held_on
from policies.errors import Refused
from policies.life_scheme import JointMeeting
from policies.life_words import MeetingSeat
from policies.vocabulary import UnitKind
from tasks.act import Act
from tasks.cases import person_of


def freeze(act: Act, meeting: Meeting, rule: JointMeeting) -> list[MeetingAttendance]:
    """
    Invite those who hold the edition's roles in the town and its villages today, each once; nobody is struck off.

    Source: policy `joint_meeting.invited`.

    Returns:
        The rows that are new, flushed.

    Raises:
        Refused: nobody holds any of the roles.
    """
    known = {seat.person_id for seat in meeting.seats}
    found = entitled(act, meeting.unit, rule)
    if not found and not known:
        roles = "、".join(role.label for role in rule.invited)
        raise Refused(
            rule.where, f"登记簿中{meeting.unit.name}及其村(居)没有在任的{roles},没有可以通知的人;请先在登记簿登记"
        )
    fresh = [
        MeetingAttendance(meeting_id=meeting.id, person_id=person.id, unit_id=unit.id)
        for person, unit in found
        if person.id not in known
    ]
    act.session.add_all(fresh)
    act.session.flush()
    act.session.expire(meeting, ["seats"])
    return fresh


def entitled(act: Act, town: Unit, rule: JointMeeting) -> list[tuple[Person, Unit]]:
    """
    Return who holds the roles today, and the unit they come for: that of the first of their roles in the edition.

    The town's people first, then village by village, in the order of the roles.
    """
    query = (
        select(RoleHolding)
        .join(Person, Person.id == RoleHolding.person_id)
        .join(Unit, Unit.id == RoleHolding.unit_id)
        .where(
            RoleHolding.role.in_(rule.invited),
            RoleHolding.unit_id.in_(below(act.session, town)),
            held_on(act.day),
            Person.active,
        )
        .order_by(Unit.code, Person.code)
    )
    first: dict[int, RoleHolding] = {}
    for holding in sorted(act.session.scalars(query), key=lambda each: rule.invited.index(each.role)):
        first.setdefault(holding.person_id, holding)
    found = [(each.person, _unit(each.unit), rule.invited.index(each.role)) for each in first.values()]
    found.sort(key=lambda each: (each[1].id != town.id, each[1].code, each[2], each[0].code))
    return [(person, unit) for person, unit, _ in found]


def _unit(unit: Unit) -> Unit:
    """Return for which unit somebody comes: who heads a group comes for its village."""
    return unit.above(UnitKind.VILLAGE) if unit.kind is UnitKind.GROUP else unit


def seat_people(
    act: Act, meeting: Meeting, said: Mapping[MeetingSeat, Sequence[str]], *, rest_absent: bool
) -> list[MeetingAttendance]:
    """
    Record how people on the roll took part; what was recorded before is replaced.

    Returns:
        The rows that changed.

    Raises:
        Refused: somebody is not on the roll, or is recorded twice.
    """
    on_roll = {seat.person_id: seat for seat in meeting.seats}
    chosen: dict[int, MeetingSeat] = {}
    for seat, names in said.items():
        for person in (_named(act, meeting, name) for name in names):
            if person.id not in on_roll:
                raise Refused(
                    "default",
                    f"{person.display}不在会议 {meeting.case.number} 的应到名单({len(on_roll)}人)中;"
                    "不在名单中的到会人员请写入“列席人员”",
                )
            if chosen.setdefault(person.id, seat) is not seat:
                raise Refused(
                    "default",
                    f"{person.display}既登记为“{chosen[person.id].label}”,又登记为“{seat.label}”,请只保留一项",
                )
    if rest_absent:
        for person_id, row in on_roll.items():
            if row.seat is None:
                chosen.setdefault(person_id, MeetingSeat.ABSENT)
    changed = []
    for person_id, seat in chosen.items():
        row = on_roll[person_id]
        if row.seat is not seat:
            row.seat = seat
            row.signed_at = act.at if seat is MeetingSeat.ATTENDED else None
            changed.append(row)
    return changed


def _named(act: Act, meeting: Meeting, text: str) -> Person:
    """Return whom `text` names; who came to the meeting may have been struck off the register before it is recorded."""
    left = [seat.person for seat in meeting.seats if not seat.person.active]
    named = [each for each in left if text.strip() in (each.code, each.display)]
    return named[0] if named else person_of(act.session, text)


def clear(meeting: Meeting) -> list[MeetingAttendance]:
    """Take back what was recorded of a meeting that did not take place on its day; return the rows that changed."""
    changed = [seat for seat in meeting.seats if seat.seat is not None]
    for row in changed:
        row.seat, row.signed_at = None, None
    return changed


def who(seats: Iterable[MeetingAttendance], seat: MeetingSeat | None) -> tuple[str, ...]:
    """Return the names of those who took part so; None: not recorded yet."""
    return tuple(each.person.name for each in seats if each.seat is seat)


def by_unit(seats: Iterable[MeetingAttendance]) -> tuple[str, ...]:
    """Return the roll as letters show it, a line for each unit, e.g. ``周荡村：周责任、李联络``."""
    names: dict[str, list[str]] = {}
    for each in seats:
        names.setdefault(each.unit.name, []).append(each.person.name)
    return tuple(f"{unit}：{'、'.join(people)}" for unit, people in names.items())
