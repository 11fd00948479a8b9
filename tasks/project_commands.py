"""What people ask for in a project, as it comes in by any door (D2-R9, D2-R11, D2-R13); see `tasks.commands`."""

from datetime import date

from pydantic import Field

from tasks.commands import CaseNumber, Command, LongText, PanelField, PersonField, PlainText
from tasks.ledger_commands import SpendOnLine


class PlanStep(Command):
    """One step of a plan."""

    name: PlainText = Field(min_length=1, max_length=60, title="节点名称", description="例如 整地、栽种、开展活动")
    due_on: date = Field(title="完成期限")


class PlanMoney(Command):
    """One line of a plan's budget."""

    name: PlainText = Field(min_length=1, max_length=60, title="分项名称", description="例如 花苗;各分项不得同名")
    category: PlainText = Field(min_length=1, max_length=40, title="用途", description="政策规定的用途之一")
    amount_yuan: PlainText = Field(min_length=1, max_length=20, title="金额(元)", description="例如 1280.50")


class PlanDetails(Command):
    """What a refined plan says (D2-R9: content, steps, budget, expected benefit)."""

    content: LongText = Field(min_length=1, title="项目内容")
    expected_benefit: LongText = Field(min_length=1, title="预期效益")
    milestones: list[PlanStep] = Field(min_length=1, max_length=20, title="进度节点", description="按先后排列")
    lines: list[PlanMoney] = Field(
        min_length=1, max_length=30, title="预算分项", description="合计不超过核定金额,可以少于核定金额"
    )


class SubmitPlan(PlanDetails):
    """The leader hands in the refined plan: the first one, or a corrected one."""

    case: CaseNumber
    by: PersonField = Field(title="提交人", description="项目负责人")


class SpendOnProject(SpendOnLine):
    """A project spent money on one of its budget lines, on a day."""

    spent_on: date = Field(title="支出日期")


class ReturnFunds(Command):
    """What a programme has left goes back to those it came from (D2-R13)."""

    case: CaseNumber
    by: PersonField = Field(title="登记人")
    memo: PlainText = Field(default="征集结束,退回结余", min_length=1, max_length=200, title="摘要")
    proof: PlainText = Field(min_length=1, max_length=300, title="凭证", description="资料文件夹内的文件名")


class RecordProgress(Command):
    """What was done for a project, on a day (D2-R9)."""

    case: CaseNumber
    by: PersonField = Field(title="登记人", description="项目负责人、村(居)委会责任人或联络员")
    happened_on: date = Field(title="日期")
    summary: PlainText = Field(min_length=1, max_length=500, title="进展情况")
    percent: int = Field(ge=0, le=100, title="总体进度", description="占整个项目的百分比,0至100")
    proof: PlainText = Field(
        default="", max_length=300, title="材料", description="资料文件夹内的文件名,例如 照片;可以不填"
    )


class PanelEntry(Command):
    """What one side says of a finished project (D2-R11)."""

    panel: PanelField = Field(title="评估方")
    answers: int = Field(ge=1, le=100_000, title="份数", description="收回的问卷份数或评委人数")
    points_total: int = Field(ge=0, le=10_000_000, title="总分", description="各份得分之和,每份0至100分")
    comment: PlainText = Field(default="", max_length=500, title="意见摘要")


class RecordEvaluation(Command):
    """Results of the evaluation are entered; a later entry of the same side replaces the earlier one (D2-R11)."""

    case: CaseNumber
    by: PersonField = Field(title="登记人")
    panels: list[PanelEntry] = Field(min_length=1, title="各方评估")
