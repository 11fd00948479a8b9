"""
Joint meetings of the liaisons (联席会议): called, held, and what they decided followed up (D1-R4).

A meeting is a case; what it decided is a case each, whose parent is the meeting, so that every deadline runs by itself.
Re-entrant: every line may run many times.
"""

from itertools import count
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.carry import carry
from flows.forms import titled
from policies.vocabulary import Gate, Outcome, Verdict
from tasks.procedure import CaseHandle, Ending, await_decision


def joint_meeting(case: CaseHandle) -> Ending:
    """Carry one meeting to its end: held and its decisions carried out, or called off."""
    for round_ in count(1):
        meeting = await_decision(case, Gate.MEETING, round_)
        if meeting.verdict is Verdict.CALLED_OFF:
            return Ending(Outcome.CALLED_OFF, meeting.reason)
        if meeting.verdict is Verdict.HELD:
            break

    # Each decision of the meeting is followed up by itself; the meeting waits for the last of them.
    await_decision(case, Gate.RESOLUTIONS)
    return Ending(Outcome.CONCLUDED)


def resolution(case: CaseHandle) -> Ending:
    """Carry one decision of a meeting to its end: carried out, or given up by the head of the office."""
    for round_ in count(1):
        followed = await_decision(case, Gate.FOLLOW_UP, round_)
        if followed.verdict is Verdict.COMPLETED:
            return Ending(Outcome.COMPLETED, followed.reason)
        if followed.verdict is Verdict.ABANDONED:
            return Ending(Outcome.ABANDONED, followed.reason)
    raise AssertionError("count() never ends")


@flow(name="joint-meeting", flow_run_name="{case_number}")
def joint_meeting_lifecycle(case_number: str = titled("案件编号")) -> State[Any]:
    """
    联席会议办理:由系统为每次会议自动启动,会后登记签到、纪要和议定事项,一般无须手工运行.

    Args:
        case_number: 案件编号,例如 KTLX-2026-0001
    """
    return carry(case_number, joint_meeting)


@flow(name="resolution-follow-up", flow_run_name="{case_number}")
def resolution_lifecycle(case_number: str = titled("案件编号")) -> State[Any]:
    """
    议定事项办理:由系统为会议的每个议定事项自动启动,到期督促落实,一般无须手工运行.

    Args:
        case_number: 案件编号,例如 KTYD-2026-0001
    """
    return carry(case_number, resolution)
