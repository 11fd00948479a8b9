"""What people ask for about services, as it comes in by any door (D1-R5); see `tasks.commands`."""

from typing import Annotated

from pydantic import Field

from tasks.commands import CaseNumber, Command, LongText, PersonField, PlainText
from tasks.life_commands import DayField

People = Annotated[int, Field(ge=1, le=10_000)]


class CatalogueRow(Command):
    """One row of the catalogue's sheet, as its form is judged: an item, and who provides it."""

    provider: PlainText = Field(min_length=1, max_length=20, title="单位编码")
    provider_name: PlainText = Field(min_length=1, max_length=100, title="单位名称")
    town: PlainText = Field(min_length=1, max_length=100, title="镇(街道)")
    contact: PlainText = Field(min_length=1, max_length=120, title="联系人")
    code: PlainText = Field(min_length=1, max_length=20, title="项目编码")
    name: PlainText = Field(min_length=1, max_length=60, title="项目名称")
    category: PlainText = Field(min_length=1, max_length=100, title="类别")
    per_year: PlainText = Field(default="", max_length=20, title="每年次数")
    description: LongText = Field(default="", title="说明")
    state: PlainText = Field(default="", max_length=10, title="状态")


class OrderRow(Command):
    """What is ordered: by whom, what, for which day, for how many."""

    site: PlainText = Field(
        min_length=1, max_length=100, title="客堂间", description="名册中的编号或户号,例如 KT-2026-0001-S"
    )
    item: PlainText = Field(
        min_length=1, max_length=100, title="服务项目", description="服务目录中的项目编码或名称,例如 YL01"
    )
    wished_on: DayField = Field(title="希望日期", description="须比点单日早若干天提出,天数由政策规定")
    people: People = Field(title="预计人数", description="单位:人")
    note: LongText = Field(default="", title="说明", description="例如 时段、对象、场地的要求;可以不填")


class PlaceOrder(OrderRow):
    """A site orders a service (基层点单, D1-R5)."""

    by: PersonField = Field(title="点单人", description="客堂间负责人;村(居)委会、社区办可以代为点单")


class TakeOrder(Command):
    """The provider takes an order and promises a day."""

    case: CaseNumber
    by: PersonField = Field(title="办理人", description="服务单位联系人,或代为登记的社区办审核员")
    promised_on: DayField | None = Field(default=None, title="承诺日期", description="不填就是客堂间希望的日期")
    note: PlainText = Field(default="", title="说明", description="例如 改期的原因;可以不填")


class DeliverOrder(Command):
    """The provider says that the service was delivered."""

    case: CaseNumber
    by: PersonField = Field(title="办理人", description="服务单位联系人,或代为登记的社区办审核员")
    delivered_on: DayField | None = Field(default=None, title="送达日期", description="不填就是今天")
    served: People = Field(title="服务人数", description="单位:人")
    proof: PlainText = Field(
        default="", max_length=300, title="证明材料", description="资料文件夹内的文件名,例如 照片、签到表;可以不填"
    )


class ConfirmOrder(Command):
    """The site confirms what was delivered, and rates it."""

    case: CaseNumber
    by: PersonField = Field(title="办理人", description="客堂间负责人")
    served: People = Field(title="服务人数", description="单位:人")
    rating: int = Field(title="评价", description="1为最差,最高分由政策规定")
    comment: PlainText = Field(default="", title="评语", description="可以不填")
    as_activity: bool = Field(
        default=False, title="同时登记为客堂间活动", description="按送达日期、服务人数登记为本客堂间的一次活动"
    )
