"""What a joint meeting decided: what the driver asks of its kind of case (D1-R4)."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import Case
from models.work_item import Decision, WorkItem
from policies.errors import Refused
from policies.vocabulary import Door, Gate, Verdict, WorkItemStatus
from rules.window import spoken_day
from tasks import items
from tasks.act import Act
from tasks.cases import policy_of, resolution_of
from tasks.commands import Decide
from tasks.meeting_resolutions import running
from tasks.meeting_rules import joint_meeting_of

ELSEWHERE = {
    Verdict.COMPLETED: "登记落实须写明完成日期和落实结果:请在案件页面的表单中填写,或运行 ketang meeting resolve",
    Verdict.POSTPONED: "延期须写明新的完成期限:请在案件页面的表单中填写,或运行 ketang meeting resolve --until",
}
"""Where the verdicts are given that need more than a word."""


def ask(act: Act, case: Case, item: WorkItem) -> None:
    """Do nothing: each round opens with the meeting's end or with a delay, with its letter."""


def check(act: Act, case: Case, item: WorkItem, command: Decide) -> list[str]:
    """Refuse a verdict that needs more than a word; there are no warnings to acknowledge."""
    if command.verdict in ELSEWHERE:
        raise Refused(policy_of(case, item.gate).where, ELSEWHERE[command.verdict])
    return []


def tell(act: Act, case: Case, item: WorkItem, decision: Decision) -> None:
    """Do nothing: that it was given up is told by the letter that closes the case."""


def facts(session: Session, case: Case) -> tuple[tuple[str, str], ...]:
    """Return what a page says of it: from which meeting, who, by when, how often put off, what came of it."""
    resolution, rule = resolution_of(session, case), joint_meeting_of(case)
    put_off = [f"{each['from']} → {each['to']}({each['by_name']}:{each['reason']})" for each in resolution.postponed]
    rows = [
        ("会议", f"{resolution.meeting_case.number} {resolution.meeting_case.title}"),
        ("议定事项", f"第{resolution.seq}项:{resolution.text}"),
        ("承办人", resolution.responsible.display),
        ("完成期限", spoken_day(resolution.due_on)),
        ("延期", f"已{len(put_off)}次,至多{rule.postponed_at_most}次" + (f":{';'.join(put_off)}" if put_off else "")),
    ]
    if resolution.done_on is not None:
        rows += [("完成日期", spoken_day(resolution.done_on)), ("落实结果", resolution.result)]
    return tuple(rows)


def after(act: Act, case: Case) -> None:
    """Let the meeting go on when this was the last of its decisions; its case is locked already."""
    meeting = case.parent
    if meeting is None:
        return
    item = act.session.scalars(
        select(WorkItem).where(
            WorkItem.case_id == meeting.id, WorkItem.gate == Gate.RESOLUTIONS, WorkItem.status == WorkItemStatus.OPEN
        )
    ).one_or_none()
    if item is not None and not running(act.session, meeting):
        reason = f"最后一项议定事项 {case.number} 已办结"
        items.close(act, item, Verdict.COMPLETED, by=None, door=Door.SYSTEM, reason=reason)
