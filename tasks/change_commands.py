"""What people ask for about a listed site: another leader, another place, a rest, the end."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from policies.life_words import ChangeKind
from policies.vocabulary import LeaderSource
from tasks.commands import Area, Command, FacilityField, PersonField, PlainText, may_stay_empty

NOT_CONCERNED = "(不涉及)"


def _kind(value: Any) -> ChangeKind:
    kind = ChangeKind.by_label(value) if isinstance(value, str) else None
    if kind is None:
        raise ValueError(f"“{value}”不在可选项之内,请从中选择:{'、'.join(each.label for each in ChangeKind)}")
    return kind


def _source(value: Any) -> LeaderSource | None:
    if value in (None, "", NOT_CONCERNED):
        return None
    source = LeaderSource.by_label(value) if isinstance(value, str) else None
    if source is None:
        raise ValueError(f"“{value}”不在可选项之内,请从中选择:{'、'.join(each.label for each in LeaderSource)}")
    return source


ChangeKindField = Annotated[
    ChangeKind,
    BeforeValidator(_kind),
    WithJsonSchema({"type": "string", "enum": [each.label for each in ChangeKind]}),
    PlainSerializer(lambda kind: kind.label, return_type=str),
]
SourceOrNone = Annotated[
    LeaderSource | None,
    BeforeValidator(_source),
    WithJsonSchema({"type": "string", "enum": [NOT_CONCERNED, *(each.label for each in LeaderSource)]}),
    PlainSerializer(lambda source: source.label if source else NOT_CONCERNED, return_type=str),
]


class ApplyForChange(Command):
    """A change of a listed site is asked for; of the fields below `reason`, those of its kind."""

    site: PlainText = Field(
        min_length=1, max_length=40, title="客堂间", description="名册中的编号或户号,例如 KT-2026-0001-S"
    )
    by: PersonField = Field(
        title="申请人", description="负责人本人;负责人不能申请的,由村(居)委会责任人、联络员或社区办代为申请"
    )
    kind: ChangeKindField = Field(title="变更事项")
    reason: PlainText = Field(min_length=1, title="变更理由")
    leader: PlainText = Field(
        default="", max_length=120, title="新负责人", description="仅更换负责人时填写:登记簿中的人员编号"
    )
    leader_source: SourceOrNone = Field(
        default=None,
        title="新负责人来源",
        description="仅更换负责人时填写",
        json_schema_extra={"default": NOT_CONCERNED},
    )
    recommended_by: PlainText = Field(
        default="", max_length=100, title="推荐组织", description="仅更换负责人时填写,例如 周荡村党支部"
    )
    leader_agrees: bool = Field(default=False, title="新负责人本人同意", description="仅更换负责人时勾选")
    household: PlainText = Field(
        default="", max_length=30, title="迁入户号", description="仅迁址时填写:本村(居)登记簿中的户号"
    )
    household_agrees: bool = Field(default=False, title="迁入户户主自愿", description="仅迁址时勾选")
    volunteers: int = Field(
        default=0, ge=0, le=1000, title="志愿者人数", description="仅迁址时填写:迁址后的志愿者,单位:人"
    )
    # The form sends its defaults back, and a decimal's would be a text that is no number.
    area_square_metres: Area = Field(
        default=Decimal(0),
        title="活动空间面积",
        description="仅迁址时填写:新址的面积,单位:平方米",
        json_schema_extra={"default": 0},
    )
    facilities: list[FacilityField] = Field(
        default_factory=list, title="新址现有场地和设施", description="仅迁址时填写"
    )
    confirmations: list[PlainText] = Field(
        default_factory=list, title="新址其他标准的确认", description="仅迁址时填写:政策里须书面确认的标准,逐条填写"
    )
    rests_from: date | None = Field(
        default=None, json_schema_extra=may_stay_empty, title="暂停首日", description="仅申请暂停运行时填写,含当日"
    )
    rests_until: date | None = Field(
        default=None, json_schema_extra=may_stay_empty, title="暂停末日", description="仅申请暂停运行时填写,含当日"
    )


OF_KIND: dict[ChangeKind, tuple[str, ...]] = {
    ChangeKind.LEADER: ("leader", "leader_source", "recommended_by", "leader_agrees"),
    ChangeKind.MOVE: (
        "household",
        "household_agrees",
        "volunteers",
        "area_square_metres",
        "facilities",
        "confirmations",
    ),
    ChangeKind.SUSPENSION: ("rests_from", "rests_until"),
    ChangeKind.CLOSURE: (),
}
"""The fields that belong to one kind of change only."""
