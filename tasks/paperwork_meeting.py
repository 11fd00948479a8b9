"""What the documents of a joint meeting say: the agenda with the sheet to sign, and the minutes (D1-R4)."""

from sqlalchemy.orm import Session

from models.case import Case
from models.meeting import Meeting, MeetingAttendance
from policies.errors import Refused
from policies.life_words import MeetingSeat
from policies.vocabulary import CaseStatus
from rules.periods import SHANGHAI
from tasks import meeting_roll
from tasks.cases import meeting_of
from tasks.mail import chinese_date
from tasks.meeting_records import missing
from tasks.meeting_resolutions import resolutions_of
from tasks.paperwork_words import Facts, Made, common, day, numbered


def of_sign_in(session: Session, case: Case, made: Made) -> Facts:
    """Return what the sheet says that lies on the table: the agenda, and a line for everybody on the roll."""
    meeting = meeting_of(session, case)
    return {
        **_about(case, meeting, made),
        "成员": numbered(
            {
                "姓名": seat.person.name,
                "编号": seat.person.code,
                "单位": seat.unit.name,
                "到会": _took_part(seat),
            }
            for seat in meeting.seats
        ),
    }


def of_minutes(session: Session, case: Case, made: Made) -> Facts:
    """
    Return what the minutes say: who came, what was said, what was decided and how it stands.

    Raises:
        Refused: what happened at the meeting is not recorded yet; says what is missing.
    """
    meeting = meeting_of(session, case)
    left = missing(meeting)
    if meeting.held_on is None or left:
        raise Refused(
            "default", f"会议 {case.number} 的情况尚未登记齐全,没有会议纪要可印;还缺:{'、'.join(left)};请登记后再印"
        )
    return {
        **_about(case, meeting, made),
        "召开日期": chinese_date(meeting.held_on),
        "出席": "、".join(meeting_roll.who(meeting.seats, MeetingSeat.ATTENDED)),
        "出席人数": str(len(meeting_roll.who(meeting.seats, MeetingSeat.ATTENDED))),
        "请假": "、".join(meeting_roll.who(meeting.seats, MeetingSeat.LEAVE)),
        "缺席": "、".join(meeting_roll.who(meeting.seats, MeetingSeat.ABSENT)),
        "列席": meeting.guests,
        "正文": [{"段落": line.strip()} for line in meeting.minutes.splitlines() if line.strip()],
        "纪要文件": meeting.document.reference if meeting.document else "",
        "议定事项": numbered(
            {
                "内容": each.text,
                "承办人": each.responsible.name,
                "承办单位": each.case.unit.name,
                "期限": chinese_date(each.due_on),
                "情况": _stands(each.case),
            }
            for each in resolutions_of(session, case)
        ),
    }


def _about(case: Case, meeting: Meeting, made: Made) -> Facts:
    begins = meeting.meets_at.astimezone(SHANGHAI)
    return {
        **common(case, made),
        "开会时间": f"{day(meeting.meets_at)}{begins:%H:%M}",
        "地点": meeting.place,
        "主持人": meeting.chair,
        "应到人数": str(len(meeting.seats)),
        "议程": numbered({"内容": point} for point in meeting.agenda),
    }


def _took_part(seat: MeetingAttendance) -> str:
    if seat.seat is None:
        return ""
    if seat.seat is MeetingSeat.ATTENDED and seat.signed_at is not None:
        return f"{day(seat.signed_at)}已登记出席"
    return seat.seat.label


def _stands(case: Case) -> str:
    return case.outcome.label if case.status is CaseStatus.CLOSED and case.outcome else case.status.label
