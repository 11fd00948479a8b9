"""What administrators start by hand for public notices: publish, record and handle objections, prolong, retract."""

from datetime import date, datetime
from typing import Any, Literal

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from pydantic import Field

from flows.forms import titled
from flows.once import once
from policies.errors import Refused
from policies.vocabulary import Door, Verdict
from runtime.resources import Resources
from tasks import decisions, notice_changes, notices, objections
from tasks.commands import CaseNumber, Command, Decide, FindingField, PlainText, may_stay_empty
from tasks.notice_commands import (
    AnswerObjection,
    ByOffice,
    HandleObjection,
    HandleObjections,
    Moment,
    ObjectionEntry,
    ProlongNotice,
    PublishNotice,
    SeqField,
)


class HandlingEntry(Command):
    """One objection is handled, or its author was told, or both."""

    case: CaseNumber
    by: ByOffice
    objection: SeqField
    finding: FindingField | None = Field(
        default=None, json_schema_extra=may_stay_empty, title="认定", description="只登记告知时留空"
    )
    reasons: PlainText = Field(default="", title="认定理由", description="作出认定时必填,写入给异议人的答复")
    how: PlainText = Field(
        default="", max_length=200, title="告知方式", description="没有电子邮箱的异议人:怎样告知,例如 当面告知"
    )
    answered_at: Moment | None = Field(
        default=None, json_schema_extra=may_stay_empty, title="告知时间", description="留空为现在"
    )


class ChangeEntry(Command):
    """A notice is prolonged or taken back."""

    case: CaseNumber
    action: Literal["延期", "撤销公示"] = Field(title="事项")
    by: ByOffice
    until: date | None = Field(
        default=None, json_schema_extra=may_stay_empty, title="延期至", description="延期时填写新的末日,须为工作日"
    )
    reason: PlainText = Field(min_length=1, max_length=200, title="理由")


@flow(name="publish-notice", flow_run_name="发布公示 {notice.title}")
def publish_notice(notice: PublishNotice = titled("公示")) -> State[Any]:
    """
    发布公示:按所选政策计算公示期,生成公示网页,期满自动结束;内容发布后不能改动.

    Args:
        notice: 公示内容
    """

    def act(resources: Resources, at: datetime) -> tuple[str, str]:
        number = notices.publish_notice(resources, notice, door=Door.FORM, key=f"run:{flow_run.id}", at=at)
        return number, f"已发布公示,案件编号 {number}"

    return once("发布公示", act, PublishNotice)


@flow(name="record-objection", flow_run_name="登记异议 {entry.case}")
def record_objection(entry: ObjectionEntry = titled("异议")) -> State[Any]:
    """
    登记异议:登记公示期内收到的异议;收到时间可早于登记时间,逾期收到的不予受理.

    Args:
        entry: 异议内容
    """

    def act(resources: Resources, at: datetime) -> tuple[str, str]:
        seq = objections.record_objection(resources, entry, door=Door.FORM, key=f"run:{flow_run.id}", at=at)
        return entry.case, f"已登记异议第{seq}件"

    return once("登记异议", act, ObjectionEntry)


@flow(name="handle-objection", flow_run_name="处理异议 {entry.case}")
def handle_objection(entry: HandlingEntry = titled("处理")) -> State[Any]:
    """
    处理异议:认定异议成立或不成立并写明理由,登记怎样告知异议人.

    Args:
        entry: 处理内容
    """

    def act(resources: Resources, at: datetime) -> tuple[str, str]:
        handled, answered = [], []
        if entry.finding is not None:
            handled.append(HandleObjection(objection=entry.objection, finding=entry.finding, reasons=entry.reasons))
        if entry.how:
            answered.append(AnswerObjection(objection=entry.objection, how=entry.how, answered_at=entry.answered_at))
        command = HandleObjections(case=entry.case, by=entry.by, handled=handled, answered=answered)
        left = objections.handle_objections(resources, command, door=Door.FORM, at=at)
        return entry.case, "已登记;" + (f"尚待办理:{';'.join(left)}" if left else "异议均已处理并答复")

    return once("处理异议", act, HandlingEntry)


@flow(name="change-notice", flow_run_name="{entry.action} {entry.case}")
def change_notice(entry: ChangeEntry = titled("事项")) -> State[Any]:
    """
    公示延期、撤销:公布的内容不能改动,只能写明理由延期,或者撤销后另行公示.

    Args:
        entry: 事项内容
    """

    def act(resources: Resources, at: datetime) -> tuple[str, str]:
        match entry.action:
            case "延期":
                if entry.until is None:
                    raise Refused("default", "延期须填写“延期至”")
                command = ProlongNotice(case=entry.case, by=entry.by, until=entry.until, reason=entry.reason)
                last = notice_changes.prolong_notice(resources, command, at=at)
                return entry.case, f"已延期至{last}"
            case "撤销公示":
                retraction = Decide(case=entry.case, by=entry.by, verdict=Verdict.RETRACTED, reason=entry.reason)
                decisions.decide(resources, retraction, door=Door.FORM, at=at)
                return entry.case, "已撤销公示"

    return once(entry.action, act, ProlongNotice)
