"""What the forms of the gates of public notices ask for."""

from pydantic import Field, create_model
from sqlalchemy.orm import Session

from flows.fields import NOBODY, UNDECIDED, Builder, Fields, choice, text, verdict_fields
from models.case import Case
from models.notice import Notice, Objection
from policies.vocabulary import Gate, ObjectionChannel, ObjectionFinding
from tasks.case_file import Awaited
from tasks.cases import notice_of
from tasks.notice_mail import WHOLE, against_of, objections_of, who_of

RECORD, HANDLE, ANSWER, PROLONG, RETRACT = "登记异议", "处理异议", "登记告知", "延期", "撤销公示"
FINDINGS = tuple(finding.label for finding in ObjectionFinding)


def _period_fields(session: Session, case: Case, awaited: Awaited) -> Fields:
    notice = notice_of(session, case)
    unhandled, unanswered = _waiting(session, notice)
    actions = [RECORD]
    actions += [HANDLE] if unhandled else []
    actions += [ANSWER] if unanswered else []
    actions += [PROLONG, RETRACT]
    listed = tuple(f"{place}. {item['label']}" for place, item in enumerate(notice.items, start=1))
    fields: Fields = {
        "action": (
            choice(UNDECIDED, tuple(actions)),
            Field(UNDECIDED, title="办理事项", description="先选事项,再填下面与之有关的各栏"),
        ),
        "channel": (
            choice(NOBODY, tuple(ObjectionChannel(code).label for code in notice.channels)),
            Field(NOBODY, title="提出方式", description="登记异议时选择"),
        ),
        "name": text("异议人", description="留空为匿名", longest=60),
        "contact": text("联系方式", description="电子邮箱或地址;电话请用命令行登记", longest=200),
        "content": text("异议内容", description="登记异议时必填"),
    }
    if listed:
        fields["against"] = (choice(WHOLE, listed), Field(WHOLE, title="异议对象"))
    fields["received_at"] = text("收到时间", description="例如 2026-03-04 09:30;留空为现在", longest=25)
    if unhandled or unanswered:
        fields["objection"] = (
            choice(NOBODY, (*unhandled, *unanswered)),
            Field(NOBODY, title="异议序号", description="处理异议、登记告知时选择"),
        )
    if unhandled:
        fields["finding"] = (choice(NOBODY, FINDINGS), Field(NOBODY, title="认定"))
        fields["reasons"] = text("认定理由", description="处理异议时必填,写入给异议人的答复")
    if unanswered:
        fields |= _answer_fields()
    fields["until"] = text("延期至", description="延期时填写新的末日,例如 2026-03-18;须为工作日", longest=10)
    fields["reason"] = text("理由", description="延期、撤销时必填", longest=200)
    return fields


def _review_fields(session: Session, case: Case, awaited: Awaited) -> Fields:
    unhandled, unanswered = _waiting(session, notice_of(session, case))
    fields: Fields = {}
    if unhandled:
        handling = create_model(
            "HandlingEntry",
            objection=(choice(NOBODY, unhandled), Field(NOBODY, title="异议序号")),
            finding=(choice(NOBODY, FINDINGS), Field(NOBODY, title="认定")),
            reasons=text("认定理由", description="写入给异议人的答复"),
        )
        fields["handled"] = (
            list[handling],
            Field(default_factory=list, title="处理异议", description="逐件认定并写明理由;留有电子邮箱的,系统自动答复"),
        )
    if unhandled or unanswered:
        answering = create_model(
            "AnswerEntry",
            objection=(choice(NOBODY, (*unhandled, *unanswered)), Field(NOBODY, title="异议序号")),
            **_answer_fields(),
        )
        fields["answered"] = (
            list[answering],
            Field(default_factory=list, title="登记告知", description="没有电子邮箱的异议人,登记怎样、何时告知"),
        )
    return fields | verdict_fields(awaited)


def _answer_fields() -> Fields:
    return {
        "how": text("告知方式", description="例如 当面告知、电话告知、书面送达", longest=200),
        "answered_at": text("告知时间", description="例如 2026-03-04 09:30;留空为现在", longest=25),
    }


def _waiting(session: Session, notice: Notice) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the objections that wait for a finding, and those that wait for an answer, as choices."""
    found = objections_of(session, notice)
    return (
        tuple(_named(notice, each) for each in found if each.finding is None),
        tuple(_named(notice, each) for each in found if each.finding is not None and each.answered_at is None),
    )


def _named(notice: Notice, objection: Objection) -> str:
    return f"第{objection.seq}件 {who_of(objection)} 对{against_of(notice, objection)}"


BUILDERS: dict[Gate, Builder] = {
    Gate.NOTICE_PERIOD: _period_fields,
    Gate.OBJECTION_REVIEW: _review_fields,
}
"""By gate; the others ask for a verdict."""
