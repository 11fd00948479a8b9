"""
What the office starts for joint meetings: a meeting, what happened at it; and the schedule of the regular ones.

Each is one command, carried out once however often the run is tried (the run's id is the key), and a wake of the case.
"""

from datetime import datetime
from typing import Any

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run

from flows.forms import titled
from flows.once import once
from flows.step import as_task, ended
from flows.waking import wake_each
from policies.vocabulary import Door
from runtime.resources import Resources, open_resources
from tasks import meeting_records, meetings
from tasks.meeting_commands import CallMeeting, RecordMeeting
from tasks.meeting_routine import open_routine_meetings


@flow(name="call-meeting", flow_run_name="召集联席会议 {meeting.meets_on}")
def call_meeting(meeting: CallMeeting = titled("会议")) -> State[Any]:
    """
    召集联席会议:写明时间、地点、主持人和议程,系统确定应到名单、通知参会人员,会前提醒.

    Args:
        meeting: 会议安排
    """

    def act(resources: Resources, at: datetime) -> tuple[str, str]:
        number = meetings.call_meeting(resources, meeting, door=Door.FORM, key=f"run:{flow_run.id}", at=at)
        return number, f"已召集会议并通知参会人员,案件编号 {number}"

    return once("召集联席会议", act, CallMeeting)


@flow(name="record-joint-meeting", flow_run_name="登记会议 {record.case}")
def record_meeting(record: RecordMeeting = titled("会议")) -> State[Any]:
    """
    登记会议:签到、会议纪要可以分次登记;齐全后勾选“会议已召开”,一并填写议定事项,系统逐项交办并印发纪要.

    Args:
        record: 会议情况
    """

    def act(resources: Resources, at: datetime) -> tuple[str, str]:
        left = meeting_records.record_meeting(resources, record, door=Door.FORM, at=at)
        return record.case, told(record, left)

    return once("登记会议", act, RecordMeeting)


def told(record: RecordMeeting, left: tuple[str, ...]) -> str:
    """Return in one sentence what a record came to."""
    if record.complete:
        decided = f",议定事项{len(record.resolutions)}项已逐项交办" if record.resolutions else ""
        return f"会议已办结,纪要已印发{decided}"
    return "已登记;" + (f"尚缺:{'、'.join(left)}" if left else "签到和纪要已经齐全,可以填写议定事项后办结")


@flow(name="routine-meetings", flow_run_name="例行联席会议")
def routine_meetings() -> State[Any]:
    """例行联席会议:每天上午八时检查一次,到了每期首个工作日即召集本期会议;可随时手工运行,一期只召集一次."""
    with open_resources() as resources:
        at = resources.clock.now()
        failures: list[str] = []
        called = as_task(lambda: open_routine_meetings(resources, at=at, failures=failures), name="召集例行联席会议")
        wake_each(resources, called, at=at)
    message = f"已召集{len(called)}次会议:{'、'.join(called)}" if called else "今天没有须召集的例行会议"
    get_run_logger().info(message)
    return ended(message, failures)
