"""
What people ask for in a call of micro-projects, as it comes in: one model per command, the same for every door.

As in `tasks.commands`: titles are Chinese because forms and the CLI show them, only form is judged here, and fields are
only ever added, with a default.
"""

from datetime import date
from typing import Annotated

from pydantic import Field

from tasks.commands import CaseNumber, Command, LongText, PersonField, PlainText

Counted = Annotated[int, Field(ge=0, le=1_000_000)]
ProjectField = Annotated[
    PlainText, Field(min_length=1, max_length=100, title="项目编号", description="例如 WXM-2026-0001")
]
ByOffice = Annotated[PersonField, Field(title="经办人", description="社区办审核员的人员编号或姓名")]


class OpenCall(Command):
    """An office calls for micro-projects (征集, D2-R9)."""

    by: ByOffice
    edition: PlainText = Field(
        min_length=1, max_length=60, title="适用政策", description="微项目政策的编号,例如 example-micro-2026"
    )
    unit: PlainText = Field(
        min_length=1, max_length=20, title="征集单位", description="镇(街道)或村(居)的编码,其下各村(居)均可申报"
    )
    title: PlainText = Field(min_length=1, max_length=60, title="征集名称", description="例如 2026年春季微项目")
    purpose: LongText = Field(min_length=1, title="征集内容", description="写给各村(居):要解决什么、怎样申报")
    kinds: list[PlainText] = Field(
        default_factory=list, title="征集类别", description="政策中的项目类别;不填就是全部类别"
    )
    opens_on: date = Field(title="申报首日", description="当天零时起可以申报")
    closes_on: date = Field(title="申报末日", description="当天二十四时截止,过后系统自动结束征集")
    budget_yuan: PlainText = Field(min_length=1, max_length=20, title="预算总额(元)", description="例如 30000")
    panel: list[PersonField] = Field(
        min_length=1, title="评审组", description="逐人填写登记簿中的人员编号,人数不得少于政策规定"
    )
    contact: PlainText = Field(
        min_length=1, max_length=100, title="联系方式", description="科室和办公地点;不写个人电话"
    )
    place: PlainText = Field(min_length=1, max_length=100, title="公示地点", description="例如 镇政务公开栏")


class ChangeWindow(Command):
    """The office ends the window of a call early, or prolongs it, with a reason."""

    case: CaseNumber
    by: ByOffice
    closes_on: date | None = Field(default=None, title="新的申报末日", description="延长征集时填写;提前结束则留空")
    reason: PlainText = Field(min_length=1, title="理由")


class Proposal(Command):
    """What somebody proposes (D2-R9: who, what, for whom, to what benefit, for how much)."""

    proposer: PersonField = Field(title="提议人", description="登记簿中的人员编号或姓名")
    village: PlainText = Field(min_length=1, max_length=100, title="村(居)", description="编码或名称")
    title: PlainText = Field(min_length=1, max_length=60, title="项目名称")
    kind: PlainText = Field(min_length=1, max_length=100, title="项目类别")
    content: LongText = Field(default="", title="项目内容")
    beneficiaries: PlainText = Field(default="", max_length=200, title="受益对象")
    expected_benefit: LongText = Field(default="", title="预期效益")
    amount_yuan: PlainText = Field(min_length=1, max_length=20, title="申请金额", description="以元计,例如 4800")


class SurveyCount(Command):
    """The answers of a survey of opinion to one proposal."""

    project: ProjectField
    in_favour: Counted = Field(default=0, title="赞成", description="单位:份")
    against: Counted = Field(default=0, title="反对", description="单位:份")
    indifferent: Counted = Field(default=0, title="无所谓", description="单位:份")


class RecordSurvey(Command):
    """Answers of the survey are entered; several entries add up (社情民意调研, D2-R9)."""

    case: CaseNumber
    by: ByOffice
    channel: PlainText = Field(default="", max_length=50, title="调研方式", description="例如 入户走访、议事会")
    held_on: date | None = Field(default=None, title="调研日期", description="不填就是今天")
    counts: list[SurveyCount] = Field(default_factory=list, title="各项目意见")
    complete: bool = Field(default=False, title="调研完成", description="各项目意见份数达到要求后勾选")


class CorrectSurvey(Command):
    """An entry of the survey is replaced, with a reason; the old one stays in the history."""

    case: CaseNumber
    by: ByOffice
    entry: int = Field(ge=1, title="登记号", description="项目案卷中写明第几号登记")
    count: SurveyCount = Field(title="正确的份数")
    reason: PlainText = Field(min_length=1, title="更正理由")


class ScoreEntry(Command):
    """A member's points for one proposal, criterion by criterion."""

    project: ProjectField
    member: PersonField = Field(title="评审人", description="评审组成员的人员编号或姓名")
    points: dict[PlainText, Counted] = Field(title="各项得分", description="评分标准的名称和分数")


class InterestEntry(Command):
    """A member has an interest in a proposal and keeps away from it (回避)."""

    project: ProjectField
    member: PersonField = Field(title="评审人")
    reason: PlainText = Field(min_length=1, max_length=200, title="回避理由", description="例如 提议人的亲属")


class VoteEntry(Command):
    """How the meeting voted on one proposal."""

    project: ProjectField
    in_favour: Counted = Field(default=0, title="赞成票")
    against: Counted = Field(default=0, title="反对票")
    abstained: Counted = Field(default=0, title="弃权票")


class Screen(Command):
    """What the panel and the meeting said is keyed in; at the end, the screening is completed (D2-R5, D2-R9)."""

    case: CaseNumber
    by: ByOffice
    joining: list[PersonField] = Field(
        default_factory=list, title="增补评审", description="回避后评审不足时,逐人填写登记簿中的人员编号"
    )
    interests: list[InterestEntry] = Field(default_factory=list, title="回避")
    scores: list[ScoreEntry] = Field(default_factory=list, title="评分")
    present: list[PersonField] = Field(default_factory=list, title="签到", description="到会的村(居)民代表,逐人填写")
    absent: list[PersonField] = Field(default_factory=list, title="撤销签到", description="误签的,逐人填写")
    votes: list[VoteEntry] = Field(default_factory=list, title="表决结果")
    complete: bool = Field(default=False, title="完成筛选", description="评分和表决都登记齐全后勾选")


class SelfCheck(Command):
    """The office sums a finished call up (自查报告, D2-R11); the figures are computed."""

    case: CaseNumber
    by: ByOffice
    attainment: LongText = Field(min_length=1, title="达成情况")
    problems: LongText = Field(min_length=1, title="存在的问题")
    next_steps: LongText = Field(min_length=1, title="下一步打算")
