"""
What people ask for in inspections, as it comes in: one pydantic model per command, the same for every door (D0-R11).

As in `tasks.commands`: titles are Chinese because forms and the CLI show them, only form is judged here, and fields are
only ever added, with a default.
"""

from datetime import date
from typing import Annotated

from pydantic import Field, WithJsonSchema

from policies.vocabulary import Verdict
from tasks.commands import (
    CaseNumber,
    CheckField,
    Command,
    LongText,
    PersonField,
    PlainText,
    ScopeField,
    VerdictField,
    may_stay_empty,
    one_of,
)

ByOffice = Annotated[PersonField, Field(title="经办人", description="社区办的人员编号或姓名")]


VISIT_VERDICTS = (Verdict.PASSED, Verdict.RECTIFY, Verdict.REVOKE, Verdict.CALLED_OFF)
"""How a visit or a re-inspection can end, in the order of forms."""
VisitVerdict = Annotated[
    VerdictField,
    one_of(Verdict, VISIT_VERDICTS),
    WithJsonSchema({"type": "string", "enum": [verdict.label for verdict in VISIT_VERDICTS]}),
]


class OpenCampaign(Command):
    """The office begins to inspect sites: which, and until when (督查, D0-R11)."""

    by: ByOffice
    unit: PlainText = Field(
        default="", max_length=100, title="镇(街道)", description="编码或名称;登记簿中只有一个镇(街道)时可不填"
    )
    title: PlainText = Field(min_length=1, max_length=40, title="督查名称", description="例如 2026年上半年督查")
    scope: ScopeField = Field(title="督查范围")
    villages: list[PlainText] = Field(
        default_factory=list,
        title="村(居)",
        description="按村(居)督查时逐个填写编码或名称;随机抽查时可填,只从这些村(居)中抽取",
    )
    sites: list[PlainText] = Field(
        default_factory=list, title="客堂间", description="指定客堂间时逐个填写编号,例如 KT-2026-0001-S"
    )
    size: int | None = Field(
        default=None,
        json_schema_extra=may_stay_empty,
        ge=1,
        le=100_000,
        title="抽查数量",
        description="随机抽查时填写,单位:处",
    )
    share: PlainText = Field(
        default="", max_length=20, title="抽查比例", description="随机抽查时填写,例如 20% 或 1/5,不足一处按一处计"
    )
    seed: PlainText = Field(
        default="",
        max_length=40,
        title="抽签号",
        description="随机抽查时可填;名单和抽签号相同,抽取结果就相同",
    )
    since: date = Field(title="开始日期", description="自当日起到点督查")
    until: date = Field(title="截止日期", description="当日二十四时前完成各点督查")


class PointFound(Command):
    """What was found about one point of the checklist."""

    point: PlainText = Field(min_length=1, max_length=100, title="检查点")
    found: CheckField = Field(title="检查结果")
    note: PlainText = Field(default="", title="说明", description="不符合时必须写明情况")


class RecordVisit(Command):
    """What the inspectors found at a site, and what they decided (D0-R11)."""

    case: CaseNumber = Field(description="单点督查的编号,例如 KTDD-2026-0001")
    by: ByOffice
    visited_on: date | None = Field(
        default=None, json_schema_extra=may_stay_empty, title="检查日期", description="不填就是今天"
    )
    inspectors: PlainText = Field(
        default="", max_length=100, title="检查人", description="到场的人,例如 沈审核、施审核"
    )
    findings: list[PointFound] = Field(
        default_factory=list, title="检查点", description="每个检查点填一项,名称见督查通知;Resume 的表单已逐项列出"
    )
    verdict: VisitVerdict = Field(title="结论")
    rectify_by: date | None = Field(
        default=None,
        json_schema_extra=may_stay_empty,
        title="整改期限",
        description="限期整改时填写;不填就是政策规定的最长期限",
    )
    reason: PlainText = Field(default="", title="理由", description="限期整改、拟撤牌、取消督查时必须填写")
    proof: PlainText = Field(default="", max_length=300, title="照片或记录", description="资料文件夹内的文件名,可不填")
    contact: PlainText = Field(
        default="", max_length=100, title="公示联系方式", description="仅拟撤牌时填写:科室和办公地点;不填就是社区办"
    )
    place: PlainText = Field(
        default="", max_length=100, title="公示地点", description="仅拟撤牌时填写;不填就是镇政务公开栏和村(居)务公开栏"
    )


class ReportRectification(Command):
    """The leader reports what was put right (整改)."""

    case: CaseNumber
    by: PersonField = Field(title="报告人", description="客堂间负责人")
    report: LongText = Field(min_length=1, title="整改情况", description="逐项写明怎样整改")
    proof: PlainText = Field(
        min_length=1, max_length=300, title="证明材料", description="资料文件夹内的文件名,例如 整改/公约上墙.jpg"
    )


class ConcludeCampaign(Command):
    """The office sums a campaign up; the figures are computed."""

    case: CaseNumber
    by: ByOffice
    summary: LongText = Field(min_length=1, title="督查总结", description="总体情况、主要问题、下一步打算")
