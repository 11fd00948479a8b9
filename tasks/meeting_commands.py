"""
What people ask for about joint meetings, as it comes in: one model per command, the same for every door.

As in `tasks.commands`: titles are Chinese because forms and the CLI show them, only form is judged here, and fields are
only ever added, with a default.
"""

from datetime import date, datetime, time
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from tasks.commands import CaseNumber, Command, LongText, PersonField, PlainText, may_stay_empty

ByOffice = Annotated[PersonField, Field(title="经办人", description="社区办审核员或负责人的人员编号或姓名")]


def _clock(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return datetime.strptime(value.strip(), "%H:%M").time()  # noqa: DTZ007 - a time of the day has no zone
    except ValueError as error:
        raise ValueError(f"“{value}”不是时刻,请写作 时:分,例如 14:00") from error


Clock = Annotated[
    time,
    BeforeValidator(_clock),
    WithJsonSchema({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}),
    PlainSerializer(lambda value: f"{value:%H:%M}", return_type=str),
]
Place = Annotated[PlainText, Field(max_length=100, title="地点", description="例如 镇政府三楼会议室")]
Chair = Annotated[PlainText, Field(max_length=100, title="主持人", description="例如 丁主任")]
Point = Annotated[PlainText, Field(min_length=1, max_length=300)]
Proof = Annotated[PlainText, Field(max_length=300)]


class CallMeeting(Command):
    """The office calls a joint meeting (联席会议, D1-R4)."""

    by: ByOffice
    unit: PlainText = Field(min_length=1, max_length=20, title="召集单位", description="镇(街道)的编码或名称")
    title: PlainText = Field(
        default="", max_length=60, title="会议名称", description="例如 2026年第2季度联席会议;不填则按日期命名"
    )
    meets_on: date = Field(title="开会日期", description="提前通知的天数不得少于政策规定")
    # As people type it: the web form is filled in with the default as it stands here.
    begins: Clock = Field(default="14:00", validate_default=True, title="开会时刻", description="例如 14:00")
    place: Annotated[Place, Field(min_length=1)]
    chair: Annotated[Chair, Field(min_length=1)]
    agenda: list[Point] = Field(min_length=1, max_length=50, title="议程", description="逐项填写,按先后排列")


class ChangeMeeting(Command):
    """The office settles place, chair, agenda or time of the day; what is left empty stays."""

    case: CaseNumber
    by: ByOffice
    begins: Clock | None = Field(default=None, title="开会时刻", description="例如 14:00;改日期请办理延期")
    place: Place = ""
    chair: Chair = ""
    agenda: list[Point] = Field(
        default_factory=list, max_length=50, title="议程", description="逐项填写,代替原来的议程"
    )


class PostponeMeeting(Command):
    """The office puts a meeting off to a later day, with a reason (延期)."""

    case: CaseNumber
    by: ByOffice
    meets_on: date = Field(title="新的开会日期", description="提前通知的天数不得少于政策规定")
    begins: Clock | None = Field(default=None, title="开会时刻", description="例如 14:00;不填则不变")
    reason: PlainText = Field(min_length=1, title="理由")


class ResolutionEntry(Command):
    """Something that the meeting decided: who does what until when."""

    text: LongText = Field(min_length=1, title="议定事项", description="做什么,做到什么程度")
    responsible: PersonField = Field(title="承办人", description="登记簿中的人员编号或姓名")
    due_on: date = Field(title="完成期限", description="不早于会议召开当天")


class RecordMeeting(Command):
    """Who came, what was said, what was decided; at the end, the meeting is declared held (D1-R4)."""

    case: CaseNumber = Field(description="会议的编号,例如 KTLX-2026-0001")
    by: ByOffice
    held_on: date | None = Field(
        default=None, json_schema_extra=may_stay_empty, title="召开日期", description="实际召开的日期"
    )
    attended: list[PersonField] = Field(default_factory=list, title="出席", description="应到名单中到会的,逐人填写")
    on_leave: list[PersonField] = Field(default_factory=list, title="请假", description="应到名单中请假的,逐人填写")
    absent: list[PersonField] = Field(default_factory=list, title="缺席", description="应到名单中缺席的,逐人填写")
    rest_absent: bool = Field(default=False, title="其余均缺席", description="应到名单中未登记的人都记为缺席")
    guests: PlainText = Field(default="", title="列席人员", description="不在应到名单中的到会人员,写单位和姓名")
    minutes: LongText = Field(default="", title="会议纪要", description="会议纪要的正文;也可以只附文件")
    proof: Proof = Field(
        default="", title="纪要文件", description="资料文件夹内的文件名,例如 KTLX-2026-0001/会议纪要.pdf"
    )
    resolutions: list[ResolutionEntry] = Field(
        default_factory=list, max_length=50, title="议定事项", description="会议已召开时一并填写,每项单独督办"
    )
    nothing_decided: bool = Field(default=False, title="无议定事项", description="会议没有议定任何事项时勾选")
    complete: bool = Field(default=False, title="会议已召开", description="签到、纪要、议定事项都齐全后勾选")


class CompleteResolution(Command):
    """Something that a meeting decided is done (落实)."""

    case: CaseNumber
    by: PersonField = Field(title="办理人", description="承办人或社区办审核员的人员编号或姓名")
    done_on: date = Field(title="完成日期")
    result: LongText = Field(min_length=1, title="落实结果", description="做了什么,结果怎样")
    proof: Proof = Field(default="", title="证明材料", description="资料文件夹内的文件名,可以不填")


class PostponeResolution(Command):
    """The head of the office puts off the day by which something is done (延期)."""

    case: CaseNumber
    by: PersonField = Field(title="办理人", description="社区办负责人的人员编号或姓名")
    due_on: date = Field(title="新的完成期限", description="须晚于原期限")
    reason: PlainText = Field(min_length=1, title="理由")
