"""A town that holds joint meetings: its villages, its liaisons, and what its office does about a meeting."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from models.case import Case
from models.meeting import Meeting, MeetingAttendance, Resolution
from policies.vocabulary import CaseKind, Door
from tasks import meeting_records, meeting_resolutions, meetings
from tasks.history import verify
from tasks.meeting_commands import (
    CallMeeting,
    ChangeMeeting,
    CompleteResolution,
    PostponeMeeting,
    PostponeResolution,
    RecordMeeting,
)
from tests.parlours import add_village
from tests.township import HEAD_OF_OFFICE, LIAISON, RESPONSIBLE, REVIEWER, SECOND_REVIEWER, SHANGHAI, Township

EXAMPLE, XUHANG = "example-2026", "xuhang-2013"
EDITIONS = {EXAMPLE: "2026-04-07 09:00", XUHANG: "2014-04-08 09:00"}
"""A Tuesday on which each edition is in force."""
INVITED = (HEAD_OF_OFFICE, REVIEWER, SECOND_REVIEWER, RESPONSIBLE, LIAISON, "RLH", "LLH")
"""Everybody who is invited in a town with the villages ZD and LH."""
POINTS = ["通报一季度活动情况", "研究端午节活动安排"]


def settle(town: Township) -> Township:
    """Give the town a second village."""
    add_village(town, "LH", "柳河村")
    return town


def today(town: Township) -> date:
    """The day in Shanghai."""
    return town.now().astimezone(SHANGHAI).date()


def in_days(town: Township, days: int) -> date:
    """The day so many days from now."""
    return today(town) + timedelta(days=days)


def call(town: Township, *, days: int = 8, key: str = "会", by: str = REVIEWER, **changes: Any) -> str:
    """Call a meeting and carry it to its gate."""
    fields = {
        "by": by,
        "unit": "Z",
        "title": "春季联席会议",
        "meets_on": in_days(town, days),
        "place": "三楼会议室",
        "chair": "丁主任",
        "agenda": POINTS,
    } | changes
    number = meetings.call_meeting(
        town.resources, CallMeeting.model_validate(fields), door=Door.CLI, key=key, at=town.now()
    )
    town.number = number
    town.rehearsal.carry(number)
    return number


def change(town: Township, number: str, *, by: str = REVIEWER, **changes: Any) -> tuple[str, ...]:
    """Change the arrangements of a meeting."""
    command = ChangeMeeting.model_validate({"case": number, "by": by} | changes)
    return meetings.change_meeting(town.resources, command, door=Door.CLI, at=town.now())


def put_off(town: Township, number: str, *, days: int, reason: str = "防汛", by: str = REVIEWER, **more: Any) -> None:
    """Put a meeting off."""
    fields = {"case": number, "by": by, "meets_on": in_days(town, days), "reason": reason} | more
    meetings.postpone_meeting(town.resources, PostponeMeeting.model_validate(fields), door=Door.CLI, at=town.now())
    town.rehearsal.carry(number)


def record(town: Township, number: str, *, by: str = REVIEWER, **fields: Any) -> tuple[str, ...]:
    """Record what happened at a meeting."""
    command = RecordMeeting.model_validate({"case": number, "by": by} | fields)
    left = meeting_records.record_meeting(town.resources, command, door=Door.CLI, at=town.now())
    town.rehearsal.carry(number)
    return left


def hold(town: Township, number: str, decided: Sequence[tuple[str, str, date]] = (), **fields: Any) -> None:
    """Declare a meeting held today: everybody came, unless `fields` say otherwise."""
    whole = {
        "held_on": today(town),
        "attended": list(roll(town, number)),
        "minutes": "会议听取了各村(居)的工作情况。",
        "resolutions": [{"text": text, "responsible": who, "due_on": due} for text, who, due in decided],
        "nothing_decided": not decided,
        "complete": True,
    } | fields
    record(town, number, **whole)
    for each in resolutions(town, number):
        town.rehearsal.carry(each.case.number)


def complete(town: Township, number: str, *, by: str, on: date | None = None, **more: Any) -> None:
    """Record that something decided is done."""
    fields = {"case": number, "by": by, "done_on": on or today(town), "result": "已按要求完成"} | more
    command = CompleteResolution.model_validate(fields)
    meeting_resolutions.complete_resolution(town.resources, command, door=Door.CLI, at=town.now())
    town.rehearsal.carry(number)


def prolong(town: Township, number: str, *, until: date, by: str = HEAD_OF_OFFICE, reason: str = "供货推迟") -> None:
    """Put off the day by which something decided is done."""
    command = PostponeResolution.model_validate({"case": number, "by": by, "due_on": until, "reason": reason})
    meeting_resolutions.postpone_resolution(town.resources, command, door=Door.CLI, at=town.now())
    town.rehearsal.carry(number)


def meeting(town: Township, number: str) -> Meeting:
    """The meeting as it stands."""
    with town.resources.database.read() as session:
        return session.scalars(
            select(Meeting).join(Case, Case.id == Meeting.case_id).where(Case.number == number)
        ).one()


def seats(town: Township, number: str) -> list[tuple[str, str, str | None]]:
    """Who is on the roll, for which unit, and how they took part; in the roll's order."""
    with town.resources.database.read() as session:
        found = session.scalars(
            select(MeetingAttendance)
            .join(Meeting)
            .join(Case, Case.id == Meeting.case_id)
            .where(Case.number == number)
            .order_by(MeetingAttendance.id)
        )
        return [(each.person.code, each.unit.code, each.seat.value if each.seat else None) for each in found]


def roll(town: Township, number: str) -> tuple[str, ...]:
    """The codes of everybody on the roll."""
    return tuple(code for code, _, _ in seats(town, number))


def resolutions(town: Township, number: str) -> list[Resolution]:
    """What a meeting decided, in its order, with its case loaded."""
    with town.resources.database.read() as session:
        found = session.scalars(
            select(Resolution)
            .join(Case, Case.id == Resolution.meeting_case_id)
            .where(Case.number == number)
            .order_by(Resolution.seq)
        ).all()
        for each in found:
            assert each.case.number
            assert each.case.unit.code
        return list(found)


def meeting_numbers(town: Township) -> list[str]:
    """Every meeting, in the order in which they were called."""
    with town.resources.database.read() as session:
        query = select(Case.number).where(Case.kind == CaseKind.JOINT_MEETING).order_by(Case.id)
        return list(session.scalars(query))


def faults(town: Township) -> list[str]:
    """What the audit finds."""
    with town.resources.database.read() as session:
        return [str(each) for each in verify(session)]
