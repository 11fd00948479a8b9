"""
The Resume forms, one per gate, made for one case at one moment: who may decide, what is missing, what may be chosen.

Every field has a default that decides nothing, so that a wake (an empty input) passes every form. What the schema can
not judge is judged by the command that the answer becomes; a refusal comes back in the next form's description.
"""

import types
from datetime import date
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from prefect.input import RunInput
from prefect.input.run_input import Keyset
from pydantic import Field, WithJsonSchema, create_model

from models.case import SiteApplication
from policies.vocabulary import CombinedWith, Facility, Gate, LeaderSource, Verdict
from rules.periods import SHANGHAI
from rules.transitions import for_people
from tasks.case_file import Awaited, CaseFile, situation
from tasks.commands import NOT_PERSONAL

UNDECIDED = "(暂不决定)"
NOBODY = "(请选择)"


class GateForm(RunInput):
    """A form whose schema is kept before the run suspends, so that a suspended run always has one."""

    gate: ClassVar[Gate]

    @classmethod
    def keep(cls, keyset: Keyset, flow_run_id: UUID | None = None) -> None:
        """Store schema and description under the key that the run (None: this one) is about to suspend with."""
        RunInput.save.__func__(cls, keyset, flow_run_id)  # type: ignore[attr-defined]

    @classmethod
    def save(cls, keyset: Keyset, flow_run_id: UUID | None = None) -> None:
        """Do nothing: `keep` was there first."""


def form_for(file: CaseFile, awaited: Awaited, application: SiteApplication) -> type[GateForm]:
    """
    Return the form of the gate that waits.

    Args:
        file: the case as it stands: the head of the form.
        awaited: the gate.
        application: its present round, the defaults of a correction.
    """
    able = awaited.people + awaited.helpers
    if Verdict.WITHDRAWN in for_people(awaited.gate) and application.leader.display not in able:
        able = (*able, application.leader.display)  # the applicant may withdraw at any gate
    fields: dict[str, Any] = {"by": (_choice(NOBODY, able), Field(NOBODY, title="办理人"))}
    match awaited.gate:
        case Gate.HOUSEHOLD_CONSENT:
            fields |= _consent_fields(awaited)
        case Gate.PLAQUE | Gate.SUBSIDY:
            fields |= _work_fields(awaited)
        case Gate.CORRECTION:
            fields |= _verdict_fields(awaited) | _correction_fields(application)
        case Gate.VILLAGE_FORWARD | Gate.OFFICE_REVIEW | Gate.UNDELIVERED_LETTER:
            fields |= _verdict_fields(awaited)
    form = create_model(f"{awaited.gate.name.title().replace('_', '')}Form", __base__=GateForm, **fields)
    form.gate = awaited.gate
    form._description = describe(file, awaited)
    return form


def titled(title: str) -> Any:
    """Return the default of a flow's parameter that gives it a title; Prefect would show the parameter's name."""
    return Field(json_schema_extra={"title": title})


def describe(file: CaseFile, awaited: Awaited) -> str:
    """Return the head of the form, Markdown: what is refused, what is asked, what is known."""
    lines = [f"## {awaited.gate.label} · {file.number} {file.title}", ""]
    if awaited.refusal:
        lines += [f"> ⚠️ **上次提交未被接受**:{awaited.refusal}", ""]
    # A list, because the cells of a table do not wrap in the form and a long warning would run out of sight.
    rows = (("村(居)、组", f"{file.village} {file.group}"), ("申请户", file.household), *file.facts)
    lines += [situation(file), "", *(f"- **{name}**:{value}" for name, value in rows), "", "最近记录:", ""]
    lines += [
        f"- {moment.astimezone(SHANGHAI):%m-%d} {actor}:{summary}" for moment, actor, summary in file.timeline[-4:]
    ]
    return "\n".join(lines)


def _choice(default: str, options: tuple[str, ...]) -> Any:
    return Literal.__getitem__((default, *options))


