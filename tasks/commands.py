"""
What people ask for, as it comes in: one pydantic model per command, the same for every door.

Titles and descriptions are Chinese because the Prefect UI and the CLI show them. Only form is judged here (types,
lists of words, no personal numbers in free text); what the database must judge is judged where the command is carried
out. Fields are only ever added, with a default: a suspended run holds the schema of the day it was asked.
"""

import unicodedata
from collections.abc import Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from policies.life_words import CampaignScope, Finding
from policies.vocabulary import (
    Answer,
    CombinedWith,
    EvaluationPanel,
    Facility,
    LeaderSource,
    ObjectionChannel,
    ObjectionFinding,
    Verdict,
    Word,
)
from rules.masking import USUAL_NUMBERS_FORBIDDEN, has_personal_number
from rules.transitions import BY_PEOPLE

W = TypeVar("W", bound=Word)


def _printable(text: str) -> str:
    if any(sign not in "\t\n\r" and unicodedata.category(sign) == "Cc" for sign in text):
        raise ValueError("含有无法保存的字符,请删去后重新填写")
    return text


def _no_personal_number(text: str) -> str:
    if has_personal_number(text):
        raise ValueError("请勿填写手机号、电话或身份证号:登记簿里已有,流程记录里不得出现")
    return text


def one_of(words: type[W], offered: Sequence[W] = ()) -> BeforeValidator:
    """Return what reads one of `words` by its label; where it finds none it lists those `offered`, or all."""
    listed = "、".join(word.label for word in offered or words)

    def read(value: Any) -> W:
        word = words.by_label(value) if isinstance(value, str) else None
        if word is None:
            raise ValueError(f"“{value}”不在可选项之内,请从中选择:{listed}")
        return word

    return BeforeValidator(read)


def _shown(words: type[W]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": [word.label for word in words]})


def _decimal(value: Any) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError(f"“{value}”不是数字") from error
    if not number.is_finite():
        raise ValueError(f"“{value}”不是数字")
    return number


_AS_LABEL = PlainSerializer(lambda word: word.label, return_type=str)

LeaderSourceField = Annotated[LeaderSource, one_of(LeaderSource), _shown(LeaderSource), _AS_LABEL]
FacilityField = Annotated[Facility, one_of(Facility), _shown(Facility), _AS_LABEL]
CombinedField = Annotated[CombinedWith, one_of(CombinedWith), _shown(CombinedWith), _AS_LABEL]
AnswerField = Annotated[Answer, one_of(Answer), _shown(Answer), _AS_LABEL]
VerdictField = Annotated[Verdict, one_of(Verdict, BY_PEOPLE), _shown(Verdict), _AS_LABEL]
ChannelField = Annotated[ObjectionChannel, one_of(ObjectionChannel), _shown(ObjectionChannel), _AS_LABEL]
FindingField = Annotated[ObjectionFinding, one_of(ObjectionFinding), _shown(ObjectionFinding), _AS_LABEL]
PanelField = Annotated[EvaluationPanel, one_of(EvaluationPanel), _shown(EvaluationPanel), _AS_LABEL]
ScopeField = Annotated[CampaignScope, one_of(CampaignScope), _shown(CampaignScope), _AS_LABEL]
CheckField = Annotated[Finding, one_of(Finding), _shown(Finding), _AS_LABEL]

# Prefect refuses with nothing but the pattern, so the reason stands in it, in a group that is to occur zero times.
NOT_PERSONAL = {"pattern": f"(?:请勿填写手机号、电话或身份证号){{0}}{USUAL_NUMBERS_FORBIDDEN}"}
PlainText = Annotated[
    str,
    AfterValidator(_printable),
    AfterValidator(_no_personal_number),
    Field(max_length=500, json_schema_extra=NOT_PERSONAL),
]
LongText = Annotated[
    str,
    AfterValidator(_printable),
    AfterValidator(_no_personal_number),
    Field(max_length=5000, json_schema_extra=NOT_PERSONAL),
]
Printable = Annotated[str, AfterValidator(_printable)]
"""Text in which a personal number may stand: only by a door whose input nobody keeps but the database."""
Area = Annotated[
    Decimal,
    BeforeValidator(_decimal),
    Field(ge=0, le=9999, decimal_places=2),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 9999}),
    PlainSerializer(str),
]
CaseNumber = Annotated[
    str,
    AfterValidator(str.upper),
    AfterValidator(_printable),
    AfterValidator(_no_personal_number),
    Field(min_length=1, max_length=20, title="案件编号", description="例如 KT-2026-0001"),
]
PersonField = Annotated[PlainText, Field(min_length=1, max_length=120)]


def may_stay_empty(schema: dict[str, Any]) -> None:
    """Offer a field of a type or None as one of the type: the form would ask which of them first, in English."""
    schema.update(next(kind for kind in schema.pop("anyOf") if kind.get("type") != "null"))
    # The form sends its defaults back, and null is not of the type.
    del schema["default"]


