"""What the forms of a parlour's gates ask for."""

from datetime import date
from typing import Annotated

from pydantic import Field, create_model
from sqlalchemy.orm import Session

from flows.fields import NOBODY, Builder, Fields, choice, several, text, verdict_fields
from models.case import Case
from policies.vocabulary import CombinedWith, Facility, Gate, LeaderSource, Verdict
from rules.transitions import ALSO_GIVEN_BY, for_people
from tasks.case_file import Awaited
from tasks.cases import application_of


def _consent_fields(session: Session, case: Case, awaited: Awaited) -> Fields:
    open_households = awaited.missing + awaited.objecting
    return {
        "agreeing": (
            several(open_households),
            Field(default_factory=list, title="同意的农户", description="本次登记为同意的农户,可多选"),
        ),
        "objecting": (
            several(awaited.missing + awaited.agreed),
            Field(default_factory=list, title="不同意的农户", description="本次登记为不同意(含改变主意)的农户,可多选"),
        ),
        "note": text("备注", description="例如 书面签字、电话确认", longest=200),
        "withdraw": (bool, Field(False, title="撤回申请", description="由申请的负责人勾选,并在备注中写明理由")),
    }


def work_fields(session: Session, case: Case, awaited: Awaited) -> Fields:
    """Return the fields of a checklist: points done, each with date and proof."""
    record = create_model(
        "WorkEntry",
        point=(choice(NOBODY, awaited.open_points), Field(NOBODY, title="事项")),
        done_on=(date, Field(title="完成日期")),
        proof=text("证明材料", description="资料文件夹(documents)内的文件名,例如 KT-2026-0001/铭牌.jpg", longest=300),
    )
    fields: Fields = {
        "works": (
            list[record],
            Field(default_factory=list, title="完成事项", description="逐项登记完成日期和证明材料;全部完成后自动办结"),
        )
    }
    if Verdict.WITHDRAWN in for_people(awaited.gate):
        also = "或社区办审核员" if (awaited.gate, Verdict.WITHDRAWN) in ALSO_GIVEN_BY else ""
        told = f"由申请的负责人{also}勾选,并填写理由"
        fields["withdraw"] = (bool, Field(False, title="撤回申请", description=told))
        fields["reason"] = text("撤回理由")
    return fields


def _correction_fields(session: Session, case: Case, awaited: Awaited) -> Fields:
    application = application_of(session, case)
    area = application.area_square_metres.normalize()
    return verdict_fields(awaited) | {
        "household_agrees": (bool, Field(application.household_agrees, title="户主自愿")),
        "leader": text("负责人", default=application.leader.code, longest=120),
        "leader_source": (
            choice(application.leader_source.label, tuple(each.label for each in LeaderSource)),
            Field(application.leader_source.label, title="负责人来源"),
        ),
        "recommended_by": text("推荐组织", default=application.recommended_by, longest=100),
        "leader_agrees": (bool, Field(application.leader_agrees, title="负责人本人同意")),
        "volunteers": (Annotated[int, Field(ge=0, le=1000)], Field(application.volunteers, title="志愿者人数")),
        "area_square_metres": (
            Annotated[float, Field(ge=0, le=9999)],
            Field(float(area), title="活动空间面积", description="单位:平方米"),
        ),
        "facilities": (
            several(tuple(each.label for each in Facility)),
            Field([Facility(code).label for code in application.facilities], title="现有场地和设施"),
        ),
        "confirmations": (list[str], Field(list(application.confirmations), title="其他标准的确认")),
        "speciality": text("特色主题", default=application.speciality, longest=50),
        "combined_with": (
            several(tuple(each.label for each in CombinedWith)),
            Field([CombinedWith(code).label for code in application.combined_with], title="结合建设"),
        ),
    }


BUILDERS: dict[Gate, Builder] = {
    Gate.HOUSEHOLD_CONSENT: _consent_fields,
    Gate.PLAQUE: work_fields,
    Gate.SUBSIDY: work_fields,
    Gate.CORRECTION: _correction_fields,
}
"""By gate; the others ask for a verdict."""
