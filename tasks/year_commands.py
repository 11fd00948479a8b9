"""What people ask for in a yearly evaluation, as it comes in: one model per command, the same for every door."""

from typing import Annotated

from pydantic import Field

from tasks.commands import Command, PersonField, PlainText

ByOffice = Annotated[PersonField, Field(title="经办人", description="社区办审核员或负责人的人员编号或姓名")]
YearField = Annotated[int, Field(ge=2000, le=2200, title="考核年度", description="已经结束的年份,例如 2025")]


class OpenEvaluation(Command):
    """An office opens the evaluation of a year (年度考核, D0-R14)."""

    town: PlainText = Field(min_length=1, max_length=60, title="镇(街道)", description="登记簿中的编码或名称")
    year: YearField
    by: ByOffice
