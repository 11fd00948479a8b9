"""The letters of joint meetings and of what they decided: written in the transaction of what they tell of (D1-R4)."""

from collections.abc import Sequence
from datetime import date

from models.case import Case
from models.meeting import Meeting, Resolution
from models.registry import Person
from models.work_item import Decision, WorkItem
from notifications.letters import TaskWaiting
from notifications.meeting_letters import MeetingCalledOff, MeetingInvitation, MeetingMinutes, ResolutionAssigned
from notifications.outbox import Recipient
from policies.life_words import MeetingSeat
from rules.periods import SHANGHAI
from tasks import meeting_roll
from tasks.act import Act
from tasks.cases import deciders, local_day, meeting_of
from tasks.history import SYSTEM
from tasks.mail import about, chinese_date, send, to_person
from tasks.meeting_rules import joint_meeting_of

UNSETTLED = (
    "请在会前确定会议的{missing}，在案件页面的表单中选择“完善会议安排”后填写；系统随即通知参会人员。"
    "会后登记签到、纪要和议定事项。"
)


def invite(act: Act, case: Case, *, change: str = "", late_note: str = "") -> None:
    """Tell everybody on the roll when, where and what about; `change` says what is new against the last letter."""
    letter = _invitation(act, case, change=change, late_note=late_note)
    # The history has grown with every change: its number keeps one change's letter apart from the next one's.
    send(act, case, letter, roll(meeting_of(act.session, case)), event=f"invited-{case.history_seq}")


def remind(act: Act, item: WorkItem, *, besides: Sequence[Person], event: str, late_note: str) -> None:
    """Remind everybody on the roll of the meeting, except those who are reminded to hold it; nobody once it began."""
    if act.at >= meeting_of(act.session, item.case).meets_at:
        return
    known = {person.id for person in besides}
    to = [each for each in roll(meeting_of(act.session, item.case)) if each.person_id not in known]
    letter = _invitation(act, item.case, change="", late_note=late_note, reminder=True)
    send(act, item.case, letter, to, event=event)


def _invitation(act: Act, case: Case, *, change: str, late_note: str, reminder: bool = False) -> MeetingInvitation:
    meeting = meeting_of(act.session, case)
    return MeetingInvitation(
        **about(case),
        meeting=case.title,
        meets_on=local_day(meeting.meets_at),
        begins=f"{meeting.meets_at.astimezone(SHANGHAI):%H:%M}",
        place=meeting.place,
        chair=meeting.chair,
        agenda=tuple(meeting.agenda),
        invited=meeting_roll.by_unit(meeting.seats),
        change=change,
        late_note=late_note,
        reminder=reminder,
    )


def ask_to_settle(act: Act, item: WorkItem, *, facts: tuple[str, ...]) -> None:
    """Tell the office what a meeting that the system called still lacks."""
    case = item.case
    meeting = meeting_of(act.session, case)
    missing = [name for name, value in (("地点", meeting.place), ("主持人", meeting.chair)) if not value]
    letter = TaskWaiting(
        **about(case),
        gate=item.gate.label,
        what_to_do=UNSETTLED.format(missing="、".join(missing)),
        facts=facts,
        due_on=item.due_on,
        due_note="",
    )
    people = [to_person(each) for each in deciders(act.session, item, on=act.day)]
    send(act, case, letter, people, event=f"settle-{item.round}")


def tell_called_off(act: Act, case: Case, decision: Decision) -> None:
    """Tell everybody on the roll that the meeting does not take place, and why."""
    meeting = meeting_of(act.session, case)
    letter = MeetingCalledOff(
        **about(case),
        meeting=case.title,
        meets_on=local_day(meeting.meets_at),
        by=decision.decided_by.name if decision.decided_by else SYSTEM,
        reason=decision.reason,
    )
    send(act, case, letter, roll(meeting), event="called-off")


def tell_minutes(act: Act, case: Case, resolutions: list[Resolution]) -> None:
    """Send everybody on the roll the minutes: who came, what was said, what was decided and who does it until when."""
    meeting = meeting_of(act.session, case)
    assert meeting.held_on is not None  # noqa: S101 - a meeting is declared held with its day
    letter = MeetingMinutes(
        **about(case),
        meeting=case.title,
        held_on=meeting.held_on,
        place=meeting.place,
        chair=meeting.chair,
        attended=meeting_roll.who(meeting.seats, MeetingSeat.ATTENDED),
        on_leave=meeting_roll.who(meeting.seats, MeetingSeat.LEAVE),
        absent=meeting_roll.who(meeting.seats, MeetingSeat.ABSENT),
        guests=meeting.guests,
        invited_count=len(meeting.seats),
        minutes=meeting.minutes,
        document=meeting.document.reference if meeting.document else "",
        resolutions=tuple(spoken(each) for each in resolutions),
    )
    send(act, case, letter, roll(meeting), event="minutes")


def spoken(resolution: Resolution) -> str:
    """Return something that a meeting decided in one line, with who does it until when."""
    text = resolution.text.rstrip("。;；")
    return f"{text}（承办人：{resolution.responsible.name}，期限：{chinese_date(resolution.due_on)}）"


def assign(act: Act, resolution: Resolution, *, round_: int) -> None:
    """Tell who is responsible what is to be done until when; in a later round, why it was put off."""
    case, meeting = resolution.case, meeting_of(act.session, resolution.meeting_case)
    assert meeting.held_on is not None  # noqa: S101 - what a meeting decided comes after it
    put_off = ""
    if resolution.postponed and round_ > 1:
        last = resolution.postponed[-1]
        days = [chinese_date(date.fromisoformat(last[end])) for end in ("from", "to")]
        put_off = f"原期限{days[0]}，改为{days[1]}，由{last['by_name']}决定，理由：{last['reason']}"
    letter = ResolutionAssigned(
        **about(case),
        meeting=resolution.meeting_case.title,
        held_on=meeting.held_on,
        text=resolution.text,
        due_on=resolution.due_on,
        put_off=put_off,
        left=max(joint_meeting_of(case).postponed_at_most - len(resolution.postponed), 0),
    )
    send(act, case, letter, [to_person(resolution.responsible)], event=f"assigned-{round_}")


def roll(meeting: Meeting) -> list[Recipient]:
    """Return everybody on the roll, as recipients; who was struck off the register meanwhile is not written to."""
    return [to_person(each.person) for each in meeting.seats if each.person.active]
