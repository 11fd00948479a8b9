"""
What administrators start by hand in the Prefect UI: an application, households' answers, a decision, an office act.

Each is one command, carried out once however often the run is tried (the run's id is the key), and a wake of the case.
A refusal fails the run with the reason as its message; nothing was changed then.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from pydantic import Field

from flows.forms import titled
from flows.once import once
from policies.errors import Refused
from policies.vocabulary import Answer, Door, Gate, Verdict
from rules.money import in_yuan
from rules.transitions import for_people
from runtime.resources import Resources
from tasks import applications, consents, decisions, ledger, office_acts, works
from tasks.commands import (
    ApplyForSite,
    CaseNumber,
    Command,
    Decide,
    HandOver,
    HouseholdAnswer,
    PersonField,
    PlainText,
    RecordAnswers,
    RecordWorks,
    Spend,
    Urge,
    Withdraw,
    WorkRecord,
)
from tasks.sheets import read_answers

DECISIONS = tuple(
    dict.fromkeys(verdict.label for gate in Gate if gate is not Gate.CORRECTION for verdict in for_people(gate))
)


class ConsentEntry(Command):
    """Answers of households, entered by hand or from a sheet."""

    case: CaseNumber
    by: PersonField = Field(title="登记人", description="村(居)民小组长的人员编号或姓名")
    agreeing: list[PlainText] = Field(
        default_factory=list, title="同意的户号", description="逐户填写户号,例如 ZD01-003"
    )
    objecting: list[PlainText] = Field(default_factory=list, title="不同意的户号")
    note: PlainText = Field(default="", max_length=200, title="备注")
    sheet: PlainText = Field(
        default="",
        max_length=300,
        title="答复表",
        description="资料文件夹内的 XLSX 或 CSV 文件名,表头为 户号、答复、备注;可与上面的户号同时使用",
    )


class DecisionEntry(Command):
    """A decision at the gate that waits, whichever it is."""

    case: CaseNumber
    by: PersonField = Field(title="办理人", description="人员编号或姓名,例如 P001")
    verdict: Annotated[str, Field(json_schema_extra={"enum": list(DECISIONS)})] = Field(title="决定")
    reason: PlainText = Field(default="", title="理由", description="退回、不予批准、撤回、另行告知时必须填写")
    acknowledged: list[PlainText] = Field(
        default_factory=list, title="已知悉的提示", description="批准前须逐条填写案卷中列出的提示"
    )
    proof: PlainText = Field(
        default="", max_length=300, title="依据材料", description="资料文件夹内的文件名;项目验收合格时必须填写"
    )
    works: list[WorkRecord] = Field(
        default_factory=list,
        title="完成事项",
        description="挂牌与布置、补贴拨付、资金拨付、进度节点、结余清退环节逐项登记时填写",
    )
    letter: int = Field(default=0, ge=0, title="未送达信函号", description="仅在处理未送达信函时填写,案卷中列有号码")


class OfficeAct(Command):
    """Urge, hand over, withdraw."""

    case: CaseNumber
    action: Literal["催办", "转办", "撤回"] = Field(title="事项")
    by: PersonField = Field(title="经办人", description="人员编号或姓名")
    to: PlainText = Field(default="", max_length=120, title="转给", description="仅转办时填写:担任同一职务的人")
    text: PlainText = Field(default="", max_length=200, title="附言或理由", description="转办、撤回时必须填写")


@flow(name="site-application", flow_run_name="客堂间申请")
def site_application(application: ApplyForSite = titled("申请")) -> State[Any]:
    """
    客堂间申请:为一户登记创建客堂间的申请,受理后自动进入农户同意环节.

    Args:
        application: 申请内容
    """

    def act(resources: Resources, at: datetime) -> tuple[str, str]:
        number = applications.apply_for_site(resources, application, door=Door.FORM, key=f"run:{flow_run.id}", at=at)
        return number, f"已受理,案件编号 {number}"

    return once("受理申请", act, ApplyForSite)


@flow(name="record-consents", flow_run_name="登记农户同意 {entry.case}")
def record_consents(entry: ConsentEntry = titled("答复")) -> State[Any]:
    """
    登记农户同意:逐户填写,或由答复表批量登记;一处有误则全部不登记.

    Args:
        entry: 登记内容
    """

    def act(resources: Resources, at: datetime) -> tuple[str, str]:
        answers = [
            HouseholdAnswer(household=number, answer=answer.label, note=entry.note)
            for answer, numbers in ((Answer.AGREE, entry.agreeing), (Answer.OBJECT, entry.objecting))
            for number in numbers
        ]
        if entry.sheet:
            answers += read_answers(resources.settings.documents_folder, entry.sheet)
        if not answers:
            raise Refused("default", "没有填写任何农户的答复,请填写户号或答复表")
        command = RecordAnswers(case=entry.case, by=entry.by, answers=answers)
        counted = consents.record_answers(resources, command, door=Door.SHEET if entry.sheet else Door.FORM, at=at)
        return entry.case, (
            f"已登记{len(answers)}户;现同意{counted.agreeing}户、不同意{len(counted.objecting)}户、"
            f"未答复{len(counted.missing)}户(共{counted.entitled}户)"
        )

    return once("登记农户答复", act, RecordAnswers)


@flow(name="decide", flow_run_name="办理 {entry.case}")
def decide(entry: DecisionEntry = titled("决定")) -> State[Any]:
    """
    办理(决定):在案件当前环节作出决定,或逐项登记完成事项;与案件页面上的 Resume 表单效果相同.

    Args:
        entry: 决定内容
    """

    def act(resources: Resources, at: datetime) -> tuple[str, str]:
        if entry.works:
            left = works.record_works(
                resources, RecordWorks(case=entry.case, by=entry.by, works=entry.works), door=Door.FORM, at=at
            )
            return entry.case, f"已登记{len(entry.works)}项;" + (f"尚缺:{'、'.join(left)}" if left else "全部完成")
        command = Decide(
            case=entry.case,
            by=entry.by,
            verdict=entry.verdict,
            reason=entry.reason,
            acknowledged=entry.acknowledged,
            proof=entry.proof,
        )
        if command.verdict in for_people(Gate.UNDELIVERED_LETTER):
            office_acts.settle_undelivered(resources, command, entry=entry.letter, door=Door.FORM, at=at)
            return entry.case, f"未送达信函{entry.letter}:{command.verdict.label}"
        decision = decisions.decide(resources, command, door=Door.FORM, at=at)
        return entry.case, f"已作出决定:{decision.verdict.label}"

    return once("登记决定", act, Decide)


@flow(name="office-act", flow_run_name="{entry.action} {entry.case}")
def office_act(entry: OfficeAct = titled("事项")) -> State[Any]:
    """
    催办、转办、撤回:催办当前办理人,转给担任同一职务的他人,或由申请的负责人撤回申请.

    Args:
        entry: 事项内容
    """

    def act(resources: Resources, at: datetime) -> tuple[str, str]:
        match entry.action:
            case "催办":
                command = Urge(case=entry.case, by=entry.by, message=entry.text)
                return entry.case, f"已催办:{'、'.join(office_acts.urge(resources, command, at=at))}"
            case "转办":
                if not entry.to:
                    raise Refused("default", "转办须填写“转给”")
                handed = HandOver(case=entry.case, by=entry.by, to=entry.to, reason=entry.text)
                office_acts.hand_over(resources, handed, at=at)
                return entry.case, f"已转办给{entry.to}"
            case "撤回":
                withdrawal = Withdraw(case=entry.case, by=entry.by, reason=entry.text)
                decisions.withdraw(resources, withdrawal, door=Door.FORM, at=at)
                return entry.case, Verdict.WITHDRAWN.label

    return once(entry.action, act, HandOver)


@flow(name="spend-subsidy", flow_run_name="补贴支出 {entry.case}")
def spend_subsidy(entry: Spend = titled("支出")) -> State[Any]:
    """
    补贴支出登记:专款专用,只能用于政策规定的用途,不得超过余额.

    Args:
        entry: 支出内容
    """

    def act(resources: Resources, at: datetime) -> tuple[str, str]:
        left = ledger.spend(resources, entry, at=at, key=f"run:{flow_run.id}")
        return entry.case, f"已登记支出,余额{in_yuan(left)}"

    return once("登记支出", act, Spend)
