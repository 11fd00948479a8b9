"""
What people ask for in public notices, as it comes in: one pydantic model per command, the same for every door.

As in `tasks.commands`: only form is judged here. Moments without a zone are Shanghai's.
"""

from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, Field

from rules.periods import SHANGHAI
from tasks.commands import (
    CaseNumber,
    ChannelField,
    Command,
    FindingField,
    LongText,
    PersonField,
    PlainText,
    Printable,
    may_stay_empty,
)


def _of_shanghai(moment: datetime) -> datetime:
    return moment.replace(tzinfo=SHANGHAI) if moment.tzinfo is None else moment


Moment = Annotated[datetime, AfterValidator(_of_shanghai)]
ByOffice = Annotated[PersonField, Field(title="经办人", description="社区办的人员编号或姓名")]
SeqField = Annotated[int, Field(ge=1, le=100_000, title="异议序号", description="公示案卷中列有,例如 1")]


class PublishNotice(Command):
    """The office publishes a notice of any matter (公示, D2-R10)."""

    unit: PlainText = Field(min_length=1, max_length=100, title="公示单位", description="镇(街道)或村(居)的编码或名称")
    edition: PlainText = Field(
        min_length=1, max_length=60, title="适用政策", description="按哪份政策计算公示期,例如 linping-2022"
    )
    by: ByOffice
    title: PlainText = Field(min_length=1, max_length=80, title="公示标题")
    text: LongText = Field(min_length=1, title="公示内容", description="可分段;发布后不能改动,只能延期或撤销")
    items: list[PlainText] = Field(
        default_factory=list, max_length=200, title="公示事项", description="可以单独提出异议的事项,逐条填写;可不填"
    )
    contact: PlainText = Field(
        min_length=1, max_length=100, title="联系方式", description="科室和办公地点;办公电话由系统设置给出,不写个人电话"
    )
    place: PlainText = Field(min_length=1, max_length=100, title="公示地点", description="例如 镇政务公开栏")


class RecordObjection(Command):
    """Somebody objects, and the office keys it in (D2-R10)."""

    case: CaseNumber
    by: ByOffice
    channel: ChannelField = Field(title="提出方式")
    name: PlainText = Field(default="", max_length=60, title="异议人", description="留空为匿名")
    contact: Printable = Field(default="", max_length=200, title="联系方式", description="电子邮箱、电话或地址")
    content: LongText = Field(min_length=1, title="异议内容")
    against: PlainText = Field(
        default="", max_length=200, title="异议对象", description="公示事项的序号、名称或案件编号;留空为整个公示"
    )
    received_at: Moment | None = Field(
        default=None, json_schema_extra=may_stay_empty, title="收到时间", description="留空为现在"
    )


class ObjectionEntry(RecordObjection):
    """The same by a door whose input is kept elsewhere: there no personal number may be given."""

    contact: PlainText = Field(default="", max_length=200, title="联系方式", description="电子邮箱或地址;电话勿填")


class HandleObjection(Command):
    """The office finds that an objection is upheld or not, with reasons (D2-R10)."""

    objection: SeqField
    finding: FindingField = Field(title="认定")
    reasons: PlainText = Field(min_length=1, title="认定理由", description="须写明;写入给异议人的答复")


class AnswerObjection(Command):
    """The office has told who objected what was found, otherwise than by the desk's letter (D2-R10)."""

    objection: SeqField
    how: PlainText = Field(
        min_length=1, max_length=200, title="告知方式", description="例如 当面告知、电话告知、书面送达"
    )
    answered_at: Moment | None = Field(default=None, title="告知时间", description="留空为现在")


class HandleObjections(Command):
    """Some objections are handled and answered: all of it, or nothing when one is faulty."""

    case: CaseNumber
    by: ByOffice
    handled: list[HandleObjection] = Field(default_factory=list, title="处理异议")
    answered: list[AnswerObjection] = Field(default_factory=list, title="告知异议人")


class ProlongNotice(Command):
    """The office lets a notice stand longer (D2-R10)."""

    case: CaseNumber
    by: ByOffice
    until: date = Field(title="延期至", description="新的末日,例如 2026-03-18;须为工作日")
    reason: PlainText = Field(min_length=1, max_length=200, title="理由")
