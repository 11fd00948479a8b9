"""What was recorded of a joint meeting: who came, what was said, what was decided; and that it was held (D1-R4)."""

from datetime import date, datetime

from models.case import Case
from models.meeting import Meeting
from models.registry import Person
from models.work_item import WorkItem
from policies.errors import Refused
from policies.life_words import MeetingSeat
from policies.vocabulary import Door, Gate, Verdict
from rules.window import spoken_day
from runtime.resources import Resources
from tasks import items, meeting_mail, meeting_resolutions, meeting_roll
from tasks.act import Act
from tasks.cases import Asked, check_authority, local_day, meeting_of, person_of, policy_of
from tasks.deciding import deciding, item_to_decide
from tasks.documents import attach
from tasks.living import keep
from tasks.meeting_commands import RecordMeeting
from tasks.meeting_rules import check_office, joint_meeting_of
from tasks.meetings import load_meeting


def record_meeting(
    resources: Resources, command: RecordMeeting, *, door: Door, at: datetime, asked: Asked | None = None
) -> tuple[str, ...]:
    """
    Record who came and what was said, step by step; at the end, declare the meeting held with what it decided (D1-R4).

    When it is declared held, every decision of the meeting becomes a case of its own in the same transaction, and the
    minutes go to everybody on the roll.

    Args:
        asked: the form it came in on; None: by another door.

    Returns:
        What is still missing before it can be declared held, in Chinese; empty when it was.

    Raises:
        Refused: the meeting is over or called off, the person may not, somebody is not on the roll, a day is
            impossible, nothing was filled in; or something is missing when it is declared held.
    """
    with deciding(resources, at=at) as act:
        case = load_meeting(act, command.case)
        item = item_to_decide(act, case, asked, Gate.MEETING)
        by = person_of(act.session, command.by)
        if command.complete:
            check_authority(act.session, item, by, on=act.day)
        else:
            check_office(act, by, case.unit, joint_meeting_of(case), deed="登记会议")
        meeting = meeting_of(act.session, case)
        told = _record(act, case, meeting, command, by)
        if not command.complete:
            if command.resolutions or command.nothing_decided:
                raise Refused(
                    policy_of(case, item.gate).where,
                    "议定事项须在会议办结时一并填写:请选择“会议已召开”后提交,签到和纪要可以先登记",
                )
            if not told:
                raise Refused(policy_of(case, item.gate).where, "没有填写任何新的签到、纪要或召开日期,请填写后再提交")
            return missing(meeting)
        _hold(act, case, item, meeting, command, by, door)
        return ()


def _record(act: Act, case: Case, meeting: Meeting, command: RecordMeeting, by: Person) -> list[str]:
    told = []
    if command.held_on is not None and command.held_on != meeting.held_on:
        _check_held_on(act, case, command.held_on)
        meeting.held_on = command.held_on
        told.append(f"召开日期{spoken_day(command.held_on)}")
    said = {
        MeetingSeat.ATTENDED: command.attended,
        MeetingSeat.LEAVE: command.on_leave,
        MeetingSeat.ABSENT: command.absent,
    }
    seats = meeting_roll.seat_people(act, meeting, said, rest_absent=command.rest_absent)
    if seats:
        counts = {seat: len([each for each in seats if each.seat is seat]) for seat in MeetingSeat}
        told.append("签到(" + "、".join(f"{seat.label}{count}人" for seat, count in counts.items() if count) + ")")
    if command.guests not in ("", meeting.guests):
        meeting.guests = command.guests
        told.append("列席人员")
    if command.minutes not in ("", meeting.minutes):
        meeting.minutes = command.minutes
        told.append(f"会议纪要({len(command.minutes)}字)")
    if command.proof:
        document = attach(
            act.session,
            case,
            folder=act.resources.settings.documents_folder,
            reference=command.proof,
            kind="minutes",
            by=by,
            at=act.at,
        )
        if document.id != meeting.document_id:
            meeting.document_id, meeting.document = document.id, document
            told.append(f"纪要文件{document.reference}")
    if told:
        keep(act, case, [meeting, *seats], actor=by.display, summary=f"登记会议:{'、'.join(told)}")
    return told


def _check_held_on(act: Act, case: Case, held_on: date) -> None:
    opened = local_day(case.opened_at)
    if held_on > act.day:
        raise Refused("default", f"召开日期{spoken_day(held_on)}还没有到,今天是{spoken_day(act.day)};请在会后登记")
    if held_on < opened:
        raise Refused("default", f"召开日期{spoken_day(held_on)}早于召集会议的{spoken_day(opened)};请核对日期")


def missing(meeting: Meeting) -> tuple[str, ...]:
    """Return what a meeting still lacks before it can be declared held, beside what it decided; in Chinese."""
    left = []
    if not meeting.place:
        left.append("地点")
    if not meeting.chair:
        left.append("主持人")
    if meeting.held_on is None:
        left.append("召开日期")
    unknown = meeting_roll.who(meeting.seats, None)
    if unknown:
        left.append(f"{len(unknown)}人的签到({'、'.join(unknown)})")
    elif not meeting_roll.who(meeting.seats, MeetingSeat.ATTENDED):
        left.append("出席人员(应到名单中无人出席;未能开成的请办理延期或不再召开)")
    if not meeting.minutes and meeting.document_id is None:
        left.append("会议纪要(正文或文件)")
    return tuple(left)


def _hold(
    act: Act, case: Case, item: WorkItem, meeting: Meeting, command: RecordMeeting, by: Person, door: Door
) -> None:
    where = policy_of(case, item.gate).where
    left = list(missing(meeting))
    if not command.resolutions and not command.nothing_decided:
        left.append("议定事项(没有的请勾选“无议定事项”)")
    if left:
        raise Refused(where, f"会议尚不能办结,还缺:{'、'.join(left)};请补齐后再提交")
    if command.resolutions and command.nothing_decided:
        raise Refused(where, f"已填写{len(command.resolutions)}项议定事项,又勾选了“无议定事项”,请只保留一项")
    assert meeting.held_on is not None  # noqa: S101 - missing() has looked
    attended = len(meeting_roll.who(meeting.seats, MeetingSeat.ATTENDED))
    items.close(
        act,
        item,
        Verdict.HELD,
        by=by,
        door=door,
        reason=f"{spoken_day(meeting.held_on)}召开,应到{len(meeting.seats)}人,出席{attended}人,"
        f"议定事项{len(command.resolutions)}项",
        details={
            "held_on": meeting.held_on.isoformat(),
            "invited": len(meeting.seats),
            "attended": attended,
            "resolutions": len(command.resolutions),
        },
    )
    decided = [
        meeting_resolutions.open_resolution(act, case, meeting, entry, seq=seq, by=by, door=door)
        for seq, entry in enumerate(command.resolutions, 1)
    ]
    meeting_mail.tell_minutes(act, case, decided)
