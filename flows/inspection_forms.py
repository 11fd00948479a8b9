"""What the forms of the gates of inspections ask for."""

from pydantic import Field
from sqlalchemy.orm import Session

from flows.fields import UNDECIDED, Builder, Fields, choice, text
from models.case import Case
from policies.life_words import Finding
from policies.vocabulary import Gate
from tasks.case_file import Awaited
from tasks.inspection_commands import VISIT_VERDICTS
from tasks.inspection_points import rule_of

FILE = "资料文件夹内的文件名"
LONGEST = 5000
FOUND, NOTE = "found_", "note_"
"""Before the code of a point of the checklist: what was found, and the note."""


def _visit_fields(session: Session, case: Case, awaited: Awaited) -> Fields:
    """Ask point by point what was found, and for the conclusion."""
    fields: Fields = {
        "visited_on": text("检查日期", description="例如 2026-04-10;不填就是今天", longest=10),
        "inspectors": text("检查人", description="到场的人,例如 沈审核、施审核", longest=100),
    }
    words = tuple(each.label for each in Finding)
    for point in rule_of(case).checklist:
        fields[f"{FOUND}{point.code}"] = (choice(UNDECIDED, words), Field(UNDECIDED, title=point.name))
        fields[f"{NOTE}{point.code}"] = text(f"{point.name} · 说明", description="不符合时必须写明情况")
    verdicts = tuple(verdict.label for verdict in VISIT_VERDICTS)
    return fields | {
        "verdict": (
            choice(UNDECIDED, verdicts),
            Field(UNDECIDED, title="结论", description="拟撤牌由社区办负责人作出;取消督查时不填检查点"),
        ),
        "rectify_by": text(
            "整改期限", description="限期整改时填写,例如 2026-05-10;不填就是政策规定的最长期限", longest=10
        ),
        "reason": text("理由", description="限期整改(整改要求)、拟撤牌、取消时必须填写"),
        "proof": text("照片或记录", description=f"{FILE},可不填", longest=300),
        "contact": text("公示联系方式", description="仅拟撤牌时填写:科室和办公地点;不填就是社区办", longest=100),
        "place": text("公示地点", description="仅拟撤牌时填写;不填就是镇政务公开栏和村(居)务公开栏", longest=100),
    }


def _rectification_fields(session: Session, case: Case, awaited: Awaited) -> Fields:
    """Ask the leader what was put right, with proof."""
    return {
        "report": text("整改情况", description="逐项写明怎样整改", longest=LONGEST),
        "proof": text("证明材料", description=f"{FILE},例如 整改/公约上墙.jpg", longest=300),
    }


def _report_fields(session: Session, case: Case, awaited: Awaited) -> Fields:
    """Ask for the text of the summary; the figures are computed."""
    return {"summary": text("督查总结", description="总体情况、主要问题、下一步打算", longest=LONGEST)}


BUILDERS: dict[Gate, Builder] = {
    Gate.INSPECTION_VISIT: _visit_fields,
    Gate.RE_INSPECTION: _visit_fields,
    Gate.RECTIFICATION: _rectification_fields,
    Gate.CAMPAIGN_REPORT: _report_fields,
}
"""By gate; the others ask for a verdict."""