def _several(options: tuple[str, ...]) -> Any:
    if not options:
        return list[str]
    # With its list spelled out, because a single option would become a "const", for which the UI offers no choice.
    listed = WithJsonSchema({"type": "string", "enum": list(options)})
    return types.GenericAlias(list, (Annotated[Literal.__getitem__(options), listed],))


def _text(title: str, *, default: str = "", description: str = "", longest: int = 500) -> tuple[Any, Any]:
    field = Field(
        default, title=title, description=description or None, max_length=longest, json_schema_extra=dict(NOT_PERSONAL)
    )
    return (str, field)


def _verdict_fields(awaited: Awaited) -> dict[str, Any]:
    verdicts = tuple(verdict.label for verdict in for_people(awaited.gate))
    fields: dict[str, Any] = {
        "verdict": (_choice(UNDECIDED, verdicts), Field(UNDECIDED, title="决定")),
        "reason": _text("理由", description="退回、不予批准、撤回时必须填写"),
    }
    if awaited.gate is Gate.OFFICE_REVIEW and awaited.warnings:
        fields["acknowledged"] = (
            _several(awaited.warnings),
            Field(default_factory=list, title="已知悉的提示", description="批准前须逐条选中"),
        )
    return fields


def _consent_fields(awaited: Awaited) -> dict[str, Any]:
    open_households = awaited.missing + awaited.objecting
    return {
        "agreeing": (
            _several(open_households),
            Field(default_factory=list, title="同意的农户", description="本次登记为同意的农户,可多选"),
        ),
        "objecting": (
            _several(awaited.missing + awaited.agreed),
            Field(default_factory=list, title="不同意的农户", description="本次登记为不同意(含改变主意)的农户,可多选"),
        ),
        "note": _text("备注", description="例如 书面签字、电话确认", longest=200),
        "withdraw": (bool, Field(False, title="撤回申请", description="由申请的负责人勾选,并在备注中写明理由")),
    }


def _work_fields(awaited: Awaited) -> dict[str, Any]:
    record = create_model(
        "WorkEntry",
        point=(_choice(NOBODY, awaited.open_points), Field(NOBODY, title="事项")),
        done_on=(date, Field(title="完成日期")),
        proof=_text("证明材料", description="资料文件夹(documents)内的文件名,例如 KT-2026-0001/铭牌.jpg", longest=300),
    )
    fields: dict[str, Any] = {
        "works": (
            list[record],
            Field(default_factory=list, title="完成事项", description="逐项登记完成日期和证明材料;全部完成后自动办结"),
        )
    }
    if Verdict.WITHDRAWN in for_people(awaited.gate):
        fields["withdraw"] = (bool, Field(False, title="撤回申请", description="由申请的负责人勾选,并填写理由"))
        fields["reason"] = _text("撤回理由")
    return fields


def _correction_fields(application: SiteApplication) -> dict[str, Any]:
    area = application.area_square_metres.normalize()
    return {
        "household_agrees": (bool, Field(application.household_agrees, title="户主自愿")),
        "leader": _text("负责人", default=application.leader.code, longest=120),
        "leader_source": (
            _choice(application.leader_source.label, tuple(each.label for each in LeaderSource)),
            Field(application.leader_source.label, title="负责人来源"),
        ),
        "recommended_by": _text("推荐组织", default=application.recommended_by, longest=100),
        "leader_agrees": (bool, Field(application.leader_agrees, title="负责人本人同意")),
        "volunteers": (Annotated[int, Field(ge=0, le=1000)], Field(application.volunteers, title="志愿者人数")),
        "area_square_metres": (
            Annotated[float, Field(ge=0, le=9999)],
            Field(float(area), title="活动空间面积", description="单位:平方米"),
        ),
        "facilities": (
            _several(tuple(each.label for each in Facility)),
            Field([Facility(code).label for code in application.facilities], title="现有场地和设施"),
        ),
        "confirmations": (list[str], Field(list(application.confirmations), title="其他标准的确认")),
        "speciality": _text("特色主题", default=application.speciality, longest=50),
        "combined_with": (
            _several(tuple(each.label for each in CombinedWith)),
            Field([CombinedWith(code).label for code in application.combined_with], title="结合建设"),
        ),
    }
