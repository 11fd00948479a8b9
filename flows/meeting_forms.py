"""What the forms of the gates of meetings ask for."""

from typing import Any

from pydantic import Field, create_model
from sqlalchemy.orm import Session

from flows.fields import UNDECIDED, Builder, Fields, choice, several, text
from models.case import Case
from models.meeting import Meeting
from policies.vocabulary import Gate, Verdict
from rules.periods import SHANGHAI
from tasks.case_file import Awaited
from tasks.cases import meeting_of, resolution_of
from tasks.meeting_records import missing
from tasks.meeting_rules import joint_meeting_of

ARRANGE, RECORD, HOLD = "完善会议安排", "登记签到和纪要", "会议已召开"
PUT_OFF, CALL_OFF = "延期", "不再召开"
ACTIONS = (ARRANGE, RECORD, HOLD, PUT_OFF, CALL_OFF)
LONGEST = 5000
DAY = "例如 2026-04-15"


def _meeting_fields(session: Session, case: Case, awaited: Awaited) -> Fields:
    """Ask for arrangements, for what happened at the meeting, or for a later day; each only with its own action."""
    meeting = meeting_of(session, case)
    roll = several(tuple(seat.person.display for seat in meeting.seats))
    decided: Any = create_model(
        "ResolutionRecord",
        text=text("议定事项", description="做什么,做到什么程度", longest=LONGEST),
        responsible=text("承办人", description="登记簿中的人员编号或姓名", longest=120),
        due_on=text("完成期限", description="例如 2026-05-08,不早于会议召开当天", longest=10),
    )
    left = "、".join(missing(meeting))
    return {
        "action": (
            choice(UNDECIDED, ACTIONS),
            Field(
                UNDECIDED,
                title="事项",
                description="会前完善安排,会后登记签到和纪要;齐全后选择“会议已召开”,并一并填写议定事项"
                + (f"。现在还缺:{left}" if left else ""),
            ),
        ),
        **_arrangements(meeting),
        "held_on": text("召开日期", description="实际召开的日期" + _known(meeting), longest=10),
        "attended": (roll, Field(default_factory=list, title="出席", description=_signed(meeting))),
        "on_leave": (roll, Field(default_factory=list, title="请假")),
        "absent": (roll, Field(default_factory=list, title="缺席")),
        "rest_absent": (bool, Field(False, title="其余均缺席", description="应到名单中未登记的人都记为缺席")),
        "guests": text("列席人员", description="不在应到名单中的到会人员,写单位和姓名"),
        "minutes": text("会议纪要", description="纪要的正文;也可以只附文件", longest=LONGEST),
        "proof": text("纪要文件", description="资料文件夹(documents)内的文件名", longest=300),
        "resolutions": (
            list[decided],
            Field(default_factory=list, title="议定事项", description="仅“会议已召开”时填写,每项单独交办、督办"),
        ),
        "nothing_decided": (bool, Field(False, title="无议定事项", description="会议没有议定任何事项时勾选")),
        "reason": text("理由", description="延期、不再召开时必须填写"),
    }


def _arrangements(meeting: Meeting) -> Fields:
    now = f"{meeting.meets_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    return {
        "meets_on": text("新的开会日期", description=f"仅延期时填写,{DAY};现定于{now}", longest=10),
        "begins": text("开会时刻", description="完善安排或延期时填写,例如 14:00;不填则不变", longest=5),
        "place": text("地点", description=f"完善安排时填写;现为{meeting.place or '待定'}", longest=100),
        "chair": text("主持人", description=f"完善安排时填写;现为{meeting.chair or '待定'}", longest=100),
        "agenda": (
            list[str],
            Field(
                default_factory=list, title="议程", description=f"完善安排时填写,代替现有的{len(meeting.agenda)}项议程"
            ),
        ),
    }


def _known(meeting: Meeting) -> str:
    return f";已登记为{meeting.held_on}" if meeting.held_on else f",{DAY}"


def _signed(meeting: Meeting) -> str:
    done = len([seat for seat in meeting.seats if seat.seat is not None])
    return f"应到{len(meeting.seats)}人,已登记{done}人;再次登记的以后一次为准"


def _follow_up_fields(session: Session, case: Case, awaited: Awaited) -> Fields:
    """Ask for what came of it, or for a later day, or why it is given up."""
    resolution, rule = resolution_of(session, case), joint_meeting_of(case)
    left = max(rule.postponed_at_most - len(resolution.postponed), 0)
    verdicts = (Verdict.COMPLETED.label, Verdict.POSTPONED.label, Verdict.ABANDONED.label)
    return {
        "verdict": (
            choice(UNDECIDED, verdicts),
            Field(
                UNDECIDED,
                title="决定",
                description="已完成由承办人或社区办审核员登记;延期、终止由社区办负责人决定",
            ),
        ),
        "done_on": text("完成日期", description=f"已完成时必须填写,{DAY}", longest=10),
        "result": text("落实结果", description="已完成时必须填写:做了什么,结果怎样", longest=LONGEST),
        "proof": text("证明材料", description="资料文件夹(documents)内的文件名,可以不填", longest=300),
        "due_on": text("新的完成期限", description=f"延期时必须填写,{DAY};还可以延期{left}次", longest=10),
        "reason": text("理由", description="延期、终止时必须填写"),
    }


BUILDERS: dict[Gate, Builder] = {Gate.MEETING: _meeting_fields, Gate.FOLLOW_UP: _follow_up_fields}
"""By gate; the others ask for a verdict."""