class Command(BaseModel):
    """Somebody wants something done."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class SiteDetails(Command):
    """What a site offers: the part of an application that may be corrected later (D0-R1…R6)."""

    household_agrees: bool = Field(default=False, title="户主自愿", description="户主自愿提供自有住宅作客堂间")
    leader: PersonField = Field(title="负责人", description="登记簿中的人员编号,例如 P012;一个客堂间一名负责人")
    leader_source: LeaderSourceField = Field(title="负责人来源")
    recommended_by: PlainText = Field(
        default="", max_length=100, title="推荐组织", description="推荐负责人的组织,例如 周荡村党支部"
    )
    leader_agrees: bool = Field(default=False, title="负责人本人同意")
    volunteers: int = Field(ge=0, le=1000, title="志愿者人数", description="单位:人")
    area_square_metres: Area = Field(title="活动空间面积", description="单位:平方米")
    facilities: list[FacilityField] = Field(default_factory=list, title="现有场地和设施")
    confirmations: list[PlainText] = Field(
        default_factory=list, title="其他标准的确认", description="政策里须由申请人书面确认的标准,逐条填写其名称"
    )
    speciality: PlainText = Field(
        min_length=1, max_length=50, title="特色主题", description="一点一品,例如 唱歌、书画、编织"
    )
    combined_with: list[CombinedField] = Field(default_factory=list, title="结合建设")


class Applicant(Command):
    """Who applies; a base of its own, so that forms ask it first."""

    household: PlainText = Field(min_length=1, max_length=30, title="户号", description="登记簿中的户号,例如 ZD01-003")


class ApplyForSite(SiteDetails, Applicant):
    """A household applies for a site (D0-R1…R9)."""


class Resubmit(SiteDetails):
    """The applicant hands in the corrected application: a new round."""

    case: CaseNumber
    by: PersonField = Field(title="提交人", description="申请的负责人")


class HouseholdAnswer(Command):
    """What one household says (D0-R8)."""

    household: PlainText = Field(min_length=1, max_length=30, title="户号")
    answer: AnswerField = Field(title="答复")
    note: PlainText = Field(
        default="", max_length=200, title="备注", description="例如 书面签字、电话确认、不同意的理由"
    )


class RecordAnswers(Command):
    """Answers of households are entered (D0-R8): all of them, or none when one is faulty."""

    case: CaseNumber
    by: PersonField = Field(title="登记人", description="村(居)民小组长的人员编号或姓名")
    answers: list[HouseholdAnswer] = Field(min_length=1, title="各户答复")


class WorkRecord(Command):
    """One point of a checklist was done (D0-R10, D0-R15)."""

    point: PlainText = Field(min_length=1, max_length=100, title="事项")
    done_on: date = Field(title="完成日期")
    proof: PlainText = Field(
        min_length=1,
        max_length=300,
        title="证明材料",
        description="资料文件夹(documents)内的文件名,例如 KT-2026-0001/铭牌.jpg",
    )


class RecordWorks(Command):
    """Points of a checklist gate were done, each with date and proof."""

    case: CaseNumber
    by: PersonField = Field(title="登记人")
    works: list[WorkRecord] = Field(min_length=1, title="完成事项")


class Decide(Command):
    """A decision at the gate that waits."""

    case: CaseNumber
    by: PersonField = Field(title="办理人", description="人员编号,例如 P001")
    verdict: VerdictField = Field(title="决定")
    reason: PlainText = Field(default="", title="理由", description="退回、不予批准、撤回时必须填写")
    acknowledged: list[PlainText] = Field(default_factory=list, title="已知悉的提示")
    proof: PlainText = Field(
        default="", max_length=300, title="依据材料", description="资料文件夹内的文件名;验收合格时必须填写"
    )


class Withdraw(Command):
    """The applicant withdraws, at any gate."""

    case: CaseNumber
    by: PersonField = Field(title="撤回人", description="申请的负责人")
    reason: PlainText = Field(min_length=1, title="理由")


class Urge(Command):
    """Somebody asks those who decide to hurry (催办)."""

    case: CaseNumber
    by: PersonField = Field(title="催办人")
    message: PlainText = Field(default="", max_length=200, title="附言")


class HandOver(Command):
    """The gate is handed to another holder of the role (转办)."""

    case: CaseNumber
    by: PersonField = Field(title="转办人")
    to: PersonField = Field(title="转给", description="须担任同一职务")
    reason: PlainText = Field(min_length=1, max_length=200, title="理由")


class Spend(Command):
    """Money of a site's subsidy is spent (D0-R15)."""

    case: CaseNumber
    by: PersonField = Field(title="经办人", description="村(居)委会责任人")
    purpose: PlainText = Field(min_length=1, title="用途", description="政策规定的用途之一")
    amount_yuan: PlainText = Field(min_length=1, max_length=20, title="金额(元)", description="例如 1280.50")
    memo: PlainText = Field(min_length=1, max_length=200, title="摘要")
    proof: PlainText = Field(min_length=1, max_length=300, title="凭证", description="资料文件夹内的文件名")
