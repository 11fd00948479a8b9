"""Joint meetings: what the driver asks of their kind of case (D1-R4)."""

from sqlalchemy.orm import Session

from models.case import Case
from models.meeting import Meeting, Resolution
from models.work_item import Decision, WorkItem
from policies.errors import Refused
from policies.life_words import MeetingSeat
from policies.vocabulary import CaseStatus, Door, Gate, Verdict
from rules.periods import SHANGHAI
from rules.window import spoken_day
from tasks import items, meeting_mail, meeting_roll
from tasks.act import Act
from tasks.cases import meeting_of, policy_of
from tasks.commands import Decide
from tasks.meeting_resolutions import resolutions_of, running

ELSEWHERE = {
    Verdict.HELD: "会议办结须登记签到、纪要和议定事项:请在案件页面的表单中选择“会议已召开”,或运行“登记会议”",
    Verdict.POSTPONED: "会议延期须写明新的日期:请在案件页面的表单中选择“延期”,或运行 ketang meeting change --on",
}
"""Where the verdicts are given that need more than a word."""


def ask(act: Act, case: Case, item: WorkItem) -> None:
    """
    Let a meeting go on whose decisions are all settled, or that decided nothing.

    Each round of a meeting opens when it is called or put off, with its invitation.
    """
    if item.gate is Gate.RESOLUTIONS and not running(act.session, case):
        decided = len(resolutions_of(act.session, case))
        reason = f"{decided}项议定事项均已办结" if decided else "会议没有议定事项"
        items.close(act, item, Verdict.COMPLETED, by=None, door=Door.SYSTEM, reason=reason)


def check(act: Act, case: Case, item: WorkItem, command: Decide) -> list[str]:
    """Refuse a verdict that needs more than a word; there are no warnings to acknowledge."""
    if item.gate is Gate.MEETING and command.verdict in ELSEWHERE:
        raise Refused(policy_of(case, item.gate).where, ELSEWHERE[command.verdict])
    return []


def tell(act: Act, case: Case, item: WorkItem, decision: Decision) -> None:
    """Tell those invited that the meeting does not take place."""
    if decision.verdict is Verdict.CALLED_OFF:
        meeting_mail.tell_called_off(act, case, decision)


def facts(session: Session, case: Case) -> tuple[tuple[str, str], ...]:
    """Return what a page says of a meeting: when, where, who, what about, what was decided."""
    meeting = meeting_of(session, case)
    decided = resolutions_of(session, case)
    rows = [
        ("开会时间", f"{meeting.meets_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"),
        ("地点", meeting.place or "待定"),
        ("主持人", meeting.chair or "待定"),
        ("议程", ";".join(f"{number}. {point}" for number, point in enumerate(meeting.agenda, 1))),
        ("应到", f"{len(meeting.seats)}人:{'、'.join(each.person.display for each in meeting.seats)}"),
        *_came(meeting),
    ]
    if meeting.held_on is not None:
        rows.append(("召开日期", spoken_day(meeting.held_on)))
    if meeting.guests:
        rows.append(("列席", meeting.guests))
    if meeting.minutes:
        rows.append(("会议纪要", meeting.minutes))
    if meeting.document is not None:
        rows.append(("纪要文件", meeting.document.reference))
    rows += [(f"议定事项{each.seq}", _told(each)) for each in decided]
    return tuple(rows)


def _came(meeting: Meeting) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for seat, label in (*((each, each.label) for each in MeetingSeat), (None, "未登记签到")):
        names = meeting_roll.who(meeting.seats, seat)
        if names and (seat is not None or len(names) < len(meeting.seats)):
            rows.append((label, f"{len(names)}人:{'、'.join(names)}"))
    return rows


def _told(resolution: Resolution) -> str:
    case = resolution.case
    ended = case.outcome.label if case.status is CaseStatus.CLOSED and case.outcome else case.status.label
    return f"{case.number} {meeting_mail.spoken(resolution)}:{ended}"


def after(act: Act, case: Case) -> None:
    """Do nothing: no other case waits for a meeting; what it decided was settled before."""
